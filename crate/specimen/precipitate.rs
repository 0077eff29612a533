//! "precipitate": particles of a second phase in a matrix, as etched superalloys show them.
//!
//! Outlines are superellipses |x|ᵖ + |y|ᵖ = rᵖ between circle (p = 2) and rounded cube (p = 6), all cut along the same
//! crystal directions, as coherent precipitates are (Reed, *The Superalloys*, 2006, ch. 2).

use super::picture::{Smooth, blur, boundaries, expose, maps, numbers};
use super::{Draw, Specimen};
use crate::error::Result;
use crate::knob::knob;
use crate::math::{pow, sin_cos};
use crate::random::Random;
use crate::tensor::Tensor;

/// What it is and which options it takes.
pub const KIND: super::Kind = super::Kind {
    name: "precipitate",
    label: "Precipitates",
    about: "Dark precipitates with bright rims in a matrix. \
            Labels: phases (1 matrix, 2 precipitate), every precipitate's number, boundaries.",
    options: &[
        knob("size", "Size", [32.0, 1024.0, 1.0], 256.0),
        knob("count", "Precipitates", [1.0, 100.0, 1.0], 1.0),
        knob("radius", "Radius (nm)", [1.0, 1000.0, 1.0], 160.0),
        knob(
            "cube",
            "Shape: round (0) to cube (1)",
            [0.0, 1.0, 0.05],
            0.6,
        ),
        knob("contrast", "Contrast", [0.0, 1.0, 0.01], 0.6),
        knob("rim", "Bright rim", [0.0, 1.0, 0.05], 0.5),
        knob("blur", "Blur (pixels)", [0.0, 4.0, 0.1], 0.8),
        knob("noise", "Noise", [0.0, 0.5, 0.005], 0.02),
        knob("pixelSize", "Pixel size (nm)", [0.001, 1e6, 1.0], 4.0),
        knob("seed", "Seed", [0.0, 1e9, 1.0], 1.0),
    ],
    draw,
};

fn draw(options: &Draw) -> Result<Specimen> {
    let size = options.whole("size");
    let mut random = Random::new(options.whole("seed") as u64);
    let pixel = options.get("pixelSize");
    let count = options.whole("count");
    let radius = options.get("radius") / pixel;
    let (sin, cos) = sin_cos(0.6 * (random.uniform() - 0.5));
    let power = 2.0 + 4.0 * options.get("cube");
    let mut particles: Vec<[f64; 4]> = Vec::new();
    for i in 0..count {
        // The first lies near the middle; the others keep clear of their neighbours where they can.
        let spot = |random: &mut Random, span: f64| {
            [0, 1].map(|_| size as f64 * (0.5 + span * (random.uniform() - 0.5)))
        };
        let mut best = (spot(&mut random, if i == 0 { 0.1 } else { 1.0 }), -1.0);
        for _ in 0..if i == 0 { 0 } else { 12 } {
            let at = spot(&mut random, 1.0);
            let clear = (particles.iter())
                .map(|p| (p[0] - at[0]).abs().max((p[1] - at[1]).abs()))
                .fold(f64::MAX, f64::min);
            if clear > best.1 {
                best = (at, clear);
            }
        }
        let mut r = if i == 0 {
            radius
        } else {
            radius * (0.6 + 0.8 * random.uniform())
        };
        if i > 0 {
            r = r.min((best.1 * 0.48).max(1.0));
        }
        particles.push([best.0[0], best.0[1], r, 0.8 + 0.4 * random.uniform()]);
    }
    let [bend_y, bend_x] = [0, 1].map(|_| Smooth::new(&mut random, size, (0.9 * radius).max(2.0)));
    let mut owner = vec![0u32; size * size];
    // Signed distance from the nearest outline in pixels, positive outside.
    let mut outside = vec![1e3; size * size];
    for (id, [cy, cx, r, stretch]) in particles.iter().enumerate() {
        let reach = 1.6 * r + 14.0;
        let span =
            |c: f64| (c - reach).max(0.0) as usize..((c + reach).max(0.0) as usize).min(size);
        for row in span(*cy) {
            for col in span(*cx) {
                let (y, x) = (row as f64 + 0.5, col as f64 + 0.5);
                let dy = y + 0.15 * r * bend_y.at(y, x) - cy;
                let dx = x + 0.15 * r * bend_x.at(y, x) - cx;
                let v = (cos * dy - sin * dx).abs() * stretch;
                let u = (sin * dy + cos * dx).abs() / stretch;
                let (small, large) = (u.min(v), u.max(v).max(1e-9));
                let norm = large * pow(1.0 + pow(small / large, power), 1.0 / power);
                let d = norm - r;
                let i = row * size + col;
                if d < outside[i] {
                    outside[i] = d;
                    if d < 0.0 {
                        owner[i] = id as u32 + 1;
                    }
                }
            }
        }
    }
    let phases: Vec<u32> = owner.iter().map(|&id| 1 + u32::from(id > 0)).collect();
    let texture = [size as f64 / 2.5, 9.0].map(|scale| Smooth::new(&mut random, size, scale));
    let (contrast, rim) = (options.get("contrast"), options.get("rim"));
    let mut grey: Vec<f64> = (0..size * size)
        .map(|i| {
            let (y, x) = ((i / size) as f64, (i % size) as f64);
            let d = outside[i];
            let base = 0.5 + 0.05 * texture[0].at(y, x) + 0.015 * texture[1].at(y, x);
            // Etched steps: a bright edge outside that decays within some pixels, and a floor that is darkest near it.
            if d < 0.0 {
                let floor = base - 0.65 * contrast;
                floor + 0.12 * contrast * (-d / (0.6 * radius)).min(1.0)
            } else {
                base + 0.1 * contrast + 0.45 * rim / (1.0 + d * d / 5.0)
            }
        })
        .collect();
    blur(&mut grey, size, options.get("blur"));
    let image = expose(&grey, options.get("noise"), &mut random);
    let marks = boundaries(&phases, size);
    Ok(Specimen {
        image: Tensor::new(&[1, size, size], image)?,
        labels: maps(
            size,
            [
                ("phases", numbers(&phases)),
                ("boundaries", marks),
                ("particles", numbers(&owner)),
            ],
        )?,
        pixel_size: pixel,
    })
}
