//! From a map of boundary probabilities to grains: threshold, connected components, watershed, and what they are worth.
//!
//! A threshold alone leaves gaps in boundaries, through which grains run into one another. So the components of what is
//! surely no boundary become markers, and the markers grow over the rest in the order of its probability until they meet
//! (watershed; Meyer, *Signal Processing* 38, 1994), at the ridge of every boundary, closed or not.

use crate::error::{Error, Result, tuple};
use crate::options::{Options, Reader};
use crate::tensor::Tensor;
use serde::Serialize;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

const OP: &str = "grains";

/// What decides which pixels begin a grain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// A marker's pixels have a smaller probability of being boundary than this (0.5).
    pub threshold: f32,
    /// A marker's pixels lie further than this many pixels from every pixel that is not (2): a gap in a boundary of up to twice as
    /// many pixels joins no grains.
    pub clear: f64,
    /// Markers of fewer pixels than this are given to their neighbours (5).
    pub least: usize,
    /// Two parts of a marker are two markers where the neck between them is narrower than this share of the narrower part (0: never): a
    /// wider gap in a boundary joins no grains either.
    pub neck: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            threshold: 0.5,
            clear: 2.0,
            least: 5,
            neck: 0.0,
        }
    }
}

impl Settings {
    /// Reads `threshold`, `clear`, `least` and `neck`.
    ///
    /// # Errors
    /// On unknown names and impossible values.
    pub fn parse(options: &Options) -> Result<Settings> {
        let plain = Settings::default();
        let mut reader = Reader::new(OP, options);
        let settings = Settings {
            threshold: (reader.number("threshold", 0.0, 1.0)?)
                .map_or(plain.threshold, |threshold| threshold as f32),
            clear: reader.number("clear", 0.0, 32.0)?.unwrap_or(plain.clear),
            least: reader.whole("least", 0)?.unwrap_or(plain.least),
            neck: reader.number("neck", 0.0, 1.0)?.unwrap_or(plain.neck),
        };
        reader.finish()?;
        Ok(settings)
    }
}

/// The grains of a (H, W) or (1, H, W) map of boundary probabilities: numbers 1, 2, 3, …, no pixel without one, unless there is
/// no marker at all (then all are 0).
///
/// # Errors
/// If the map has another rank or more channels, or holds NaN.
pub fn grains(probability: &Tensor, settings: &Settings) -> Result<Tensor> {
    let markers = markers(probability, settings)?;
    let &[_, _, w] = markers.shape() else {
        unreachable!("markers are (1, H, W)")
    };
    let seeds: Vec<u32> = markers.data().iter().map(|&id| id as u32).collect();
    numbered(markers.shape(), watershed(probability.data(), &seeds, w))
}

/// What the grains grow from: numbers 1, 2, 3, … on the parts that surely are no boundary, 0 elsewhere.
///
/// # Errors
/// As [`grains`].
pub fn markers(probability: &Tensor, settings: &Settings) -> Result<Tensor> {
    let [h, w] = plane(probability)?;
    let p = probability.data();
    let inside: Vec<bool> = p.iter().map(|&v| v < settings.threshold).collect();
    let inside = cleared(&inside, w, settings.clear);
    let (mut markers, count) = if settings.neck > 0.0 {
        parts(&inside, w, settings.neck)
    } else {
        components(&inside, w)
    };
    keep_large(&mut markers, count, settings.least);
    numbered(&[1, h, w], markers)
}

/// The connected regions of a (H, W) or (1, H, W) map of probabilities above a threshold, of at least `least` pixels: numbers 1, 2, 3, …,
/// 0 elsewhere. For particles, that no wall divides.
///
/// # Errors
/// As [`grains`].
pub fn regions(probability: &Tensor, threshold: f32, least: usize) -> Result<Tensor> {
    let [h, w] = plane(probability)?;
    let above: Vec<bool> = probability.data().iter().map(|&v| v > threshold).collect();
    let (mut found, count) = components(&above, w);
    keep_large(&mut found, count, least);
    numbered(&[1, h, w], found)
}

