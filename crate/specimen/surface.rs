//! What preparation and etching leave on a polished polycrystal: grooves or bright rims along the boundaries, a texture,
//! terraces inside grains, domes, pores. All of it is off by default.

use super::Draw;
use super::picture::{Smooth, blur};
use crate::math::sin_cos;
use crate::random::Random;
use std::f64::consts::PI;

/// The settled looks of a surface.
pub struct Surface {
    random: Random,
    /// Of the domes alone: they lie under everything else.
    vaulting: Random,
    grains: u32,
    edge: f64,
    edge_width: f64,
    texture: f64,
    terraces: f64,
    domes: f64,
    pores: usize,
}

impl Surface {
    /// Reads the knobs; `grains` is the largest label. The random numbers are its own, so that turning one knob leaves the
    /// grains and the noise what they were.
    pub fn new(options: &Draw, grains: u32) -> Surface {
        Surface {
            random: Random::new(options.whole("seed") as u64 ^ 0x5eed_5eed_5eed),
            vaulting: Random::new(options.whole("seed") as u64 ^ 0xd03e_d03e_d03e),
            grains,
            edge: options.get("edge"),
            edge_width: options.get("edgeWidth"),
            texture: options.get("texture"),
            terraces: options.get("terraces"),
            domes: options.get("domes"),
            pores: options.whole("pores"),
        }
    }

    /// Changes the grey values (0 to 1) of a square picture with these labels and boundary marks.
    pub fn draw(mut self, grey: &mut [f64], size: usize, owner: &[u32], marks: &[f32]) {
        if self.domes > 0.0 {
            self.draw_domes(grey, size, owner, marks);
        }
        if self.terraces > 0.0 {
            self.draw_terraces(grey, size, owner);
        }
        if self.texture > 0.0 {
            self.draw_texture(grey, size);
        }
        if self.edge != 0.0 {
            self.draw_edges(grey, size, marks);
        }
        for _ in 0..self.pores {
            self.draw_pore(grey, size);
        }
    }

    /// Each grain is vaulted: brighter where it stands higher, and on the slope that faces the detector. The height rises from
    /// the grain's boundary as 2t − t², t being the distance from it over half the grain's radius, as on a surface whose
    /// grooves have widened by diffusion (Mullins, J. Appl. Phys. 28, 1957).
    fn draw_domes(&mut self, grey: &mut [f64], size: usize, owner: &[u32], marks: &[f32]) {
        let random = &mut self.vaulting;
        let mut area = vec![0.0f64; self.grains as usize + 1];
        owner.iter().for_each(|&id| area[id as usize] += 1.0);
        let tall: Vec<f64> = area.iter().map(|_| 0.3 + 0.7 * random.uniform()).collect();
        let (sin, cos) = sin_cos(2.0 * PI * random.uniform());
        let lit = 2.2 * random.uniform();
        let far = distances(marks, size);
        let mut height: Vec<f64> = (0..grey.len())
            .map(|i| {
                let id = owner[i] as usize;
                // The radius of a circle of the grain's area.
                let t = (far[i] / (0.5 * (area[id] / PI).sqrt())).min(1.0);
                tall[id] * t * (2.0 - t)
            })
            .collect();
        blur(&mut height, size, 1.0);
        for row in 0..size {
            for col in 0..size {
                let at = |y: usize, x: usize| height[y.min(size - 1) * size + x.min(size - 1)];
                let down = at(row + 1, col) - at(row.saturating_sub(1), col);
                let right = at(row, col + 1) - at(row, col.saturating_sub(1));
                let slope = sin * down + cos * right;
                grey[row * size + col] +=
                    self.domes * (0.22 * (at(row, col) - 0.5) + 0.25 * lit * slope);
            }
        }
    }

    /// Every other grain or so carries steps: a saw-tooth across it, of its own direction and period.
    fn draw_terraces(&mut self, grey: &mut [f64], size: usize, owner: &[u32]) {
        let random = &mut self.random;
        let waves: Vec<[f64; 3]> = (0..=self.grains)
            .map(|_| {
                let [dy, dx] = [0, 1].map(|_| 2.0 * random.uniform() - 1.0);
                let length = (dy * dy + dx * dx).sqrt().max(1e-3);
                let period = 4.0 + 10.0 * random.uniform();
                let height = (random.uniform() - 0.5).max(0.0) * 0.3;
                [dy / length / period, dx / length / period, height]
            })
            .collect();
        let bend = Smooth::new(random, size, 12.0);
        for (i, value) in grey.iter_mut().enumerate() {
            let [dy, dx, height] = waves[owner[i] as usize];
            let (y, x) = ((i / size) as f64, (i % size) as f64);
            let phase = dy * y + dx * x + 0.4 * bend.at(y, x) + 1e4;
            *value += self.terraces * height * ((phase - phase.floor()) - 0.5);
        }
    }

    /// Spots of two sizes.
    fn draw_texture(&mut self, grey: &mut [f64], size: usize) {
        let layers = [2.5, 7.0].map(|scale| Smooth::new(&mut self.random, size, scale));
        for (i, value) in grey.iter_mut().enumerate() {
            let (y, x) = ((i / size) as f64, (i % size) as f64);
            let spots: f64 = layers.iter().map(|layer| layer.at(y, x)).sum();
            *value += 0.08 * self.texture * spots;
        }
    }

    /// Grooves or bright rims, stronger here and weaker there.
    fn draw_edges(&mut self, grey: &mut [f64], size: usize, marks: &[f32]) {
        let mut lines: Vec<f64> = marks.iter().map(|&mark| f64::from(mark)).collect();
        blur(&mut lines, size, self.edge_width);
        let strength = Smooth::new(&mut self.random, size, 30.0);
        for (i, value) in grey.iter_mut().enumerate() {
            let (y, x) = ((i / size) as f64, (i % size) as f64);
            *value += 0.5 * self.edge * lines[i] * (0.6 + 0.4 * strength.at(y, x));
        }
    }

