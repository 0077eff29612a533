//! "columns": atomic columns of two grains under a scanning transmission electron microscope (HAADF): bright spots on dark.
//!
//! Columns sit on a nearly square lattice in either grain, turned against each other; an edge dislocation displaces them by
//! its field in an isotropic medium (Hirth and Lothe, *Theory of Dislocations*, 1982, eq. 3-45); a vacant column has lost some
//! of its atoms, and intensity rises with their number (Pennycook and Nellist, *Scanning Transmission Electron Microscopy*,
//! 2011, ch. 1).

use super::picture::{Smooth, expose, maps};
use super::{Draw, Specimen};
use crate::error::Result;
use crate::knob::knob;
use crate::math::{atan2, exp, ln, sin_cos};
use crate::random::Random;
use crate::tensor::Tensor;
use std::f64::consts::PI;

/// What it is and which options it takes.
pub const KIND: super::Kind = super::Kind {
    name: "columns",
    label: "Atomic columns, HAADF-STEM",
    about: "Atomic columns of two grains and their boundary, with vacancies and dislocations. Labels: columns, \
            defects (0 none, 1 vacancy, 2 dislocation's core, 3 grain boundary), every pixel's grain, boundaries.",
    options: &[
        knob("size", "Size", [32.0, 1024.0, 1.0], 256.0),
        knob("spacing", "Column spacing (nm)", [0.12, 0.6, 0.005], 0.24),
        knob(
            "misorientation",
            "Misorientation (°; 0: one grain)",
            [0.0, 45.0, 0.5],
            18.0,
        ),
        knob("vacancies", "Vacancies", [0.0, 40.0, 1.0], 4.0),
        knob("dislocations", "Dislocations", [0.0, 4.0, 1.0], 1.0),
        knob("probe", "Width of a column (nm)", [0.02, 0.15, 0.005], 0.06),
        knob("background", "Background", [0.0, 0.5, 0.01], 0.22),
        knob("noise", "Noise", [0.0, 0.5, 0.005], 0.06),
        knob("pixelSize", "Pixel size (nm)", [0.005, 0.06, 0.001], 0.02),
        knob("seed", "Seed", [0.0, 1e9, 1.0], 1.0),
    ],
    draw,
};

struct Column {
    y: f64,
    x: f64,
    bright: f64,
    vacant: bool,
}

/// The line between the grains: a point on it and its normal.
struct Boundary {
    at: [f64; 2],
    normal: [f64; 2],
}

impl Boundary {
    fn distance(&self, y: f64, x: f64) -> f64 {
        (y - self.at[0]) * self.normal[0] + (x - self.at[1]) * self.normal[1]
    }
}

