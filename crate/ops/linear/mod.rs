//! `linear`: every output is a weighted sum of all inputs (`torch.nn.functional.linear`).
//!
//! For x of shape (…, in), weights (out, in) and bias (out): `y[…, o] = Σ_i x[…, i] · w[o, i] + b[o]`, summed in the order
//! of i in `f32`, the bias last.

#[cfg(feature = "gpu")]
pub(super) mod gpu;

use super::common::{shapes, take, wrong_shape};
use super::field::Field;
use super::{Explanation, Reduce, Term, check_position};
use crate::error::{Result, tuple};
use crate::options::{Options, Reader};
use crate::tensor::Tensor;

const OP: &str = "linear";
const INPUTS: &str = "x, weight and bias (or none)";

/// Reads the options: there are none.
///
/// # Errors
/// On any option.
pub fn parse(options: &Options) -> Result<()> {
    Reader::new(OP, options).finish()
}

/// (…, out).
///
/// # Errors
/// If the shapes do not fit together.
pub fn shape(inputs: &[Option<&[usize]>]) -> Result<Vec<usize>> {
    let [x, weight, bias] = take(OP, INPUTS, inputs, 2)?;
    let (x, weight) = (x.unwrap_or_default(), weight.unwrap_or_default());
    let last = x.last().copied().unwrap_or_default();
    let &[out, columns] = weight else {
        return Err(wrong_shape(OP, "weight", "(out, in)", weight));
    };
    if columns != last {
        let expected = format!("(out, in) with in = {last} for x of shape {}", tuple(x));
        return Err(wrong_shape(OP, "weight", expected, weight));
    }
    if let Some(bias) = bias
        && bias != [out]
    {
        return Err(wrong_shape(OP, "bias", format!("(out) = ({out})"), bias));
    }
    Ok([&x[..x.len() - 1], &[out]].concat())
}

/// The weighted sums.
///
/// # Errors
/// If the inputs do not fit together.
pub fn run(inputs: &[Option<&Tensor>]) -> Result<Tensor> {
    let shape = shape(&shapes(inputs))?;
    let [x, weight, bias] = take(OP, INPUTS, inputs, 2)?.map(|input| input.map(Tensor::data));
    let (x, weight) = (x.unwrap_or_default(), weight.unwrap_or_default());
    let outs = shape[shape.len() - 1];
    let n = weight.len() / outs;
    let mut out = super::zeros(OP, "the output", &shape)?;
    for (row, y) in x.chunks_exact(n).zip(out.chunks_exact_mut(outs)) {
        for (o, (y, weight)) in y.iter_mut().zip(weight.chunks_exact(n)).enumerate() {
            let sum = row.iter().zip(weight).fold(0.0, |sum, (x, w)| sum + x * w);
            *y = bias.map_or(sum, |bias| sum + bias[o]);
        }
    }
    Tensor::new(&shape, out)
}

/// The products and the bias.
///
/// # Errors
/// As [`run`], and if `at` lies outside the output.
pub fn explain(inputs: &[Option<&Tensor>], at: &[usize]) -> Result<Explanation> {
    let shape = shape(&shapes(inputs))?;
    check_position(OP, &shape, at)?;
    let [x, weight, bias] = take(OP, INPUTS, inputs, 2)?;
    let (x, weight) = (x.expect("checked"), weight.expect("checked"));
    let o = at[at.len() - 1];
    let mut place = at.to_vec();
    let last = place.len() - 1;
    let mut value = 0.0;
    let mut terms = Vec::new();
    for i in 0..weight.shape()[1] {
        place[last] = i;
        let w = weight.get(&[o, i]).expect("inside the weights");
        let x = x.get(&place).expect("inside the input");
        value += x * w;
        terms.push(Term {
            weight_at: Some(vec![o, i]),
            ..Term::weighted("x", &place, x, w)
        });
    }
    let bias = bias.map(|bias| bias.data()[o]);
    Ok(Explanation {
        value: bias.map_or(value, |bias| value + bias),
        reduce: Reduce::Sum,
        bias,
        terms,
    })
}

/// The transposed weights applied to the gradient.
pub fn backward(inputs: &[Option<&Tensor>], gradient: &Tensor) -> Result<Tensor> {
    let [x, weight, _] = take(OP, INPUTS, inputs, 2)?;
    let (x, weight) = (x.expect("checked"), weight.expect("checked"));
    let [outs, n] = [weight.shape()[0], weight.shape()[1]];
    let mut out = super::zeros(OP, "the gradient", x.shape())?;
    for (g, row) in gradient
        .data()
        .chunks_exact(outs)
        .zip(out.chunks_exact_mut(n))
    {
        for (g, weight) in g.iter().zip(weight.data().chunks_exact(n)) {
            if *g != 0.0 {
                row.iter_mut().zip(weight).for_each(|(x, w)| *x += g * w);
            }
        }
    }
    Tensor::new(x.shape(), out)
}

/// Every value of the last axis counts.
pub fn field(x: &[usize], field: &Field) -> Field {
    let last = x.len() - 1;
    field.with(last, vec![true; x[last]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_products() -> Result<()> {
        let x = Tensor::new(&[3], vec![1.0, 2.0, 3.0])?;
        let weight = Tensor::new(&[2, 3], vec![1.0, 0.0, -1.0, 0.5, 0.5, 0.5])?;
        let bias = Tensor::new(&[2], vec![10.0, 0.0])?;
        let inputs = [Some(&x), Some(&weight), Some(&bias)];
        assert_eq!(run(&inputs)?.data(), [8.0, 3.0]);
        let one = explain(&inputs, &[0])?;
        assert_eq!(
            (one.value, one.bias, one.terms[2].product),
            (8.0, Some(10.0), Some(-3.0))
        );
        let gradient = backward(&inputs, &Tensor::new(&[2], vec![1.0, 2.0])?)?;
        assert_eq!(gradient.data(), [2.0, 1.0, 0.0]);
        let message = run(&[Some(&bias), Some(&weight)]).unwrap_err().to_string();
        assert_eq!(
            message,
            "linear: weight must have shape (out, in) with in = 2 for x of shape (2); got (2, 3)"
        );
        Ok(())
    }
}