/// Height and width of a map of probabilities.
fn plane(probability: &Tensor) -> Result<[usize; 2]> {
    let (&[h, w] | &[1, h, w]) = probability.shape() else {
        return Err(Error::Shape {
            op: OP.into(),
            input: "probability".into(),
            expected: "(H, W) or (1, H, W)".into(),
            got: probability.shape().to_vec(),
        });
    };
    if probability.data().iter().any(|v| v.is_nan()) {
        return Err(Error::Other {
            op: OP.into(),
            problem: "the map of probabilities holds NaN".into(),
        });
    }
    Ok([h, w])
}

fn numbered(shape: &[usize], ids: Vec<u32>) -> Result<Tensor> {
    Tensor::new(shape, ids.into_iter().map(|id| id as f32).collect())
}

/// Leaves regions of at least `least` pixels, numbered anew without gaps.
fn keep_large(ids: &mut [u32], count: u32, least: usize) {
    let mut sizes = vec![0usize; count as usize + 1];
    ids.iter().for_each(|&id| sizes[id as usize] += 1);
    let mut next = 0;
    let number: Vec<u32> = (0..=count as usize)
        .map(|id| {
            let kept = id > 0 && sizes[id] >= least;
            next += u32::from(kept);
            if kept { next } else { 0 }
        })
        .collect();
    ids.iter_mut().for_each(|id| *id = number[*id as usize]);
}

/// What of a mask lies further than `clear` pixels from everything outside it; the picture's rim does not count as outside.
fn cleared(mask: &[bool], width: usize, clear: f64) -> Vec<bool> {
    let reach = clear as isize;
    let disc: Vec<[isize; 2]> = (-reach..=reach)
        .flat_map(|dy| (-reach..=reach).map(move |dx| [dy, dx]))
        .filter(|[dy, dx]| ((dy * dy + dx * dx) as f64) <= clear * clear)
        .collect();
    let height = mask.len() / width;
    let free = |i: usize| {
        let (row, col) = ((i / width) as isize, (i % width) as isize);
        disc.iter().all(|[dy, dx]| {
            let (y, x) = (row + dy, col + dx);
            y < 0
                || x < 0
                || y >= height as isize
                || x >= width as isize
                || mask[y as usize * width + x as usize]
        })
    };
    (0..mask.len()).map(|i| mask[i] && free(i)).collect()
}

/// The distance of every pixel of a mask to what lies outside it, along steps of 1 and √2 (Borgefors 1986); 0 outside. The picture's rim
/// does not count as outside.
fn depth(mask: &[bool], width: usize) -> Vec<f32> {
    let diagonal = std::f32::consts::SQRT_2;
    let far = mask.len() as f32;
    let mut depth: Vec<f32> = mask.iter().map(|&is| if is { far } else { 0.0 }).collect();
    let height = (mask.len() / width) as isize;
    let mut pass = |i: usize, steps: [(isize, isize, f32); 4]| {
        let (row, col) = ((i / width) as isize, (i % width) as isize);
        for (dy, dx, step) in steps {
            let (y, x) = (row + dy, col + dx);
            if y >= 0 && x >= 0 && y < height && x < width as isize {
                let there = depth[y as usize * width + x as usize];
                depth[i] = depth[i].min(there + step);
            }
        }
    };
    let ahead = [
        (0, -1, 1.0),
        (-1, 0, 1.0),
        (-1, -1, diagonal),
        (-1, 1, diagonal),
    ];
    (0..mask.len()).for_each(|i| pass(i, ahead));
    let back = ahead.map(|(dy, dx, step)| (-dy, -dx, step));
    (0..mask.len()).rev().for_each(|i| pass(i, back));
    depth
}

