// The index of the first largest value along an axis.
struct Numbers { count: u32, row: u32, n: u32, inner: u32 }
@group(0) @binding(0) var<uniform> p: Numbers;
@group(0) @binding(1) var<storage, read> x: array<Store>;
@group(0) @binding(2) var<storage, read_write> y: array<Store>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * p.row;
  if i >= p.count { return; }
  let first = i / p.inner * p.n * p.inner + i % p.inner;
  var largest = f32(x[first]);
  var best = 0u;
  for (var j = 1u; j < p.n; j++) {
    let value = f32(x[first + j * p.inner]);
    if value > largest {
      largest = value;
      best = j;
    }
  }
  y[i] = Store(f32(best));
}
