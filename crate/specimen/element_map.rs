//! "element-map": X-ray counts of several elements, one channel each, as an energy-dispersive spectrometer maps them.
//!
//! Each phase has a composition; every pixel counts X-rays of each element by Poisson's law (Goldstein et al., *Scanning Electron
//! Microscopy and X-Ray Microanalysis*, 2018, ch. 24). Low counts are the rule: a structure shows only after summing pixels.

use super::picture::{Smooth, boundaries, field, maps, numbers, quantile};
use super::{Draw, Specimen};
use crate::error::Result;
use crate::knob::knob;
use crate::random::{Counts, Random};
use crate::tensor::Tensor;

/// What it is and which options it takes.
pub const KIND: super::Kind = super::Kind {
    name: "element-map",
    label: "Elemental map, EDS",
    about: "X-ray counts of nickel, aluminium, chromium, titanium, oxygen and carbon, one channel each. \
            Labels: phases (1 matrix, 2 precipitate, 3 oxide), boundaries.",
    options: &[
        knob("size", "Size", [32.0, 1024.0, 1.0], 128.0),
        knob("elements", "Elements", [2.0, 6.0, 1.0], 4.0),
        knob(
            "counts",
            "X-rays a pixel (pure element)",
            [0.5, 1000.0, 0.5],
            12.0,
        ),
        knob("fraction", "Part of precipitates", [0.05, 0.9, 0.05], 0.45),
        knob(
            "scale",
            "Size of precipitates (pixels)",
            [4.0, 64.0, 1.0],
            16.0,
        ),
        knob("oxides", "Oxide particles", [0.0, 20.0, 1.0], 3.0),
        knob("pixelSize", "Pixel size (nm)", [0.1, 1e4, 1.0], 4.0),
        knob("seed", "Seed", [0.0, 1e9, 1.0], 1.0),
    ],
    draw,
};

/// Parts of Ni, Al, Cr, Ti, O, C in matrix, precipitate and oxide (after γ, γ′ and alumina).
const COMPOSITION: [[f64; 3]; 6] = [
    [0.50, 0.78, 0.05],
    [0.06, 0.17, 0.38],
    [0.40, 0.04, 0.04],
    [0.02, 0.09, 0.02],
    [0.01, 0.01, 0.55],
    [0.03, 0.02, 0.02],
];

fn draw(options: &Draw) -> Result<Specimen> {
    let size = options.whole("size");
    let mut random = Random::new(options.whole("seed") as u64);
    let f0 = 0.5 / options.get("scale");
    let shape = field(&mut random, size, |f2| band(f2, f0));
    let level = quantile(&shape, 1.0 - options.get("fraction"));
    let mut phases: Vec<u32> = shape
        .iter()
        .map(|&v| if v >= level { 2 } else { 1 })
        .collect();
    let rough = Smooth::new(&mut random, size, 5.0);
    for _ in 0..options.whole("oxides") {
        let [y, x] = [0, 1].map(|_| random.uniform() * size as f64);
        let radius = options.get("scale") * (0.3 + 0.4 * random.uniform());
        for (i, phase) in phases.iter_mut().enumerate() {
            let (row, col) = ((i / size) as f64 + 0.5, (i % size) as f64 + 0.5);
            // Far off no roughness reaches.
            if (row - y).abs().max((col - x).abs()) > 1.25 * radius {
                continue;
            }
            let r = radius * (1.0 + 0.25 * rough.at(row, col));
            if (row - y) * (row - y) + (col - x) * (col - x) < r * r {
                *phase = 3;
            }
        }
    }
    let counts = options.get("counts");
    let elements = options.whole("elements");
    let mut image = Vec::with_capacity(elements * size * size);
    for parts in &COMPOSITION[..elements] {
        // There are few means: what Poisson's distribution needs of each is worked out once.
        let means = parts.map(|part| Counts::new(counts * part));
        for &phase in &phases {
            let seen = means[phase as usize - 1].draw(&mut random);
            image.push((seen / counts).min(1.0) as f32);
        }
    }
    let marks = boundaries(&phases, size);
    Ok(Specimen {
        image: Tensor::new(&[elements, size, size], image)?,
        labels: maps(size, [("phases", numbers(&phases)), ("boundaries", marks)])?,
        pixel_size: options.get("pixelSize"),
    })
}

/// A ring of frequencies about f0, in the form that coarsening phases show.
pub fn band(f2: f64, f0: f64) -> f64 {
    let q = f2 / (f0 * f0);
    q / (1.0 + q * q * q)
}
