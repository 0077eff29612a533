//! How well a segmentation agrees with the truth.
//!
//! Both are maps of class numbers 0, 1, 2, … of the same shape. Pixels whose truth is negative or NaN are not scored.
//!
//! * accuracy: the share of pixels whose class is right
//! * IoU of a class: pixels in both / pixels in either; Dice: 2 · pixels in both / (pixels in one + pixels in the other)
//! * boundary F1: both masks of the boundary class are thinned to lines (Zhang and Suen, Commun. ACM 27, 1984); precision is
//!   the share of found line pixels within `tolerance` of a true one, recall the share of true ones within `tolerance`
//!   of a found one, F1 their harmonic mean

use crate::error::{Error, Result, tuple};
use crate::options::{Options, Reader};
use crate::tensor::Tensor;
use serde::Serialize;

const OP: &str = "metrics";

/// The most classes that are told apart.
const CLASSES: usize = 64;

/// Options of a comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Number of classes; if not given, the largest class that occurs, plus 1, and at least 2.
    pub classes: Option<usize>,
    /// The class of boundaries (1).
    pub boundary: usize,
    /// How far off a boundary may lie, in pixels (2).
    pub tolerance: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            classes: None,
            boundary: 1,
            tolerance: 2.0,
        }
    }
}

impl Settings {
    /// Reads `classes`, `boundary` and `tolerance`.
    ///
    /// # Errors
    /// On unknown names and impossible values.
    pub fn parse(options: &Options) -> Result<Settings> {
        let plain = Settings::default();
        let mut reader = Reader::new(OP, options);
        let classes = reader.whole("classes", 1)?;
        if let Some(n) = classes.filter(|&n| n > CLASSES) {
            return Err(reader.refuse("classes", format!("at most {CLASSES}"), n));
        }
        let boundary = reader.whole("boundary", 0)?.unwrap_or(plain.boundary);
        let tolerance = reader.number("tolerance", 0.0, 64.0)?;
        reader.finish()?;
        Ok(Settings {
            classes,
            boundary,
            tolerance: tolerance.unwrap_or(plain.tolerance),
        })
    }
}

/// Agreement of lines.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Boundary {
    /// The share of found line pixels that are right; 1 if nothing was found.
    pub precision: f64,
    /// The share of true line pixels that were found; 1 if there are none.
    pub recall: f64,
    /// 2 · precision · recall / (precision + recall), 0 if both are.
    pub f1: f64,
}

/// Agreement of two maps of classes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metrics {
    /// Number of scored pixels.
    pub pixels: u64,
    /// `confusion[truth][prediction]`: numbers of pixels.
    pub confusion: Vec<Vec<u64>>,
    /// The share of pixels whose class is right.
    pub accuracy: f64,
    /// For each class; 1 for a class that occurs in neither.
    pub iou: Vec<f64>,
    /// For each class; 1 for a class that occurs in neither.
    pub dice: Vec<f64>,
    /// The lines of the boundary class.
    pub boundary: Boundary,
}

/// Cross-entropy −ln p of the true class, its mean over the scored pixels, in nats: `probabilities` are (K, H, W) or (K, N), as a
/// softmax gives them, the truth H·W or N class numbers (`torch.nn.functional.nll_loss` of their logarithms). A probability of 0
/// counts as 2⁻¹²⁶, the smallest normal number. Without a scored pixel it is 0.
///
/// # Errors
/// If the sizes do not fit, or a class number is not below K.
pub fn cross_entropy(probabilities: &Tensor, truth: &Tensor) -> Result<f64> {
    let classes = probabilities.shape().first().copied().unwrap_or(0);
    let pixels = truth.data().len();
    if probabilities.data().len() != classes * pixels {
        let expected = format!("K times the {pixels} values of the truth");
        return Err(wrong_shape("probabilities", &expected, probabilities));
    }
    let (mut sum, mut scored) = (0.0, 0u64);
    for (i, &class) in truth.data().iter().enumerate().filter(|(_, t)| **t >= 0.0) {
        if class.fract() != 0.0 || class as usize >= classes {
            return Err(Error::Other {
                op: OP.into(),
                problem: format!("the truth must hold class numbers below {classes}; got {class}"),
            });
        }
        let p = probabilities.data()[class as usize * pixels + i];
        sum -= f64::from(p.max(f32::MIN_POSITIVE)).ln();
        scored += 1;
    }
    Ok(sum / scored.max(1) as f64)
}

