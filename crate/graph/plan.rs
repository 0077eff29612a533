//! Running a graph: which nodes are computed, how, and when a buffer is freed.
//!
//! Liberties are taken where nobody keeps the map between. A batch norm after a convolution is folded into its weights (the
//! same function, other roundings). All others give the same bits: a convolution cuts off at zero itself when ReLU follows; it
//! reads joined and doubled maps from where their parts lie (`concat`, `interpolate` nearest); `relu` writes over its input.

use super::{Graph, Keep, Kind, Trace};
use crate::error::Result;
use crate::ops::conv2d::{self, Arranged, Order, Plane};
use crate::ops::{Op, batch_norm};
use crate::tensor::Tensor;
use std::ops::Range;
use std::sync::Arc;

/// A convolution that does the work of a batch norm too.
#[derive(Clone, Debug)]
pub struct Folded {
    pub weight: Arc<Tensor>,
    pub bias: Arc<Tensor>,
    arranged: Arc<Arranged>,
}

/// The convolution before node `i` and the batch norm at `i` as one, if that is what they are and nobody else reads the
/// convolution.
pub fn fold(graph: &Graph, i: usize) -> Option<Folded> {
    let node = &graph.nodes[i];
    let (Kind::Op(Op::BatchNorm(eps)), [input]) = (&node.kind, &node.inputs[..]) else {
        return None;
    };
    let conv = &graph.nodes[*input];
    let alone = graph
        .nodes
        .iter()
        .filter(|node| node.inputs.contains(input))
        .count()
        == 1;
    if !matches!(conv.kind, Kind::Op(Op::Conv2d(_))) || !alone {
        return None;
    }
    let norm: Vec<_> = std::iter::once(None)
        .chain(node.parameters.iter().map(|p| p.as_deref()))
        .collect();
    let weight = conv.parameters[0].as_deref()?;
    // The data input plays no part in the factors; any tensor stands for it.
    let given: Vec<_> = norm
        .iter()
        .enumerate()
        .map(|(i, t)| if i == 0 { Some(weight) } else { *t })
        .collect();
    let (a, b) = batch_norm::affine(&given, *eps).ok()?;
    let per_channel = weight.data().len() / a.len();
    let scaled = Tensor::from_fn(weight.shape(), |i| weight.data()[i] * a[i / per_channel]).ok()?;
    let old = conv.parameters[1].as_deref();
    let bias = (0..a.len()).map(|c| old.map_or(0.0, |bias| bias.data()[c]) * a[c] + b[c]);
    Some(Folded {
        weight: Arc::new(scaled),
        arranged: Arc::default(),
        bias: Arc::new(Tensor::new(&[a.len()], bias.collect()).ok()?),
    })
}

type Values = Vec<Option<Arc<Tensor>>>;

/// The rows of every map that are needed; `None` where a map takes no part.
pub(super) type Rows = Vec<Option<Range<usize>>>;

impl Graph {
    /// Runs the network on an image, (C, H, W) or (N, C, H, W) of raw grey values. Sums run in the order of `explain`.
    ///
    /// # Errors
    /// If the image does not suit the network, a kept node does not exist, or the maps do not fit into memory.
    pub fn run(self: &Arc<Graph>, x: impl Into<Arc<Tensor>>, keep: &Keep) -> Result<Trace> {
        self.run_with(x, keep, Order::Reading)
    }

    /// [`Graph::run`] with the sums of convolutions in this order. What a trace computes again later, it computes in reading
    /// order, whatever the order of the run was.
    ///
    /// # Errors
    /// As [`Graph::run`].
    pub fn run_with(
        self: &Arc<Graph>,
        x: impl Into<Arc<Tensor>>,
        keep: &Keep,
        order: Order,
    ) -> Result<Trace> {
        let x = x.into();
        let kept = self.kept(keep)?;
        self.sizes(x.shape())?;
        let order = self.order_for(&x, order);
        let values = self.compute(vec![Some(x)], &kept, order, None)?;
        Ok(Trace::new(self.clone(), values))
    }

    /// Which nodes a run keeps, the image and the output always among them.
    ///
    /// # Errors
    /// If there is no such node.
    pub fn kept(&self, keep: &Keep) -> Result<Vec<bool>> {
        let last = self.nodes.len() - 1;
        let mut kept = vec![*keep == Keep::All; self.nodes.len()];
        if let Keep::Nodes(names) = keep {
            for name in names {
                kept[self.find(name)?] = true;
            }
        }
        // The image is always at hand: everything else can be computed from it again.
        (kept[0], kept[last]) = (true, true);
        Ok(kept)
    }

    /// The order that a picture allows: free sums would spread a value that is not finite over its neighbours.
    pub(super) fn order_for(&self, x: &Tensor, order: Order) -> Order {
        if order == Order::Free && self.has_free_sums() && finite(x.data()) {
            Order::Free
        } else {
            Order::Reading
        }
    }

    /// Whether some convolution may be computed in another order.
    fn has_free_sums(&self) -> bool {
        self.nodes.iter().any(|node| match &node.kind {
            Kind::Op(Op::Conv2d(settings)) => {
                let weight = node.parameters[0].as_ref();
                weight.is_some_and(|weight| conv2d::has_free_order(weight.shape(), settings))
            }
            _ => false,
        })
    }

