//! Synthetic micrographs with labels that are right by construction.
//!
//! The same options give the same bytes on every machine: the random numbers are integer arithmetic and the drawing uses
//! exactly rounded operations only. [`digest`] condenses a specimen for a test of that.

mod columns;
mod element_map;
mod fibres;
mod grains;
mod laths;
mod nanoparticles;
mod picture;
mod porous;
mod precipitate;
mod surface;
mod two_grains;
mod two_phase;

pub use crate::knob::Knob;

use crate::error::{Error, Result};
use crate::knob::Settled as Draw;
use crate::labels;
use crate::microscope::{Microscope, View};
use crate::options::{Options, Reader, Value};
use crate::tensor::Tensor;
use serde::Serialize;

/// A micrograph with its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Specimen {
    /// (C, H, W), values 0 to 1; C is 1 for all but elemental maps.
    pub image: Tensor,
    /// Label maps by name, each (1, H, W). Where there is a map `boundaries` (0 or 1), it is that of the first map.
    pub labels: Vec<(String, Tensor)>,
    /// Edge of a pixel in nanometres.
    pub pixel_size: f64,
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
pub const KINDS: [Kind; 10] = [
    grains::KIND,
    two_grains::KIND,
    precipitate::KIND,
    nanoparticles::KIND,
    columns::KIND,
    element_map::KIND,
    laths::KIND,
    two_phase::KIND,
    porous::KIND,
    fibres::KIND,
];

impl Specimen {
    /// Maps that follow from the label `grains`, if there is one: `triplePoints` and `boundaryAngle` ([`labels`]). They are
    /// computed when asked for, since training draws many specimens and needs neither.
    ///
    /// # Errors
    /// Never for specimens of this module.
    pub fn derived(&self) -> Result<Vec<(&'static str, Tensor)>> {
        derived(self.labels.iter().map(|(name, map)| (name.as_str(), map)))
    }
}

/// As [`Specimen::derived`], for labels that have been under a microscope.
///
/// # Errors
/// Never for maps of (1, H, W).
pub fn derived<'a>(
    mut maps: impl Iterator<Item = (&'a str, &'a Tensor)>,
) -> Result<Vec<(&'static str, Tensor)>> {
    let Some((_, grains)) = maps.find(|(name, _)| *name == "grains") else {
        return Ok(Vec::new());
    };
    let &[_, height, width] = grains.shape() else {
        return Ok(Vec::new());
    };
    let ids: Vec<u32> = grains.data().iter().map(|&id| id as u32).collect();
    let map = |values| Tensor::new(&[1, height, width], values);
    Ok(vec![
        (
            "triplePoints",
            map(labels::triple_points(&ids, [height, width]))?,
        ),
        (
            "boundaryAngle",
            map(labels::boundary_angle(&ids, [height, width]))?,
        ),
    ])
}

/// Draws a specimen; options that are not given take their defaults. The option `microscope`, an object
/// ([`crate::microscope::KNOBS`]), puts it under the microscope.
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
    let draw = Draw::read(kind.options, &mut reader)?;
    let microscope = match reader.value("microscope") {
        None | Some(Value::Null) => None,
        Some(Value::Object(options)) => Some(Microscope::read(options)?),
        Some(other) => {
            return Err(reader.refuse(
                "microscope",
                "an object of the microscope's options",
                other,
            ));
        }
    };
    reader.finish()?;
    let drawn = (kind.draw)(&draw)?;
    let Some(microscope) = microscope else {
        return Ok(drawn);
    };
    let Specimen {
        image,
        labels,
        pixel_size,
    } = drawn;
    let view = microscope.expose(View {
        image,
        labels,
        pixel_size,
    })?;
    Ok(Specimen {
        image: view.image,
        labels: view.labels,
        pixel_size: view.pixel_size,
    })
}

/// A number that changes when any bit of a specimen's image or labels does (FNV-1a over names and bytes): the same on
/// every machine, native or wasm.
pub fn digest(specimen: &Specimen) -> u64 {
    let maps = std::iter::once(("image", &specimen.image)).chain(
        specimen
            .labels
            .iter()
            .map(|(name, map)| (name.as_str(), map)),
    );
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
