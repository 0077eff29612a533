//! A picture in strips: which rows a network must see to compute some rows of its output, to the bit as if it had seen all.
//!
//! Rows needed are followed back from the output through every node: a window's rows, and where sums are free those of whole
//! tiles of [`conv2d`](crate::ops::conv2d), since every output of a tile comes from all of its inputs. Strips start at multiples
//! of the network's total stride, so that pooling and upsampling meet the same rows as in the whole picture.

use super::plan::Rows;
use super::{Graph, Kind};
use crate::error::{Error, Result, tuple};
use crate::ops::Op;
use crate::ops::conv2d::{self, Order};
use crate::tensor::Tensor;
use crate::window::{Axis, Source, Spec, Window};
use serde::Serialize;
use std::ops::Range;
use std::sync::Arc;

/// Output rows of one tile of a convolution in free order.
const TILE: usize = 4;

/// Maps of fewer bytes stay in the caches anyway.
const MUCH: usize = 4 << 20;
/// Bytes of the maps of one strip, so that they stay in a cache of the second level.
const NEAR: usize = 512 << 10;
/// The most nodes of a network that does little.
const FEW: usize = 3;
/// The most products a value of a convolution that does little.
const LIGHT: usize = 32;

/// One strip: the rows of the picture that are read, and the rows of the output that are taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Strip {
    /// First row read.
    pub from: usize,
    /// The row after the last one read.
    pub to: usize,
    /// First row of the output taken.
    pub top: usize,
    /// The row after the last one taken.
    pub bottom: usize,
    /// The row of the strip's own output that is `top`.
    pub skip: usize,
}

/// How a picture can be split, and what it would take as a whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tiling {
    /// Bytes of all maps that are alive at once, at most, in a run of the whole picture.
    pub bytes: f64,
    /// The strips, or none where the picture is better or only run as a whole.
    pub strips: Vec<Strip>,
    /// Why there are none.
    pub why: String,
}

impl Graph {
    /// Splits a picture into at least `parts` strips, each within `budget` bytes of maps. One part within the budget is no split.
    ///
    /// # Errors
    /// If the picture does not suit the network; if it exceeds `most` bytes and cannot be split.
    pub fn tiling(
        &self,
        input: &[usize],
        order: Order,
        parts: usize,
        [budget, most]: [f64; 2],
    ) -> Result<Tiling> {
        let sizes = self.sizes(input)?;
        let bytes = self.peak(&sizes);
        let whole = |why: String| {
            if bytes <= most {
                return Ok(Tiling {
                    bytes,
                    strips: Vec::new(),
                    why,
                });
            }
            let (shape, need, most) = (tuple(input), bytes / 1e9, most / 1e9);
            Err(Error::TooLarge {
                op: super::OP.into(),
                what: format!(
                    "the maps of a picture of shape {shape}, {need:.1} GB at once of at most {most:.1} (it cannot be split into tiles: {why})"
                ),
            })
        };
        if parts < 2 && bytes <= budget {
            return whole("it is small enough".into());
        }
        let steps = match self.steps(&sizes) {
            Ok(steps) => steps,
            Err(why) => return whole(why),
        };
        let stride = steps.iter().fold(1, |a, &b| lcm(a, b));
        let align = stride * if order == Order::Free { TILE } else { 1 };
        let last = self.nodes.len() - 1;
        let (h, rows) = (height(input), height(&sizes[last]));
        let unit = align / steps[last];
        // As few strips as the budget allows; their halo costs memory too.
        for count in parts.max(2)..=rows.div_ceil(unit) {
            let core = rows.div_ceil(count).next_multiple_of(unit);
            let mut strips = Vec::new();
            for top in (0..rows).step_by(core) {
                let bottom = rows.min(top + core);
                let Some(read) = self.read(&sizes, top..bottom, order) else {
                    return whole("a window reads rows from the other side".into());
                };
                let to = h.min(read.end.next_multiple_of(align));
                let from = (read.start.min(to.saturating_sub(2 * align))) / align * align;
                strips.push(Strip {
                    from,
                    to,
                    top,
                    bottom,
                    skip: top - from / steps[last],
                });
            }
            let longest = strips.iter().map(|strip| strip.to - strip.from).max();
            let longest = longest.unwrap_or(h);
            if strips.len() < 2 || longest == h {
                continue;
            }
            if bytes * longest as f64 / h as f64 <= budget {
                return Ok(Tiling {
                    bytes,
                    strips,
                    why: String::new(),
                });
            }
        }
        whole("every part of it sees almost all rows".into())
    }