/// Numbers the parts of a mask: its connected parts, cut where a neck is narrower than `neck` times the narrower of the two parts
/// it joins. Pixels join from the deepest to the shallowest; where two parts meet, they become one if the place is deep enough.
fn parts(mask: &[bool], width: usize, neck: f64) -> (Vec<u32>, u32) {
    let depth = depth(mask, width);
    let mut order: Vec<usize> = (0..mask.len()).filter(|&i| mask[i]).collect();
    order.sort_by(|&a, &b| depth[b].total_cmp(&depth[a]).then(a.cmp(&b)));
    // Part 0 is none; `into` leads from a part to the one it has become.
    let (mut of, mut into, mut peak) = (vec![0usize; mask.len()], vec![0usize], vec![0f32]);
    let root = |into: &[usize], mut part: usize| {
        while into[part] != part {
            part = into[part];
        }
        part
    };
    for i in order {
        let mut met: Vec<usize> = neighbours(i, mask.len(), width)
            .filter(|&j| of[j] > 0)
            .map(|j| root(&into, of[j]))
            .collect();
        met.sort_by(|&a, &b| peak[b].total_cmp(&peak[a]).then(a.cmp(&b)));
        met.dedup();
        let Some((&first, others)) = met.split_first() else {
            into.push(into.len());
            peak.push(depth[i]);
            of[i] = into.len() - 1;
            continue;
        };
        of[i] = first;
        for &other in others {
            if f64::from(depth[i]) >= neck * f64::from(peak[other]) {
                into[other] = first;
            }
        }
    }
    let mut number = vec![0u32; into.len()];
    let mut count = 0;
    let numbers = (0..mask.len()).map(|i| {
        let part = root(&into, of[i]);
        if part > 0 && number[part] == 0 {
            count += 1;
            number[part] = count;
        }
        number[part]
    });
    (numbers.collect(), count)
}

/// Numbers the connected parts of a mask, left, right, above and below counting as neighbours: 0 outside, 1, 2, 3, … in reading
/// order of their first pixels. Returns the numbers and how many there are.
pub fn components(mask: &[bool], width: usize) -> (Vec<u32>, u32) {
    let mut found = vec![0; mask.len()];
    let mut count = 0;
    let mut open = Vec::new();
    for start in 0..mask.len() {
        if !mask[start] || found[start] > 0 {
            continue;
        }
        count += 1;
        found[start] = count;
        open.push(start);
        while let Some(i) = open.pop() {
            for j in neighbours(i, mask.len(), width) {
                if mask[j] && found[j] == 0 {
                    found[j] = count;
                    open.push(j);
                }
            }
        }
    }
    (found, count)
}

/// Lets the markers (numbers from 1; 0 is free) grow over the free pixels in the order of `height`, lower first, earlier first where
/// heights are equal; every pixel goes to the marker that reaches it first (`skimage.segmentation.watershed`, connectivity 1).
pub fn watershed(height: &[f32], markers: &[u32], width: usize) -> Vec<u32> {
    #[derive(PartialEq)]
    struct Height(f32);
    impl Eq for Height {}
    impl PartialOrd for Height {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }
    impl Ord for Height {
        fn cmp(&self, other: &Self) -> Ordering {
            self.0.total_cmp(&other.0)
        }
    }
    let mut owner = markers.to_vec();
    let mut open = BinaryHeap::new();
    let marked = (0..owner.len()).filter(|&i| owner[i] > 0);
    marked.for_each(|i| open.push(Reverse((Height(height[i]), 0u64, i))));
    let mut age = 0;
    while let Some(Reverse((_, _, i))) = open.pop() {
        for j in neighbours(i, owner.len(), width) {
            if owner[j] == 0 {
                owner[j] = owner[i];
                age += 1;
                open.push(Reverse((Height(height[j]), age, j)));
            }
        }
    }
    owner
}

/// Above, left, right, below, as far as they exist.
fn neighbours(i: usize, len: usize, width: usize) -> impl Iterator<Item = usize> {
    let up = i.checked_sub(width);
    let left = (!i.is_multiple_of(width)).then(|| i - 1);
    let right = (!(i + 1).is_multiple_of(width)).then_some(i + 1);
    let down = (i + width < len).then_some(i + width);
    [up, left, right, down].into_iter().flatten()
}

/// The sizes of grains in pixels, by number from 1 on.
pub fn sizes(grains: &Tensor) -> Vec<usize> {
    let most = grains.data().iter().copied().fold(0.0, f32::max) as usize;
    let mut sizes = vec![0; most + 1];
    grains
        .data()
        .iter()
        .for_each(|&id| sizes[id.max(0.0) as usize] += 1);
    sizes.split_off(1)
}

