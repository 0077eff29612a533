// A 1 × 1 convolution: a thread computes all channels of one pixel, at most 16, and can turn them into shares (softmax).
struct Numbers {
  count: u32, row: u32, pixels: u32, columns: u32, outs: u32, blocks: u32,
  a_channels: u32, a_rows: u32, a_columns: u32, a_zoom: u32,
  b_channels: u32, b_rows: u32, b_columns: u32, b_zoom: u32,
  activation: u32, slope: f32,
}
@group(0) @binding(0) var<uniform> p: Numbers;
@group(0) @binding(1) var<storage, read> a: array<Store>;
@group(0) @binding(2) var<storage, read> b: array<Store>;
// For each channel in, the weights of all channels out; then the biases.
@group(0) @binding(3) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<Store>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * p.row;
  if i >= p.count { return; }
  let pixel = i % p.pixels;
  let n = i / p.pixels;
  let at = vec2<u32>(pixel / p.columns, pixel % p.columns);
  let in_a = (at.x / p.a_zoom) * p.a_columns + at.y / p.a_zoom;
  let in_b = (at.x / p.b_zoom) * p.b_columns + at.y / p.b_zoom;
  let ins = p.a_channels + p.b_channels;
  var sums: array<vec4<f32>, 4>;
  for (var c = 0u; c < ins; c++) {
    var value: f32;
    if c < p.a_channels {
      value = f32(a[(n * p.a_channels + c) * p.a_rows * p.a_columns + in_a]);
    } else {
      value = f32(b[(n * p.b_channels + c - p.a_channels) * p.b_rows * p.b_columns + in_b]);
    }
    for (var block = 0u; block < p.blocks; block++) {
      sums[block] += weights[c * p.blocks + block] * value;
    }
  }
  for (var block = 0u; block < p.blocks; block++) {
    sums[block] += weights[ins * p.blocks + block];
  }
  var scale = 1.0;
  if p.activation == 4u {
    var largest = sums[0][0];
    for (var o = 1u; o < p.outs; o++) { largest = max(largest, sums[o / 4u][o % 4u]); }
    var sum = 0.0;
    for (var o = 0u; o < p.outs; o++) {
      let e = exp(sums[o / 4u][o % 4u] - largest);
      sums[o / 4u][o % 4u] = e;
      sum += e;
    }
    scale = 1.0 / sum;
  }
  for (var o = 0u; o < p.outs; o++) {
    y[(n * p.outs + o) * p.pixels + pixel] = Store(activate(sums[o / 4u][o % 4u] * scale, p.activation, p.slope));
  }
}
