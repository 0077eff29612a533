//! "nanoparticles": crystalline particles on an amorphous film under a high-resolution transmission electron microscope.
//!
//! The film is a weak phase object: white noise whose frequencies are multiplied by sin χ and the damping
//! ([`crate::microscope::optics::transfer`]), which makes the speckle and the rings of its power spectrum (Thon 1966). Particles
//! add fringes of one, two or three lattice planes 70.5° apart, as cubic crystals seen along [110], fading towards their rims
//! with their thickness, and a Fresnel line along the rim (Williams and Carter 2009, ch. 23 and 28). The same lens makes film and
//! fringes: a set of planes of frequency g has the contrast sin(χ(g) + φ) times the damping, φ being the phase that a particle's
//! thickness adds, so fringes come, go and reverse with defocus, and finer ones sooner. They also leave their particle by λ Δf g on either
//! side (delocalisation; Lichte, *Ultramicroscopy* 38, 1991), as far as asked: the labels say where the crystal is, not where its
//! fringes are seen. Real particles are often several crystals, bent and of uneven thickness (`domains`, `fading`).

use super::picture::{expose, field, maps, numbers};
use super::{Draw, Specimen};
use crate::error::Result;
use crate::knob::knob;
use crate::math::{exp, ln, sin_cos};
use crate::microscope::optics::{WAVELENGTH, transfer};
use crate::random::{Random, Smooth};
use crate::tensor::Tensor;
use std::f64::consts::PI;

/// What it is and which options it takes.
pub const KIND: super::Kind = super::Kind {
    name: "nanoparticles",
    label: "Nanoparticles, HRTEM",
    about: "Gold-like particles with lattice fringes on an amorphous film, 300 kV. \
            Labels: crystalline (1) or not, every particle's number.",
    options: &[
        knob("size", "Size", [32.0, 1024.0, 1.0], 256.0),
        knob("particles", "Particles", [0.0, 40.0, 1.0], 4.0),
        knob("diameter", "Diameter (nm)", [1.0, 20.0, 0.1], 4.0),
        knob("spacing", "Fringe spacing (nm)", [0.15, 0.4, 0.001], 0.235),
        knob(
            "orientations",
            "Fringe directions (0: mixed)",
            [0.0, 3.0, 1.0],
            0.0,
        ),
        knob("visibility", "Visibility of fringes", [0.0, 1.0, 0.05], 0.6),
        knob("twins", "Twinned particles (part)", [0.0, 1.0, 0.05], 0.0),
        knob(
            "domains",
            "Crystals a particle (0: one, or two where twinned)",
            [0.0, 6.0, 1.0],
            0.0,
        ),
        knob("fading", "Fringes fade in places", [0.0, 1.0, 0.05], 0.0),
        knob(
            "delocalised",
            "Fringes leave the particle (part)",
            [0.0, 1.0, 0.05],
            0.0,
        ),
        knob("rim", "Fresnel rims", [0.0, 1.0, 0.05], 1.0),
        knob(
            "halo",
            "Bright halo around particles",
            [0.0, 1.0, 0.05],
            0.0,
        ),
        knob("darkness", "Darkness of particles", [0.0, 1.0, 0.05], 0.5),
        knob("film", "Film's speckle", [0.0, 1.0, 0.05], 0.5),
        knob(
            "under",
            "Speckle under particles (part)",
            [0.0, 1.0, 0.05],
            0.7,
        ),
        knob(
            "beyond",
            "Centres out of view (part of the field)",
            [0.0, 1.0, 0.05],
            0.0,
        ),
        knob("defocus", "Defocus (nm)", [5.0, 150.0, 1.0], 45.0),
        knob("noise", "Noise", [0.0, 0.5, 0.005], 0.04),
        knob("pixelSize", "Pixel size (nm)", [0.01, 0.2, 0.005], 0.05),
        knob("seed", "Seed", [0.0, 1e9, 1.0], 1.0),
    ],
    draw,
};