/// What is measured on numbered regions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// How many there are.
    pub count: usize,
    /// The diameter of a disc of each one's area, 2 √(A/π), in pixels, smallest first.
    pub diameters: Vec<f64>,
    /// Their mean, 0 without any.
    pub mean: f64,
    /// The part of the picture that they cover: the phase fraction, where they are a phase.
    pub fraction: f64,
}

/// Measures the regions of a map of numbers. Those that touch the rim are measured as they are cut.
pub fn measured(regions: &Tensor) -> Measured {
    let sizes = sizes(regions);
    let covered: usize = sizes.iter().sum();
    let diameter = |&area: &usize| 2.0 * (area as f64 / std::f64::consts::PI).sqrt();
    let mut diameters: Vec<f64> = sizes.iter().filter(|&&n| n > 0).map(diameter).collect();
    diameters.sort_by(f64::total_cmp);
    let count = diameters.len();
    Measured {
        count,
        mean: diameters.iter().sum::<f64>() / count.max(1) as f64,
        diameters,
        fraction: covered as f64 / regions.data().len() as f64,
    }
}

/// How many true grains were found again: for a grain of the truth the best IoU with a found one must exceed ½ (no two can).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Matched {
    /// Grains of the truth that are scored.
    pub of: usize,
    /// Those found.
    pub found: usize,
}