    /// The strips of a network that does little with much: few nodes and few products a value, so that most of its time would be
    /// spent on reading and writing maps larger than the caches. None for others.
    ///
    /// # Errors
    /// If the picture does not suit the network.
    pub fn light(&self, input: &[usize]) -> Result<Option<Vec<Strip>>> {
        let sizes = self.sizes(input)?;
        let few = |op: &Op, node: &super::Node| match op {
            Op::Conv2d(settings) => {
                let weight = node.parameters[0].as_ref().map(|weight| weight.shape());
                weight.is_some_and(|weight| {
                    let products = weight[1..].iter().product::<usize>();
                    products <= LIGHT && !conv2d::has_free_order(weight, settings)
                })
            }
            Op::MaxPool2d(_) | Op::AvgPool2d(_) => true,
            Op::Relu | Op::LeakyRelu(_) => true,
            _ => false,
        };
        let light = self.nodes.iter().skip(1).all(|node| match &node.kind {
            Kind::Op(op) => few(op, node),
            Kind::Input { .. } | Kind::Exact(_) => false,
        });
        let bytes = |i: usize| 4 * sizes[i].iter().product::<usize>();
        let both = bytes(0) + bytes(self.nodes.len() - 1);
        if !light || self.nodes.len() > FEW + 1 || both < MUCH {
            return Ok(None);
        }
        let tiling = self.tiling(input, Order::Reading, both.div_ceil(NEAR), [f64::MAX; 2])?;
        Ok(Some(tiling.strips).filter(|strips| strips.len() > 1))
    }

    /// The same network for an input of this shape, even if it was made for another one: of use where no node depends on the
    /// picture's size, as in a light network.
    pub fn made_for(&self, shape: &[usize]) -> Arc<Graph> {
        let mut graph = self.clone();
        graph.nodes[0].kind = Kind::Exact(shape.to_vec());
        Arc::new(graph)
    }

    /// Whether a strip of this many rows has the maps' sizes that strips count on.
    pub fn suits_strip(&self, input: &[usize], rows: usize) -> bool {
        let fits = || {
            let steps = self.steps(&self.sizes(input).ok()?).ok()?;
            let sizes = self.sizes(input).ok()?;
            let each = |(size, step): (&Vec<usize>, &usize)| height(size) * step == rows;
            Some(sizes.iter().zip(&steps).all(each))
        };
        fits().unwrap_or(false)
    }

    /// These rows of the output, for a strip as for any picture. Convolutions compute no other rows than those need: towards the
    /// output of a strip its halo becomes smaller and smaller.
    ///
    /// # Errors
    /// As [`Graph::run`]; if the output has no such rows, or the network cannot be split.
    pub fn run_rows(
        self: &Arc<Graph>,
        x: impl Into<Arc<Tensor>>,
        order: Order,
        rows: Range<usize>,
    ) -> Result<Tensor> {
        let whole = self.with_rows(x, order, rows.clone())?;
        let mut part = whole.shape().to_vec();
        let [.., h, w] = part[..] else {
            unreachable!("a network that can be split makes pictures")
        };
        let planes = whole.data().chunks_exact(h * w);
        let data = planes.flat_map(|plane| &plane[rows.start * w..rows.end * w]);
        let place = part.len() - 2;
        part[place] = rows.len();
        Tensor::new(&part, data.copied().collect())
    }

