//! `relu`: max(x, 0), value by value (`torch.nn.functional.relu`). Any shape; NaN stays NaN, −0 becomes 0.

mod cpu;

use super::{Explanation, Reduce, Term, check_position, only};
use crate::error::Result;
use crate::options::{Options, Reader};
use crate::tensor::Tensor;

const OP: &str = "relu";

/// Reads the options: there are none.
///
/// # Errors
/// On any option.
pub fn parse(options: &Options) -> Result<()> {
    Reader::new(OP, options).finish()
}

/// The one input.
///
/// # Errors
/// If there is another number of them.
pub fn input<'a>(inputs: &[Option<&'a Tensor>]) -> Result<&'a Tensor> {
    only(OP, inputs)
}

/// max(x, 0) of every value.
pub fn run(x: &Tensor) -> Tensor {
    let mut out = x.clone();
    in_place(&mut out);
    out
}

/// [`run`] over the input's own memory.
pub fn in_place(x: &mut Tensor) {
    cpu::relu(x.data_mut());
}

/// The larger of two terms: the input at the same position, and zero.
///
/// # Errors
/// If `at` lies outside the output.
pub fn explain(x: &Tensor, at: &[usize]) -> Result<Explanation> {
    check_position(OP, x.shape(), at)?;
    let value = x.get(at).expect("the position was checked");
    let keeps = value > 0.0 || value.is_nan();
    let mut terms = vec![Term::plain("x", at, value), Term::plain("zero", &[], 0.0)];
    terms[usize::from(!keeps)].won = true;
    Ok(Explanation {
        value: if keeps { value } else { 0.0 },
        reduce: Reduce::Max,
        bias: None,
        terms,
    })
}

/// The output's gradient where x is positive.
pub fn backward(x: &Tensor, gradient: &Tensor) -> Tensor {
    let mut out = gradient.clone();
    for (g, x) in out.data_mut().iter_mut().zip(x.data()) {
        if *x <= 0.0 {
            *g = 0.0;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_positive_and_nan() -> Result<()> {
        let x = Tensor::new(&[6], vec![-1.0, -0.0, 0.0, 2.5, f32::INFINITY, f32::NAN])?;
        let y = run(&x);
        assert_eq!(
            y.data()[..5]
                .iter()
                .map(|v| v.to_bits())
                .collect::<Vec<_>>(),
            { [0.0, 0.0, 0.0, 2.5, f32::INFINITY].map(f32::to_bits) }
        );
        assert!(y.data()[5].is_nan());
        for i in 0..6 {
            assert_eq!(explain(&x, &[i])?.value.to_bits(), y.data()[i].to_bits());
        }
        Ok(())
    }

    #[test]
    fn refuses_in_words() {
        let x = Tensor::new(&[2], vec![0.0; 2]).unwrap();
        assert_eq!(
            input(&[]).unwrap_err().to_string(),
            "relu: takes the inputs x; got 0 of them"
        );
        assert_eq!(
            explain(&x, &[2]).unwrap_err().to_string(),
            "relu: the position (2) lies outside the output of shape (2)"
        );
        let options = [("alpha".to_string(), 1.0.into())].into();
        assert_eq!(
            parse(&options).unwrap_err().to_string(),
            "relu: unknown option \"alpha\"; it takes no options"
        );
    }
}
