//! Classic kernels of image processing, by name.
//!
//! They are weights of a cross-correlation, as `conv2d` takes them: shape (1, 1, k, k), not flipped. Derivatives are positive
//! where the picture gets brighter to the right (x) or downwards (y). Second derivatives and Laplacians carry the sign of
//! the mathematics (and of `scipy.ndimage`): a bright dot answers with a negative number.

use crate::error::{Error, Result};
use crate::tensor::Tensor;
use serde::Serialize;

/// What a page says about a kernel.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Kernel {
    /// The name to ask for.
    pub name: &'static str,
    /// The name to show.
    pub label: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// Its height and width.
    pub size: usize,
    #[serde(skip)]
    weights: &'static [i16],
    #[serde(skip)]
    divisor: i16,
}

/// The weights of a kernel, shape (1, 1, k, k).
///
/// # Errors
/// On an unknown name.
pub fn kernel(name: &str) -> Result<Tensor> {
    let Some(kernel) = KERNELS.iter().find(|kernel| kernel.name == name) else {
        let known = KERNELS.iter().map(|kernel| kernel.name).collect();
        return Err(Error::UnknownName {
            what: "kernel",
            name: name.into(),
            known,
        });
    };
    let weights = kernel
        .weights
        .iter()
        .map(|&w| f32::from(w) / f32::from(kernel.divisor))
        .collect();
    Tensor::new(&[1, 1, kernel.size, kernel.size], weights)
}

/// The weights turned by 180° in their last two dimensions. Cross-correlation with the flipped kernel is convolution in
/// the mathematical sense.
///
/// # Errors
/// If the tensor has fewer than two dimensions.
pub fn flip(weight: &Tensor) -> Result<Tensor> {
    let [.., h, w] = *weight.shape() else {
        let expected = "(…, kh, kw)".into();
        return Err(Error::Shape {
            op: "flip".into(),
            input: "weight".into(),
            expected,
            got: weight.shape().to_vec(),
        });
    };
    let flipped = weight
        .data()
        .chunks_exact(h * w)
        .flat_map(|plane| plane.iter().rev().copied())
        .collect();
    Tensor::new(weight.shape(), flipped)
}

