//! Operators that slide a window: `Conv`, `ConvTranspose`, `MaxPool`, `AveragePool`, and means over everything.

use crate::error::Result;
use crate::onnx::lower::{Map, Work};
use crate::options::Value;

/// The largest kernel, stride, dilation and padding that is taken from a file.
const LARGEST: i64 = 4096;

fn pair(list: [usize; 2]) -> Value {
    list.into()
}

/// Two whole numbers of an attribute, one an axis.
fn read_pair(work: &Work<'_, '_>, name: &'static str, min: i64) -> Result<Option<[usize; 2]>> {
    let Some(list) = work.node.ints(name)? else {
        return Ok(None);
    };
    match list[..] {
        [y, x] if [y, x].iter().all(|n| (min..=LARGEST).contains(n)) => {
            Ok(Some([y as usize, x as usize]))
        }
        _ => Err(work.wrong(format!(
            "has {name} {list:?}; supported are two numbers from {min} to {LARGEST}, for pictures"
        ))),
    }
}

/// The window of a node, whose padding may follow from the picture's size.
struct Frame {
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    /// [[above, below], [left, right]]
    pads: [[usize; 2]; 2],
    /// What fills the padding automatically, if anything.
    auto: Auto,
}

#[derive(Clone, Copy, PartialEq)]
enum Auto {
    Off,
    Valid,
    Upper,
    Lower,
}

fn frame(work: &Work<'_, '_>, kernel: [usize; 2]) -> Result<Frame> {
    let auto =
        match work.node.text("auto_pad", "NOTSET")? {
            "NOTSET" | "" => Auto::Off,
            "VALID" => Auto::Valid,
            "SAME_UPPER" => Auto::Upper,
            "SAME_LOWER" => Auto::Lower,
            other => return Err(work.wrong(format!(
                "has auto_pad \"{other}\"; supported are NOTSET, VALID, SAME_UPPER and SAME_LOWER"
            ))),
        };
    let given = work.node.ints("pads")?.unwrap_or_else(|| vec![0; 4]);
    let pads =
        match given[..] {
            [top, left, bottom, right] if given.iter().all(|n| (0..=LARGEST).contains(n)) => {
                [[top, bottom], [left, right]].map(|sides| sides.map(|n| n as usize))
            }
            _ => return Err(work.wrong(format!(
                "has pads {given:?}; supported are four numbers from 0 to {LARGEST}, for pictures"
            ))),
        };
    let frame = Frame {
        kernel,
        stride: read_pair(work, "strides", 1)?.unwrap_or([1, 1]),
        dilation: read_pair(work, "dilations", 1)?.unwrap_or([1, 1]),
        pads: if auto == Auto::Off { pads } else { [[0; 2]; 2] },
        auto,
    };
    if auto != Auto::Off && given.iter().any(|&n| n != 0) {
        return Err(work.wrong("has both pads and auto_pad"));
    }
    Ok(frame)
}

impl Frame {
    /// The padding for a picture of this size.
    fn sides(&self, size: [usize; 2]) -> [[usize; 2]; 2] {
        if !matches!(self.auto, Auto::Upper | Auto::Lower) {
            return self.pads;
        }
        [0, 1].map(|i| {
            let span = self.dilation[i] * (self.kernel[i] - 1) + 1;
            let outputs = size[i].div_ceil(self.stride[i]);
            split(
                ((outputs - 1) * self.stride[i] + span).saturating_sub(size[i]),
                self.auto,
            )
        })
    }
}

/// Divides an amount between both ends.
fn split(total: usize, auto: Auto) -> [usize; 2] {
    let (small, large) = (total / 2, total - total / 2);
    if auto == Auto::Lower {
        [large, small]
    } else {
        [small, large]
    }
}

/// Padding as the crate's options say it.
fn padding(sides: [[usize; 2]; 2], half: Option<[usize; 2]>) -> Value {
    let [[top, bottom], [left, right]] = sides;
    let even = top == bottom && left == right;
    if even && half.is_none_or(|[y, x]| top <= y / 2 && left <= x / 2) {
        return pair([top, left]);
    }
    [[top, bottom], [left, right]].into()
}

