//! Padding on a graphics card.

use super::super::gpu::{Map, Recorder, gather, offsets, strides};
use super::*;

/// Writes it down.
///
/// # Errors
/// As [`super::shape`].
pub fn record(r: &mut Recorder, x: &Map, settings: &Settings) -> Result<Map> {
    let axes = plan(&x.shape, settings)?.into_iter().zip(strides(&x.shape));
    let axes: Vec<_> = axes
        .map(|(sources, stride)| offsets(sources, stride))
        .collect();
    Ok(gather(r, x, &axes, settings.value))
}
