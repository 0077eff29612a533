//! `concat`: tensors one after the other along an axis (`torch.cat`). All other sizes are equal. In a U-Net it joins the
//! upsampled maps with those that the skip connection brings.

#[cfg(feature = "gpu")]
pub(super) mod gpu;

use super::common::{Split, copied, read_dim, shapes, split, wrong_shape};
use super::field::Field;
use super::{Explanation, Term, check_position};
use crate::error::{Error, Result, tuple};
use crate::options::{Options, Reader};
use crate::tensor::Tensor;

const OP: &str = "concat";

/// Reads the one option `dim` (0): the axis, negative ones counting from the end.
///
/// # Errors
/// On another option or an impossible axis.
pub fn parse(options: &Options) -> Result<i64> {
    let mut reader = Reader::new(OP, options);
    let dim = read_dim(&mut reader, "dim")?.unwrap_or(0);
    reader.finish()?;
    Ok(dim)
}

fn all<'a, T: ?Sized>(inputs: &[Option<&'a T>]) -> Result<Vec<&'a T>> {
    let list: Option<Vec<&T>> = inputs.iter().copied().collect();
    list.filter(|list| !list.is_empty()).ok_or(Error::Inputs {
        op: OP.into(),
        expected: "x0, x1, … (at least one)",
        got: inputs.iter().flatten().count(),
    })
}

/// The inputs' shape, their sizes along the axis added up.
///
/// # Errors
/// If another size differs.
pub fn shape(inputs: &[Option<&[usize]>], dim: i64) -> Result<Vec<usize>> {
    let list = all(inputs)?;
    let axis = split(OP, dim, list[0])?.axis;
    let mut shape = list[0].to_vec();
    for (i, other) in list.iter().enumerate().skip(1) {
        let fits = |(j, n): (usize, &usize)| j == axis || *n == list[0][j];
        if other.len() != shape.len() || !other.iter().enumerate().all(fits) {
            let expected = format!("{} as x0 has, apart from dimension {axis}", tuple(list[0]));
            return Err(wrong_shape(OP, &format!("x{i}"), expected, other));
        }
        shape[axis] += other[axis];
    }
    Ok(shape)
}

/// The inputs one after the other.
///
/// # Errors
/// If they do not fit together, or the output does not fit into memory.
pub fn run(inputs: &[Option<&Tensor>], dim: i64) -> Result<Tensor> {
    let shape = shape(&shapes(inputs), dim)?;
    let whole = split(OP, dim, &shape)?;
    let mut out = super::zeros(OP, "the output", &shape)?;
    let mut start = 0;
    for x in all(inputs)? {
        let block = whole.inner * x.shape()[whole.axis];
        for (i, from) in x.data().chunks_exact(block).enumerate() {
            out[i * whole.n * whole.inner + start..][..block].copy_from_slice(from);
        }
        start += block;
    }
    Tensor::new(&shape, out)
}

/// The input that an index along the axis comes from, and the index there.
fn origin(inputs: &[&[usize]], axis: usize, mut index: usize) -> (usize, usize) {
    for (i, shape) in inputs.iter().enumerate() {
        if index < shape[axis] {
            return (i, index);
        }
        index -= shape[axis];
    }
    unreachable!("the index was checked against the sum of the sizes")
}

/// Where the value comes from: one term of one input, x0, x1, ….
///
/// # Errors
/// As [`run`], and if `at` lies outside the output.
pub fn explain(inputs: &[Option<&Tensor>], dim: i64, at: &[usize]) -> Result<Explanation> {
    let shapes = shapes(inputs);
    let shape = shape(&shapes, dim)?;
    check_position(OP, &shape, at)?;
    let axis = split(OP, dim, &shape)?.axis;
    let (i, index) = origin(&all(&shapes)?, axis, at[axis]);
    let mut from = at.to_vec();
    from[axis] = index;
    let x = all(inputs)?[i].get(&from).expect("inside the input");
    Ok(copied(Term::plain(format!("x{i}"), &from, x)))
}

/// The parts of the output's gradient that belong to each input.
pub fn backward(inputs: &[Option<&Tensor>], dim: i64, gradient: &Tensor) -> Result<Vec<Tensor>> {
    let Split { axis, inner, n, .. } = split(OP, dim, gradient.shape())?;
    let mut start = 0;
    let mut parts = Vec::new();
    for x in all(inputs)? {
        let block = inner * x.shape()[axis];
        let rows = gradient.data().chunks_exact(n * inner);
        let data = rows
            .flat_map(|row| &row[start..start + block])
            .copied()
            .collect();
        parts.push(Tensor::new(x.shape(), data)?);
        start += block;
    }
    Ok(parts)
}

/// The parts of the field that belong to each input.
pub fn field(inputs: &[Option<&[usize]>], dim: i64, field: &Field) -> Result<Vec<Field>> {
    let axis = split(OP, dim, &shape(inputs, dim)?)?.axis;
    let mut start = 0;
    let mut parts = Vec::new();
    for x in all(inputs)? {
        let set = field.0[axis][start..start + x[axis]].to_vec();
        parts.push(field.with(axis, set));
        start += x[axis];
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_along_any_axis() -> Result<()> {
        let a = Tensor::new(&[1, 1, 2], vec![1.0, 2.0])?;
        let b = Tensor::new(&[2, 1, 2], vec![3.0, 4.0, 5.0, 6.0])?;
        let inputs = [Some(&a), Some(&b)];
        let y = run(&inputs, -3)?;
        assert_eq!(
            (y.shape(), y.data()),
            (&[3, 1, 2][..], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0][..])
        );
        let one = explain(&inputs, 0, &[2, 0, 1])?;
        assert_eq!(
            (one.value, &*one.terms[0].input, &one.terms[0].at[..]),
            (6.0, "x1", &[1, 0, 1][..])
        );
        let wide = run(&[Some(&a), Some(&a)], 2)?;
        assert_eq!(
            (wide.shape(), wide.data()),
            (&[1, 1, 4][..], &[1.0, 2.0, 1.0, 2.0][..])
        );
        let parts = backward(
            &[Some(&a), Some(&a)],
            2,
            &Tensor::new(&[1, 1, 4], vec![1.0, 2.0, 3.0, 4.0])?,
        )?;
        assert_eq!(parts[1].data(), [3.0, 4.0]);
        Ok(())
    }

    #[test]
    fn refuses_in_words() {
        let a = Tensor::new(&[1, 1, 2], vec![1.0, 2.0]).unwrap();
        let b = Tensor::new(&[1, 2, 2], vec![0.0; 4]).unwrap();
        let message = run(&[Some(&a), Some(&b)], 0).unwrap_err().to_string();
        assert_eq!(
            message,
            "concat: x1 must have shape (1, 1, 2) as x0 has, apart from dimension 0; got (1, 2, 2)"
        );
        let message = run(&[Some(&a)], 3).unwrap_err().to_string();
        assert_eq!(
            message,
            "concat: dim must be from -3 to 2 for 3 dimensions; got 3"
        );
        assert!(run(&[], 0).is_err() && run(&[Some(&a), None], 0).is_err());
    }
}
