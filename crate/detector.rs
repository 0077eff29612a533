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
