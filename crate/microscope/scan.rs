//! Where a pixel of the picture lies on the specimen: sampling, drift, scan distortion. Labels go the same way.

use crate::math::sin_cos;
use crate::random::Random;
use std::f64::consts::PI;

/// Samples a picture anew. To fewer pixels: the mean over each new pixel's area (what a detector's pixel collects); to more:
/// linear between the middles of the old ones.
pub fn resample(values: &[f64], [height, width]: [usize; 2], [rows, cols]: [usize; 2]) -> Vec<f64> {
    let across = weights(width, cols);
    let down = weights(height, rows);
    let mut narrow = vec![0.0; height * cols];
    for y in 0..height {
        for (x, (first, weights)) in across.iter().enumerate() {
            let line = &values[y * width + first..];
            narrow[y * cols + x] = weights.iter().zip(line).map(|(w, v)| w * v).sum();
        }
    }
    let mut out = vec![0.0; rows * cols];
    for (y, (first, weights)) in down.iter().enumerate() {
        for (k, w) in weights.iter().enumerate() {
            let line = &narrow[(first + k) * cols..][..cols];
            let into = &mut out[y * cols..][..cols];
            into.iter_mut().zip(line).for_each(|(out, v)| *out += w * v);
        }
    }
    out
}

/// For each new pixel the first old one and the shares of it and its followers.
fn weights(old: usize, new: usize) -> Vec<(usize, Vec<f64>)> {
    let ratio = old as f64 / new as f64;
    (0..new)
        .map(|i| {
            if ratio >= 1.0 {
                let (from, to) = (i as f64 * ratio, ((i + 1) as f64 * ratio).min(old as f64));
                let (first, last) = (from as usize, (to.ceil() as usize).min(old));
                let share = |j: usize| ((j + 1) as f64).min(to) - (j as f64).max(from);
                (
                    first,
                    (first..last).map(|j| share(j) / (to - from)).collect(),
                )
            } else {
                let at = ((i as f64 + 0.5) * ratio - 0.5).clamp(0.0, (old - 1) as f64);
                let first = (at as usize).min(old.saturating_sub(2));
                let t = at - first as f64;
                (
                    first,
                    if old == 1 {
                        vec![1.0]
                    } else {
                        vec![1.0 - t, t]
                    },
                )
            }
        })
        .collect()
}

/// Samples labels anew: each new pixel takes the label at its middle.
pub fn resample_labels(
    labels: &[f32],
    [height, width]: [usize; 2],
    [rows, cols]: [usize; 2],
) -> Vec<f32> {
    let at = |i: usize, old: usize, new: usize| {
        ((((i as f64 + 0.5) * old as f64) / new as f64) as usize).min(old - 1)
    };
    (0..rows * cols)
        .map(|i| labels[at(i / cols, height, rows) * width + at(i % cols, width, cols)])
        .collect()
}

/// The way of the probe over the specimen, line by line.
///
/// The specimen drifts evenly in a random direction by `drift` pixels while one frame is taken, so that a scanned picture
/// is sheared and stretched; the lines jitter and hum (Jones and Nellist, Microsc. Microanal. 19 (2013) 1050; Sang and
/// LeBeau, Ultramicroscopy 138 (2014) 28).
pub struct Path {
    size: [usize; 2],
    /// What is added to row and column of a pixel, for each line.
    lines: Vec<[f64; 2]>,
}

impl Path {
    /// `drift`: pixels a frame, along x for its greater part, the sign as seen in x; `distortion`: standard deviation of the
    /// displacements in x, in pixels: half of the variance is a hum of some periods a frame, half is jitter from line to line.
    pub fn new(random: &mut Random, size: [usize; 2], drift: f64, distortion: f64) -> Path {
        let (sin, cos) = sin_cos((random.uniform() - 0.5) * PI / 2.0);
        let (periods, phase) = (3.0 + 9.0 * random.uniform(), 2.0 * PI * random.uniform());
        let lines = (0..size[0])
            .map(|row| {
                let time = row as f64 / size[0] as f64;
                let hum = sin_cos(2.0 * PI * periods * time + phase).0;
                let jitter = random.normal();
                let x = distortion * (hum + jitter * 0.5f64.sqrt());
                // What lies at (y, x) at the beginning is met at (y, x) + drift · time.
                [-drift * time * sin, x - drift * time * cos]
            })
            .collect();
        Path { size, lines }
    }

    /// Whether nothing moves.
    pub fn is_straight(&self) -> bool {
        self.lines.iter().all(|line| *line == [0.0; 2])
    }

    /// How far the specimen has moved (down, right) when a line is taken, with the scan's own errors.
    pub fn offset(&self, line: usize) -> [f64; 2] {
        self.lines[line].map(|c| -c)
    }