/// Compares a prediction, shape (H, W) or (1, H, W), with the truth.
///
/// # Errors
/// If the shapes differ or are no maps, or a value is no class number.
pub fn metrics(prediction: &Tensor, truth: &Tensor, settings: &Settings) -> Result<Metrics> {
    let (&[h, w] | &[1, h, w]) = truth.shape() else {
        return Err(wrong_shape("truth", "(H, W) or (1, H, W)", truth));
    };
    if prediction.data().len() != h * w || prediction.shape()[prediction.rank() - 2..] != [h, w][..]
    {
        let expected = format!("{} as the truth has", tuple(truth.shape()));
        return Err(wrong_shape("prediction", &expected, prediction));
    }
    let scored: Vec<bool> = truth.data().iter().map(|t| *t >= 0.0).collect();
    let read = |name: &str, map: &Tensor| -> Result<Vec<usize>> {
        let most = settings.classes.unwrap_or(CLASSES);
        let class = |(&value, &scored): (&f32, &bool)| match value {
            _ if !scored => Ok(usize::MAX),
            v if v.fract() == 0.0 && v >= 0.0 && (v as usize) < most => Ok(v as usize),
            v => Err(Error::Other {
                op: OP.into(),
                problem: format!(
                    "the {name} must hold class numbers from 0 to {}; got {v}",
                    most - 1
                ),
            }),
        };
        map.data().iter().zip(&scored).map(class).collect()
    };
    let (found, wanted) = (read("prediction", prediction)?, read("truth", truth)?);
    let largest = |map: &[usize]| {
        map.iter()
            .filter(|&&c| c != usize::MAX)
            .max()
            .map_or(0, |&c| c + 1)
    };
    let classes = settings
        .classes
        .unwrap_or(2.max(largest(&found)).max(largest(&wanted)));
    let mut confusion = vec![vec![0u64; classes]; classes];
    for (&t, &p) in wanted.iter().zip(&found).filter(|(t, _)| **t != usize::MAX) {
        confusion[t][p] += 1;
    }
    let pixels: u64 = confusion.iter().flatten().sum();
    let right: u64 = (0..classes).map(|c| confusion[c][c]).sum();
    let sums = |c: usize| -> [u64; 3] {
        let row: u64 = confusion[c].iter().sum();
        let column: u64 = confusion.iter().map(|row| row[c]).sum();
        [confusion[c][c], row, column]
    };
    let share = |part: u64, whole: u64| {
        if whole == 0 {
            1.0
        } else {
            part as f64 / whole as f64
        }
    };
    let mask = |map: &[usize]| {
        map.iter()
            .map(|&c| c == settings.boundary)
            .collect::<Vec<bool>>()
    };
    Ok(Metrics {
        pixels,
        accuracy: share(right, pixels),
        iou: (0..classes)
            .map(sums)
            .map(|[both, t, p]| share(both, t + p - both))
            .collect(),
        dice: (0..classes)
            .map(sums)
            .map(|[both, t, p]| share(2 * both, t + p))
            .collect(),
        boundary: lines(
            &mask(&found),
            &mask(&wanted),
            &scored,
            w,
            settings.tolerance,
        ),
        confusion,
    })
}

fn wrong_shape(input: &str, expected: &str, got: &Tensor) -> Error {
    Error::Shape {
        op: OP.into(),
        input: format!("the {input}"),
        expected: expected.into(),
        got: got.shape().to_vec(),
    }
}

/// Thins both masks (row by row, `width` pixels each) and compares the lines where `scored`.
fn lines(
    found: &[bool],
    wanted: &[bool],
    scored: &[bool],
    width: usize,
    tolerance: f64,
) -> Boundary {
    let (found, wanted) = (thin(found, width), thin(wanted, width));
    let share = |of: &[bool], near: &[bool]| {
        let close = near_to(near, width, tolerance);
        let all = (0..of.len()).filter(|&i| of[i] && scored[i]);
        let (hits, count) = all.fold((0, 0), |(hits, n), i| (hits + usize::from(close[i]), n + 1));
        if count == 0 {
            1.0
        } else {
            hits as f64 / count as f64
        }
    };
    let (precision, recall) = (share(&found, &wanted), share(&wanted, &found));
    let sum = precision + recall;
    Boundary {
        precision,
        recall,
        f1: if sum == 0.0 {
            0.0
        } else {
            2.0 * precision * recall / sum
        },
    }
}

