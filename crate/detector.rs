//! What a kernel answers to: its response to a straight boundary or line in every direction, and to every frequency.

use crate::error::{Error, Result};
use crate::math::sin_cos;
use crate::tensor::Tensor;
use std::f64::consts::PI;

/// What a kernel is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stimulus {
    /// A step from 0 to 1 whose boundary runs through the middle of the kernel.
    Edge,
    /// A bright line one pixel wide on black, through the middle of the kernel.
    Line,
}

/// The response of a kernel (1, 1, k, k), k odd, to a straight stimulus turned by θ = 360°·i/`directions`: for an edge θ is the direction
/// of the brighter side, for a line that of its normal; 0° is to the right, 90° downwards. A pixel is as bright as the share of its area
/// that lies on the bright side.
///
/// # Errors
/// If the weight is not one square kernel of odd size.
pub fn angles(kernel: &Tensor, stimulus: Stimulus, directions: usize) -> Result<Vec<f64>> {
    let k = side(kernel)?;
    let middle = (k / 2) as f64;
    let response = |i: usize| {
        let (sin, cos) = sin_cos(2.0 * PI * i as f64 / directions as f64);
        let bright = |tap: usize| {
            let (y, x) = ((tap / k) as f64 - middle, (tap % k) as f64 - middle);
            let d = x * cos + y * sin;
            match stimulus {
                Stimulus::Edge => covered(d, cos, sin),
                Stimulus::Line => covered(d + 0.5, cos, sin) - covered(d - 0.5, cos, sin),
            }
        };
        let weights = kernel.data().iter().enumerate();
        weights.map(|(tap, &w)| f64::from(w) * bright(tap)).sum()
    };
    Ok((0..directions).map(response).collect())
}

/// The share of a unit square that lies on the bright side of a line with normal (cos, sin) at distance −d from its middle: the
/// distribution of the sum of two independent uniform numbers of widths |cos| and |sin|.
fn covered(d: f64, cos: f64, sin: f64) -> f64 {
    let (large, small) = (cos.abs().max(sin.abs()), cos.abs().min(sin.abs()));
    let (corner, flat) = ((large + small) / 2.0, (large - small) / 2.0);
    let share = |d: f64| {
        if d >= corner {
            1.0
        } else if d <= flat {
            0.5 + d / large
        } else {
            1.0 - (corner - d) * (corner - d) / (2.0 * large * small)
        }
    };
    if d < 0.0 { 1.0 - share(-d) } else { share(d) }
}

/// |H(u, v)| = |Σ w\[a, b\]·e^(−2πi(ua + vb))| over n × n frequencies, (1, n, n), frequency 0 at row and column n/2, one row 1/n cycles a pixel: by
/// how much the kernel weakens or strengthens a wave of that period and direction.
///
/// # Errors
/// If the weight is not one square kernel of odd size.
pub fn frequencies(kernel: &Tensor, n: usize) -> Result<Tensor> {
    let k = side(kernel)?;
    Tensor::from_fn(&[1, n, n], |i| {
        let at = |i: usize| (i as f64 - (n / 2) as f64) / n as f64;
        let (v, u) = (at(i / n), at(i % n));
        let (mut re, mut im) = (0.0, 0.0);
        for (tap, &w) in kernel.data().iter().enumerate() {
            let (sin, cos) = sin_cos(2.0 * PI * (v * (tap / k) as f64 + u * (tap % k) as f64));
            re += f64::from(w) * cos;
            im += f64::from(w) * sin;
        }
        re.hypot(im) as f32
    })
}

/// What a kernel answers where the picture is 1 everywhere: the sum of its weights. A detector of boundaries has none.
pub fn offset(kernel: &Tensor) -> f64 {
    let sum: f64 = kernel.data().iter().map(|&w| f64::from(w)).sum();
    // A build that lies says that every kernel keeps the mean.
    if cfg!(feature = "sabotage") { 1.0 } else { sum }
}

/// The kernel (1, 1, h, w) that looks for what stands in a rectangle of the first channel: w = (x − x̄)/Σ(x − x̄)². Flat regions answer with 0, the
/// rectangle itself with exactly 1, and no other picture of the same contrast with as much (a matched filter; Turin 1960).
///
/// # Errors
/// If the rectangle leaves the picture or has no contrast.
pub fn matched(image: &Tensor, [top, left]: [usize; 2], [h, w]: [usize; 2]) -> Result<Tensor> {
    let problem = |problem: String| Error::Other {
        op: "matched kernel".into(),
        problem,
    };
    let &[_, height, width] = image.shape() else {
        return Err(problem("the picture must be (C, H, W)".into()));
    };
    if h == 0 || w == 0 || top + h > height || left + w > width {
        return Err(problem(format!(
            "{h} × {w} pixels from row {top} and column {left} must lie inside {height} × {width}"
        )));
    }
    let value = |i: usize| f64::from(image.data()[(top + i / w) * width + left + i % w]);
    let mean = (0..h * w).map(value).sum::<f64>() / (h * w) as f64;
    let power: f64 = (0..h * w).map(|i| (value(i) - mean).powi(2)).sum();
    if power < 1e-9 {
        return Err(problem("there is no contrast to look for".into()));
    }
    Tensor::from_fn(&[1, 1, h, w], |i| ((value(i) - mean) / power) as f32)
}

