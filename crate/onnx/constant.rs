//! Numbers that are known when a model is opened: weights, and what shape arithmetic makes of them.

use super::file::{External, Tensor as Stored};
use super::wire::broken;
use crate::error::Result;
use crate::tensor::{MAX_VALUES, Tensor};
use std::sync::Arc;

/// A known tensor of any rank.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    /// The sizes; none for a single number.
    pub shape: Vec<usize>,
    /// The numbers in row-major order.
    pub data: Data,
}

/// Its numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// A weight: shared by everything made of the model.
    Weight(Arc<Tensor>),
    /// Numbers of 32 bits that are no tensor of the crate: a single one, none, or of a higher rank.
    Floats(Vec<f32>),
    /// Whole ones, of any width; 0 and 1 for truths.
    Ints(Vec<i64>),
}

impl Data {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Data::Weight(tensor) => tensor.data().len(),
            Data::Floats(values) => values.len(),
            Data::Ints(values) => values.len(),
        }
    }
}

/// A file that holds numbers of the model beside it.
#[derive(Clone, Debug)]
pub struct ExternalFile {
    /// Its name as the model knows it; "" answers to every name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Constant {
    /// Whole numbers in a row.
    pub fn ints(values: Vec<i64>) -> Constant {
        Constant {
            shape: vec![values.len()],
            data: Data::Ints(values),
        }
    }

    /// Numbers under a shape that they fill.
    pub fn floats(shape: Vec<usize>, values: Vec<f32>) -> Constant {
        let fits = (1..=4).contains(&shape.len()) && !shape.contains(&0);
        let data = if fits {
            let tensor = Tensor::new(&shape, values);
            Data::Weight(Arc::new(tensor.expect("a filled shape of rank 1 to 4")))
        } else {
            Data::Floats(values)
        };
        Constant { shape, data }
    }

    /// Reads a stored tensor.
    ///
    /// # Errors
    /// If its numbers are missing, too many, or of a type that is not read.
    pub fn read(tensor: &Stored<'_>, files: &[ExternalFile]) -> Result<Constant> {
        let name = tensor.name;
        let wrong = |problem: String| broken(format!("the tensor \"{name}\" {problem}"));
        let size = |&n: &i64| usize::try_from(n).ok();
        let shape: Option<Vec<usize>> = tensor.dims.iter().map(size).collect();
        let shape = shape.ok_or_else(|| wrong(format!("has the sizes {:?}", tensor.dims)))?;
        let count = shape
            .iter()
            .try_fold(1u64, |all, &n| all.checked_mul(n as u64));
        let count = count
            .filter(|&n| n <= MAX_VALUES && shape.len() <= 8)
            .ok_or_else(|| {
                wrong(format!(
                    "of sizes {:?} does not fit into memory",
                    tensor.dims
                ))
            })?;
        let raw = match &tensor.external {
            Some(external) => Some(outside(name, external, files)?),
            None => tensor.raw,
        };
        let data = match tensor.kind {
            1 => Data::Floats(match raw {
                Some(raw) => numbers::<4, _>(raw, f32::from_le_bytes),
                None => tensor.floats.clone(),
            }),
            11 => Data::Floats(match raw {
                Some(raw) => numbers::<8, _>(raw, |b| f64::from_le_bytes(b) as f32),
                None => tensor.doubles.iter().map(|&n| n as f32).collect(),
            }),
            6 | 7 | 9 => Data::Ints(match (raw, tensor.kind) {
                (Some(raw), 6) => numbers::<4, _>(raw, |b| i64::from(i32::from_le_bytes(b))),
                (Some(raw), 7) => numbers::<8, _>(raw, i64::from_le_bytes),
                (Some(raw), _) => numbers::<1, _>(raw, |[b]| i64::from(b)),
                (None, _) => tensor.ints.clone(),
            }),
            kind => {
                let kind = kind_name(kind);
                return Err(wrong(format!(
                    "holds numbers of the type {kind}; read are FLOAT, INT64, INT32 and BOOL: export the network in float32 (model.float())"
                )));
            }
        };
        let width = match tensor.kind {
            1 | 6 => 4,
            7 | 11 => 8,
            _ => 1,
        };
        if data.len() as u64 != count || raw.is_some_and(|raw| raw.len() as u64 != count * width) {
            let got = data.len();
            return Err(wrong(format!(
                "of sizes {shape:?} takes {count} numbers; got {got}"
            )));
        }
        Ok(match data {
            Data::Floats(values) => Constant::floats(shape, values),
            data => Constant { shape, data },
        })
    }

