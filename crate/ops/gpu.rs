//! Operators on a graphics card, as data: which program runs on which maps with which numbers. Nothing here touches a card;
//! `crate/backend` carries the lists out. Each operator's folder has its program (`*.wgsl`) and how it is called (`gpu.rs`).
//!
//! Every program has its numbers at binding 0 (`p`), what it reads at bindings 1, 2, …, and what it writes at the last one.
//! Geometry is not computed there: the tables of coordinates come from the same functions that the processor uses.
//! Sums run in `f32`, in an order of the program's own; maps are stored as `Store`, which is `f32` unless half precision was
//! asked for.

use super::common::Split;
use super::*;
use std::sync::Arc;

/// What stands in front of every program.
pub const COMMON: &str = include_str!("common.wgsl");

/// Who complains where a card cannot do what is asked this time, and can all the same do other things.
pub const THIS_TIME: &str = "webgpu (this time)";

/// A program for the card.
#[derive(Debug)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// WGSL, without [`COMMON`] and the definition of `Store`.
    pub source: &'static str,
    /// How many buffers it reads.
    pub reads: usize,
    /// The names of its numbers, in order.
    pub numbers: &'static [&'static str],
}

/// Threads in a group of every program that computes one value, or a few channels of one pixel, a thread.
pub const GROUP: u32 = 64;
/// The most groups along one axis that every card takes.
pub const MOST_GROUPS: u32 = 65_535;

/// A map in the card's memory.
#[derive(Clone, Debug)]
pub struct Map {
    /// Its number.
    pub id: usize,
    /// Its shape.
    pub shape: Vec<usize>,
}

impl Map {
    /// The number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it holds none: never.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same values under another shape.
    pub fn under(&self, shape: Vec<usize>) -> Map {
        Map { id: self.id, shape }
    }
}

/// What a program reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A map, by number.
    Map(usize),
    /// What is there before the first run: weights or tables, by number.
    Constant(usize),
}

/// A call of a program.
#[derive(Clone, Debug)]
pub struct Job {
    /// The program.
    pub program: &'static Program,
    /// The numbers at binding 0, 32 bits each.
    pub numbers: Vec<u32>,
    /// What it reads.
    pub reads: Vec<Operand>,
    /// The map that it writes.
    pub writes: usize,
    /// Groups of threads along three axes.
    pub groups: [u32; 3],
    /// Multiplications and additions.
    pub flops: u64,
    /// The node that it computes.
    pub node: usize,
}

/// A program, the addresses of the weights and of the bias (0 for none), and the number of groups: what an arrangement of
/// weights depends on.
pub type MadeOf = (&'static str, [usize; 3]);

/// Weights or tables.
#[derive(Clone, Debug)]
pub struct Constant {
    /// 32-bit words.
    pub words: Vec<u32>,
    /// What it was made of and for which program, so that several lists of jobs share one buffer.
    pub made_of: Option<MadeOf>,
}

/// What is known of a card when programs are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Card {
    /// The card is imitated by the processor, where a barrier stops every thread of a group one by one.
    pub software: bool,
}

/// A list of jobs that is being written.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    /// The card.
    pub card: Card,
    /// The length of every map, and whether its values are `f32` whatever `Store` is.
    pub maps: Vec<(usize, bool)>,
    /// The maps that are learned.
    pub filled: Vec<(usize, Arc<Tensor>)>,
    /// Weights and tables.
    pub constants: Vec<Constant>,
    /// The calls, in order.
    pub jobs: Vec<Job>,
    /// The node that is being computed.
    pub node: usize,
}

impl Recorder {
    /// A new map.
    pub fn map(&mut self, shape: Vec<usize>) -> Map {
        let id = self.maps.len();
        self.maps.push((shape.iter().product(), false));
        Map { id, shape }
    }

    /// A new map of `f32` values.
    pub fn exact_map(&mut self, shape: Vec<usize>) -> Map {
        let map = self.map(shape);
        self.maps[map.id].1 = true;
        map
    }

    /// A table of coordinates.
    pub fn table(&mut self, numbers: impl IntoIterator<Item = i32>) -> Operand {
        let words = numbers.into_iter().map(|n| n as u32).collect();
        self.constants.push(Constant {
            words,
            made_of: None,
        });
        Operand::Constant(self.constants.len() - 1)
    }

    /// Values in an arrangement of `program`'s own, made of this tensor.
    pub fn weights(
        &mut self,
        values: Vec<f32>,
        program: &'static Program,
        of: [Option<&Arc<Tensor>>; 2],
        groups: usize,
    ) -> Operand {
        let words = values.into_iter().map(f32::to_bits).collect();
        let [weight, bias] =
            of.map(|tensor| tensor.map_or(0, |tensor| Arc::as_ptr(tensor) as usize));
        self.constants.push(Constant {
            words,
            made_of: Some((program.name, [weight, bias, groups])),
        });
        Operand::Constant(self.constants.len() - 1)
    }

