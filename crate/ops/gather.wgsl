// y[i0, i1, i2, i3] = x[offset0[i0] + offset1[i1] + offset2[i2] + offset3[i3]], or `fill` where an offset is negative.
struct Numbers { count: u32, row: u32, n1: u32, n2: u32, n3: u32, t1: u32, t2: u32, t3: u32, fill: f32 }
@group(0) @binding(0) var<uniform> p: Numbers;
@group(0) @binding(1) var<storage, read> x: array<Store>;
@group(0) @binding(2) var<storage, read> offsets: array<i32>;
@group(0) @binding(3) var<storage, read_write> y: array<Store>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * p.row;
  if i >= p.count { return; }
  let i3 = i % p.n3;
  let i2 = (i / p.n3) % p.n2;
  let i1 = (i / (p.n3 * p.n2)) % p.n1;
  let i0 = i / (p.n3 * p.n2 * p.n1);
  let a = offsets[i0];
  let b = offsets[p.t1 + i1];
  let c = offsets[p.t2 + i2];
  let d = offsets[p.t3 + i3];
  if min(min(a, b), min(c, d)) < 0 {
    y[i] = Store(p.fill);
  } else {
    y[i] = x[a + b + c + d];
  }
}
