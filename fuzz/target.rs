//! One execution: everything that the project does with a file from a stranger, and what must hold whatever is in it.

use kernelscope::Tensor;
use kernelscope::graph::{Graph, Keep};
use kernelscope::network::Network;
use kernelscope::onnx::ExternalFile;
use kernelscope::options::Value;
use std::sync::Arc;

/// How far a file came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// It was refused when it was opened.
    Refused,
    /// It was opened, but not for this picture.
    Opened,
    /// It is a network, too large to be run here.
    Large,
    /// It was run and asked about.
    Run,
}

/// The most values in all maps of a network that is run here: what a network costs is its own business.
const SMALL: u64 = 1 << 14;

/// The most products of one value: kernels come from the file.
const TAPS: u64 = 1 << 24;

/// Opens, runs and asks. A panic is the only way to fail.
pub fn execute(bytes: &[u8], beside: &[u8]) -> Reached {
    let external = [ExternalFile {
        name: String::new(),
        bytes: beside.to_vec(),
    }];
    let network = match Network::load(bytes, &external) {
        Ok(network) => network,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Reached::Refused;
        }
    };
    network
        .describe()
        .expect("an opened network can be described");
    network.card();
    let mut reached = Reached::Opened;
    let own = own_shape(&network);
    for shape in [&own[..], &[1, 6, 7], &[2, 1, 4, 4], &[3]] {
        reached = reached.max(ask(&network, shape));
    }
    reached
}

/// The shape that the network says it takes.
fn own_shape(network: &Network) -> Vec<usize> {
    let graph = network.sample().expect("an opened network");
    let first = graph.describe().next().expect("an input");
    match first.attributes.get("shape") {
        Some(Value::List(sizes)) => sizes.iter().map(number).collect(),
        _ => vec![1, 8, 8],
    }
}

fn number(value: &Value) -> usize {
    match value {
        Value::Number(n) => *n as usize,
        _ => 1,
    }
}

fn ask(network: &Network, shape: &[usize]) -> Reached {
    let Ok(graph) = network.graph(shape) else {
        return Reached::Opened;
    };
    let Ok(sizes) = graph.shapes(shape) else {
        return Reached::Opened;
    };
    let values: u64 = sizes
        .values()
        .map(|size| size.iter().map(|&n| n as u64).product::<u64>())
        .sum();
    if values > SMALL || values * taps(&graph) > TAPS {
        return Reached::Large;
    }
    let x = Tensor::from_fn(shape, |i| (i % 7) as f32 / 4.0).expect("a small picture");
    let Ok(trace) = graph.run(x, &Keep::All) else {
        return Reached::Opened;
    };
    for (name, size) in &sizes {
        assert_eq!(trace.node(name).expect("kept").shape(), size, "{name}");
    }
    let output = trace.output();
    let at: Vec<usize> = output.shape().iter().map(|n| n / 2).collect();
    let explained = trace
        .explain(graph.output(), &at)
        .expect("a position inside");
    let value = output.get(&at).expect("inside");
    if graph.describe().len() > 1 {
        let same = explained.value.to_bits() == value.to_bits()
            || explained.value.is_nan() && value.is_nan();
        assert!(
            same,
            "explained as {}, computed as {value}",
            explained.value
        );
    }
    // Refusals are fine, panics are not.
    let _ = trace.gradient(graph.output(), &at);
    let _ = trace.shares(graph.output(), &at);
    let _ = graph.receptive_field(graph.output(), &at[at.len().saturating_sub(2)..], shape);
    Reached::Run
}

/// The largest number of values that one value of the network reads, roughly.
fn taps(graph: &Arc<Graph>) -> u64 {
    let weights = graph.parameters();
    let most = weights
        .values()
        .map(|tensor| tensor.data().len() as u64)
        .max();
    let kernel = graph
        .describe()
        .filter_map(|node| match node.attributes.get("kernelSize")? {
            Value::List(pair) => Some(pair.iter().map(|n| number(n) as u64).product::<u64>()),
            one => Some((number(one) as u64).pow(2)),
        });
    kernel.max().unwrap_or(1).max(most.unwrap_or(1)).max(1)
}
