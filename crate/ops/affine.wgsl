// y = factor · x + summand, one pair a channel.
struct Numbers { count: u32, row: u32, inner: u32, channels: u32, activation: u32, slope: f32 }
@group(0) @binding(0) var<uniform> p: Numbers;
@group(0) @binding(1) var<storage, read> x: array<Store>;
@group(0) @binding(2) var<storage, read> pairs: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<Store>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * p.row;
  if i >= p.count { return; }
  let c = (i / p.inner) % p.channels;
  y[i] = Store(activate(f32(x[i]) * pairs[2u * c] + pairs[2u * c + 1u], p.activation, p.slope));
}
