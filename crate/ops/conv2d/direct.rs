//! Register tiles over packed rows, every output one sum in the order (c, ky, kx), then the bias.
//!
//! A band of output rows is computed at a time; the input rows it needs stay packed in the cache. A tile holds `O` output
//! channels × `V` vectors of neighbouring outputs in registers from the first product to the last: 4 × 2 vectors and the
//! loaded values fill the sixteen registers that wasm engines have, and spill none. Tiles only change which outputs are
//! computed side by side, never the order of a sum.

use super::cpu::{Job, Part};
use super::pack::{Columns, Packed};
use crate::error::Result;
use crate::simd::F32x4;

/// Values of packed input a band aims at: 128 KiB, to stay in the second-level cache beside the weights.
const BAND: usize = 32 * 1024;

/// Up to four output channels of one group.
#[derive(Debug)]
pub struct Block {
    group: usize,
    first: usize,
    size: usize,
    /// Interleaved: weights[c][ky][kx][o].
    weights: Vec<f32>,
}

/// The output channels, up to four at a time.
pub fn blocks(job: &Job<'_>) -> Vec<Block> {
    let taps = job.in_channels * job.window.y.kernel * job.window.x.kernel;
    let mut blocks = Vec::new();
    for group in 0..job.groups {
        for first in (0..job.out_channels).step_by(4) {
            let size = (job.out_channels - first).min(4);
            let channel = group * job.out_channels + first;
            let weights = &job.weight[channel * taps..][..size * taps];
            let weights = (0..taps)
                .flat_map(|t| (0..size).map(move |o| weights[o * taps + t]))
                .collect();
            blocks.push(Block {
                group,
                first,
                size,
                weights,
            });
        }
    }
    blocks
}

/// Computes all of it.
///
/// # Errors
/// If the packed rows do not fit into memory.
pub fn run(job: &Job<'_>, blocks: &[Block], out: &mut [f32]) -> Result<()> {
    let window = job.window;
    let [ho, wo] = window.output();
    let tile = if wo > 16 { 32 } else { 8 };
    let columns = Columns::new(&window.x, wo.next_multiple_of(tile));
    let rows =
        (BAND / (job.in_channels * columns.length).max(1)).saturating_sub(window.y.kernel - 1);
    let band = (rows / window.y.stride).clamp(4, ho.max(4));
    let mut packed = Packed::default();
    for Part { group, planes, out } in job.parts(out) {
        for top in job.rows.clone().step_by(band) {
            let rows = top..job.rows.end.min(top + band);
            packed.fill(planes, rows.clone(), &window.y, &window.x, &columns)?;
            for block in blocks.iter().filter(|block| block.group == group) {
                let pass = Pass {
                    job,
                    packed: &packed,
                    columns: &columns,
                    block,
                    top,
                };
                let out = &mut out[block.first * ho * wo..][..block.size * ho * wo];
                match (block.size, tile) {
                    (4, _) => pass.tiles::<4, 2>(out),
                    (3, _) => pass.tiles::<3, 2>(out),
                    (2, 32) => pass.tiles::<2, 4>(out),
                    (2, _) => pass.tiles::<2, 2>(out),
                    (_, 32) => pass.tiles::<1, 8>(out),
                    _ => pass.tiles::<1, 2>(out),
                }
            }
        }
    }
    Ok(())
}

/// A block of channels in a band of rows.
struct Pass<'a> {
    job: &'a Job<'a>,
    packed: &'a Packed,
    columns: &'a Columns,
    block: &'a Block,
    top: usize,
}

