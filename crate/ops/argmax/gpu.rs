//! The index of the largest on a graphics card.

use super::super::gpu::{Map, Operand, Program, Recorder, along};
use super::*;

/// The index of the first largest along an axis, as a number.
pub static ARGMAX: Program = Program {
    name: "argmax",
    source: include_str!("argmax.wgsl"),
    reads: 1,
    numbers: &["count", "row", "n", "inner"],
};

/// Writes it down; `shape` is the output's.
///
/// # Errors
/// If x has no such axis.
pub fn record(r: &mut Recorder, x: &Map, shape: Vec<usize>, dim: i64) -> Result<Map> {
    let split = split(OP, dim, &x.shape)?;
    let y = r.map(shape);
    let numbers = along(split);
    r.each(&ARGMAX, y.len(), &numbers, &[Operand::Map(x.id)], y.id);
    r.jobs.last_mut().expect("just added").flops = x.len() as u64;
    Ok(y)
}
