//! Synthetic micrographs with labels that are right by construction.
//!
//! The same options give the same bytes on every machine: the random numbers are integer arithmetic and the drawing uses
//! exactly rounded operations only. [`digest`] condenses a specimen for a test of that.

mod grains;
mod picture;
mod random;
mod surface;
mod two_grains;

use crate::error::{Error, Result};
use crate::options::{Options, Reader};
use crate::tensor::Tensor;
use serde::Serialize;

/// A micrograph with its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Specimen {
    /// (1, H, W), values 0 to 1.
    pub image: Tensor,
    /// Label maps by name, each (1, H, W): `grains` numbers from 1, `boundaries` 0 or 1.
    pub labels: Vec<(&'static str, Tensor)>,
    /// Edge of a pixel in nanometres.
    pub pixel_size: f64,
}

/// A number that a specimen's user can set.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Knob {
    /// The option's name.
    pub name: &'static str,
    /// The name to show.
    pub label: &'static str,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// A sensible step. Options with a step of 1 and whole bounds are whole numbers, except lengths in nm.
    pub step: f64,
    /// The value if none is given.
    pub default: f64,
}

impl Knob {
    fn is_whole(&self) -> bool {
        self.step == 1.0 && self.name != "pixelSize"
    }
}

/// A kind of specimen.
#[derive(Clone, Copy, Serialize)]
pub struct Kind {
    /// The name to ask for.
    pub name: &'static str,
    /// The name to show.
    pub label: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// What can be set.
    pub options: &'static [Knob],
    #[serde(skip)]
    draw: fn(&Draw) -> Result<Specimen>,
}

/// All kinds; a new one is a file and a line here.
pub const KINDS: [Kind; 2] = [grains::KIND, two_grains::KIND];

/// The settled options of one drawing.
struct Draw(Vec<(&'static str, f64)>);

impl Draw {
    fn get(&self, name: &str) -> f64 {
        self.0
            .iter()
            .find(|(known, _)| *known == name)
            .expect("an option of this kind")
            .1
    }

    fn whole(&self, name: &str) -> usize {
        self.get(name) as usize
    }
}

/// Draws a specimen; options that are not given take their defaults.
///
/// ```
/// let options = [("size".to_string(), 64usize.into()), ("grains".to_string(), 9usize.into())].into();
/// let specimen = kernelscope::specimen::specimen("grains", &options)?;
/// assert_eq!(specimen.image.shape(), [1, 64, 64]);
/// # Ok::<(), kernelscope::Error>(())
/// ```
///
/// # Errors
/// On an unknown kind, an unknown option or a value out of range.
pub fn specimen(kind: &str, options: &Options) -> Result<Specimen> {
    let Some(kind) = KINDS.iter().find(|known| known.name == kind) else {
        let known = KINDS.iter().map(|kind| kind.name).collect();
        return Err(Error::UnknownName {
            what: "specimen",
            name: kind.into(),
            known,
        });
    };
    let op = format!("specimen {}", kind.name);
    let mut reader = Reader::new(&op, options);
    let mut settled = Vec::new();
    for knob in kind.options {
        let value = reader
            .number(knob.name, knob.min, knob.max)?
            .unwrap_or(knob.default);
        if knob.is_whole() && value.fract() != 0.0 {
            return Err(reader.refuse(
                knob.name,
                format!("a whole number from {} to {}", knob.min, knob.max),
                value,
            ));
        }
        settled.push((knob.name, value));
    }
    reader.finish()?;
    (kind.draw)(&Draw(settled))
}

/// A number that changes when any bit of a specimen's image or labels does (FNV-1a over names and bytes): the same on
/// every machine, native or wasm.
pub fn digest(specimen: &Specimen) -> u64 {
    let maps = std::iter::once(("image", &specimen.image))
        .chain(specimen.labels.iter().map(|(name, map)| (*name, map)));
    let bytes = maps.flat_map(|(name, map)| {
        name.bytes()
            .collect::<Vec<u8>>()
            .into_iter()
            .chain(map.data().iter().flat_map(|value| value.to_le_bytes()))
    });
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
