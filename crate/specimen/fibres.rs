//! "fibres": round fibres lying over each other, in secondary electrons: bright edges, shadows where they cross.
//!
//! Straight lines thrown at random with a preferred direction (Chiu et al., *Stochastic Geometry and its Applications*, 2013,
//! ch. 8), each a cylinder whose yield rises towards its edges like 1/cos of the tilt (Goldstein et al. 2018, ch. 5).

use super::picture::{Smooth, blur, boundaries, expose, maps, numbers, renumber};
use super::{Draw, Specimen};
use crate::error::Result;
use crate::knob::knob;
use crate::math::{exp, sin_cos};
use crate::random::Random;
use crate::tensor::Tensor;
use std::f64::consts::PI;

/// What it is and which options it takes.
pub const KIND: super::Kind = super::Kind {
    name: "fibres",
    label: "Fibres, SEM",
    about: "A mat of round fibres. Labels: the uppermost fibre at every pixel (1: none), boundaries, fibre (1) or not.",
    options: &[
        knob("size", "Size", [32.0, 1024.0, 1.0], 256.0),
        knob("fibres", "Fibres", [1.0, 200.0, 1.0], 28.0),
        knob("diameter", "Diameter (nm)", [1.0, 1e5, 10.0], 600.0),
        knob("order", "Order of directions", [0.0, 1.0, 0.05], 0.2),
        knob("waviness", "Waviness", [0.0, 1.0, 0.05], 0.3),
        knob("blur", "Blur (pixels)", [0.0, 4.0, 0.1], 0.7),
        knob("noise", "Noise", [0.0, 0.5, 0.005], 0.03),
        knob("pixelSize", "Pixel size (nm)", [0.001, 1e6, 1.0], 40.0),
        knob("seed", "Seed", [0.0, 1e9, 1.0], 1.0),
    ],
    draw,
};

fn draw(options: &Draw) -> Result<Specimen> {
    let size = options.whole("size");
    let mut random = Random::new(options.whole("seed") as u64);
    let side = size as f64;
    let radius = (0.5 * options.get("diameter") / options.get("pixelSize")).clamp(0.8, side / 4.0);
    let count = options.whole("fibres");
    let preferred = PI * random.uniform();
    let [skin, ground] =
        [2.5, 20.0].map(|scale| Smooth::new(&mut random, size, scale).plane([size, size], 0.0));
    let mut grey: Vec<f64> = ground.iter().map(|v| 0.08 + 0.03 * v).collect();
    let mut owner = vec![0u32; size * size];
    for id in 1..=count {
        let angle = preferred + PI * (1.0 - options.get("order")) * (random.uniform() - 0.5);
        let (sin, cos) = sin_cos(angle);
        let r = radius * (0.7 + 0.6 * random.uniform());
        let away = side * 1.2 * (random.uniform() - 0.5);
        let (wave, phase) = (side * (0.5 + random.uniform()), 2.0 * PI * random.uniform());
        let sway = 0.06 * options.get("waviness") * wave;
        // Deeper fibres are darker: fewer of their electrons reach the detector.
        let level = 0.35 + 0.4 * id as f64 / count as f64 + 0.06 * (random.uniform() - 0.5);
        let rim = 3.0 * r;
        for row in 0..size {
            // The columns that the fibre and its shadow can reach in this row.
            let y = row as f64 + 0.5 - side / 2.0;
            let (middle, half) = if sin.abs() > 1e-6 {
                ((y * cos - away) / sin, (rim + sway) / sin.abs())
            } else {
                (0.0, side)
            };
            let first = (middle - half + side / 2.0).clamp(0.0, side) as usize;
            let last = (middle + half + side / 2.0 + 1.0).clamp(0.0, side) as usize;
            for col in first..last {
                let x = col as f64 + 0.5 - side / 2.0;
                let across = y * cos - x * sin - away;
                if across.abs() > rim + sway {
                    continue;
                }
                let along = y * sin + x * cos;
                let t = (across - sway * sin_cos(2.0 * PI * along / wave + phase).0).abs() / r;
                let i = row * size + col;
                if t < 1.0 {
                    let up = (1.0 - t * t).sqrt();
                    grey[i] = level * (0.62 + 0.1 / (up + 0.16)) + 0.04 * skin[i];
                    owner[i] = id as u32;
                } else if t < 3.0 {
                    // Its shadow on what lies below.
                    grey[i] *= 1.0 - 0.45 * exp(-(t - 1.0) * 2.5);
                }
            }
        }
    }
    let fibre = owner
        .iter()
        .map(|&id| f32::from(u8::from(id > 0)))
        .collect();
    // 1 is the ground, whether it shows first or not.
    let ground = owner.contains(&0);
    if ground {
        owner.insert(0, 0);
    }
    renumber(&mut owner);
    if ground {
        owner.remove(0);
    } else {
        owner.iter_mut().for_each(|id| *id += 1);
    }
    blur(&mut grey, size, options.get("blur"));
    let image = expose(&grey, options.get("noise"), &mut random);
    let marks = boundaries(&owner, size);
    Ok(Specimen {
        image: Tensor::new(&[1, size, size], image)?,
        labels: maps(
            size,
            [
                ("fibres", numbers(&owner)),
                ("boundaries", marks),
                ("fibre", fibre),
            ],
        )?,
        pixel_size: options.get("pixelSize"),
    })
}
