// Any convolution: a thread computes four channels of one pixel, without a barrier.
struct Numbers {
  count: u32, row: u32, pixels: u32, columns: u32, blocks: u32, groups: u32, outs: u32, ins: u32,
  kernel_rows: u32, kernel_columns: u32,
  a_channels: u32, a_rows: u32, a_columns: u32, a_zoom: u32,
  b_channels: u32, b_rows: u32, b_columns: u32, b_zoom: u32,
  activation: u32, slope: f32,
}
@group(0) @binding(0) var<uniform> p: Numbers;
@group(0) @binding(1) var<storage, read> a: array<Store>;
@group(0) @binding(2) var<storage, read> b: array<Store>;
// Group, block of four channels out, channel in, tap; then the biases of each block.
@group(0) @binding(3) var<storage, read> weights: array<vec4<f32>>;
// The row of each output row and tap, then the column of each output column and tap; −1 where there is no pixel.
@group(0) @binding(4) var<storage, read> taps: array<i32>;
@group(0) @binding(5) var<storage, read_write> y: array<Store>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * p.row;
  if i >= p.count { return; }
  let pixel = i % p.pixels;
  let block = (i / p.pixels) % (p.blocks * p.groups);
  let n = i / (p.pixels * p.blocks * p.groups);
  let group = block / p.blocks;
  let first_row = (pixel / p.columns) * p.kernel_rows;
  let first_column = (p.pixels / p.columns) * p.kernel_rows + (pixel % p.columns) * p.kernel_columns;
  let taps_of_channel = p.kernel_rows * p.kernel_columns;
  var weight = block * p.ins * taps_of_channel;
  var sum = vec4<f32>();
  for (var c = group * p.ins; c < (group + 1u) * p.ins; c++) {
    let first = c < p.a_channels;
    let zoom = select(p.b_zoom, p.a_zoom, first);
    let width = select(p.b_columns, p.a_columns, first);
    let plane = select((n * p.b_channels + c - p.a_channels) * p.b_rows, (n * p.a_channels + c) * p.a_rows, first);
    for (var ky = 0u; ky < p.kernel_rows; ky++) {
      let row = taps[first_row + ky];
      if row >= 0 {
        let start = (plane + u32(row) / zoom) * width;
        for (var kx = 0u; kx < p.kernel_columns; kx++) {
          let column = taps[first_column + kx];
          if column >= 0 {
            let at = start + u32(column) / zoom;
            var value: f32;
            if first { value = f32(a[at]); } else { value = f32(b[at]); }
            sum += weights[weight + kx] * value;
          }
        }
      }
      weight += p.kernel_columns;
    }
  }
  sum += weights[p.groups * p.blocks * p.ins * taps_of_channel + block];
  let o = (block % p.blocks) * 4u;
  for (var lane = 0u; lane < min(4u, p.outs - o); lane++) {
    let plane = (n * p.groups + group) * p.outs + o + lane;
    y[plane * p.pixels + pixel] = Store(activate(sum[lane], p.activation, p.slope));
  }
}
