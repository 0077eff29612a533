//! Operators: one folder each, its meaning in `mod.rs` (options, shape rule, [`explain`](Op::explain)) and its fast path in
//! `cpu.rs`. [`Op`] lists them; the matches below are exhaustive, so the compiler says what a new operator still lacks.

pub mod adaptive_avg_pool2d;
pub mod add;
pub mod argmax;
pub mod avg_pool2d;
pub mod batch_norm;
mod common;
pub mod concat;
pub mod conv2d;
pub mod conv_transpose2d;
pub mod crop_to;
pub mod field;
pub mod flatten;
pub mod geometry;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod interpolate;
pub mod leaky_relu;
pub mod linear;
pub mod max_pool2d;
pub mod normalize;
pub mod pad;
pub mod permute;
mod pool;
pub mod reflect_pad;
pub mod relu;
pub mod reshape;
mod reverse;
pub mod sigmoid;
pub mod softmax;

use crate::error::{Error, Result};
use crate::options::Options;
use crate::tensor::Tensor;
use common::only;
use serde::Serialize;
use std::borrow::Cow;

/// An operator with its options.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// `torch.nn.functional.conv2d`, with the padding modes of `torch.nn.Conv2d`.
    Conv2d(conv2d::Settings),
    /// `torch.nn.functional.relu`.
    Relu,
    /// `torch.nn.functional.conv_transpose2d`.
    ConvTranspose2d(conv_transpose2d::Settings),
    /// `torch.nn.functional.interpolate`.
    Interpolate(interpolate::Settings),
    /// `torch.cat`, along this axis.
    Concat(i64),
    /// `torch.add`.
    Add,
    /// `torch.nn.functional.batch_norm` after training, with this ε.
    BatchNorm(f32),
    /// `torch.sigmoid`.
    Sigmoid,
    /// `torch.nn.functional.softmax`, along this axis.
    Softmax(i64),
    /// `torch.nn.functional.leaky_relu`, with this slope.
    LeakyRelu(f32),
    /// `torch.nn.functional.linear`.
    Linear,
    /// `torch.flatten`.
    Flatten(flatten::Settings),
    /// `torch.argmax`, along this axis.
    Argmax(i64),
    /// Grey values as a network was trained on them.
    Normalize(normalize::Settings),
    /// `torch.nn.functional.pad`.
    Pad(pad::Settings),
    /// `torch.permute`, to this order of axes.
    Permute(Vec<usize>),
    /// `torch.reshape`, to this shape.
    Reshape(Vec<usize>),
    /// Mirrored pixels below and to the right, up to a multiple of this number.
    ReflectPad(usize),
    /// The part of a picture that is as large as another.
    CropTo,
    /// `torch.nn.functional.max_pool2d`.
    MaxPool2d(max_pool2d::Settings),
    /// `torch.nn.functional.avg_pool2d`.
    AvgPool2d(avg_pool2d::Settings),
    /// `torch.nn.functional.adaptive_avg_pool2d`.
    AdaptiveAvgPool2d(adaptive_avg_pool2d::Settings),
}

/// The operators' public names.
pub const NAMES: [&str; 22] = [
    "conv2d",
    "relu",
    "conv_transpose2d",
    "interpolate",
    "concat",
    "add",
    "batch_norm",
    "sigmoid",
    "softmax",
    "leaky_relu",
    "linear",
    "flatten",
    "argmax",
    "normalize",
    "pad",
    "permute",
    "reshape",
    "reflect_pad",
    "crop_to",
    "max_pool2d",
    "avg_pool2d",
    "adaptive_avg_pool2d",
];

