//! The window an operator slides over a picture, read from the same options that the operator takes.

use super::{avg_pool2d, max_pool2d};
use crate::error::{Error, Result};
use crate::options::Options;
use crate::window::Spec;

/// A window and what its operator sees on padding that holds no pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sliding {
    /// The operator's public name.
    pub op: &'static str,
    /// The window.
    pub spec: Spec,
    /// 0, or −∞ for `max_pool2d`.
    pub padding: f32,
}

impl Sliding {
    /// Reads an operator's options. With `kernelSize` they are those of pooling: `avg_pool2d`'s if `countIncludePad` is
    /// among them, else `max_pool2d`'s. Otherwise they are `conv2d`'s, for a kernel of size `kernel`.
    ///
    /// # Errors
    /// As the operators, and if `kernelSize` is not `kernel`.
    pub fn read(options: &Options, kernel: [usize; 2]) -> Result<Sliding> {
        let (op, spec, padding) = if !options.contains_key("kernelSize") {
            ("conv2d", Spec::parse("conv2d", options, kernel)?, 0.0)
        } else if options.contains_key("countIncludePad") {
            (
                avg_pool2d::OP,
                avg_pool2d::Settings::parse(options)?.window,
                0.0,
            )
        } else {
            (
                max_pool2d::OP,
                max_pool2d::Settings::parse(options)?.window,
                f32::NEG_INFINITY,
            )
        };
        if spec.kernel != kernel {
            let ([h, w], [kh, kw]) = (spec.kernel, kernel);
            let problem =
                format!("kernelSize {h}×{w} is not the size {kh}×{kw} of the kernel given");
            return Err(Error::Other {
                op: op.into(),
                problem,
            });
        }
        Ok(Sliding { op, spec, padding })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Value;

    fn read(options: &[(&str, Value)], kernel: [usize; 2]) -> Result<Sliding> {
        let options = options
            .iter()
            .map(|(name, value)| (name.to_string(), value.clone()))
            .collect();
        Sliding::read(&options, kernel)
    }

    #[test]
    fn options_tell_the_operator() -> Result<()> {
        let conv = read(&[("stride", 2usize.into())], [3, 3])?;
        assert_eq!(
            (conv.op, conv.spec.stride, conv.padding),
            ("conv2d", [2, 2], 0.0)
        );
        let max = read(&[("kernelSize", 2usize.into())], [2, 2])?;
        assert_eq!(
            (max.op, max.spec.stride, max.padding),
            ("max_pool2d", [2, 2], f32::NEG_INFINITY)
        );
        let avg = read(
            &[
                ("kernelSize", 3usize.into()),
                ("countIncludePad", true.into()),
            ],
            [3, 3],
        )?;
        assert_eq!(
            (avg.op, avg.spec.stride, avg.padding),
            ("avg_pool2d", [3, 3], 0.0)
        );
        let message = read(&[("kernelSize", 3usize.into())], [2, 2])
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "max_pool2d: kernelSize 3×3 is not the size 2×2 of the kernel given"
        );
        Ok(())
    }
}