    /// The output of which only these rows are sure to be computed.
    ///
    /// # Errors
    /// As [`Graph::run_rows`].
    pub fn with_rows(
        self: &Arc<Graph>,
        x: impl Into<Arc<Tensor>>,
        order: Order,
        rows: Range<usize>,
    ) -> Result<Arc<Tensor>> {
        let x = x.into();
        let sizes = self.sizes(x.shape())?;
        let shape = &sizes[self.nodes.len() - 1];
        if rows.is_empty() || rows.end > height(shape) {
            let (have, rows) = (height(shape), format!("{} to {}", rows.start, rows.end));
            return Err(super::refuse(format!(
                "the output has rows 0 to {have}; asked for {rows}"
            )));
        }
        self.steps(&sizes).map_err(super::refuse)?;
        let order = self.order_for(&x, order);
        let needed = self.rows(&sizes, rows.clone(), order);
        let mut kept = vec![false; self.nodes.len()];
        kept[self.nodes.len() - 1] = true;
        let mut values = self.compute(vec![Some(x)], &kept, order, needed)?;
        Ok(values.pop().flatten().expect("the output is kept"))
    }

    /// Bytes of the maps that are alive at once, at most.
    fn peak(&self, sizes: &[Vec<usize>]) -> f64 {
        let bytes = |i: usize| 4.0 * sizes[i].iter().map(|&n| n as f64).product::<f64>();
        let last_use =
            |i: usize| (0..self.nodes.len()).rfind(|&j| self.nodes[j].inputs.contains(&i));
        let mut alive = 0.0;
        let mut peak = 0.0f64;
        for i in 0..self.nodes.len() {
            alive += bytes(i);
            peak = peak.max(alive);
            for &input in &self.nodes[i].inputs {
                if last_use(input) == Some(i) && input != 0 {
                    alive -= bytes(input);
                }
            }
        }
        peak
    }

    /// Rows of the picture for each row of every map, or why the network cannot be split.
    fn steps(&self, sizes: &[Vec<usize>]) -> std::result::Result<Vec<usize>, String> {
        let mut steps: Vec<usize> = Vec::with_capacity(self.nodes.len());
        for (i, node) in self.nodes.iter().enumerate() {
            let whole = || {
                format!(
                    "its node \"{}\" needs the whole picture at once",
                    node.name()
                )
            };
            let rank = sizes[i].len();
            if rank < 3 || (rank == 4 && sizes[i][0] != 1) {
                return Err(whole());
            }
            let Kind::Op(op) = &node.kind else {
                steps.push(1);
                continue;
            };
            let of = |j: usize| steps[node.inputs[j]];
            let channels = |dim: i64| dim.rem_euclid(rank as i64) == rank as i64 - 3;
            let same = node.inputs.iter().all(|&input| steps[input] == of(0));
            let step = match op {
                Op::Conv2d(settings) => of(0) * settings.window.stride[0],
                Op::MaxPool2d(_) | Op::AvgPool2d(_) => {
                    let window = self.window(i, sizes).ok_or_else(whole)?;
                    of(0) * window.y.stride
                }
                Op::Interpolate(settings) => {
                    let zoom = settings.zoom(&sizes[node.inputs[0]]).ok_or_else(whole)?;
                    if of(0) % zoom != 0 {
                        return Err(whole());
                    }
                    of(0) / zoom
                }
                Op::Relu | Op::LeakyRelu(_) | Op::Sigmoid | Op::BatchNorm(_) => of(0),
                Op::Add if same && node.inputs.iter().all(|&j| sizes[j] == sizes[i]) => of(0),
                Op::Concat(dim) if channels(*dim) && same => of(0),
                Op::Softmax(dim) if channels(*dim) => of(0),
                Op::Normalize(crate::ops::normalize::Settings::Fixed { .. }) => of(0),
                Op::ReflectPad(_) | Op::CropTo if sizes[i] == sizes[node.inputs[0]] => of(0),
                _ => return Err(whole()),
            };
            // Rounded sizes would put rows of a strip elsewhere than those of the whole.
            if height(&sizes[i]) * step != height(&sizes[0]) {
                return Err(format!(
                    "{} rows are no whole number of steps of its node \"{}\"",
                    height(&sizes[0]),
                    node.name()
                ));
            }
            steps.push(step);
        }
        Ok(steps)
    }

