//! Networks as files: safetensors with the graph in the metadata.
//!
//! A file is 8 bytes (little-endian length of the header), the header (JSON: for every tensor its `dtype`, `shape` and
//! `data_offsets`) and the tensors' raw little-endian values. `F32` and `F16` are read. The header's `__metadata__` holds
//! `graph`, a JSON text `{"nodes": [{"name", "op", "inputs", "attributes", "parameters"}, …]}`, and, if there is one,
//! `card`, a JSON text about the network. Nothing is believed that is not checked: offsets must be in order, without gaps
//! or overlaps, and cover the file exactly.

use crate::error::{Error, Result};
use crate::graph::{Description, Graph};
use crate::json;
use crate::map::{Map, Set};
use crate::options::{Options, Value};
use crate::tensor::{Tensor, values_of};

const FORMAT: &str = "safetensors";

/// The longest header that is read: 16 MiB.
const HEADER: u64 = 16 << 20;

/// How numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 16 bits, rounded to the nearest, ties to even.
    F16,
}

impl Precision {
    fn bytes(self) -> usize {
        match self {
            Precision::F32 => 4,
            Precision::F16 => 2,
        }
    }
}

/// A file's tensors and metadata.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    /// By name.
    pub tensors: Map<String, Tensor>,
    /// Texts by name.
    pub metadata: Map<String, String>,
}

fn refuse(problem: impl Into<String>) -> Error {
    Error::File {
        format: FORMAT,
        problem: problem.into(),
    }
}

/// Reads a file.
///
/// # Errors
/// If anything about it is not as the format demands. Memory stays within a small multiple of the file's size.
pub fn read(bytes: &[u8]) -> Result<Contents> {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(refuse(format!(
            "a file has at least 8 bytes; got {}",
            bytes.len()
        )));
    };
    let length = u64::from_le_bytes(*length);
    if length > HEADER || length > rest.len() as u64 {
        let most = HEADER.min(rest.len() as u64);
        return Err(refuse(format!(
            "the header claims {length} bytes; there can be {most}"
        )));
    }
    let (header, data) = rest.split_at(length as usize);
    let header = std::str::from_utf8(header).map_err(|_| refuse("the header is no UTF-8 text"))?;
    let Value::Object(header) = json::parse(header.trim_end_matches(' '))? else {
        return Err(refuse("the header is no JSON object"));
    };
    let mut contents = Contents::default();
    let mut spans: Set<([usize; 2], &str)> = Set::new();
    for (name, value) in &header {
        let Value::Object(entry) = value else {
            return Err(refuse(format!("\"{name}\" must be an object; got {value}")));
        };
        if name == "__metadata__" {
            for (key, value) in entry {
                let Value::Text(text) = value else {
                    return Err(refuse(format!(
                        "the metadata \"{key}\" must be a text; got {value}"
                    )));
                };
                contents.metadata.insert(key.clone(), text.clone());
            }
            continue;
        }
        let (span, tensor) = tensor(name, entry, data)?;
        spans.add((span, name));
        contents.tensors.insert(name.clone(), tensor);
    }
    let mut end = 0;
    for ([from, to], name) in spans.keys().copied() {
        if from != end {
            let what = if from < end {
                "overlaps another tensor"
            } else {
                "leaves a gap before it"
            };
            return Err(refuse(format!("\"{name}\" at bytes {from} to {to} {what}")));
        }
        end = to;
    }
    if end != data.len() {
        return Err(refuse(format!(
            "the tensors end at byte {end} of {}",
            data.len()
        )));
    }
    Ok(contents)
}

