//! Other sizes on a graphics card: "nearest" moves pixels, "bilinear" mixes four.

use super::super::gpu::{Map, Operand, Program, Recorder, gather, offsets};
use super::*;

/// Mixes the two nearest pixels along each axis.
pub static BILINEAR: Program = Program {
    name: "bilinear",
    source: include_str!("bilinear.wgsl"),
    reads: 2,
    numbers: &["count", "row", "rows", "columns", "in_rows", "in_columns"],
};

/// Writes it down.
///
/// # Errors
/// As [`super::shape`].
pub fn record(r: &mut Recorder, x: &Map, settings: &Settings) -> Result<Map> {
    let plan = plan(&x.shape, settings)?;
    let (planes, h, w) = (plan.images.n * plan.images.c, plan.images.h, plan.images.w);
    let sizes = [plan.rows.len(), plan.columns.len()];
    let shape = plan.images.shape(plan.images.c, sizes);
    if settings.mode == Mode::Nearest {
        let lows = |taps: &[Tap], stride| offsets(taps.iter().map(|tap| Some(tap.low)), stride);
        let axes = [
            offsets((0..planes).map(Some), h * w),
            lows(&plan.rows, w),
            lows(&plan.columns, 1),
        ];
        return Ok(gather(r, x, &axes, 0.0).under(shape));
    }
    let taps = plan.rows.iter().chain(&plan.columns);
    let table = taps.flat_map(|tap| [tap.low as i32, tap.high as i32, tap.weight.to_bits() as i32]);
    let table = r.table(table);
    let y = r.map(shape);
    let numbers = [sizes[0], sizes[1], h, w].map(|n| n as u32);
    r.each(
        &BILINEAR,
        y.len(),
        &numbers,
        &[Operand::Map(x.id), table],
        y.id,
    );
    r.jobs.last_mut().expect("just added").flops = 11 * y.len() as u64;
    Ok(y)
}