    /// Values as they are.
    pub fn values(&mut self, values: &[f32]) -> Operand {
        let words = values.iter().map(|value| value.to_bits()).collect();
        self.constants.push(Constant {
            words,
            made_of: None,
        });
        Operand::Constant(self.constants.len() - 1)
    }

    /// A learned tensor as a map is stored, in its own order.
    pub fn stored(&mut self, tensor: &Arc<Tensor>) -> Operand {
        let map = self.map(tensor.shape().to_vec());
        self.filled.push((map.id, tensor.clone()));
        Operand::Map(map.id)
    }

    /// Calls a program with one thread for each of `count` things. Its first two numbers are `count` and the number of
    /// threads in a row of groups: more groups than one axis takes are laid out in rows.
    pub fn each(
        &mut self,
        program: &'static Program,
        count: usize,
        numbers: &[u32],
        reads: &[Operand],
        writes: usize,
    ) {
        let groups = (count as u64).div_ceil(u64::from(GROUP));
        let rows = groups.div_ceil(u64::from(MOST_GROUPS)).max(1);
        let across = groups.div_ceil(rows).max(1) as u32;
        let first = [count as u32, across * GROUP];
        self.jobs.push(Job {
            program,
            numbers: [&first, numbers].concat(),
            reads: reads.to_vec(),
            writes,
            groups: [across, rows as u32, 1],
            flops: count as u64,
            node: self.node,
        });
    }
}

/// What a program does to a value before it stores it. See `activate` in common.wgsl.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// ReLU.
    Relu,
    /// Leaky ReLU with this slope.
    LeakyRelu(f32),
    /// Sigmoid.
    Sigmoid,
    /// Softmax over the channels of a pixel; of `conv2d`'s pointwise program alone.
    Softmax,
}

impl Activation {
    /// Its number, and its slope's bits.
    pub fn numbers(self) -> [u32; 2] {
        match self {
            Activation::None => [0, 0],
            Activation::Relu => [1, 0],
            Activation::LeakyRelu(slope) => [2, slope.to_bits()],
            Activation::Sigmoid => [3, 0],
            Activation::Softmax => [4, 0],
        }
    }
}

/// A value at a time: `activate`.
pub static UNARY: Program = Program {
    name: "unary",
    source: include_str!("unary.wgsl"),
    reads: 1,
    numbers: &["count", "row", "activation", "slope"],
};

/// Values moved to other places; where nothing is moved to, a constant.
pub static GATHER: Program = Program {
    name: "gather",
    source: include_str!("gather.wgsl"),
    reads: 2,
    numbers: &["count", "row", "n1", "n2", "n3", "t1", "t2", "t3", "fill"],
};

/// Factor and summand a channel.
pub static AFFINE: Program = Program {
    name: "affine",
    source: include_str!("affine.wgsl"),
    reads: 2,
    numbers: &["count", "row", "inner", "channels", "activation", "slope"],
};

/// All programs.
pub fn programs() -> [&'static Program; 13] {
    [
        &UNARY,
        &GATHER,
        &AFFINE,
        &conv2d::gpu::DIRECT,
        &conv2d::gpu::TILED,
        &conv2d::gpu::POINTWISE,
        &pool::POOL,
        &interpolate::gpu::BILINEAR,
        &concat::gpu::PLACE,
        &add::gpu::ADD,
        &softmax::gpu::SOFTMAX,
        &argmax::gpu::ARGMAX,
        &normalize::gpu::STATISTICS,
    ]
}

/// Where each index along an output's axis comes from in the input, as an offset there; −1 for nowhere.
type Offsets = Vec<i32>;

/// How far apart two neighbours along each axis lie.
pub(super) fn strides(shape: &[usize]) -> Vec<usize> {
    (0..shape.len())
        .map(|axis| shape[axis + 1..].iter().product())
        .collect()
}

/// Calls [`GATHER`]: the output's axes are as long as the lists.
pub(super) fn gather(r: &mut Recorder, x: &Map, axes: &[Offsets], fill: f32) -> Map {
    let y = r.map(axes.iter().map(Vec::len).collect());
    let mut all = vec![vec![0]; 4 - axes.len()];
    all.extend(axes.iter().cloned());
    let n: Vec<usize> = all.iter().map(Vec::len).collect();
    let table = r.table(all.concat());
    let starts = [n[0], n[0] + n[1], n[0] + n[1] + n[2]];
    let numbers: Vec<u32> = n[1..]
        .iter()
        .chain(&starts)
        .map(|&n| n as u32)
        .chain([fill.to_bits()])
        .collect();
    r.each(
        &GATHER,
        y.len(),
        &numbers,
        &[Operand::Map(x.id), table],
        y.id,
    );
    y
}

