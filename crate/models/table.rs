//! Layer tables: parameters, memory and work of every layer, from shapes alone.

use super::{Blueprint, Unet, Up, classic};
use crate::error::{Error, Result};
use crate::ops::Op;
use crate::options::{Options, Reader, Value, whole};
use serde::Serialize;
use std::collections::BTreeMap;

const OP: &str = "layer_table";

/// A row of a layer table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Layer {
    /// The node's name.
    pub name: String,
    /// The operator.
    pub op: String,
    /// The shape of its output.
    pub output: Vec<usize>,
    /// Learned numbers.
    pub parameters: u64,
    /// Bytes of its output in `f32`.
    pub bytes: u64,
    /// Floating-point operations; a multiplication with its addition counts as two.
    pub flops: u64,
}

/// The table of a network for an image of this shape.
///
/// # Errors
/// If the image does not suit the network.
pub fn layers(plan: &Blueprint, input: &[usize]) -> Result<Vec<Layer>> {
    let mut sizes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut rows = Vec::new();
    for node in &plan.nodes {
        let (mut parameters, mut flops, mut output) = (0, 0, input.to_vec());
        if node.op != "input" {
            let op = Op::parse(&node.op, &node.attributes)?;
            let (slots, _) = op.parameters();
            let shape = |slot: &&str| {
                plan.shapes
                    .get(&format!("{}.{slot}", node.name))
                    .map(Vec::as_slice)
            };
            let learned: Vec<_> = slots.iter().map(shape).collect();
            let maps = node
                .inputs
                .iter()
                .map(|name| sizes.get(name.as_str()).map(Vec::as_slice));
            let inputs: Vec<_> = maps.chain(learned.iter().copied()).collect();
            output = op.shape(&inputs)?;
            let x = inputs[0].unwrap_or_default();
            flops = work(
                &op,
                x,
                &output,
                learned.first().copied().flatten(),
                learned.len() > 1 && learned[1].is_some(),
            );
            let counted = slots
                .iter()
                .zip(&learned)
                .filter(|(slot, _)| !slot.starts_with("running"));
            parameters = counted.filter_map(|(_, shape)| *shape).map(product).sum();
            // A build that lies miscounts every layer that learns.
            if cfg!(feature = "sabotage") && parameters > 0 {
                parameters += 1;
            }
        }
        rows.push(Layer {
            name: node.name.clone(),
            op: node.op.clone(),
            parameters,
            bytes: 4 * product(&output),
            flops,
            output: output.clone(),
        });
        sizes.insert(&node.name, output);
    }
    Ok(rows)
}

fn product(shape: &[usize]) -> u64 {
    shape.iter().map(|&n| n as u64).product()
}

/// Operations of one layer: 2 for every product of a sum, 1 for every other value that is looked at or added.
fn work(op: &Op, x: &[usize], output: &[usize], weight: Option<&[usize]>, bias: bool) -> u64 {
    let outputs = product(output);
    let biases = if bias { outputs } else { 0 };
    match op {
        Op::Conv2d(_) => 2 * outputs * weight.map_or(0, |w| product(&w[1..])) + biases,
        Op::ConvTranspose2d(_) => 2 * product(x) * weight.map_or(0, |w| product(&w[1..])) + biases,
        Op::Linear => 2 * outputs * weight.map_or(0, |w| w[1] as u64) + biases,
        Op::BatchNorm(_) | Op::Normalize(_) => 2 * outputs,
        Op::MaxPool2d(_) | Op::AvgPool2d(_) | Op::AdaptiveAvgPool2d(_) | Op::Argmax(_) => {
            product(x)
        }
        Op::Relu | Op::LeakyRelu(_) | Op::Add => outputs,
        Op::Sigmoid | Op::Softmax(_) => 3 * outputs,
        Op::Interpolate(settings) => match settings.mode {
            crate::ops::interpolate::Mode::Nearest => 0,
            crate::ops::interpolate::Mode::Bilinear => 8 * outputs,
        },
        Op::Concat(_)
        | Op::Flatten(_)
        | Op::Permute(_)
        | Op::Reshape(_)
        | Op::Pad(_)
        | Op::ReflectPad(_)
        | Op::CropTo => 0,
    }
}

