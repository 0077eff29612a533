//! A network on a graphics card, as data: one list of calls for a size of picture and the maps that are asked for.
//!
//! The liberties are those of a run on the processor (see `plan.rs`): a batch norm is folded into its convolution, ReLU is taken
//! along, joined and doubled maps are read from where their parts lie. Here softmax, sigmoid and leaky ReLU are taken along too.
//! Grey values of the picture itself are normalised where the picture is, before it is uploaded: percentiles need all of them sorted.

use super::{Graph, Kind, Trace};
use crate::error::{Error, Result};
use crate::ops::conv2d::gpu::{Convolution, Piece, is_pointwise, record};
use crate::ops::gpu::{Activation, Card, Map, Recorder, THIS_TIME};
use crate::ops::{Op, conv2d};
use crate::tensor::Tensor;
use std::sync::Arc;

/// The calls that compute what is asked for.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The calls, and what they need.
    pub recorder: Recorder,
    /// The nodes whose maps are uploaded.
    pub inputs: Vec<(usize, Map)>,
    /// The nodes whose maps are read back: those asked for, and the last.
    pub outputs: Vec<(usize, Map)>,
}

impl Graph {
    /// Writes down how a card computes the kept nodes for an image of this shape.
    ///
    /// # Errors
    /// If the image does not suit the network.
    pub fn record(&self, card: Card, shape: &[usize], kept: &[bool]) -> Result<Recording> {
        let sizes = self.sizes(shape)?;
        let mut known = vec![None; self.nodes.len()];
        let image = Tensor::new(&[1], vec![0.0])?;
        // It only counts that it is known.
        known[0] = Some(Arc::new(image));
        let needed = self.still_needed(&known, kept);
        let host = (0..self.nodes.len()).map(|i| i == 0 || self.is_host(i));
        let host: Vec<bool> = host.collect();
        let computed: Vec<bool> = (0..self.nodes.len())
            .map(|i| needed[i] && !host[i])
            .collect();
        let lazy = self.lazy(&computed, kept, &sizes);
        let mut writer = Writer {
            graph: self,
            recorder: Recorder {
                card,
                ..Recorder::default()
            },
            taken: vec![false; self.nodes.len()],
            maps: vec![None; self.nodes.len()],
            inputs: Vec::new(),
            sizes,
            lazy,
            host,
        };
        let along: Vec<Option<Activation>> = (0..self.nodes.len())
            .map(|i| writer.takes_along(i, &computed, kept))
            .collect();
        for (i, activation) in along.iter().enumerate() {
            if activation.is_some() {
                writer.taken[self.nodes[i].inputs[0]] = true;
            }
        }
        for i in 0..self.nodes.len() {
            if computed[i] && !writer.lazy[i] && !writer.taken[i] {
                let map = writer.node(i, along[i])?;
                writer.maps[i] = Some(map);
            }
        }
        let mut outputs = Vec::new();
        for (i, kept) in kept.iter().enumerate() {
            if *kept && !writer.host[i] {
                outputs.push((i, writer.map(i)?));
            }
        }
        Ok(Recording {
            recorder: writer.recorder,
            inputs: writer.inputs,
            outputs,
        })
    }

    /// Whether a node is computed before the upload: the picture's own grey values, normalised for what follows.
    fn is_host(&self, i: usize) -> bool {
        let node = &self.nodes[i];
        matches!(node.kind, Kind::Op(Op::Normalize(_)))
            && node.inputs == [0]
            && i + 1 < self.nodes.len()
    }

    /// What is known before the upload.
    ///
    /// # Errors
    /// If a value is not finite: no promise is made about such values on a card.
    pub fn before_upload(&self, x: Arc<Tensor>) -> Result<Vec<Option<Arc<Tensor>>>> {
        if !super::plan::finite(x.data()) {
            return Err(Error::Other {
                op: THIS_TIME.into(),
                problem: "the picture holds values that are not finite, about which graphics cards promise nothing".into(),
            });
        }
        let mut values = vec![None; self.nodes.len()];
        for (i, node) in self.nodes.iter().enumerate() {
            if let (true, Kind::Op(op)) = (self.is_host(i), &node.kind) {
                values[i] = Some(Arc::new(op.run(&[Some(&x)])?));
            }
        }
        values[0] = Some(x);
        Ok(values)
    }

    /// The name of a node.
    pub fn name(&self, i: usize) -> &str {
        self.nodes[i].name()
    }

    /// A finished run from the maps that were read back.
    pub fn trace(self: &Arc<Graph>, values: Vec<Option<Arc<Tensor>>>) -> Trace {
        Trace::new(self.clone(), values)
    }
}

struct Writer<'a> {
    graph: &'a Graph,
    recorder: Recorder,
    /// Convolutions that the node after them computes.
    taken: Vec<bool>,
    maps: Vec<Option<Map>>,
    inputs: Vec<(usize, Map)>,
    sizes: Vec<Vec<usize>>,
    lazy: Vec<bool>,
    host: Vec<bool>,
}

