//! Reading layers as people write them, and laying them over maps of known size.

use super::step::Step;
use crate::error::{Error, Result};
use crate::options::{Options, Reader, Value};
use crate::window::{Padding, Spec, Window};

/// The kinds of layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Convolution.
    Conv,
    /// Pooling: the largest value.
    MaxPool,
    /// Pooling: the mean.
    AvgPool,
    /// Interpolation to a larger map.
    Upsample,
    /// Transposed convolution.
    ConvTranspose,
    /// Channels of several maps, one after the other.
    Concat,
    /// The sum of several maps.
    Add,
}

const KINDS: [(&str, Kind); 7] = [
    ("conv", Kind::Conv),
    ("maxpool", Kind::MaxPool),
    ("avgpool", Kind::AvgPool),
    ("upsample", Kind::Upsample),
    ("convtranspose", Kind::ConvTranspose),
    ("concat", Kind::Concat),
    ("add", Kind::Add),
];

impl Kind {
    /// The public name.
    pub fn name(self) -> &'static str {
        KINDS
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }

    fn joins(self) -> bool {
        matches!(self, Kind::Concat | Kind::Add)
    }
}

/// A map that a layer may read.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Height and width.
    pub size: [usize; 2],
    /// Number of channels, where it is known.
    pub channels: Option<usize>,
}

/// A layer laid over its inputs.
#[derive(Clone, Debug)]
pub struct Laid {
    /// The name given, or the kind and number: "conv 3".
    pub name: String,
    /// The kind.
    pub kind: Kind,
    /// The maps it reads (0 is the picture, i + 1 the output of layer i).
    pub sources: Vec<usize>,
    /// How each of its outputs hangs on those maps, vertically and horizontally.
    pub steps: [Step; 2],
    /// Size and channels of its output.
    pub output: Size,
    /// Number of parameters, where channels are known.
    pub parameters: Option<usize>,
}

/// Reads layer number `index` and lays it over `maps`, the picture and the outputs of the layers before it.
pub fn lay(index: usize, value: &Value, maps: &[Size]) -> Result<Laid> {
    let Value::Object(options) = value else {
        let problem = format!("layer {index} must be an object with a kind; got {value}");
        return Err(Error::Other {
            op: "receptive field".into(),
            problem,
        });
    };
    let mut reader = Reader::new("receptive field", options);
    let Some(kind) = reader.choice("kind", &KINDS)? else {
        return Err(reader.complain(format!("layer {index} has no kind")));
    };
    let op = format!("layer {index} ({})", kind.name());
    let mut reader = Reader::new(&op, options);
    reader.value("kind");
    let name = match reader.value("name") {
        None => format!("{} {index}", kind.name()),
        Some(Value::Text(name)) => name.clone(),
        Some(other) => return Err(reader.refuse("name", "a word", other)),
    };
    let sources = sources(&mut reader, kind, maps.len() - 1)?;
    let input = maps[sources[0]];
    for &source in &sources[1..] {
        let ([h, w], [oh, ow]) = (input.size, maps[source].size);
        if [h, w] != [oh, ow] {
            return Err(reader.complain(format!(
                "the maps to join must be equally large; got {h}×{w} and {oh}×{ow}"
            )));
        }
    }
    let steps = steps(&mut reader, &op, kind, input.size)?;
    let (channels, parameters) = channels(&mut reader, kind, &sources, maps, options)?;
    reader.finish()?;
    let output = Size {
        size: [steps[0].outputs(), steps[1].outputs()],
        channels,
    };
    Ok(Laid {
        name,
        kind,
        sources,
        steps,
        output,
        parameters,
    })
}

/// The maps a layer reads: the one before it; for a joining layer `from` adds others, for any other it replaces it.
fn sources(reader: &mut Reader<'_>, kind: Kind, before: usize) -> Result<Vec<usize>> {
    let Some(from) = reader.value("from") else {
        return if kind.joins() {
            Err(reader.complain("from must say which layer's output to join".into()))
        } else {
            Ok(vec![before])
        };
    };
    // −1 is the picture, which is map 0.
    let map = |value: &Value| match value {
        Value::Number(n) if n.fract() == 0.0 && (-1.0..before as f64).contains(n) => {
            Some((n + 1.0) as usize)
        }
        _ => None,
    };
    let maps = match from {
        Value::List(list) if kind.joins() && !list.is_empty() => list.iter().map(map).collect(),
        one => map(one).map(|map| vec![map]),
    };
    let Some(maps) = maps else {
        let several = if kind.joins() {
            ", or a list of them"
        } else {
            ""
        };
        return Err(reader.refuse(
            "from",
            format!("the number of an earlier layer (−1: the picture){several}"),
            from,
        ));
    };
    Ok(if kind.joins() {
        [vec![before], maps].concat()
    } else {
        maps
    })
}