    /// The numbers as a tensor of rank 1 to 4; a single number counts as a row of one.
    ///
    /// # Errors
    /// If they are whole numbers, none, or of a higher rank.
    pub fn tensor(&self) -> Result<Arc<Tensor>> {
        match &self.data {
            Data::Weight(tensor) => Ok(tensor.clone()),
            Data::Floats(values) if self.shape.is_empty() => {
                Tensor::new(&[1], values.clone()).map(Arc::new)
            }
            Data::Floats(values) => Tensor::new(&self.shape, values.clone()).map(Arc::new),
            Data::Ints(_) => Err(broken(
                "whole numbers stand where a network's weights are expected",
            )),
        }
    }

    /// The whole numbers, whatever their shape.
    pub fn as_ints(&self) -> Option<&[i64]> {
        match &self.data {
            Data::Ints(values) => Some(values),
            _ => None,
        }
    }

    /// The numbers, whatever their shape.
    pub fn as_floats(&self) -> Option<&[f32]> {
        match &self.data {
            Data::Weight(tensor) => Some(tensor.data()),
            Data::Floats(values) => Some(values),
            Data::Ints(_) => None,
        }
    }
}

fn numbers<const N: usize, T>(bytes: &[u8], from: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes
        .as_chunks::<N>()
        .0
        .iter()
        .map(|bytes| from(*bytes))
        .collect()
}

/// The bytes of a tensor in another file.
fn outside<'a>(name: &str, place: &External<'_>, files: &'a [ExternalFile]) -> Result<&'a [u8]> {
    let location = place.location;
    let plain = |path: &str| {
        path.rsplit(['/', '\\'])
            .next()
            .unwrap_or_default()
            .to_string()
    };
    let file = files
        .iter()
        .find(|file| file.name.is_empty() || plain(&file.name) == plain(location));
    let Some(file) = file else {
        let given: Vec<&str> = files.iter().map(|file| &*file.name).collect();
        let got = if given.is_empty() {
            "none was given".into()
        } else {
            format!("given: {}", given.join(", "))
        };
        return Err(broken(format!(
            "the numbers of \"{name}\" lie in the file \"{location}\" ({got}); pass its bytes as externalData, or export \
             into one file (torch.onnx.export(…, external_data=False))"
        )));
    };
    let all = file.bytes.len() as u64;
    let from = place.offset.min(all);
    let until = place
        .length
        .map_or(Some(all), |length| place.offset.checked_add(length));
    let bytes = until.and_then(|until| file.bytes.get(from as usize..usize::try_from(until).ok()?));
    bytes.filter(|_| place.offset <= all).ok_or_else(|| {
        let length = place.length.unwrap_or_default();
        broken(format!(
            "\"{name}\" claims {length} bytes from {} on of \"{location}\", which has {all}; is it the file of another export?",
            place.offset
        ))
    })
}

/// A type of numbers by its name.
pub fn kind_name(kind: i64) -> String {
    let names = [
        "UNDEFINED",
        "FLOAT",
        "UINT8",
        "INT8",
        "UINT16",
        "INT16",
        "INT32",
        "INT64",
        "STRING",
        "BOOL",
        "FLOAT16",
        "DOUBLE",
        "UINT32",
        "UINT64",
        "COMPLEX64",
        "COMPLEX128",
        "BFLOAT16",
    ];
    let name = usize::try_from(kind).ok().and_then(|kind| names.get(kind));
    name.map_or_else(|| kind.to_string(), |name| name.to_string())
}
