//! `permute`: the axes in another order (`torch.permute`).

#[cfg(feature = "gpu")]
pub(super) mod gpu;

use super::common::{copied, filled};
use super::field::Field;
use super::flatten::unravel;
use super::{Explanation, Term, check_position};
use crate::error::{Error, Result, tuple};
use crate::options::{Options, Reader, Value, whole};
use crate::tensor::Tensor;

const OP: &str = "permute";

/// Reads the one option `dims`: for every axis of the output, which axis of the input it is.
///
/// # Errors
/// If it is missing or does not name every axis once, or on another option.
pub fn parse(options: &Options) -> Result<Vec<usize>> {
    let mut reader = Reader::new(OP, options);
    let given = reader.value("dims");
    let dims: Option<Vec<usize>> = match given {
        Some(Value::List(list)) => list.iter().map(|axis| whole(axis, 0)).collect(),
        _ => None,
    };
    let all = |dims: &Vec<usize>| {
        (1..=4).contains(&dims.len()) && (0..dims.len()).all(|axis| dims.contains(&axis))
    };
    let Some(dims) = dims.filter(all) else {
        let got = given.map_or("nothing".to_string(), Value::to_string);
        return Err(reader.refuse("dims", "a list that names every axis once, from 0", got));
    };
    reader.finish()?;
    Ok(dims)
}

/// The sizes in their new order.
///
/// # Errors
/// If x has another number of axes.
pub fn shape(x: &[usize], dims: &[usize]) -> Result<Vec<usize>> {
    if x.len() != dims.len() {
        return Err(Error::Other {
            op: OP.into(),
            problem: format!(
                "dims names {} axes; x has the shape {}",
                dims.len(),
                tuple(x)
            ),
        });
    }
    Ok(dims.iter().map(|&axis| x[axis]).collect())
}

/// Where a position of the output lies in x.
fn origin(at: &[usize], dims: &[usize]) -> Vec<usize> {
    let mut from = vec![0; at.len()];
    dims.iter().zip(at).for_each(|(&axis, &i)| from[axis] = i);
    from
}

fn index(at: &[usize], shape: &[usize]) -> usize {
    at.iter().zip(shape).fold(0, |index, (i, n)| index * n + i)
}

/// The values in their new places.
///
/// # Errors
/// As [`shape`], and if the output does not fit into memory.
pub fn run(x: &Tensor, dims: &[usize]) -> Result<Tensor> {
    let shape = shape(x.shape(), dims)?;
    filled(OP, &shape, |i| {
        x.data()[index(&origin(&unravel(i, &shape), dims), x.shape())]
    })
}

/// The one value that was moved.
///
/// # Errors
/// As [`run`], and if `at` lies outside the output.
pub fn explain(x: &Tensor, dims: &[usize], at: &[usize]) -> Result<Explanation> {
    check_position(OP, &shape(x.shape(), dims)?, at)?;
    let from = origin(at, dims);
    let value = x.data()[index(&from, x.shape())];
    Ok(copied(Term::plain("x", &from, value)))
}

/// The gradient with its axes put back.
pub fn backward(dims: &[usize], gradient: &Tensor) -> Result<Tensor> {
    let mut back = vec![0; dims.len()];
    dims.iter()
        .enumerate()
        .for_each(|(i, &axis)| back[axis] = i);
    run(gradient, &back)
}

/// The same positions.
pub fn field(dims: &[usize], field: &Field) -> Field {
    let mut read = field.clone();
    for (set, &axis) in field.0.iter().zip(dims) {
        read.0[axis] = set.clone();
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_axes() -> Result<()> {
        let x = Tensor::from_fn(&[2, 3, 4], |i| i as f32)?;
        let y = run(&x, &[2, 0, 1])?;
        assert_eq!(
            (y.shape(), y.get(&[3, 1, 2])),
            (&[4, 2, 3][..], x.get(&[1, 2, 3]))
        );
        assert_eq!(explain(&x, &[2, 0, 1], &[3, 1, 2])?.terms[0].at, [1, 2, 3]);
        assert_eq!(backward(&[2, 0, 1], &y)?, x);
        let read = field(&[2, 0, 1], &Field::at(&[4, 2, 3], &[3, 1, 2]));
        assert_eq!(read, Field::at(&[2, 3, 4], &[1, 2, 3]));
        Ok(())
    }

    #[test]
    fn refuses_in_words() {
        let options = [("dims".to_string(), [0usize, 0].into())].into();
        assert_eq!(
            parse(&options).unwrap_err().to_string(),
            "permute: dims must be a list that names every axis once, from 0; got [0, 0]"
        );
        assert_eq!(
            shape(&[2, 3], &[0, 2, 1]).unwrap_err().to_string(),
            "permute: dims names 3 axes; x has the shape (2, 3)"
        );
    }
}
