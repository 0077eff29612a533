//! `batch_norm` as it works after training: every channel is shifted and scaled by fixed numbers
//! (`torch.nn.functional.batch_norm` with `training=False`; Ioffe and Szegedy 2015).
//!
//! `y[c] = (x[c] − mean[c]) / √(variance[c] + ε) · weight[c] + bias[c]`, computed as `x·a + b` with
//! `a = weight / √(variance + ε)` and `b = bias − mean·a`. So it can be folded into a convolution before it.

#[cfg(feature = "gpu")]
pub(super) mod gpu;

use super::common::{shapes, take, wrong_shape};
use super::{Explanation, Images, Reduce, Term, check_position};
use crate::error::Result;
use crate::options::{Options, Reader};
use crate::tensor::Tensor;

const OP: &str = "batch_norm";
const INPUTS: &str = "x, runningMean, runningVar, weight (or none) and bias (or none)";

/// Reads the one option `eps` (1e-5).
///
/// # Errors
/// On another option or a number out of range.
pub fn parse(options: &Options) -> Result<f32> {
    let mut reader = Reader::new(OP, options);
    let eps = reader.number("eps", 0.0, 1.0)?.unwrap_or(1e-5);
    reader.finish()?;
    Ok(eps as f32)
}

/// The shape of x, (C, H, W) or (N, C, H, W).
///
/// # Errors
/// If the statistics do not have one number a channel.
pub fn shape(inputs: &[Option<&[usize]>]) -> Result<Vec<usize>> {
    let given: [_; 5] = take(OP, INPUTS, inputs, 3)?;
    let x = given[0].unwrap_or_default();
    let c = Images::of_shape(OP, x)?.c;
    for (name, shape) in ["runningMean", "runningVar", "weight", "bias"]
        .iter()
        .zip(&given[1..])
    {
        if let Some(shape) = shape
            && *shape != [c]
        {
            return Err(wrong_shape(OP, name, format!("(C) = ({c})"), shape));
        }
    }
    Ok(x.to_vec())
}

/// The factor a and the summand b of every channel.
///
/// # Errors
/// If the mean or the variance is missing.
pub fn affine(inputs: &[Option<&Tensor>], eps: f32) -> Result<(Vec<f32>, Vec<f32>)> {
    let [_, mean, variance, weight, bias] =
        take(OP, INPUTS, inputs, 3)?.map(|t| t.map(Tensor::data));
    let (mean, variance) = (mean.unwrap_or_default(), variance.unwrap_or_default());
    let factor = |c: usize| weight.map_or(1.0, |w| w[c]) / (variance[c] + eps).sqrt();
    let a: Vec<f32> = (0..variance.len()).map(factor).collect();
    let b = (0..mean.len())
        .map(|c| bias.map_or(0.0, |b| b[c]) - mean[c] * a[c])
        .collect();
    Ok((a, b))
}

fn each_plane(x: &mut Tensor, mut f: impl FnMut(usize, &mut [f32])) -> Result<()> {
    let images = Images::of(OP, x)?;
    let planes = x.data_mut().chunks_exact_mut(images.h * images.w);
    planes
        .enumerate()
        .for_each(|(i, plane)| f(i % images.c, plane));
    Ok(())
}

/// Scaled and shifted channels.
///
/// # Errors
/// If the inputs do not fit together.
pub fn run(inputs: &[Option<&Tensor>], eps: f32) -> Result<Tensor> {
    shape(&shapes(inputs))?;
    let (a, b) = affine(inputs, eps)?;
    let mut out = inputs[0].expect("checked").clone();
    each_plane(&mut out, |c, plane| {
        plane.iter_mut().for_each(|x| *x = *x * a[c] + b[c])
    })?;
    Ok(out)
}

/// One product and a bias.
///
/// # Errors
/// As [`run`], and if `at` lies outside the output.
pub fn explain(inputs: &[Option<&Tensor>], eps: f32, at: &[usize]) -> Result<Explanation> {
    check_position(OP, &shape(&shapes(inputs))?, at)?;
    let (a, b) = affine(inputs, eps)?;
    let c = at[at.len() - 3];
    let x = inputs[0]
        .and_then(|x| x.get(at))
        .expect("the position was checked");
    Ok(Explanation {
        value: x * a[c] + b[c],
        reduce: Reduce::Sum,
        bias: Some(b[c]),
        terms: vec![Term::weighted("x", at, x, a[c])],
    })
}

/// The gradient times the channel's factor.
pub fn backward(inputs: &[Option<&Tensor>], eps: f32, gradient: &Tensor) -> Result<Tensor> {
    let (a, _) = affine(inputs, eps)?;
    let mut out = gradient.clone();
    each_plane(&mut out, |c, plane| {
        plane.iter_mut().for_each(|g| *g *= a[c])
    })?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_and_shifts() -> Result<()> {
        let x = Tensor::new(&[2, 1, 1], vec![3.0, 5.0])?;
        let [mean, variance, weight, bias] = [[1.0, 5.0], [4.0, 1.0], [2.0, 1.0], [0.5, -1.0]]
            .map(|v| Tensor::new(&[2], v.to_vec()).unwrap());
        let inputs = [
            Some(&x),
            Some(&mean),
            Some(&variance),
            Some(&weight),
            Some(&bias),
        ];
        let y = run(&inputs, 0.0)?;
        assert_eq!(y.data(), [2.5, -1.0]);
        assert_eq!(explain(&inputs, 0.0, &[0, 0, 0])?.value, 2.5);
        assert_eq!(run(&inputs[..3], 0.0)?.data(), [1.0, 0.0]);
        let message = run(&[Some(&x), Some(&mean), Some(&x)], 0.0)
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "batch_norm: runningVar must have shape (C) = (2); got (2, 1, 1)"
        );
        Ok(())
    }
}
