//! `leaky_relu`: x where it is positive, slope·x elsewhere (`torch.nn.functional.leaky_relu`). Any shape.

use super::common::copied;
use super::{Explanation, Term, check_position};
use crate::error::Result;
use crate::options::{Options, Reader};
use crate::tensor::Tensor;

const OP: &str = "leaky_relu";

/// Reads the one option `negativeSlope` (0.01).
///
/// # Errors
/// On another option or a slope that is no number.
pub fn parse(options: &Options) -> Result<f32> {
    let mut reader = Reader::new(OP, options);
    let slope = reader.number("negativeSlope", -1e6, 1e6)?.unwrap_or(0.01);
    reader.finish()?;
    Ok(slope as f32)
}

fn factor(x: f32, slope: f32) -> f32 {
    if x > 0.0 { 1.0 } else { slope }
}

/// The function of every value.
pub fn run(x: &Tensor, slope: f32) -> Tensor {
    let mut out = x.clone();
    out.data_mut()
        .iter_mut()
        .for_each(|value| *value *= factor(*value, slope));
    out
}

/// One product: the input with 1 or with the slope.
///
/// # Errors
/// If `at` lies outside the output.
pub fn explain(x: &Tensor, slope: f32, at: &[usize]) -> Result<Explanation> {
    check_position(OP, x.shape(), at)?;
    let value = x.get(at).expect("the position was checked");
    Ok(copied(Term::weighted("x", at, value, factor(value, slope))))
}

/// The output's gradient times 1 or the slope.
pub fn backward(x: &Tensor, slope: f32, gradient: &Tensor) -> Tensor {
    let mut out = gradient.clone();
    let both = out.data_mut().iter_mut().zip(x.data());
    both.for_each(|(g, x)| *g *= factor(*x, slope));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaks() -> Result<()> {
        let x = Tensor::new(&[3], vec![-2.0, 0.0, 3.0])?;
        let slope = parse(&[("negativeSlope".to_string(), 0.5.into())].into())?;
        assert_eq!(run(&x, slope).data(), [-1.0, 0.0, 3.0]);
        assert_eq!(explain(&x, slope, &[0])?.terms[0].product, Some(-1.0));
        assert_eq!(backward(&x, slope, &x).data(), [-1.0, 0.0, 3.0]);
        assert_eq!(parse(&Options::new())?, 0.01);
        Ok(())
    }
}
