// The workloads: lists of layers with seeded weights, as plain objects and as ONNX files.

/** Repeatable noise, about normal: the sum of twelve uniform numbers. */
function noise(seed) {
  let state = seed >>> 0 || 1;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += uniform();
    return sum;
  };
}

/** Layers one after the other; a layer's output is its index + 1, the input is 0. */
class Net {
  constructor(name, what, [c, h, w], seed) {
    Object.assign(this, { name, what, input: [1, c, h, w], layers: [], shapes: [[c, h, w]], flops: 0, next: noise(seed) });
  }

  add(layer, shape) {
    this.layers.push(layer);
    this.shapes.push(shape);
    return this.layers.length;
  }

  conv(from, co, k, { relu = true, bias = true, weight } = {}) {
    const [ci, h, w] = this.shapes[from];
    const scale = Math.sqrt((relu ? 2 : 1) / (ci * k * k));
    weight ??= Float32Array.from({ length: co * ci * k * k }, () => this.next() * scale);
    const b = bias ? Float32Array.from({ length: co }, () => this.next() * 0.05) : null;
    this.flops += 2 * ci * co * k * k * h * w;
    return this.add({ op: "conv", from: [from], ci, co, k, relu, weight, bias: b }, [co, h, w]);
  }

  pool(from) {
    const [c, h, w] = this.shapes[from];
    return this.add({ op: "pool", from: [from] }, [c, h / 2, w / 2]);
  }

  up(from) {
    const [c, h, w] = this.shapes[from];
    return this.add({ op: "up", from: [from] }, [c, h * 2, w * 2]);
  }

  concat(a, b) {
    const [ca, h, w] = this.shapes[a];
    return this.add({ op: "concat", from: [a, b] }, [ca + this.shapes[b][0], h, w]);
  }

  softmax(from) {
    return this.add({ op: "softmax", from: [from] }, this.shapes[from]);
  }

  get output() {
    return [1, ...this.shapes[this.layers.length]];
  }
}

function unet(name, what, widths, bottom, size, seed) {
  const net = new Net(name, what, [1, size, size], seed);
  let x = 0;
  const skips = [];
  for (const c of widths) {
    x = net.conv(net.conv(x, c, 3), c, 3);
    skips.push(x);
    x = net.pool(x);
  }
  x = net.conv(net.conv(x, bottom, 3), bottom, 3);
  for (const c of widths.toReversed()) {
    x = net.concat(net.up(x), skips.pop());
    x = net.conv(net.conv(x, c, 3), c, 3);
  }
  net.softmax(net.conv(x, 2, 1, { relu: false }));
  return net;
}

const one = (name, what, shape, seed, build) => {
  const net = new Net(name, what, shape, seed);
  build(net);
  return net;
};
const sobel = Float32Array.of(-1, 0, 1, -2, 0, 2, -1, 0, 1);

export const WORKLOADS = {
  W1: () => one("W1", "conv 1→1 3×3, 2048²", [1, 2048, 2048], 1, (net) => net.conv(0, 1, 3, { relu: false, bias: false, weight: sobel })),
  W2: () => one("W2", "conv 1→1 15×15, 1024²", [1, 1024, 1024], 2, (net) => net.conv(0, 1, 15, { relu: false, bias: false })),
  W3: () => one("W3", "conv 16→16 3×3 + ReLU, 256²", [16, 256, 256], 3, (net) => net.conv(0, 16, 3)),
  W4: () => one("W4", "conv 64→64 3×3, 128²", [64, 128, 128], 4, (net) => net.conv(0, 64, 3, { relu: false })),
  W5: () => one("W5", "max-pool 2×2, 16×512²", [16, 512, 512], 5, (net) => net.pool(0)),
  W6: () => unet("W6", "U-Net 8-16-32, 256²", [8, 16], 32, 256, 6),
  W7: () => unet("W7", "U-Net 32-64-128-256-512, 256²", [32, 64, 128, 256], 512, 256, 7),
  large: () => unet("large", "the network of W6 on 1024²", [8, 16], 32, 1024, 6),
};

