//! The fast path: whole rows at a time, tap by tap; windows of 2 × 2 that do not overlap in one go.

use crate::ops::pool::fold;
use crate::simd::F32x4;
use crate::window::{Axis, Window};

/// The largest value under each window of a plane.
pub fn max(window: &Window, plane: &[f32], out: &mut [f32]) {
    let halves = |axis: &Axis| {
        axis.kernel == 2
            && axis.stride == 2
            && axis.dilation == 1
            && axis.before == 0
            && axis.output * 2 <= axis.size
    };
    if halves(&window.y) && halves(&window.x) {
        let (from, to) = (window.x.size, window.x.output);
        for (rows, out) in plane.chunks_exact(2 * from).zip(out.chunks_exact_mut(to)) {
            let (upper, lower) = rows.split_at(from);
            halve(&upper[..2 * to], &lower[..2 * to], out);
        }
        return;
    }
    out.fill(f32::NEG_INFINITY);
    // NaN stays once it is there, since no comparison with it holds.
    fold(window, plane, out, |max, value| {
        *max = if value > *max || value.is_nan() {
            value
        } else {
            *max
        }
    });
}

/// One row of outputs from two rows of inputs, the pixels of each window in reading order.
fn halve(upper: &[f32], lower: &[f32], out: &mut [f32]) {
    let (upper, upper_rest) = upper.as_chunks::<8>();
    let (lower, lower_rest) = lower.as_chunks::<8>();
    let (out, rest) = out.as_chunks_mut::<4>();
    for ((upper, lower), out) in upper.iter().zip(lower).zip(out) {
        let pair = |row: &[f32; 8]| {
            let (halves, _) = row.as_chunks::<4>();
            let (a, b) = (F32x4::load(&halves[0]), F32x4::load(&halves[1]));
            (a.even(b), a.odd(b))
        };
        let ((a, b), (c, d)) = (pair(upper), pair(lower));
        a.larger(b).larger(c).larger(d).store(out);
    }
    let larger = |max: f32, value: f32| {
        if value > max || value.is_nan() {
            value
        } else {
            max
        }
    };
    for (i, out) in rest.iter_mut().enumerate() {
        let (a, b) = (upper_rest[2 * i], upper_rest[2 * i + 1]);
        let (c, d) = (lower_rest[2 * i], lower_rest[2 * i + 1]);
        *out = larger(larger(larger(a, b), c), d);
    }
}
