//! From the file's nodes to the crate's: one walk over the nodes that the output needs, for a picture of known size.

use super::constant::Constant;
use super::node::Node;
use super::{fold, nodes};
use crate::error::{Error, Result, tuple};
use crate::graph::Description;
use crate::map::{Map as Table, Set};
use crate::ops::Op;
use crate::options::{Options, Value};
use crate::tensor::{Tensor, values_of};
use std::sync::Arc;

/// A value that is computed from the picture.
#[derive(Clone, Debug)]
pub struct Map {
    /// The node that computes it.
    pub node: String,
    /// Its shape as the file means it.
    pub full: Vec<usize>,
    /// Whether the network leaves out the first axis, whose size is 1: a picture was given as (C, H, W).
    pub single: bool,
}

impl Map {
    /// Its shape in the network.
    pub fn shape(&self) -> &[usize] {
        &self.full[usize::from(self.single)..]
    }

    /// An axis of the full shape counted from the end, as it is in either.
    pub fn dim(&self, axis: usize) -> i64 {
        axis as i64 - self.full.len() as i64
    }
}

/// A value of the file.
#[derive(Clone, Debug)]
pub enum Known {
    /// Computed from the picture.
    Map(Map),
    /// Known.
    Constant(Arc<Constant>),
}

/// What is being made.
pub struct Lowering<'a> {
    /// The operators' version.
    pub opset: i64,
    values: Table<&'a str, Known>,
    names: Set<String>,
    /// The network's nodes.
    pub nodes: Vec<Description>,
    /// Its parameters by their full names.
    pub tensors: Table<String, Arc<Tensor>>,
}

impl<'a> Lowering<'a> {
    /// Starts with the picture and the weights.
    pub fn new(
        opset: i64,
        input: (&'a str, Map),
        constants: &'a Table<String, Arc<Constant>>,
    ) -> Lowering<'a> {
        let (name, map) = input;
        let sizes = map.shape().iter().map(|&n| n.into()).collect();
        let first = Description::new(&*map.node, "input", &[]).with("shape", Value::List(sizes));
        let known = constants
            .iter()
            .map(|(name, constant)| (&**name, Known::Constant(constant.clone())));
        let mut values: Table<&str, Known> = known.collect();
        let names = Set::from([(map.node.clone(), ())]);
        values.insert(name, Known::Map(map));
        Lowering {
            opset,
            values,
            names,
            nodes: vec![first],
            tensors: Table::new(),
        }
    }

    /// A value that has been computed.
    pub fn value(&self, name: &str) -> Option<&Known> {
        self.values.get(name)
    }

    /// Works on a node, all of whose inputs have been worked on.
    ///
    /// # Errors
    /// By the node's name, if it cannot be computed as ONNX defines it.
    pub fn node(&mut self, node: &'a Node) -> Result<()> {
        let [output, others @ ..] = &node.outputs[..] else {
            return Err(node.wrong("has no output"));
        };
        let mut inputs = Vec::new();
        for name in &node.inputs {
            inputs.push(match self.values.get(&**name) {
                _ if name.is_empty() => None,
                Some(known) => Some(known.clone()),
                None => {
                    return Err(node.wrong(format!(
                        "reads \"{name}\", which no earlier node makes: the nodes are in the wrong order, or form a circle"
                    )));
                }
            });
        }
        let known = |known: &'_ Option<Known>| match known {
            Some(Known::Constant(constant)) => Some(constant.clone()),
            _ => None,
        };
        let constants: Vec<Option<Arc<Constant>>> = inputs.iter().map(known).collect();
        let all_known = inputs
            .iter()
            .zip(&constants)
            .all(|(input, constant)| input.is_some() == constant.is_some());
        let borrowed: Vec<Option<&Constant>> = constants.iter().map(Option::as_deref).collect();
        let made = match &*node.op {
            "Constant" => Known::Constant(Arc::new(nodes::shape::constant(node)?)),
            "Shape" | "Size" => {
                Known::Constant(Arc::new(nodes::shape::sizes(node, inputs.first())?))
            }
            op if all_known && fold::FOLDED.contains(&op) => {
                Known::Constant(Arc::new(fold::fold(node, &borrowed, self.opset)?))
            }
            _ => {
                let mut work = Work {
                    node,
                    inputs,
                    constants,
                    all: self,
                };
                let map = nodes::lower(&mut work)?;
                node.finish()?;
                Known::Map(map)
            }
        };
        for name in others.iter().filter(|name| !name.is_empty()) {
            // A later node that reads it says so by its own name, too.
            if self.values.contains_key(&**name) {
                return Err(node.wrong(format!("makes \"{name}\" a second time")));
            }
        }
        if self.values.insert(output, made).is_some() {
            return Err(node.wrong(format!("makes \"{output}\" a second time")));
        }
        Ok(())
    }

    fn name(&mut self, wanted: String) -> String {
        let mut name = wanted.clone();
        let mut serial = 2;
        while !self.names.add(name.clone()) {
            name = format!("{wanted}.{serial}");
            serial += 1;
        }
        name
    }
}

