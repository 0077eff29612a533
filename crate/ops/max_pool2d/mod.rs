//! `max_pool2d`: the largest value under each window (`torch.nn.functional.max_pool2d`).
//!
//! Padding counts as −∞, so it never wins. Of equal candidates the first in reading order wins; NaN beats everything.

mod cpu;

use super::{Explanation, Images, Reduce, Term, only, pool};
use crate::error::Result;
use crate::options::{Options, Reader};
use crate::tensor::Tensor;
use crate::window::{Source, Spec};

/// The public name.
pub const OP: &str = "max_pool2d";

/// The options: `kernelSize`, `stride` (the kernel's size), `padding` (0, at most half the kernel), `dilation` (1) and
/// `ceilMode` (false).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The window.
    pub window: Spec,
}

impl Settings {
    /// Reads the options, missing ones at PyTorch's defaults.
    ///
    /// # Errors
    /// If `kernelSize` is missing, on unknown names and impossible values.
    pub fn parse(options: &Options) -> Result<Settings> {
        let mut reader = Reader::new(OP, options);
        let window = pool::read(&mut reader, true)?;
        reader.finish()?;
        Ok(Settings { window })
    }
}

/// The one input, (C, H, W) or (N, C, H, W).
///
/// # Errors
/// If there is another number of them.
pub fn input<'a>(inputs: &[Option<&'a Tensor>]) -> Result<&'a Tensor> {
    only(OP, inputs)
}

/// The shape of the output for an input of shape `x`.
///
/// # Errors
/// If the window does not fit.
pub fn shape(x: &[usize], settings: &Settings) -> Result<Vec<usize>> {
    let (images, window) = pool::plan(OP, x, &settings.window)?;
    Ok(images.shape(images.c, window.output()))
}

/// The largest value under each window.
///
/// # Errors
/// If the window does not fit.
///
/// ```
/// use kernelscope::Tensor;
/// use kernelscope::ops::max_pool2d::{Settings, run};
/// let x = Tensor::new(&[1, 2, 4], vec![1.0, 2.0, 0.0, 0.0, 3.0, 4.0, 0.0, 7.0])?;
/// let settings = Settings::parse(&[("kernelSize".to_string(), 2usize.into())].into())?;
/// assert_eq!(run(&x, &settings)?.data(), [4.0, 7.0]);
/// # Ok::<(), kernelscope::Error>(())
/// ```
pub fn run(x: &Tensor, settings: &Settings) -> Result<Tensor> {
    let (images, window) = pool::plan(OP, x.shape(), &settings.window)?;
    pool::planes(OP, x, &images, window.output(), |plane, out| {
        cpu::max(&window, plane, out)
    })
}

/// The candidates behind the output at `at` in reading order, padding as −∞, and which one won.
///
/// # Errors
/// If the window does not fit, or `at` lies outside the output.
pub fn explain(x: &Tensor, settings: &Settings, at: &[usize]) -> Result<Explanation> {
    let (images, window) = pool::plan(OP, x.shape(), &settings.window)?;
    let [n, c, my, mx] = images.position(OP, &images.shape(images.c, window.output()), at)?;
    let mut terms = Vec::new();
    let (mut value, mut winner) = (f32::NEG_INFINITY, None);
    for ky in 0..window.y.kernel {
        for kx in 0..window.x.kernel {
            let tap = window.tap([my, mx], [ky, kx]);
            let term = match window.source(tap) {
                Source::Outside => continue,
                Source::Pixel(pixel) => candidate(&images, x, [n, c], pixel),
                Source::Padding => Term {
                    at: images.at(n, c, tap),
                    padding: true,
                    ..Term::plain("x", &[], f32::NEG_INFINITY)
                },
            };
            let first = winner.is_none() && !term.padding;
            if first || term.x > value || term.x.is_nan() {
                (value, winner) = (term.x, Some(terms.len()));
            }
            terms.push(term);
        }
    }
    if let Some(winner) = winner {
        terms[winner].won = true;
    }
    #[cfg(feature = "sabotage")]
    {
        value += 0.25;
    }
    Ok(Explanation {
        value,
        reduce: Reduce::Max,
        bias: None,
        terms,
    })
}

fn candidate(images: &Images, x: &Tensor, [n, c]: [usize; 2], pixel: [usize; 2]) -> Term {
    Term {
        at: images.at(n, c, pixel.map(|i| i as i64)),
        ..Term::plain("x", &[], images.value(x, [n, c], pixel))
    }
}

#[cfg(test)]
#[cfg(not(feature = "sabotage"))]
mod tests {
    use super::*;

    fn settings(options: &[(&str, usize)]) -> Settings {
        let options = options
            .iter()
            .map(|&(name, value)| (name.to_string(), value.into()))
            .collect();
        Settings::parse(&options).expect("settings")
    }

    fn won(x: &Tensor, settings: &Settings, at: &[usize]) -> Vec<Vec<i64>> {
        let explained = explain(x, settings, at).expect("an explanation");
        explained
            .terms
            .into_iter()
            .filter(|term| term.won)
            .map(|term| term.at)
            .collect()
    }

    #[test]
    fn four_candidates_and_a_winner() -> Result<()> {
        let x = Tensor::new(&[1, 2, 2], vec![1.0, 5.0, 5.0, 2.0])?;
        let two = settings(&[("kernelSize", 2)]);
        let explained = explain(&x, &two, &[0, 0, 0])?;
        assert_eq!(
            (explained.value, explained.reduce, explained.terms.len()),
            (5.0, Reduce::Max, 4)
        );
        assert_eq!(won(&x, &two, &[0, 0, 0]), [[0, 0, 1]]); // the first of two equal ones
        Ok(())
    }

    #[test]
    fn padding_never_wins_and_nan_always_does() -> Result<()> {
        let x = Tensor::new(&[1, 1, 4], vec![-3.0, -2.0, f32::NAN, 9.0])?;
        let padded = settings(&[("kernelSize", 3), ("stride", 1), ("padding", 1)]);
        let corner = explain(&x, &padded, &[0, 0, 0])?;
        assert_eq!(corner.value, -2.0);
        assert_eq!(
            corner
                .terms
                .iter()
                .filter(|term| term.padding && term.x == f32::NEG_INFINITY)
                .count(),
            7
        );
        let y = run(&x, &padded)?;
        assert!(y.data()[1..].iter().all(|v| v.is_nan()));
        assert_eq!(won(&x, &padded, &[0, 0, 3]), [[0, 0, 2]]);
        Ok(())
    }

    #[test]
    fn even_minus_infinity_can_win_but_padding_cannot() -> Result<()> {
        let x = Tensor::new(&[1, 1, 1], vec![f32::NEG_INFINITY])?;
        let padded = settings(&[("kernelSize", 2), ("stride", 1), ("padding", 1)]);
        assert_eq!(won(&x, &padded, &[0, 0, 0]), [[0, 0, 0]]);
        // PyTorch too gives −∞ where dilation lets a window miss the picture.
        let missing = settings(&[
            ("kernelSize", 2),
            ("stride", 1),
            ("padding", 1),
            ("dilation", 2),
        ]);
        assert_eq!(run(&x, &missing)?.data(), [f32::NEG_INFINITY]);
        assert!(won(&x, &missing, &[0, 0, 0]).is_empty());
        Ok(())
    }
}
