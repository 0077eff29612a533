// In front of every program. `Store` is how maps are stored: f32, or f16 where that was asked for.

fn sigmoid(x: f32) -> f32 {
  let e = exp(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

// 0 nothing, 1 ReLU, 2 leaky ReLU, 3 sigmoid.
fn activate(x: f32, kind: u32, slope: f32) -> f32 {
  switch kind {
    case 1u: { return max(x, 0.0); }
    case 2u: { return select(x * slope, x, x > 0.0); }
    case 3u: { return sigmoid(x); }
    default: { return x; }
  }
}