fn tensor(name: &str, entry: &Options, data: &[u8]) -> Result<([usize; 2], Tensor)> {
    if let Some(key) = entry
        .keys()
        .find(|key| !["dtype", "shape", "data_offsets"].contains(&key.as_str()))
    {
        return Err(refuse(format!(
            "\"{name}\" has the unknown property \"{key}\""
        )));
    }
    let precision = match entry.get("dtype") {
        Some(Value::Text(kind)) if kind == "F32" => Precision::F32,
        Some(Value::Text(kind)) if kind == "F16" => Precision::F16,
        other => {
            let got = other.unwrap_or(&Value::Null);
            return Err(refuse(format!(
                "\"{name}\" must have the dtype F32 or F16; got {got}"
            )));
        }
    };
    let numbers = |key: &str| -> Result<Vec<usize>> {
        let whole = |value: &Value| match value {
            Value::Number(n) if n.fract() == 0.0 && (0.0..=4e15).contains(n) => {
                usize::try_from(*n as u64).ok()
            }
            _ => None,
        };
        let list = match entry.get(key) {
            Some(Value::List(list)) => list.iter().map(whole).collect(),
            _ => None,
        };
        list.ok_or_else(|| {
            refuse(format!(
                "\"{name}\" must have {key}, a list of whole numbers"
            ))
        })
    };
    let (shape, offsets) = (numbers("shape")?, numbers("data_offsets")?);
    let &[from, to] = &offsets[..] else {
        return Err(refuse(format!(
            "\"{name}\" must have two data_offsets; got {}",
            offsets.len()
        )));
    };
    let Some(values) = data.get(from..to) else {
        return Err(refuse(format!(
            "\"{name}\" claims bytes {from} to {to} of {}",
            data.len()
        )));
    };
    let count = values_of(FORMAT, &shape)?;
    if values.len() as u64 != count as u64 * precision.bytes() as u64 {
        let shape = crate::error::tuple(&shape);
        let (got, expected) = (values.len(), count as u64 * precision.bytes() as u64);
        return Err(refuse(format!(
            "\"{name}\" of shape {shape} takes {expected} bytes; got {got}"
        )));
    }
    let values = match precision {
        Precision::F32 => values
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect(),
        Precision::F16 => values
            .as_chunks::<2>()
            .0
            .iter()
            .map(|b| from_half(u16::from_le_bytes(*b)))
            .collect(),
    };
    Ok(([from, to], Tensor::new(&shape, values)?))
}

/// Writes a file.
pub fn write(contents: &Contents, precision: Precision) -> Vec<u8> {
    let mut header = Options::new();
    if !contents.metadata.is_empty() {
        let texts = contents
            .metadata
            .iter()
            .map(|(key, text)| (key.clone(), Value::Text(text.clone())));
        header.insert("__metadata__".into(), Value::Object(texts.collect()));
    }
    let mut data = Vec::new();
    for (name, tensor) in &contents.tensors {
        let from = data.len();
        for value in tensor.data() {
            match precision {
                Precision::F32 => data.extend(value.to_le_bytes()),
                Precision::F16 => data.extend(to_half(*value).to_le_bytes()),
            }
        }
        let kind = if precision == Precision::F32 {
            "F32"
        } else {
            "F16"
        };
        let shape = Value::List(tensor.shape().iter().map(|&n| n.into()).collect());
        let entry = Options::from([
            ("dtype".into(), kind.into()),
            ("shape".into(), shape),
            ("data_offsets".into(), [from, data.len()].into()),
        ]);
        header.insert(name.clone(), Value::Object(entry));
    }
    let mut text = json::write(&Value::Object(header));
    while !text.len().is_multiple_of(8) {
        text.push(' ');
    }
    [
        &(text.len() as u64).to_le_bytes()[..],
        text.as_bytes(),
        &data,
    ]
    .concat()
}

/// A network and what its file tells about it.
#[derive(Clone, Debug)]
pub struct Model {
    /// The network.
    pub graph: Graph,
    /// The card, a plain object (empty if there is none).
    pub card: Value,
}

/// Reads a network.
///
/// # Errors
/// As [`read`], if the graph is missing or wrong, or if tensors are missing or left over.
pub fn load(bytes: &[u8]) -> Result<Model> {
    let contents = read(bytes)?;
    let Some(text) = contents.metadata.get("graph") else {
        return Err(refuse("the metadata has no \"graph\""));
    };
    let nodes = match json::parse(text)? {
        Value::Object(mut graph) => graph.remove("nodes"),
        _ => None,
    };
    let Some(Value::List(nodes)) = nodes else {
        return Err(refuse(
            "the graph must be an object with the list \"nodes\"",
        ));
    };
    let nodes = nodes
        .iter()
        .map(Description::from_value)
        .collect::<Result<Vec<_>>>()?;
    let card = match contents.metadata.get("card") {
        Some(text) => json::parse(text)?,
        None => Value::Object(Options::new()),
    };
    Ok(Model {
        graph: Graph::new(nodes, contents.tensors)?,
        card,
    })
}

/// Writes a network.
pub fn save(model: &Model, precision: Precision) -> Vec<u8> {
    let nodes = Value::List(model.graph.describe().map(Description::to_value).collect());
    let graph = Value::Object(Options::from([("nodes".into(), nodes)]));
    let mut metadata = Map::from([("graph".to_string(), json::write(&graph))]);
    if model.card != Value::Object(Options::new()) {
        metadata.insert("card".into(), json::write(&model.card));
    }
    let tensors = model.graph.parameters().into_iter();
    let tensors = tensors
        .map(|(name, tensor)| (name, (*tensor).clone()))
        .collect();
    write(&Contents { tensors, metadata }, precision)
}

/// A half-precision number (IEEE 754 binary16) as `f32`.
fn from_half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    let magnitude = match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + fraction) * 2f32.powi(exponent - 25),
    };
    sign * magnitude
}