impl Pass<'_> {
    /// One output channel under a tall kernel: four rows × 8 columns at a time, so that every loaded input serves four sums.
    /// The inputs' rows come in order, so each sum runs in reading order as everywhere. Returns how many rows it computed.
    fn tall(&self, out: &mut [f32]) -> usize {
        const ROWS: usize = 4;
        let (y, x) = (&self.job.window.y, &self.job.window.x);
        let rows = self.packed.slots.len() / y.kernel / ROWS * ROWS;
        if self.block.size != 1 || y.kernel <= ROWS || y.stride != 1 || y.dilation != 1 {
            return 0;
        }
        let length = self.columns.length;
        let offsets = &self.columns.offsets[..];
        let furthest = offsets.iter().max().copied().unwrap_or(0);
        let weights = &self.block.weights[..];
        for m in (0..rows).step_by(ROWS) {
            // The rows of input below the first output's window, one further for each further output.
            let slots = &self.packed.slots[m * y.kernel..(m + ROWS) * y.kernel];
            let slots = (0..y.kernel + ROWS - 1).map(|r| {
                let i = (r + 1).saturating_sub(y.kernel);
                slots[i * y.kernel + r - i]
            });
            let slots: Vec<usize> = slots.collect();
            for n in (0..x.output).step_by(8) {
                assert!(furthest + n + 8 <= length);
                let mut sums = [[F32x4::splat(0.0); 2]; ROWS];
                let channels = self.packed.values.chunks_exact(self.packed.count * length);
                for (values, weights) in channels.zip(weights.chunks_exact(y.kernel * x.kernel)) {
                    for (r, slot) in slots.iter().enumerate() {
                        let row = &values[slot * length..][..length];
                        // SAFETY: the furthest column of the tile lies in the row, as asserted; tap r − i is one of the kernel's
                        // rows wherever it is used.
                        unsafe {
                            let row = row.as_ptr().add(n);
                            if (ROWS - 1..y.kernel).contains(&r) {
                                let mut w = weights.as_ptr().add((r + 1 - ROWS) * x.kernel);
                                for &offset in offsets {
                                    let at = row.add(offset);
                                    let (a, b) = (F32x4::from(at), F32x4::from(at.add(4)));
                                    for (i, sums) in sums.iter_mut().enumerate() {
                                        let w = F32x4::splat(*w.add((ROWS - 1 - i) * x.kernel));
                                        sums[0] = sums[0].add(a.mul(w));
                                        sums[1] = sums[1].add(b.mul(w));
                                    }
                                    w = w.add(1);
                                }
                                continue;
                            }
                            for (i, sums) in sums.iter_mut().enumerate() {
                                if r < i || r - i >= y.kernel {
                                    continue;
                                }
                                let w = weights[(r - i) * x.kernel..].iter();
                                for (&offset, &w) in offsets.iter().zip(w) {
                                    let at = row.add(offset);
                                    let w = F32x4::splat(w);
                                    sums[0] = sums[0].add(F32x4::from(at).mul(w));
                                    sums[1] = sums[1].add(F32x4::from(at.add(4)).mul(w));
                                }
                            }
                        }
                    }
                }
                for (i, sums) in sums.into_iter().enumerate() {
                    let out = &mut out[(self.top + m + i) * x.output..];
                    self.put::<1, 2>([sums], out, n, 0);
                }
            }
        }
        rows
    }

    /// All outputs, `4·V` columns at a time. `out` holds the channels' whole planes.
    fn tiles<const O: usize, const V: usize>(&self, out: &mut [f32]) {
        let width = self.job.window.x.kernel;
        let plain = self
            .columns
            .offsets
            .iter()
            .enumerate()
            .all(|(k, &at)| k == at);
        match (width, plain) {
            (1, true) => self.rows::<O, V, 1>(out),
            (3, true) => self.rows::<O, V, 3>(out),
            (5, true) => self.rows::<O, V, 5>(out),
            _ => self.rows::<O, V, 0>(out),
        }
    }

    /// `K`: the width of a kernel whose taps lie side by side, known to the compiler; 0 for any other.
    fn rows<const O: usize, const V: usize, const K: usize>(&self, out: &mut [f32]) {
        let [ho, wo] = self.job.window.output();
        let (kernel, length) = (self.job.window.y.kernel, self.columns.length);
        let channel = self.packed.count * length;
        let channels = self.job.in_channels;
        let mut reads = Vec::with_capacity(channels * kernel);
        let done = self.tall(out);
        let rows = self.packed.slots.chunks_exact(kernel).enumerate();
        for (m, slots) in rows.skip(done) {
            reads.clear();
            for c in 0..channels {
                reads.extend(slots.iter().map(|slot| c * channel + slot * length));
            }
            self.row::<O, V, K>(&reads, &mut out[(self.top + m) * wo..], ho * wo);
        }
    }

    /// One row of outputs, which `out` starts with.
    ///
    /// A function of its own: engines compile it anew, and better, while it runs, and take that from the next call on.
    #[inline(never)]
    fn row<const O: usize, const V: usize, const K: usize>(
        &self,
        reads: &[usize],
        out: &mut [f32],
        plane: usize,
    ) {
        for n in (0..self.job.window.x.output).step_by(4 * V) {
            let sums = self.sums::<O, V, K>(reads, n);
            self.put(sums, out, n, plane);
        }
    }

    #[inline(always)]
    fn sums<const O: usize, const V: usize, const K: usize>(
        &self,
        reads: &[usize],
        n: usize,
    ) -> [[F32x4; V]; O] {
        let mut sums = [[F32x4::splat(0.0); V]; O];
        let values = &self.packed.values[..];
        let mut weights = self.block.weights.as_ptr();
        let offsets = &self.columns.offsets[..];
        let furthest = offsets.iter().max().copied().unwrap_or(0) + n + 4 * V;
        assert!(furthest <= self.columns.length);
        assert!(self.block.weights.len() == reads.len() * offsets.len() * O);
        for &read in reads {
            // SAFETY: a row of `length` values starts at each of `reads` (Packed::fill made them), the tile ends inside it as
            // asserted, and there are `O` weights for each of the taps.
            unsafe {
                debug_assert!(read + self.columns.length <= values.len());
                let row = values.as_ptr().add(read + n);
                if K > 0 {
                    for k in 0..K {
                        tap::<O, V>(&mut sums, row.add(k), weights.add(k * O));
                    }
                    weights = weights.add(K * O);
                } else {
                    for &offset in offsets {
                        tap::<O, V>(&mut sums, row.add(offset), weights);
                        weights = weights.add(O);
                    }
                }
            }
        }
        sums
    }

    /// Adds the bias, cuts off what is negative if ReLU follows, and writes a tile. `out` starts with the first channel's row.
    #[inline(always)]
    fn put<const O: usize, const V: usize>(
        &self,
        mut sums: [[F32x4; V]; O],
        out: &mut [f32],
        n: usize,
        plane: usize,
    ) {
        let (job, block) = (self.job, self.block);
        let width = (4 * V).min(job.window.x.output - n);
        for (o, sums) in sums.iter_mut().enumerate() {
            if let Some(bias) = job.bias {
                let channel = block.group * job.out_channels + block.first + o;
                let bias = F32x4::splat(bias[channel]);
                sums.iter_mut().for_each(|sum| *sum = sum.add(bias));
            }
            if job.relu {
                sums.iter_mut().for_each(|sum| *sum = sum.relu());
            }
            let to = &mut out[o * plane + n..][..width];
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

/// One tap: `V` vectors of inputs times the weights of `O` channels.
///
/// # Safety
/// `4·V` values from `x` and `O` from `weights` must be readable.
#[inline(always)]
unsafe fn tap<const O: usize, const V: usize>(
    sums: &mut [[F32x4; V]; O],
    x: *const f32,
    weights: *const f32,
) {
    // SAFETY: as the caller promises.
    unsafe {
        let x: [F32x4; V] = std::array::from_fn(|v| F32x4::from(x.add(4 * v)));
        for (o, sums) in sums.iter_mut().enumerate() {
            let w = F32x4::splat(*weights.add(o));
            for (sum, x) in sums.iter_mut().zip(x) {
                *sum = sum.add(x.mul(w));
            }
        }
    }
}
