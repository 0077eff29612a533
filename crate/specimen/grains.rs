//! "grains": a polycrystal as a scanning electron microscope shows it in channelling contrast.
//!
//! Grains are the cells of random centres (a Voronoi diagram; Gilbert, Ann. Math. Stat. 33, 1962) whose boundaries a slow
//! random warp bends a little. Each grain has a grey level by its orientation and a faint slope, as real ones do.

use super::picture::{Smooth, blur, boundaries, expose};
use super::surface::Surface;
use super::{Draw, Knob, Specimen};
use crate::error::Result;
use crate::random::Random;
use crate::tensor::Tensor;

/// What it is and which options it takes.
pub const KIND: super::Kind = super::Kind {
    name: "grains",
    label: "Polycrystal",
    about: "Grains of a metal in channelling contrast: each crystal's orientation sets its grey level. \
            Labels: every pixel's grain, and the boundaries.",
    options: &[
        Knob {
            name: "size",
            label: "Size",
            min: 32.0,
            max: 1024.0,
            step: 1.0,
            default: 256.0,
        },
        Knob {
            name: "grains",
            label: "Grains",
            min: 2.0,
            max: 1000.0,
            step: 1.0,
            default: 40.0,
        },
        Knob {
            name: "contrast",
            label: "Contrast",
            min: 0.0,
            max: 1.0,
            step: 0.01,
            default: 0.6,
        },
        Knob {
            name: "warp",
            label: "Curvature of boundaries",
            min: 0.0,
            max: 1.0,
            step: 0.01,
            default: 0.4,
        },
        Knob {
            name: "blur",
            label: "Blur (pixels)",
            min: 0.0,
            max: 4.0,
            step: 0.1,
            default: 0.8,
        },
        Knob {
            name: "noise",
            label: "Noise",
            min: 0.0,
            max: 0.5,
            step: 0.005,
            default: 0.02,
        },
        Knob {
            name: "spread",
            label: "Variety of sizes",
            min: 0.0,
            max: 1.0,
            step: 0.05,
            default: 0.0,
        },
        Knob {
            name: "slope",
            label: "Shading within grains",
            min: 0.0,
            max: 1.0,
            step: 0.05,
            default: 0.0,
        },
        Knob {
            name: "edge",
            label: "Boundaries: grooves (−) or bright (+)",
            min: -1.0,
            max: 1.0,
            step: 0.05,
            default: 0.0,
        },
        Knob {
            name: "edgeWidth",
            label: "Width of grooves (pixels)",
            min: 0.0,
            max: 3.0,
            step: 0.1,
            default: 0.7,
        },
        Knob {
            name: "texture",
            label: "Texture",
            min: 0.0,
            max: 1.0,
            step: 0.05,
            default: 0.0,
        },
        Knob {
            name: "terraces",
            label: "Terraces",
            min: 0.0,
            max: 1.0,
            step: 0.05,
            default: 0.0,
        },
        Knob {
            name: "domes",
            label: "Domes",
            min: 0.0,
            max: 1.0,
            step: 0.05,
            default: 0.0,
        },
        Knob {
            name: "pores",
            label: "Pores",
            min: 0.0,
            max: 200.0,
            step: 1.0,
            default: 0.0,
        },
        Knob {
            name: "pixelSize",
            label: "Pixel size (nm)",
            min: 0.001,
            max: 1e6,
            step: 1.0,
            default: 630.0,
        },
        Knob {
            name: "seed",
            label: "Seed",
            min: 0.0,
            max: 1e9,
            step: 1.0,
            default: 1.0,
        },
    ],
    draw,
};

/// A grain's centre and looks.
struct Grain {
    y: f64,
    x: f64,
    grey: f64,
    slope: [f64; 2],
}

