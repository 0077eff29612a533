//! Sums on a graphics card.

use super::super::gpu::{Map, Operand, Program, Recorder, strides};
use super::*;
use std::sync::Arc;

/// Adds two maps, repeating either along axes where it has one value.
pub static ADD: Program = Program {
    name: "add",
    source: include_str!("add.wgsl"),
    reads: 2,
    numbers: &[
        "count", "row", "n1", "n2", "n3", "a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3",
    ],
};

/// Writes it down; the second summand is a map, or else learned. `shape` is the output's.
pub fn record(
    r: &mut Recorder,
    maps: &[Map],
    learned: Option<&Arc<Tensor>>,
    shape: Vec<usize>,
) -> Map {
    let x = &maps[0];
    let (other, other_shape) = match (maps.get(1), learned) {
        (Some(map), _) => (Operand::Map(map.id), &map.shape[..]),
        (None, Some(tensor)) => (r.stored(tensor), tensor.shape()),
        (None, None) => unreachable!("the shape was checked"),
    };
    let steps = |of: &[usize]| {
        let mut steps = [0u32; 4];
        let place = 4 - of.len();
        for (axis, stride) in strides(of).into_iter().enumerate() {
            steps[place + axis] = if of[axis] == 1 { 0 } else { stride as u32 };
        }
        steps
    };
    let mut sizes = [1; 4];
    sizes[4 - shape.len()..].copy_from_slice(&shape);
    let numbers = [
        &[sizes[1] as u32, sizes[2] as u32, sizes[3] as u32][..],
        &steps(&x.shape),
        &steps(other_shape),
    ]
    .concat();
    let y = r.map(shape);
    r.each(&ADD, y.len(), &numbers, &[Operand::Map(x.id), other], y.id);
    y
}