/// LeNet-5 as published: pooling with a trained factor and bias a map, and a second convolution whose maps each see only
/// some of the first ones (six see 3, nine see 4, one sees 6). Its output layer compares with fixed codes.
pub fn lenet5_published() -> Vec<Layer> {
    let row = |name: &str, op: &str, output: &[usize], parameters: u64, products: u64| Layer {
        name: name.into(),
        op: op.into(),
        output: output.to_vec(),
        parameters,
        bytes: 4 * product(output),
        flops: 2 * products + product(output),
    };
    let seen = 6 * 3 + 9 * 4 + 6; // maps of S2 that the maps of C3 see, in all
    vec![
        row("image", "input", &[1, 32, 32], 0, 0),
        row("C1", "conv2d", &[6, 28, 28], 6 * (25 + 1), 6 * 28 * 28 * 25),
        row(
            "S2",
            "pooling with factor and bias",
            &[6, 14, 14],
            6 * 2,
            6 * 14 * 14 * 4,
        ),
        row(
            "C3",
            "sparse conv2d",
            &[16, 10, 10],
            seen * 25 + 16,
            seen * 25 * 100,
        ),
        row(
            "S4",
            "pooling with factor and bias",
            &[16, 5, 5],
            16 * 2,
            16 * 25 * 4,
        ),
        row("C5", "conv2d", &[120, 1, 1], 120 * (16 * 25 + 1), 120 * 400),
        row("F6", "linear", &[84], 84 * (120 + 1), 84 * 120),
        row("output", "distance to fixed codes", &[10], 0, 84 * 10),
    ]
}

/// The names that [`parse`] knows.
const NETWORKS: [&str; 12] = [
    "unet",
    "unet-original",
    "conv2d",
    "lenet5",
    "lenet5-published",
    "blocks",
    "strided",
    "tiny",
    "plain",
    "residual",
    "alexnet",
    "resnet50",
];

/// The blueprint and the usual image of a network with a fixed design.
pub fn named(name: &str) -> Option<(Blueprint, [usize; 3])> {
    Some(match name {
        "lenet5" => (classic::lenet5(), [1, 32, 32]),
        "alexnet" => (classic::alexnet(), [3, 227, 227]),
        "resnet50" => (classic::resnet50(), [3, 224, 224]),
        "unet-original" => {
            let channels = vec![64, 128, 256, 512, 1024];
            let unet = Unet {
                channels,
                up: Up::Transposed,
                ..Unet::default()
            };
            (unet.blueprint().ok()?, [1, 512, 512])
        }
        _ => return None,
    })
}

/// The layer table of a specification: `network` (a name), `input` [H, W], and for "unet": `channels` (the last entry is
/// the bottleneck), `up`, `skips`, `norm`, `classes`, `inChannels`; for "conv2d": `in`, `out`, `kernel`; for "blocks" and "strided":
/// `channels`; for "plain" and "residual": `width`, `blocks`.
///
/// # Errors
/// On unknown names and impossible values.
pub fn parse(spec: &Options) -> Result<Vec<Layer>> {
    match plan(spec)? {
        Some((plan, image)) => layers(&plan, &image),
        None => Ok(lenet5_published()),
    }
}

/// The blueprint and the image of a specification as [`parse`] reads it; none for the published LeNet-5, whose sparse third layer is no
/// operator.
pub(super) fn plan(spec: &Options) -> Result<Option<(Blueprint, [usize; 3])>> {
    let mut reader = Reader::new(OP, spec);
    let name = match reader.value("network") {
        Some(Value::Text(name)) => name.clone(),
        None => "unet".into(),
        Some(other) => return Err(reader.refuse("network", NETWORKS.join(", "), other)),
    };
    let input = reader.pair("input", 1)?;
    if let Some((plan, [c, h, w])) = named(&name) {
        reader.finish()?;
        let [h, w] = input.unwrap_or([h, w]);
        return Ok(Some((plan, [c, h, w])));
    }
    let (plan, c) = match name.as_str() {
        "lenet5-published" => {
            reader.finish()?;
            return Ok(None);
        }
        "unet" => {
            let unet = read_unet(&mut reader)?;
            (unet.blueprint()?, unet.in_channels)
        }
        "conv2d" => {
            let mut number =
                |name, default| Ok::<_, Error>(reader.whole(name, 1)?.unwrap_or(default));
            let (came, went, kernel) = (number("in", 1)?, number("out", 1)?, number("kernel", 3)?);
            (classic::conv([came, went], kernel), came)
        }
        "blocks" | "strided" => {
            let channels = read_channels(&mut reader)?.unwrap_or(vec![64, 128, 256, 512]);
            let build = if name == "blocks" {
                classic::blocks
            } else {
                classic::strided
            };
            (build(&channels), 1)
        }
        "tiny" => (classic::tiny(1, 2), 1),
        "plain" | "residual" => {
            let width = reader.whole("width", 1)?.unwrap_or(8);
            let blocks = reader.whole("blocks", 1)?.unwrap_or(3);
            if blocks > 1000 {
                return Err(reader.refuse("blocks", "at most 1000", blocks));
            }
            let build = if name == "plain" {
                classic::plain
            } else {
                classic::residual
            };
            (build(width, blocks), 1)
        }
        _ => {
            return Err(Error::UnknownName {
                what: "network",
                name,
                known: NETWORKS.to_vec(),
            });
        }
    };
    reader.finish()?;
    let [h, w] = input.unwrap_or([256, 256]);
    Ok(Some((plan, [c, h, w])))
}

