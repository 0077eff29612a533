//! The fast path: whole rows at a time, tap by tap.

use crate::ops::pool::fold;
use crate::window::Window;

/// The largest value under each window of a plane.
pub fn max(window: &Window, plane: &[f32], out: &mut [f32]) {
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
