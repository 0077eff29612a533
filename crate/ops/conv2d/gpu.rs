//! The convolution on a graphics card: three programs and when each is taken.
//!
//! For a map of C_in channels and P pixels, C_out outputs, k × k taps, all values of 4 bytes and each read as often as a
//! thread asks for it (caches make it less):
//!
//! | program | a thread computes | reads a FLOP pays for | FLOP a byte | taken |
//! |---|---|---|---|---|
//! | `direct` | 4 channels of a pixel | a pixel for 4 products, a vector of weights for 4 | 0.4 | everything else; whatever a card that is imitated computes |
//! | `tiled` | 8 channels of 2 × 2 pixels | from the maps: 18 × 18 pixels of 4 channels for 16 × 16 × 4 × 8 × 9 products | 28 | 3 × 3, stride 1, zeros around, at least 4 channels in and out, on a real card |
//! | `pointwise` | all channels of a pixel | a pixel for C_out products | C_out / 2 | 1 × 1 with at most 16 channels out: it can take the softmax along |
//!
//! `tiled` keeps 5,184 bytes of a group's memory (a card has at least 16,384). Threads of an imitated card run one after the other, so
//! each of its barriers stops 64 of them for nothing: there `direct` is faster by far.

use super::super::gpu::{Activation, Map, Operand, Program, Recorder};
use super::*;
use std::sync::Arc;

/// Any convolution.
pub static DIRECT: Program = Program {
    name: "direct",
    source: include_str!("direct.wgsl"),
    reads: 4,
    numbers: &[
        "count",
        "row",
        "pixels",
        "columns",
        "blocks",
        "groups",
        "outs",
        "ins",
        "kernel_rows",
        "kernel_columns",
        "a_channels",
        "a_rows",
        "a_columns",
        "a_zoom",
        "b_channels",
        "b_rows",
        "b_columns",
        "b_zoom",
        "activation",
        "slope",
    ],
};

/// 3 × 3 with stride 1, through the memory of a group.
pub static TILED: Program = Program {
    name: "tiled",
    source: include_str!("tiled.wgsl"),
    reads: 3,
    numbers: &[
        "rows",
        "columns",
        "top",
        "left",
        "height",
        "width",
        "blocks",
        "outs",
        "a_channels",
        "a_rows",
        "a_columns",
        "a_zoom",
        "b_channels",
        "b_rows",
        "b_columns",
        "b_zoom",
        "activation",
        "slope",
    ],
};

/// 1 × 1 with few channels out.
pub static POINTWISE: Program = Program {
    name: "pointwise",
    source: include_str!("pointwise.wgsl"),
    reads: 3,
    numbers: &[
        "count",
        "row",
        "pixels",
        "columns",
        "outs",
        "blocks",
        "a_channels",
        "a_rows",
        "a_columns",
        "a_zoom",
        "b_channels",
        "b_rows",
        "b_columns",
        "b_zoom",
        "activation",
        "slope",
    ],
};

/// The most channels out that one thread of `pointwise` holds.
pub const FEW: usize = 16;

/// Pixels along a side of what a group of `tiled` computes, and the channels that it computes.
const TILE: usize = 16;
const DEEP: usize = 8;

/// A part of the input: some of its channels, every pixel of which is `zoom` × `zoom` pixels of the input.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The map.
    pub map: Map,
    /// How often a pixel is repeated along each axis.
    pub zoom: usize,
}

impl Piece {
    /// A map as it is.
    pub fn whole(map: &Map) -> Piece {
        Piece {
            map: map.clone(),
            zoom: 1,
        }
    }

    fn numbers(&self) -> [u32; 4] {
        let [.., c, h, w] = self.map.shape[..] else {
            unreachable!("a picture")
        };
        [c, h, w, self.zoom].map(|n| n as u32)
    }
}

/// A convolution and what is computed along.
pub struct Convolution<'a> {
    /// One or two parts of the input, joined along the channels.
    pub pieces: &'a [Piece],
    /// The input's shape.
    pub shape: &'a [usize],
    /// The weights.
    pub weight: &'a Arc<Tensor>,
    /// The bias.
    pub bias: Option<&'a Arc<Tensor>>,
    /// The options.
    pub settings: &'a Settings,
    /// What follows.
    pub activation: Activation,
}

