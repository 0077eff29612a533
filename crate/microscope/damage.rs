//! What the beam leaves: amorphous patches that grow with the dose, holes, contamination.

use super::optics::blur;
use crate::math::exp;
use crate::random::{Random, Smooth};

/// The state of a specimen after some irradiation.
///
/// The crystalline part left after `dose` critical doses is exp(−dose): the critical dose is the one that leaves 1/e
/// (Egerton, Li and Malac, Micron 35 (2004) 399). Places differ in their resistance, by a fixed random field: damage only
/// ever grows with the dose. From one critical dose on the weakest places become holes, and hydrocarbons, drawn to the beam,
/// brighten the field's rim (Egerton 2004, sections 3 and 5).
pub struct Harm {
    size: [usize; 2],
    /// Each pixel's resistance: its rank, 0 (goes first) to 1.
    rank: Vec<f32>,
    /// An amorphous specimen's own speckle, of variance 1: the same for all channels.
    speckle: Vec<f64>,
    amorphous: f64,
    holes: f64,
    dose: f64,
}

impl Harm {
    /// The damage after `dose` critical doses, on a picture of this size.
    pub fn new(random: &mut Random, size: [usize; 2], dose: f64) -> Harm {
        let [height, width] = size;
        let side = height.max(width);
        let layers = [side as f64 / 6.0, side as f64 / 20.0]
            .map(|scale| Smooth::new(random, side, scale.max(2.0)).plane(size, 0.0));
        let field: Vec<f64> = (layers[0].iter().zip(&layers[1]))
            .map(|(coarse, fine)| coarse + 0.5 * fine)
            .collect();
        // Ranks by counting: bins are fine enough, and the same everywhere.
        const BINS: usize = 4096;
        let bin = |v: f64| (((v + 1.5) / 3.0 * BINS as f64) as usize).min(BINS - 1);
        let mut below = vec![0u32; BINS + 1];
        field.iter().for_each(|&v| below[bin(v) + 1] += 1);
        for i in 0..BINS {
            below[i + 1] += below[i];
        }
        let rank = (field.iter())
            .map(|&v| below[bin(v)] as f32 / field.len() as f32)
            .collect();
        let mut speckle: Vec<f64> = (0..field.len()).map(|_| random.normal()).collect();
        blur(&mut speckle, size, 1.0);
        // A normal field blurred with σ = 1 keeps 1/(4π) of its variance.
        let grain = (4.0 * std::f64::consts::PI).sqrt();
        speckle.iter_mut().for_each(|v| *v *= grain);
        Harm {
            size,
            rank,
            speckle,
            amorphous: 1.0 - exp(-dose),
            holes: 0.25 * (1.0 - exp(-(dose - 1.0).max(0.0))),
            dose,
        }
    }

    /// Changes a picture: amorphous places lose their structure and keep their mean and a speckle; holes let all through.
    pub fn strike(&self, values: &mut [f64]) {
        let [height, width] = self.size;
        let smooth = local_mean(values, self.size);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance =
            values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / values.len() as f64;
        let grain = 0.5 * variance.sqrt();
        // The edge of a patch is a few ranks wide, not a knife's.
        for ((value, &rank), (smooth, speckle)) in
            (values.iter_mut().zip(&self.rank)).zip(smooth.iter().zip(&self.speckle))
        {
            let lost = ((self.amorphous - f64::from(rank)) / 0.02 + 0.5).clamp(0.0, 1.0);
            *value += lost * (smooth + grain * speckle - *value);
        }
        if self.holes > 0.0 {
            for (value, &rank) in values.iter_mut().zip(&self.rank) {
                let hole = ((self.holes - f64::from(rank)) / 0.01 + 0.5).clamp(0.0, 1.0);
                *value += hole * (0.95 - *value);
            }
        }
        let place = |i: usize, size: usize| i as f64 / size as f64 - 0.5;
        let across: Vec<f64> = (0..width).map(|i| place(i, width)).collect();
        for (i, row) in values.chunks_mut(width).enumerate() {
            let y = place(i, height);
            for (value, x) in row.iter_mut().zip(&across) {
                *value += 0.08 * self.dose * ((y * y + x * x) * 2.0 - 0.2).max(0.0);
            }
        }
    }

    /// 0 intact, 1 amorphous, 2 hole.
    pub fn label(&self) -> Vec<f32> {
        let class = |&rank: &f32| {
            let rank = f64::from(rank);
            if rank < self.holes {
                2.0
            } else if rank < self.amorphous {
                1.0
            } else {
                0.0
            }
        };
        self.rank.iter().map(class).collect()
    }
}

