//! A network from a file of any kind, and the graph of it that suits a picture.

use crate::error::Result;
use crate::graph::{Description, Graph};
use crate::onnx::{ExternalFile, Onnx};
use crate::options::Value;
use crate::weights;
use std::sync::Arc;

/// A network.
#[derive(Debug)]
pub enum Network {
    /// One graph for pictures of every size: our own files.
    Fixed {
        /// The graph.
        graph: Arc<Graph>,
        /// What the file tells about it.
        card: Value,
    },
    /// A graph for each size: ONNX files.
    Onnx(Box<Onnx>),
}

impl Network {
    /// Reads a file by what it holds: safetensors with a graph in the metadata, or ONNX with the files beside it.
    ///
    /// # Errors
    /// If it is neither, damaged, or not supported.
    pub fn load(bytes: &[u8], external: &[ExternalFile]) -> Result<Network> {
        if Onnx::is(bytes) {
            return Ok(Network::Onnx(Box::new(Onnx::read(bytes, external)?)));
        }
        Network::read(bytes)
    }

    /// Reads safetensors with a graph in the metadata.
    ///
    /// # Errors
    /// If the file is none, or damaged.
    pub fn read(bytes: &[u8]) -> Result<Network> {
        let weights::Model { graph, card } = weights::load(bytes)?;
        Ok(Network::Fixed {
            graph: Arc::new(graph),
            card,
        })
    }

    /// The graph for a picture of this shape.
    ///
    /// # Errors
    /// If the network cannot be made for it.
    pub fn graph(&self, input: &[usize]) -> Result<Arc<Graph>> {
        match self {
            Network::Fixed { graph, .. } => Ok(graph.clone()),
            Network::Onnx(onnx) => onnx.graph(input),
        }
    }

    /// A graph whose nodes and parameters stand for those of every size.
    ///
    /// # Errors
    /// If there is none.
    pub fn sample(&self) -> Result<Arc<Graph>> {
        match self {
            Network::Fixed { graph, .. } => Ok(graph.clone()),
            Network::Onnx(onnx) => onnx.sample(),
        }
    }

    /// The nodes in order.
    ///
    /// # Errors
    /// As [`Network::sample`].
    pub fn describe(&self) -> Result<Vec<Description>> {
        match self {
            Network::Fixed { graph, .. } => Ok(graph.describe().cloned().collect()),
            Network::Onnx(onnx) => onnx.describe(),
        }
    }

    /// What the file tells about the network.
    pub fn card(&self) -> Value {
        match self {
            Network::Fixed { card, .. } => card.clone(),
            Network::Onnx(onnx) => onnx.card(),
        }
    }
}
