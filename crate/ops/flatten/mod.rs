//! `flatten`: several axes become one (`torch.flatten`). The values stay in order.

use super::common::{copied, read_dim, split};
use super::field::Field;
use super::{Explanation, Term, check_position};
use crate::error::{Error, Result};
use crate::options::{Options, Reader};
use crate::tensor::Tensor;

const OP: &str = "flatten";

/// The options: `startDim` (0) and `endDim` (−1), the first and the last axis that become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The first axis.
    pub start: i64,
    /// The last axis.
    pub end: i64,
}

impl Settings {
    /// Reads the options.
    ///
    /// # Errors
    /// On impossible axes and unknown names.
    pub fn parse(options: &Options) -> Result<Settings> {
        let mut reader = Reader::new(OP, options);
        let start = read_dim(&mut reader, "startDim")?.unwrap_or(0);
        let end = read_dim(&mut reader, "endDim")?.unwrap_or(-1);
        reader.finish()?;
        Ok(Settings { start, end })
    }
}

/// The shape with the axes from start to end multiplied into one.
///
/// # Errors
/// If x has no such axes, or they come in the wrong order.
pub fn shape(x: &[usize], settings: Settings) -> Result<Vec<usize>> {
    let [start, end] = axes(x, settings)?;
    let merged = x[start..=end].iter().product();
    Ok([&x[..start], &[merged], &x[end + 1..]].concat())
}

fn axes(x: &[usize], settings: Settings) -> Result<[usize; 2]> {
    let start = split(OP, settings.start, x)?.axis;
    let end = split(OP, settings.end, x)?.axis;
    if start > end {
        let problem = format!("startDim must not come after endDim; got {start} and {end}");
        return Err(Error::Other {
            op: OP.into(),
            problem,
        });
    }
    Ok([start, end])
}

/// The same values under the new shape.
///
/// # Errors
/// As [`shape`].
pub fn run(x: &Tensor, settings: Settings) -> Result<Tensor> {
    Tensor::new(&shape(x.shape(), settings)?, x.data().to_vec())
}

/// A position of a row-major index.
pub(super) fn unravel(mut index: usize, shape: &[usize]) -> Vec<usize> {
    let mut at = vec![0; shape.len()];
    for (place, n) in at.iter_mut().zip(shape).rev() {
        (*place, index) = (index % n, index / n);
    }
    at
}

/// The one value that was moved.
///
/// # Errors
/// As [`run`], and if `at` lies outside the output.
pub fn explain(x: &Tensor, settings: Settings, at: &[usize]) -> Result<Explanation> {
    let shape = shape(x.shape(), settings)?;
    check_position(OP, &shape, at)?;
    let index = at.iter().zip(&shape).fold(0, |index, (i, n)| index * n + i);
    let from = unravel(index, x.shape());
    Ok(copied(Term::plain("x", &from, x.data()[index])))
}

/// The gradient under the input's shape.
pub fn backward(x: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    Tensor::new(x.shape(), gradient.data().to_vec())
}

/// The box around the values.
pub fn field(x: &[usize], settings: Settings, field: &Field) -> Result<Field> {
    let [start, end] = axes(x, settings)?;
    let mut merged = Field::none(&x[start..=end]);
    for index in field.indices(start) {
        for (axis, i) in unravel(index, &x[start..=end]).into_iter().enumerate() {
            merged.0[axis][i] = true;
        }
    }
    Ok(Field(
        [&field.0[..start], &merged.0[..], &field.0[start + 1..]].concat(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order() -> Result<()> {
        let x = Tensor::from_fn(&[2, 3, 4], |i| i as f32)?;
        let settings = Settings { start: -3, end: -1 };
        assert_eq!(run(&x, settings)?.shape(), [24]);
        let one = explain(&x, settings, &[17])?;
        assert_eq!((one.value, &one.terms[0].at[..]), (17.0, &[1, 1, 1][..]));
        assert_eq!(shape(&[2, 3, 4], Settings { start: 1, end: 2 })?, [2, 12]);
        assert!(shape(&[2, 3, 4], Settings { start: 2, end: 1 }).is_err());
        Ok(())
    }
}
