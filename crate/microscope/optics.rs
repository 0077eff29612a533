//! Lenses: blur, contrast transfer, an uneven background.

use crate::fourier::Square;
use crate::math::{exp, sin_cos};
use crate::random::Random;
use std::f64::consts::PI;

/// Wavelength of electrons of 300 keV in nm (Williams and Carter 2009, table 1.2).
pub const WAVELENGTH: f64 = 0.001_969;
/// Spread of focus in nm: energy spread and chromatic aberration of a corrected instrument.
pub const FOCAL_SPREAD: f64 = 4.0;

/// The aberration phase χ(g) = π λ Δf g² of an instrument without spherical aberration (Cs corrected to 0), and the damping
/// exp(−½ (π λ Δ g²)²) by the spread of focus Δ; g in 1/nm, defocus Δf in nm (Williams and Carter 2009, ch. 28;
/// Kirkland, *Advanced Computing in Electron Microscopy*, 2020, ch. 3).
pub fn transfer(g2: f64, defocus: f64) -> (f64, f64) {
    let chi = PI * WAVELENGTH * defocus * g2;
    let spread = PI * WAVELENGTH * FOCAL_SPREAD * g2;
    (chi, exp(-0.5 * spread * spread))
}

/// Takes the picture out of focus: every frequency of its contrast is multiplied by cos χ and the damping, the transfer of a
/// weak amplitude object. Rings of frequencies vanish and others reverse; in focus only the damping is left. Pixels larger
/// than about 0.3 nm hold no frequencies that this could reach.
pub fn defocus(values: &mut [f64], [height, width]: [usize; 2], pixel_size: f64, defocus: f64) {
    let mut square = Square::zeros(height.max(width));
    let n = square.n;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    // Beyond the rim the picture is mirrored: a jump would ring.
    let mirror = |i: usize, size: usize| {
        let folded = i % (2 * size);
        if folded < size {
            folded
        } else {
            2 * size - 1 - folded
        }
    };
    for y in 0..n {
        for x in 0..n {
            let value = values[mirror(y, height) * width + mirror(x, width)];
            square.re[y * n + x] = (value - mean) as f32;
        }
    }
    square.forward();
    square.filter(|f2| {
        let (chi, damping) = transfer(f2 / (pixel_size * pixel_size), defocus);
        // Tiny pixels reach phases in which the damping has long ended everything.
        if damping < 1e-9 {
            0.0
        } else {
            sin_cos(chi).1 * damping
        }
    });
    square.inverse();
    for (i, value) in values.iter_mut().enumerate() {
        *value = mean + f64::from(square.re[i / width * n + i % width]);
    }
}

/// Convolves with a Gaussian of standard deviation `sigma` pixels, cut at 4σ; the rim is replicated. A probe's or a
/// detector's point spread, in the usual approximation.
pub fn blur(values: &mut [f64], [height, width]: [usize; 2], sigma: f64) {
    if sigma == 0.0 {
        return;
    }
    let reach = (4.0 * sigma).ceil() as usize;
    let half: Vec<f64> = (0..=reach)
        .map(|i| exp(-((i * i) as f64) / (2.0 * sigma * sigma)))
        .collect();
    let sum = half[0] + 2.0 * half[1..].iter().sum::<f64>();
    let weight = |i: usize| half[i] / sum;
    let mut line = vec![0.0; width];
    let mut padded = vec![0.0; width + 2 * reach];
    for row in values.chunks_mut(width) {
        for (i, value) in padded.iter_mut().enumerate() {
            *value = row[i.saturating_sub(reach).min(width - 1)];
        }
        line.iter_mut().for_each(|v| *v = 0.0);
        for k in 0..=2 * reach {
            let w = weight(k.abs_diff(reach));
            line.iter_mut()
                .zip(&padded[k..])
                .for_each(|(out, v)| *out += w * v);
        }
        row.copy_from_slice(&line);
    }
    let source = values.to_vec();
    for (y, row) in values.chunks_mut(width).enumerate() {
        row.iter_mut().for_each(|v| *v = 0.0);
        for k in 0..=2 * reach {
            let from = (y + k).saturating_sub(reach).min(height - 1);
            let w = weight(k.abs_diff(reach));
            let line = &source[from * width..][..width];
            row.iter_mut().zip(line).for_each(|(out, v)| *out += w * v);
        }
    }
}

