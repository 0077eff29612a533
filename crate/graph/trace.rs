//! What a run leaves behind: the kept maps, and answers about every value of them.

use super::{Graph, Kind};
use crate::error::{Error, Result};
use crate::ops::conv2d::Order;
use crate::ops::{Explanation, Reduce};
use crate::tensor::Tensor;
use std::cell::RefCell;
use std::sync::Arc;

/// A finished run. Maps that were not kept are computed again when an answer needs them, and stay from then on.
#[derive(Debug)]
pub struct Trace {
    pub(super) graph: Arc<Graph>,
    values: RefCell<Vec<Option<Arc<Tensor>>>>,
}

impl Trace {
    pub(super) fn new(graph: Arc<Graph>, values: Vec<Option<Arc<Tensor>>>) -> Trace {
        Trace {
            graph,
            values: RefCell::new(values),
        }
    }

    /// The network.
    pub fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    /// The last node's map.
    pub fn output(&self) -> Arc<Tensor> {
        let values = self.values.borrow();
        values
            .last()
            .cloned()
            .flatten()
            .expect("the output is always kept")
    }

    /// The names of the nodes whose maps are at hand.
    pub fn kept(&self) -> Vec<String> {
        let values = self.values.borrow();
        let names = self.graph.nodes.iter().zip(&*values);
        names
            .filter(|(_, value)| value.is_some())
            .map(|(node, _)| node.name().into())
            .collect()
    }

    /// A node's map.
    ///
    /// # Errors
    /// If there is no such node, or no memory to compute it again.
    pub fn node(&self, name: &str) -> Result<Arc<Tensor>> {
        let i = self.graph.find(name)?;
        Ok(self.values([i])?[i].clone().expect("was just computed"))
    }

    /// All values, those of `wanted` among them.
    pub(super) fn values(
        &self,
        wanted: impl IntoIterator<Item = usize>,
    ) -> Result<Vec<Option<Arc<Tensor>>>> {
        let mut known = self.values.borrow_mut();
        let mut kept: Vec<bool> = known.iter().map(Option::is_some).collect();
        let mut missing = false;
        for i in wanted {
            missing |= !kept[i];
            kept[i] = true;
        }
        if missing {
            *known = self
                .graph
                .compute(known.clone(), &kept, Order::Reading, None)?;
        }
        Ok(known.clone())
    }

    /// Takes one value of a node apart; the terms' `input` are the names of the nodes that it reads.
    ///
    /// # Errors
    /// If there is no such node or no such position.
    pub fn explain(&self, name: &str, at: &[usize]) -> Result<Explanation> {
        let i = self.graph.find(name)?;
        let node = &self.graph.nodes[i];
        let Kind::Op(op) = &node.kind else {
            return Ok(Explanation {
                value: self.value(i, at)?,
                reduce: Reduce::Sum,
                bias: None,
                terms: Vec::new(),
            });
        };
        let values = self.values(node.inputs.iter().copied())?;
        let mut explanation = op.explain(&self.graph.inputs_of(i, &values), at)?;
        for term in &mut explanation.terms {
            // An operator calls its inputs x, other, x0, x1, …
            let place = match &*term.input {
                "x" => 0,
                "other" => 1,
                "zero" => continue,
                name => name.trim_start_matches('x').parse().unwrap_or(0),
            };
            if let Some(&input) = node.inputs.get(place) {
                term.input = self.graph.nodes[input].name().to_string().into();
            }
        }
        Ok(explanation)
    }

    /// The value at a position of a node.
    pub(super) fn value(&self, i: usize, at: &[usize]) -> Result<f32> {
        let values = self.values([i])?;
        let map = values[i].as_deref().expect("was just computed");
        map.get(at).ok_or_else(|| Error::Position {
            op: "graph".into(),
            of: "node",
            shape: map.shape().to_vec(),
            got: at.to_vec(),
        })
    }
}