/// Whether `pointwise` computes a convolution with these weights.
pub fn is_pointwise(weight: &[usize], settings: &Settings) -> bool {
    let window = &settings.window;
    matches!(*weight, [co, _, 1, 1] if co <= FEW)
        && settings.groups == 1
        && window.stride == [1, 1]
        && matches!(
            window.padding,
            crate::window::Padding::By([0, 0]) | crate::window::Padding::Same
        )
}

fn is_tiled(r: &Recorder, plan: &Plan, settings: &Settings) -> bool {
    let plain = |axis: &crate::window::Axis| {
        (axis.kernel, axis.stride, axis.dilation) == (3, 1, 1)
            && (axis.mode == crate::window::PaddingMode::Zeros || axis.before + axis.after == 0)
    };
    let groups = plan.images.n * plan.co.div_ceil(DEEP);
    !r.card.software
        && settings.groups == 1
        && plain(&plan.window.y)
        && plain(&plan.window.x)
        && plan.cg >= 4
        && plan.co >= 4
        && groups <= super::super::gpu::MOST_GROUPS as usize
}

/// Writes the convolution down.
///
/// # Errors
/// As [`super::run`].
pub fn record(r: &mut Recorder, job: &Convolution<'_>) -> Result<Map> {
    let bias = job.bias.map(|bias| bias.shape());
    let plan = plan_shapes(job.shape, job.weight.shape(), bias, job.settings)?;
    let y = r.map(plan.images.shape(plan.co, plan.window.output()));
    let numbers = pieces(job.pieces);
    let of = [Some(job.weight), job.bias];
    let bias = job.bias.map(|bias| bias.data());
    let pixels = plan.window.y.output * plan.window.x.output;
    if is_pointwise(job.weight.shape(), job.settings) {
        let weights = arranged_pointwise(job.weight, bias, plan.co, plan.cg);
        let weights = r.weights(weights, &POINTWISE, of, 1);
        let shape = [pixels, plan.window.x.output, plan.co, plan.co.div_ceil(4)];
        let numbers = [
            &shape.map(|n| n as u32)[..],
            &numbers,
            &job.activation.numbers(),
        ]
        .concat();
        let reads = operands(job.pieces, [weights]);
        r.each(&POINTWISE, plan.images.n * pixels, &numbers, &reads, y.id);
    } else if is_tiled(r, &plan, job.settings) {
        let weights = arranged_tiled(job.weight, bias, plan.co, plan.cg);
        let weights = r.weights(weights, &TILED, of, 1);
        let (rows, columns) = (&plan.window.y, &plan.window.x);
        let blocks = plan.co.div_ceil(DEEP);
        let shape = [
            rows.output,
            columns.output,
            rows.before,
            columns.before,
            rows.size,
            columns.size,
            blocks,
            plan.co,
        ];
        let numbers = [
            &shape.map(|n| n as u32)[..],
            &numbers,
            &job.activation.numbers(),
        ]
        .concat();
        r.jobs.push(super::super::gpu::Job {
            program: &TILED,
            numbers,
            reads: operands(job.pieces, [weights]),
            writes: y.id,
            groups: [
                columns.output.div_ceil(TILE) as u32,
                rows.output.div_ceil(TILE) as u32,
                (plan.images.n * blocks) as u32,
            ],
            flops: 0,
            node: r.node,
        });
    } else {
        let (rows, columns) = (&plan.window.y, &plan.window.x);
        let source =
            |axis: &crate::window::Axis, m: usize, k: usize| match axis.source(axis.tap(m, k)) {
                Source::Pixel(i) => Some(i),
                Source::Padding | Source::Outside => None,
            };
        let taps = Taps {
            rows: [rows.output, rows.kernel],
            columns: [columns.output, columns.kernel],
            row: &|m, k| source(rows, m, k),
            column: &|m, k| source(columns, m, k),
        };
        let [outs, ins] = [plan.co / job.settings.groups, plan.cg];
        let value = |g: usize, o: usize, c: usize, tap: usize| {
            job.weight.data()[((g * outs + o) * ins + c) * rows.kernel * columns.kernel + tap]
        };
        let direct = Direct {
            images: plan.images.n,
            groups: job.settings.groups,
            outs,
            ins,
            taps,
            activation: job.activation,
        };
        let weights = direct.arrange(bias, value);
        let weights = r.weights(weights, &DIRECT, of, job.settings.groups);
        direct.record(r, job.pieces, weights, &y);
    }
    let products = plan.cg * plan.window.y.kernel * plan.window.x.kernel;
    r.jobs.last_mut().expect("just added").flops = 2 * (y.len() * products) as u64;
    Ok(y)
}

