//! Winograd's minimal filtering F(4 × 4, 3 × 3): sixteen outputs of a 3 × 3 kernel from 36 products instead of 144.
//!
//! With d a tile of 6 × 6 inputs and g a kernel, Y = Aᵀ [ Σ_c (G g Gᵀ) ⊙ (Bᵀ d B) ] A. The sum over the channels is 36 matrix
//! products, one for each place of the 6 × 6 spectrum. Matrices: A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural
//! Networks, CVPR 2016. The order of summation is another than `explain`'s; [`super::BOUND`] says how far it leads away.

use super::cpu::{Job, Part};
use super::pack::{Columns, Packed, reserve};
use crate::error::Result;
use crate::simd::F32x4;

/// Places of the spectrum.
const PLACES: usize = 36;
/// Values of spectra a strip aims at: 1 MiB, to stay in the second-level cache.
const STRIP: usize = 256 * 1024;
/// Tiles a strip has at least, so that large weights are not read over and over.
const LEAST: usize = 64;
/// Places lie this much further apart than they need to, or all 36 would fall into one set of the cache.
const APART: usize = 16;

/// Whether it applies and pays.
pub fn suits(job: &Job<'_>) -> bool {
    let (y, x) = (&job.window.y, &job.window.x);
    let plain = [y, x]
        .iter()
        .all(|axis| axis.kernel == 3 && axis.stride == 1 && axis.dilation == 1);
    plain && job.in_channels >= 4 && job.out_channels >= 4 && y.output >= 4 && x.output >= 8
}

/// The kernels' spectra: [group][place][block of four output channels][input channel][four], missing channels zero.
pub fn transform(job: &Job<'_>) -> Vec<f32> {
    let (ci, co) = (job.in_channels, job.out_channels);
    let blocks = co.div_ceil(4);
    let per_group = PLACES * blocks * ci * 4;
    let mut out = vec![0.0; job.groups * per_group];
    // In double precision: the sixths and twenty-fourths are no binary fractions, and this happens once.
    let column = |[a, b, c]: [f64; 3]| {
        let (even, odd) = (a + c, b);
        let (far, near) = (a / 24.0 + c / 6.0, b / 12.0);
        [
            a / 4.0,
            -(even + odd) / 6.0,
            (odd - even) / 6.0,
            far + near,
            far - near,
            c,
        ]
    };
    for (i, g) in job.weight.chunks_exact(9).enumerate() {
        let (o, c) = (i / ci, i % ci);
        let (group, o) = (o / co, o % co);
        let rows: [[f64; 6]; 3] =
            [0, 1, 2].map(|y| column([0, 1, 2].map(|x| f64::from(g[3 * y + x]))));
        (0..6).for_each(|x| {
            for (y, value) in column([0, 1, 2].map(|y| rows[y][x]))
                .into_iter()
                .enumerate()
            {
                let place = (y * 6 + x) * blocks + o / 4;
                out[group * per_group + (place * ci + c) * 4 + o % 4] = value as f32;
            }
        });
    }
    out
}

/// The shape of a strip of tiles.
struct Strip {
    /// Vectors of four tiles in a row of tiles.
    across: usize,
    /// Vectors in all.
    vectors: usize,
    /// From place to place in the inputs' spectra.
    inputs: usize,
    /// From place to place in the outputs' spectra.
    outputs: usize,
}

impl Strip {
    fn new(job: &Job<'_>, across: usize, rows: usize) -> Strip {
        let vectors = across * rows;
        Strip {
            across,
            vectors,
            inputs: vectors * 4 * job.in_channels + APART,
            outputs: vectors * 4 * job.out_channels.next_multiple_of(4) + APART,
        }
    }

    /// Where vector `v` of channel `c` of `channels` lies at a place: panels of two vectors, channel by channel.
    fn input(&self, v: usize, c: usize, channels: usize) -> usize {
        let panel = v / 2 * channels * 8;
        if v + 1 == self.vectors && v.is_multiple_of(2) {
            return panel + c * 4; // The last panel of an odd number has one vector only.
        }
        panel + c * 8 + v % 2 * 4
    }
}