/// All kernels, in teaching order.
#[rustfmt::skip]
pub const KERNELS: [Kernel; 19] = [
    Kernel { name: "identity", label: "Identity", size: 3, divisor: 1, weights: &[0, 0, 0, 0, 1, 0, 0, 0, 0],
        about: "Copies the picture: only the middle weight counts." },
    Kernel { name: "box", label: "Box blur", size: 3, divisor: 9, weights: &[1, 1, 1, 1, 1, 1, 1, 1, 1],
        about: "The mean of nine pixels: less noise, less sharpness." },
    Kernel { name: "gaussian-3", label: "Gaussian 3×3", size: 3, divisor: 16, weights: &[1, 2, 1, 2, 4, 2, 1, 2, 1],
        about: "A mean that weighs near pixels more: smooths noise with fewer artefacts than the box." },
    Kernel { name: "gaussian-5", label: "Gaussian 5×5", size: 5, divisor: 256,
        weights: &[1, 4, 6, 4, 1, 4, 16, 24, 16, 4, 6, 24, 36, 24, 6, 4, 16, 24, 16, 4, 1, 4, 6, 4, 1],
        about: "A wider Gaussian mean (standard deviation 1 pixel)." },
    Kernel { name: "sobel-x", label: "Sobel x", size: 3, divisor: 1, weights: &[-1, 0, 1, -2, 0, 2, -1, 0, 1],
        about: "Brightness change from left to right: answers on vertical boundaries." },
    Kernel { name: "sobel-y", label: "Sobel y", size: 3, divisor: 1, weights: &[-1, -2, -1, 0, 0, 0, 1, 2, 1],
        about: "Brightness change from top to bottom: answers on horizontal boundaries." },
    Kernel { name: "prewitt-x", label: "Prewitt x", size: 3, divisor: 1, weights: &[-1, 0, 1, -1, 0, 1, -1, 0, 1],
        about: "Sobel x with equal weights for the three rows." },
    Kernel { name: "prewitt-y", label: "Prewitt y", size: 3, divisor: 1, weights: &[-1, -1, -1, 0, 0, 0, 1, 1, 1],
        about: "Sobel y with equal weights for the three columns." },
    Kernel { name: "scharr-x", label: "Scharr x", size: 3, divisor: 1, weights: &[-3, 0, 3, -10, 0, 10, -3, 0, 3],
        about: "Like Sobel x, but the strength of an edge depends less on its direction." },
    Kernel { name: "scharr-y", label: "Scharr y", size: 3, divisor: 1, weights: &[-3, -10, -3, 0, 0, 0, 3, 10, 3],
        about: "Like Sobel y, but the strength of an edge depends less on its direction." },
    Kernel { name: "laplacian-4", label: "Laplacian, 4 neighbours", size: 3, divisor: 1, weights: &[0, 1, 0, 1, -4, 1, 0, 1, 0],
        about: "Sum of the second derivatives: negative on a bright dot, a change of sign across a boundary." },
    Kernel { name: "laplacian-8", label: "Laplacian, 8 neighbours", size: 3, divisor: 1, weights: &[1, 1, 1, 1, -8, 1, 1, 1, 1],
        about: "A Laplacian that counts the diagonals too: eight neighbours against the middle." },
    Kernel { name: "log", label: "Laplacian of Gaussian", size: 5, divisor: 1,
        weights: &[0, 0, 1, 0, 0, 0, 1, 2, 1, 0, 1, 2, -16, 2, 1, 0, 1, 2, 1, 0, 0, 0, 1, 0, 0],
        about: "A Laplacian of the smoothed picture: finds blobs a few pixels wide, such as atomic columns." },
    Kernel { name: "sharpen", label: "Sharpen", size: 3, divisor: 1, weights: &[0, -1, 0, -1, 5, -1, 0, -1, 0],
        about: "The picture minus its Laplacian: boundaries, and noise, get steeper." },
    Kernel { name: "emboss", label: "Emboss", size: 3, divisor: 1, weights: &[-2, -1, 0, -1, 1, 1, 0, 1, 2],
        about: "The picture plus its slope along the diagonal: looks like a relief lit from a corner." },
    Kernel { name: "second-0", label: "Second derivative, 0°", size: 3, divisor: 1, weights: &[1, -2, 1, 1, -2, 1, 1, -2, 1],
        about: "Second derivative along the horizontal: strongest, and negative, on a bright vertical line." },
    Kernel { name: "second-45", label: "Second derivative, 45°", size: 3, divisor: 1, weights: &[-2, 1, 1, 1, -2, 1, 1, 1, -2],
        about: "Second derivative up and to the right: strongest, and negative, on a bright line falling to the right." },
    Kernel { name: "second-90", label: "Second derivative, 90°", size: 3, divisor: 1, weights: &[1, 1, 1, -2, -2, -2, 1, 1, 1],
        about: "Second derivative along the vertical: strongest, and negative, on a bright horizontal line." },
    Kernel { name: "second-135", label: "Second derivative, 135°", size: 3, divisor: 1, weights: &[1, 1, -2, 1, -2, 1, -2, 1, 1],
        about: "Second derivative up and to the left: strongest, and negative, on a bright line rising to the right." },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_fill_the_square_and_sum_as_they_should() -> Result<()> {
        for preset in &KERNELS {
            let weights = kernel(preset.name)?;
            assert_eq!(
                weights.shape(),
                [1, 1, preset.size, preset.size],
                "{}",
                preset.name
            );
            let sum: f32 = weights.data().iter().sum();
            let means = [
                "identity",
                "box",
                "gaussian-3",
                "gaussian-5",
                "sharpen",
                "emboss",
            ];
            let expected = if means.contains(&preset.name) {
                1.0
            } else {
                0.0
            };
            assert!(
                (sum - expected).abs() < 1e-6,
                "{} sums to {sum}",
                preset.name
            );
        }
        Ok(())
    }

    #[test]
    fn y_is_x_transposed() -> Result<()> {
        for family in ["sobel", "prewitt", "scharr"] {
            let (x, y) = (
                kernel(&format!("{family}-x"))?,
                kernel(&format!("{family}-y"))?,
            );
            for i in 0..9 {
                assert_eq!(x.data()[i], y.data()[(i % 3) * 3 + i / 3], "{family}");
            }
        }
        Ok(())
    }

    #[test]
    fn flip_turns_by_180_degrees() -> Result<()> {
        let weight = Tensor::from_fn(&[2, 1, 2, 3], |i| i as f32)?;
        let flipped = flip(&weight)?;
        assert_eq!(
            flipped.data(),
            [5.0, 4.0, 3.0, 2.0, 1.0, 0.0, 11.0, 10.0, 9.0, 8.0, 7.0, 6.0]
        );
        assert_eq!(flip(&flipped)?, weight);
        assert!(flip(&Tensor::new(&[2], vec![0.0; 2])?).is_err());
        Ok(())
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let message = kernel("soble-x").unwrap_err().to_string();
        assert!(
            message.starts_with("soble-x: unknown kernel; known: identity, box"),
            "{message}"
        );
    }
}