/// The numbers of one or two parts.
fn pieces(pieces: &[Piece]) -> Vec<u32> {
    let second = pieces.get(1).map_or([0, 1, 1, 1], Piece::numbers);
    [pieces[0].numbers(), second].concat()
}

fn operands(pieces: &[Piece], constants: impl IntoIterator<Item = Operand>) -> Vec<Operand> {
    let last = pieces.last().expect("at least one part");
    let maps = [&pieces[0], last].map(|piece| Operand::Map(piece.map.id));
    maps.into_iter().chain(constants).collect()
}

/// Which rows and columns the taps of each output read.
pub struct Taps<'a> {
    /// Outputs and taps along the columns.
    pub rows: [usize; 2],
    /// Outputs and taps along the rows.
    pub columns: [usize; 2],
    /// The row that a tap of an output reads.
    pub row: &'a dyn Fn(usize, usize) -> Option<usize>,
    /// The column that a tap of an output reads.
    pub column: &'a dyn Fn(usize, usize) -> Option<usize>,
}

/// A call of `direct`, for everything that is a weighted sum of pixels under taps.
pub struct Direct<'a> {
    /// Images.
    pub images: usize,
    /// Groups of channels.
    pub groups: usize,
    /// Channels out of a group.
    pub outs: usize,
    /// Channels into a group.
    pub ins: usize,
    /// What is read.
    pub taps: Taps<'a>,
    /// What follows.
    pub activation: Activation,
}

impl Direct<'_> {
    /// Weights as the program wants them: for each group, block of four channels out, channel in and tap four weights; then
    /// four biases a block.
    pub fn arrange(
        &self,
        bias: Option<&[f32]>,
        weight: impl Fn(usize, usize, usize, usize) -> f32,
    ) -> Vec<f32> {
        let (blocks, taps) = (
            self.outs.div_ceil(4),
            self.taps.rows[1] * self.taps.columns[1],
        );
        let mut values = Vec::with_capacity(self.groups * blocks * (self.ins * taps + 1) * 4);
        for (g, block) in self.blocks() {
            for (c, tap) in (0..self.ins).flat_map(|c| (0..taps).map(move |tap| (c, tap))) {
                let lane = |o: usize| {
                    if o < self.outs {
                        weight(g, o, c, tap)
                    } else {
                        0.0
                    }
                };
                values.extend((4 * block..4 * block + 4).map(lane));
            }
        }
        for (g, block) in self.blocks() {
            let lane = |o: usize| match bias {
                Some(bias) if o < self.outs => bias[g * self.outs + o],
                _ => 0.0,
            };
            values.extend((4 * block..4 * block + 4).map(lane));
        }
        values
    }

    fn blocks(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let blocks = self.outs.div_ceil(4);
        (0..self.groups).flat_map(move |g| (0..blocks).map(move |block| (g, block)))
    }

    /// Writes the call down.
    pub fn record(&self, r: &mut Recorder, parts: &[Piece], weights: Operand, y: &Map) {
        let axis = |[outputs, taps]: [usize; 2], source: &dyn Fn(usize, usize) -> Option<usize>| {
            let each = (0..outputs).flat_map(|m| (0..taps).map(move |k| (m, k)));
            let numbers = each.map(|(m, k)| source(m, k).map_or(-1, |i| i as i32));
            numbers.collect::<Vec<i32>>()
        };
        let rows = axis(self.taps.rows, self.taps.row);
        let columns = axis(self.taps.columns, self.taps.column);
        let table = r.table([rows, columns].concat());
        let pixels = self.taps.rows[0] * self.taps.columns[0];
        let blocks = self.outs.div_ceil(4);
        let shape = [
            pixels,
            self.taps.columns[0],
            blocks,
            self.groups,
            self.outs,
            self.ins,
            self.taps.rows[1],
            self.taps.columns[1],
        ];
        let numbers = [
            &shape.map(|n| n as u32)[..],
            &pieces(parts),
            &self.activation.numbers(),
        ]
        .concat();
        let count = self.images * self.groups * blocks * pixels;
        let reads = operands(parts, [weights, table]);
        r.each(&DIRECT, count, &numbers, &reads, y.id);
    }
}