struct Particle {
    y: f64,
    x: f64,
    /// Radius in pixels, and the facets: normal and distance.
    radius: f64,
    facets: [[f64; 3]; 6],
    /// Wave vectors (radians a pixel), phases and strengths of the fringes.
    waves: Vec<[f64; 4]>,
    /// A twin plane (normal and distance from the middle) with the fringes behind it.
    twin: Option<([f64; 3], Vec<[f64; 4]>)>,
    /// Further crystals: a point each, and the fringes of what lies nearest to it.
    domains: Vec<([f64; 2], Vec<[f64; 4]>)>,
    /// Where fringes are strong and where weak.
    fading: Option<(f64, Smooth)>,
    /// How far fringes move along their wave vector, in pixels for a radian a pixel.
    shift: f64,
    rim: f64,
    /// Strength of the halo, and its width in nm.
    halo: [f64; 2],
    /// What is left of the film's speckle.
    under: f64,
    depth: f64,
}

fn draw(options: &Draw) -> Result<Specimen> {
    let size = options.whole("size");
    let mut random = Random::new(options.whole("seed") as u64);
    let pixel = options.get("pixelSize");
    let defocus = options.get("defocus");
    let mut grey = field(&mut random, size, |f2| {
        let (chi, damping) = transfer(f2 / (pixel * pixel), defocus);
        // Atoms scatter less to high angles: the film's own spectrum falls off.
        let falloff = 1.0 / (1.0 + 0.06 * f2 / (pixel * pixel));
        if damping < 1e-9 {
            0.0
        } else {
            sin_cos(chi).0 * damping * falloff
        }
    });
    let film = 0.13 * options.get("film");
    grey.iter_mut().for_each(|v| *v = 0.5 + film * *v);
    let particles: Vec<Particle> = (0..options.whole("particles"))
        .map(|_| particle(&mut random, options, size as f64))
        .collect();
    let mut owner = vec![0u32; size * size];
    for (id, particle) in particles.iter().enumerate() {
        particle.add(&mut grey, &mut owner, size, pixel, id as u32 + 1);
    }
    let image = expose(&grey, options.get("noise"), &mut random);
    let crystalline = owner
        .iter()
        .map(|&id| f32::from(u8::from(id > 0)))
        .collect();
    Ok(Specimen {
        image: Tensor::new(&[1, size, size], image)?,
        labels: maps(
            size,
            [("crystalline", crystalline), ("particles", numbers(&owner))],
        )?,
        pixel_size: pixel,
    })
}

