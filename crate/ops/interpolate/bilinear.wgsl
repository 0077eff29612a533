// A weighted mean of the two nearest pixels along each axis.
struct Numbers { count: u32, row: u32, rows: u32, columns: u32, in_rows: u32, in_columns: u32 }
@group(0) @binding(0) var<uniform> p: Numbers;
@group(0) @binding(1) var<storage, read> x: array<Store>;
// For each row, then for each column: the two pixels, and the bits of the second one's weight.
@group(0) @binding(2) var<storage, read> taps: array<i32>;
@group(0) @binding(3) var<storage, read_write> y: array<Store>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * p.row;
  if i >= p.count { return; }
  let r = 3u * ((i / p.columns) % p.rows);
  let c = 3u * (p.rows + i % p.columns);
  let plane = i / (p.rows * p.columns) * p.in_rows;
  let upper = (plane + u32(taps[r])) * p.in_columns;
  let lower = (plane + u32(taps[r + 1u])) * p.in_columns;
  let left = u32(taps[c]);
  let right = u32(taps[c + 1u]);
  let v = bitcast<f32>(taps[r + 2u]);
  let h = bitcast<f32>(taps[c + 2u]);
  let above = f32(x[upper + left]) * (1.0 - h) + f32(x[upper + right]) * h;
  let below = f32(x[lower + left]) * (1.0 - h) + f32(x[lower + right]) * h;
  y[i] = Store(above * (1.0 - v) + below * v);
}
