//! Where a value comes from: how much of it arrives on each way through the network.
//!
//! **One step.** A convolution is a sum over its input channels, so its value splits into parts, one for each input channel
//! or, right after a concatenation, one for each concatenated map (the skip connection, the path from below), and the bias.
//!
//! **All the way.** ReLU and max pooling only let through or hold back. With what they did for this image taken as given, the
//! network is linear, and a value is exactly the sum, over a set of maps that cuts all its ways to the image, of
//! gradient × activation, plus what the biases after them contribute. The cut used here: the maps that concatenations
//! bring over skip connections, and the map below the deepest concatenation (the bottleneck). Without a concatenation, it
//! is the first map after normalisation, or the image.

use super::{Kind, Trace, patch::Patch, refuse};
use crate::error::Result;
use crate::ops::Op;
use serde::Serialize;

/// A part of a value.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// The node it comes through.
    pub input: String,
    /// The node's channel, where a part is a single channel's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<usize>,
    /// What it contributes.
    pub value: f32,
}

/// A sum taken apart: `value` is `bias` and all parts added up.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summands {
    /// The sum.
    pub value: f32,
    /// The bias (0 where there is none).
    pub bias: f32,
    /// The parts.
    pub parts: Vec<Part>,
}

/// The convolution after a concatenation, at the position below a value.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Concatenation {
    /// The concatenation.
    pub concat: String,
    /// The node that reads it.
    pub node: String,
    /// The position, (y, x) in that node's map.
    pub at: [usize; 2],
    /// One sum for every channel of that node.
    pub channels: Vec<Summands>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shares {
    /// The value.
    pub value: f32,
    /// The node's own bias and parts, if it is a sum (a convolution, a linear layer): `value = bias + Σ parts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summands: Option<Summands>,
    /// The ways through the network: `value = constant + Σ paths`.
    pub paths: Vec<Part>,
    /// What all biases after the cut contribute.
    pub constant: f32,
    /// Every concatenation on the way, from the value downwards, with the sums right after it.
    pub concatenations: Vec<Concatenation>,
}

impl Trace {
    /// Takes a value of a node apart by the ways through the network.
    ///
    /// # Errors
    /// If there is no such node or position, or something on the way is not piecewise linear (`softmax`, `sigmoid`,
    /// `argmax`): then the message names it.
    pub fn shares(&self, name: &str, at: &[usize]) -> Result<Shares> {
        let start = self.graph.find(name)?;
        let value = self.value(start, at)?;
        let (paths, constant) = self.paths(start, at)?;
        Ok(Shares {
            value,
            summands: self.summands(start, at)?,
            paths,
            constant,
            concatenations: self.concatenations(start, at)?,
        })
    }

    /// The node that supplies a node's values, with crops, which leave positions as they are, passed over.
    fn behind(&self, mut i: usize) -> usize {
        while let Kind::Op(Op::CropTo) = self.graph.nodes[i].kind {
            i = self.graph.nodes[i].inputs[0];
        }
        i
    }

    fn summands(&self, i: usize, at: &[usize]) -> Result<Option<Summands>> {
        let node = &self.graph.nodes[i];
        let Kind::Op(Op::Conv2d(_) | Op::ConvTranspose2d(_) | Op::Linear) = node.kind else {
            return Ok(None);
        };
        let source = self.behind(node.inputs[0]);
        let from = &self.graph.nodes[source];
        // For each channel of the source: which part it belongs to.
        let joined: Option<Vec<(String, usize)>> = match from.kind {
            Kind::Op(Op::Concat(_)) => {
                let values = self.values(from.inputs.iter().copied())?;
                let part = |&input: &usize| {
                    let shape = values[input].as_deref().map_or(&[][..], |map| map.shape());
                    let channels = shape.len().checked_sub(3).map_or(0, |axis| shape[axis]);
                    (self.graph.nodes[input].name().to_string(), channels)
                };
                Some(from.inputs.iter().map(part).collect())
            }
            _ => None,
        };
        let explained = self.explain(node.name(), at)?;
        let mut parts: Vec<Part> = Vec::new();
        if let Some(joined) = &joined {
            let empty = |(input, _): &(String, usize)| Part {
                input: input.clone(),
                channel: None,
                value: 0.0,
            };
            parts = joined.iter().map(empty).collect();
        }
        for term in &explained.terms {
            let axis = term.at.len().checked_sub(3).unwrap_or(term.at.len() - 1);
            let channel = term.at[axis] as usize;
            let slot = match &joined {
                Some(joined) => {
                    let mut end = 0;
                    let place = joined.iter().position(|(_, n)| {
                        end += n;
                        channel < end
                    });
                    place.ok_or_else(|| refuse("a channel of no part".into()))?
                }
                None => match parts.iter().position(|part| part.channel == Some(channel)) {
                    Some(slot) => slot,
                    None => {
                        parts.push(Part {
                            input: from.name().into(),
                            channel: Some(channel),
                            value: 0.0,
                        });
                        parts.len() - 1
                    }
                },
            };
            parts[slot].value += term.product.unwrap_or(term.x);
        }
        Ok(Some(Summands {
            value: explained.value,
            bias: explained.bias.unwrap_or(0.0),
            parts,
        }))
    }

