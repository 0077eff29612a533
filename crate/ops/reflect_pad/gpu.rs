//! Mirrored pixels on a graphics card.

use super::super::gpu::{Map, Recorder, gather, offsets};
use super::*;

/// Writes it down; `shape` is the output's.
pub fn record(r: &mut Recorder, x: &Map, shape: &[usize]) -> Map {
    let ([.., h, w], [.., ho, wo]) = (&x.shape[..], shape) else {
        unreachable!("pictures")
    };
    let axes = [
        offsets((0..x.len() / (h * w)).map(Some), h * w),
        offsets(sources(*h, *ho).into_iter().map(Some), *w),
        offsets(sources(*w, *wo).into_iter().map(Some), 1),
    ];
    gather(r, x, &axes, 0.0).under(shape.to_vec())
}
