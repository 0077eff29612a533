//! `sigmoid`: 1 / (1 + e^−x), value by value (`torch.sigmoid`). Any shape.

use super::{Explanation, Reduce, Term, check_position};
use crate::error::Result;
use crate::options::{Options, Reader};
use crate::tensor::Tensor;

const OP: &str = "sigmoid";

/// Reads the options: there are none.
///
/// # Errors
/// On any option.
pub fn parse(options: &Options) -> Result<()> {
    Reader::new(OP, options).finish()
}

/// 1 / (1 + e^−x) without overflow on either side.
fn sigmoid(x: f32) -> f32 {
    let e = (-x.abs()).exp();
    if x >= 0.0 {
        1.0 / (1.0 + e)
    } else {
        e / (1.0 + e)
    }
}

/// The sigmoid of every value.
pub fn run(x: &Tensor) -> Tensor {
    let mut out = x.clone();
    out.data_mut()
        .iter_mut()
        .for_each(|value| *value = sigmoid(*value));
    out
}

/// The one value that it is a function of.
///
/// # Errors
/// If `at` lies outside the output.
pub fn explain(x: &Tensor, at: &[usize]) -> Result<Explanation> {
    check_position(OP, x.shape(), at)?;
    let value = x.get(at).expect("the position was checked");
    Ok(Explanation {
        value: sigmoid(value),
        reduce: Reduce::Sigmoid,
        bias: None,
        terms: vec![Term::plain("x", at, value)],
    })
}

/// y·(1 − y) times the output's gradient.
pub fn backward(output: &Tensor, gradient: &Tensor) -> Tensor {
    let mut out = gradient.clone();
    let both = out.data_mut().iter_mut().zip(output.data());
    both.for_each(|(g, y)| *g *= y * (1.0 - y));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_its_known_values() -> Result<()> {
        let x = Tensor::new(&[4], vec![0.0, 100.0, -100.0, 2.0])?;
        let y = run(&x);
        assert_eq!(y.data()[..2], [0.5, 1.0]);
        assert!(y.data()[2] > 0.0 && y.data()[2] < 1e-40);
        assert!((y.data()[3] - 0.880_797).abs() < 1e-6);
        assert_eq!(explain(&x, &[3])?.value, y.data()[3]);
        assert_eq!(
            backward(&y, &Tensor::new(&[4], vec![1.0; 4])?).data()[0],
            0.25
        );
        Ok(())
    }
}
