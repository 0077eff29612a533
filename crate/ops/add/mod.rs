//! `add`: x + other, value by value (`torch.add`). Both have the same shape.

use super::common::{shapes, take, wrong_shape};
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

fn pair<'a, T: ?Sized>(inputs: &[Option<&'a T>]) -> Result<[&'a T; 2]> {
    let both: [_; 2] = take(OP, "x and other", inputs, 2)?;
    Ok(both.map(|x| x.expect("a required input")))
}

/// The shape of both inputs.
///
/// # Errors
/// If they differ.
pub fn shape(inputs: &[Option<&[usize]>]) -> Result<Vec<usize>> {
    let [x, other] = pair(inputs)?;
    if x != other {
        return Err(wrong_shape(
            OP,
            "other",
            format!("{} as x has", tuple(x)),
            other,
        ));
    }
    Ok(x.to_vec())
}

/// x + other.
///
/// # Errors
/// If the shapes differ.
pub fn run(inputs: &[Option<&Tensor>]) -> Result<Tensor> {
    shape(&shapes(inputs))?;
    let [x, other] = pair(inputs)?;
    let mut out = x.clone();
    let both = out.data_mut().iter_mut().zip(other.data());
    both.for_each(|(sum, value)| *sum += value);
    Ok(out)
}

/// The two summands.
///
/// # Errors
/// As [`run`], and if `at` lies outside the output.
pub fn explain(inputs: &[Option<&Tensor>], at: &[usize]) -> Result<Explanation> {
    check_position(OP, &shape(&shapes(inputs))?, at)?;
    let [x, other] = pair(inputs)?.map(|x| x.get(at).expect("the position was checked"));
    Ok(Explanation {
        value: x + other,
        reduce: Reduce::Sum,
        bias: None,
        terms: vec![Term::plain("x", at, x), Term::plain("other", at, other)],
    })
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
        assert_eq!(message, "add: other must have shape (2) as x has; got (3)");
        let message = run(&[Some(&x)]).unwrap_err().to_string();
        assert_eq!(message, "add: takes the inputs x and other; got 1 of them");
        Ok(())
    }
}