/// Offsets of chosen indices along an axis whose neighbours lie `stride` apart.
pub(super) fn offsets(indices: impl IntoIterator<Item = Option<usize>>, stride: usize) -> Offsets {
    let offset = |i: Option<usize>| i.map_or(-1, |i| (i * stride) as i32);
    indices.into_iter().map(offset).collect()
}

fn unary(r: &mut Recorder, x: &Map, activation: Activation) -> Map {
    let y = r.map(x.shape.clone());
    r.each(
        &UNARY,
        y.len(),
        &activation.numbers(),
        &[Operand::Map(x.id)],
        y.id,
    );
    y
}

/// Calls [`AFFINE`] with factors and summands in turn, one pair for each of `channels`, over and over.
pub(super) fn affine(
    r: &mut Recorder,
    x: &Map,
    channels: usize,
    factors: Operand,
    activation: Activation,
) -> Map {
    let y = r.map(x.shape.clone());
    let inner: usize = x.shape[x.shape.len() - 2..].iter().product();
    let numbers = [&[inner as u32, channels as u32][..], &activation.numbers()].concat();
    r.each(
        &AFFINE,
        y.len(),
        &numbers,
        &[Operand::Map(x.id), factors],
        y.id,
    );
    r.jobs.last_mut().expect("just added").flops = 2 * y.len() as u64;
    y
}

/// The numbers of a split axis: its length, and how far its neighbours lie apart.
pub(super) fn along(split: Split) -> [u32; 2] {
    [split.n as u32, split.inner as u32]
}

impl Op {
    /// Writes down how the card computes the operator: of maps, then parameters, as [`Op::run`] takes them. Some operators
    /// only give a map another shape.
    ///
    /// # Errors
    /// As [`Op::run`].
    pub fn record(
        &self,
        r: &mut Recorder,
        maps: &[Map],
        parameters: &[Option<Arc<Tensor>>],
    ) -> Result<Map> {
        let shapes = maps.iter().map(|map| Some(&map.shape[..]));
        let given = parameters.iter().map(|p| p.as_deref().map(Tensor::shape));
        let shape = self.shape(&shapes.chain(given).collect::<Vec<_>>())?;
        crate::tensor::values_of(self.name(), &shape)?;
        let x = &maps[0];
        let learned = |i: usize| parameters.get(i).and_then(Option::as_ref);
        let weight = || learned(0).expect("the shape was checked");
        Ok(match self {
            Op::Conv2d(settings) => {
                let pieces = [conv2d::gpu::Piece::whole(x)];
                let job = conv2d::gpu::Convolution {
                    pieces: &pieces,
                    shape: &x.shape,
                    weight: weight(),
                    bias: learned(1),
                    settings,
                    activation: Activation::None,
                };
                conv2d::gpu::record(r, &job)?
            }
            Op::ConvTranspose2d(settings) => {
                conv_transpose2d::gpu::record(r, x, weight(), learned(1), settings)?
            }
            Op::Linear => linear::gpu::record(r, x, weight(), learned(1), shape),
            Op::Relu => unary(r, x, Activation::Relu),
            Op::LeakyRelu(slope) => unary(r, x, Activation::LeakyRelu(*slope)),
            Op::Sigmoid => unary(r, x, Activation::Sigmoid),
            Op::Interpolate(settings) => interpolate::gpu::record(r, x, settings)?,
            Op::Concat(dim) => concat::gpu::record(r, maps, shape, *dim)?,
            Op::Add => add::gpu::record(r, maps, learned(0), shape),
            Op::BatchNorm(eps) => batch_norm::gpu::record(r, x, parameters, *eps)?,
            Op::Softmax(dim) => softmax::gpu::record(r, x, *dim)?,
            Op::Argmax(dim) => argmax::gpu::record(r, x, shape, *dim)?,
            Op::Normalize(settings) => normalize::gpu::record(r, x, *settings)?,
            Op::Flatten(_) | Op::Reshape(_) => x.under(shape),
            Op::ReflectPad(_) | Op::CropTo if shape == x.shape => x.clone(),
            Op::ReflectPad(_) => reflect_pad::gpu::record(r, x, &shape),
            Op::CropTo => crop_to::gpu::record(r, x, &shape),
            Op::Pad(settings) => pad::gpu::record(r, x, settings)?,
            Op::Permute(dims) => permute::gpu::record(r, x, dims),
            Op::MaxPool2d(settings) => {
                pool::record(r, x, max_pool2d::OP, &settings.window, pool::Reading::Max)?
            }
            Op::AvgPool2d(settings) => {
                let include = settings.count_include_pad;
                let reading = pool::Reading::Mean { include };
                pool::record(r, x, avg_pool2d::OP, &settings.window, reading)?
            }
            Op::AdaptiveAvgPool2d(settings) => adaptive_avg_pool2d::gpu::record(r, x, settings)?,
        })
    }
}
