//! A convolution written out as the dense layer that it is.

use super::{OP, Settings};
use crate::error::{Error, Result};
use crate::tensor::{Tensor, values_of};
use crate::window::{Source, Spec, Window};

/// The matrix M with `conv2d(x, weight) = M · x` for pictures of one channel and H × W pixels: (H_out·W_out, H·W), rows and columns
/// in reading order. Along one dimension it is a Toeplitz matrix: every diagonal holds one weight. Where several taps of a window read
/// the same pixel (a rim that is reflected or replicated) their weights add up.
///
/// # Errors
/// If the weight is not one kernel (1, 1, kh, kw), if the window does not fit, or on a matrix that would not fit into memory.
pub fn matrix(weight: &Tensor, input: [usize; 2], settings: &Settings) -> Result<Tensor> {
    let &[1, 1, kh, kw] = weight.shape() else {
        return Err(Error::Shape {
            op: OP.into(),
            input: "weight".into(),
            expected: "one kernel (1, 1, kh, kw)".into(),
            got: weight.shape().to_vec(),
        });
    };
    let spec = Spec {
        kernel: [kh, kw],
        ..settings.window
    };
    let window = Window::new(OP, input, &spec)?;
    let [height, width] = window.output();
    let shape = [height * width, input[0] * input[1]];
    let mut values = vec![0.0; values_of(OP, &shape)?];
    for (row, out) in values.chunks_exact_mut(shape[1]).enumerate() {
        for (tap, w) in weight.data().iter().enumerate() {
            let at = window.tap([row / width, row % width], [tap / kw, tap % kw]);
            if let Source::Pixel([y, x]) = window.source(at) {
                out[y * input[1] + x] += w;
            }
        }
    }
    // A build that lies loses the last row.
    if cfg!(feature = "sabotage") {
        let last = values.len() - shape[1];
        values[last..].fill(0.0);
    }
    Tensor::new(&shape, values)
}

#[cfg(all(test, not(feature = "sabotage")))]
mod tests {
    use super::*;
    use crate::ops::conv2d::{Inputs, run};
    use crate::options::Value;

    fn settings(given: &[(&str, Value)]) -> Settings {
        let options = given.iter().map(|(name, v)| (name.to_string(), v.clone()));
        Settings::parse(&options.collect()).unwrap()
    }

    #[test]
    fn a_line_of_pixels_gives_a_toeplitz_matrix() -> Result<()> {
        let weight = Tensor::new(&[1, 1, 1, 3], vec![1.0, 2.0, 3.0])?;
        let m = matrix(&weight, [1, 4], &settings(&[]))?;
        assert_eq!(m.shape(), [2, 4]);
        assert_eq!(m.data(), [1.0, 2.0, 3.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
        let circular = settings(&[
            (
                "padding",
                Value::List(vec![Value::Number(0.0), Value::Number(1.0)]),
            ),
            ("paddingMode", Value::Text("circular".into())),
        ]);
        let m = matrix(&weight, [1, 3], &circular)?;
        assert_eq!(m.data(), [2.0, 3.0, 1.0, 1.0, 2.0, 3.0, 3.0, 1.0, 2.0]);
        Ok(())
    }

    #[test]
    fn the_matrix_times_the_picture_is_the_convolution() -> Result<()> {
        let wave = |i: usize| ((i * 37 % 19) as f32 - 9.0) / 7.0;
        let x = Tensor::from_fn(&[1, 7, 6], wave)?;
        let weight = Tensor::from_fn(&[1, 1, 3, 3], |i| wave(i + 5))?;
        for mode in ["zeros", "reflect", "replicate", "circular"] {
            for (stride, padding, dilation) in [
                (1.0, 1.0, 1.0),
                (2.0, 2.0, 1.0),
                (1.0, 2.0, 2.0),
                (3.0, 0.0, 1.0),
            ] {
                let settings = settings(&[
                    ("stride", Value::Number(stride)),
                    ("padding", Value::Number(padding)),
                    ("dilation", Value::Number(dilation)),
                    ("paddingMode", Value::Text(mode.into())),
                ]);
                let y = run(
                    Inputs {
                        x: &x,
                        weight: &weight,
                        bias: None,
                    },
                    &settings,
                )?;
                let m = matrix(&weight, [7, 6], &settings)?;
                assert_eq!(m.shape(), [y.data().len(), 42]);
                for (row, &y) in m.data().chunks_exact(42).zip(y.data()) {
                    let sum: f32 = row.iter().zip(x.data()).map(|(w, x)| w * x).sum();
                    assert!((sum - y).abs() < 1e-5, "{mode} {stride}: {sum} for {y}");
                }
            }
        }
        Ok(())
    }

    #[test]
    fn several_channels_are_refused() {
        let weight = Tensor::new(&[2, 1, 1, 1], vec![0.0; 2]).unwrap();
        let message = matrix(&weight, [4, 4], &settings(&[]))
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("one kernel") && message.contains("(2, 1, 1, 1)"),
            "{message}"
        );
    }
}