/// Compares found grains with true ones. Pixels where `valid` is 0 do not count; true grains with fewer than `least` valid pixels
/// are not scored; 0 in the truth is no grain.
///
/// # Errors
/// If the maps have different sizes.
pub fn matched(
    found: &Tensor,
    truth: &Tensor,
    valid: Option<&Tensor>,
    least: usize,
) -> Result<Matched> {
    for (name, map) in [("found", Some(found)), ("valid", valid)] {
        if let Some(map) = map.filter(|map| map.data().len() != truth.data().len()) {
            return Err(Error::Shape {
                op: OP.into(),
                input: name.into(),
                expected: format!("{} as the truth has", tuple(truth.shape())),
                got: map.shape().to_vec(),
            });
        }
    }
    let counts = |i: usize| valid.is_none_or(|map| map.data()[i] > 0.0);
    let scored: Vec<usize> = (0..truth.data().len()).filter(|&i| counts(i)).collect();
    let most = |map: &Tensor| map.data().iter().copied().fold(0.0, f32::max) as usize + 1;
    let mut areas = [vec![0usize; most(truth)], vec![0usize; most(found)]];
    let mut both = std::collections::BTreeMap::new();
    for i in scored {
        let pair = [truth, found].map(|map| map.data()[i].max(0.0) as usize);
        areas[0][pair[0]] += 1;
        areas[1][pair[1]] += 1;
        *both.entry(pair).or_insert(0usize) += 1;
    }
    let wanted = |id: usize| id > 0 && areas[0][id] >= least;
    let hit = |(&[t, f], &n): (&[usize; 2], &usize)| {
        wanted(t) && f > 0 && 2 * n > areas[0][t] + areas[1][f] - n
    };
    Ok(Matched {
        of: (0..areas[0].len()).filter(|&id| wanted(id)).count(),
        found: both.iter().filter(|&pair| hit(pair)).count(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_in_a_boundary_does_not_join_two_grains() -> Result<()> {
        // A wall of probability 0.9 in column 6 with a gap of three pixels.
        let wall = |i: usize| match (i / 13, i % 13) {
            (4..=6, 6) => 0.2,
            (_, 6) => 0.9,
            _ => 0.1,
        };
        let found = grains(&Tensor::from_fn(&[1, 11, 13], wall)?, &Settings::default())?;
        assert_eq!(sizes(&found).len(), 2);
        assert!(
            sizes(&found).iter().all(|n| (66..=77).contains(n)),
            "{:?}",
            sizes(&found)
        );
        Ok(())
    }

    #[test]
    fn discs_are_regions_of_their_diameter() -> Result<()> {
        // Two discs of radius 8 and 12, and a speck.
        let disc = |i: usize| {
            let (y, x) = ((i / 80) as f64, (i % 80) as f64);
            let within = |cy: f64, cx: f64, r: f64| (y - cy).hypot(x - cx) < r;
            let inside =
                within(16.0, 16.0, 8.0) || within(40.0, 50.0, 12.0) || (y, x) == (2.0, 70.0);
            if inside { 0.9 } else { 0.2 }
        };
        let found = regions(&Tensor::from_fn(&[1, 60, 80], disc)?, 0.5, 5)?;
        let told = measured(&found);
        assert_eq!(told.count, 2);
        assert!((told.diameters[0] - 16.0).abs() < 0.5 && (told.diameters[1] - 24.0).abs() < 0.5);
        let area = std::f64::consts::PI * (64.0 + 144.0);
        assert!((told.fraction * 4800.0 / area - 1.0).abs() < 0.06);
        Ok(())
    }

    #[test]
    fn markers_lie_inside_their_grains() -> Result<()> {
        let wall = |i: usize| if i % 13 == 6 { 0.9 } else { 0.1 };
        let map = Tensor::from_fn(&[1, 11, 13], wall)?;
        let settings = Settings::default();
        let (seeds, flooded) = (markers(&map, &settings)?, grains(&map, &settings)?);
        assert_eq!(sizes(&seeds), [44, 44]);
        for (seed, grain) in seeds.data().iter().zip(flooded.data()) {
            assert!(*seed == 0.0 || seed == grain);
        }
        Ok(())
    }

    #[test]
    fn a_wide_gap_is_a_neck_between_two_parts() -> Result<()> {
        // Two rooms of 21 × 20 pixels, joined by a door of nine.
        let wall = |i: usize| f32::from(u8::from(i % 41 == 20 && (i / 41).abs_diff(10) > 4));
        let map = Tensor::from_fn(&[1, 21, 41], wall)?;
        let with = |neck| {
            let settings = Settings {
                neck,
                clear: 0.0,
                ..Settings::default()
            };
            grains(&map, &settings).map(|found| sizes(&found).len())
        };
        assert_eq!((with(0.0)?, with(0.7)?), (1, 2));
        // A room without a wall is one room, however narrow a neck may be.
        let open = Tensor::from_fn(&[1, 21, 41], |i| f32::from(u8::from(i / 41 == 0)))?;
        let settings = Settings {
            neck: 0.7,
            clear: 0.0,
            ..Settings::default()
        };
        assert_eq!(sizes(&grains(&open, &settings)?).len(), 1);
        Ok(())
    }

    #[test]
    fn small_markers_go_to_their_neighbours_and_an_empty_map_has_none() -> Result<()> {
        let spot = |i: usize| {
            if i == 5 * 11 + 5 {
                0.0
            } else {
                f32::from(u8::from((i / 11).abs_diff(5) + (i % 11).abs_diff(5) < 3))
            }
        };
        let found = grains(
            &Tensor::from_fn(&[11, 11], spot)?,
            &Settings {
                threshold: 0.5,
                clear: 0.0,
                least: 2,
                neck: 0.0,
            },
        )?;
        assert_eq!(sizes(&found), [121]);
        let full = grains(&Tensor::from_fn(&[1, 4, 4], |_| 1.0)?, &Settings::default())?;
        assert!(full.data().iter().all(|&id| id == 0.0));
        assert!(grains(&Tensor::from_fn(&[2, 4, 4], |_| 1.0)?, &Settings::default()).is_err());
        Ok(())
    }

    #[test]
    fn matching_counts_each_grain_once() -> Result<()> {
        let truth = Tensor::new(
            &[1, 2, 6],
            vec![1., 1., 2., 2., 3., 3., 1., 1., 2., 2., 3., 3.],
        )?;
        // Grain 1 found, 2 and 3 run together (their IoU with the union is ½: not more than ½).
        let found = Tensor::new(
            &[1, 2, 6],
            vec![7., 7., 9., 9., 9., 9., 7., 7., 9., 9., 9., 9.],
        )?;
        assert_eq!(
            matched(&found, &truth, None, 1)?,
            Matched { of: 3, found: 1 }
        );
        let valid = Tensor::new(
            &[1, 2, 6],
            vec![1., 1., 1., 1., 0., 0., 1., 1., 1., 1., 0., 0.],
        )?;
        assert_eq!(
            matched(&found, &truth, Some(&valid), 1)?,
            Matched { of: 2, found: 2 }
        );
        Ok(())
    }
}