/// The kernel's size must be what the weights say.
fn kernel_of(work: &Work<'_, '_>, weight: &[usize]) -> Result<[usize; 2]> {
    let &[_, _, kh, kw] = weight else {
        return Err(work.wrong(format!(
            "has weights of shape {}; supported are (…, …, kh, kw): convolutions of pictures, not of signals or volumes",
            crate::error::tuple(weight)
        )));
    };
    match read_pair(work, "kernel_shape", 1)? {
        Some(kernel) if kernel != [kh, kw] => Err(work.wrong(format!(
            "has the kernel_shape {kernel:?}, but weights of {kh}×{kw}"
        ))),
        _ => Ok([kh, kw]),
    }
}

fn groups(work: &Work<'_, '_>) -> Result<usize> {
    let groups = work.node.int("group", 1)?;
    usize::try_from(groups)
        .ok()
        .filter(|&n| (1..=1 << 20).contains(&n))
        .ok_or_else(|| work.wrong(format!("has group {groups}")))
}

pub fn conv(work: &mut Work<'_, '_>) -> Result<Map> {
    let x = work.map(0)?;
    let size = work.picture(&x)?;
    let weight = work.weight(1)?;
    let bias = work.optional_weight(2)?;
    let frame = frame(work, kernel_of(work, weight.shape())?)?;
    let options = [
        ("stride", pair(frame.stride)),
        ("padding", padding(frame.sides(size), None)),
        ("dilation", pair(frame.dilation)),
        ("groups", groups(work)?.into()),
    ];
    let mut parameters = vec![("weight", weight)];
    parameters.extend(bias.map(|bias| ("bias", bias)));
    work.simple("conv2d", &x, &options, &parameters)
}

pub fn conv_transpose(work: &mut Work<'_, '_>) -> Result<Map> {
    let x = work.map(0)?;
    let size = work.picture(&x)?;
    let weight = work.weight(1)?;
    let bias = work.optional_weight(2)?;
    let frame = frame(work, kernel_of(work, weight.shape())?)?;
    let extra = read_pair(work, "output_padding", 0)?.unwrap_or([0, 0]);
    let wanted = match read_pair(work, "output_shape", 1)? {
        Some(wanted) => Some(wanted),
        None if matches!(frame.auto, Auto::Upper | Auto::Lower) => {
            Some([0, 1].map(|i| size[i] * frame.stride[i]))
        }
        None => None,
    };
    // What is cut off at both ends of each axis, and what is added at the lower one.
    let (mut cut, mut added) = (frame.pads, extra);
    if let Some(wanted) = wanted {
        for i in 0..2 {
            let full = frame.stride[i] * (size[i] - 1)
                + frame.dilation[i] * (frame.kernel[i] - 1)
                + 1
                + extra[i];
            cut[i] = split(
                full.saturating_sub(wanted[i]),
                if frame.auto == Auto::Upper {
                    Auto::Upper
                } else {
                    Auto::Lower
                },
            );
            added[i] += wanted[i].saturating_sub(full);
        }
    }
    let even = cut.iter().all(|[before, after]| before == after);
    let fits = |i: usize| added[i] < frame.stride[i].max(frame.dilation[i]);
    let direct = even && fits(0) && fits(1);
    // Uneven cuts are made by a node of their own; what is added then makes up for what is cut.
    let (inner, rest) = if direct {
        ([cut[0][0], cut[1][0]], [[0; 2]; 2])
    } else {
        let rest = [0, 1].map(|i| [cut[i][0], cut[i][1].saturating_sub(added[i])]);
        for i in 0..2 {
            added[i] = added[i].saturating_sub(cut[i][1]);
        }
        ([0, 0], rest)
    };
    let options = [
        ("stride", pair(frame.stride)),
        ("padding", pair(inner)),
        ("outputPadding", pair(added)),
        ("dilation", pair(frame.dilation)),
        ("groups", groups(work)?.into()),
    ];
    let mut parameters = vec![("weight", weight)];
    parameters.extend(bias.map(|bias| ("bias", bias)));
    if rest == [[0; 2]; 2] {
        return work.simple("conv_transpose2d", &x, &options, &parameters);
    }
    let y = work.emit(
        "whole",
        "conv_transpose2d",
        &[&x],
        &options,
        &parameters,
        x.single,
    )?;
    let [[top, bottom], [left, right]] = rest.map(|sides| sides.map(|n| -(n as f64)));
    work.simple(
        "pad",
        &y,
        &[("pad", [left, right, top, bottom].into())],
        &[],
    )
}

