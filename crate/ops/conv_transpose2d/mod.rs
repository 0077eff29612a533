//! `conv_transpose2d`: every input value paints a copy of the kernel, `stride` pixels from the next one
//! (`torch.nn.functional.conv_transpose2d`; "up-convolution").
//!
//! For x of shape (C_in, H, W), weights (C_in, C_out/groups, kh, kw) and bias (C_out):
//! `y[o, sy·i + dy·ky − py, sx·j + dx·kx − px] += x[c, i, j] · w[c, o, ky, kx]`, and the bias at the end. The output has
//! `(H − 1)·s − 2p + d·(k − 1) + outputPadding + 1` rows. Every value is summed in `f32` in the order (c, ky, kx), in the
//! fast path and in [`explain`] alike.

mod cpu;
#[cfg(feature = "gpu")]
pub(super) mod gpu;

use super::common::{shapes, take, wrong_shape};
use super::field::Field;
use super::{Explanation, Images, Reduce, Term};
use crate::error::{Error, Result, tuple};
use crate::options::{Options, Reader};
use crate::tensor::Tensor;

const OP: &str = "conv_transpose2d";
const INPUTS: &str = "x, weight and bias (or none)";

/// The options: `stride` (1), `padding` (0), `outputPadding` (0), `dilation` (1) and `groups` (1), numbers or pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Distance of neighbouring copies of the kernel.
    pub stride: [usize; 2],
    /// Pixels cut off at every side.
    pub padding: [usize; 2],
    /// Pixels added below and right, to choose among the sizes that a stride leaves open.
    pub output_padding: [usize; 2],
    /// Distance of the kernel's taps.
    pub dilation: [usize; 2],
    /// Number of groups of channels that do not see each other.
    pub groups: usize,
}

impl Settings {
    /// Reads the options, missing ones at PyTorch's defaults.
    ///
    /// # Errors
    /// On unknown names and impossible values.
    pub fn parse(options: &Options) -> Result<Settings> {
        let mut reader = Reader::new(OP, options);
        let settings = Settings {
            stride: reader.pair("stride", 1)?.unwrap_or([1, 1]),
            padding: reader.pair("padding", 0)?.unwrap_or([0, 0]),
            output_padding: reader.pair("outputPadding", 0)?.unwrap_or([0, 0]),
            dilation: reader.pair("dilation", 1)?.unwrap_or([1, 1]),
            groups: reader.whole("groups", 1)?.unwrap_or(1),
        };
        for i in 0..2 {
            let limit = settings.stride[i].max(settings.dilation[i]);
            if settings.output_padding[i] >= limit {
                let expected = format!("smaller than the stride or the dilation ({limit})");
                return Err(reader.refuse("outputPadding", expected, settings.output_padding[i]));
            }
        }
        reader.finish()?;
        Ok(settings)
    }
}

/// One axis: which output a tap of an input paints, and the other way round.
#[derive(Clone, Copy)]
struct Axis {
    size: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    padding: usize,
    output: usize,
}

impl Axis {
    /// The output that input `i` paints with tap `k`.
    fn target(&self, i: usize, k: usize) -> Option<usize> {
        (self.stride * i + self.dilation * k)
            .checked_sub(self.padding)
            .filter(|&m| m < self.output)
    }

    /// The input that paints output `m` with tap `k`.
    fn source(&self, m: usize, k: usize) -> Option<usize> {
        let painted = (m + self.padding).checked_sub(self.dilation * k)?;
        (painted % self.stride == 0 && painted / self.stride < self.size)
            .then_some(painted / self.stride)
    }
}

struct Plan {
    images: Images,
    /// Output channels of a group.
    og: usize,
    groups: usize,
    y: Axis,
    x: Axis,
}

impl Plan {
    fn shape(&self) -> Vec<usize> {
        self.images
            .shape(self.og * self.groups, [self.y.output, self.x.output])
    }
}

