//! `add`: x + other, value by value (`torch.add`). Shapes are aligned at their last axes; where one has a single value
//! along an axis, or no such axis, it is repeated ("broadcasting").

#[cfg(feature = "gpu")]
pub(super) mod gpu;

use super::common::{shapes, take, wrong_shape};
use super::field::Field;
use super::flatten::unravel;
use super::{Explanation, Reduce, Term, check_position};
use crate::error::{Result, tuple};
use crate::options::{Options, Reader};
use crate::tensor::Tensor;

const OP: &str = "add";

/// Reads the options: there are none.
///
/// # Errors
/// On any option.
pub fn parse(options: &Options) -> Result<()> {
    Reader::new(OP, options).finish()
}

/// In a graph the second input may be a map or a parameter; the slot that is not used is empty.
fn pair<'a, T: ?Sized>(inputs: &[Option<&'a T>]) -> Result<[&'a T; 2]> {
    let inputs = match inputs {
        [x, other @ Some(_), None] => &[*x, *other],
        all => all,
    };
    let both: [_; 2] = take(OP, "x and other", inputs, 2)?;
    Ok(both.map(|x| x.expect("a required input")))
}

/// The common shape of both inputs.
///
/// # Errors
/// If an axis has different sizes, none of them 1.
pub fn shape(inputs: &[Option<&[usize]>]) -> Result<Vec<usize>> {
    let [x, other] = pair(inputs)?;
    let rank = x.len().max(other.len());
    let size = |shape: &[usize], axis: usize| {
        let missing = rank - shape.len();
        if axis < missing {
            1
        } else {
            shape[axis - missing]
        }
    };
    let axis = |axis: usize| match (size(x, axis), size(other, axis)) {
        (a, b) if a == b || b == 1 => Some(a),
        (1, b) => Some(b),
        _ => None,
    };
    (0..rank).map(axis).collect::<Option<_>>().ok_or_else(|| {
        let expected = format!("{} as x has, or 1 along an axis", tuple(x));
        wrong_shape(OP, "other", expected, other)
    })
}

/// Where a position of the sum comes from in an input of this shape.
fn origin(at: &[usize], shape: &[usize]) -> Vec<usize> {
    let at = &at[at.len() - shape.len()..];
    let repeated = |(&i, &n): (&usize, &usize)| if n == 1 { 0 } else { i };
    at.iter().zip(shape).map(repeated).collect()
}

fn index(at: &[usize], shape: &[usize]) -> usize {
    let place = origin(at, shape);
    place
        .iter()
        .zip(shape)
        .fold(0, |index, (i, n)| index * n + i)
}

/// x + other.
///
/// # Errors
/// If the shapes do not fit together, or the output does not fit into memory.
pub fn run(inputs: &[Option<&Tensor>]) -> Result<Tensor> {
    let shape = shape(&shapes(inputs))?;
    let [x, other] = pair(inputs)?;
    if x.shape() == other.shape() {
        let mut out = x.clone();
        let both = out.data_mut().iter_mut().zip(other.data());
        both.for_each(|(sum, value)| *sum += value);
        return Ok(out);
    }
    let mut out = super::zeros(OP, "the output", &shape)?;
    let width = shape[shape.len() - 1];
    for (i, row) in out.chunks_exact_mut(width).enumerate() {
        let mut at = unravel(i, &shape[..shape.len() - 1]);
        at.push(0);
        let [a, b] = [x, other].map(|t| {
            let step = usize::from(t.shape()[t.rank() - 1] != 1);
            (&t.data()[index(&at, t.shape())..], step)
        });
        for (j, sum) in row.iter_mut().enumerate() {
            *sum = a.0[j * a.1] + b.0[j * b.1];
        }
    }
    Tensor::new(&shape, out)
}

