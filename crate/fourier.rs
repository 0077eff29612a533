//! A small Fourier transform of square pictures whose side is a power of two.
//!
//! Radix 2 in `f32` (Cooley and Tukey 1965). Butterflies work on whole rows, which the compiler turns into vectors; that is
//! all the speed a figure needs, and the bytes are the same everywhere, which a library with its own vector code would not
//! promise.

use crate::math::sin_cos;
use std::f64::consts::PI;

/// A square of complex numbers, row-major.
pub struct Square {
    /// Side, a power of two.
    pub n: usize,
    /// Real parts.
    pub re: Vec<f32>,
    /// Imaginary parts.
    pub im: Vec<f32>,
}

impl Square {
    /// Zeros; the side is rounded up to a power of two.
    pub fn zeros(side: usize) -> Square {
        let n = side.next_power_of_two();
        Square {
            n,
            re: vec![0.0; n * n],
            im: vec![0.0; n * n],
        }
    }

    /// Forward transform: Σ f(x) e^(−2πi kx/n), frequencies in the usual order 0, 1, …, −1.
    pub fn forward(&mut self) {
        self.transform(-1.0);
    }

    /// Inverse transform, with the factor 1/n².
    pub fn inverse(&mut self) {
        self.transform(1.0);
        let scale = 1.0 / (self.n * self.n) as f32;
        self.re.iter_mut().for_each(|v| *v *= scale);
        self.im.iter_mut().for_each(|v| *v *= scale);
    }

    /// Multiplies each frequency by `gain` of its square, in cycles a pixel squared: a filter without direction.
    pub fn filter(&mut self, gain: impl Fn(f64) -> f64) {
        let n = self.n;
        // The squared frequency (i² + j²)/n² takes few values: each gain is computed once.
        let half = n / 2;
        let mut known = vec![f32::NAN; 2 * half * half + 1];
        for i in 0..n {
            for j in 0..n {
                let (a, b) = (i.min(n - i), j.min(n - j));
                let square = a * a + b * b;
                if known[square].is_nan() {
                    known[square] = gain(square as f64 / (n * n) as f64) as f32;
                }
                self.re[i * n + j] *= known[square];
                self.im[i * n + j] *= known[square];
            }
        }
    }

    fn transform(&mut self, sign: f64) {
        for _ in 0..2 {
            columns(&mut self.re, &mut self.im, self.n, sign);
            transpose(&mut self.re, self.n);
            transpose(&mut self.im, self.n);
        }
    }
}

/// Transforms all columns at once: rows are swapped and combined as wholes.
fn columns(re: &mut [f32], im: &mut [f32], n: usize, sign: f64) {
    if n == 1 {
        return;
    }
    let bits = n.trailing_zeros();
    for i in 0..n {
        let j = i.reverse_bits() >> (usize::BITS - bits);
        if i < j {
            for part in [&mut *re, &mut *im] {
                let (low, high) = part.split_at_mut(j * n);
                low[i * n..(i + 1) * n].swap_with_slice(&mut high[..n]);
            }
        }
    }
    let mut half = 1;
    while half < n {
        for k in 0..half {
            let (sin, cos) = sin_cos(sign * PI * k as f64 / half as f64);
            let (wr, wi) = (cos as f32, sin as f32);
            for a in (k..n).step_by(2 * half) {
                let b = a + half;
                let (re_low, re_high) = re.split_at_mut(b * n);
                let (im_low, im_high) = im.split_at_mut(b * n);
                let (ar, ai) = (&mut re_low[a * n..][..n], &mut im_low[a * n..][..n]);
                let (br, bi) = (&mut re_high[..n], &mut im_high[..n]);
                for x in 0..n {
                    let tr = wr * br[x] - wi * bi[x];
                    let ti = wr * bi[x] + wi * br[x];
                    (br[x], bi[x]) = (ar[x] - tr, ai[x] - ti);
                    (ar[x], ai[x]) = (ar[x] + tr, ai[x] + ti);
                }
            }
        }
        half *= 2;
    }
}

fn transpose(values: &mut [f32], n: usize) {
    const TILE: usize = 16;
    for top in (0..n).step_by(TILE) {
        for left in (top..n).step_by(TILE) {
            for i in top..n.min(top + TILE) {
                for j in left.max(i + 1)..n.min(left + TILE) {
                    values.swap(i * n + j, j * n + i);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn a_wave_has_one_frequency_and_comes_back() {
        let n = 16;
        let mut square = Square::zeros(n);
        for i in 0..n * n {
            let phase = 2.0 * PI * (3.0 * (i / n) as f64 + 5.0 * (i % n) as f64) / n as f64;
            (square.re[i], square.im[i]) = (phase.cos() as f32, phase.sin() as f32);
        }
        let before = square.re.clone();
        square.forward();
        for i in 0..n * n {
            let wanted = if i == 3 * n + 5 { 256.0 } else { 0.0 };
            assert!((square.re[i] - wanted).abs() < 1e-3 && square.im[i].abs() < 1e-3);
        }
        square.inverse();
        assert!(
            before
                .iter()
                .zip(&square.re)
                .all(|(a, b)| (a - b).abs() < 1e-5)
        );
    }

    #[test]
    fn energy_is_kept() {
        let mut random = Random::new(5);
        let mut square = Square::zeros(32);
        square
            .re
            .iter_mut()
            .for_each(|v| *v = random.normal() as f32);
        let energy = |s: &Square| {
            s.re.iter()
                .chain(&s.im)
                .map(|v| f64::from(v * v))
                .sum::<f64>()
        };
        let before = energy(&square);
        square.forward();
        assert!((energy(&square) / 1024.0 / before - 1.0).abs() < 1e-5);
    }
}