/// A node at work.
pub struct Work<'w, 'a> {
    /// The node.
    pub node: &'w Node,
    inputs: Vec<Option<Known>>,
    constants: Vec<Option<Arc<Constant>>>,
    all: &'w mut Lowering<'a>,
}

impl Work<'_, '_> {
    /// The operators' version.
    pub fn opset(&self) -> i64 {
        self.all.opset
    }

    /// How many inputs there are, given or not.
    pub fn count(&self) -> usize {
        self.inputs.len()
    }

    /// Whether an input is given.
    pub fn has(&self, place: usize) -> bool {
        matches!(self.inputs.get(place), Some(Some(_)))
    }

    /// An input that is computed from the picture.
    ///
    /// # Errors
    /// If it is not given or known ahead.
    #[inline(never)]
    pub fn map(&self, place: usize) -> Result<Map> {
        match self.inputs.get(place) {
            Some(Some(Known::Map(map))) => Ok(map.clone()),
            Some(Some(Known::Constant(_))) => Err(self.node.wrong(format!(
                "has a constant as its input {}, where a map computed from the picture is supported",
                place + 1
            ))),
            _ => Err(self.node.wrong(format!("lacks its input {}", place + 1))),
        }
    }

    /// An input if it is a map.
    pub fn as_map(&self, place: usize) -> Option<Map> {
        match self.inputs.get(place) {
            Some(Some(Known::Map(map))) => Some(map.clone()),
            _ => None,
        }
    }

    /// An input that is known ahead; `None` if it is not given.
    ///
    /// # Errors
    /// If it is computed from the picture.
    #[inline(never)]
    pub fn constant(&self, place: usize) -> Result<Option<&Constant>> {
        match (self.inputs.get(place), self.constants.get(place)) {
            (Some(Some(Known::Map(map))), _) => Err(self.node.wrong(format!(
                "has an input {} that is computed from the picture (by \"{}\"); supported is a constant there",
                place + 1,
                map.node
            ))),
            (_, Some(constant)) => Ok(constant.as_deref()),
            _ => Ok(None),
        }
    }

    /// All inputs that are known ahead, by their places.
    pub fn known(&self) -> Vec<Option<&Constant>> {
        self.constants.iter().map(Option::as_deref).collect()
    }

    /// A weight: an input known ahead that must be given.
    ///
    /// # Errors
    /// If it is not, or holds no tensor of rank 1 to 4.
    #[inline(never)]
    pub fn weight(&self, place: usize) -> Result<Arc<Tensor>> {
        let constant = self
            .constant(place)?
            .ok_or_else(|| self.node.wrong(format!("lacks its input {}", place + 1)))?;
        constant.tensor().map_err(|e| self.node.because(e))
    }

