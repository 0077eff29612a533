// Blocks of x become parts of the larger blocks of y.
struct Numbers { count: u32, row: u32, block: u32, larger: u32, start: u32 }
@group(0) @binding(0) var<uniform> p: Numbers;
@group(0) @binding(1) var<storage, read> x: array<Store>;
@group(0) @binding(2) var<storage, read_write> y: array<Store>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * p.row;
  if i >= p.count { return; }
  y[i / p.block * p.larger + p.start + i % p.block] = x[i];
}