impl Writer<'_> {
    /// What node `i` does to the values of the convolution before it, if nobody else reads those.
    fn takes_along(&self, i: usize, computed: &[bool], kept: &[bool]) -> Option<Activation> {
        let nodes = &self.graph.nodes;
        let (Kind::Op(op), &[j]) = (&nodes[i].kind, &nodes[i].inputs[..]) else {
            return None;
        };
        let Kind::Op(Op::Conv2d(settings)) = &nodes[j].kind else {
            return None;
        };
        let readers = (0..nodes.len()).filter(|&k| computed[k] && nodes[k].inputs.contains(&j));
        if !computed[i] || !computed[j] || self.lazy[j] || kept[j] || readers.count() > 1 {
            return None;
        }
        match *op {
            Op::Sigmoid => Some(Activation::Sigmoid),
            Op::LeakyRelu(slope) => Some(Activation::LeakyRelu(slope)),
            Op::Softmax(dim) => {
                let rank = self.sizes[i].len() as i64;
                let weight = nodes[j].parameters[0].as_ref()?;
                (dim.rem_euclid(rank) == rank - 3 && is_pointwise(weight.shape(), settings))
                    .then_some(Activation::Softmax)
            }
            _ => None,
        }
    }

    /// Computes a node.
    fn node(&mut self, i: usize, along: Option<Activation>) -> Result<Map> {
        self.recorder.node = i;
        let node = &self.graph.nodes[i];
        let Kind::Op(op) = &node.kind else {
            unreachable!("the image is known")
        };
        if let Some(activation) = along {
            let conv = node.inputs[0];
            let Kind::Op(Op::Conv2d(settings)) = &self.graph.nodes[conv].kind else {
                unreachable!("checked")
            };
            let parameters = &self.graph.nodes[conv].parameters;
            let (weight, bias) = (parameters[0].as_ref(), parameters[1].as_ref());
            return self.convolve(conv, weight, bias, settings, activation);
        }
        if let Some(found) = self.graph.convolution(i, &self.lazy) {
            let parameters = &self.graph.nodes[found.node].parameters;
            let (weight, bias) = match found.folded {
                Some(folded) => (Some(&folded.weight), Some(&folded.bias)),
                None => (parameters[0].as_ref(), parameters[1].as_ref()),
            };
            let activation = if found.relu {
                Activation::Relu
            } else {
                Activation::None
            };
            return self.convolve(found.node, weight, bias, found.settings, activation);
        }
        let mut maps = vec![self.map(node.inputs[0])?];
        for &input in &node.inputs[1..] {
            // Of the picture whose size is wanted only the size counts.
            maps.push(match op {
                Op::CropTo => maps[0].under(self.sizes[input].clone()),
                _ => self.map(input)?,
            });
        }
        op.record(&mut self.recorder, &maps, &node.parameters)
    }

    fn convolve(
        &mut self,
        node: usize,
        weight: Option<&Arc<Tensor>>,
        bias: Option<&Arc<Tensor>>,
        settings: &conv2d::Settings,
        activation: Activation,
    ) -> Result<Map> {
        let input = self.graph.nodes[node].inputs[0];
        let mut pieces = self.pieces(input)?;
        if pieces.len() > 2 {
            pieces = vec![Piece::whole(&self.map(input)?)];
        }
        let job = Convolution {
            pieces: &pieces,
            shape: &self.sizes[input],
            weight: weight.expect("a convolution has weights"),
            bias,
            settings,
            activation,
        };
        record(&mut self.recorder, &job)
    }

    /// The parts of a node's map, wherever they lie.
    fn pieces(&mut self, i: usize) -> Result<Vec<Piece>> {
        if !self.lazy[i] || self.maps[i].is_some() {
            return Ok(vec![Piece::whole(&self.map(i)?)]);
        }
        let inputs = &self.graph.nodes[i].inputs;
        if let Kind::Op(Op::Interpolate(settings)) = &self.graph.nodes[i].kind {
            let zoom = settings.zoom(&self.sizes[inputs[0]]).unwrap_or(1);
            let mut pieces = self.pieces(inputs[0])?;
            pieces.iter_mut().for_each(|piece| piece.zoom *= zoom);
            return Ok(pieces);
        }
        let mut pieces = Vec::new();
        for &input in inputs {
            pieces.extend(self.pieces(input)?);
        }
        Ok(pieces)
    }

    /// A node's map in one piece.
    fn map(&mut self, i: usize) -> Result<Map> {
        if let Some(map) = &self.maps[i] {
            return Ok(map.clone());
        }
        let map = if self.host[i] {
            let map = self.recorder.map(self.sizes[i].clone());
            self.inputs.push((i, map.clone()));
            map
        } else {
            self.node(i, None)?
        };
        self.maps[i] = Some(map.clone());
        Ok(map)
    }
}
