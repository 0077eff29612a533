//! Gradients: reverse mode over the graph, exact up to rounding.

use super::patch::Patch;
use super::{Graph, Kind, Trace, refuse};
use crate::error::Result;
use crate::ops::Op;
use crate::tensor::Tensor;
use std::sync::Arc;

/// A node's gradient on its way back.
pub(super) struct Step<'a> {
    /// The node.
    pub node: usize,
    /// The derivative of the chosen value with respect to the node's map, or to the patch of it that counts.
    pub gradient: &'a Tensor,
    /// The node's map, or the same patch of it.
    pub value: &'a Tensor,
}

impl Trace {
    /// The gradient of one value of a node with respect to the image: how much the value changes, per change of each
    /// pixel, to first order. Of the image's shape. Statistics of the whole image (`normalize`) count as constants.
    ///
    /// # Errors
    /// If there is no such node or position, or `argmax` lies on the way, whose gradient says nothing.
    pub fn gradient(&self, name: &str, at: &[usize]) -> Result<Tensor> {
        let start = self.graph.find(name)?;
        self.value(start, at)?;
        let patch = Patch::around(self, start, at)?;
        let mut image = None;
        self.walk_back(start, at, patch.as_ref(), |step| {
            if step.node == 0 {
                image = Some(step.gradient.clone());
            }
            true
        })?;
        let values = self.values([0])?;
        let shape = values[0].as_deref().map_or(&[][..], Tensor::shape);
        image.map_or_else(|| Tensor::from_fn(shape, |_| 0.0), Ok)
    }

    /// Walks from a value towards the image; `visit` sees every node's finished gradient and says whether to go on below.
    pub(super) fn walk_back(
        &self,
        start: usize,
        at: &[usize],
        patch: Option<&Patch>,
        mut visit: impl FnMut(Step<'_>) -> bool,
    ) -> Result<()> {
        let graph = &self.graph;
        let needed = graph.needed([start]);
        let values = self.values((0..=start).filter(|&i| needed[i]))?;
        let view = |i: usize, reader: usize| -> Result<Arc<Tensor>> {
            let value = values[i]
                .as_ref()
                .ok_or_else(|| refuse("a map is missing".into()))?;
            patch.map_or_else(|| Ok(value.clone()), |patch| patch.cut(i, reader, value))
        };
        let mut gradients: Vec<Option<Tensor>> = (0..=start).map(|_| None).collect();
        let mut seed = Tensor::from_fn(view(start, start)?.shape(), |_| 0.0)?;
        let place = patch.map_or_else(|| at.to_vec(), |patch| patch.local(start, at));
        let index = place
            .iter()
            .zip(seed.shape())
            .fold(0, |index, (i, n)| index * n + i);
        seed.data_mut()[index] = 1.0;
        gradients[start] = Some(seed);
        for i in (0..=start).rev() {
            let Some(gradient) = gradients[i].take() else {
                continue;
            };
            let value = view(i, i)?;
            let step = Step {
                node: i,
                gradient: &gradient,
                value: &value,
            };
            let Kind::Op(op) = &graph.nodes[i].kind else {
                visit(step);
                continue;
            };
            if !visit(step) {
                continue;
            }
            let node = &graph.nodes[i];
            let parts = match op {
                Op::ReflectPad(_) | Op::CropTo if patch.is_some() => vec![Some(gradient)],
                _ => {
                    let maps = node
                        .inputs
                        .iter()
                        .map(|&input| view(input, i))
                        .collect::<Result<Vec<_>>>()?;
                    let parameters = node.parameters.iter().map(|p| p.as_deref());
                    let inputs: Vec<_> =
                        maps.iter().map(|x| Some(&**x)).chain(parameters).collect();
                    op.backward(&inputs, &value, &gradient)?
                }
            };
            for (&input, part) in node.inputs.iter().zip(parts) {
                let Some(part) = part else { continue };
                let part = match patch {
                    Some(patch) => patch.widen(i, input, part, &values)?,
                    None => part,
                };
                match &mut gradients[input] {
                    Some(sum) => {
                        let both = sum.data_mut().iter_mut().zip(part.data());
                        both.for_each(|(sum, part)| *sum += part);
                    }
                    none => *none = Some(part),
                }
            }
        }
        Ok(())
    }
}

impl Graph {
    /// Whether each node is `node` or one that it depends on.
    pub(super) fn ancestors(&self, node: usize) -> Vec<bool> {
        self.needed([node])
    }
}