    /// Whether node `i` is where a path ends: the maps of the cut.
    fn cut(&self, start: usize) -> Vec<bool> {
        let nodes = &self.graph.nodes;
        let needed = self.graph.ancestors(start);
        let concat = |i: usize| matches!(nodes[i].kind, Kind::Op(Op::Concat(_)));
        // Whether a concatenation lies at the node or before it.
        let mut joined = vec![false; start + 1];
        for i in 0..=start {
            joined[i] = concat(i) || nodes[i].inputs.iter().any(|&input| joined[input]);
        }
        let grows = |i: usize| {
            matches!(
                nodes[i].kind,
                Kind::Op(Op::Interpolate(_) | Op::ConvTranspose2d(_))
            )
        };
        let mut cut = vec![false; start + 1];
        for i in (0..=start).filter(|&i| needed[i] && concat(i)) {
            for &input in &nodes[i].inputs {
                // The skip is the input that the other one is made of.
                let skip = nodes[i]
                    .inputs
                    .iter()
                    .any(|&other| other != input && self.graph.ancestors(other)[input]);
                let mut end = input;
                while !skip && !joined[end] && grows(end) {
                    end = nodes[end].inputs[0];
                }
                cut[end] |= skip || !joined[end];
            }
        }
        if !joined[start] {
            cut[self.first(start)] = true;
        }
        cut
    }

    /// The first map that a node depends on: the normalised image, or the image.
    fn first(&self, start: usize) -> usize {
        let needed = self.graph.ancestors(start);
        let normalizes =
            |i: &usize| matches!(self.graph.nodes[*i].kind, Kind::Op(Op::Normalize(_)));
        (0..=start)
            .filter(|&i| needed[i])
            .find(normalizes)
            .unwrap_or(0)
    }

    fn paths(&self, start: usize, at: &[usize]) -> Result<(Vec<Part>, f32)> {
        let nodes = &self.graph.nodes;
        let mut cut = self.cut(start);
        if cut[start] {
            // The value itself lies on the cut: go on to the first map.
            cut.fill(false);
            cut[self.first(start)] = true;
        }
        let patch = Patch::around(self, start, at)?;
        let mut paths = Vec::new();
        let (mut constant, mut bent) = (0.0f64, None);
        self.walk_back(start, at, patch.as_ref(), |step| {
            let node = &nodes[step.node];
            if cut[step.node] {
                let both = step.gradient.data().iter().zip(step.value.data());
                let value: f64 = both.map(|(g, v)| f64::from(*g) * f64::from(*v)).sum();
                paths.push(Part {
                    input: node.name().into(),
                    channel: None,
                    value: value as f32,
                });
                return false;
            }
            match &node.kind {
                Kind::Op(op @ (Op::Softmax(_) | Op::Sigmoid | Op::Argmax(_))) => {
                    bent.get_or_insert((node.name().to_string(), op.name()));
                    return false;
                }
                Kind::Op(op) => constant += constant_of(op, &node.parameters, step.gradient),
                Kind::Input { .. } | Kind::Exact(_) => {}
            }
            true
        })?;
        if let Some((name, op)) = bent {
            return Err(refuse(format!(
                "\"{name}\" ({op}) is not linear, so its value has no shares; ask for the node that it reads"
            )));
        }
        paths.reverse();
        Ok((paths, constant as f32))
    }