/// The mean of what lies around each pixel: two running means over 9 pixels each way, a triangle of σ = 3.7 pixels, for the price
/// of a few additions a pixel. The rim is replicated.
fn local_mean(values: &[f64], [height, width]: [usize; 2]) -> Vec<f64> {
    const REACH: usize = 4;
    let part = 1.0 / (2 * REACH + 1) as f64;
    let mut now = values.to_vec();
    let mut out = vec![0.0; now.len()];
    for _ in 0..2 {
        for (row, line) in now.chunks(width).zip(out.chunks_mut(width)) {
            let at = |i: usize| row[i.saturating_sub(REACH).min(width - 1)];
            let mut sum: f64 = (0..2 * REACH).map(at).sum();
            for (i, value) in line.iter_mut().enumerate() {
                sum += at(i + 2 * REACH);
                *value = part * sum;
                sum -= at(i);
            }
        }
        let row = |i: usize| i.saturating_sub(REACH).min(height - 1) * width;
        let mut sums = vec![0.0; width];
        let mut add = |from: usize, sign: f64, out: &[f64]| {
            let line = &out[from..from + width];
            sums.iter_mut()
                .zip(line)
                .for_each(|(sum, v)| *sum += sign * v);
            sums.clone()
        };
        for i in 0..2 * REACH {
            add(row(i), 1.0, &out);
        }
        for i in 0..height {
            let sums = add(row(i + 2 * REACH), 1.0, &out);
            let line = &mut now[i * width..(i + 1) * width];
            line.iter_mut()
                .zip(sums)
                .for_each(|(v, sum)| *v = part * sum);
            add(row(i), -1.0, &out);
        }
    }
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_means_keep_a_slope_and_spread_a_dot() {
        let slope: Vec<f64> = (0..60 * 80)
            .map(|i| (i / 80) as f64 - 2.0 * (i % 80) as f64)
            .collect();
        let mean = local_mean(&slope, [60, 80]);
        assert!((mean[30 * 80 + 40] - slope[30 * 80 + 40]).abs() < 1e-9);
        let mut dot = vec![0.0; 61 * 61];
        dot[30 * 61 + 30] = 1.0;
        let spread = local_mean(&dot, [61, 61]);
        assert!((spread.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        // Two means over 9 pixels: variance 2 · (9² − 1)/12 along each axis.
        let along = |i: usize| ((i % 61) as f64 - 30.0).powi(2);
        let variance: f64 = (0..61 * 61).map(|i| along(i) * spread[i]).sum();
        assert!((variance - 40.0 / 3.0).abs() < 1e-6, "{variance}");
    }

    #[test]
    fn damage_follows_the_dose_and_only_grows() {
        let mut before = vec![0.0; 64 * 96];
        for dose in [0.1, 0.5, 1.0, 2.0, 4.0] {
            let label = Harm::new(&mut Random::new(3), [64, 96], dose).label();
            let part = |class: f32| {
                label.iter().filter(|c| **c >= class).count() as f64 / label.len() as f64
            };
            assert!((part(1.0) - (1.0 - (-dose).exp())).abs() < 0.01, "{dose}");
            assert_eq!(part(2.0) > 0.0, dose > 1.0);
            assert!(label.iter().zip(&before).all(|(now, then)| now >= then));
            before = label;
        }
    }

    #[test]
    fn structure_is_lost_where_the_label_says_so() {
        let fringes: Vec<f64> = (0..128 * 128)
            .map(|i| 0.5 + 0.3 * f64::from(i as u32 % 4 / 2))
            .collect();
        let harm = Harm::new(&mut Random::new(3), [128, 128], 0.7);
        let mut values = fringes.clone();
        harm.strike(&mut values);
        let (mut kept, mut lost) = (Vec::new(), Vec::new());
        for (i, class) in harm.label().iter().enumerate().filter(|(i, _)| i % 128 > 8) {
            // Correlation with the fringes.
            let product = (values[i] - 0.65) * (fringes[i] - 0.65) / 0.0225;
            if *class == 0.0 {
                kept.push(product)
            } else {
                lost.push(product)
            }
        }
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        assert!(
            mean(&kept) > 0.85 && mean(&lost).abs() < 0.25,
            "{} {}",
            mean(&kept),
            mean(&lost)
        );
    }
}