    /// A weight that may be missing.
    ///
    /// # Errors
    /// As [`Work::weight`].
    pub fn optional_weight(&self, place: usize) -> Result<Option<Arc<Tensor>>> {
        if self.has(place) {
            self.weight(place).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Refuses outputs beyond the first that somebody could read.
    ///
    /// # Errors
    /// If there are any.
    pub fn one_output(&self, others: &str) -> Result<()> {
        if self
            .node
            .outputs
            .iter()
            .skip(1)
            .any(|name| !name.is_empty())
        {
            return Err(self.node.wrong(format!(
                "has a second output ({others}), which is not supported; export without it"
            )));
        }
        Ok(())
    }

    /// Adds a node to the network and returns its map. `part` names it within the file's node, "" for the node itself.
    ///
    /// # Errors
    /// If the operator refuses, or the map does not fit into memory.
    #[inline(never)]
    pub fn emit(
        &mut self,
        part: &str,
        op: &str,
        inputs: &[&Map],
        attributes: &[(&str, Value)],
        parameters: &[(&str, Arc<Tensor>)],
        single: bool,
    ) -> Result<Map> {
        let options: Options = attributes
            .iter()
            .map(|(name, value)| (name.to_string(), value.clone()))
            .collect();
        let parsed = Op::parse(op, &options).map_err(|e| self.node.because(e))?;
        let maps = inputs.iter().map(|map| Some(map.shape()));
        let slots = parsed.parameters().0;
        let slot = |name: &&str| {
            parameters
                .iter()
                .find(|(given, _)| given == name)
                .map(|(_, tensor)| tensor.shape())
        };
        let shapes: Vec<_> = maps.chain(slots.iter().map(slot)).collect();
        let shape = parsed.shape(&shapes).map_err(|e| self.node.because(e))?;
        values_of(op, &shape).map_err(|e| self.node.because(e))?;
        let wanted = if part.is_empty() {
            self.node.name.clone()
        } else {
            format!("{}.{part}", self.node.name)
        };
        let name = self.all.name(wanted);
        let sources: Vec<&str> = inputs.iter().map(|map| &*map.node).collect();
        let names: Vec<&str> = parameters.iter().map(|(name, _)| *name).collect();
        let mut description = Description::new(&*name, op, &sources).learned(&names);
        description.attributes = options;
        self.all.nodes.push(description);
        for (slot, tensor) in parameters {
            self.all
                .tensors
                .insert(format!("{name}.{slot}"), tensor.clone());
        }
        let full = if single {
            [&[1], &shape[..]].concat()
        } else {
            shape
        };
        Ok(Map {
            node: name,
            full,
            single,
        })
    }

    /// Adds a node that keeps its input's first axis as it is.
    ///
    /// # Errors
    /// As [`Work::emit`].
    #[inline(never)]
    pub fn simple(
        &mut self,
        op: &str,
        x: &Map,
        attributes: &[(&str, Value)],
        parameters: &[(&str, Arc<Tensor>)],
    ) -> Result<Map> {
        self.emit("", op, &[x], attributes, parameters, x.single)
    }

    /// The same values under another full shape.
    ///
    /// # Errors
    /// If it has no or more than four axes.
    #[inline(never)]
    pub fn reshape(&mut self, part: &str, x: &Map, full: &[usize]) -> Result<Map> {
        if x.full == full {
            return Ok(x.clone());
        }
        let single = x.single && full.len() > 1 && full[0] == 1;
        let to = &full[usize::from(single)..];
        if to.is_empty() || to.len() > 4 || to.contains(&0) {
            return Err(self.node.wrong(format!(
                "makes a map of shape {}; supported are 1 to 4 dimensions",
                tuple(full)
            )));
        }
        let sizes = Value::List(to.iter().map(|&n| n.into()).collect());
        self.emit(part, "reshape", &[x], &[("shape", sizes)], &[], single)
    }

    /// The map with its first axis, for operators that work along it.
    ///
    /// # Errors
    /// As [`Work::reshape`].
    #[inline(never)]
    pub fn whole(&mut self, part: &str, x: &Map) -> Result<Map> {
        if !x.single {
            return Ok(x.clone());
        }
        let sizes = Value::List(x.full.iter().map(|&n| n.into()).collect());
        self.emit(part, "reshape", &[x], &[("shape", sizes)], &[], false)
    }

    /// A picture: (N, C, H, W).
    ///
    /// # Errors
    /// If the map is none.
    #[inline(never)]
    pub fn picture(&self, x: &Map) -> Result<[usize; 2]> {
        match x.full[..] {
            [_, _, h, w] => Ok([h, w]),
            _ => Err(self.node.wrong(format!(
                "works on a map of shape {}; supported are pictures (N, C, H, W), not signals or volumes",
                tuple(&x.full)
            ))),
        }
    }

    /// A complaint about this node.
    pub fn wrong(&self, problem: impl AsRef<str>) -> Error {
        self.node.wrong(problem)
    }
}