    /// The window of a convolution or a pooling.
    fn window(&self, i: usize, sizes: &[Vec<usize>]) -> Option<Window> {
        let node = &self.nodes[i];
        let x = &sizes[*node.inputs.first()?];
        let input = [x[x.len() - 2], x[x.len() - 1]];
        let Kind::Op(op) = &node.kind else {
            return None;
        };
        let spec = match op {
            Op::Conv2d(settings) => {
                let weight = node.parameters[0].as_ref()?.shape();
                Spec {
                    kernel: [weight[2], weight[3]],
                    ..settings.window
                }
            }
            Op::MaxPool2d(settings) => settings.window,
            Op::AvgPool2d(settings) => settings.window,
            _ => return None,
        };
        Window::new(super::OP, input, &spec).ok()
    }

    /// The rows of the picture that these rows of the output are computed from.
    fn read(&self, sizes: &[Vec<usize>], rows: Range<usize>, order: Order) -> Option<Range<usize>> {
        self.rows(sizes, rows, order)?.swap_remove(0)
    }

    /// The rows of every map that these rows of the output are computed from.
    fn rows(&self, sizes: &[Vec<usize>], rows: Range<usize>, order: Order) -> Option<Rows> {
        let mut needed: Rows = vec![None; self.nodes.len()];
        *needed.last_mut()? = Some(rows);
        for (i, node) in self.nodes.iter().enumerate().rev() {
            let (Some(rows), Kind::Op(op)) = (needed[i].clone(), &node.kind) else {
                continue;
            };
            let rows = match op {
                Op::Conv2d(settings) => {
                    let weight = node.parameters[0].as_ref()?.shape();
                    let tiles = order == Order::Free && conv2d::has_free_order(weight, settings);
                    let axis = self.window(i, sizes)?.y;
                    let tile = if tiles { TILE } else { 1 };
                    let end = axis.output.min(rows.end.next_multiple_of(tile));
                    under(&axis, rows.start / tile * tile..end)?
                }
                Op::MaxPool2d(_) | Op::AvgPool2d(_) => under(&self.window(i, sizes)?.y, rows)?,
                Op::Interpolate(settings) => {
                    let zoom = settings.zoom(&sizes[node.inputs[0]])?;
                    rows.start / zoom..rows.end.div_ceil(zoom)
                }
                _ => rows,
            };
            for &input in &node.inputs {
                let known = needed[input].get_or_insert(rows.clone());
                *known = known.start.min(rows.start)..known.end.max(rows.end);
            }
        }
        Some(needed)
    }
}

/// The pixels under the windows of these outputs.
fn under(axis: &Axis, rows: Range<usize>) -> Option<Range<usize>> {
    let taps = rows.flat_map(|m| (0..axis.kernel).map(move |k| axis.tap(m, k)));
    let pixels = taps.filter_map(|tap| match axis.source(tap) {
        Source::Pixel(i) => Some(i),
        Source::Padding | Source::Outside => None,
    });
    let ends = pixels.fold(None, |ends, i| match ends {
        None => Some((i, i)),
        Some((a, b)) => Some((i.min(a), i.max(b))),
    });
    ends.map(|(a, b)| a..b + 1)
}

fn height(shape: &[usize]) -> usize {
    shape[shape.len() - 2]
}

fn lcm(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}