/// The two summands.
///
/// # Errors
/// As [`run`], and if `at` lies outside the output.
pub fn explain(inputs: &[Option<&Tensor>], at: &[usize]) -> Result<Explanation> {
    check_position(OP, &shape(&shapes(inputs))?, at)?;
    let term = |name: &'static str, t: &Tensor| {
        let place = origin(at, t.shape());
        Term::plain(
            name,
            &place,
            t.get(&place).expect("the position was checked"),
        )
    };
    let [x, other] = pair(inputs)?;
    let terms = vec![term("x", x), term("other", other)];
    Ok(Explanation {
        value: terms[0].x + terms[1].x,
        reduce: Reduce::Sum,
        bias: None,
        terms,
    })
}

/// The output's gradient, added up where an input was repeated.
pub fn backward(inputs: &[Option<&Tensor>], gradient: &Tensor) -> Result<Vec<Option<Tensor>>> {
    let part = |t: &Tensor| {
        if t.shape() == gradient.shape() {
            return Ok(Some(gradient.clone()));
        }
        let mut out = super::zeros(OP, "the gradient", t.shape())?;
        for (i, g) in gradient
            .data()
            .iter()
            .enumerate()
            .filter(|(_, g)| **g != 0.0)
        {
            out[index(&unravel(i, gradient.shape()), t.shape())] += g;
        }
        Tensor::new(t.shape(), out).map(Some)
    };
    pair(inputs)?.into_iter().map(part).collect()
}

/// The same positions, those of repeated axes once.
pub fn field(inputs: &[Option<&[usize]>], field: &Field) -> Result<Vec<Option<Field>>> {
    let part = |shape: &[usize]| {
        let axes = &field.0[field.0.len() - shape.len()..];
        let read = |(axis, &n): (&Vec<bool>, &usize)| match n {
            1 => vec![axis.contains(&true)],
            _ => axis.clone(),
        };
        Some(Field(axes.iter().zip(shape).map(read).collect()))
    };
    Ok(pair(inputs)?.into_iter().map(part).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_and_refuses() -> Result<()> {
        let x = Tensor::new(&[2], vec![1.0, 2.0])?;
        let y = Tensor::new(&[2], vec![0.5, -2.0])?;
        assert_eq!(run(&[Some(&x), Some(&y)])?.data(), [1.5, 0.0]);
        assert_eq!(explain(&[Some(&x), Some(&y)], &[0])?.value, 1.5);
        let long = Tensor::new(&[3], vec![0.0; 3])?;
        let message = run(&[Some(&x), Some(&long)]).unwrap_err().to_string();
        assert_eq!(
            message,
            "add: other must have shape (2) as x has, or 1 along an axis; got (3)"
        );
        let message = run(&[Some(&x)]).unwrap_err().to_string();
        assert_eq!(message, "add: takes the inputs x and other; got 1 of them");
        Ok(())
    }

    #[test]
    fn repeats_single_values() -> Result<()> {
        let x = Tensor::new(&[2, 1, 2], vec![1.0, 2.0, 3.0, 4.0])?;
        let column = Tensor::new(&[2, 1], vec![10.0, 20.0])?;
        let inputs = [Some(&x), Some(&column)];
        let y = run(&inputs)?;
        assert_eq!(y.shape(), [2, 2, 2]);
        assert_eq!(y.data(), [11.0, 12.0, 21.0, 22.0, 13.0, 14.0, 23.0, 24.0]);
        assert_eq!(explain(&inputs, &[1, 0, 1])?.value, 14.0);
        let gradient = backward(&inputs, &Tensor::new(&[2, 2, 2], vec![1.0; 8])?)?;
        assert_eq!(gradient[0].as_ref().map(Tensor::data), Some(&[2.0; 4][..]));
        assert_eq!(gradient[1].as_ref().map(Tensor::data), Some(&[4.0; 2][..]));
        let read = field(
            &[Some(&[2, 1, 2]), Some(&[2, 1])],
            &Field::at(&[2, 2, 2], &[1, 0, 1]),
        )?;
        assert_eq!(read[0], Some(Field::at(&[2, 1, 2], &[1, 0, 1])));
        assert_eq!(read[1], Some(Field::at(&[2, 1], &[0, 0])));
        Ok(())
    }
}