/// Computes all of it.
///
/// # Errors
/// If the spectra do not fit into memory.
pub fn run(job: &Job<'_>, spectrum: &[f32], out: &mut [f32]) -> Result<()> {
    let [ho, wo] = job.window.output();
    let (ci, co) = (job.in_channels, job.out_channels);
    let across = wo.div_ceil(16);
    // Whole tiles, of the wanted rows.
    let tiles = job.rows.start / 4..job.rows.end.div_ceil(4);
    let per_row = PLACES * (ci + co.next_multiple_of(4)) * across * 4;
    let rows = (STRIP / per_row)
        .max(LEAST.div_ceil(across * 4))
        .clamp(1, tiles.len().max(1));
    let columns = Columns::new(&job.window.x, across * 16 + 2);
    let largest = Strip::new(job, across, rows);
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    let what = || format!("the spectra of {} channels", ci + co);
    reserve(&mut inputs, (PLACES * largest.inputs) as u64, what())?;
    reserve(&mut outputs, (PLACES * largest.outputs) as u64, what())?;
    let mut packed = Packed::default();
    for Part { group, planes, out } in job.parts(out) {
        let spectrum =
            &spectrum[group * (spectrum.len() / job.groups)..][..spectrum.len() / job.groups];
        for first in tiles.clone().step_by(rows) {
            let until = tiles.end.min(first + rows);
            let strip = Strip::new(job, across, until - first);
            for row in first..until {
                let band = row * 4..ho.min(row * 4 + 4);
                // One channel at a time: its rows are then still in the first-level cache when they are transformed.
                for (c, plane) in planes.iter().enumerate() {
                    packed.fill(
                        std::slice::from_ref(plane),
                        band.clone(),
                        &job.window.y,
                        &job.window.x,
                        &columns,
                    )?;
                    let v = (row - first) * across;
                    forward(&packed, &columns, band.len(), &strip, v, c, ci, &mut inputs);
                }
            }
            multiply(&strip, ci, co.div_ceil(4), spectrum, &inputs, &mut outputs);
            for row in first..until {
                for o in 0..co {
                    let v = (row - first) * across;
                    let bias = job.bias.map_or(0.0, |bias| bias[group * co + o]);
                    backward(
                        job,
                        &strip,
                        v,
                        o,
                        &outputs,
                        bias,
                        &mut out[o * ho * wo + row * 4 * wo..(o + 1) * ho * wo],
                    );
                }
            }
        }
    }
    Ok(())
}

/// Bᵀ applied to six values.
#[inline(always)]
fn into_spectrum(d: [F32x4; 6]) -> [F32x4; 6] {
    let (four, five, two) = (F32x4::splat(4.0), F32x4::splat(5.0), F32x4::splat(2.0));
    let even = d[4].sub(d[2].mul(four));
    let odd = d[3].sub(d[1].mul(four));
    let (near, far) = (d[4].sub(d[2]), d[3].sub(d[1]).mul(two));
    [
        d[0].mul(four).sub(d[2].mul(five)).add(d[4]),
        even.add(odd),
        even.sub(odd),
        near.add(far),
        near.sub(far),
        d[1].mul(four).sub(d[3].mul(five)).add(d[5]),
    ]
}

/// Aᵀ applied to six values.
#[inline(always)]
fn out_of_spectrum(m: [F32x4; 6]) -> [F32x4; 4] {
    let (a, b) = (m[1].add(m[2]), m[1].sub(m[2]));
    let (c, d) = (m[3].add(m[4]), m[3].sub(m[4]));
    [
        m[0].add(a).add(c),
        b.add(d.mul(F32x4::splat(2.0))),
        a.add(c.mul(F32x4::splat(4.0))),
        b.add(d.mul(F32x4::splat(8.0))).add(m[5]),
    ]
}

/// The spectra of one row of tiles of one channel. Four neighbouring tiles are the lanes of a vector.
#[allow(clippy::too_many_arguments)]
fn forward(
    packed: &Packed,
    columns: &Columns,
    rows: usize,
    strip: &Strip,
    first: usize,
    c: usize,
    channels: usize,
    inputs: &mut [f32],
) {
    // Six rows: those of the first output row, then the last one of each further. Below the picture the last is taken again;
    // what comes of it is not written.
    let slot = |i: usize| {
        let m = i.saturating_sub(2).min(rows - 1);
        packed.slots[m * 3 + (i - m).min(2)]
    };
    let starts: [usize; 6] = std::array::from_fn(|i| slot(i) * columns.length);
    let places: &mut [f32] = inputs;
    for across in 0..strip.across {
        let at = strip.input(first + across, c, channels);
        assert!(35 * strip.inputs + at + 4 <= places.len());
        let mut half = [[F32x4::splat(0.0); 6]; 6];
        for (start, half) in starts.iter().zip(&mut half) {
            let row = &packed.values[start + across * 16..][..20.min(columns.length - across * 16)];
            // Columns::new was asked for four values beyond the last tile.
            let (row, _) = row.as_chunks::<4>();
            let [a, b, c, d, e] = *row.first_chunk::<5>().expect("twenty values");
            let [a, b, c, d, e] = [a, b, c, d, e].map(|x| F32x4::load(&x));
            let [d0, d1, d2, d3] = F32x4::transpose([a, b, c, d]);
            let [d4, d5, _, _] = F32x4::transpose([b, c, d, e]);
            *half = into_spectrum([d0, d1, d2, d3, d4, d5]);
        }
        (0..6).for_each(|x| {
            let column = into_spectrum([0, 1, 2, 3, 4, 5].map(|y| half[y][x]));
            for (y, value) in column.into_iter().enumerate() {
                // SAFETY: the last place was checked above.
                unsafe { value.to(places.as_mut_ptr().add((y * 6 + x) * strip.inputs + at)) };
            }
        });
    }
}

