//! The fast path: which kernel computes a convolution, and over which pieces of it.
//!
//! Sums in reading order ([`Order::Reading`]) are computed by [`super::direct`]: register tiles over packed rows. Where the
//! order of summation is free, 3 × 3 kernels that move by one pixel over several channels go to [`super::winograd`], which
//! needs a quarter of the multiplications.

use super::direct::{self, Block};
use super::pack::Plane;
use super::winograd;
use crate::error::Result;
use crate::window::Window;
use std::ops::Range;
use std::sync::OnceLock;

/// In which order the products of an output are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// As [`super::explain`] does: channel by channel, row by row. Equal to it to the bit.
    #[default]
    Reading,
    /// As it is fastest. Within [`super::BOUND`] of the other.
    Free,
}

/// Weights as the kernels want them, arranged at their first use and kept.
#[derive(Debug, Default)]
pub struct Arranged {
    blocks: OnceLock<Vec<Block>>,
    spectrum: OnceLock<Vec<f32>>,
}

/// A convolution whose shapes are known to fit.
pub struct Job<'a> {
    /// The channels of all images, one after the other.
    pub planes: &'a [Plane<'a>],
    /// (groups·out_channels, in_channels, kh, kw)
    pub weight: &'a [f32],
    /// The same weights, arranged.
    pub arranged: &'a Arranged,
    /// (groups·out_channels)
    pub bias: Option<&'a [f32]>,
    /// Whether max(x, 0) follows.
    pub relu: bool,
    /// The order of summation.
    pub order: Order,
    /// Number of groups.
    pub groups: usize,
    /// Input channels of a group.
    pub in_channels: usize,
    /// Output channels of a group.
    pub out_channels: usize,
    /// The geometry.
    pub window: &'a Window,
    /// The output rows that are wanted.
    pub rows: Range<usize>,
}

impl Job<'_> {
    /// Writes the convolution into `out`, shape (images, groups·out_channels, H_out, W_out).
    ///
    /// # Errors
    /// If the packed rows do not fit into memory.
    pub fn run(&self, out: &mut [f32]) -> Result<()> {
        if self.order == Order::Free && winograd::suits(self) {
            let spectrum = self
                .arranged
                .spectrum
                .get_or_init(|| winograd::transform(self));
            return winograd::run(self, spectrum, out);
        }
        let blocks = self.arranged.blocks.get_or_init(|| direct::blocks(self));
        direct::run(self, blocks, out)
    }

    /// Every image's groups: their channels, their number, and where their outputs start.
    pub fn parts<'b>(&'b self, out: &'b mut [f32]) -> impl Iterator<Item = Part<'b>> {
        let [ho, wo] = self.window.output();
        let planes = self.planes.chunks_exact(self.in_channels);
        let outs = out.chunks_exact_mut(self.out_channels * ho * wo);
        planes.zip(outs).enumerate().map(|(i, (planes, out))| Part {
            group: i % self.groups,
            planes,
            out,
        })
    }
}

/// One group of one image.
pub struct Part<'a> {
    /// Which group.
    pub group: usize,
    /// Its input channels.
    pub planes: &'a [Plane<'a>],
    /// Its output channels.
    pub out: &'a mut [f32],
}
