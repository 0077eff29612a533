// Sums; a step of 0 repeats a value along an axis.
struct Numbers {
  count: u32, row: u32, n1: u32, n2: u32, n3: u32,
  a0: u32, a1: u32, a2: u32, a3: u32, b0: u32, b1: u32, b2: u32, b3: u32,
}
@group(0) @binding(0) var<uniform> p: Numbers;
@group(0) @binding(1) var<storage, read> a: array<Store>;
@group(0) @binding(2) var<storage, read> b: array<Store>;
@group(0) @binding(3) var<storage, read_write> y: array<Store>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * p.row;
  if i >= p.count { return; }
  let at = vec4<u32>(i / (p.n3 * p.n2 * p.n1), (i / (p.n3 * p.n2)) % p.n1, (i / p.n3) % p.n2, i % p.n3);
  let in_a = at.x * p.a0 + at.y * p.a1 + at.z * p.a2 + at.w * p.a3;
  let in_b = at.x * p.b0 + at.y * p.b1 + at.z * p.b2 + at.w * p.b3;
  y[i] = Store(f32(a[in_a]) + f32(b[in_b]));
}