impl Op {
    /// The operator of this public name with these options, missing ones at PyTorch's defaults.
    ///
    /// # Errors
    /// On an unknown name, an unknown option or an option's impossible value.
    pub fn parse(name: &str, options: &Options) -> Result<Op> {
        match name {
            "conv2d" => conv2d::Settings::parse(options).map(Op::Conv2d),
            "relu" => relu::parse(options).map(|()| Op::Relu),
            "conv_transpose2d" => {
                conv_transpose2d::Settings::parse(options).map(Op::ConvTranspose2d)
            }
            "interpolate" => interpolate::Settings::parse(options).map(Op::Interpolate),
            "concat" => concat::parse(options).map(Op::Concat),
            "add" => add::parse(options).map(|()| Op::Add),
            "batch_norm" => batch_norm::parse(options).map(Op::BatchNorm),
            "sigmoid" => sigmoid::parse(options).map(|()| Op::Sigmoid),
            "softmax" => softmax::parse(options).map(Op::Softmax),
            "leaky_relu" => leaky_relu::parse(options).map(Op::LeakyRelu),
            "linear" => linear::parse(options).map(|()| Op::Linear),
            "flatten" => flatten::Settings::parse(options).map(Op::Flatten),
            "argmax" => argmax::parse(options).map(Op::Argmax),
            "normalize" => normalize::Settings::parse(options).map(Op::Normalize),
            "pad" => pad::Settings::parse(options).map(Op::Pad),
            "permute" => permute::parse(options).map(Op::Permute),
            "reshape" => reshape::parse(options).map(Op::Reshape),
            "reflect_pad" => reflect_pad::parse(options).map(Op::ReflectPad),
            "crop_to" => crop_to::parse(options).map(|()| Op::CropTo),
            "max_pool2d" => max_pool2d::Settings::parse(options).map(Op::MaxPool2d),
            "avg_pool2d" => avg_pool2d::Settings::parse(options).map(Op::AvgPool2d),
            "adaptive_avg_pool2d" => {
                adaptive_avg_pool2d::Settings::parse(options).map(Op::AdaptiveAvgPool2d)
            }
            _ => Err(Error::UnknownName {
                what: "operator",
                name: name.into(),
                known: NAMES.to_vec(),
            }),
        }
    }

    /// Computes the operator, fast. An input that is not given (a bias) is `None`.
    ///
    /// # Errors
    /// On missing inputs and wrong shapes.
    pub fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Tensor> {
        match self {
            Op::Conv2d(settings) => conv2d::run(conv2d::inputs(inputs)?, settings),
            Op::Relu => Ok(relu::run(relu::input(inputs)?)),
            Op::ConvTranspose2d(settings) => conv_transpose2d::run(inputs, settings),
            Op::Interpolate(settings) => interpolate::run(only("interpolate", inputs)?, settings),
            Op::Concat(dim) => concat::run(inputs, *dim),
            Op::Add => add::run(inputs),
            Op::BatchNorm(eps) => batch_norm::run(inputs, *eps),
            Op::Sigmoid => Ok(sigmoid::run(only("sigmoid", inputs)?)),
            Op::Softmax(dim) => softmax::run(only("softmax", inputs)?, *dim),
            Op::LeakyRelu(slope) => Ok(leaky_relu::run(only("leaky_relu", inputs)?, *slope)),
            Op::Linear => linear::run(inputs),
            Op::Flatten(settings) => flatten::run(only("flatten", inputs)?, *settings),
            Op::Argmax(dim) => argmax::run(only("argmax", inputs)?, *dim),
            Op::Normalize(settings) => normalize::run(only("normalize", inputs)?, *settings),
            Op::Pad(settings) => pad::run(only("pad", inputs)?, settings),
            Op::Permute(dims) => permute::run(only("permute", inputs)?, dims),
            Op::Reshape(shape) => reshape::run(only("reshape", inputs)?, shape),
            Op::ReflectPad(multiple) => reflect_pad::run(only("reflect_pad", inputs)?, *multiple),
            Op::CropTo => crop_to::run(inputs),
            Op::MaxPool2d(settings) => max_pool2d::run(max_pool2d::input(inputs)?, settings),
            Op::AvgPool2d(settings) => avg_pool2d::run(avg_pool2d::input(inputs)?, settings),
            Op::AdaptiveAvgPool2d(settings) => {
                adaptive_avg_pool2d::run(adaptive_avg_pool2d::input(inputs)?, settings)
            }
        }
    }