/// For each channel in, the weights of all channels out, filled up to vectors of four; then the biases.
fn arranged_pointwise(weight: &Tensor, bias: Option<&[f32]>, co: usize, ci: usize) -> Vec<f32> {
    let lanes = co.next_multiple_of(4);
    let mut values = vec![0.0; (ci + 1) * lanes];
    for (o, row) in weight.data().chunks_exact(ci).enumerate() {
        row.iter()
            .enumerate()
            .for_each(|(c, w)| values[c * lanes + o] = *w);
        values[ci * lanes + o] = bias.map_or(0.0, |bias| bias[o]);
    }
    values
}

/// For each block of eight channels out, four channels in and tap: two matrices of four by four, by columns, a column for each
/// channel in; then eight biases a block.
fn arranged_tiled(weight: &Tensor, bias: Option<&[f32]>, co: usize, ci: usize) -> Vec<f32> {
    let (blocks, fours) = (co.div_ceil(DEEP), ci.div_ceil(4));
    let biases = blocks * fours * 9 * 32;
    // Whole matrices.
    let mut values = vec![0.0; (biases + blocks * DEEP).next_multiple_of(16)];
    for o in 0..co {
        let (block, half, lane) = (o / DEEP, o % DEEP / 4, o % 4);
        for c in 0..ci {
            for tap in 0..9 {
                let matrix = ((block * fours + c / 4) * 9 + tap) * 2 + half;
                values[matrix * 16 + c % 4 * 4 + lane] = weight.data()[(o * ci + c) * 9 + tap];
            }
        }
        values[biases + o] = bias.map_or(0.0, |bias| bias[o]);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::super::super::gpu::Card;
    use super::*;

    fn chosen(software: bool, weight: &[usize], options: &[(&str, usize)]) -> &'static str {
        let mut r = Recorder {
            card: Card { software },
            ..Recorder::default()
        };
        let x = r.map(vec![weight[1], 20, 20]);
        let options = options
            .iter()
            .map(|&(name, n)| (name.to_string(), n.into()));
        let settings = Settings::parse(&options.collect()).expect("options");
        let weight = Arc::new(Tensor::from_fn(weight, |i| i as f32).expect("weights"));
        let job = Convolution {
            pieces: &[Piece::whole(&x)],
            shape: &x.shape,
            weight: &weight,
            bias: None,
            settings: &settings,
            activation: Activation::None,
        };
        record(&mut r, &job).expect("a convolution");
        r.jobs[0].program.name
    }

    #[test]
    fn a_real_card_gets_the_tiled_program() {
        assert_eq!(chosen(false, &[16, 16, 3, 3], &[("padding", 1)]), "tiled");
        assert_eq!(chosen(false, &[16, 16, 3, 3], &[]), "tiled");
        assert_eq!(chosen(true, &[16, 16, 3, 3], &[("padding", 1)]), "direct");
        assert_eq!(chosen(false, &[16, 1, 3, 3], &[("padding", 1)]), "direct");
        assert_eq!(chosen(false, &[16, 16, 3, 3], &[("stride", 2)]), "direct");
        assert_eq!(chosen(false, &[16, 16, 5, 5], &[]), "direct");
    }

    #[test]
    fn one_pixel_kernels_are_pointwise_on_any_card() {
        for software in [false, true] {
            assert_eq!(chosen(software, &[3, 8, 1, 1], &[]), "pointwise");
            assert_eq!(chosen(software, &[17, 8, 1, 1], &[]), "direct");
            assert_eq!(chosen(software, &[3, 8, 1, 1], &[("padding", 1)]), "direct");
        }
    }
}
