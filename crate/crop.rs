//! Cutting a rectangle out of a padded picture, with the place every value really comes from.

use crate::error::{Error, Result};
use crate::tensor::Tensor;
use crate::window::{Source, Window};

/// `source` of a value on padding that holds no pixel.
pub const PADDING: i32 = -1;
/// `source` of a value beyond the padded picture.
pub const OUTSIDE: i32 = -2;

/// A rectangle of values, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Crop {
    /// The values: `padding` (0 for a convolution) on padding that holds no pixel, NaN outside.
    pub values: Vec<f32>,
    /// `y · W + x` of the pixel that supplies each value, or [`PADDING`] or [`OUTSIDE`].
    pub source: Vec<i32>,
}

/// The `h` × `w` values from row `top` and column `left` of one channel, as a window over the picture sees them.
///
/// Coordinates count from the picture's first pixel and may lie in the padding or beyond. `x` has shape (C, H, W); of a
/// batch (N, C, H, W) the channels of all images are counted through.
///
/// # Errors
/// If the picture is not of the size the window was laid over, or has no such channel.
pub fn crop(
    x: &Tensor,
    channel: usize,
    [top, left]: [i64; 2],
    [h, w]: [usize; 2],
    window: &Window,
    padding: f32,
) -> Result<Crop> {
    let op = || "crop".to_string();
    let [.., height, width] = *x.shape() else {
        let expected = "(C, H, W) or (N, C, H, W)".into();
        return Err(Error::Shape {
            op: op(),
            input: "x".into(),
            expected,
            got: x.shape().to_vec(),
        });
    };
    if [height, width] != window.input() {
        let expected = format!("(…, {}, {})", window.y.size, window.x.size);
        return Err(Error::Shape {
            op: op(),
            input: "x".into(),
            expected,
            got: x.shape().to_vec(),
        });
    }
    let Some(plane) = x.data().chunks_exact(height * width).nth(channel) else {
        let channels = x.data().len() / (height * width);
        return Err(Error::Other {
            op: op(),
            problem: format!("channel must be below {channels}; got {channel}"),
        });
    };
    let count = crate::tensor::values_of("crop", &[h, w])?;
    let mut crop = Crop {
        values: Vec::with_capacity(count),
        source: Vec::with_capacity(count),
    };
    for y in top..top + h as i64 {
        for x in left..left + w as i64 {
            let (value, source) = match window.source([y, x]) {
                Source::Pixel([y, x]) => (plane[y * width + x], (y * width + x) as i32),
                Source::Padding => (padding, PADDING),
                Source::Outside => (f32::NAN, OUTSIDE),
            };
            crop.values.push(value);
            crop.source.push(source);
        }
    }
    Ok(crop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::{Padding, PaddingMode, Spec};

    fn cut(mode: PaddingMode) -> Result<Crop> {
        let x = Tensor::from_fn(&[2, 2, 3], |i| i as f32)?;
        let spec = Spec {
            padding: Padding::By([1, 1]),
            mode,
            ..Spec::new([3, 3])
        };
        let window = Window::new("conv2d", [2, 3], &spec)?;
        crop(&x, 1, [-2, -1], [3, 3], &window, 0.0)
    }

    #[test]
    fn names_the_source_of_every_value() -> Result<()> {
        let zeros = cut(PaddingMode::Zeros)?;
        assert_eq!(zeros.source, [-2, -2, -2, -1, -1, -1, -1, 0, 1]);
        assert_eq!(zeros.values[3..], [0.0, 0.0, 0.0, 0.0, 6.0, 7.0]);
        assert!(zeros.values[..3].iter().all(|v| v.is_nan()));
        assert_eq!(cut(PaddingMode::Reflect)?.source[3..], [4, 3, 4, 1, 0, 1]);
        assert_eq!(cut(PaddingMode::Replicate)?.source[3..], [0, 0, 1, 0, 0, 1]);
        assert_eq!(cut(PaddingMode::Circular)?.source[3..], [5, 3, 4, 2, 0, 1]);
        Ok(())
    }

    #[test]
    fn refuses_another_picture() -> Result<()> {
        let window = Window::new("conv2d", [2, 3], &Spec::new([1, 1]))?;
        let square = Tensor::new(&[1, 2, 2], vec![0.0; 4])?;
        let message = crop(&square, 0, [0, 0], [1, 1], &window, 0.0)
            .unwrap_err()
            .to_string();
        assert_eq!(message, "crop: x must have shape (…, 2, 3); got (1, 2, 2)");
        let picture = Tensor::new(&[1, 2, 3], vec![0.0; 6])?;
        let message = crop(&picture, 1, [0, 0], [1, 1], &window, 0.0)
            .unwrap_err()
            .to_string();
        assert_eq!(message, "crop: channel must be below 1; got 1");
        Ok(())
    }
}
