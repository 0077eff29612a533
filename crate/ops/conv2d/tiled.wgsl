// 3 × 3 with stride 1 and zeros around. A group of 64 threads computes 16 × 16 pixels of eight channels; each thread 2 × 2 of them.
// Four channels at a time, the pixels that the group needs lie in its own memory, packed into vectors.
struct Numbers {
  rows: u32, columns: u32, top: u32, left: u32, height: u32, width: u32, blocks: u32, outs: u32,
  a_channels: u32, a_rows: u32, a_columns: u32, a_zoom: u32,
  b_channels: u32, b_rows: u32, b_columns: u32, b_zoom: u32,
  activation: u32, slope: f32,
}
@group(0) @binding(0) var<uniform> p: Numbers;
@group(0) @binding(1) var<storage, read> a: array<Store>;
@group(0) @binding(2) var<storage, read> b: array<Store>;
// Block of eight channels out, four channels in, tap, half of the block: four weights for each channel in. Then the biases.
@group(0) @binding(3) var<storage, read> weights: array<mat4x4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<Store>;

const SIDE = 18u;
var<workgroup> tile: array<vec4<f32>, 324>;

fn pixel(n: u32, c: u32, row: u32, column: u32) -> f32 {
  if c < p.a_channels {
    return f32(a[((n * p.a_channels + c) * p.a_rows + row / p.a_zoom) * p.a_columns + column / p.a_zoom]);
  }
  let d = c - p.a_channels;
  if d >= p.b_channels { return 0.0; }
  return f32(b[((n * p.b_channels + d) * p.b_rows + row / p.b_zoom) * p.b_columns + column / p.b_zoom]);
}

@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let n = group.z / p.blocks;
  let block = group.z % p.blocks;
  let corner = group.yx * 16u;
  let ins = p.a_channels + p.b_channels;
  let fours = (ins + 3u) / 4u;
  // The lower and the upper four channels of the pixels (0, 0), (0, 1), (1, 0), (1, 1).
  var low: array<vec4<f32>, 4>;
  var high: array<vec4<f32>, 4>;
  for (var four = 0u; four < fours; four++) {
    workgroupBarrier();
    for (var i = thread; i < SIDE * SIDE; i += 64u) {
      // Rows above the picture wrap around to large numbers, so one comparison finds them too.
      let row = corner.x + i / SIDE - p.top;
      let column = corner.y + i % SIDE - p.left;
      var values = vec4<f32>();
      if row < p.height && column < p.width {
        let c = four * 4u;
        values = vec4<f32>(pixel(n, c, row, column), pixel(n, c + 1u, row, column), pixel(n, c + 2u, row, column), pixel(n, c + 3u, row, column));
      }
      tile[i] = values;
    }
    workgroupBarrier();
    let first = (block * fours + four) * 18u;
    let own = local.y * 2u * SIDE + local.x * 2u;
    for (var ky = 0u; ky < 3u; ky++) {
      for (var kx = 0u; kx < 3u; kx++) {
        let lower = weights[first + (ky * 3u + kx) * 2u];
        let upper = weights[first + (ky * 3u + kx) * 2u + 1u];
        let at = own + ky * SIDE + kx;
        let x0 = tile[at];
        let x1 = tile[at + 1u];
        let x2 = tile[at + SIDE];
        let x3 = tile[at + SIDE + 1u];
        low[0] += lower * x0;
        low[1] += lower * x1;
        low[2] += lower * x2;
        low[3] += lower * x3;
        high[0] += upper * x0;
        high[1] += upper * x1;
        high[2] += upper * x2;
        high[3] += upper * x3;
      }
    }
  }
  // The biases lie behind the weights, eight a block: two columns of a matrix.
  let behind = p.blocks * fours * 18u + block / 2u;
  let low_bias = weights[behind][(block % 2u) * 2u];
  let high_bias = weights[behind][(block % 2u) * 2u + 1u];
  for (var i = 0u; i < 4u; i++) {
    let row = corner.x + local.y * 2u + i / 2u;
    let column = corner.y + local.x * 2u + i % 2u;
    if row >= p.rows || column >= p.columns { continue; }
    for (var lane = 0u; lane < min(8u, p.outs - block * 8u); lane++) {
      let sum = select(high[i][lane % 4u] + high_bias[lane % 4u], low[i][lane % 4u] + low_bias[lane % 4u], lane < 4u);
      let plane = n * p.outs + block * 8u + lane;
      y[(plane * p.rows + row) * p.columns + column] = Store(activate(sum, p.activation, p.slope));
    }
  }
}