fn plan(inputs: &[Option<&[usize]>], settings: &Settings) -> Result<Plan> {
    let [x, weight, bias] = take(OP, INPUTS, inputs, 2)?;
    let (x, weight) = (x.unwrap_or_default(), weight.unwrap_or_default());
    let images = Images::of_shape(OP, x)?;
    let &[ci, og, kh, kw] = weight else {
        return Err(wrong_shape(
            OP,
            "weight",
            "(C_in, C_out/groups, kh, kw)",
            weight,
        ));
    };
    let groups = settings.groups;
    if ci != images.c {
        let expected = format!(
            "(C_in, C_out/groups, kh, kw) with C_in = {} for x of shape {}",
            images.c,
            tuple(x)
        );
        return Err(wrong_shape(OP, "weight", expected, weight));
    }
    if ci % groups != 0 {
        let problem = format!("groups must divide C_in = {ci}; got {groups}");
        return Err(Error::Other {
            op: OP.into(),
            problem,
        });
    }
    if let Some(bias) = bias
        && bias != [og * groups]
    {
        return Err(wrong_shape(
            OP,
            "bias",
            format!("(C_out) = ({})", og * groups),
            bias,
        ));
    }
    let axis = |i: usize, size: usize, kernel: usize| {
        let (stride, dilation, padding) = (
            settings.stride[i],
            settings.dilation[i],
            settings.padding[i],
        );
        let full = ((size - 1) as u64 * stride as u64 + (kernel - 1) as u64 * dilation as u64)
            + settings.output_padding[i] as u64
            + 1;
        match full.checked_sub(2 * padding as u64) {
            Some(output) if output > 0 && output <= i32::MAX as u64 => Ok(Axis {
                size,
                kernel,
                stride,
                dilation,
                padding,
                output: output as usize,
            }),
            Some(output) if output > 0 => Err(Error::TooLarge {
                op: OP.into(),
                what: format!("an output of {output} pixels along one axis"),
            }),
            _ => Err(Error::Other {
                op: OP.into(),
                problem: format!("padding {padding} leaves nothing of an output of {full} pixels"),
            }),
        }
    };
    Ok(Plan {
        y: axis(0, images.h, kh)?,
        x: axis(1, images.w, kw)?,
        images,
        og,
        groups,
    })
}

/// (C_out, H_out, W_out), batched as x is.
///
/// # Errors
/// If the shapes do not fit together.
pub fn shape(inputs: &[Option<&[usize]>], settings: &Settings) -> Result<Vec<usize>> {
    Ok(plan(inputs, settings)?.shape())
}

/// The sum of all painted kernels.
///
/// # Errors
/// If the inputs do not fit together, or the output does not fit into memory.
pub fn run(inputs: &[Option<&Tensor>], settings: &Settings) -> Result<Tensor> {
    let plan = plan(&shapes(inputs), settings)?;
    let [x, weight, bias] = take(OP, INPUTS, inputs, 2)?.map(|t| t.map(Tensor::data));
    let mut out = super::zeros(OP, "the output", &plan.shape())?;
    cpu::paint(
        &plan,
        x.unwrap_or_default(),
        weight.unwrap_or_default(),
        bias,
        &mut out,
    );
    Tensor::new(&plan.shape(), out)
}

/// The products of all input values whose kernel covers this output, in the order (c, ky, kx).
///
/// # Errors
/// As [`run`], and if `at` lies outside the output.
pub fn explain(
    inputs: &[Option<&Tensor>],
    settings: &Settings,
    at: &[usize],
) -> Result<Explanation> {
    let plan = plan(&shapes(inputs), settings)?;
    let [x, weight, bias] = take(OP, INPUTS, inputs, 2)?;
    let (x, weight) = (x.expect("checked"), weight.expect("checked"));
    let images = plan.images;
    let [n, o, my, mx] = images.position(OP, &plan.shape(), at)?;
    let per_group = images.c / plan.groups;
    let group = o / plan.og;
    let mut value = 0.0;
    let mut terms = Vec::new();
    for c in group * per_group..(group + 1) * per_group {
        for ky in 0..plan.y.kernel {
            for kx in 0..plan.x.kernel {
                let (Some(i), Some(j)) = (plan.y.source(my, ky), plan.x.source(mx, kx)) else {
                    continue;
                };
                let weight_at = vec![c, o % plan.og, ky, kx];
                let w = weight.get(&weight_at).expect("inside the weights");
                let pixel = x.data()[((n * images.c + c) * images.h + i) * images.w + j];
                value += pixel * w;
                terms.push(Term {
                    at: images.at(n, c, [i as i64, j as i64]),
                    weight_at: Some(weight_at),
                    ..Term::weighted("x", &[], pixel, w)
                });
            }
        }
    }
    let bias = bias.map(|bias| bias.data()[o]);
    Ok(Explanation {
        value: bias.map_or(value, |bias| value + bias),
        reduce: Reduce::Sum,
        bias,
        terms,
    })
}