fn draw(options: &Draw) -> Result<Specimen> {
    let size = options.whole("size");
    let mut random = Random::new(options.whole("seed") as u64);
    let pixel = options.get("pixelSize");
    let spacing = options.get("spacing") / pixel;
    let side = size as f64;
    let (sin, cos) = sin_cos(0.35 + 0.5 * random.uniform());
    let boundary = Boundary {
        at: [0, 1].map(|_| side * (0.42 + 0.16 * random.uniform())),
        normal: [sin, cos],
    };
    let turned = options.get("misorientation") * PI / 180.0;
    let angle = PI / 2.0 * random.uniform();
    let cores: Vec<[f64; 3]> = (0..options.whole("dislocations"))
        .map(|k| {
            // In turn in either grain, away from the boundary and the rim.
            let way = if k % 2 == 0 { 0.24 } else { -0.24 };
            let along = side * 0.3 * (random.uniform() - 0.5);
            let y = boundary.at[0] + way * side * sin + along * cos;
            let x = boundary.at[1] + way * side * cos - along * sin;
            [
                y,
                x,
                if turned > 0.0 && k % 2 == 1 {
                    angle + turned
                } else {
                    angle
                },
            ]
        })
        .collect();
    let mut columns = Vec::new();
    let grains: &[(f64, f64)] = if turned == 0.0 {
        &[(1.0, angle)]
    } else {
        &[(1.0, angle), (-1.0, angle + turned)]
    };
    for &(way, angle) in grains {
        let (sin, cos) = sin_cos(angle);
        let shift = [0, 1].map(|_| spacing * random.uniform());
        let reach = (0.75 * side / spacing) as i32 + 3;
        for i in -reach..=reach {
            for j in -reach..=reach {
                // The second direction is a little longer: a [110] projection is no square.
                let (v, u) = (
                    f64::from(i) * spacing * 1.08 + shift[0],
                    f64::from(j) * spacing + shift[1],
                );
                let mut at = [
                    side / 2.0 + u * sin + v * cos,
                    side / 2.0 + u * cos - v * sin,
                ];
                let rough = 0.02 * spacing;
                let jitter = [0, 1].map(|_| rough * random.normal());
                let bright = 1.0 + 0.07 * random.normal();
                let home = at;
                for core in &cores {
                    let moved = displacement(home, core, spacing);
                    at = [at[0] + moved[0], at[1] + moved[1]];
                }
                let [y, x] = [at[0] + jitter[0], at[1] + jitter[1]];
                let far = 3.0 * spacing;
                if y < -far || x < -far || y > side + far || x > side + far {
                    continue;
                }
                if turned > 0.0 && way * boundary.distance(y, x) < 0.32 * spacing {
                    continue;
                }
                columns.push(Column {
                    y,
                    x,
                    bright,
                    vacant: false,
                });
            }
        }
    }
    let inner =
        |c: &Column| c.y > spacing && c.x > spacing && c.y < side - spacing && c.x < side - spacing;
    let candidates: Vec<usize> = (0..columns.len())
        .filter(|&i| {
            inner(&columns[i])
                && (turned == 0.0
                    || boundary.distance(columns[i].y, columns[i].x).abs() > 1.5 * spacing)
        })
        .collect();
    for _ in 0..options.whole("vacancies").min(candidates.len()) {
        let pick = candidates[(random.uniform() * candidates.len() as f64) as usize];
        if !columns[pick].vacant {
            columns[pick].vacant = true;
            columns[pick].bright *= 0.25 + 0.2 * random.uniform();
        }
    }
    let thickness = Smooth::new(&mut random, size, side / 2.0);
    let background = options.get("background");
    let mut grey: Vec<f64> = (0..size * size)
        .map(|i| {
            let (y, x) = ((i / size) as f64, (i % size) as f64);
            let gap = boundary.distance(y, x) / (0.5 * spacing);
            let dark = if turned > 0.0 && gap.abs() < 4.0 {
                0.25 * exp(-0.5 * gap * gap)
            } else {
                0.0
            };
            background * (1.0 + 0.25 * thickness.at(y, x) - dark)
        })
        .collect();
    let mut marks = vec![0.0; size * size];
    let mut defects = vec![0.0; size * size];
    if turned > 0.0 {
        for (i, defect) in defects.iter_mut().enumerate() {
            let d = boundary.distance((i / size) as f64 + 0.5, (i % size) as f64 + 0.5);
            if d.abs() < 0.6 * spacing {
                *defect = 3.0;
            }
        }
    }
    let width = options.get("probe") / pixel;
    for column in &columns {
        let bright = column.bright
            * (0.58 + 0.08 * thickness.at(column.y.clamp(0.0, side), column.x.clamp(0.0, side)));
        disc(size, column.y, column.x, 4.0 * width, |i, d2| {
            grey[i] += bright * exp(-d2 / (2.0 * width * width));
        });
        disc(size, column.y, column.x, 0.28 * spacing, |i, _| {
            marks[i] = 1.0
        });
        if column.vacant {
            disc(size, column.y, column.x, 0.4 * spacing, |i, _| {
                defects[i] = 1.0
            });
        }
    }
    for [y, x, _] in &cores {
        disc(size, *y, *x, spacing, |i, _| defects[i] = 2.0);
    }
    let image = expose(&grey, options.get("noise"), &mut random);
    let grains: Vec<u32> = (0..size * size)
        .map(|i| {
            let d = boundary.distance((i / size) as f64 + 0.5, (i % size) as f64 + 0.5);
            if turned > 0.0 && d < 0.0 { 2 } else { 1 }
        })
        .collect();
    let borders = super::picture::boundaries(&grains, size);
    Ok(Specimen {
        image: Tensor::new(&[1, size, size], image)?,
        labels: maps(
            size,
            [
                ("grains", super::picture::numbers(&grains)),
                ("boundaries", borders),
                ("columns", marks),
                ("defects", defects),
            ],
        )?,
        pixel_size: pixel,
    })
}

/// Displacement by an edge dislocation at `core` with Burgers vector of one spacing along its angle; Poisson's ratio 0.33.
fn displacement(at: [f64; 2], core: &[f64; 3], spacing: f64) -> [f64; 2] {
    const NU: f64 = 0.33;
    let (sin, cos) = sin_cos(core[2]);
    let (dy, dx) = (at[0] - core[0], at[1] - core[1]);
    // Lattice coordinates: u along the Burgers vector, v across.
    let (u, v) = (dy * sin + dx * cos, dy * cos - dx * sin);
    let r2 = u * u + v * v + 0.05 * spacing * spacing;
    let along = (atan2(v, u) + u * v / (2.0 * (1.0 - NU) * r2)) / (2.0 * PI);
    let across = -((1.0 - 2.0 * NU) / (4.0 * (1.0 - NU)) * ln(r2 / (spacing * spacing) / 400.0)
        + (u * u - v * v) / (4.0 * (1.0 - NU) * r2))
        / (2.0 * PI);
    let (along, across) = (along * spacing, across * spacing);
    [along * sin + across * cos, along * cos - across * sin]
}

/// Calls `f` with index and squared distance of all pixels within `radius`.
fn disc(size: usize, y: f64, x: f64, radius: f64, mut f: impl FnMut(usize, f64)) {
    let span =
        |c: f64| (c - radius).max(0.0) as usize..((c + radius + 1.0).max(0.0) as usize).min(size);
    for row in span(y) {
        for col in span(x) {
            let (dy, dx) = (row as f64 + 0.5 - y, col as f64 + 0.5 - x);
            let d2 = dy * dy + dx * dx;
            if d2 <= radius * radius {
                f(row * size + col, d2);
            }
        }
    }
}