fn draw(options: &Draw) -> Result<Specimen> {
    let size = options.whole("size");
    let wanted = options.whole("grains");
    let mut random = Random::new(options.whole("seed") as u64);
    // A typical grain's diameter; everything about shapes is in proportion to it.
    let diameter = size as f64 / (wanted as f64).sqrt();
    let candidates = if options.get("spread") == 0.0 {
        4.0
    } else {
        4.0 - 3.0 * options.get("spread")
    };
    let centres = centres(&mut random, wanted, size as f64, candidates);
    let contrast = options.get("contrast");
    let grains: Vec<Grain> = (centres.into_iter())
        .map(|[y, x]| {
            let level = random.uniform() + random.uniform() - 1.0;
            let shading = 0.08 + 0.4 * options.get("slope");
            let mut tilt = || (random.uniform() - 0.5) * shading * contrast / diameter;
            Grain {
                y,
                x,
                grey: 0.45 + 0.45 * contrast * level,
                slope: [tilt(), tilt()],
            }
        })
        .collect();
    let amplitude = 0.3 * options.get("warp") * diameter;
    let [bend_y, bend_x] = [0, 1].map(|_| Smooth::new(&mut random, size, 0.6 * diameter));
    let texture = Smooth::new(&mut random, size, size as f64 / 3.0);
    let mut owner = vec![0u32; size * size];
    let mut grey = vec![0.0; size * size];
    let mut near = Near::new(&grains, amplitude);
    for top in (0..size).step_by(TILE) {
        for left in (0..size).step_by(TILE) {
            near.look([top, left]);
            for row in top..size.min(top + TILE) {
                for col in left..size.min(left + TILE) {
                    let (y, x) = (row as f64 + 0.5, col as f64 + 0.5);
                    let warped = [
                        y + amplitude * bend_y.at(y, x),
                        x + amplitude * bend_x.at(y, x),
                    ];
                    let id = near.nearest(warped);
                    let grain = &grains[id];
                    let slope = grain.slope[0] * (y - grain.y) + grain.slope[1] * (x - grain.x);
                    owner[row * size + col] = id as u32;
                    grey[row * size + col] = grain.grey + slope + 0.02 * texture.at(y, x);
                }
            }
        }
    }
    // Grains that own no pixel get no number: labels count 1, 2, 3, … without gaps.
    let mut number = vec![0u32; grains.len()];
    let mut count = 0;
    for id in &mut owner {
        let slot = &mut number[*id as usize];
        if *slot == 0 {
            count += 1;
            *slot = count;
        }
        *id = *slot;
    }
    let marks = boundaries(&owner, size);
    Surface::new(options, count).draw(&mut grey, size, &owner, &marks);
    blur(&mut grey, size, options.get("blur"));
    let image = expose(&grey, options.get("noise"), &mut random);
    let shape = [1, size, size];
    Ok(Specimen {
        image: Tensor::new(&shape, image)?,
        labels: vec![
            (
                "grains".into(),
                Tensor::new(&shape, owner.iter().map(|&id| id as f32).collect())?,
            ),
            ("boundaries".into(), Tensor::new(&shape, marks)?),
        ],
        pixel_size: options.get("pixelSize"),
    })
}

/// Random centres that keep some distance: each is the best of some candidates (Mitchell 1991; four by default, so that
/// grains are about equally large, as after recrystallisation). A fraction is the chance of one candidate more.
fn centres(random: &mut Random, count: usize, size: f64, candidates: f64) -> Vec<[f64; 2]> {
    let mut centres: Vec<[f64; 2]> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut best = ([0.0; 2], -1.0);
        let chance = candidates.fract();
        let more = chance > 0.0 && random.uniform() < chance;
        for _ in 0..candidates as usize + usize::from(more) {
            let candidate = [random.uniform() * size, random.uniform() * size];
            let clear = centres
                .iter()
                .map(|c| distance2(*c, candidate))
                .fold(f64::MAX, f64::min);
            if clear > best.1 {
                best = (candidate, clear);
            }
        }
        centres.push(best.0);
    }
    centres
}

fn distance2(a: [f64; 2], b: [f64; 2]) -> f64 {
    let (dy, dx) = (a[0] - b[0], a[1] - b[1]);
    dy * dy + dx * dx
}

/// Side of the tiles in which the nearest grain is looked for among a few only.
const TILE: usize = 16;

/// Finds the nearest grain exactly, but compares only with the grains that can be nearest somewhere in a tile.
struct Near<'a> {
    grains: &'a [Grain],
    /// How far a pixel of the tile, warped, can lie from the tile's middle.
    reach: f64,
    candidates: Vec<usize>,
}

impl<'a> Near<'a> {
    fn new(grains: &'a [Grain], amplitude: f64) -> Self {
        let half = TILE as f64 / 2.0 + amplitude;
        Near {
            grains,
            reach: (2.0 * half * half).sqrt(),
            candidates: Vec::new(),
        }
    }

    fn look(&mut self, [top, left]: [usize; 2]) {
        let middle = [
            top as f64 + TILE as f64 / 2.0,
            left as f64 + TILE as f64 / 2.0,
        ];
        let distance = |grain: &Grain| distance2([grain.y, grain.x], middle).sqrt();
        let nearest = self.grains.iter().map(distance).fold(f64::MAX, f64::min);
        let limit = nearest + 2.0 * self.reach;
        self.candidates = (0..self.grains.len())
            .filter(|&id| distance(&self.grains[id]) <= limit)
            .collect();
    }

    fn nearest(&self, point: [f64; 2]) -> usize {
        let mut best = (0, f64::MAX);
        for &id in &self.candidates {
            let d = distance2([self.grains[id].y, self.grains[id].x], point);
            if d < best.1 {
                best = (id, d);
            }
        }
        best.0
    }
}