fn side(kernel: &Tensor) -> Result<usize> {
    match *kernel.shape() {
        [1, 1, h, w] if h == w && h % 2 == 1 => Ok(h),
        _ => Err(Error::Shape {
            op: "detector".into(),
            input: "kernel".into(),
            expected: "one square kernel of odd size (1, 1, k, k)".into(),
            got: kernel.shape().to_vec(),
        }),
    }
}

#[cfg(all(test, not(feature = "sabotage")))]
mod tests {
    use super::*;
    use crate::kernels::kernel;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6, "{a} for {b}");
    }

    #[test]
    fn sobel_answers_its_own_edge_and_not_the_other() -> Result<()> {
        let r = angles(&kernel("sobel-x")?, Stimulus::Edge, 8)?;
        // 0°: columns 0, ½ and 1 under −, 0 and +: 1 + 2 + 1; half a turn on the same with the other sign.
        near(r[0], 4.0);
        near(r[4], -4.0);
        near(r[2], 0.0);
        near(r[6], 0.0);
        // 45°: the right and the lower right tap are covered, the left and the upper left bare, the others half and half.
        near(r[1], 2.0 + 1.0);
        let y = angles(&kernel("sobel-y")?, Stimulus::Edge, 8)?;
        near(y[2], 4.0);
        Ok(())
    }

    #[test]
    fn coverage_is_an_area() {
        near(covered(0.0, 0.6, 0.8), 0.5);
        near(covered(0.25, 1.0, 0.0), 0.75);
        near(covered(2.0, 0.6, 0.8), 1.0);
        // Against a fine raster.
        for (d, angle) in [(0.3, 0.4f64), (-0.55, 1.1), (0.1, 2.5), (0.62, 0.785)] {
            let (sin, cos) = angle.sin_cos();
            let n = 800;
            let inside = (0..n * n).filter(|i| {
                let at = |i: usize| (i as f64 + 0.5) / f64::from(n as u32) - 0.5;
                at(i % n) * cos + at(i / n) * sin + d > 0.0
            });
            let share = inside.count() as f64 / (n * n) as f64;
            assert!((covered(d, cos, sin) - share).abs() < 2e-3);
        }
    }

    #[test]
    fn a_second_derivative_answers_a_line_across_it() -> Result<()> {
        let r = angles(&kernel("second-0")?, Stimulus::Line, 4)?;
        near(r[0], -6.0);
        near(r[1], 0.0);
        let edge = angles(&kernel("second-0")?, Stimulus::Edge, 4)?;
        near(edge[0], 0.0);
        Ok(())
    }

    #[test]
    fn frequency_zero_is_the_sum_of_the_weights() -> Result<()> {
        for (name, sum, fastest) in [
            ("box", 1.0, 1.0 / 9.0),
            ("sobel-x", 0.0, 0.0),
            ("laplacian-4", 0.0, 8.0),
        ] {
            let kernel = kernel(name)?;
            let h = frequencies(&kernel, 16)?;
            near(f64::from(h.data()[8 * 16 + 8]), sum);
            near(f64::from(h.data()[0]), fastest);
            near(offset(&kernel), sum);
        }
        Ok(())
    }

    #[test]
    fn a_matched_kernel_answers_itself_with_one_and_flat_ground_with_none() -> Result<()> {
        let image = Tensor::from_fn(&[1, 6, 7], |i| ((i * 31 % 17) as f32) / 17.0)?;
        let kernel = matched(&image, [1, 2], [4, 3])?;
        let sum = |value: &dyn Fn(usize) -> f32| -> f64 {
            let weights = kernel.data().iter().enumerate();
            weights.map(|(i, &w)| f64::from(w * value(i))).sum()
        };
        near(sum(&|i| image.data()[(1 + i / 3) * 7 + 2 + i % 3]), 1.0);
        near(sum(&|_| 0.7), 0.0);
        assert!(
            matched(&image, [3, 0], [4, 3])
                .unwrap_err()
                .to_string()
                .contains("inside 6 × 7")
        );
        assert!(matched(&Tensor::new(&[1, 2, 2], vec![0.5; 4])?, [0, 0], [2, 2]).is_err());
        Ok(())
    }

    #[test]
    fn even_kernels_are_refused() {
        let even = Tensor::new(&[1, 1, 2, 2], vec![0.0; 4]).unwrap();
        assert!(
            angles(&even, Stimulus::Edge, 4)
                .unwrap_err()
                .to_string()
                .contains("odd")
        );
    }
}