    /// Computes the kept nodes; `known` holds the values of the first nodes, the image at least. With `rows`, convolutions
    /// compute no others.
    pub(super) fn compute(
        &self,
        mut known: Values,
        kept: &[bool],
        order: Order,
        rows: Option<Rows>,
    ) -> Result<Values> {
        known.resize(self.nodes.len(), None);
        let image = known[0].as_deref().expect("the image is always kept");
        let sizes = self.sizes(image.shape())?;
        let needed = self.still_needed(&known, kept);
        let computed = |i: usize| needed[i] && known[i].is_none();
        let computed: Vec<bool> = (0..self.nodes.len()).map(computed).collect();
        let lazy = self.lazy(&computed, kept, &sizes);
        let mut uses = vec![0usize; self.nodes.len()];
        for (i, node) in self.nodes.iter().enumerate() {
            if computed[i] {
                node.inputs.iter().for_each(|&input| uses[input] += 1);
            }
        }
        let mut run = Pass {
            graph: self,
            known,
            uses,
            kept,
            lazy,
            sizes,
            order,
            rows,
        };
        for (i, node) in self.nodes.iter().enumerate() {
            let Kind::Op(op) = &node.kind else { continue };
            if !computed[i] || run.lazy[i] {
                continue;
            }
            let value = match self.convolution(i, &run.lazy) {
                Some(convolution) => run.convolve(&convolution)?,
                None => run.node(i, op)?,
            };
            node.inputs.iter().for_each(|&input| run.release(input));
            run.known[i] = Some(value);
        }
        Ok(run.known)
    }

    /// The nodes that are not computed as such, because the nodes that read them do their work along with their own.
    pub(super) fn lazy(&self, computed: &[bool], kept: &[bool], sizes: &[Vec<usize>]) -> Vec<bool> {
        let mut lazy = vec![false; self.nodes.len()];
        // From the end: whether a node can be skipped depends on those that read it.
        for (i, node) in self.nodes.iter().enumerate().rev() {
            let Kind::Op(op) = &node.kind else { continue };
            if !computed[i] || kept[i] {
                continue;
            }
            let users = || {
                (0..self.nodes.len()).filter(|&j| computed[j] && self.nodes[j].inputs.contains(&i))
            };
            let only = || {
                let mut users = users();
                users.next().filter(|_| users.next().is_none())
            };
            let is = |j: usize, wanted: fn(&Op) -> bool| matches!(&self.nodes[j].kind, Kind::Op(op) if wanted(op));
            // Maps are joined and doubled while a convolution reads them.
            let piecewise = || {
                users().all(|j| {
                    is(j, |op| matches!(op, Op::Conv2d(_)))
                        || (lazy[j] && is(j, |op| matches!(op, Op::Concat(_))))
                })
            };
            lazy[i] = match op {
                Op::Conv2d(_) => {
                    only().is_some_and(|j| self.folded[j].is_some() || is(j, |op| *op == Op::Relu))
                }
                // Only if the convolution before it is its own.
                Op::BatchNorm(_) => {
                    self.folded[i].is_some()
                        && computed[node.inputs[0]]
                        && !kept[node.inputs[0]]
                        && only().is_some_and(|j| is(j, |op| *op == Op::Relu))
                }
                Op::Concat(dim) => {
                    let rank = sizes[i].len() as i64;
                    rank >= 3 && dim.rem_euclid(rank) == rank - 3 && piecewise()
                }
                Op::Interpolate(settings) => {
                    settings.zoom(&sizes[node.inputs[0]]).is_some() && piecewise()
                }
                _ => false,
            };
        }
        lazy
    }

    /// The convolution that computes node `i`, if one does.
    pub(super) fn convolution(&self, i: usize, lazy: &[bool]) -> Option<Convolution<'_>> {
        let nodes = &self.nodes;
        let before = |i: usize| nodes[i].inputs.first().copied().filter(|&j| lazy[j]);
        let mut node = i;
        let relu = matches!(nodes[i].kind, Kind::Op(Op::Relu));
        if relu {
            node = before(node)?;
        }
        let mut folded = None;
        if let Kind::Op(Op::BatchNorm(_)) = nodes[node].kind {
            folded = Some(self.folded[node].as_ref()?);
            node = before(node)?;
        }
        let Kind::Op(Op::Conv2d(settings)) = &nodes[node].kind else {
            return None;
        };
        Some(Convolution {
            node,
            settings,
            folded,
            relu,
        })
    }

    /// The nodes that must be computed for the kept ones, given what is known.
    pub(super) fn still_needed(&self, known: &[Option<Arc<Tensor>>], kept: &[bool]) -> Vec<bool> {
        let mut needed = kept.to_vec();
        for i in (0..self.nodes.len()).rev() {
            if needed[i] && known[i].is_none() {
                self.nodes[i]
                    .inputs
                    .iter()
                    .for_each(|&input| needed[input] = true);
            }
        }
        needed
    }

    /// The inputs of a node's operator: maps, then parameters.
    pub(super) fn inputs_of<'a>(
        &'a self,
        i: usize,
        known: &'a [Option<Arc<Tensor>>],
    ) -> Vec<Option<&'a Tensor>> {
        let node = &self.nodes[i];
        let maps = node.inputs.iter().map(|&input| known[input].as_deref());
        maps.chain(node.parameters.iter().map(|p| p.as_deref()))
            .collect()
    }
}

