//! Softmax on a graphics card, where no convolution before it takes it along.

use super::super::gpu::{Map, Operand, Program, Recorder, along};
use super::*;

/// Shares along an axis.
pub static SOFTMAX: Program = Program {
    name: "softmax",
    source: include_str!("softmax.wgsl"),
    reads: 1,
    numbers: &["count", "row", "n", "inner"],
};

/// Writes it down.
///
/// # Errors
/// If x has no such axis.
pub fn record(r: &mut Recorder, x: &Map, dim: i64) -> Result<Map> {
    let split = split(OP, dim, &x.shape)?;
    let y = r.map(x.shape.clone());
    let numbers = along(split);
    r.each(
        &SOFTMAX,
        split.outer * split.inner,
        &numbers,
        &[Operand::Map(x.id)],
        y.id,
    );
    r.jobs.last_mut().expect("just added").flops = 4 * y.len() as u64;
    Ok(y)
}
