//! Joining on a graphics card: every input is put in its place.

use super::super::gpu::{Map, Operand, Program, Recorder};
use super::*;

/// Puts blocks of values into larger blocks.
pub static PLACE: Program = Program {
    name: "place",
    source: include_str!("place.wgsl"),
    reads: 1,
    numbers: &["count", "row", "block", "larger", "start"],
};

/// Writes it down; `shape` is the output's.
///
/// # Errors
/// If there is no such axis.
pub fn record(r: &mut Recorder, maps: &[Map], shape: Vec<usize>, dim: i64) -> Result<Map> {
    let whole = split(OP, dim, &shape)?;
    let y = r.map(shape);
    let mut start = 0;
    for x in maps {
        let block = whole.inner * x.shape[whole.axis];
        let numbers = [block, whole.n * whole.inner, start].map(|n| n as u32);
        r.each(&PLACE, x.len(), &numbers, &[Operand::Map(x.id)], y.id);
        r.jobs.last_mut().expect("just added").flops = 0;
        start += block;
    }
    Ok(y)
}
