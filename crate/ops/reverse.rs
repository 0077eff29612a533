//! What graphs ask of an operator beyond its value: its shape without data, the gradient of its inputs, the field that an
//! output reads, and the names of its parameters.

use super::field::Field;
use super::*;

impl Op {
    /// The operator's public name.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Conv2d(_) => "conv2d",
            Op::Relu => "relu",
            Op::ConvTranspose2d(_) => "conv_transpose2d",
            Op::Interpolate(_) => "interpolate",
            Op::Concat(_) => "concat",
            Op::Add => "add",
            Op::BatchNorm(_) => "batch_norm",
            Op::Sigmoid => "sigmoid",
            Op::Softmax(_) => "softmax",
            Op::LeakyRelu(_) => "leaky_relu",
            Op::Linear => "linear",
            Op::Flatten(_) => "flatten",
            Op::Argmax(_) => "argmax",
            Op::Normalize(_) => "normalize",
            Op::Pad(_) => "pad",
            Op::Permute(_) => "permute",
            Op::Reshape(_) => "reshape",
            Op::ReflectPad(_) => "reflect_pad",
            Op::CropTo => "crop_to",
            Op::MaxPool2d(_) => "max_pool2d",
            Op::AvgPool2d(_) => "avg_pool2d",
            Op::AdaptiveAvgPool2d(_) => "adaptive_avg_pool2d",
        }
    }

    /// The names of the learned inputs that follow the data, and how many of them must be there.
    pub fn parameters(&self) -> (&'static [&'static str], usize) {
        match self {
            Op::Conv2d(_) | Op::ConvTranspose2d(_) | Op::Linear => (&["weight", "bias"], 1),
            Op::BatchNorm(_) => (&["runningMean", "runningVar", "weight", "bias"], 2),
            // In a graph the other summand may be learned.
            Op::Add => (&["other"], 0),
            _ => (&[], 0),
        }
    }

    /// The shape of the output for inputs of these shapes.
    ///
    /// # Errors
    /// On missing inputs and wrong shapes.
    pub fn shape(&self, inputs: &[Option<&[usize]>]) -> Result<Vec<usize>> {
        let x = || only(self.name(), inputs);
        match self {
            Op::Conv2d(settings) => {
                let expected = "x, weight and bias (or none)";
                let [x, weight, bias] = common::take(self.name(), expected, inputs, 2)?;
                conv2d::shape(
                    x.unwrap_or_default(),
                    weight.unwrap_or_default(),
                    bias,
                    settings,
                )
            }
            Op::Relu | Op::Sigmoid | Op::LeakyRelu(_) => Ok(x()?.to_vec()),
            Op::ConvTranspose2d(settings) => conv_transpose2d::shape(inputs, settings),
            Op::Interpolate(settings) => interpolate::shape(x()?, settings),
            Op::Concat(dim) => concat::shape(inputs, *dim),
            Op::Add => add::shape(inputs),
            Op::BatchNorm(_) => batch_norm::shape(inputs),
            Op::Softmax(dim) => softmax::shape(x()?, *dim),
            Op::Linear => linear::shape(inputs),
            Op::Flatten(settings) => flatten::shape(x()?, *settings),
            Op::Argmax(dim) => argmax::shape(x()?, *dim),
            Op::Normalize(_) => normalize::shape(x()?),
            Op::Pad(settings) => pad::shape(x()?, settings),
            Op::Permute(dims) => permute::shape(x()?, dims),
            Op::Reshape(shape) => reshape::shape(x()?, shape),
            Op::ReflectPad(multiple) => reflect_pad::shape(x()?, *multiple),
            Op::CropTo => crop_to::shape(inputs),
            Op::MaxPool2d(settings) => max_pool2d::shape(x()?, settings),
            Op::AvgPool2d(settings) => avg_pool2d::shape(x()?, settings),
            Op::AdaptiveAvgPool2d(settings) => adaptive_avg_pool2d::shape(x()?, settings),
        }
    }

    /// The gradient of the data inputs (not of the parameters), given the output and its gradient; `None` for an input
    /// whose values do not count. Where several values are equally large, the first one gets a maximum's gradient.
    ///
    /// # Errors
    /// On wrong inputs, and for [`Op::Argmax`], whose gradient says nothing.
    pub fn backward(
        &self,
        inputs: &[Option<&Tensor>],
        output: &Tensor,
        gradient: &Tensor,
    ) -> Result<Vec<Option<Tensor>>> {
        let Some(Some(x)) = inputs.first().copied() else {
            return Err(Error::Inputs {
                op: self.name().into(),
                expected: "x and others",
                got: 0,
            });
        };
        let one = match self {
            Op::Conv2d(settings) => conv2d::backward(conv2d::inputs(inputs)?, settings, gradient)?,
            Op::Relu => relu::backward(x, gradient),
            Op::ConvTranspose2d(settings) => {
                conv_transpose2d::backward(inputs, settings, gradient)?
            }
            Op::Interpolate(settings) => interpolate::backward(x, settings, gradient)?,
            Op::Concat(dim) => {
                let parts = concat::backward(inputs, *dim, gradient)?;
                return Ok(parts.into_iter().map(Some).collect());
            }
            Op::Add => return add::backward(inputs, gradient),
            Op::BatchNorm(eps) => batch_norm::backward(inputs, *eps, gradient)?,
            Op::Sigmoid => sigmoid::backward(output, gradient),
            Op::Softmax(dim) => softmax::backward(output, *dim, gradient)?,
            Op::LeakyRelu(slope) => leaky_relu::backward(x, *slope, gradient),
            Op::Linear => linear::backward(inputs, gradient)?,
            Op::Flatten(_) => flatten::backward(x, gradient)?,
            Op::Argmax(_) => {
                let problem =
                    "the number of a class has no gradient; ask for that of the scores".into();
                return Err(Error::Other {
                    op: "argmax".into(),
                    problem,
                });
            }
            Op::Normalize(settings) => normalize::backward(x, *settings, gradient)?,
            Op::Pad(settings) => pad::backward(x, settings, gradient)?,
            Op::Permute(dims) => permute::backward(dims, gradient)?,
            Op::Reshape(_) => flatten::backward(x, gradient)?,
            Op::ReflectPad(_) => reflect_pad::backward(x, gradient)?,
            Op::CropTo => return Ok(vec![Some(crop_to::backward(x, gradient)?), None]),
            Op::MaxPool2d(_) | Op::AvgPool2d(_) | Op::AdaptiveAvgPool2d(_) => {
                self.through_terms(inputs, gradient)?
            }
        };
        Ok(vec![Some(one)])
    }

    /// What the outputs in a field read of each data input.
    ///
    /// # Errors
    /// On wrong shapes.
    pub fn field(&self, inputs: &[Option<&[usize]>], field: &Field) -> Result<Vec<Option<Field>>> {
        let x = inputs.first().copied().flatten().unwrap_or_default();
        let one = match self {
            Op::Conv2d(settings) => conv2d::field(inputs, settings, field)?,
            Op::Relu | Op::Sigmoid | Op::LeakyRelu(_) | Op::BatchNorm(_) => field.clone(),
            Op::ConvTranspose2d(settings) => conv_transpose2d::field(inputs, settings, field)?,
            Op::Interpolate(settings) => interpolate::field(x, settings, field)?,
            Op::Concat(dim) => {
                let parts = concat::field(inputs, *dim, field)?;
                return Ok(parts.into_iter().map(Some).collect());
            }
            Op::Add => return add::field(inputs, field),
            Op::Softmax(dim) => softmax::field(x, *dim, field)?,
            Op::Linear => linear::field(x, field),
            Op::Flatten(settings) => flatten::field(x, *settings, field)?,
            Op::Argmax(dim) => argmax::field(x, *dim, field)?,
            Op::Normalize(_) => normalize::field(field),
            Op::Pad(settings) => pad::field(x, settings, field)?,
            Op::Permute(dims) => permute::field(dims, field),
            Op::Reshape(shape) => reshape::field(x, shape, field)?,
            Op::ReflectPad(_) => reflect_pad::field(x, field)?,
            Op::CropTo => return Ok(vec![Some(crop_to::field(x, field)), None]),
            Op::MaxPool2d(max_pool2d::Settings { window, .. })
            | Op::AvgPool2d(avg_pool2d::Settings { window, .. }) => {
                let (_, window) = pool::plan(self.name(), x, window)?;
                field.through(&window.y, &window.x)
            }
            Op::AdaptiveAvgPool2d(settings) => adaptive(x, settings, field)?,
        };
        Ok(vec![Some(one)])
    }

    /// The gradient of a pooling operator's input, through the explanation of every output whose gradient is not 0: few,
    /// since a gradient starts at one value. A mean gives every term its weight, a maximum all to the term that won.
    fn through_terms(&self, inputs: &[Option<&Tensor>], gradient: &Tensor) -> Result<Tensor> {
        let x = only(self.name(), inputs)?;
        let mut out = zeros(self.name(), "the gradient", x.shape())?;
        for (i, g) in gradient
            .data()
            .iter()
            .enumerate()
            .filter(|(_, g)| **g != 0.0)
        {
            let at = flatten::unravel(i, gradient.shape());
            for term in self.explain(inputs, &at)?.terms {
                let share = term.w.unwrap_or(f32::from(u8::from(term.won)));
                if !term.padding {
                    let place = term.at.iter().zip(x.shape());
                    out[place.fold(0, |i, (&j, n)| i * n + j as usize)] += share * g;
                }
            }
        }
        Tensor::new(x.shape(), out)
    }
}

fn adaptive(x: &[usize], settings: &adaptive_avg_pool2d::Settings, field: &Field) -> Result<Field> {
    let output = adaptive_avg_pool2d::shape(x, settings)?;
    let mut read = field.clone();
    for axis in x.len() - 2..x.len() {
        let mut set = vec![false; x[axis]];
        for i in field.indices(axis) {
            set[adaptive_avg_pool2d::region(i, output[axis], x[axis])].fill(true);
        }
        read.0[axis] = set;
    }
    Ok(read)
}