fn particle(random: &mut Random, options: &Draw, size: f64) -> Particle {
    let pixel = options.get("pixelSize");
    let radius = 0.5 * options.get("diameter") / pixel * (0.8 + 0.4 * random.uniform());
    let beyond = options.get("beyond");
    let [y, x] = [0, 1].map(|_| size * (0.06 - beyond + (0.88 + 2.0 * beyond) * random.uniform()));
    let turn = PI / 3.0 * random.uniform();
    let facets = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0].map(|k| {
        let (sin, cos) = sin_cos(turn + PI / 3.0 * k);
        [sin, cos, radius * (0.86 + 0.2 * random.uniform())]
    });
    let angle = 2.0 * PI * random.uniform();
    let directions = match options.whole("orientations") {
        0 => 1 + (random.uniform() * 2.6) as usize,
        n => n,
    };
    // Thicker particles scatter more than once, which shifts the phase.
    let thickness = 0.9 * (random.uniform() - 0.5);
    let visibility = 0.26 * options.get("visibility") * (0.75 + 0.5 * random.uniform());
    let share = [1.0, 0.68, 0.56][directions - 1];
    // {111}, {111} and {200} of a cubic crystal along [110]: 70.53° between the first two, the last halfway between them
    // on the other side, its planes √3/2 as far apart.
    let planes = [(0.0, 1.0), (70.53, 1.0), (125.26, 2.0 / 3.0f64.sqrt())];
    let waves_at = |random: &mut Random, angle: f64| -> Vec<[f64; 4]> {
        (planes[..directions].iter())
            .map(|&(degrees, closer)| {
                let (sin, cos) = sin_cos(angle + degrees * PI / 180.0);
                let g = closer / options.get("spacing");
                let (chi, damping) = transfer(g * g, options.get("defocus"));
                let contrast = sin_cos(chi + thickness).0 * damping;
                let k = 2.0 * PI * pixel * g;
                let phase = 2.0 * PI * random.uniform();
                [k * sin, k * cos, phase, visibility * share * contrast]
            })
            .collect()
    };
    let waves = waves_at(random, angle);
    // The twin's lattice is mirrored at its plane: {111} planes on both sides meet at 70.53°.
    let behind = waves_at(random, angle + 70.53 * PI / 180.0);
    let [twinned, turn, offset] = [0, 1, 2].map(|_| random.uniform());
    let (sin, cos) = sin_cos(2.0 * PI * turn);
    let plane = [sin, cos, 0.8 * (offset - 0.5) * radius];
    let depth = 2.0 * options.get("darkness") * (0.03 + 0.05 * random.uniform());
    let defocus = options.get("defocus");
    // What is not asked for draws no random numbers.
    let domains = (0..options.whole("domains")).map(|i| {
        // As in a multiply twinned particle each lattice is turned against the one before, not quite exactly.
        let turn = (70.53 * i as f64 + 12.0 * (random.uniform() - 0.5)) * PI / 180.0;
        let strength = 0.3 + 0.9 * random.uniform();
        let mut waves = waves_at(random, angle + turn);
        waves.iter_mut().for_each(|wave| wave[3] *= strength);
        let point = [0, 1].map(|_| 1.4 * (random.uniform() - 0.5) * radius);
        (point, waves)
    });
    let domains = domains.collect();
    let fading = options.get("fading");
    Particle {
        y,
        x,
        radius,
        facets,
        waves,
        twin: (twinned < options.get("twins")).then_some((plane, behind)),
        domains,
        fading: (fading > 0.0).then(|| {
            let scale = (0.7 * radius).max(4.0);
            (
                fading,
                Smooth::new(random, (3.0 * radius) as usize + 4, scale),
            )
        }),
        shift: options.get("delocalised") * WAVELENGTH * defocus / (2.0 * PI * pixel * pixel),
        rim: options.get("rim"),
        // A Fresnel fringe's width is √(λ Δf); the thick rim of a particle smears it.
        halo: [options.get("halo"), 0.2 + (WAVELENGTH * defocus).sqrt()],
        under: options.get("under"),
        depth,
    }
}

impl Particle {
    /// How far inside (in pixels) a point is: the nearest of six facets, their corners rounded.
    fn inside(&self, dy: f64, dx: f64) -> f64 {
        let away = self
            .facets
            .map(|[sin, cos, distance]| dy * sin + dx * cos - distance);
        let most = away.iter().copied().fold(f64::MIN, f64::max);
        // Only near the rim does the rounding show.
        if most < -0.55 * self.radius || most > 0.4 * self.radius {
            return -most;
        }
        let sharp = 12.0 / self.radius;
        let near = away
            .iter()
            .map(|d| (d - most) * sharp)
            .filter(|d| *d > -9.0);
        -most - ln(near.map(exp).sum()) / sharp
    }

    /// The fringes of the crystal that a point belongs to.
    fn lattice(&self, dy: f64, dx: f64) -> &[[f64; 4]] {
        let away = |point: &[f64; 2]| {
            let [y, x] = [dy - point[0], dx - point[1]];
            y * y + x * x
        };
        let nearest = self
            .domains
            .iter()
            .min_by(|(a, _), (b, _)| away(a).total_cmp(&away(b)));
        match (nearest, &self.twin) {
            (Some((_, waves)), _) => waves,
            (None, Some(([sin, cos, distance], behind))) if dy * sin + dx * cos > *distance => {
                behind
            }
            _ => &self.waves,
        }
    }

    /// How thick the particle is this deep inside, 0.35 to 1.
    fn weight(&self, depth: f64) -> f64 {
        let full = (0.25 * self.radius).max(1.0);
        let thick = (depth / full).min(1.0);
        0.35 + 0.65 * thick * (2.0 - thick)
    }

