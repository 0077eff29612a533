//! `softmax`: e^x divided by the sum of e^x along an axis (`torch.nn.functional.softmax`): scores become shares of 1.

#[cfg(feature = "gpu")]
pub(super) mod gpu;

use super::common::{Split, read_dim, split};
use super::field::Field;
use super::{Explanation, Reduce, Term, check_position};
use crate::error::Result;
use crate::options::{Options, Reader};
use crate::tensor::Tensor;

const OP: &str = "softmax";

/// Reads the one option `dim`: the axis, negative ones counting from the end. It must be given.
///
/// # Errors
/// If it is missing or impossible, or on another option.
pub fn parse(options: &Options) -> Result<i64> {
    let mut reader = Reader::new(OP, options);
    let dim = read_dim(&mut reader, "dim")?;
    let Some(dim) = dim else {
        return Err(reader.refuse("dim", "given: the axis whose values share the 1", "nothing"));
    };
    reader.finish()?;
    Ok(dim)
}

/// The shape of the input.
///
/// # Errors
/// If it has no such axis.
pub fn shape(x: &[usize], dim: i64) -> Result<Vec<usize>> {
    split(OP, dim, x)?;
    Ok(x.to_vec())
}

/// In place over values `inner` apart. The largest is subtracted first, so that nothing overflows.
fn softmax(values: &mut [f32], Split { n, inner, .. }: Split, first: usize) {
    let at = |i: usize| first + i * inner;
    let largest = (0..n)
        .map(|i| values[at(i)])
        .fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for i in 0..n {
        let e = (values[at(i)] - largest).exp();
        values[at(i)] = e;
        sum += e;
    }
    for i in 0..n {
        values[at(i)] /= sum;
    }
}

/// Shares along the axis.
///
/// # Errors
/// If x has no such axis.
pub fn run(x: &Tensor, dim: i64) -> Result<Tensor> {
    let along = split(OP, dim, x.shape())?;
    let mut out = x.clone();
    for outer in 0..along.outer {
        for inner in 0..along.inner {
            softmax(out.data_mut(), along, outer * along.n * along.inner + inner);
        }
    }
    Ok(out)
}

/// The values along the axis: the one at the same position against all.
///
/// # Errors
/// As [`run`], and if `at` lies outside the output.
pub fn explain(x: &Tensor, dim: i64, at: &[usize]) -> Result<Explanation> {
    check_position(OP, x.shape(), at)?;
    let along = split(OP, dim, x.shape())?;
    let mut place = at.to_vec();
    let terms: Vec<Term> = (0..along.n)
        .map(|i| {
            place[along.axis] = i;
            Term::plain("x", &place, x.get(&place).expect("inside the input"))
        })
        .collect();
    let mut values: Vec<f32> = terms.iter().map(|term| term.x).collect();
    softmax(&mut values, Split { inner: 1, ..along }, 0);
    Ok(Explanation {
        value: values[at[along.axis]],
        reduce: Reduce::Softmax,
        bias: None,
        terms,
    })
}

/// p·(g − Σ p·g) along the axis.
pub fn backward(output: &Tensor, dim: i64, gradient: &Tensor) -> Result<Tensor> {
    let along = split(OP, dim, output.shape())?;
    let mut out = gradient.clone();
    let (p, g) = (output.data(), out.data_mut());
    for outer in 0..along.outer {
        for inner in 0..along.inner {
            let at = |i: usize| (outer * along.n + i) * along.inner + inner;
            let sum: f32 = (0..along.n).map(|i| p[at(i)] * g[at(i)]).sum();
            (0..along.n).for_each(|i| g[at(i)] = p[at(i)] * (g[at(i)] - sum));
        }
    }
    Ok(out)
}

/// All values along the axis count.
pub fn field(x: &[usize], dim: i64, field: &Field) -> Result<Field> {
    let Split { axis, n, .. } = split(OP, dim, x)?;
    Ok(field.with(axis, vec![true; n]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_sum_to_one() -> Result<()> {
        let x = Tensor::new(&[2, 1, 2], vec![0.0, 1000.0, 0.0, 999.0])?;
        let y = run(&x, 0)?;
        assert_eq!(y.data()[0], 0.5);
        assert!(
            (y.data()[1] - 0.731_058_6).abs() < 1e-6
                && (y.data()[1] + y.data()[3] - 1.0).abs() < 1e-6
        );
        let one = explain(&x, -3, &[0, 0, 1])?;
        assert_eq!(
            (one.value, one.terms.len(), one.reduce),
            (y.data()[1], 2, Reduce::Softmax)
        );
        let message = parse(&Options::new()).unwrap_err().to_string();
        assert_eq!(
            message,
            "softmax: dim must be given: the axis whose values share the 1; got nothing"
        );
        Ok(())
    }
}
