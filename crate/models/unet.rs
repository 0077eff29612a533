//! U-Nets (Ronneberger, Fischer and Brox, MICCAI 2015) of any depth and width, with padding that keeps sizes.
//!
//! Nodes: `image`, (`normalized`), `padded`; on level 1, 2, … `enc1.conv1`, (`enc1.norm1`), `enc1.relu1`, `enc1.conv2`, …,
//! `enc1.relu2`, `pool1`; `bottleneck.…`; upwards `up2`, `cat2` (with skips: first the skip, then the upsampled maps),
//! `dec2.conv1` … `dec2.relu2`; `cropped`, `logits`, `probabilities`.

use super::Blueprint;
use crate::error::{Error, Result};
use crate::options::{Options, Value};

/// How the decoder doubles sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Up {
    /// Pixels repeated.
    Nearest,
    /// Pixels mixed.
    Bilinear,
    /// A learned 2×2 kernel painted by every pixel; halves the channels.
    Transposed,
}

/// What a U-Net is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Unet {
    /// Channels of the levels, from the top; the last entry is the bottleneck.
    pub channels: Vec<usize>,
    /// Output classes; one class gets a sigmoid, several a softmax.
    pub classes: usize,
    /// Channels of the image.
    pub in_channels: usize,
    /// How sizes double.
    pub up: Up,
    /// Whether maps of the encoder are handed over to the decoder.
    pub skips: bool,
    /// Whether a batch norm follows each convolution.
    pub norm: bool,
    /// Options of the `normalize` node, if there is to be one.
    pub normalize: Option<Options>,
}

impl Default for Unet {
    fn default() -> Self {
        Unet {
            channels: vec![8, 16, 32],
            classes: 2,
            in_channels: 1,
            up: Up::Nearest,
            skips: true,
            norm: false,
            normalize: None,
        }
    }
}

impl Unet {
    /// The network's nodes and parameter shapes.
    ///
    /// # Errors
    /// Without channels, beyond twelve levels, or with a number that is 0 or above 2¹⁶.
    pub fn blueprint(&self) -> Result<Blueprint> {
        let numbers = self
            .channels
            .iter()
            .chain([&self.classes, &self.in_channels]);
        let wrong = numbers.clone().find(|n| !(1..=1 << 16).contains(*n));
        if self.channels.is_empty() || self.channels.len() > 13 || wrong.is_some() {
            return Err(Error::Option {
                op: "unet".into(),
                name: "channels".into(),
                expected: "1 to 13 levels, all numbers from 1 to 65536".into(),
                got: format!("{:?}", self.channels),
            });
        }
        let mut plan = Blueprint::new(self.in_channels);
        if let Some(options) = &self.normalize {
            let options: Vec<_> = options
                .iter()
                .map(|(name, value)| (name.as_str(), value.clone()))
                .collect();
            plan.then("normalized", "normalize", &options);
        }
        let depth = self.channels.len() - 1;
        plan.then(
            "padded",
            "reflect_pad",
            &[("multiple", (1usize << depth).into())],
        );
        let mut came = self.in_channels;
        for (level, &went) in self.channels[..depth].iter().enumerate() {
            self.block(&mut plan, &format!("enc{}", level + 1), came, went);
            plan.then(
                &format!("pool{}", level + 1),
                "max_pool2d",
                &[("kernelSize", 2usize.into())],
            );
            came = went;
        }
        self.block(&mut plan, "bottleneck", came, self.channels[depth]);
        for level in (1..=depth).rev() {
            let (mut below, here) = (self.channels[level], self.channels[level - 1]);
            let up = format!("up{level}");
            match self.up {
                Up::Transposed => {
                    plan.then(&up, "conv_transpose2d", &[("stride", 2usize.into())]);
                    plan.learn(&[("weight", &[below, here, 2, 2]), ("bias", &[here])]);
                    below = here;
                }
                Up::Nearest => {
                    plan.then(
                        &up,
                        "interpolate",
                        &[("scaleFactor", 2usize.into()), ("mode", "nearest".into())],
                    );
                }
                Up::Bilinear => {
                    let options = [
                        ("scaleFactor", 2usize.into()),
                        ("mode", "bilinear".into()),
                        ("alignCorners", false.into()),
                    ];
                    plan.then(&up, "interpolate", &options);
                }
            }
            if self.skips {
                let skip = format!("enc{level}.relu2");
                plan.from(
                    &format!("cat{level}"),
                    "concat",
                    &[&skip, &up],
                    &[("dim", Value::Number(-3.0))],
                );
                below += here;
            }
            self.block(&mut plan, &format!("dec{level}"), below, here);
        }
        let last = plan.last();
        plan.from("cropped", "crop_to", &[&last, "image"], &[]);
        plan.conv("logits", [self.channels[0], self.classes], 1, &[]);
        match self.classes {
            1 => plan.then("probabilities", "sigmoid", &[]),
            _ => plan.then("probabilities", "softmax", &[("dim", Value::Number(-3.0))]),
        }
        Ok(plan)
    }

    fn block(&self, plan: &mut Blueprint, name: &str, came: usize, went: usize) {
        for (i, came) in [(1, came), (2, went)] {
            plan.conv(
                &format!("{name}.conv{i}"),
                [came, went],
                3,
                &[("padding", 1usize.into())],
            );
            if self.norm {
                plan.norm(&format!("{name}.norm{i}"), went);
            }
            plan.then(&format!("{name}.relu{i}"), "relu", &[]);
        }
    }
}
