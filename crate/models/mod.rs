//! Networks by name: [`Blueprint`]s say which nodes there are and how large their parameters, without holding any.

mod classic;
mod first_layer;
mod table;
mod unet;
mod walk;

pub use classic::{alexnet, blocks, conv, lenet5, plain, residual, resnet50, strided, tiny};
pub use first_layer::{Compared, Cost, first_layer};
pub use table::{Layer, layers, lenet5_published, named, parse};
pub use unet::{Unet, Up};
pub use walk::{Step, walk};

use crate::error::Result;
use crate::graph::{Description, Graph};
use crate::map::Map;
use crate::options::Value;
use crate::tensor::Tensor;

/// A network without its numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Blueprint {
    /// The nodes, in order.
    pub nodes: Vec<Description>,
    /// The shape of every parameter by its full name, "logits.weight".
    pub shapes: Map<String, Vec<usize>>,
}

impl Blueprint {
    /// A network that so far only has its image.
    pub fn new(channels: usize) -> Blueprint {
        let image = Description::new("image", "input", &[]).with("channels", channels);
        Blueprint {
            nodes: vec![image],
            shapes: Map::new(),
        }
    }

    /// The name of the last node.
    pub fn last(&self) -> String {
        self.nodes
            .last()
            .map_or(String::new(), |node| node.name.clone())
    }

    /// Adds a node that reads the last one.
    fn then(&mut self, name: &str, op: &str, options: &[(&str, Value)]) {
        let last = self.last();
        self.from(name, op, &[&last], options);
    }

    /// Adds a node that reads these.
    fn from(&mut self, name: &str, op: &str, inputs: &[&str], options: &[(&str, Value)]) {
        let node = Description::new(name, op, inputs);
        let node = options
            .iter()
            .fold(node, |node, (name, value)| node.with(name, value.clone()));
        self.nodes.push(node);
    }

    /// Gives the last node parameters of these shapes.
    fn learn(&mut self, parameters: &[(&str, &[usize])]) {
        let Some(node) = self.nodes.last_mut() else {
            return;
        };
        for (slot, shape) in parameters {
            node.parameters.push(slot.to_string());
            self.shapes
                .insert(format!("{}.{slot}", node.name), shape.to_vec());
        }
    }

    /// Adds a convolution with square kernel and bias.
    fn conv(
        &mut self,
        name: &str,
        [came, went]: [usize; 2],
        kernel: usize,
        options: &[(&str, Value)],
    ) {
        self.then(name, "conv2d", options);
        self.learn(&[("weight", &[went, came, kernel, kernel]), ("bias", &[went])]);
    }

    /// Adds a linear layer with bias.
    fn linear(&mut self, name: &str, [came, went]: [usize; 2]) {
        self.then(name, "linear", &[]);
        self.learn(&[("weight", &[went, came]), ("bias", &[went])]);
    }

    /// Adds a batch norm.
    fn norm(&mut self, name: &str, channels: usize) {
        self.then(name, "batch_norm", &[]);
        let slots = ["runningMean", "runningVar", "weight", "bias"];
        let shape = [channels];
        self.learn(&slots.map(|slot| (slot, &shape[..])));
    }

    /// The number of learned numbers.
    pub fn count(&self) -> u64 {
        let learned = self
            .shapes
            .iter()
            .filter(|(name, _)| !name.contains(".running"));
        learned
            .map(|(_, shape)| shape.iter().map(|&n| n as u64).product::<u64>())
            .sum()
    }

    /// The network with random weights: normal with He's variance 2/fan-in, biases 0, norms that change nothing. The same
    /// seed gives the same weights everywhere.
    ///
    /// # Errors
    /// If the blueprint is no network.
    pub fn seeded(&self, seed: u64) -> Result<Graph> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut tensors = Map::new();
        for (name, shape) in &self.shapes {
            let fan: usize = if shape.len() > 1 {
                shape[1..].iter().product()
            } else {
                1
            };
            let width = (2.0 / fan as f64).sqrt();
            let value = match name.rsplit('.').next() {
                Some("weight") if shape.len() > 1 => None,
                Some("weight" | "runningVar") => Some(1.0),
                _ => Some(0.0),
            };
            let tensor = Tensor::from_fn(shape, |_| {
                value.unwrap_or_else(|| (width * normal(&mut state)) as f32)
            })?;
            tensors.insert(name.clone(), tensor);
        }
        Graph::new(self.nodes.clone(), tensors)
    }
}

/// Weights (out, in) of a dense layer as it begins: normal with He's variance 2/in, the same everywhere for one seed.
///
/// # Errors
/// If there are too many.
pub fn dense_weights(out: usize, inputs: usize, seed: u64) -> Result<Tensor> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let width = (2.0 / inputs.max(1) as f64).sqrt();
    crate::tensor::values_of("dense weights", &[out, inputs])?;
    Tensor::from_fn(&[out, inputs], |_| (width * normal(&mut state)) as f32)
}

/// A nearly normal number of variance 1: twelve uniform ones (Irwin and Hall) from SplitMix64.
fn normal(state: &mut u64) -> f64 {
    let mut uniform = || {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..12).map(|_| uniform()).sum::<f64>() - 6.0
}
