//! What the specimens share: smooth noise, blur, shot noise, labels of boundaries. Exactly rounded arithmetic only
//! (+, −, ·, /, √), so that every machine draws the same picture.

use super::random::Random;

/// Smooth random noise between −1 and 1 on a square, with features of about `scale` pixels.
pub struct Smooth {
    values: Vec<f64>,
    across: usize,
    scale: f64,
}

impl Smooth {
    /// Noise that covers `size` pixels in both directions.
    pub fn new(random: &mut Random, size: usize, scale: f64) -> Smooth {
        let across = (size as f64 / scale) as usize + 3;
        let values = (0..across * across)
            .map(|_| 2.0 * random.uniform() - 1.0)
            .collect();
        Smooth {
            values,
            across,
            scale,
        }
    }

    /// The noise at a point, y and x from 0 to the size.
    pub fn at(&self, y: f64, x: f64) -> f64 {
        let ease = |t: f64| t * t * (3.0 - 2.0 * t);
        let (y, x) = (y / self.scale, x / self.scale);
        let (row, col) = (y as usize, x as usize);
        let (ty, tx) = (ease(y - row as f64), ease(x - col as f64));
        let node = |dy: usize, dx: usize| self.values[(row + dy) * self.across + col + dx];
        let top = node(0, 0) + tx * (node(0, 1) - node(0, 0));
        let bottom = node(1, 0) + tx * (node(1, 1) - node(1, 0));
        top + ty * (bottom - top)
    }
}

/// Blurs a square picture in place like a Gaussian of standard deviation `sigma` pixels; the rim is replicated.
pub fn blur(values: &mut [f64], size: usize, sigma: f64) {
    let variance = sigma * sigma;
    // A pass of [b, 1 − 2b, b] adds the variance 2b; with b ≤ 1/4 it is a proper smoothing.
    let passes = (variance / 0.5) as usize + usize::from(variance % 0.5 > 0.0);
    if passes == 0 {
        return;
    }
    let b = variance / (2.0 * passes as f64);
    let mut line = vec![0.0; size];
    for _ in 0..passes {
        for (start, step) in (0..size)
            .map(|i| (i * size, 1))
            .chain((0..size).map(|i| (i, size)))
        {
            for (i, value) in line.iter_mut().enumerate() {
                let at = |j: usize| values[start + j * step];
                let (before, after) = (at(i.saturating_sub(1)), at((i + 1).min(size - 1)));
                *value = at(i) * (1.0 - 2.0 * b) + b * (before + after);
            }
            for (i, value) in line.iter().enumerate() {
                values[start + i * step] = *value;
            }
        }
    }
}

/// Adds noise of standard deviation `noise` and limits the values to 0..1, as a detector does.
pub fn expose(values: &[f64], noise: f64, random: &mut Random) -> Vec<f32> {
    values
        .iter()
        .map(|&value| (value + noise * random.normal()).clamp(0.0, 1.0) as f32)
        .collect()
}

/// 1 on both sides of every change of label (to the right and below), 0 elsewhere.
pub fn boundaries(labels: &[u32], size: usize) -> Vec<f32> {
    let mut marks = vec![0.0; labels.len()];
    for i in 0..labels.len() {
        let right = (i % size + 1 < size).then_some(i + 1);
        let below = (i + size < labels.len()).then_some(i + size);
        for j in [right, below].into_iter().flatten() {
            if labels[i] != labels[j] {
                (marks[i], marks[j]) = (1.0, 1.0);
            }
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blur_keeps_the_sum_and_has_its_variance() {
        for sigma in [0.3, 0.8, 1.7] {
            let mut dot = vec![0.0; 31 * 31];
            dot[15 * 31 + 15] = 1.0;
            blur(&mut dot, 31, sigma);
            let sum: f64 = dot.iter().sum();
            let variance: f64 = dot
                .iter()
                .enumerate()
                .map(|(i, v)| v * ((i % 31) as f64 - 15.0).powi(2))
                .sum();
            assert!((sum - 1.0).abs() < 1e-12, "{sum}");
            assert!((variance - sigma * sigma).abs() < 1e-9, "{variance}");
        }
    }

    #[test]
    fn boundaries_lie_on_both_sides() {
        #[rustfmt::skip]
        let labels = [1, 1, 2,
                      1, 1, 2,
                      1, 1, 1];
        assert_eq!(
            boundaries(&labels, 3),
            [0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]
        );
    }
}
