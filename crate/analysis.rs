//! What one looks at beside a picture: its histogram and its power spectrum.

use crate::error::{Error, Result};
use crate::fourier::Square;
use crate::math::{ln, sin_cos};
use crate::tensor::Tensor;
use std::f64::consts::PI;

/// How many values of the first channel fall into each of `bins` equal parts of 0 to 1; values outside count at the ends.
pub fn histogram(image: &Tensor, bins: usize) -> Result<Vec<u32>> {
    let [height, width] = plane("histogram", image)?;
    let mut counts = vec![0; bins.max(1)];
    for &value in &image.data()[..height * width] {
        counts[((value * bins as f32) as usize).min(bins.max(1) - 1)] += 1;
    }
    Ok(counts)
}

/// |F|² of the first channel over the largest central square whose side is a power of two (at most 512), without its mean
/// and under a Hann window; frequency 0 in the middle (row and column n/2), one pixel is 1/n cycles a pixel.
pub fn power(image: &Tensor) -> Result<(usize, Vec<f64>)> {
    let [height, width] = plane("power spectrum", image)?;
    let least = height.min(width).min(512);
    let n = if least.is_power_of_two() {
        least
    } else {
        least.next_power_of_two() / 2
    };
    let mut square = Square::zeros(n);
    let hann: Vec<f64> = (0..n)
        .map(|i| 0.5 - 0.5 * sin_cos(2.0 * PI * (i as f64 + 0.5) / n as f64).1)
        .collect();
    let (top, left) = ((height - n) / 2, (width - n) / 2);
    let value = |i: usize| f64::from(image.data()[(top + i / n) * width + left + i % n]);
    let mean = (0..n * n).map(value).sum::<f64>() / (n * n) as f64;
    for i in 0..n * n {
        square.re[i] = ((value(i) - mean) * hann[i / n] * hann[i % n]) as f32;
    }
    square.forward();
    let power = (0..n * n).map(|i| {
        let from = (i / n + n / 2) % n * n + (i % n + n / 2) % n;
        let (re, im) = (f64::from(square.re[from]), f64::from(square.im[from]));
        re * re + im * im
    });
    Ok((n, power.collect()))
}

/// [`power`] for the eye: (1, n, n), 0 to 1, logarithmic over the six decades below the strongest frequency.
pub fn power_spectrum(image: &Tensor) -> Result<Tensor> {
    const DECADES: f64 = 6.0;
    let (n, power) = power(image)?;
    let top = power.iter().copied().fold(1e-30, f64::max);
    Tensor::from_fn(&[1, n, n], |i| {
        let decades = ln((power[i] / top).max(1e-30)) / ln(10.0);
        (1.0 + decades / DECADES).clamp(0.0, 1.0) as f32
    })
}

/// The strongest frequency of a picture as (row, column) in its spectrum ([`power`]'s), and the period that it stands for in
/// pixels. What is slower than a period of an eighth of the side counts as background.
pub fn strongest(image: &Tensor) -> Result<([usize; 2], f64)> {
    let (n, power) = power(image)?;
    // The upper half: the lower one mirrors it.
    let fast = (0..n * n / 2).filter(|i| period(n, [i / n, i % n]) < n as f64 / 8.0);
    let best = fast.max_by(|a, b| power[*a].total_cmp(&power[*b]));
    let at = best.map_or([0, 0], |i| [i / n, i % n]);
    Ok((at, period(n, at)))
}

/// The period in pixels of what stands at (row, column) of a spectrum of n × n: n/√(u² + v²), u and v counted from the middle;
/// infinite in the middle itself.
pub fn period(n: usize, [row, column]: [usize; 2]) -> f64 {
    let from = |i: usize| i as f64 - (n / 2) as f64;
    n as f64 / from(row).hypot(from(column))
}

/// √(x² + y²) of the two channels of a (2, H, W) gradient, as (1, H, W): how steep the picture is, in whatever direction.
///
/// # Errors
/// If there are not exactly two channels.
pub fn magnitude(gradient: &Tensor) -> Result<Tensor> {
    let &[2, height, width] = gradient.shape() else {
        return Err(Error::Shape {
            op: "magnitude".into(),
            input: "gradient".into(),
            expected: "(2, H, W): one channel a direction".into(),
            got: gradient.shape().to_vec(),
        });
    };
    let (x, y) = gradient.data().split_at(height * width);
    Tensor::from_fn(&[1, height, width], |i| (x[i] * x[i] + y[i] * y[i]).sqrt())
}

fn plane(op: &str, image: &Tensor) -> Result<[usize; 2]> {
    match *image.shape() {
        [_, height, width] if height.min(width) >= 8 => Ok([height, width]),
        _ => Err(Error::Shape {
            op: op.into(),
            input: "image".into(),
            expected: "(C, H, W) of at least 8 × 8 pixels".into(),
            got: image.shape().to_vec(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_frequency_is_the_waves_own() {
        for (dy, dx) in [(0.0, 1.0 / 6.4), (1.0 / 8.0, 1.0 / 16.0), (-0.25, 0.125)] {
            let wave = |i: usize| {
                0.5 + 0.3 * (2.0 * PI * (dy * (i / 64) as f64 + dx * (i % 64) as f64)).cos() as f32
            };
            let (_, found) = strongest(&Tensor::from_fn(&[1, 64, 64], wave).unwrap()).unwrap();
            let truth = 1.0 / f64::hypot(dy, dx);
            assert!((found / truth - 1.0).abs() < 0.02, "{found} for {truth}");
        }
        assert_eq!(period(64, [32, 32]), f64::INFINITY);
        assert_eq!(period(64, [32, 0]), 2.0);
    }

    #[test]
    fn magnitude_is_pythagoras_and_wants_two_channels() {
        let gradient = Tensor::new(&[2, 1, 3], vec![3.0, 0.0, -5.0, -4.0, 0.5, 12.0]).unwrap();
        assert_eq!(magnitude(&gradient).unwrap().data(), [5.0, 0.5, 13.0]);
        let message = magnitude(&Tensor::new(&[1, 1, 1], vec![1.0]).unwrap())
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("(2, H, W)") && message.contains("(1, 1, 1)"),
            "{message}"
        );
    }

    #[test]
    fn a_wave_is_two_spots() -> Result<()> {
        let wave = |i: usize| 0.5 + 0.4 * (2.0 * PI * (i % 70) as f64 / 8.0).sin();
        let image = Tensor::from_fn(&[1, 66, 70], |i| wave(i) as f32)?;
        let (n, power) = power(&image)?;
        assert_eq!(n, 64);
        let strongest = (0..n * n)
            .max_by(|a, b| power[*a].total_cmp(&power[*b]))
            .unwrap_or(0);
        assert!(
            [32 * 64 + 24, 32 * 64 + 40].contains(&strongest),
            "{strongest}"
        );
        let shown = power_spectrum(&image)?;
        assert_eq!(shown.shape(), [1, 64, 64]);
        assert_eq!(shown.data()[strongest], 1.0);
        Ok(())
    }

    #[test]
    fn every_pixel_is_counted_once() -> Result<()> {
        let image = Tensor::from_fn(&[2, 8, 8], |i| i as f32 / 63.0)?;
        assert_eq!(histogram(&image, 4)?, [16, 16, 16, 16]);
        Ok(())
    }
}
