// One peer in its own page: `bench.load(name)` prepares a workload and gives its first output, `bench.times(ms)` runs it again and again.
import { onnx, picture, WORKLOADS } from "./workloads.mjs";

/** Every peer: from a network to a function from Float32Array to Float32Array. Packing and compiling belong to the loading. */
const PEERS = {
  async ours({ thread = "here", workers = 1, gpu = false }) {
    const { createEngine } = await import("/pkg/kernelscope.mjs");
    const engine = await createEngine({ backend: gpu ? "webgpu" : "cpu", thread, workers });
    if (gpu && engine.backend !== "webgpu") throw new Error(engine.reason);
    return async (net) => {
      const model = await engine.loadModel(onnx(net, net.name === "large"));
      const out = new Float32Array(net.output.reduce((a, b) => a * b));
      globalThis.memory = () => engine.stats().memoryBytes;
      return async (x) => (await model.run({ data: x, shape: net.input }, { out })).output.data;
    };
  },
  async onnxruntime({ gpu = false }) {
    const folder = new URL("/peers/onnxruntime-web/dist/", location.href).href;
    const ort = await import(`${folder}ort.${gpu ? "webgpu" : "wasm"}.min.mjs`);
    Object.assign(ort.env.wasm, { wasmPaths: folder, numThreads: 1 });
    ort.env.logLevel = "error";
    return async (net) => {
      const session = await ort.InferenceSession.create(onnx(net), { executionProviders: [gpu ? "webgpu" : "wasm"], graphOptimizationLevel: "all" });
      return async (x) => (await session.run({ x: new ort.Tensor("float32", x, net.input) })).y.data;
    };
  },
  async tensorflow({ gpu = false }) {
    const { tf, start } = await import(gpu ? "/build/tensorflow-webgpu.js" : "/build/tensorflow.js");
    await start("/peers/@tensorflow/tfjs-backend-wasm/dist/");
    return async (net) => {
      const weights = net.layers.map(({ op, ci, co, k, weight, bias }) => {
        if (op !== "conv") return null;
        const turned = new Float32Array(weight.length); // (out, in, tap) → (tap, in, out)
        for (let o = 0; o < co; o++) for (let i = 0; i < ci; i++) for (let t = 0; t < k * k; t++) turned[(t * ci + i) * co + o] = weight[(o * ci + i) * k * k + t];
        return { filter: tf.tensor4d(turned, [k, k, ci, co]), bias: bias ? tf.tensor1d(bias) : undefined };
      });
      const run = async (x) => {
        const result = tf.tidy(() => {
          const [, c, h, w] = net.input;
          const maps = [tf.tensor4d(x, [1, h, w, c])];
          net.layers.forEach(({ op, from, relu }, i) => {
            const [a, b] = from.map((j) => maps[j]);
            const [, height, width] = net.shapes[i + 1];
            switch (op) {
              case "conv": return maps.push(tf.fused.conv2d({ x: a, ...weights[i], strides: 1, pad: "same", activation: relu ? "relu" : "linear" }));
              case "pool": return maps.push(tf.maxPool(a, 2, 2, "valid"));
              case "up": return maps.push(tf.image.resizeNearestNeighbor(a, [height, width]));
              case "concat": return maps.push(tf.concat([a, b], 3));
              case "softmax": return maps.push(tf.softmax(a));
            }
          });
          return maps.at(-1);
        });
        const data = await result.data();
        result.dispose();
        return data;
      };
      // Its layout has the channels last: what is due to that is not timed.
      const layout = (from, [, c, h, w], back) => {
        const to = new Float32Array(from.length);
        for (let k = 0; k < c; k++) for (let i = 0; i < h * w; i++) to[back ? k * h * w + i : i * c + k] = from[back ? i * c + k : k * h * w + i];
        return to;
      };
      return Object.assign(run, { before: (x) => layout(x, net.input, false), after: (y) => layout(y, net.output, true) });
    };
  },
};

const query = new URLSearchParams(location.search);
const [peer, options] = JSON.parse(query.get("peer"));
const load = await PEERS[peer](options ?? {});
let run;
let x;

globalThis.bench = {
  async load(name) {
    const net = WORKLOADS[name]();
    run = await load(net);
    x = picture(net);
    if (run.before) x = run.before(x);
    const y = await run(x);
    globalThis.first = run.after ? run.after(y) : y.slice();
    return { flops: net.flops, what: net.what };
  },
  /** The first output, in base64: lists of millions of numbers are more than a driver carries. */
  output: () =>
    new Promise((done) => {
      const reader = new FileReader();
      reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
      reader.readAsDataURL(new Blob([globalThis.first]));
    }),
  async times(budget, most) {
    const times = [];
    const start = performance.now();
    while (times.length < 1 || (times.length < most && performance.now() - start < budget)) {
      const before = performance.now();
      await run(x);
      times.push(performance.now() - before);
    }
    return times;
  },
  async once() {
    const y = await run(x);
    globalThis.first = run.after ? run.after(y) : y.slice();
  },
  async memory(runs) {
    const sizes = [];
    for (let i = 1; i <= runs; i++) {
      await run(x);
      if (i === 10 || i === runs) sizes.push(globalThis.memory());
    }
    return sizes;
  },
  peak(bytes) {
    const { peak } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes))).exports;
    const n = 400_000;
    let best = Infinity;
    for (let i = 0; i < 12; i++) {
      const before = performance.now();
      peak(n);
      best = Math.min(best, performance.now() - before);
    }
    return (n * 12 * 8) / best / 1e6;
  },
};

if (query.get("cold")) {
  await bench.load(query.get("cold"));
  globalThis.cold = performance.now();
}
globalThis.ready = true;