    /// The convolutions right after the concatenations before a value, at the positions under it.
    fn concatenations(&self, start: usize, at: &[usize]) -> Result<Vec<Concatenation>> {
        let nodes = &self.graph.nodes;
        let needed = self.graph.ancestors(start);
        let values = self.values((0..=start).filter(|&i| needed[i]))?;
        let shape = |i: usize| values[i].as_deref().map_or(&[][..], |map| map.shape());
        let mut found = Vec::new();
        if at.len() < 3 {
            return Ok(found);
        }
        for i in (0..=start).rev().filter(|&i| needed[i]) {
            let reads =
                |&input: &usize| matches!(nodes[self.behind(input)].kind, Kind::Op(Op::Concat(_)));
            let Some(concat) = nodes[i].inputs.first().filter(|input| reads(input)) else {
                continue;
            };
            if !matches!(nodes[i].kind, Kind::Op(Op::Conv2d(_))) || shape(i).len() != at.len() {
                continue;
            }
            let rank = at.len();
            let scaled = |axis: usize| {
                let (here, there) = (shape(i)[axis], shape(start)[axis].max(1));
                // Sizes may differ by padding; a halving is what counts.
                let factor = (there as f64 / here as f64).log2().round().exp2();
                ((at[axis] as f64 / factor) as usize).min(here - 1)
            };
            let place = [scaled(rank - 2), scaled(rank - 1)];
            let mut position = at.to_vec();
            (position[rank - 2], position[rank - 1]) = (place[0], place[1]);
            let mut channels = Vec::new();
            for channel in 0..shape(i)[rank - 3] {
                position[rank - 3] = channel;
                channels.extend(self.summands(i, &position)?);
            }
            found.push(Concatenation {
                concat: nodes[self.behind(*concat)].name().into(),
                node: nodes[i].name().into(),
                at: place,
                channels,
            });
        }
        Ok(found)
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
    products.sum()
}

/// What an operator's bias contributes: the sum of its output's gradient over each channel, times the channel's bias.
fn constant_of(
    op: &Op,
    parameters: &[Option<std::sync::Arc<crate::tensor::Tensor>>],
    gradient: &crate::tensor::Tensor,
) -> f64 {
    let given = || parameters.iter().map(|p| p.as_deref());
    let bias: Vec<f32> = match op {
        Op::Conv2d(_) | Op::ConvTranspose2d(_) | Op::Linear => match parameters.get(1) {
            Some(Some(bias)) => bias.data().to_vec(),
            _ => return 0.0,
        },
        Op::BatchNorm(eps) => {
            let inputs: Vec<_> = std::iter::once(None).chain(given()).collect();
            let mean = inputs[1];
            let inputs: Vec<_> = std::iter::once(mean)
                .chain(inputs.into_iter().skip(1))
                .collect();
            crate::ops::batch_norm::affine(&inputs, *eps).map_or(Vec::new(), |(_, b)| b)
        }
        // A learned summand, and the constant around a picture, count where the gradient meets them.
        Op::Add => {
            let Some(Some(other)) = parameters.first() else {
                return 0.0;
            };
            let parts = op.backward(&[Some(gradient), Some(other)], gradient, gradient);
            let part = parts.ok().and_then(|mut parts| parts.pop().flatten());
            return part.map_or(0.0, |part| dot(part.data(), other.data()));
        }
        Op::Pad(settings) => return f64::from(settings.value) * settings.added(gradient),
        _ => return 0.0,
    };
    let shape = gradient.shape();
    let inner: usize = match shape {
        _ if matches!(op, Op::Linear) => 1,
        [.., _, h, w] => h * w,
        _ => 1,
    };
    let planes = gradient.data().chunks_exact(inner).enumerate();
    planes
        .map(|(i, plane)| {
            f64::from(bias[i % bias.len()]) * plane.iter().map(|g| f64::from(*g)).sum::<f64>()
        })
        .sum()
}