    /// How one value of the output comes about: slow, plain, and the oracle of [`Op::run`].
    ///
    /// # Errors
    /// As [`Op::run`], and if `at` lies outside the output.
    pub fn explain(&self, inputs: &[Option<&Tensor>], at: &[usize]) -> Result<Explanation> {
        match self {
            Op::Conv2d(settings) => conv2d::explain(conv2d::inputs(inputs)?, settings, at),
            Op::Relu => relu::explain(relu::input(inputs)?, at),
            Op::ConvTranspose2d(settings) => conv_transpose2d::explain(inputs, settings, at),
            Op::Interpolate(settings) => {
                interpolate::explain(only("interpolate", inputs)?, settings, at)
            }
            Op::Concat(dim) => concat::explain(inputs, *dim, at),
            Op::Add => add::explain(inputs, at),
            Op::BatchNorm(eps) => batch_norm::explain(inputs, *eps, at),
            Op::Sigmoid => sigmoid::explain(only("sigmoid", inputs)?, at),
            Op::Softmax(dim) => softmax::explain(only("softmax", inputs)?, *dim, at),
            Op::LeakyRelu(slope) => leaky_relu::explain(only("leaky_relu", inputs)?, *slope, at),
            Op::Linear => linear::explain(inputs, at),
            Op::Flatten(settings) => flatten::explain(only("flatten", inputs)?, *settings, at),
            Op::Argmax(dim) => argmax::explain(only("argmax", inputs)?, *dim, at),
            Op::Normalize(settings) => {
                normalize::explain(only("normalize", inputs)?, *settings, at)
            }
            Op::Pad(settings) => pad::explain(only("pad", inputs)?, settings, at),
            Op::Permute(dims) => permute::explain(only("permute", inputs)?, dims, at),
            Op::Reshape(shape) => reshape::explain(only("reshape", inputs)?, shape, at),
            Op::ReflectPad(multiple) => {
                reflect_pad::explain(only("reflect_pad", inputs)?, *multiple, at)
            }
            Op::CropTo => crop_to::explain(inputs, at),
            Op::MaxPool2d(settings) => {
                max_pool2d::explain(max_pool2d::input(inputs)?, settings, at)
            }
            Op::AvgPool2d(settings) => {
                avg_pool2d::explain(avg_pool2d::input(inputs)?, settings, at)
            }
            Op::AdaptiveAvgPool2d(settings) => {
                adaptive_avg_pool2d::explain(adaptive_avg_pool2d::input(inputs)?, settings, at)
            }
        }
    }
}

/// How the terms of an [`Explanation`] become its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Reduce {
    /// They are added, one after the other in `f32`; then the bias, if there is one.
    Sum,
    /// The largest one is taken.
    Max,
    /// The logistic function 1 / (1 + e^−x) of the one term.
    Sigmoid,
    /// e^x of the term at the value's own position, divided by the sum of all terms' e^x.
    Softmax,
    /// The index of the largest one.
    Argmax,
    /// They are added in `f32`, and the sum is divided by their number. Each term's weight says what it contributes.
    Mean,
}

/// One output value and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The output value, equal to the fast path's to the bit.
    pub value: f32,
    /// What is done to the terms.
    pub reduce: Reduce,
    /// Added last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bias: Option<f32>,
    /// The terms in reading order.
    pub terms: Vec<Term>,
}

impl Explanation {
    /// The mean of the terms' values: their sum in order, divided by their number. Gives each term its weight.
    fn mean(mut terms: Vec<Term>) -> Explanation {
        let count = terms.len() as f32;
        let sum: f32 = terms.iter().fold(0.0, |sum, term| sum + term.x);
        for term in &mut terms {
            let w = 1.0 / count;
            (term.w, term.product) = (Some(w), Some(term.x * w));
        }
        Explanation {
            value: sum / count,
            reduce: Reduce::Mean,
            bias: None,
            terms,
        }
    }

    /// The running sums of the terms, one a term, in `f32` and in order, before the bias: what a sum looks like while it is
    /// being added up. Empty where the terms are not added.
    pub fn partials(&self) -> Vec<f32> {
        if self.reduce != Reduce::Sum {
            return Vec::new();
        }
        let mut sum = 0.0;
        let add = |term: &Term| {
            sum += term.product.unwrap_or(term.x);
            sum
        };
        self.terms.iter().map(add).collect()
    }

    /// What each input channel adds to a sum of products over (C, H, W), in the order of the channels. Empty where the terms
    /// are no such products.
    pub fn channel_sums(&self) -> Vec<f32> {
        let mut sums: Vec<(i64, f32)> = Vec::new();
        for term in &self.terms {
            let (Some(product), [.., channel, _, _]) = (term.product, &term.at[..]) else {
                return Vec::new();
            };
            match sums.last_mut() {
                Some((last, sum)) if last == channel => *sum += product,
                _ => sums.push((*channel, product)),
            }
        }
        sums.into_iter().map(|(_, sum)| sum).collect()
    }
}