fn steps(reader: &mut Reader<'_>, op: &str, kind: Kind, [h, w]: [usize; 2]) -> Result<[Step; 2]> {
    match kind {
        Kind::Concat | Kind::Add => Ok([Step::Same(h), Step::Same(w)]),
        Kind::Conv => {
            let kernel = required(reader, "kernel")?;
            let spec = Spec::read(reader, kernel)?;
            slide(op, [h, w], &spec)
        }
        Kind::MaxPool | Kind::AvgPool => {
            let kernel = required(reader, "kernel")?;
            let stride = reader.pair("stride", 1)?.unwrap_or(kernel);
            let padding = Padding::By(reader.pair("padding", 0)?.unwrap_or([0, 0]));
            let ceil = reader.flag("ceilMode")?.unwrap_or(false);
            let dilation = match kind {
                Kind::MaxPool => reader.pair("dilation", 1)?.unwrap_or([1, 1]),
                _ => [1, 1],
            };
            slide(
                op,
                [h, w],
                &Spec {
                    stride,
                    padding,
                    dilation,
                    ceil,
                    ..Spec::new(kernel)
                },
            )
        }
        Kind::Upsample => {
            let scale = required(reader, "scale")?;
            let linear = reader
                .choice("mode", &[("nearest", false), ("bilinear", true)])?
                .unwrap_or(false);
            let step = |inputs, scale| {
                if linear {
                    Step::Linear { inputs, scale }
                } else {
                    Step::Nearest { inputs, scale }
                }
            };
            checked(reader, [h * scale[0], w * scale[1]])?;
            Ok([step(h, scale[0]), step(w, scale[1])])
        }
        Kind::ConvTranspose => {
            let scale = reader.pair("scale", 1)?;
            let kernel = match reader.pair("kernel", 1)?.or(scale) {
                Some(kernel) => kernel,
                None => return Err(reader.refuse("kernel", RULE, "nothing")),
            };
            let stride = reader.pair("stride", 1)?.or(scale).unwrap_or([1, 1]);
            let padding = reader.pair("padding", 0)?.unwrap_or([0, 0]);
            let extra = reader.pair("outputPadding", 0)?.unwrap_or([0, 0]);
            let dilation = reader.pair("dilation", 1)?.unwrap_or([1, 1]);
            let axis = |i: usize, inputs: usize| {
                if extra[i] >= stride[i].max(dilation[i]) {
                    let rule = "smaller than the stride or the dilation";
                    return Err(reader.refuse("outputPadding", rule, extra[i]));
                }
                let size = [kernel[i], stride[i], dilation[i]];
                Step::spread(inputs, size, [padding[i], extra[i]])
                    .ok_or_else(|| reader.complain("the padding cuts everything away".into()))
            };
            let steps = [axis(0, h)?, axis(1, w)?];
            checked(reader, [steps[0].outputs(), steps[1].outputs()])?;
            Ok(steps)
        }
    }
}

const RULE: &str = "a whole number of at least 1 or a pair of them";

fn required(reader: &mut Reader<'_>, name: &'static str) -> Result<[usize; 2]> {
    match reader.pair(name, 1)? {
        Some(pair) => Ok(pair),
        None => Err(reader.refuse(name, RULE, "nothing")),
    }
}

fn slide(op: &str, input: [usize; 2], spec: &Spec) -> Result<[Step; 2]> {
    let window = Window::new(op, input, spec)?;
    Ok([Step::Slide(window.y), Step::Slide(window.x)])
}

/// Refuses maps that no picture needs.
fn checked(reader: &Reader<'_>, [h, w]: [usize; 2]) -> Result<()> {
    let largest = crate::options::LARGEST;
    if h > largest || w > largest {
        return Err(reader.complain(format!("a map of {h}×{w} is too large")));
    }
    Ok(())
}

/// Channels of the output, and parameters: kh·kw·C_in·C_out, and C_out biases unless `bias` is false.
fn channels(
    reader: &mut Reader<'_>,
    kind: Kind,
    sources: &[usize],
    maps: &[Size],
    options: &Options,
) -> Result<(Option<usize>, Option<usize>)> {
    let inputs: Option<Vec<usize>> = sources
        .iter()
        .map(|&source| maps[source].channels)
        .collect();
    let first = maps[sources[0]].channels;
    match kind {
        Kind::Concat => Ok((inputs.map(|all| all.iter().sum()), Some(0))),
        Kind::Add | Kind::MaxPool | Kind::AvgPool | Kind::Upsample => Ok((first, Some(0))),
        Kind::Conv | Kind::ConvTranspose => {
            let channels = reader.whole("channels", 1)?;
            let groups = reader.whole("groups", 1)?.unwrap_or(1);
            let bias = reader.flag("bias")?.unwrap_or(true);
            let mut sizes = Reader::new("", options);
            let kernel = sizes
                .pair("kernel", 1)?
                .or(sizes.pair("scale", 1)?)
                .unwrap_or([1, 1]);
            if let Some((inputs, outputs)) = first.zip(channels)
                && (inputs % groups != 0 || outputs % groups != 0)
            {
                return Err(reader.complain(format!(
                    "groups must divide {inputs} and {outputs} channels; got {groups}"
                )));
            }
            let weights =
                |inputs: usize, outputs: usize| kernel[0] * kernel[1] * (inputs / groups) * outputs;
            let count =
                |(inputs, outputs)| weights(inputs, outputs) + if bias { outputs } else { 0 };
            Ok((channels, first.zip(channels).map(count)))
        }
    }
}
