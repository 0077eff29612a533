//! "laths": packets of elongated α grains with bright β films between them, as in Ti-6Al-4V under backscattered electrons.
//!
//! Packets are the cells of a few random centres; within each, laths are the cells of a jittered grid stretched along the
//! packet's direction (an anisotropic Voronoi diagram). The β film is thickest where three laths meet (Lütjering and Williams,
//! *Titanium*, 2007, ch. 5).

use super::picture::{Smooth, blur, boundaries, expose, maps, numbers, renumber};
use super::{Draw, Specimen};
use crate::error::Result;
use crate::knob::knob;
use crate::math::{exp, sin_cos};
use crate::random::Random;
use crate::tensor::Tensor;
use std::collections::BTreeMap;
use std::f64::consts::PI;

/// What it is and which options it takes.
pub const KIND: super::Kind = super::Kind {
    name: "laths",
    label: "Laths, SEM",
    about: "Packets of α laths with bright β films. Labels: every pixel's lath, boundaries, packets.",
    options: &[
        knob("size", "Size", [32.0, 1024.0, 1.0], 256.0),
        knob("packets", "Packets", [1.0, 40.0, 1.0], 4.0),
        knob("width", "Width of laths (nm)", [10.0, 1e5, 10.0], 650.0),
        knob("aspect", "Length to width", [1.0, 20.0, 0.5], 8.0),
        knob("film", "β film", [0.0, 1.0, 0.05], 0.5),
        knob("contrast", "Contrast of laths", [0.0, 1.0, 0.01], 0.3),
        knob("blur", "Blur (pixels)", [0.0, 4.0, 0.1], 0.7),
        knob("noise", "Noise", [0.0, 0.5, 0.005], 0.035),
        knob("pixelSize", "Pixel size (nm)", [0.001, 1e6, 1.0], 50.0),
        knob("seed", "Seed", [0.0, 1e9, 1.0], 1.0),
    ],
    draw,
};

struct Packet {
    y: f64,
    x: f64,
    sin: f64,
    cos: f64,
    width: f64,
    length: f64,
    grey: f64,
    salt: u64,
}

/// A packet and a cell of its grid.
type Cell = (usize, i64, i64);

/// A lath: its centre in its packet's grid units and its grey, both from its place in the grid alone.
struct Lath {
    row: i64,
    col: i64,
    v: f64,
    u: f64,
    grey: f64,
}

impl Lath {
    fn new(salt: u64, row: i64, col: i64) -> Lath {
        let place =
            (row as u64).wrapping_mul(0x1_0001_0003) ^ (col as u64).wrapping_mul(0x9e37_79b9);
        let mut random = Random::new(salt ^ place);
        Lath {
            row,
            col,
            v: row as f64 + 0.2 + 0.6 * random.uniform(),
            u: col as f64 + random.uniform(),
            grey: random.uniform() - 0.5,
        }
    }
}

fn draw(options: &Draw) -> Result<Specimen> {
    let size = options.whole("size");
    let mut random = Random::new(options.whole("seed") as u64);
    let side = size as f64;
    let width = (options.get("width") / options.get("pixelSize")).clamp(2.0, side);
    let packets: Vec<Packet> = (0..options.whole("packets"))
        .map(|_| {
            let (sin, cos) = sin_cos(PI * random.uniform());
            let thick = width * (0.6 + 0.9 * random.uniform());
            Packet {
                y: side * random.uniform(),
                x: side * random.uniform(),
                sin,
                cos,
                width: thick,
                length: thick * options.get("aspect"),
                grey: 0.06 * (random.uniform() - 0.5),
                salt: random.bits(),
            }
        })
        .collect();
    let mut plane = |scale: f64| Smooth::new(&mut random, size, scale).plane([size, size], 0.5);
    let warp = [0, 1].map(|_| plane((2.2 * width).max(4.0)));
    let texture = [2.0, side / 3.0].map(&mut plane);
    let contrast = options.get("contrast");
    let film = options.get("film");
    let mut packet_of = vec![0u32; size * size];
    let mut owner = vec![0u32; size * size];
    let mut known: BTreeMap<Cell, u32> = BTreeMap::new();
    let mut grey = vec![0.0; size * size];
    // The laths about the last grid cell: neighbouring pixels mostly ask for the same.
    let mut asked: Cell = (usize::MAX, 0, 0);
    let mut around: Vec<Lath> = Vec::new();
    let mut last: (Cell, u32) = (asked, 0);
    for row in 0..size {
        for col in 0..size {
            let i = row * size + col;
            let (y, x) = (row as f64 + 0.5, col as f64 + 0.5);
            let bend = warp.each_ref().map(|warp| warp[i]);
            let (wy, wx) = (y + 0.22 * width * bend[0], x + 0.22 * width * bend[1]);
            let mut nearest = [(f64::MAX, 0), (f64::MAX, 0)];
            for (id, packet) in packets.iter().enumerate() {
                let d = (wy - packet.y) * (wy - packet.y) + (wx - packet.x) * (wx - packet.x);
                if d < nearest[0].0 {
                    nearest = [(d, id), nearest[0]];
                } else if d < nearest[1].0 {
                    nearest[1] = (d, id);
                }
            }
            let id = nearest[0].1;
            let packet = &packets[id];
            let v = (wy * packet.cos - wx * packet.sin) / packet.width;
            let u = (wy * packet.sin + wx * packet.cos) / packet.length;
            let cell = (id, v.floor() as i64, u.floor() as i64);
            if asked != cell {
                asked = cell;
                let cells = (-2..=2).flat_map(|a| (-1..=1).map(move |b| (cell.1 + a, cell.2 + b)));
                around.clear();
                around.extend(cells.map(|(row, col)| Lath::new(packet.salt, row, col)));
            }
            let (mut first, mut second) = ((f64::MAX, 0), f64::MAX);
            for (k, lath) in around.iter().enumerate() {
                let d = (v - lath.v) * (v - lath.v) + (u - lath.u) * (u - lath.u);
                if d < first.0 {
                    second = first.0;
                    first = (d, k);
                } else if d < second {
                    second = d;
                }
            }
            let lath = &around[first.1];
            // About the distance to the border in pixels: half the difference of the two distances.
            let gap = 0.5 * (second.sqrt() - first.0.sqrt()) * packet.width;
            let border = 0.5 * (nearest[1].0.sqrt() - nearest[0].0.sqrt());
            let thick = 0.75 + 0.3 * (1.0 + texture[1][i]) + 0.3 * lath.grey;
            let away = (gap.min(border) / thick).min(20.0);
            let line = exp(-away * away);
            let here = (id, lath.row, lath.col);
            if last.0 != here {
                let count = known.len() as u32 + 1;
                last = (here, *known.entry(here).or_insert(count));
            }
            owner[i] = last.1;
            packet_of[i] = id as u32;
            grey[i] = 0.34
                + packet.grey
                + 0.4 * contrast * lath.grey
                + 0.03 * texture[0][i]
                + film * (0.75 + 0.25 * bend[0]) * line;
        }
    }
    renumber(&mut owner);
    renumber(&mut packet_of);
    blur(&mut grey, size, options.get("blur"));
    let image = expose(&grey, options.get("noise"), &mut random);
    let marks = boundaries(&owner, size);
    Ok(Specimen {
        image: Tensor::new(&[1, size, size], image)?,
        labels: maps(
            size,
            [
                ("grains", numbers(&owner)),
                ("boundaries", marks),
                ("packets", numbers(&packet_of)),
            ],
        )?,
        pixel_size: options.get("pixelSize"),
    })
}
