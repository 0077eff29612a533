//! Batch norm on a graphics card, where no convolution before it does its work.

use super::super::gpu::{Activation, Map, Recorder, affine as scaled};
use super::*;
use std::sync::Arc;

/// Writes it down.
///
/// # Errors
/// If the statistics are missing.
pub fn record(
    r: &mut Recorder,
    x: &Map,
    parameters: &[Option<Arc<Tensor>>],
    eps: f32,
) -> Result<Map> {
    let mean = parameters.first().and_then(Option::as_deref);
    // The data play no part in the factors; any tensor stands for them.
    let inputs: Vec<_> = std::iter::once(mean)
        .chain(parameters.iter().map(Option::as_deref))
        .collect();
    let (a, b) = affine(&inputs, eps)?;
    let pairs: Vec<f32> = a.iter().zip(&b).flat_map(|(a, b)| [*a, *b]).collect();
    let factors = r.values(&pairs);
    Ok(scaled(r, x, a.len(), factors, Activation::None))
}
