//! The fast path: register tiles over a packed copy of the rows in use.
//!
//! A band of output rows is computed at a time. The input rows it needs are first copied, with their padding, into a
//! buffer that stays in the cache. There, columns are sorted by their phase modulo the stride, so that neighbouring outputs
//! read neighbouring values whatever the stride is. The innermost loops then multiply runs of `T` neighbouring values with
//! the weights of `O` output channels: plain arrays, which the compiler keeps in vector registers.
//!
//! Every output value is still one sum in the order (c, ky, kx), then the bias: tiles only change which outputs are
//! computed side by side.

use crate::error::{Error, Result};
use crate::simd::F32x4;
use crate::window::{Axis, Source, Window};
use std::collections::BTreeMap;

/// Values of packed input a band aims at: 128 KiB, to stay in the second-level cache beside the weights.
const BAND: usize = 32 * 1024;

/// A convolution whose shapes are known to fit.
pub struct Job<'a> {
    /// (images, groups·in_channels, H, W)
    pub x: &'a [f32],
    /// (groups·out_channels, in_channels, kh, kw)
    pub weight: &'a [f32],
    /// (groups·out_channels)
    pub bias: Option<&'a [f32]>,
    /// Number of images.
    pub images: usize,
    /// Number of groups.
    pub groups: usize,
    /// Input channels of a group.
    pub in_channels: usize,
    /// Output channels of a group.
    pub out_channels: usize,
    /// The geometry.
    pub window: &'a Window,
}

/// How a row is packed.
struct Columns {
    /// Length of a packed row.
    length: usize,
    /// Where the value for output 0 lies, for each tap; output n lies n further.
    offsets: Vec<usize>,
    /// Runs of input columns, `stride` apart.
    runs: Vec<Run>,
    stride: usize,
}

/// Where the columns of one phase lie in the packed row, and the coordinate the first of them comes from.
struct Run {
    start: usize,
    length: usize,
    first: i64,
}

impl Columns {
    /// `outputs` is the number of outputs rounded up to whole tiles.
    fn new(axis: &Axis, outputs: usize) -> Columns {
        let stride = axis.stride;
        // Tap k of output n reads column dilation·k + stride·n: taps of equal phase share a run. Their order is kept.
        let place = |k: usize| (axis.dilation * k % stride, axis.dilation * k / stride);
        let mut taps_of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for k in 0..axis.kernel {
            taps_of.entry(place(k).0).or_default().push(k);
        }
        let mut columns = Columns {
            length: 0,
            offsets: vec![0; axis.kernel],
            runs: Vec::new(),
            stride,
        };
        for taps in taps_of.values() {
            let (first, last) = (taps[0], taps[taps.len() - 1]);
            for &k in taps {
                columns.offsets[k] = columns.length + place(k).1 - place(first).1;
            }
            let length = outputs + place(last).1 - place(first).1;
            columns.runs.push(Run {
                start: columns.length,
                length,
                first: axis.tap(0, first),
            });
            columns.length += length;
        }
        columns
    }

    /// Copies one row of the picture into its packed place, padding included.
    fn pack(&self, axis: &Axis, row: &[f32], packed: &mut [f32]) {
        for run in &self.runs {
            let to = &mut packed[run.start..run.start + run.length];
            let coordinate = |i: usize| run.first + (i * self.stride) as i64;
            // Values i in from..until lie inside the picture.
            let from = ((-run.first).max(0) as usize)
                .div_ceil(self.stride)
                .min(to.len());
            let inside = (row.len() as i64 - run.first).max(0) as usize;
            let until = inside.div_ceil(self.stride).clamp(from, to.len());
            for i in (0..from).chain(until..to.len()) {
                to[i] = match axis.source(coordinate(i)) {
                    Source::Pixel(x) => row[x],
                    Source::Padding | Source::Outside => 0.0,
                };
            }
            if from < until {
                let first = coordinate(from) as usize;
                if self.stride == 1 {
                    to[from..until].copy_from_slice(&row[first..first + until - from]);
                } else {
                    for (value, x) in to[from..until]
                        .iter_mut()
                        .zip(row[first..].iter().step_by(self.stride))
                    {
                        *value = *x;
                    }
                }
            }
        }
    }
}

/// The packed rows of one band: `values[c][slot]` is a packed row, `slots[m][ky]` the slot that an output row reads.
struct Packed {
    values: Vec<f32>,
    slots: Vec<usize>,
    count: usize,
}

