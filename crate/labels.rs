//! Label maps that follow from other label maps: boundaries, triple points, the direction of a boundary.

use crate::math::atan2;
use std::f64::consts::PI;

/// 1 on both sides of every change of label (to the right and below), 0 elsewhere.
pub fn boundaries(labels: &[u32], [height, width]: [usize; 2]) -> Vec<f32> {
    let mut marks = vec![0.0; height * width];
    for i in 0..labels.len() {
        let right = (i % width + 1 < width).then_some(i + 1);
        let below = (i + width < labels.len()).then_some(i + width);
        for j in [right, below].into_iter().flatten() {
            if labels[i] != labels[j] {
                (marks[i], marks[j]) = (1.0, 1.0);
            }
        }
    }
    marks
}

/// 1 on the four pixels of every 2 × 2 square in which three or more labels meet, 0 elsewhere.
pub fn triple_points(labels: &[u32], [height, width]: [usize; 2]) -> Vec<f32> {
    let mut marks = vec![0.0; height * width];
    for y in 0..height.saturating_sub(1) {
        for x in 0..width.saturating_sub(1) {
            let square = [0, 1, width, width + 1].map(|step| y * width + x + step);
            let mut ids = square.map(|i| labels[i]);
            ids.sort_unstable();
            if ids.windows(2).filter(|pair| pair[0] != pair[1]).count() >= 2 {
                square.iter().for_each(|&i| marks[i] = 1.0);
            }
        }
    }
    marks
}

/// On boundaries the direction of the boundary in degrees, 0 (horizontal) to 180, counted counter-clockwise as seen;
/// −1 elsewhere.
///
/// The boundary's normal points from the centroid of the neighbours with the pixel's own label to that of the others, within
/// `REACH` pixels.
pub fn boundary_angle(labels: &[u32], [height, width]: [usize; 2]) -> Vec<f32> {
    const REACH: usize = 4;
    let marks = boundaries(labels, [height, width]);
    let angle = |i: usize| {
        let (y, x) = (i / width, i % width);
        // The window stays symmetric at the rim of the picture: a lopsided one would turn the normal.
        let reach = |at: usize, size: usize| REACH.min(at.max(1)).min((size - 1 - at).max(1));
        let (ry, rx) = (reach(y, height), reach(x, width));
        let (mut own, mut other) = ([0.0; 3], [0.0; 3]);
        for v in y.saturating_sub(ry)..(y + ry + 1).min(height) {
            for u in x.saturating_sub(rx)..(x + rx + 1).min(width) {
                let (dy, dx) = (v as f64 - y as f64, u as f64 - x as f64);
                if dy * dy + dx * dx > (REACH * REACH) as f64 {
                    continue;
                }
                let sum = if labels[v * width + u] == labels[i] {
                    &mut own
                } else {
                    &mut other
                };
                *sum = [sum[0] + 1.0, sum[1] + dy, sum[2] + dx];
            }
        }
        let normal = [1, 2].map(|k| other[k] / other[0] - own[k] / own[0]);
        // The boundary is the normal turned by 90°; rows count downwards.
        let degrees = atan2(normal[1], normal[0]) * 180.0 / PI;
        let turned = degrees.rem_euclid(180.0);
        if turned > 179.999 { 0.0 } else { turned as f32 }
    };
    (0..labels.len())
        .map(|i| if marks[i] == 1.0 { angle(i) } else { -1.0 })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(f: impl Fn(f64, f64) -> u32) -> Vec<u32> {
        (0..32 * 32)
            .map(|i| f((i / 32) as f64 - 15.5, (i % 32) as f64 - 15.5))
            .collect()
    }

    #[test]
    fn straight_boundaries_have_their_angle() {
        for degrees in [0.0f64, 27.0, 45.0, 90.0, 135.0, 170.0] {
            let (sin, cos) = degrees.to_radians().sin_cos();
            let map = boundary_angle(&labels(|y, x| u32::from(x * sin + y * cos > 0.0)), [32, 32]);
            for (i, &angle) in map.iter().enumerate() {
                let central = (8..24).contains(&(i / 32)) && (8..24).contains(&(i % 32));
                if angle >= 0.0 && central {
                    let off = (f64::from(angle) - degrees + 90.0).rem_euclid(180.0) - 90.0;
                    assert!(off.abs() < 12.0, "{degrees}: {angle}");
                }
            }
            assert!(map.iter().filter(|angle| **angle >= 0.0).count() >= 60);
        }
    }

    #[test]
    fn three_sectors_meet_once() {
        let sectors = labels(|y, x| {
            if y < 0.0 {
                1
            } else if x < 0.0 {
                2
            } else {
                3
            }
        });
        let marks = triple_points(&sectors, [32, 32]);
        assert_eq!(marks.iter().sum::<f32>(), 4.0);
        assert_eq!(marks[15 * 32 + 15], 1.0);
        assert!(
            triple_points(&labels(|y, _| u32::from(y < 0.0)), [32, 32])
                .iter()
                .all(|m| *m == 0.0)
        );
    }
}