/// Thins a mask to lines one pixel wide that are connected as the mask was. What lies beyond the picture is empty.
pub fn thin(mask: &[bool], width: usize) -> Vec<bool> {
    let (height, wide) = (mask.len() / width, width + 2);
    // A rim of empty pixels saves asking for the picture's edge.
    let mut image = vec![false; (height + 2) * wide];
    for (y, row) in mask.chunks_exact(width).enumerate() {
        image[(y + 1) * wide + 1..][..width].copy_from_slice(row);
    }
    // North, then clockwise.
    let around = [
        -(wide as isize),
        1 - wide as isize,
        1,
        wide as isize + 1,
        wide as isize,
        wide as isize - 1,
        -1,
        -1 - wide as isize,
    ];
    let mut gone = Vec::new();
    loop {
        let mut changed = false;
        for odd in [false, true] {
            for i in (0..image.len()).filter(|&i| image[i]) {
                let n = around.map(|step| image[i.wrapping_add_signed(step)]);
                let count = n.iter().filter(|&&set| set).count();
                let turns = (0..8).filter(|&k| !n[k] && n[(k + 1) % 8]).count();
                let [north, east, south, west] = [n[0], n[2], n[4], n[6]];
                let open = if odd {
                    !(north && west && (east || south))
                } else {
                    !(east && south && (north || west))
                };
                if (2..=6).contains(&count) && turns == 1 && open {
                    gone.push(i);
                }
            }
            changed |= !gone.is_empty();
            gone.drain(..).for_each(|i| image[i] = false);
        }
        if !changed {
            break;
        }
    }
    let rows = (0..height).flat_map(|y| &image[(y + 1) * wide + 1..][..width]);
    rows.copied().collect()
}

/// Pixels within a distance of a set pixel.
fn near_to(mask: &[bool], width: usize, distance: f64) -> Vec<bool> {
    let height = mask.len() / width;
    let r = distance as isize;
    let disc: Vec<[isize; 2]> = (-r..=r)
        .flat_map(|dy| (-r..=r).map(move |dx| [dy, dx]))
        .filter(|[dy, dx]| (dy * dy + dx * dx) as f64 <= distance * distance)
        .collect();
    let mut near = vec![false; mask.len()];
    for i in (0..mask.len()).filter(|&i| mask[i]) {
        let (y, x) = ((i / width) as isize, (i % width) as isize);
        for [dy, dx] in &disc {
            let (y, x) = (y + dy, x + dx);
            if (0..height as isize).contains(&y) && (0..width as isize).contains(&x) {
                near[y as usize * width + x as usize] = true;
            }
        }
    }
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(rows: &[&str]) -> Tensor {
        let value = |b: u8| if b == b'-' { -1.0 } else { f32::from(b - b'0') };
        let data = rows.concat().bytes().map(value).collect();
        Tensor::new(&[rows.len(), rows[0].len()], data).unwrap()
    }

    #[test]
    fn counts_and_shares() -> Result<()> {
        let truth = map(&["0011", "001-"]);
        let found = map(&["0111", "0000"]);
        let m = metrics(&found, &truth, &Settings::default())?;
        assert_eq!(m.confusion, [[3, 1], [1, 2]]);
        assert_eq!((m.pixels, m.accuracy), (7, 5.0 / 7.0));
        assert_eq!(m.iou, [3.0 / 5.0, 2.0 / 4.0]);
        assert_eq!(m.dice, [6.0 / 8.0, 4.0 / 6.0]);
        Ok(())
    }

    #[test]
    fn lines_within_the_tolerance_count() -> Result<()> {
        let truth = map(&[
            "0000000000",
            "1111111111",
            "1111111111",
            "0000000000",
            "0000000000",
            "0000000000",
        ]);
        let shifted = map(&[
            "0000000000",
            "0000000000",
            "0000000000",
            "1111111111",
            "0000000000",
            "0000000000",
        ]);
        let at = |tolerance| {
            metrics(
                &shifted,
                &truth,
                &Settings {
                    tolerance,
                    ..Settings::default()
                },
            )
        };
        assert_eq!(at(3.0)?.boundary.f1, 1.0);
        assert_eq!(at(0.0)?.boundary.f1, 0.0);
        let nothing = map(&["0000000000"; 6]);
        let m = metrics(&nothing, &truth, &Settings::default())?;
        assert_eq!(
            (m.boundary.precision, m.boundary.recall, m.boundary.f1),
            (1.0, 0.0, 0.0)
        );
        Ok(())
    }

    #[test]
    fn thinning_leaves_a_connected_line() {
        let mut mask = vec![false; 20 * 20];
        for i in 2..18 {
            for d in 0..3 {
                mask[i * 20 + (i + d).min(19)] = true;
            }
        }
        let line = thin(&mask, 20);
        let count = line.iter().filter(|&&set| set).count();
        assert!((12..=18).contains(&count), "{count}");
        assert!(line.iter().zip(&mask).all(|(line, mask)| !line || *mask));
    }

    #[test]
    fn refuses_in_words() {
        let (a, b) = (map(&["01"]), map(&["012"]));
        let message = metrics(&a, &b, &Settings::default())
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "metrics: the prediction must have shape (1, 3) as the truth has; got (1, 2)"
        );
        let half = Tensor::new(&[1, 2], vec![0.5, 0.0]).unwrap();
        let message = metrics(&half, &a, &Settings::default())
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "metrics: the prediction must hold class numbers from 0 to 63; got 0.5"
        );
    }
}