/// The list `channels`, where there is one.
fn read_channels(reader: &mut Reader<'_>) -> Result<Option<Vec<usize>>> {
    let expected = "a list of whole numbers of at least 1";
    match reader.value("channels") {
        None => Ok(None),
        Some(Value::List(list)) if !list.is_empty() => {
            let numbers: Option<Vec<usize>> = list.iter().map(|n| whole(n, 1)).collect();
            let refused = || reader.refuse("channels", expected, Value::List(list.clone()));
            numbers.ok_or_else(refused).map(Some)
        }
        Some(other) => Err(reader.refuse("channels", expected, other)),
    }
}

fn read_unet(reader: &mut Reader<'_>) -> Result<Unet> {
    let plain = Unet::default();
    let channels = read_channels(reader)?.unwrap_or(plain.channels.clone());
    let ups = [
        ("nearest", Up::Nearest),
        ("bilinear", Up::Bilinear),
        ("transposed", Up::Transposed),
    ];
    Ok(Unet {
        channels,
        up: reader.choice("up", &ups)?.unwrap_or(plain.up),
        skips: reader.flag("skips")?.unwrap_or(plain.skips),
        norm: reader.flag("norm")?.unwrap_or(plain.norm),
        classes: reader.whole("classes", 1)?.unwrap_or(plain.classes),
        in_channels: reader.whole("inChannels", 1)?.unwrap_or(plain.in_channels),
        normalize: None,
    })
}

#[cfg(all(test, not(feature = "sabotage")))]
mod tests {
    use super::*;

    fn count(text: &str) -> u64 {
        let Value::Object(spec) = crate::json::parse(text).expect("JSON") else {
            panic!("an object");
        };
        parse(&spec)
            .expect(text)
            .iter()
            .map(|layer| layer.parameters)
            .sum()
    }

    #[test]
    fn counts_are_the_published_ones() {
        for (spec, expected) in [
            (r#"{"network":"conv2d","in":64,"out":128}"#, 73_856),
            (r#"{"network":"lenet5"}"#, 61_706),
            (r#"{"network":"lenet5-published"}"#, 60_000),
            (r#"{"network":"unet"}"#, 29_626),
            (
                r#"{"channels":[32,64,128,256,512],"up":"transposed","classes":1}"#,
                7_759_521,
            ),
            (
                r#"{"channels":[32,64,128,256],"up":"transposed","classes":1}"#,
                1_925_025,
            ),
            (r#"{"network":"unet-original"}"#, 31_030_658),
            (r#"{"network":"alexnet"}"#, 60_965_224),
            (r#"{"network":"resnet50"}"#, 25_557_032),
        ] {
            assert_eq!(count(spec), expected, "{spec}");
        }
    }

    #[test]
    fn work_and_memory() -> Result<()> {
        let rows = layers(&classic::conv([64, 128], 3), &[64, 10, 20])?;
        let row = &rows[1];
        assert_eq!(row.output, [128, 10, 20]);
        assert_eq!(row.bytes, 4 * 128 * 200);
        assert_eq!(row.flops, 2 * 128 * 200 * 64 * 9 + 128 * 200);
        let rows = layers(&classic::alexnet(), &[3, 227, 227])?;
        let products: u64 = rows
            .iter()
            .filter(|r| r.parameters > 0)
            .map(|r| (r.flops - product(&r.output)) / 2)
            .sum();
        assert_eq!(products, 724_406_816); // 724 M multiplications, as is known
        Ok(())
    }

    #[test]
    fn refuses_in_words() {
        let message = |text: &str| {
            let Value::Object(spec) = crate::json::parse(text).expect("JSON") else {
                panic!("an object");
            };
            parse(&spec).unwrap_err().to_string()
        };
        assert!(message(r#"{"network":"vgg"}"#).starts_with("vgg: unknown network; known: unet, "));
        assert_eq!(
            message(r#"{"channels":[8,0]}"#),
            "layer_table: channels must be a list of whole numbers of at least 1; got [8, 0]"
        );
        assert!(message(r#"{"network":"lenet5","input":[20,20]}"#).starts_with("linear: "));
        assert!(message(r#"{"network":"unet","depth":3}"#).contains("unknown option \"depth\""));
    }
}
