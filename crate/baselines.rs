//! Boundaries without a network: the classical filters that a trained one is held against.
//!
//! Both give a map of (1, H, W) in parts of its own 99th percentile, so that one threshold can serve pictures of any contrast.

use crate::error::{Error, Result};
use crate::kernels::kernel;
use crate::microscope::optics::blur;
use crate::ops::conv2d::{self, Inputs, Settings};
use crate::options::Options;
use crate::tensor::Tensor;

/// How steep a picture is: |∇(G ⋆ I)|, twice a Gaussian of 5 × 5 pixels and then the magnitude of both Sobel maps.
///
/// # Errors
/// If the image is no (1, H, W) with room for the kernels' reflected rims.
pub fn gaussian_sobel(image: &Tensor) -> Result<Tensor> {
    one_channel(image)?;
    let options = Options::from([
        ("padding".into(), "same".into()),
        ("paddingMode".into(), "reflect".into()),
    ]);
    let settings = Settings::parse(&options)?;
    let filter = |x: &Tensor, name: &str| {
        let weight = kernel(name)?;
        let inputs = Inputs {
            x,
            weight: &weight,
            bias: None,
        };
        conv2d::run(inputs, &settings)
    };
    let smooth = filter(&filter(image, "gaussian-5")?, "gaussian-5")?;
    let (x, y) = (filter(&smooth, "sobel-x")?, filter(&smooth, "sobel-y")?);
    let steep = x.data().iter().zip(y.data()).map(|(x, y)| x.hypot(*y));
    scaled(image.shape(), steep.collect())
}

/// How much darker than its surroundings a place is: max(0, G₃ ⋆ I − G₁ ⋆ I), Gaussians of σ = 3 and 1 pixels, the difference of
/// Gaussians (Marr and Hildreth 1980). It answers to grooves, and not to steps.
///
/// # Errors
/// If the image is no (1, H, W).
pub fn difference_of_gaussians(image: &Tensor) -> Result<Tensor> {
    let size = one_channel(image)?;
    let blurred = |sigma: f64| {
        let mut values: Vec<f64> = image.data().iter().map(|&v| f64::from(v)).collect();
        blur(&mut values, size, sigma);
        values
    };
    let darker = blurred(3.0).into_iter().zip(blurred(1.0));
    let darker = darker.map(|(around, here)| (around - here).max(0.0) as f32);
    scaled(image.shape(), darker.collect())
}

fn one_channel(image: &Tensor) -> Result<[usize; 2]> {
    match image.shape() {
        &[1, h, w] => Ok([h, w]),
        got => Err(Error::Shape {
            op: "baseline".into(),
            input: "image".into(),
            expected: "(1, H, W)".into(),
            got: got.to_vec(),
        }),
    }
}

fn scaled(shape: &[usize], mut values: Vec<f32>) -> Result<Tensor> {
    let mut sorted = values.clone();
    sorted.sort_unstable_by(f32::total_cmp);
    let top = sorted[sorted.len() * 99 / 100].max(1e-6);
    values.iter_mut().for_each(|v| *v /= top);
    Tensor::new(shape, values)
}

#[cfg(all(test, not(feature = "sabotage")))]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_steep_and_a_groove_is_dark() -> Result<()> {
        let step = Tensor::from_fn(&[1, 40, 40], |i| if i % 40 < 20 { 0.2 } else { 0.8 })?;
        let steep = gaussian_sobel(&step)?;
        assert!(steep.data()[20 * 40 + 20] > 0.9 && steep.data()[20 * 40 + 5].abs() < 1e-3);
        let groove = Tensor::from_fn(&[1, 40, 40], |i| if i % 40 == 20 { 0.2 } else { 0.8 })?;
        let dark = difference_of_gaussians(&groove)?;
        assert!(dark.data()[20 * 40 + 20] > 0.9 && dark.data()[20 * 40 + 35] < 1e-3);
        Ok(())
    }

    #[test]
    fn a_picture_of_several_channels_is_refused_in_words() -> Result<()> {
        let colours = Tensor::from_fn(&[3, 8, 8], |_| 0.0)?;
        let words = gaussian_sobel(&colours).unwrap_err().to_string();
        assert!(
            words.contains("(1, H, W)") && words.contains("(3, 8, 8)"),
            "{words}"
        );
        Ok(())
    }
}
