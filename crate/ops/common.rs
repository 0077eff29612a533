//! What several operators share: sorting inputs, axes counted from either end, and one-term explanations.

use super::{Explanation, Reduce, Term};
use crate::error::{Error, Result};
use crate::options::{Reader, Value};
use crate::tensor::Tensor;

/// The inputs of an operator in their order, the first `required` of which must be there.
pub fn take<'a, T: ?Sized, const N: usize>(
    op: &str,
    expected: &'static str,
    inputs: &[Option<&'a T>],
    required: usize,
) -> Result<[Option<&'a T>; N]> {
    if inputs.len() > N || (0..required).any(|i| inputs.get(i).is_none_or(Option::is_none)) {
        return Err(Error::Inputs {
            op: op.into(),
            expected,
            got: inputs.iter().flatten().count(),
        });
    }
    Ok(std::array::from_fn(|i| inputs.get(i).copied().flatten()))
}

/// The one input of an operator.
pub fn only<'a, T: ?Sized>(op: &str, inputs: &[Option<&'a T>]) -> Result<&'a T> {
    let [x] = take(op, "x", inputs, 1)?;
    Ok(x.expect("a required input"))
}

/// The shapes of tensors.
pub fn shapes<'a>(inputs: &[Option<&'a Tensor>]) -> Vec<Option<&'a [usize]>> {
    inputs.iter().map(|x| x.map(Tensor::shape)).collect()
}

/// The complaint about a tensor's shape.
pub fn wrong_shape(op: &str, input: &str, expected: impl Into<String>, got: &[usize]) -> Error {
    Error::Shape {
        op: op.into(),
        input: input.into(),
        expected: expected.into(),
        got: got.to_vec(),
    }
}

/// A shape seen from one of its axes: `outer` blocks of `n` rows of `inner` values.
#[derive(Clone, Copy, Debug)]
pub struct Split {
    /// The axis, from 0.
    pub axis: usize,
    /// Product of the sizes before the axis.
    pub outer: usize,
    /// Size of the axis.
    pub n: usize,
    /// Product of the sizes after the axis.
    pub inner: usize,
}

/// Looks at a shape from axis `dim`; negative ones count from the end, as in PyTorch.
pub fn split(op: &str, dim: i64, shape: &[usize]) -> Result<Split> {
    let rank = shape.len() as i64;
    if !(-rank..rank).contains(&dim) {
        return Err(Error::Option {
            op: op.into(),
            name: "dim".into(),
            expected: format!("from {} to {} for {rank} dimensions", -rank, rank - 1),
            got: dim.to_string(),
        });
    }
    let axis = dim.rem_euclid(rank) as usize;
    Ok(Split {
        axis,
        outer: shape[..axis].iter().product(),
        n: shape[axis],
        inner: shape[axis + 1..].iter().product(),
    })
}

/// Reads an axis: a whole number, negative ones counting from the end.
pub fn read_dim(reader: &mut Reader<'_>, name: &'static str) -> Result<Option<i64>> {
    match reader.value(name) {
        None => Ok(None),
        Some(Value::Number(n)) if n.fract() == 0.0 && (-4.0..4.0).contains(n) => {
            Ok(Some(*n as i64))
        }
        Some(other) => Err(reader.refuse(name, "a whole number from -4 to 3", other)),
    }
}

/// One term that is taken over as it is.
pub fn copied(term: Term) -> Explanation {
    Explanation {
        value: term.product.unwrap_or(term.x),
        reduce: Reduce::Sum,
        bias: None,
        terms: vec![term],
    }
}

/// A new tensor of this shape from `f` of each index, for shapes that are known to be possible.
pub fn filled(op: &str, shape: &[usize], f: impl FnMut(usize) -> f32) -> Result<Tensor> {
    let mut out = super::zeros(op, "the output", shape)?;
    let values = (0..out.len()).map(f);
    out.iter_mut()
        .zip(values)
        .for_each(|(slot, value)| *slot = value);
    Tensor::new(shape, out)
}
