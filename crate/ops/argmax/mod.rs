//! `argmax`: the index of the largest value along an axis (`torch.argmax`), the first one among equals. The axis
//! disappears; a tensor of rank 1 gives one value of shape (1).

#[cfg(feature = "gpu")]
pub(super) mod gpu;

use super::common::{Split, filled, read_dim, split};
use super::field::Field;
use super::{Explanation, Reduce, Term, check_position};
use crate::error::Result;
use crate::options::{Options, Reader};
use crate::tensor::Tensor;

const OP: &str = "argmax";

/// Reads the one option `dim`: the axis, negative ones counting from the end. It must be given.
///
/// # Errors
/// If it is missing or impossible, or on another option.
pub fn parse(options: &Options) -> Result<i64> {
    let mut reader = Reader::new(OP, options);
    let dim = read_dim(&mut reader, "dim")?;
    let Some(dim) = dim else {
        return Err(reader.refuse("dim", "given: the axis to search along", "nothing"));
    };
    reader.finish()?;
    Ok(dim)
}

/// The shape of the input without the axis.
///
/// # Errors
/// If it has no such axis.
pub fn shape(x: &[usize], dim: i64) -> Result<Vec<usize>> {
    let axis = split(OP, dim, x)?.axis;
    let mut shape = x.to_vec();
    shape.remove(axis);
    if shape.is_empty() {
        shape.push(1);
    }
    Ok(shape)
}

/// The first largest; NaN counts as larger than any number, as in PyTorch.
fn first_largest(values: impl Iterator<Item = f32>) -> usize {
    let mut best = (0, f32::NEG_INFINITY);
    for (i, value) in values.enumerate() {
        if value > best.1 || value.is_nan() && !best.1.is_nan() {
            best = (i, value);
        }
    }
    best.0
}

/// Indices, as numbers.
///
/// # Errors
/// If x has no such axis.
pub fn run(x: &Tensor, dim: i64) -> Result<Tensor> {
    let Split { n, inner, .. } = split(OP, dim, x.shape())?;
    filled(OP, &shape(x.shape(), dim)?, |i| {
        let first = i / inner * n * inner + i % inner;
        first_largest((0..n).map(|j| x.data()[first + j * inner])) as f32
    })
}

/// The values along the axis, among which the largest was looked for.
///
/// # Errors
/// As [`run`], and if `at` lies outside the output.
pub fn explain(x: &Tensor, dim: i64, at: &[usize]) -> Result<Explanation> {
    check_position(OP, &shape(x.shape(), dim)?, at)?;
    let Split { axis, n, .. } = split(OP, dim, x.shape())?;
    let mut place = if x.rank() == 1 {
        Vec::new()
    } else {
        at.to_vec()
    };
    place.insert(axis, 0);
    let terms: Vec<Term> = (0..n)
        .map(|i| {
            place[axis] = i;
            Term::plain("x", &place, x.get(&place).expect("inside the input"))
        })
        .collect();
    Ok(Explanation {
        value: first_largest(terms.iter().map(|term| term.x)) as f32,
        reduce: Reduce::Argmax,
        bias: None,
        terms,
    })
}

/// All values along the axis count.
pub fn field(x: &[usize], dim: i64, field: &Field) -> Result<Field> {
    let Split { axis, n, .. } = split(OP, dim, x)?;
    let mut sets = if x.len() == 1 {
        Vec::new()
    } else {
        field.0.clone()
    };
    sets.insert(axis, vec![true; n]);
    Ok(Field(sets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_largest() -> Result<()> {
        let x = Tensor::new(&[3, 1, 2], vec![1.0, 0.0, 5.0, 0.0, 5.0, f32::NAN])?;
        let y = run(&x, 0)?;
        assert_eq!((y.shape(), y.data()), (&[1, 2][..], &[1.0, 2.0][..]));
        assert_eq!(explain(&x, 0, &[0, 0])?.value, 1.0);
        let row = Tensor::new(&[2], vec![0.0, 1.0])?;
        assert_eq!(
            (run(&row, 0)?.shape(), run(&row, 0)?.data()),
            (&[1][..], &[1.0][..])
        );
        assert_eq!(explain(&row, 0, &[0])?.terms.len(), 2);
        Ok(())
    }
}
