//! Which values of an input an output reads: the backward step of receptive fields.

use crate::window::{Axis, Source};

/// A box of positions in a tensor: for each axis, which indices belong to it. Sets and not intervals, since strides and
/// dilations leave gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field(pub Vec<Vec<bool>>);

impl Field {
    /// One position.
    pub fn at(shape: &[usize], at: &[usize]) -> Field {
        let one = |(&n, &i): (&usize, &usize)| (0..n).map(|j| j == i).collect();
        Field(shape.iter().zip(at).map(one).collect())
    }

    /// No position at all.
    pub fn none(shape: &[usize]) -> Field {
        Field(shape.iter().map(|&n| vec![false; n]).collect())
    }

    /// Every position.
    pub fn all(shape: &[usize]) -> Field {
        Field(shape.iter().map(|&n| vec![true; n]).collect())
    }

    /// Whether it holds no position.
    pub fn is_empty(&self) -> bool {
        self.0.iter().any(|axis| !axis.contains(&true))
    }

    /// Adds another box of the same shape, axis by axis.
    pub fn unite(&mut self, other: &Field) {
        if other.is_empty() {
            return;
        }
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine |= theirs;
            }
        }
    }

    /// First and last index along an axis.
    pub fn range(&self, axis: usize) -> Option<[usize; 2]> {
        let first = self.0[axis].iter().position(|&yes| yes)?;
        let last = self.0[axis].iter().rposition(|&yes| yes)?;
        Some([first, last])
    }

    /// The same box with another set along one axis.
    pub fn with(&self, axis: usize, set: Vec<bool>) -> Field {
        let mut field = self.clone();
        field.0[axis] = set;
        field
    }

    /// The indices along an axis.
    pub fn indices(&self, axis: usize) -> impl Iterator<Item = usize> {
        (self.0[axis].iter().enumerate()).filter_map(|(i, &yes)| yes.then_some(i))
    }

    /// What the windows at these outputs read: pictures only, whose last two axes are y and x.
    pub fn through(&self, y: &Axis, x: &Axis) -> Field {
        let rank = self.0.len();
        let read = |axis: &Axis, outputs: usize| {
            let mut set = vec![false; axis.size];
            for m in self.indices(outputs) {
                for k in 0..axis.kernel {
                    if let Source::Pixel(i) = axis.source(axis.tap(m, k)) {
                        set[i] = true;
                    }
                }
            }
            set
        };
        let (rows, columns) = (read(y, rank - 2), read(x, rank - 1));
        self.with(rank - 2, rows).with(rank - 1, columns)
    }

    /// The input channels of the groups that these output channels belong to.
    pub fn groups(&self, groups: usize, channels: usize) -> Vec<bool> {
        let axis = self.0.len() - 3;
        let (per_out, per_in) = (self.0[axis].len() / groups, channels / groups);
        let mut set = vec![false; channels];
        for o in self.indices(axis) {
            set[o / per_out * per_in..][..per_in].fill(true);
        }
        set
    }
}