/// One term of an [`Explanation`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Term {
    /// The input's name: "x", or "zero" for a constant; in a graph the node's name.
    pub input: Cow<'static, str>,
    /// The position in the input, of the input's rank. On padding that holds no pixel its last two numbers are the
    /// coordinates in the padding, negative or beyond the picture.
    pub at: Vec<i64>,
    /// The input's value there (0 on padding).
    pub x: f32,
    /// The weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub w: Option<f32>,
    /// `x · w` in `f32`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<f32>,
    /// The weight's position in the weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_at: Option<Vec<usize>>,
    /// Whether the term lies on padding that holds no pixel.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub padding: bool,
    /// Whether the term is the one that a maximum takes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub won: bool,
}

impl Term {
    /// A value that is taken as it is.
    fn plain(input: impl Into<Cow<'static, str>>, at: &[usize], x: f32) -> Term {
        Term {
            input: input.into(),
            at: at.iter().map(|&i| i as i64).collect(),
            x,
            w: None,
            product: None,
            weight_at: None,
            padding: false,
            won: false,
        }
    }

    /// A value times a weight.
    fn weighted(input: impl Into<Cow<'static, str>>, at: &[usize], x: f32, w: f32) -> Term {
        Term {
            w: Some(w),
            product: Some(x * w),
            ..Term::plain(input, at, x)
        }
    }
}

/// An image or a batch of images: (N, C, H, W) with N = 1 for a tensor of rank 3.
#[derive(Clone, Copy)]
struct Images {
    n: usize,
    c: usize,
    h: usize,
    w: usize,
    batched: bool,
}

impl Images {
    fn of(op: &str, x: &Tensor) -> Result<Images> {
        Images::of_shape(op, x.shape())
    }

    fn of_shape(op: &str, shape: &[usize]) -> Result<Images> {
        match *shape {
            [c, h, w] => Ok(Images {
                n: 1,
                c,
                h,
                w,
                batched: false,
            }),
            [n, c, h, w] => Ok(Images {
                n,
                c,
                h,
                w,
                batched: true,
            }),
            ref got => {
                let expected = "(C, H, W) or (N, C, H, W)".into();
                Err(Error::Shape {
                    op: op.into(),
                    input: "x".into(),
                    expected,
                    got: got.to_vec(),
                })
            }
        }
    }

    /// The shape of an output with `c` channels of `h` × `w`, batched as the input is.
    fn shape(&self, c: usize, [h, w]: [usize; 2]) -> Vec<usize> {
        if self.batched {
            vec![self.n, c, h, w]
        } else {
            vec![c, h, w]
        }
    }

    /// A position in such an output as (n, c, y, x).
    fn position(&self, op: &str, shape: &[usize], at: &[usize]) -> Result<[usize; 4]> {
        check_position(op, shape, at)?;
        Ok(match *at {
            [c, y, x] => [0, c, y, x],
            [n, c, y, x] => [n, c, y, x],
            _ => unreachable!("a checked position has the rank of its shape"),
        })
    }

    /// The value of a pixel.
    fn value(&self, x: &Tensor, [n, c]: [usize; 2], [row, column]: [usize; 2]) -> f32 {
        x.data()[((n * self.c + c) * self.h + row) * self.w + column]
    }

    /// A position in the input, of the input's rank.
    fn at(&self, n: usize, c: usize, [y, x]: [i64; 2]) -> Vec<i64> {
        if self.batched {
            vec![n as i64, c as i64, y, x]
        } else {
            vec![c as i64, y, x]
        }
    }
}

fn check_position(op: &str, shape: &[usize], at: &[usize]) -> Result<()> {
    if at.len() == shape.len() && at.iter().zip(shape).all(|(i, n)| i < n) {
        return Ok(());
    }
    Err(Error::Position {
        op: op.into(),
        of: "output",
        shape: shape.to_vec(),
        got: at.to_vec(),
    })
}

/// A vector of zeros, or an error where the memory does not suffice.
fn zeros(op: &str, what: &str, shape: &[usize]) -> Result<Vec<f32>> {
    let count = crate::tensor::values_of(op, shape)?;
    let mut data = Vec::new();
    if !crate::tensor::lengthen(&mut data, count) {
        return Err(Error::TooLarge {
            op: op.into(),
            what: format!("{what} {}", crate::error::tuple(shape)),
        });
    }
    Ok(data)
}
