//! kernelscope: convolutional networks for electron microscopy, computed where the reader can see every product.
//!
//! ```
//! use kernelscope::ops::conv2d::{Inputs, Settings, explain, run};
//! use kernelscope::{kernels, specimen};
//!
//! // Two grains that meet along a vertical and a horizontal boundary, and a detector of vertical ones.
//! let picture = specimen::specimen("two-grains", &Default::default())?.image;
//! let sobel = kernels::kernel("sobel-x")?;
//! let inputs = Inputs { x: &picture, weight: &sobel, bias: None };
//!
//! let map = run(inputs, &Settings::default())?;
//! assert_eq!(map.shape(), [1, 62, 62]); // 64 − 3 + 1
//!
//! // One output value, taken apart: nine products and their sum.
//! let one = explain(inputs, &Settings::default(), &[0, 40, 31])?;
//! assert_eq!(one.terms.len(), 9);
//! assert_eq!(Some(one.value), map.get(&[0, 40, 31]));
//! # Ok::<(), kernelscope::Error>(())
//! ```
//!
//! Imports point one way: [`error`], [`tensor`], [`options`] and [`window`] stand at the bottom, [`ops`] on them;
//! [`graph`], [`models`] and [`weights`] on those; [`receptive`] on windows alone; [`specimen`] and [`files`] use tensors alone; the JavaScript bindings (feature `web`) sit on top.

pub mod analysis;
#[cfg(feature = "gpu")]
pub mod backend;
pub mod baselines;
pub mod challenge;
pub mod crop;
pub mod detector;
pub mod error;
pub mod files;
mod fourier;
pub mod grains;
pub mod graph;
pub mod json;
pub mod kernels;
pub mod knob;
pub mod labels;
pub mod map;
mod math;
pub mod metrics;
pub mod microscope;
pub mod models;
#[cfg(feature = "onnx")]
pub mod network;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod ops;
pub mod options;
mod random;
pub mod receptive;
pub mod shuffle;
mod simd;
pub mod specimen;
pub mod tensor;
#[cfg(feature = "web")]
mod web;
pub mod weights;
pub mod window;

pub use error::{Error, Result};
pub use tensor::Tensor;
