//! "porous": a solid with overlapping round pores, in secondary electrons: deep places dark, edges bright.
//!
//! Pores are added until they cover the wanted part (the Boolean model; Chiu et al., *Stochastic Geometry and its
//! Applications*, 2013, ch. 3). Edges shine since secondary electrons leave there on two sides (Goldstein et al. 2018, ch. 5).

use super::picture::{Smooth, blur, boundaries, expose, maps, numbers};
use super::{Draw, Specimen};
use crate::error::Result;
use crate::knob::knob;
use crate::math::exp;
use crate::random::Random;
use crate::tensor::Tensor;

/// What it is and which options it takes.
pub const KIND: super::Kind = super::Kind {
    name: "porous",
    label: "Porous solid, SEM",
    about: "A solid full of round pores with bright edges. Labels: phases (1 solid, 2 pore), boundaries.",
    options: &[
        knob("size", "Size", [32.0, 1024.0, 1.0], 256.0),
        knob("porosity", "Porosity", [0.05, 0.8, 0.01], 0.4),
        knob("diameter", "Diameter of pores (nm)", [1.0, 1e4, 1.0], 180.0),
        knob("spread", "Variety of sizes", [0.0, 1.0, 0.05], 0.5),
        knob("edge", "Bright edges", [0.0, 1.0, 0.05], 0.6),
        knob("blur", "Blur (pixels)", [0.0, 4.0, 0.1], 0.8),
        knob("noise", "Noise", [0.0, 0.5, 0.005], 0.03),
        knob("pixelSize", "Pixel size (nm)", [0.001, 1e6, 1.0], 8.0),
        knob("seed", "Seed", [0.0, 1e9, 1.0], 1.0),
    ],
    draw,
};

fn draw(options: &Draw) -> Result<Specimen> {
    let size = options.whole("size");
    let mut random = Random::new(options.whole("seed") as u64);
    let radius =
        (0.5 * options.get("diameter") / options.get("pixelSize")).clamp(1.0, size as f64 / 4.0);
    let spread = options.get("spread");
    let warp = [0, 1].map(|_| Smooth::new(&mut random, size, (0.8 * radius).max(2.0)));
    // How deep inside the deepest pore, in parts of its radius; the distance to the nearest edge in pixels.
    let mut deep = vec![0.0f64; size * size];
    let mut edge = vec![1e3f64; size * size];
    let wanted = (options.get("porosity") * (size * size) as f64) as usize;
    let mut covered = 0;
    while covered < wanted {
        let r = radius * (1.0 + spread * (1.2 * random.uniform() - 0.6));
        let [cy, cx] = [0, 1].map(|_| random.uniform() * (size as f64 + 2.0 * r) - r);
        let reach = 1.3 * r + 12.0;
        let span =
            |c: f64| (c - reach).max(0.0) as usize..((c + reach).max(0.0) as usize).min(size);
        for row in span(cy) {
            for col in span(cx) {
                let (y, x) = (row as f64 + 0.5, col as f64 + 0.5);
                let dy = y + 0.2 * r * warp[0].at(y, x) - cy;
                let dx = x + 0.2 * r * warp[1].at(y, x) - cx;
                let d = (dy * dy + dx * dx).sqrt() - r;
                let i = row * size + col;
                edge[i] = edge[i].min(d.abs());
                if d < 0.0 {
                    covered += usize::from(deep[i] == 0.0);
                    deep[i] = deep[i].max(-d / r).max(1e-9);
                }
            }
        }
    }
    let phases: Vec<u32> = deep.iter().map(|&d| if d > 0.0 { 2 } else { 1 }).collect();
    let texture = [2.5, size as f64 / 3.0].map(|scale| Smooth::new(&mut random, size, scale));
    let mut grey: Vec<f64> = (0..size * size)
        .map(|i| {
            let (y, x) = ((i / size) as f64, (i % size) as f64);
            let rim = 0.5 * options.get("edge") * exp(-edge[i].min(30.0) / 2.2);
            let skin = 0.035 * texture[0].at(y, x) + 0.05 * texture[1].at(y, x);
            if deep[i] > 0.0 {
                let floor = 0.30 - 0.24 * (2.2 * deep[i]).min(1.0);
                floor + 0.55 * rim + 0.5 * skin
            } else {
                0.52 + rim + skin
            }
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
