// The largest value under each window, or the mean: a thread computes one.
struct Numbers {
  count: u32, row: u32, pixels: u32, columns: u32, in_rows: u32, in_columns: u32,
  kernel_rows: u32, kernel_columns: u32, mean: u32, padding_counts: u32,
}
@group(0) @binding(0) var<uniform> p: Numbers;
@group(0) @binding(1) var<storage, read> x: array<Store>;
// The row of each output row and tap, then the column of each output column and tap; −1 in the padding, −2 beyond it.
@group(0) @binding(2) var<storage, read> taps: array<i32>;
@group(0) @binding(3) var<storage, read_write> y: array<Store>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * p.row;
  if i >= p.count { return; }
  let pixel = i % p.pixels;
  let plane = i / p.pixels * p.in_rows;
  let first_row = (pixel / p.columns) * p.kernel_rows;
  let first_column = (p.pixels / p.columns) * p.kernel_rows + (pixel % p.columns) * p.kernel_columns;
  var largest = -3.4028234e38;
  var sum = 0.0;
  var counted = 0u;
  for (var ky = 0u; ky < p.kernel_rows; ky++) {
    let row = taps[first_row + ky];
    if row == -2 { continue; }
    for (var kx = 0u; kx < p.kernel_columns; kx++) {
      let column = taps[first_column + kx];
      if column == -2 { continue; }
      if row >= 0 && column >= 0 {
        let value = f32(x[(plane + u32(row)) * p.in_columns + u32(column)]);
        largest = max(largest, value);
        sum += value;
        counted += 1u;
      } else {
        counted += p.padding_counts;
      }
    }
  }
  y[i] = Store(select(largest, sum / f32(counted), p.mean == 1u));
}
