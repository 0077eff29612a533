//! Cutting on a graphics card.

use super::super::gpu::{Map, Recorder, gather, offsets};

/// Writes it down; `shape` is the output's.
pub fn record(r: &mut Recorder, x: &Map, shape: &[usize]) -> Map {
    let ([.., h, w], [.., ho, wo]) = (&x.shape[..], shape) else {
        unreachable!("pictures")
    };
    let axes = [
        offsets((0..x.len() / (h * w)).map(Some), h * w),
        offsets((0..*ho).map(Some), *w),
        offsets((0..*wo).map(Some), 1),
    ];
    gather(r, x, &axes, 0.0).under(shape.to_vec())
}
