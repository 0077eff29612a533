//! Axes in another order on a graphics card.

use super::super::gpu::{Map, Recorder, gather, offsets, strides};

/// Writes it down.
pub fn record(r: &mut Recorder, x: &Map, dims: &[usize]) -> Map {
    let strides = strides(&x.shape);
    let axis = |&axis: &usize| offsets((0..x.shape[axis]).map(Some), strides[axis]);
    let axes: Vec<_> = dims.iter().map(axis).collect();
    gather(r, x, &axes, 0.0)
}
