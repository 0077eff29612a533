//! Counting ways: in how many ways each place of a map reaches a chosen output.

use super::step::Step;
use crate::window::Rect;

/// Counts on a rectangle of a map; zero elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Paths {
    top: usize,
    left: usize,
    width: usize,
    counts: Vec<f64>,
}

impl Paths {
    /// One way: the place itself.
    pub fn from([y, x]: [usize; 2]) -> Paths {
        Paths {
            top: y,
            left: x,
            width: 1,
            counts: vec![1.0],
        }
    }

    fn height(&self) -> usize {
        self.counts.len() / self.width
    }

    /// The ways from the inputs of a layer, `self` being those from its outputs. `None` if there are none.
    pub fn back(&self, [y, x]: &[Step; 2]) -> Option<Paths> {
        let rows = Links::of(y, self.top, self.height())?;
        let columns = Links::of(x, self.left, self.width)?;
        let mut across = vec![0.0; self.height() * columns.size];
        for (from, to) in self
            .counts
            .chunks_exact(self.width)
            .zip(across.chunks_exact_mut(columns.size))
        {
            for (count, reads) in from.iter().zip(&columns.reads) {
                reads.iter().for_each(|&i| to[i - columns.first] += count);
            }
        }
        let mut counts = vec![0.0; rows.size * columns.size];
        for (from, reads) in across.chunks_exact(columns.size).zip(&rows.reads) {
            for &i in reads {
                let to = &mut counts[(i - rows.first) * columns.size..][..columns.size];
                to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
            }
        }
        Some(Paths {
            top: rows.first,
            left: columns.first,
            width: columns.size,
            counts,
        })
    }

    /// Adds the ways of another branch.
    pub fn add(&mut self, other: &Paths) {
        let (top, left) = (self.top.min(other.top), self.left.min(other.left));
        let bottom = (self.top + self.height()).max(other.top + other.height());
        let right = (self.left + self.width).max(other.left + other.width);
        let mut counts = vec![0.0; (bottom - top) * (right - left)];
        for part in [&*self, other] {
            for (row, from) in part.counts.chunks_exact(part.width).enumerate() {
                let start = (part.top - top + row) * (right - left) + part.left - left;
                counts[start..][..part.width]
                    .iter_mut()
                    .zip(from)
                    .for_each(|(to, from)| *to += from);
            }
        }
        *self = Paths {
            top,
            left,
            width: right - left,
            counts,
        };
    }

    /// The smallest rectangle around all places with a way. `None` if there is none.
    pub fn rect(&self) -> Option<Rect> {
        let some = |row: usize, column: usize| self.counts[row * self.width + column] > 0.0;
        let (rows, columns) = (0..self.height(), 0..self.width);
        let row = |&y: &usize| columns.clone().any(|x| some(y, x));
        let column = |&x: &usize| rows.clone().any(|y| some(y, x));
        Some(Rect {
            top: (self.top + rows.clone().find(row)?) as i64,
            left: (self.left + columns.clone().find(column)?) as i64,
            bottom: (self.top + rows.clone().rfind(row)?) as i64,
            right: (self.left + columns.clone().rfind(column)?) as i64,
        })
    }

    /// The largest count.
    pub fn most(&self) -> f64 {
        self.counts.iter().copied().fold(0.0, f64::max)
    }

    /// All counts divided by one number.
    pub fn divided(mut self, by: f64) -> Paths {
        self.counts.iter_mut().for_each(|count| *count /= by);
        self
    }

    /// The counts on a whole map of `h` × `w`. Exact up to 2²⁴, then rounded to `f32`, whose largest number stands for
    /// all that are larger.
    pub fn spread([h, w]: [usize; 2], paths: Option<&Paths>) -> Vec<f32> {
        let mut map = vec![0.0; h * w];
        if let Some(paths) = paths {
            for (row, from) in paths.counts.chunks_exact(paths.width).enumerate() {
                let to = &mut map[(paths.top + row) * w + paths.left..][..paths.width];
                to.iter_mut()
                    .zip(from)
                    .for_each(|(to, &from)| *to = from.min(f64::from(f32::MAX)) as f32);
            }
        }
        map
    }
}

/// What a run of outputs reads along one axis.
struct Links {
    reads: Vec<Vec<usize>>,
    first: usize,
    size: usize,
}

impl Links {
    fn of(step: &Step, start: usize, length: usize) -> Option<Links> {
        let reads: Vec<Vec<usize>> = (start..start + length).map(|m| step.reads(m)).collect();
        let first = *reads.iter().flatten().min()?;
        let last = *reads.iter().flatten().max()?;
        Some(Links {
            reads,
            first,
            size: last - first + 1,
        })
    }
}
