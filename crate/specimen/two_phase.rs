//! "two-phase": two interwoven phases as after spinodal decomposition.
//!
//! A random field whose frequencies lie in a ring, cut at the level that gives the wanted fraction: Cahn's construction
//! (J. Chem. Phys. 42 (1965) 93).

use super::element_map::band;
use super::picture::{Smooth, blur, boundaries, expose, field, maps, numbers, quantile};
use super::{Draw, Specimen};
use crate::error::Result;
use crate::knob::knob;
use crate::random::Random;
use crate::tensor::Tensor;

/// What it is and which options it takes.
pub const KIND: super::Kind = super::Kind {
    name: "two-phase",
    label: "Two phases",
    about: "Two interwoven phases of different atomic number. Labels: phases (1 dark, 2 bright), boundaries.",
    options: &[
        knob("size", "Size", [32.0, 1024.0, 1.0], 256.0),
        knob(
            "fraction",
            "Part of the bright phase",
            [0.02, 0.98, 0.01],
            0.45,
        ),
        knob("scale", "Width of the phases (nm)", [1.0, 1e4, 1.0], 140.0),
        knob("contrast", "Contrast", [0.0, 1.0, 0.01], 0.45),
        knob("blur", "Blur (pixels)", [0.0, 4.0, 0.1], 1.0),
        knob("noise", "Noise", [0.0, 0.5, 0.005], 0.03),
        knob("pixelSize", "Pixel size (nm)", [0.001, 1e6, 1.0], 10.0),
        knob("seed", "Seed", [0.0, 1e9, 1.0], 1.0),
    ],
    draw,
};

fn draw(options: &Draw) -> Result<Specimen> {
    let size = options.whole("size");
    let mut random = Random::new(options.whole("seed") as u64);
    let f0 = (0.5 * options.get("pixelSize") / options.get("scale")).clamp(0.5 / size as f64, 0.35);
    let shape = field(&mut random, size, |f2| band(f2, f0) * band(f2, f0));
    let level = quantile(&shape, 1.0 - options.get("fraction"));
    let phases: Vec<u32> = shape
        .iter()
        .map(|&v| if v >= level { 2 } else { 1 })
        .collect();
    let texture = [3.0, size as f64 / 3.0].map(|scale| Smooth::new(&mut random, size, scale));
    let contrast = options.get("contrast");
    let mut grey: Vec<f64> = (0..size * size)
        .map(|i| {
            let (y, x) = ((i / size) as f64, (i % size) as f64);
            let step = if phases[i] == 2 { 0.5 } else { -0.5 };
            0.48 + contrast * step + 0.02 * texture[0].at(y, x) + 0.03 * texture[1].at(y, x)
        })
        .collect();
    blur(&mut grey, size, options.get("blur"));
    let image = expose(&grey, options.get("noise"), &mut random);
    let marks = boundaries(&phases, size);
    Ok(Specimen {
        image: Tensor::new(&[1, size, size], image)?,
        labels: maps(size, [("phases", numbers(&phases)), ("boundaries", marks)])?,
        pixel_size: options.get("pixelSize"),
    })
}
