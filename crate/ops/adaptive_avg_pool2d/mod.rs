//! `adaptive_avg_pool2d`: means over as many regions as the output has places, whatever the input's size
//! (`torch.nn.functional.adaptive_avg_pool2d`).
//!
//! Along an axis of n pixels, place i of s outputs covers the pixels from ⌊i·n/s⌋ to ⌈(i + 1)·n/s⌉, the last excluded.
//! Regions overlap where s does not divide n.

mod cpu;
#[cfg(feature = "gpu")]
pub(super) mod gpu;

use super::{Explanation, Images, Term, only, pool};
use crate::error::Result;
use crate::options::{Options, Reader, Value, whole};
use crate::tensor::Tensor;
use std::ops::Range;

/// The public name.
pub const OP: &str = "adaptive_avg_pool2d";

/// The options: `outputSize`, a number or a pair [height, width]; `null` in a pair keeps the input's size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Height and width of the output; `None` keeps the input's.
    pub output_size: [Option<usize>; 2],
}

impl Settings {
    /// Reads the options.
    ///
    /// # Errors
    /// If `outputSize` is missing or impossible, and on unknown names.
    pub fn parse(options: &Options) -> Result<Settings> {
        let mut reader = Reader::new(OP, options);
        let size = |value: &Value| match value {
            Value::Null => Some(None),
            number => whole(number, 1).map(Some),
        };
        let given = reader.value("outputSize");
        let output_size = match given {
            Some(number @ Value::Number(_)) => whole(number, 1).map(|n| [Some(n); 2]),
            Some(Value::List(pair)) => match pair.as_slice() {
                [h, w] => size(h).zip(size(w)).map(|(h, w)| [h, w]),
                _ => None,
            },
            _ => None,
        };
        let Some(output_size) = output_size else {
            let got = given.map_or("nothing".to_string(), Value::to_string);
            return Err(reader.refuse(
                "outputSize",
                "a whole number of at least 1 or a pair of them (null keeps a size)",
                got,
            ));
        };
        reader.finish()?;
        Ok(Settings { output_size })
    }

    fn output(&self, images: &Images) -> [usize; 2] {
        [
            self.output_size[0].unwrap_or(images.h),
            self.output_size[1].unwrap_or(images.w),
        ]
    }
}

/// The pixels that place `i` of `outputs` covers on an axis of `size` pixels.
///
/// ```
/// use kernelscope::ops::adaptive_avg_pool2d::region;
/// assert_eq!([0, 1, 2].map(|i| region(i, 3, 7)), [0..3, 2..5, 4..7]); // overlapping
/// ```
pub fn region(i: usize, outputs: usize, size: usize) -> Range<usize> {
    let (i, outputs, size) = (i as u64, outputs as u64, size as u64);
    (i * size / outputs) as usize..((i + 1) * size).div_ceil(outputs) as usize
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
/// If x is not an image or a batch of images.
pub fn shape(x: &[usize], settings: &Settings) -> Result<Vec<usize>> {
    let images = Images::of_shape(OP, x)?;
    Ok(images.shape(images.c, settings.output(&images)))
}

/// The mean over each region.
///
/// # Errors
/// If x is not an image or a batch of images.
pub fn run(x: &Tensor, settings: &Settings) -> Result<Tensor> {
    let images = Images::of(OP, x)?;
    let output = settings.output(&images);
    pool::planes(OP, x, &images, output, |plane, out| {
        cpu::mean([images.h, images.w], output, plane, out)
    })
}

/// The values behind the output at `at` in reading order, each with the weight 1 / their number.
///
/// # Errors
/// If x is not an image or a batch of images, or `at` lies outside the output.
pub fn explain(x: &Tensor, settings: &Settings, at: &[usize]) -> Result<Explanation> {
    let images = Images::of(OP, x)?;
    let output = settings.output(&images);
    let [n, c, my, mx] = images.position(OP, &images.shape(images.c, output), at)?;
    let mut terms = Vec::new();
    for y in region(my, output[0], images.h) {
        for column in region(mx, output[1], images.w) {
            let at = images.at(n, c, [y as i64, column as i64]);
            terms.push(Term {
                at,
                ..Term::plain("x", &[], images.value(x, [n, c], [y, column]))
            });
        }
    }
    Ok(Explanation::mean(terms))
}

#[cfg(test)]
#[cfg(not(feature = "sabotage"))]
mod tests {
    use super::*;

    fn parse(value: impl Into<Value>) -> Result<Settings> {
        Settings::parse(&[("outputSize".to_string(), value.into())].into())
    }

    #[test]
    fn regions_cover_every_pixel() {
        for size in 1..20 {
            for outputs in 1..25 {
                let mut seen = vec![false; size];
                for i in 0..outputs {
                    let region = region(i, outputs, size);
                    assert!(!region.is_empty());
                    seen[region].fill(true);
                }
                assert!(seen.iter().all(|&s| s), "{outputs} of {size}");
            }
        }
    }

    #[test]
    fn one_place_is_the_mean_and_null_keeps_a_size() -> Result<()> {
        let x = Tensor::from_fn(&[2, 2, 3], |i| i as f32)?;
        assert_eq!(run(&x, &parse(1usize)?)?.data(), [2.5, 8.5]);
        let kept = parse(Value::List(vec![1usize.into(), Value::Null]))?;
        assert_eq!(run(&x, &kept)?.data(), [1.5, 2.5, 3.5, 7.5, 8.5, 9.5]);
        Ok(())
    }

    #[test]
    fn sizes_are_read_with_care() {
        let rule = "adaptive_avg_pool2d: outputSize must be a whole number of at least 1 or a pair of them (null keeps a size)";
        assert_eq!(
            parse(0usize).unwrap_err().to_string(),
            format!("{rule}; got 0")
        );
        assert_eq!(
            parse([1.5, 2.0]).unwrap_err().to_string(),
            format!("{rule}; got [1.5, 2]")
        );
        assert_eq!(
            Settings::parse(&Options::new()).unwrap_err().to_string(),
            format!("{rule}; got nothing")
        );
    }
}