/// A convolution with the nodes that it computes along.
pub(super) struct Convolution<'a> {
    pub node: usize,
    pub settings: &'a conv2d::Settings,
    pub folded: Option<&'a Folded>,
    pub relu: bool,
}

/// A run under way.
struct Pass<'a> {
    graph: &'a Graph,
    known: Values,
    /// How many nodes that are still to be computed read each map.
    uses: Vec<usize>,
    kept: &'a [bool],
    lazy: Vec<bool>,
    sizes: Vec<Vec<usize>>,
    order: Order,
    /// The rows of each map that anybody needs, if not all.
    rows: Option<Rows>,
}

impl Pass<'_> {
    fn convolve(&self, convolution: &Convolution<'_>) -> Result<Arc<Tensor>> {
        let node = &self.graph.nodes[convolution.node];
        let (weight, bias, arranged) = match convolution.folded {
            Some(folded) => (&folded.weight, Some(&folded.bias), &folded.arranged),
            None => {
                let weight = node.parameters[0]
                    .as_ref()
                    .expect("a convolution has weights");
                (weight, node.parameters[1].as_ref(), &node.arranged)
            }
        };
        let fused = conv2d::Fused {
            shape: &self.sizes[node.inputs[0]],
            planes: &self.planes(node.inputs[0]),
            weight,
            bias: bias.map(|bias| &**bias),
            arranged,
            relu: convolution.relu,
            order: self.order,
            rows: (self.rows.as_ref()).and_then(|rows| rows[convolution.node].clone()),
        };
        conv2d::fused(&fused, convolution.settings).map(Arc::new)
    }

    /// The channels of a node's map, wherever they lie.
    fn planes(&self, i: usize) -> Vec<Plane<'_>> {
        let [.., h, w] = self.sizes[i][..] else {
            unreachable!("a convolution reads pictures")
        };
        if let Some(map) = &self.known[i] {
            return Plane::all(map.data(), h * w);
        }
        let inputs = &self.graph.nodes[i].inputs;
        let parts: Vec<Vec<Plane<'_>>> = inputs.iter().map(|&input| self.planes(input)).collect();
        if let Kind::Op(Op::Interpolate(settings)) = &self.graph.nodes[i].kind {
            let zoom = settings.zoom(&self.sizes[inputs[0]]).unwrap_or(1);
            let zoomed = parts.into_iter().flatten();
            return zoomed
                .map(|plane| Plane {
                    zoom: plane.zoom * zoom,
                    ..plane
                })
                .collect();
        }
        // Joined: of every image the channels of all parts.
        let images = match self.sizes[i][..] {
            [n, _, _, _] => n,
            _ => 1,
        };
        let of_image = |n: usize| {
            let parts = parts.iter();
            parts.flat_map(move |part| &part[n * part.len() / images..][..part.len() / images])
        };
        (0..images).flat_map(of_image).copied().collect()
    }

    fn node(&mut self, i: usize, op: &Op) -> Result<Arc<Tensor>> {
        let node = &self.graph.nodes[i];
        if let (Op::Relu, [input]) = (op, &node.inputs[..])
            && self.uses[*input] == 1
            && !self.kept[*input]
            && let Some(x) = self.known[*input].take()
        {
            return Ok(match Arc::try_unwrap(x) {
                Ok(mut x) => {
                    crate::ops::relu::in_place(&mut x);
                    Arc::new(x)
                }
                Err(x) => Arc::new(crate::ops::relu::run(&x)),
            });
        }
        if let Op::ReflectPad(_) | Op::CropTo = op
            && let Some(x) = self.known[node.inputs[0]].clone()
            && self.sizes[i] == x.shape()
        {
            return Ok(x); // Nothing to add or to cut: the same buffer.
        }
        op.run(&self.graph.inputs_of(i, &self.known)).map(Arc::new)
    }

    /// Counts a use and frees a map that nobody needs any more, or what a node that was never computed stood for.
    fn release(&mut self, i: usize) {
        self.uses[i] = self.uses[i].saturating_sub(1);
        if self.uses[i] > 0 || self.kept[i] {
            return;
        }
        self.known[i] = None;
        if self.lazy[i] {
            let graph = self.graph;
            graph.nodes[i]
                .inputs
                .iter()
                .for_each(|&input| self.release(input));
        }
    }
}

/// Whether all values are. A product with zero is zero unless one is not.
pub(super) fn finite(values: &[f32]) -> bool {
    let mut sums = [0.0f32; 8];
    let (eights, rest) = values.as_chunks::<8>();
    for eight in eights {
        for (sum, value) in sums.iter_mut().zip(eight) {
            *sum += value * 0.0;
        }
    }
    sums.iter().chain(rest).all(|value| value.is_finite())
}