/// The nearest half-precision number.
fn to_half(value: f32) -> u16 {
    let sign = ((value.to_bits() >> 16) & 0x8000) as u16;
    let magnitude = f64::from(value.abs());
    if value.is_nan() {
        return sign | 0x7e00;
    }
    if magnitude >= 65520.0 {
        return sign | 0x7c00;
    }
    // In units of the last place of its binade, at least 2⁻²⁴; rounding up may carry into the exponent, as it should.
    let exponent = (f64::from(value.abs()).to_bits() >> 52) as i32 - 1023;
    let exponent = exponent.max(-14);
    let units = (magnitude * 2f64.powi(10 - exponent)).round_ties_even() as u16;
    sign | (((exponent + 14) as u16) << 10).wrapping_add(units)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Unet;

    #[test]
    fn halves_are_exact_and_round_to_even() {
        for bits in 0..=u16::MAX {
            let value = from_half(bits);
            if !value.is_nan() {
                assert_eq!(to_half(value), bits, "{value}");
            }
        }
        assert_eq!(to_half(1.0 + 1.0 / 2048.0), to_half(1.0)); // a tie
        assert_eq!(to_half(1.0 + 3.0 / 2048.0), to_half(1.0 + 2.0 / 1024.0));
        assert_eq!(to_half(65519.0), 0x7bff);
        assert_eq!((to_half(1e9), to_half(1e-9)), (0x7c00, 0));
        assert_eq!(from_half(0x3555), 0.333_251_95);
    }

    fn file() -> Vec<u8> {
        let plan = Unet {
            channels: vec![2, 3],
            ..Unet::default()
        };
        let graph = plan
            .blueprint()
            .and_then(|plan| plan.seeded(1))
            .expect("a network");
        let card = Value::Object([("name".to_string(), "test".into())].into());
        save(&Model { graph, card }, Precision::F32)
    }

    #[test]
    fn there_and_back() -> Result<()> {
        let bytes = file();
        let model = load(&bytes)?;
        assert_eq!(save(&model, Precision::F32), bytes);
        assert_eq!(model.card.to_string(), "an object");
        let half = load(&save(&model, Precision::F16))?;
        let (a, b) = (model.graph.parameters(), half.graph.parameters());
        let pairs = a.values().zip(b.values());
        assert!(
            pairs
                .flat_map(|(a, b)| a.data().iter().zip(b.data()))
                .all(|(a, b)| (a - b).abs() < 2e-3)
        );
        Ok(())
    }

    fn with_header(header: &str, data: usize) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.bytes());
        bytes.resize(bytes.len() + data, 0);
        bytes
    }

    #[test]
    fn refuses_what_lies() {
        let entry = |rest: &str| format!("{{\"a\":{{{rest}}}}}");
        for (header, data) in [
            ("".to_string(), 0),
            ("[]".into(), 0),
            ("{}".into(), 4),
            (entry(r#""dtype":"F64","shape":[1],"data_offsets":[0,8]"#), 8),
            (entry(r#""dtype":"F32","shape":[2],"data_offsets":[0,4]"#), 4),
            (entry(r#""dtype":"F32","shape":[1],"data_offsets":[0,4]"#), 8),
            (entry(r#""dtype":"F32","shape":[1],"data_offsets":[4,8]"#), 8),
            (entry(r#""dtype":"F32","shape":[1],"data_offsets":[4,0]"#), 4),
            (entry(r#""dtype":"F32","shape":[1],"data_offsets":[0,1e15]"#), 4),
            (entry(r#""dtype":"F32","shape":[0],"data_offsets":[0,0]"#), 0),
            (entry(r#""dtype":"F32","shape":[4000000000,4000000000],"data_offsets":[0,4]"#), 4),
            (entry(r#""dtype":"F32","shape":[-1],"data_offsets":[0,4]"#), 4),
            (entry(r#""dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1"#), 4),
            (
                r#"{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"F16","shape":[1],"data_offsets":[2,4]}}"#.into(),
                4,
            ),
        ] {
            let error = read(&with_header(&header, data)).expect_err(&header);
            assert!(!error.to_string().is_empty());
        }
        assert!(read(&[1, 2]).is_err());
        assert!(read(&u64::MAX.to_le_bytes()).is_err());
    }

    #[test]
    fn no_truncation_or_flipped_byte_panics() {
        let bytes = file();
        for end in (0..bytes.len()).step_by(7) {
            assert!(load(&bytes[..end]).is_err(), "cut at {end}");
        }
        let mut state = 1u32;
        for _ in 0..3000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let mut broken = bytes.clone();
            let at = state as usize % (broken.len() / 2);
            broken[at] ^= 1 << (state >> 29);
            let _ = load(&broken); // whatever it says, it says it
        }
    }
}