    /// A dark disc with a bright rim, sometimes with a bright middle.
    fn draw_pore(&mut self, grey: &mut [f64], size: usize) {
        let [y, x] = [0, 1].map(|_| self.random.uniform() * size as f64);
        let radius = 0.7 + 3.3 * self.random.uniform() * self.random.uniform();
        let (rim, middle) = (0.25 * self.random.uniform(), self.random.uniform());
        let span = |c: f64| (c - 8.0).max(0.0) as usize..((c + 8.0) as usize).min(size);
        for row in span(y) {
            for column in span(x) {
                let (dy, dx) = (row as f64 + 0.5 - y, column as f64 + 0.5 - x);
                let distance = (dy * dy + dx * dx).sqrt();
                let value = &mut grey[row * size + column];
                if middle > 0.7 && distance < 0.45 * radius {
                    *value = 0.95;
                } else if distance < radius {
                    *value = 0.05;
                } else if distance < radius + 1.2 {
                    *value += rim;
                }
            }
        }
    }
}

/// Distances in pixels from the nearest marked one, by the chamfer of steps 1 and 4/3 (Borgefors, Comput. Vis. Graph. Image
/// Process. 34, 1986): within 6 % of the true ones, in two passes.
fn distances(marks: &[f32], size: usize) -> Vec<f64> {
    let mut far: Vec<f64> = marks
        .iter()
        .map(|&mark| if mark > 0.0 { 0.0 } else { 1e9 })
        .collect();
    let diagonal = 4.0 / 3.0;
    let mut pass = |at: &dyn Fn(usize) -> usize| {
        // Forwards the neighbours before a pixel in reading order count, backwards those behind it.
        for step in 0..size * size {
            let (row, col) = (step / size, step % size);
            let i = at(step);
            let mut least = far[i];
            let mut from = |back: usize, cost: f64| least = least.min(far[at(step - back)] + cost);
            if col > 0 {
                from(1, 1.0);
            }
            if row > 0 {
                from(size, 1.0);
                if col > 0 {
                    from(size + 1, diagonal);
                }
                if col + 1 < size {
                    from(size - 1, diagonal);
                }
            }
            far[i] = least;
        }
    };
    pass(&|step| step);
    pass(&|step| size * size - 1 - step);
    far
}

#[cfg(test)]
mod tests {
    use super::distances;
    use crate::error::Result;
    use crate::specimen::specimen;

    #[test]
    fn knobs_change_the_looks_and_never_the_labels() -> Result<()> {
        let plain = specimen("grains", &[("size".to_string(), 96usize.into())].into())?;
        for knob in ["edge", "texture", "terraces", "domes", "pores"] {
            let value = if knob == "pores" { 20.0 } else { 1.0 };
            let options = [
                ("size".to_string(), 96.0.into()),
                (knob.to_string(), value.into()),
            ];
            let changed = specimen("grains", &options.into())?;
            assert_eq!(changed.labels, plain.labels, "{knob}");
            assert_ne!(changed.image, plain.image, "{knob}");
        }
        Ok(())
    }

    #[test]
    fn grooves_are_dark_and_rims_bright() -> Result<()> {
        let mean_on_boundaries = |edge: f64| -> Result<f32> {
            let options = [
                ("size".to_string(), 96.0.into()),
                ("edge".to_string(), edge.into()),
            ];
            let drawn = specimen("grains", &options.into())?;
            let marks = drawn.labels[1].1.data();
            let count: f32 = marks.iter().sum();
            let sum: f32 = drawn
                .image
                .data()
                .iter()
                .zip(marks)
                .map(|(x, m)| x * m)
                .sum();
            Ok(sum / count)
        };
        assert!(mean_on_boundaries(-1.0)? < mean_on_boundaries(0.0)? - 0.1);
        assert!(mean_on_boundaries(1.0)? > mean_on_boundaries(0.0)? + 0.1);
        Ok(())
    }

    #[test]
    fn distances_are_true_within_six_per_cent() {
        let size = 41;
        let mut marks = vec![0.0; size * size];
        marks[20 * size + 20] = 1.0;
        marks[3 * size + 37] = 1.0;
        for (i, far) in distances(&marks, size).into_iter().enumerate() {
            let from =
                |row: f64, col: f64| (row - (i / size) as f64).hypot(col - (i % size) as f64);
            let truth = from(20.0, 20.0).min(from(3.0, 37.0));
            assert!(
                (far - truth).abs() <= 0.06 * truth + 1e-12,
                "{i}: {far} for {truth}"
            );
        }
    }

    #[test]
    fn domes_are_brighter_in_the_middle_of_grains() -> Result<()> {
        let [flat, vaulted] = [0.0, 1.0].map(|domes| {
            let options = [
                ("size".to_string(), 128.0.into()),
                ("noise".to_string(), 0.0.into()),
                ("domes".to_string(), domes.into()),
            ];
            specimen("grains", &options.into())
        });
        let (flat, vaulted) = (flat?, vaulted?);
        let far = distances(vaulted.labels[1].1.data(), 128);
        let rise = |near: &dyn Fn(f64) -> bool| {
            let pixels: Vec<usize> = (0..far.len()).filter(|&i| near(far[i])).collect();
            let change = |&i: &usize| f64::from(vaulted.image.data()[i] - flat.image.data()[i]);
            pixels.iter().map(change).sum::<f64>() / pixels.len() as f64
        };
        assert!(rise(&|d| d > 7.0) > rise(&|d| d < 2.0) + 0.08);
        Ok(())
    }
}
