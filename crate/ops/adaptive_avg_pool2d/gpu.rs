//! Means over regions on a graphics card: windows as large as the largest region, whose superfluous taps lie beyond the picture.

use super::super::gpu::{Map, Recorder};
use super::super::pool::{Reading, reading};
use super::*;

/// Writes it down.
///
/// # Errors
/// If x is no picture.
pub fn record(r: &mut Recorder, x: &Map, settings: &Settings) -> Result<Map> {
    let images = Images::of_shape(OP, &x.shape)?;
    let [ho, wo] = settings.output(&images);
    let taps = |outputs: usize, size: usize| {
        let regions = (0..outputs).map(|i| region(i, outputs, size));
        let kernel = regions
            .clone()
            .map(|region| region.len())
            .max()
            .unwrap_or(1);
        let rows = regions.flat_map(|region| {
            (region.start..region.start + kernel)
                .map(move |i| if i < region.end { i as i32 } else { -2 })
        });
        (kernel, rows.collect::<Vec<i32>>())
    };
    let ((kh, rows), (kw, columns)) = (taps(ho, images.h), taps(wo, images.w));
    let shape = images.shape(images.c, [ho, wo]);
    let how = Reading::Mean { include: false };
    Ok(reading(r, x, shape, [kh, kw], [rows, columns], how))
}
