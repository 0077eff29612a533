// The factor and the summand that normalise a plane: a group of 256 threads a plane.
// Rule 0: from mean and standard deviation. Rule 1: from two percentiles, each between two ranks, found byte by byte from the
// highest: how many values have which next byte tells the byte of the wanted rank.
struct Numbers {
  planes: u32, across: u32, inner: u32, rule: u32, low_rank: u32, low_rest: f32, high_rank: u32, high_rest: f32,
}
@group(0) @binding(0) var<uniform> p: Numbers;
@group(0) @binding(1) var<storage, read> x: array<Store>;
@group(0) @binding(2) var<storage, read_write> pairs: array<f32>;

const THREADS = 256u;
var<workgroup> sums: array<f32, 256>;
var<workgroup> counts: array<atomic<u32>, 256>;
var<workgroup> found: vec2<u32>;

// The sum over all threads.
fn total(thread: u32, value: f32) -> f32 {
  workgroupBarrier();
  sums[thread] = value;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if thread < half { sums[thread] += sums[thread + half]; }
  }
  workgroupBarrier();
  return sums[0];
}

// A number whose order is that of the values.
fn key(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}

// The value of this rank, from 0.
fn at_rank(thread: u32, first: u32, rank: u32) -> f32 {
  var prefix = 0u;
  var left = rank;
  for (var shift = 32u; shift > 0u; shift -= 8u) {
    atomicStore(&counts[thread], 0u);
    workgroupBarrier();
    // Values that agree with what is known so far; at first all do.
    let known = select(0xffffffffu << (shift & 31u), 0u, shift == 32u);
    for (var i = thread; i < p.inner; i += THREADS) {
      let k = key(f32(x[first + i]));
      if (k & known) == prefix { atomicAdd(&counts[(k >> (shift - 8u)) & 255u], 1u); }
    }
    workgroupBarrier();
    if thread == 0u {
      var byte = 0u;
      var rest = left;
      loop {
        let count = atomicLoad(&counts[byte]);
        if rest < count || byte == 255u { break; }
        rest -= count;
        byte += 1u;
      }
      found = vec2<u32>(byte, rest);
    }
    let next = workgroupUniformLoad(&found);
    prefix |= next.x << (shift - 8u);
    left = next.y;
  }
  let bits = select(~prefix, prefix & 0x7fffffffu, (prefix & 0x80000000u) != 0u);
  return bitcast<f32>(bits);
}

fn percentile(thread: u32, first: u32, rank: u32, rest: f32) -> f32 {
  let below = at_rank(thread, first, rank);
  let above = at_rank(thread, first, min(rank + 1u, p.inner - 1u));
  return below + (above - below) * rest;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let plane = group.x + group.y * p.across;
  if plane >= p.planes { return; }
  let first = plane * p.inner;
  var centre: f32;
  var width: f32;
  if p.rule == 0u {
    var sum = 0.0;
    for (var i = thread; i < p.inner; i += THREADS) { sum += f32(x[first + i]); }
    centre = total(thread, sum) / f32(p.inner);
    var squares = 0.0;
    for (var i = thread; i < p.inner; i += THREADS) {
      let away = f32(x[first + i]) - centre;
      squares += away * away;
    }
    width = sqrt(total(thread, squares) / f32(p.inner));
  } else {
    centre = percentile(thread, first, p.low_rank, p.low_rest);
    width = percentile(thread, first, p.high_rank, p.high_rest) - centre;
  }
  if width < 1e-6 { width = 1.0; }
  if thread == 0u {
    pairs[2u * plane] = 1.0 / width;
    pairs[2u * plane + 1u] = -centre / width;
  }
}