/// The 36 matrix products: spectra of output channels = spectra of kernels × spectra of input channels.
fn multiply(
    strip: &Strip,
    ci: usize,
    blocks: usize,
    spectrum: &[f32],
    inputs: &[f32],
    outputs: &mut [f32],
) {
    let panels = strip.vectors / 2;
    for place in 0..PLACES {
        let weights = &spectrum[place * blocks * ci * 4..][..blocks * ci * 4];
        let inputs = &inputs[place * strip.inputs..][..strip.vectors * 4 * ci];
        let outputs = &mut outputs[place * strip.outputs..][..strip.vectors * 16 * blocks];
        for (weights, outputs) in weights
            .chunks_exact(ci * 4)
            .zip(outputs.chunks_exact_mut(strip.vectors * 16))
        {
            let (pairs, rest) = inputs.split_at(panels * ci * 8);
            for (x, to) in pairs.chunks_exact(ci * 8).zip(outputs.chunks_exact_mut(32)) {
                panel::<2>(weights, x, to);
            }
            if !rest.is_empty() {
                panel::<1>(weights, rest, &mut outputs[panels * 32..]);
            }
        }
    }
}

/// Four output channels × `V` vectors of tiles, over all input channels.
#[inline(always)]
fn panel<const V: usize>(weights: &[f32], x: &[f32], to: &mut [f32]) {
    let mut sums = [[F32x4::splat(0.0); V]; 4];
    let (weights, _) = weights.as_chunks::<4>();
    for (w, x) in weights.iter().zip(x.chunks_exact(4 * V)) {
        let (x, _) = x.as_chunks::<4>();
        let x: [F32x4; V] = std::array::from_fn(|v| F32x4::load(&x[v]));
        for (sums, &w) in sums.iter_mut().zip(w) {
            let w = F32x4::splat(w);
            for (sum, x) in sums.iter_mut().zip(x) {
                *sum = sum.add(x.mul(w));
            }
        }
    }
    let (to, _) = to.as_chunks_mut::<4>();
    for v in 0..V {
        for o in 0..4 {
            sums[o][v].store(&mut to[v * 4 + o]);
        }
    }
}

/// One row of tiles of output channel `o`: four rows of the picture, of which the last may not exist.
fn backward(
    job: &Job<'_>,
    strip: &Strip,
    first: usize,
    o: usize,
    outputs: &[f32],
    bias: f32,
    out: &mut [f32],
) {
    let wo = job.window.x.output;
    let bias = F32x4::splat(bias);
    for across in 0..strip.across {
        let at = ((o / 4 * strip.vectors + first + across) * 4 + o % 4) * 4;
        assert!(35 * strip.outputs + at + 4 <= outputs.len());
        // SAFETY: the last place was just checked.
        let place = |p: usize| unsafe { F32x4::from(outputs.as_ptr().add(p * strip.outputs + at)) };
        let half: [[F32x4; 4]; 6] =
            std::array::from_fn(|x| out_of_spectrum(std::array::from_fn(|y| place(y * 6 + x))));
        let n = across * 16;
        let width = (wo - n).min(16);
        for (y, row) in out.chunks_mut(wo).take(4).enumerate() {
            let columns = out_of_spectrum(std::array::from_fn(|x| half[x][y]));
            let mut values = F32x4::transpose(columns).map(|value| value.add(bias));
            if job.relu {
                values = values.map(F32x4::relu);
            }
            let to = &mut row[n..][..width];
            if let ([a, b, c, d], []) = to.as_chunks_mut::<4>() {
                for (value, to) in values.iter().zip([a, b, c, d]) {
                    value.store(to);
                }
            } else {
                let mut all = [[0.0; 4]; 4];
                values
                    .iter()
                    .zip(&mut all)
                    .for_each(|(value, to)| value.store(to));
                to.copy_from_slice(&all.as_flattened()[..width]);
            }
        }
    }
}