export function picture(net) {
  const next = noise(1000 + net.flops % 997);
  return Float32Array.from({ length: net.input.reduce((a, b) => a * b) }, next);
}

// ---- ONNX, as far as these networks need it: protocol buffers written by hand.

const varint = (n) => {
  const bytes = [];
  for (; n > 127; n = Math.floor(n / 128)) bytes.push((n % 128) | 128);
  bytes.push(n);
  return Uint8Array.from(bytes);
};
const join = (parts) => {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};
const int = (field, n) => join([varint(field * 8), varint(n)]);
const bytes = (field, value) => join([varint(field * 8 + 2), varint(value.length), value]);
const text = (field, value) => bytes(field, new TextEncoder().encode(value));
const message = (field, ...parts) => bytes(field, join(parts));
const ints = (name, list) => message(5, text(1, name), ...list.map((n) => int(8, n)), int(20, 7));
const number = (name, n) => message(5, text(1, name), int(3, n), int(20, 2));
const word = (name, value) => message(5, text(1, name), text(4, value), int(20, 3));
const tensor = (name, shape, data) =>
  message(5, ...shape.map((n) => int(1, n)), int(2, 1), text(8, name), bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
const node = (op, inputs, output, ...attributes) =>
  message(1, ...inputs.map((name) => text(1, name)), text(2, output), text(4, op), ...attributes);
/** A size is a number, or a name where the file leaves it open. */
const value = (field, name, shape) =>
  message(field, text(1, name), message(2, message(1, int(1, 1), message(2, ...shape.map((n) => message(1, typeof n === "string" ? text(2, n) : int(1, n)))))));

/** The network as an ONNX file, made for its own picture or, `open`, for pictures of any height and width. */
export function onnx(net, open = false) {
  const sized = ([n, c, h, w]) => (open ? [n, c, "height", "width"] : [n, c, h, w]);
  const last = net.layers.length;
  const name = (i) => (i === 0 ? "x" : i === last ? "y" : `t${i}`);
  const [nodes, tensors] = [[], []];
  net.layers.forEach((layer, i) => {
    const [inputs, y] = [layer.from.map(name), name(i + 1)];
    switch (layer.op) {
      case "conv": {
        const { k, co, ci, relu, weight, bias } = layer;
        tensors.push(tensor(`w${i}`, [co, ci, k, k], weight));
        if (bias) tensors.push(tensor(`b${i}`, [co], bias));
        const before = relu ? `${y}.sum` : y;
        const pads = ints("pads", Array(4).fill((k - 1) / 2));
        nodes.push(node("Conv", [...inputs, `w${i}`, ...(bias ? [`b${i}`] : [])], before, ints("kernel_shape", [k, k]), pads));
        if (relu) nodes.push(node("Relu", [before], y));
        break;
      }
      case "pool":
        nodes.push(node("MaxPool", inputs, y, ints("kernel_shape", [2, 2]), ints("strides", [2, 2])));
        break;
      case "up":
        tensors.push(tensor(`s${i}`, [4], Float32Array.of(1, 1, 2, 2)));
        nodes.push(node("Resize", [...inputs, "", `s${i}`], y, word("mode", "nearest"), word("coordinate_transformation_mode", "asymmetric"), word("nearest_mode", "floor")));
        break;
      case "concat":
        nodes.push(node("Concat", inputs, y, number("axis", 1)));
        break;
      case "softmax":
        nodes.push(node("Softmax", inputs, y, number("axis", 1)));
        break;
    }
  });
  const graph = message(7, ...nodes, text(2, net.name), ...tensors, value(11, "x", sized(net.input)), value(12, "y", sized(net.output)));
  return join([int(1, 8), text(2, "kernelscope-bench"), graph, message(8, text(1, ""), int(2, 17))]);
}
