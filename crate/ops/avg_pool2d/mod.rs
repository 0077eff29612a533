//! `avg_pool2d`: the mean under each window (`torch.nn.functional.avg_pool2d`).
//!
//! Padding counts as zeros (`countIncludePad`, the default) or not at all. What lies beyond the padding, under a window
//! that `ceilMode` added, never counts.

mod cpu;

use super::{Explanation, Term, only, pool};
use crate::error::Result;
use crate::options::{Options, Reader};
use crate::tensor::Tensor;
use crate::window::{Source, Spec};

/// The public name.
pub const OP: &str = "avg_pool2d";

/// The options: `kernelSize`, `stride` (the kernel's size), `padding` (0, at most half the kernel), `ceilMode` (false) and
/// `countIncludePad` (true).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The window.
    pub window: Spec,
    /// Whether padding counts as zeros.
    pub count_include_pad: bool,
}

impl Settings {
    /// Reads the options, missing ones at PyTorch's defaults.
    ///
    /// # Errors
    /// If `kernelSize` is missing, on unknown names and impossible values.
    pub fn parse(options: &Options) -> Result<Settings> {
        let mut reader = Reader::new(OP, options);
        let window = pool::read(&mut reader, false)?;
        let count_include_pad = reader.flag("countIncludePad")?.unwrap_or(true);
        reader.finish()?;
        Ok(Settings {
            window,
            count_include_pad,
        })
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

/// The mean under each window.
///
/// # Errors
/// If the window does not fit.
///
/// ```
/// use kernelscope::Tensor;
/// use kernelscope::ops::avg_pool2d::{Settings, run};
/// let x = Tensor::new(&[1, 2, 4], vec![1.0, 2.0, 0.0, 0.0, 3.0, 4.0, 0.0, 8.0])?;
/// let settings = Settings::parse(&[("kernelSize".to_string(), 2usize.into())].into())?;
/// assert_eq!(run(&x, &settings)?.data(), [2.5, 2.0]);
/// # Ok::<(), kernelscope::Error>(())
/// ```
pub fn run(x: &Tensor, settings: &Settings) -> Result<Tensor> {
    let (images, window) = pool::plan(OP, x.shape(), &settings.window)?;
    let include = settings.count_include_pad;
    pool::planes(OP, x, &images, window.output(), |plane, out| {
        cpu::mean(&window, include, plane, out)
    })
}

/// The values that count behind the output at `at` in reading order, each with the weight 1 / their number.
///
/// # Errors
/// If the window does not fit, or `at` lies outside the output.
pub fn explain(x: &Tensor, settings: &Settings, at: &[usize]) -> Result<Explanation> {
    let (images, window) = pool::plan(OP, x.shape(), &settings.window)?;
    let [n, c, my, mx] = images.position(OP, &images.shape(images.c, window.output()), at)?;
    let mut terms = Vec::new();
    for ky in 0..window.y.kernel {
        for kx in 0..window.x.kernel {
            let tap = window.tap([my, mx], [ky, kx]);
            match window.source(tap) {
                Source::Pixel(pixel) => {
                    let at = images.at(n, c, pixel.map(|i| i as i64));
                    terms.push(Term {
                        at,
                        ..Term::plain("x", &[], images.value(x, [n, c], pixel))
                    });
                }
                Source::Padding if settings.count_include_pad => {
                    let at = images.at(n, c, tap);
                    terms.push(Term {
                        at,
                        padding: true,
                        ..Term::plain("x", &[], 0.0)
                    });
                }
                Source::Padding | Source::Outside => {}
            }
        }
    }
    let explanation = Explanation::mean(terms);
    #[cfg(feature = "sabotage")]
    let explanation = Explanation {
        value: explanation.value + 0.25,
        ..explanation
    };
    Ok(explanation)
}

#[cfg(test)]
#[cfg(not(feature = "sabotage"))]
mod tests {
    use super::*;
    use crate::ops::Reduce;

    fn explained(options: Options, at: &[usize]) -> Explanation {
        let x = Tensor::from_fn(&[1, 3, 3], |i| i as f32 + 1.0).expect("a tensor");
        explain(&x, &Settings::parse(&options).expect("settings"), at).expect("an explanation")
    }

    #[test]
    fn padding_counts_or_not() {
        let options = |include: bool| -> Options {
            let padded = [
                ("kernelSize", 2usize.into()),
                ("padding", 1usize.into()),
                ("countIncludePad", include.into()),
            ];
            padded.map(|(name, value)| (name.to_string(), value)).into()
        };
        let counted = explained(options(true), &[0, 0, 1]);
        assert_eq!(
            (counted.value, counted.terms.len(), counted.reduce),
            ((2.0 + 3.0) / 4.0, 4, Reduce::Mean)
        );
        assert_eq!(counted.terms[0].at, [0, -1, 1]);
        assert!(counted.terms[0].padding && counted.terms.iter().all(|term| term.w == Some(0.25)));
        let passed_over = explained(options(false), &[0, 0, 1]);
        assert_eq!((passed_over.value, passed_over.terms.len()), (2.5, 2));
    }

    #[test]
    fn beyond_the_padding_nothing_counts() {
        let options = [
            ("kernelSize".to_string(), 2usize.into()),
            ("ceilMode".to_string(), true.into()),
        ]
        .into();
        let corner = explained(options, &[0, 1, 1]);
        assert_eq!((corner.value, corner.terms.len()), (9.0, 1));
    }
}
