//! Running a graph: which nodes are computed, how, and when a buffer is freed.
//!
//! Two liberties are taken where a node between is not kept: a batch norm after a convolution is folded into its weights
//! (the same function, other roundings), and `relu` writes over its input's buffer (the same bits).

use super::{Graph, Keep, Kind, Trace};
use crate::error::Result;
use crate::ops::{Op, batch_norm};
use crate::tensor::Tensor;
use std::sync::Arc;

/// A convolution that does the work of a batch norm too.
#[derive(Clone, Debug)]
pub struct Folded {
    weight: Arc<Tensor>,
    bias: Arc<Tensor>,
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
        bias: Arc::new(Tensor::new(&[a.len()], bias.collect()).ok()?),
    })
}

impl Graph {
    /// Runs the network on an image, (C, H, W) or (N, C, H, W) of raw grey values.
    ///
    /// # Errors
    /// If the image does not suit the network, a kept node does not exist, or the maps do not fit into memory.
    pub fn run(self: &Arc<Graph>, x: Tensor, keep: &Keep) -> Result<Trace> {
        let last = self.nodes.len() - 1;
        let mut kept = vec![*keep == Keep::All; self.nodes.len()];
        if let Keep::Nodes(names) = keep {
            for name in names {
                kept[self.find(name)?] = true;
            }
        }
        // The image is always at hand: everything else can be computed from it again.
        (kept[0], kept[last]) = (true, true);
        self.sizes(x.shape())?;
        let values = self.compute(vec![Some(Arc::new(x))], &kept)?;
        Ok(Trace::new(self.clone(), values))
    }

    /// Computes the kept nodes; `known` holds the values of the first nodes, the image at least.
    pub(super) fn compute(
        &self,
        mut known: Vec<Option<Arc<Tensor>>>,
        kept: &[bool],
    ) -> Result<Vec<Option<Arc<Tensor>>>> {
        known.resize(self.nodes.len(), None);
        let needed = self.still_needed(&known, kept);
        // A convolution whose batch norm computes it along.
        let absorbed = |i: usize| {
            !kept[i] && known_none(&known, i) && self.absorber(i).is_some_and(|j| needed[j])
        };
        let absorbed: Vec<bool> = (0..self.nodes.len()).map(absorbed).collect();
        let mut uses = vec![0usize; self.nodes.len()];
        for (i, node) in self.nodes.iter().enumerate() {
            if needed[i] && known[i].is_none() {
                node.inputs.iter().for_each(|&input| uses[input] += 1);
            }
        }
        for (i, node) in self.nodes.iter().enumerate() {
            let Kind::Op(op) = &node.kind else { continue };
            if !needed[i] || known[i].is_some() || absorbed[i] {
                continue;
            }
            let fused = node
                .inputs
                .first()
                .copied()
                .filter(|&input| absorbed[input]);
            let value = match (&self.folded[i], fused) {
                (Some(folded), Some(conv)) => {
                    let value = self.run_folded(conv, folded, &known)?;
                    free(&mut known, &mut uses, kept, &self.nodes[conv].inputs);
                    value
                }
                _ => {
                    let value = self.run_node(i, op, &mut known, &mut uses, kept)?;
                    free(&mut known, &mut uses, kept, &node.inputs);
                    value
                }
            };
            known[i] = Some(value);
        }
        Ok(known)
    }

    /// The batch norm that can compute convolution `i` along with itself.
    fn absorber(&self, i: usize) -> Option<usize> {
        (0..self.nodes.len()).find(|&j| self.folded[j].is_some() && self.nodes[j].inputs == [i])
    }

    /// The nodes that must be computed for the kept ones, given what is known.
    fn still_needed(&self, known: &[Option<Arc<Tensor>>], kept: &[bool]) -> Vec<bool> {
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

    fn run_folded(
        &self,
        conv: usize,
        folded: &Folded,
        known: &[Option<Arc<Tensor>>],
    ) -> Result<Arc<Tensor>> {
        let node = &self.nodes[conv];
        let Kind::Op(op) = &node.kind else {
            unreachable!("a convolution is an operator")
        };
        let x = known[node.inputs[0]].as_deref();
        op.run(&[x, Some(&folded.weight), Some(&folded.bias)])
            .map(Arc::new)
    }

    fn run_node(
        &self,
        i: usize,
        op: &Op,
        known: &mut [Option<Arc<Tensor>>],
        uses: &mut [usize],
        kept: &[bool],
    ) -> Result<Arc<Tensor>> {
        let node = &self.nodes[i];
        if let (Op::Relu, [input]) = (op, &node.inputs[..])
            && uses[*input] == 1
            && !kept[*input]
            && let Some(x) = known[*input].take()
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
            && let Some(x) = known[node.inputs[0]].clone()
            && self.shape_of(i, op, known)? == x.shape()
        {
            return Ok(x); // Nothing to add or to cut: the same buffer.
        }
        op.run(&self.inputs_of(i, known)).map(Arc::new)
    }

    fn shape_of(&self, i: usize, op: &Op, known: &[Option<Arc<Tensor>>]) -> Result<Vec<usize>> {
        let shapes: Vec<_> = self
            .inputs_of(i, known)
            .iter()
            .map(|x| x.map(Tensor::shape))
            .collect();
        op.shape(&shapes)
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

fn known_none(known: &[Option<Arc<Tensor>>], i: usize) -> bool {
    known[i].is_none()
}

/// Counts a use of each input and frees those that nobody needs any more.
fn free(known: &mut [Option<Arc<Tensor>>], uses: &mut [usize], kept: &[bool], inputs: &[usize]) {
    for &input in inputs {
        uses[input] = uses[input].saturating_sub(1);
        if uses[input] == 0 && !kept[input] {
            known[input] = None;
        }
    }
}