/// A slope of grey across the picture and a faint vault on it: uneven illumination, charging, thickness of the film.
pub struct Background {
    slope: [f64; 2],
    vault: f64,
}

impl Background {
    /// `strength`: difference between the brightest and the darkest place, in parts of full scale; its direction is random.
    pub fn new(random: &mut Random, strength: f64) -> Background {
        let (sin, cos) = sin_cos(2.0 * PI * random.uniform());
        let reach = sin.abs() + cos.abs();
        Background {
            slope: [sin, cos].map(|c| 0.8 * strength * c / reach),
            vault: 0.2 * strength,
        }
    }

    /// Adds it; the mean over the picture is 0 but for the vault's share.
    pub fn add(&self, values: &mut [f64], [height, width]: [usize; 2]) {
        if self.slope == [0.0; 2] {
            return;
        }
        let place = |i: usize, size: usize| i as f64 / (size - 1).max(1) as f64 - 0.5;
        let across: Vec<f64> = (0..width).map(|i| place(i, width)).collect();
        for (i, row) in values.chunks_mut(width).enumerate() {
            let y = place(i, height);
            for (value, x) in row.iter_mut().zip(&across) {
                *value +=
                    self.slope[0] * y + self.slope[1] * x - self.vault * 2.0 * (y * y + x * x);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(values: &[f64], width: usize) -> f64 {
        let middle = width as f64 / 2.0 - 0.5;
        let moment = |v: (usize, &f64)| v.1 * ((v.0 % width) as f64 - middle).powi(2);
        values.iter().enumerate().map(moment).sum::<f64>() / values.iter().sum::<f64>()
    }

    #[test]
    fn blur_has_its_width() {
        for sigma in [0.8, 2.0, 5.0] {
            let mut dot = vec![0.0; 81 * 81];
            dot[40 * 81 + 40] = 1.0;
            blur(&mut dot, [81, 81], sigma);
            assert!((dot.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            assert!(
                (spread(&dot, 81).sqrt() / sigma - 1.0).abs() < 0.01,
                "{sigma}"
            );
        }
    }

    #[test]
    fn a_wave_is_multiplied_by_its_transfer() {
        // 16 periods in 64 pixels of 0.1 nm: g = 2.5/nm.
        let wave = |i: usize| (2.0 * PI * (i % 64) as f64 / 4.0 + 0.4).cos();
        for nm in [-60.0, 0.001, 35.0, 80.0] {
            let mut values: Vec<f64> = (0..64 * 64).map(|i| 0.5 + 0.2 * wave(i)).collect();
            defocus(&mut values, [64, 64], 0.1, nm);
            let (chi, damping) = transfer(6.25, nm);
            for (i, v) in values.iter().enumerate() {
                let wanted = 0.5 + 0.2 * wave(i) * chi.cos() * damping;
                assert!((v - wanted).abs() < 1e-4, "{nm} nm: {v}, {wanted}");
            }
        }
    }

    #[test]
    fn background_spans_what_was_asked_for() {
        for seed in 0..20 {
            let mut values = vec![0.5; 50 * 70];
            Background::new(&mut Random::new(seed), 0.4).add(&mut values, [50, 70]);
            let max = values.iter().copied().fold(f64::MIN, f64::max);
            let min = values.iter().copied().fold(f64::MAX, f64::min);
            assert!((0.28..=0.42).contains(&(max - min)), "{}", max - min);
        }
    }
}