/// Every input collects the gradients of the outputs it painted.
pub fn backward(
    inputs: &[Option<&Tensor>],
    settings: &Settings,
    gradient: &Tensor,
) -> Result<Tensor> {
    let plan = plan(&shapes(inputs), settings)?;
    let [x, weight, _] = take(OP, INPUTS, inputs, 2)?;
    let (x, weight) = (x.expect("checked"), weight.expect("checked"));
    let mut out = super::zeros(OP, "the gradient", x.shape())?;
    cpu::collect(&plan, gradient.data(), weight.data(), &mut out);
    Tensor::new(x.shape(), out)
}

/// The input values whose kernels cover the outputs.
pub fn field(inputs: &[Option<&[usize]>], settings: &Settings, field: &Field) -> Result<Field> {
    let plan = plan(inputs, settings)?;
    let rank = field.0.len();
    let read = |axis: &Axis, outputs: usize| {
        let mut set = vec![false; axis.size];
        for m in field.indices(outputs) {
            (0..axis.kernel)
                .filter_map(|k| axis.source(m, k))
                .for_each(|i| set[i] = true);
        }
        set
    };
    let (rows, columns) = (read(&plan.y, rank - 2), read(&plan.x, rank - 1));
    let channels = field.groups(plan.groups, plan.images.c);
    Ok(field
        .with(rank - 3, channels)
        .with(rank - 2, rows)
        .with(rank - 1, columns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paints_kernels() -> Result<()> {
        let x = Tensor::new(&[1, 1, 2], vec![1.0, 10.0])?;
        let weight = Tensor::new(&[1, 1, 1, 3], vec![1.0, 2.0, 3.0])?;
        let bias = Tensor::new(&[1], vec![0.5])?;
        let settings = Settings::parse(&[("stride".to_string(), [1usize, 2].into())].into())?;
        let inputs = [Some(&x), Some(&weight), Some(&bias)];
        let y = run(&inputs, &settings)?;
        assert_eq!(y.data(), [1.5, 2.5, 13.5, 20.5, 30.5]);
        let one = explain(&inputs, &settings, &[0, 0, 2])?;
        assert_eq!((one.value, one.terms.len(), one.bias), (13.5, 2, Some(0.5)));
        let gradient = Tensor::new(&[1, 1, 5], vec![0.0, 0.0, 1.0, 0.0, 0.0])?;
        assert_eq!(backward(&inputs, &settings, &gradient)?.data(), [3.0, 1.0]);
        Ok(())
    }

    #[test]
    fn refuses_in_words() {
        let options = [("outputPadding".to_string(), 1usize.into())].into();
        assert_eq!(
            Settings::parse(&options).unwrap_err().to_string(),
            "conv_transpose2d: outputPadding must be smaller than the stride or the dilation (1); got 1"
        );
        let settings = Settings::parse(&[("padding".to_string(), 2usize.into())].into()).unwrap();
        assert_eq!(
            shape(&[Some(&[1, 2, 2]), Some(&[1, 1, 2, 2])], &settings)
                .unwrap_err()
                .to_string(),
            "conv_transpose2d: padding 2 leaves nothing of an output of 3 pixels"
        );
    }
}
