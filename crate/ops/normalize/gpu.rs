//! Grey values on a graphics card: a group of threads finds each plane's factor and summand, then all values are scaled.

use super::super::gpu::{Activation, Job, Map, Operand, Program, Recorder, affine as scaled};
use super::*;

/// Factor and summand of each plane.
pub static STATISTICS: Program = Program {
    name: "statistics",
    source: include_str!("statistics.wgsl"),
    reads: 1,
    numbers: &[
        "planes",
        "across",
        "inner",
        "rule",
        "low_rank",
        "low_rest",
        "high_rank",
        "high_rest",
    ],
};

/// Writes it down.
///
/// # Errors
/// If x is no picture.
pub fn record(r: &mut Recorder, x: &Map, settings: Settings) -> Result<Map> {
    let images = Images::of_shape(OP, &x.shape)?;
    let (planes, inner) = (images.n * images.c, images.h * images.w);
    if let Settings::Fixed { .. } = settings {
        let factors = r.values(&affine(&[], settings));
        return Ok(scaled(r, x, 1, factors, Activation::None));
    }
    let rank = |percent: f64| {
        let rank = percent / 100.0 * (inner - 1) as f64;
        [rank as u32, (rank.fract() as f32).to_bits()]
    };
    let (rule, [low, high]) = match settings {
        Settings::Percentile { low, high } => (1, [rank(low), rank(high)]),
        _ => (0, [[0, 0]; 2]),
    };
    let rows = planes.div_ceil(super::super::gpu::MOST_GROUPS as usize);
    let across = planes.div_ceil(rows);
    let numbers = [
        planes as u32,
        across as u32,
        inner as u32,
        rule,
        low[0],
        low[1],
        high[0],
        high[1],
    ];
    let factors = r.exact_map(vec![planes, 2]);
    r.jobs.push(Job {
        program: &STATISTICS,
        numbers: numbers.to_vec(),
        reads: vec![Operand::Map(x.id)],
        writes: factors.id,
        groups: [across as u32, rows as u32, 1],
        flops: 4 * x.len() as u64,
        node: r.node,
    });
    Ok(scaled(
        r,
        x,
        planes,
        Operand::Map(factors.id),
        Activation::None,
    ))
}