impl Job<'_> {
    /// Writes the convolution into `out`, shape (images, groups·out_channels, H_out, W_out).
    ///
    /// # Errors
    /// If the packed rows do not fit into memory.
    pub fn run(&self, out: &mut [f32]) -> Result<()> {
        let window = self.window;
        let [ho, wo] = window.output();
        let tile = if wo > 16 { 32 } else { 8 };
        let columns = Columns::new(&window.x, wo.next_multiple_of(tile));
        let blocks = self.blocks();
        let plane = window.y.size * window.x.size;
        let rows =
            (BAND / (self.in_channels * columns.length).max(1)).saturating_sub(window.y.kernel - 1);
        let band = (rows / window.y.stride).clamp(4, ho.max(4));
        for image in 0..self.images {
            for group in 0..self.groups {
                let first = (image * self.groups + group) * self.in_channels;
                let x = &self.x[first * plane..][..self.in_channels * plane];
                for top in (0..ho).step_by(band) {
                    let rows = top..ho.min(top + band);
                    let packed = self.pack(x, rows.clone(), &columns)?;
                    for block in blocks.iter().filter(|block| block.group == group) {
                        let first = (image * self.groups + group) * self.out_channels + block.first;
                        let out = &mut out[first * ho * wo..][..block.size * ho * wo];
                        match (block.size, tile) {
                            (4, _) => {
                                self.tiles::<4, 2>(&packed, &columns, block, rows.clone(), out)
                            }
                            (3, _) => {
                                self.tiles::<3, 2>(&packed, &columns, block, rows.clone(), out)
                            }
                            (2, 32) => {
                                self.tiles::<2, 4>(&packed, &columns, block, rows.clone(), out)
                            }
                            (2, _) => {
                                self.tiles::<2, 2>(&packed, &columns, block, rows.clone(), out)
                            }
                            (_, 32) => {
                                self.tiles::<1, 8>(&packed, &columns, block, rows.clone(), out)
                            }
                            _ => self.tiles::<1, 2>(&packed, &columns, block, rows.clone(), out),
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The output channels, up to four at a time, their weights interleaved: weights[c][ky][kx][o].
    fn blocks(&self) -> Vec<Block> {
        let taps = self.in_channels * self.window.y.kernel * self.window.x.kernel;
        let mut blocks = Vec::new();
        for group in 0..self.groups {
            for first in (0..self.out_channels).step_by(4) {
                let size = (self.out_channels - first).min(4);
                let channel = group * self.out_channels + first;
                let weights = &self.weight[channel * taps..][..size * taps];
                let weights = (0..taps)
                    .flat_map(|t| (0..size).map(move |o| weights[o * taps + t]))
                    .collect();
                let bias = self.bias.map(|bias| bias[channel..channel + size].to_vec());
                blocks.push(Block {
                    group,
                    first,
                    size,
                    weights,
                    bias,
                });
            }
        }
        blocks
    }

    fn pack(&self, x: &[f32], rows: std::ops::Range<usize>, columns: &Columns) -> Result<Packed> {
        let (y, width) = (&self.window.y, self.window.x.size);
        // Rows that several outputs read, or that reflection repeats, are packed once. Slot `None` holds zeros.
        let mut sources: Vec<Option<usize>> = Vec::new();
        let mut slot_of = vec![usize::MAX; y.size + 1];
        let mut slots = Vec::with_capacity(rows.len() * y.kernel);
        for m in rows {
            for k in 0..y.kernel {
                let source = match y.source(y.tap(m, k)) {
                    Source::Pixel(row) => Some(row),
                    Source::Padding | Source::Outside => None,
                };
                let slot = &mut slot_of[source.unwrap_or(y.size)];
                if *slot == usize::MAX {
                    *slot = sources.len();
                    sources.push(source);
                }
                slots.push(*slot);
            }
        }
        let length = columns.length;
        let count = sources.len();
        let mut values = Vec::new();
        let total = (self.in_channels as u64) * (count as u64) * (length as u64);
        if total > crate::tensor::MAX_VALUES || values.try_reserve_exact(total as usize).is_err() {
            let what = format!(
                "a padded copy of {count} rows of {length} values in {} channels",
                self.in_channels
            );
            return Err(Error::TooLarge {
                op: super::OP.into(),
                what,
            });
        }
        values.resize(total as usize, 0.0);
        for (i, packed) in values.chunks_exact_mut(length).enumerate() {
            if let Some(row) = sources[i % count] {
                let start = ((i / count) * y.size + row) * width;
                columns.pack(&self.window.x, &x[start..start + width], packed);
            }
        }
        Ok(Packed {
            values,
            slots,
            count,
        })
    }

    /// All outputs of `O` channels in a band, `4·V` columns at a time. `out` holds the channels' whole planes.
    fn tiles<const O: usize, const V: usize>(
        &self,
        packed: &Packed,
        columns: &Columns,
        block: &Block,
        rows: std::ops::Range<usize>,
        out: &mut [f32],
    ) {
        let [ho, wo] = self.window.output();
        let (kernel, length) = (self.window.y.kernel, columns.length);
        for (m, slots) in rows.zip(packed.slots.chunks_exact(kernel)) {
            for n in (0..wo).step_by(4 * V) {
                let mut sums = [[F32x4::splat(0.0); V]; O];
                let (weights, _) = block.weights.as_chunks::<O>();
                let mut weights = weights.iter();
                for channel in packed.values.chunks_exact(packed.count * length) {
                    for slot in slots {
                        let row = &channel[slot * length..][..length];
                        for (offset, weights) in columns.offsets.iter().zip(&mut weights) {
                            let (x, _) = row[offset + n..][..4 * V].as_chunks::<4>();
                            let x: [F32x4; V] = std::array::from_fn(|v| F32x4::load(&x[v]));
                            for (sums, &w) in sums.iter_mut().zip(weights) {
                                let w = F32x4::splat(w);
                                for (sum, x) in sums.iter_mut().zip(x) {
                                    *sum = sum.add(x.mul(w));
                                }
                            }
                        }
                    }
                }
                let width = (4 * V).min(wo - n);
                for (o, sums) in sums.iter_mut().enumerate() {
                    if let Some(bias) = &block.bias {
                        let bias = F32x4::splat(bias[o]);
                        sums.iter_mut().for_each(|sum| *sum = sum.add(bias));
                    }
                    let to = &mut out[(o * ho + m) * wo + n..][..width];
                    if width == 4 * V {
                        for (sum, to) in sums.iter().zip(to.as_chunks_mut().0) {
                            sum.store(to);
                        }
                    } else {
                        let mut values = [[0.0; 4]; V];
                        for (sum, values) in sums.iter().zip(&mut values) {
                            sum.store(values);
                        }
                        to.copy_from_slice(&values.as_flattened()[..width]);
                    }
                }
            }
        }
    }
}

/// Up to four output channels of one group.
struct Block {
    group: usize,
    first: usize,
    size: usize,
    weights: Vec<f32>,
    bias: Option<Vec<f32>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::{Padding, PaddingMode, Spec};

    #[test]
    fn neighbouring_outputs_lie_side_by_side_in_a_packed_row() {
        let picture: Vec<f32> = (0..11).map(|i| i as f32 + 1.0).collect();
        for (kernel, stride, dilation, by) in [
            (3, 1, 1, 1),
            (3, 2, 1, 1),
            (4, 3, 2, 2),
            (2, 5, 3, 0),
            (5, 2, 2, 3),
        ] {
            for mode in [
                PaddingMode::Zeros,
                PaddingMode::Reflect,
                PaddingMode::Circular,
            ] {
                let padding = Padding::By([0, by]);
                let spec = Spec {
                    stride: [1, stride],
                    dilation: [1, dilation],
                    padding,
                    mode,
                    ..Spec::new([1, kernel])
                };
                let axis = Window::new("test", [1, picture.len()], &spec)
                    .expect("it fits")
                    .x;
                let columns = Columns::new(&axis, axis.output.next_multiple_of(8));
                let mut packed = vec![f32::NAN; columns.length];
                columns.pack(&axis, &picture, &mut packed);
                for n in 0..axis.output {
                    for k in 0..kernel {
                        let expected = mode
                            .source(axis.tap(n, k), picture.len())
                            .map_or(0.0, |i| picture[i]);
                        assert_eq!(
                            packed[columns.offsets[k] + n],
                            expected,
                            "{spec:?}, output {n}, tap {k}"
                        );
                    }
                }
            }
        }
    }
}