    /// The picture along this way, linear between pixels; beyond the rim it is mirrored, since what lies there is not known.
    pub fn sample(&self, values: &[f64]) -> Vec<f64> {
        let [height, width] = self.size;
        let mut out = Vec::with_capacity(values.len());
        for (row, [dy, dx]) in self.lines.iter().enumerate() {
            let y = fold(row as f64 + dy, height);
            let (top, ty) = (y as usize, y - y.floor());
            let bottom = (top + 1).min(height - 1);
            // The whole line moves as one: away from the rim the parts of two neighbours are the same for all its pixels.
            let shift = dx.floor();
            let inside = (-shift).max(0.0) as usize
                ..((width as f64 - 1.0 - shift).max(0.0) as usize).min(width);
            for col in 0..width {
                let (left, tx) = if inside.contains(&col) {
                    ((col as f64 + shift) as usize, dx - shift)
                } else {
                    let x = fold(col as f64 + dx, width);
                    (x as usize, x - x.floor())
                };
                let right = (left + 1).min(width - 1);
                let along = |r: usize| {
                    let (a, b) = (values[r * width + left], values[r * width + right]);
                    a + tx * (b - a)
                };
                let (a, b) = (along(top), along(bottom));
                out.push(a + ty * (b - a));
            }
        }
        out
    }

    /// The labels along this way: the nearest pixel's.
    pub fn sample_labels(&self, labels: &[f32]) -> Vec<f32> {
        let [height, width] = self.size;
        let near = |c: f64, size: usize| (fold(c, size) + 0.5) as usize;
        let mut out = Vec::with_capacity(labels.len());
        for (row, [dy, dx]) in self.lines.iter().enumerate() {
            let y = near(row as f64 + dy, height);
            out.extend((0..width).map(|col| labels[y * width + near(col as f64 + dx, width)]));
        }
        out
    }
}

/// A coordinate mirrored at the rim into 0 to `size` − 1.
fn fold(at: f64, size: usize) -> f64 {
    let last = (size - 1) as f64;
    let inside = if at < 0.0 { -at } else { at };
    let inside = if inside > last {
        2.0 * last - inside
    } else {
        inside
    };
    inside.clamp(0.0, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resampling_keeps_mean_and_place() {
        let size = [60, 90];
        let blob = |y: f64, x: f64| {
            if (y - 0.4).abs() < 0.1 && (x - 0.6).abs() < 0.1 {
                1.0
            } else {
                0.0
            }
        };
        let draw = |[h, w]: [usize; 2]| -> Vec<f64> {
            (0..h * w)
                .map(|i| {
                    blob(
                        ((i / w) as f64 + 0.5) / h as f64,
                        ((i % w) as f64 + 0.5) / w as f64,
                    )
                })
                .collect()
        };
        let centre = |values: &[f64], [h, w]: [usize; 2]| {
            let sum: f64 = values.iter().sum();
            let at = |f: &dyn Fn(usize) -> f64| {
                values
                    .iter()
                    .enumerate()
                    .map(|(i, v)| v * f(i))
                    .sum::<f64>()
                    / sum
            };
            [
                at(&|i| ((i / w) as f64 + 0.5) / h as f64),
                at(&|i| ((i % w) as f64 + 0.5) / w as f64),
            ]
        };
        let source = draw(size);
        for to in [[30, 45], [23, 31], [60, 90], [120, 180], [97, 140]] {
            let values = resample(&source, size, to);
            let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
            assert!((mean(&values) - mean(&source)).abs() < 2e-3, "{to:?}");
            let [y, x] = centre(&values, to);
            assert!(
                (y - 0.4).abs() < 0.01 && (x - 0.6).abs() < 0.01,
                "{to:?}: {y} {x}"
            );
            let marks: Vec<f32> = source.iter().map(|&v| v as f32).collect();
            let labels: Vec<f64> = resample_labels(&marks, size, to)
                .iter()
                .map(|&v| f64::from(v))
                .collect();
            let [y, x] = centre(&labels, to);
            assert!(
                (y - 0.4).abs() < 0.02 && (x - 0.6).abs() < 0.02,
                "{to:?}: {y} {x}"
            );
        }
    }

    #[test]
    fn a_line_is_sheared_by_the_drift() {
        let size = [128, 200];
        let values: Vec<f64> = (0..128 * 200)
            .map(|i| if i % 200 == 80 { 1.0 } else { 0.0 })
            .collect();
        for drift in [-20.0, 12.0] {
            let path = Path::new(&mut Random::new(4), size, drift, 0.0);
            let moved = path.sample(&values);
            let at = |row: usize| {
                (0..200)
                    .map(|x| x as f64 * moved[row * 200 + x])
                    .sum::<f64>()
            };
            for row in [0, 64, 127] {
                assert!((at(row) - 80.0 - path.offset(row)[1]).abs() < 1e-9);
            }
            // The whole way, both components together, is what was asked for in a frame.
            let [dy, dx] = path.offset(127);
            let way = (dy * dy + dx * dx).sqrt() * 128.0 / 127.0;
            assert!((way - drift.abs()).abs() < 1e-9, "{way}");
            assert!((at(127) - 80.0).signum() == drift.signum());
        }
    }

    #[test]
    fn distortion_has_its_width() {
        let path = Path::new(&mut Random::new(4), [2000, 4], 0.0, 2.0);
        let square: f64 = (0..2000).map(|row| path.offset(row)[1].powi(2)).sum();
        assert!(((square / 2000.0).sqrt() - 2.0).abs() < 0.15);
        assert!(Path::new(&mut Random::new(4), [9, 9], 0.0, 0.0).is_straight());
    }
}
