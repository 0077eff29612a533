//! What the specimens share: smooth noise, blur, shot noise, labels of boundaries. Exactly rounded arithmetic only
//! (+, −, ·, /, √), so that every machine draws the same picture.

use crate::error::Result;
use crate::fourier::Square;
use crate::labels;
use crate::random::Random;
pub use crate::random::Smooth;
use crate::tensor::Tensor;

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
    // A lie for the tests' sake: everything a quarter darker.
    #[cfg(feature = "sabotage")]
    let values = values.iter().map(|v| 0.75 * v).collect::<Vec<_>>();
    values
        .iter()
        .map(|&value| (value + noise * random.normal()).clamp(0.0, 1.0) as f32)
        .collect()
}

/// 1 on both sides of every change of label (to the right and below), 0 elsewhere.
pub fn boundaries(labels: &[u32], size: usize) -> Vec<f32> {
    labels::boundaries(labels, [size, size])
}

/// Label maps by name from numbers.
pub fn maps<const N: usize>(
    size: usize,
    maps: [(&str, Vec<f32>); N],
) -> Result<Vec<(String, Tensor)>> {
    (maps.into_iter())
        .map(|(name, map)| Ok((name.into(), Tensor::new(&[1, size, size], map)?)))
        .collect()
}

/// Numbers of labels as a map.
pub fn numbers(labels: &[u32]) -> Vec<f32> {
    labels.iter().map(|&id| id as f32).collect()
}

/// Labels numbered anew from 1 without gaps, in the order of their first pixels.
pub fn renumber(labels: &mut [u32]) -> u32 {
    let largest = labels.iter().copied().max().unwrap_or(0) as usize;
    let mut number = vec![0u32; largest + 1];
    let mut count = 0;
    for id in labels {
        let slot = &mut number[*id as usize];
        if *slot == 0 {
            count += 1;
            *slot = count;
        }
        *id = *slot;
    }
    count
}

/// A random field of standard deviation 1 without direction: white noise whose frequencies (in cycles a pixel, squared) are
/// multiplied by `gain`.
pub fn field(random: &mut Random, size: usize, gain: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut square = Square::zeros(size);
    let n = square.n;
    // Noise is white in either space: one transform is enough, and its real part a field.
    for i in 0..n * n {
        (square.re[i], square.im[i]) = (random.normal() as f32, random.normal() as f32);
    }
    (square.re[0], square.im[0]) = (0.0, 0.0);
    square.filter(gain);
    square.inverse();
    let part: Vec<f64> = (0..size * size)
        .map(|i| f64::from(square.re[i / size * n + i % size]))
        .collect();
    let variance = part.iter().map(|v| v * v).sum::<f64>() / part.len() as f64;
    let scale = 1.0 / variance.max(1e-300).sqrt();
    part.into_iter().map(|v| v * scale).collect()
}

/// The value below which `part` of the values lie.
pub fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    let at = ((part * sorted.len() as f64) as usize).min(sorted.len() - 1);
    *sorted.select_nth_unstable_by(at, f64::total_cmp).1
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