fn pooled(work: &Work<'_, '_>, x: &Map) -> Result<(Frame, Vec<(&'static str, Value)>)> {
    let size = work.picture(x)?;
    let kernel =
        read_pair(work, "kernel_shape", 1)?.ok_or_else(|| work.wrong("lacks its kernel_shape"))?;
    let frame = frame(work, kernel)?;
    let ceil = work.node.int("ceil_mode", 0)? != 0;
    let options = vec![
        ("kernelSize", pair(kernel)),
        ("stride", pair(frame.stride)),
        ("padding", padding(frame.sides(size), Some(kernel))),
        // Automatic padding already rounds up.
        (
            "ceilMode",
            (ceil && frame.auto != Auto::Upper && frame.auto != Auto::Lower).into(),
        ),
    ];
    Ok((frame, options))
}

pub fn max_pool(work: &mut Work<'_, '_>) -> Result<Map> {
    work.one_output("the indices of the maxima")?;
    let x = work.map(0)?;
    let (frame, mut options) = pooled(work, &x)?;
    options.push(("dilation", pair(frame.dilation)));
    work.node.int("storage_order", 0)?;
    work.simple("max_pool2d", &x, &options, &[])
}

pub fn average_pool(work: &mut Work<'_, '_>) -> Result<Map> {
    let x = work.map(0)?;
    let (frame, mut options) = pooled(work, &x)?;
    if frame.dilation != [1, 1] {
        return Err(work.wrong(format!(
            "has dilations {:?}; supported is 1",
            frame.dilation
        )));
    }
    let include = work.node.int("count_include_pad", 0)? != 0;
    options.push(("countIncludePad", include.into()));
    work.simple("avg_pool2d", &x, &options, &[])
}

pub fn global_average_pool(work: &mut Work<'_, '_>) -> Result<Map> {
    let x = work.map(0)?;
    work.picture(&x)?;
    work.simple(
        "adaptive_avg_pool2d",
        &x,
        &[("outputSize", 1usize.into())],
        &[],
    )
}

/// What PyTorch makes of a mean over rows and columns.
pub fn reduce_mean(work: &mut Work<'_, '_>) -> Result<Map> {
    let x = work.map(0)?;
    work.picture(&x)?;
    let axes = if work.opset() < 18 {
        work.node.ints("axes")?
    } else {
        let known = work.constant(1)?;
        known.and_then(|axes| axes.as_ints()).map(<[i64]>::to_vec)
    };
    let mut axes = axes.unwrap_or_default();
    axes.iter_mut()
        .for_each(|axis| *axis += if *axis < 0 { 4 } else { 0 });
    axes.sort_unstable();
    work.node.int("noop_with_empty_axes", 0)?;
    if axes != [2, 3] {
        return Err(work.wrong(format!(
            "takes the mean over the axes {axes:?}; supported is that over rows and columns, [2, 3]"
        )));
    }
    let keep = work.node.int("keepdims", 1)? != 0;
    let options = [("outputSize", 1usize.into())];
    if keep {
        return work.simple("adaptive_avg_pool2d", &x, &options, &[]);
    }
    let mean = work.emit(
        "mean",
        "adaptive_avg_pool2d",
        &[&x],
        &options,
        &[],
        x.single,
    )?;
    let full = mean.full[..2].to_vec();
    work.reshape("", &mean, &full)
}