    fn add(&self, grey: &mut [f64], owner: &mut [u32], size: usize, pixel: f64, id: u32) {
        let halo = if self.halo[0] > 0.0 {
            4.0 * self.halo[1]
        } else {
            0.0
        };
        let reach = 1.4 * self.radius + halo.max(1.0) / pixel;
        let span =
            |c: f64| (c - reach).max(0.0) as usize..((c + reach).max(0.0) as usize).min(size);
        for row in span(self.y) {
            for col in span(self.x) {
                let (dy, dx) = (row as f64 + 0.5 - self.y, col as f64 + 0.5 - self.x);
                let depth = self.inside(dy, dx);
                let i = row * size + col;
                // Fresnel: a bright line outside the rim, a dark one inside, some tenths of a nanometre wide.
                let edge = depth * pixel / 0.16;
                if edge > -4.0 && edge < 4.0 {
                    grey[i] -= 0.11 * self.rim * edge * exp(0.5 - 0.5 * edge * edge);
                }
                let away = -depth * pixel / self.halo[1];
                if self.halo[0] > 0.0 && away > 0.0 && away < 4.0 {
                    grey[i] += 0.11 * self.halo[0] * away * exp(0.5 - 0.5 * away * away);
                }
                if depth <= 0.0 {
                    continue;
                }
                owner[i] = id;
                let weight = self.weight(depth);
                let mut value = 0.5 + self.under * (grey[i] - 0.5) - self.depth * weight;
                if self.shift == 0.0 {
                    let weight = weight * self.fade(dy, dx);
                    for [ky, kx, phase, strength] in self.lattice(dy, dx) {
                        value +=
                            weight * strength * sin_cos(ky * dy + kx * dx + phase + 50.0 * PI).1;
                    }
                }
                grey[i] = value;
            }
        }
        if self.shift != 0.0 {
            self.add_moved(grey, size);
        }
    }

    /// How strong fringes are at a point, in parts of their strength.
    fn fade(&self, dy: f64, dx: f64) -> f64 {
        match &self.fading {
            Some((fading, map)) => {
                1.0 - fading
                    * (0.5
                        + 0.5 * map.at(1.5 * self.radius + 2.0 + dy, 1.5 * self.radius + 2.0 + dx))
                    .clamp(0.0, 1.0)
            }
            None => 1.0,
        }
    }

    /// Adds the fringes of every crystal, half of each moved along its wave vector and half against it.
    fn add_moved(&self, grey: &mut [f64], size: usize) {
        let sets = self.domains.iter().map(|(_, waves)| waves);
        let sets = sets.chain(self.twin.iter().map(|(_, waves)| waves));
        let waves = sets.chain([&self.waves]).flatten();
        let longest = waves.map(|[ky, kx, ..]| ky * ky + kx * kx);
        let far = self.shift * longest.fold(0.0, f64::max).sqrt() + 1.0;
        // Only what can come to lie in the picture.
        let reach = 1.4 * self.radius + 1.0;
        let span = |c: f64| {
            let least = (-reach).max(-c - far).floor() as isize;
            least..=reach.min(size as f64 - c + far).ceil() as isize
        };
        for (dy, dx) in span(self.y).flat_map(|dy| span(self.x).map(move |dx| (dy, dx))) {
            let [dy, dx] = [dy, dx].map(|n| n as f64);
            let depth = self.inside(dy, dx);
            if depth <= 0.0 {
                continue;
            }
            let weight = self.weight(depth) * self.fade(dy, dx);
            for [ky, kx, phase, strength] in self.lattice(dy, dx) {
                for shift in [-self.shift, self.shift] {
                    let [row, col] =
                        [self.y + dy + shift * ky, self.x + dx + shift * kx].map(f64::floor);
                    if row < 0.0 || col < 0.0 || row >= size as f64 || col >= size as f64 {
                        continue;
                    }
                    let (y, x) = (row + 0.5 - self.y, col + 0.5 - self.x);
                    grey[row as usize * size + col as usize] +=
                        0.5 * weight * strength * sin_cos(ky * y + kx * x + phase + 50.0 * PI).1;
                }
            }
        }
    }
}
