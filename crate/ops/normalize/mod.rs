//! `normalize`: grey values as a network was trained on them. Every channel of every picture is shifted and scaled by
//! its own statistics: `y = (x − centre) / width`.
//!
//! * "meanStd": mean and standard deviation (of all values, divided by their number).
//! * "percentile": from the `low` to the `high` percentile (linear between ranks) becomes 0 to 1.
//! * "fixed": the given `mean` and `std`.
//!
//! A width below 10⁻⁶ counts as 1, so that an even picture becomes zeros. For gradients and receptive fields the
//! statistics count as constants: they say what a value is compared with, not where it comes from.

#[cfg(feature = "gpu")]
pub(super) mod gpu;

use super::field::Field;
use super::{Explanation, Images, Reduce, Term, check_position};
use crate::error::Result;
use crate::options::{Options, Reader};
use crate::tensor::Tensor;

const OP: &str = "normalize";

/// The rule, option `rule`, and its numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Settings {
    /// Each channel's own mean and standard deviation.
    MeanStd,
    /// Each channel's own percentiles.
    Percentile {
        /// The percentile that becomes 0.
        low: f64,
        /// The percentile that becomes 1.
        high: f64,
    },
    /// The same numbers for all pictures.
    Fixed {
        /// What becomes 0.
        mean: f32,
        /// What becomes 1 above it.
        std: f32,
    },
}

impl Settings {
    /// Reads the options `rule` ("meanStd"), `low` (1), `high` (99), `mean` (0) and `std` (1).
    ///
    /// # Errors
    /// On unknown names and impossible values.
    pub fn parse(options: &Options) -> Result<Settings> {
        let mut reader = Reader::new(OP, options);
        let rules = [("meanStd", 0), ("percentile", 1), ("fixed", 2)];
        let rule = reader.choice("rule", &rules)?.unwrap_or(0);
        let settings = match rule {
            0 => Settings::MeanStd,
            1 => {
                let low = reader.number("low", 0.0, 100.0)?.unwrap_or(1.0);
                let high = reader.number("high", low, 100.0)?.unwrap_or(99f64.max(low));
                Settings::Percentile { low, high }
            }
            _ => Settings::Fixed {
                mean: reader.number("mean", -1e9, 1e9)?.unwrap_or(0.0) as f32,
                std: reader.number("std", 1e-9, 1e9)?.unwrap_or(1.0) as f32,
            },
        };
        reader.finish()?;
        Ok(settings)
    }
}

/// Factor and summand of one plane.
fn affine(plane: &[f32], settings: Settings) -> [f32; 2] {
    let (centre, width) = match settings {
        Settings::Fixed { mean, std } => (f64::from(mean), f64::from(std)),
        Settings::MeanStd => {
            let n = plane.len() as f64;
            let mean = plane.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
            let variance = plane
                .iter()
                .map(|&x| (f64::from(x) - mean).powi(2))
                .sum::<f64>()
                / n;
            (mean, variance.sqrt())
        }
        Settings::Percentile { low, high } => {
            let mut sorted = plane.to_vec();
            sorted.sort_unstable_by(f32::total_cmp);
            let at = |percent: f64| {
                let rank = percent / 100.0 * (sorted.len() - 1) as f64;
                let below = f64::from(sorted[rank as usize]);
                let above = f64::from(sorted[(rank as usize + 1).min(sorted.len() - 1)]);
                below + (above - below) * rank.fract()
            };
            (at(low), at(high) - at(low))
        }
    };
    let width = if width < 1e-6 { 1.0 } else { width };
    [(1.0 / width) as f32, (-centre / width) as f32]
}

/// The shape of x, (C, H, W) or (N, C, H, W).
///
/// # Errors
/// If it is no picture.
pub fn shape(x: &[usize]) -> Result<Vec<usize>> {
    Images::of_shape(OP, x)?;
    Ok(x.to_vec())
}

/// Normalised channels.
///
/// # Errors
/// If x is no picture.
pub fn run(x: &Tensor, settings: Settings) -> Result<Tensor> {
    let images = Images::of(OP, x)?;
    let mut out = x.clone();
    for plane in out.data_mut().chunks_exact_mut(images.h * images.w) {
        let [a, b] = affine(plane, settings);
        plane.iter_mut().for_each(|x| *x = *x * a + b);
    }
    Ok(out)
}

/// The plane that a position lies in.
fn plane<'a>(x: &'a Tensor, at: &[usize]) -> Result<&'a [f32]> {
    let images = Images::of(OP, x)?;
    let [n, c, ..] = images.position(OP, x.shape(), at)?;
    let size = images.h * images.w;
    Ok(&x.data()[(n * images.c + c) * size..][..size])
}

/// One product and a summand.
///
/// # Errors
/// If `at` lies outside x.
pub fn explain(x: &Tensor, settings: Settings, at: &[usize]) -> Result<Explanation> {
    check_position(OP, x.shape(), at)?;
    let [a, b] = affine(plane(x, at)?, settings);
    let value = x.get(at).expect("the position was checked");
    Ok(Explanation {
        value: value * a + b,
        reduce: Reduce::Sum,
        bias: Some(b),
        terms: vec![Term::weighted("x", at, value, a)],
    })
}

/// The gradient times the factor.
pub fn backward(x: &Tensor, settings: Settings, gradient: &Tensor) -> Result<Tensor> {
    let images = Images::of(OP, x)?;
    let size = images.h * images.w;
    let mut out = gradient.clone();
    for (g, x) in out
        .data_mut()
        .chunks_exact_mut(size)
        .zip(x.data().chunks_exact(size))
    {
        let [a, _] = affine(x, settings);
        g.iter_mut().for_each(|g| *g *= a);
    }
    Ok(out)
}

/// The value at the same position; the statistics are constants.
pub fn field(field: &Field) -> Field {
    field.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule() -> Result<()> {
        let x = Tensor::new(&[1, 1, 5], vec![0.0, 1.0, 2.0, 3.0, 4.0])?;
        let y = run(&x, Settings::MeanStd)?;
        assert!((y.data()[4] - 2f32.sqrt()).abs() < 1e-6 && y.data()[2].abs() < 1e-6);
        let y = run(
            &x,
            Settings::Percentile {
                low: 25.0,
                high: 75.0,
            },
        )?;
        assert_eq!(y.data(), [-0.5, 0.0, 0.5, 1.0, 1.5]);
        let y = run(
            &x,
            Settings::Fixed {
                mean: 2.0,
                std: 2.0,
            },
        )?;
        assert_eq!(y.data(), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        let even = Tensor::new(&[1, 1, 2], vec![0.5; 2])?;
        assert_eq!(run(&even, Settings::MeanStd)?.data(), [0.0, 0.0]);
        let one = explain(&x, Settings::MeanStd, &[0, 0, 4])?;
        assert_eq!(Some(one.value), run(&x, Settings::MeanStd)?.get(&[0, 0, 4]));
        Ok(())
    }
}
