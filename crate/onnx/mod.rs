//! Networks as ONNX files, for instance as `torch.onnx.export` writes them.
//!
//! A file is read into nodes and weights ([`Onnx::read`]) and made into a [`Graph`] for each size of picture it meets
//! ([`Onnx::graph`]): then every size in it is known, arithmetic with sizes is done ahead, and what is left are the crate's
//! own operators, with explanations, gradients and fields. Inputs are taken as they are, (C, H, W) or (N, C, H, W).
//!
//! The build tool cuts the methods with an `export_name` off the wasm module, with all that only they need, so that whoever opens no
//! such file does not download it (`PARTS` in xtask/src/wasm.rs).
//!
//! What is computed agrees with ONNX's definitions, opsets 7 to today; anything else is refused by the node's name.

mod constant;
mod file;
mod fold;
mod lower;
mod node;
mod nodes;
mod wire;

pub use constant::ExternalFile;
pub use nodes::SUPPORTED;

use crate::error::{Error, Result};
use crate::graph::{Description, Graph};
use crate::map::{Map as Table, Set};
use crate::options::Value;
use crate::tensor::{Tensor, values_of};
use constant::Constant;
use file::Dim;
use lower::{Known, Lowering, Map};
use node::Node;
use std::cell::RefCell;
use std::sync::Arc;
use wire::broken;

/// The opsets whose operators are known.
const OPSETS: std::ops::RangeInclusive<i64> = 7..=28;

/// How many sizes of pictures a model remembers its networks for. They share their weights.
const REMEMBERED: usize = 4;

/// A model as its file describes it.
#[derive(Debug)]
pub struct Onnx {
    opset: i64,
    producer: String,
    /// The nodes that the output needs, in order.
    nodes: Vec<Node>,
    constants: Table<String, Arc<Constant>>,
    input: String,
    /// The input's sizes, those that are open as their names; `None` if even their number is open.
    dims: Option<Vec<Size>>,
    output: String,
    made: RefCell<Vec<(Vec<usize>, Arc<Graph>)>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Size {
    Fixed(usize),
    Open(String),
}

impl Onnx {
    /// Whether bytes look like an ONNX file rather than safetensors: the first field of a model is its version or a text.
    pub fn is(bytes: &[u8]) -> bool {
        matches!(bytes, [0x08 | 0x12 | 0x1a | 0x3a | 0x42, ..]) && !is_safetensors(bytes)
    }

    /// Reads a file, and the files beside it that hold weights.
    ///
    /// # Errors
    /// If a file is damaged, or something in it is not supported: by the node's name.
    #[cfg_attr(feature = "web", unsafe(export_name = "onnx_read"))]
    #[inline(never)]
    pub fn read(bytes: &[u8], external: &[ExternalFile]) -> Result<Onnx> {
        let model = file::Model::read(bytes)?;
        if !OPSETS.contains(&model.opset) {
            let (first, last) = (OPSETS.start(), OPSETS.end());
            return Err(broken(format!(
                "the file uses opset {}; known are {first} to {last}. Export again with opset_version={}",
                model.opset,
                model.opset.clamp(*first, 20)
            )));
        }
        let mut constants = Table::new();
        for tensor in &model.initializers {
            let constant = Arc::new(Constant::read(tensor, external)?);
            if constants
                .insert(tensor.name.to_string(), constant)
                .is_some()
            {
                return Err(broken(format!(
                    "two weights are called \"{}\"",
                    tensor.name
                )));
            }
        }
        let inputs: Vec<_> = model
            .inputs
            .iter()
            .filter(|input| !constants.contains_key(input.name))
            .collect();
        let [input] = inputs[..] else {
            let names: Vec<&str> = inputs.iter().map(|input| input.name).collect();
            return Err(broken(format!(
                "the network must have one input, the picture; got {}: {}",
                names.len(),
                names.join(", ")
            )));
        };
        if input.kind != 1 {
            let kind = constant::kind_name(input.kind);
            return Err(broken(format!(
                "the input \"{}\" takes numbers of the type {kind}; FLOAT is supported: export the network in float32 (model.float())",
                input.name
            )));
        }
        let [output] = model.outputs[..] else {
            return Err(broken(format!(
                "the network must have one output; got {}: {}. Export a network that returns one tensor",
                model.outputs.len(),
                model.outputs.join(", ")
            )));
        };
        let dims = match &input.dims {
            None => None,
            Some(dims) => Some(
                dims.iter()
                    .map(|dim| size(input.name, *dim))
                    .collect::<Result<Vec<_>>>()?,
            ),
        };
        if let Some(dims) = &dims
            && !(1..=4).contains(&dims.len())
        {
            return Err(broken(format!(
                "the input \"{}\" has {} dimensions; supported are 1 to 4: pictures are (C, H, W) or (N, C, H, W)",
                input.name,
                dims.len()
            )));
        }
        let mut onnx = Onnx {
            opset: model.opset,
            producer: model.producer.into(),
            nodes: needed(&model, output, external)?,
            constants,
            input: input.name.into(),
            dims,
            output: output.into(),
            made: RefCell::default(),
        };
        onnx.forget_unused();
        // Everything that does not depend on the picture's size is refused when the file is opened.
        onnx.sample()?;
        Ok(onnx)
    }

    /// Weights that no node reads.
    fn forget_unused(&mut self) {
        let mut read = Set::new();
        for name in self.nodes.iter().flat_map(|node| &node.inputs) {
            read.add(name.as_str());
        }
        self.constants
            .retain(|name, _| read.contains_key(&**name) || *name == self.output);
    }

    /// The network for a picture of this shape: (C, H, W), or what the file says its input is.
    ///
    /// # Errors
    /// If the file's input has another shape, or a node cannot be computed for this one.
    #[cfg_attr(feature = "web", unsafe(export_name = "onnx_graph"))]
    #[inline(never)]
    pub fn graph(&self, input: &[usize]) -> Result<Arc<Graph>> {
        let mut made = self.made.borrow_mut();
        if let Some(place) = made.iter().position(|(shape, _)| shape == input) {
            // The one asked for last is forgotten last.
            let found = made.remove(place);
            made.push(found);
        } else {
            let graph = Arc::new(self.make(input)?);
            if made.len() == REMEMBERED {
                made.remove(0);
            }
            made.push((input.to_vec(), graph));
        }
        Ok(made[made.len() - 1].1.clone())
    }

    fn make(&self, input: &[usize]) -> Result<Graph> {
        let first = self.first(input)?;
        let mut lowering = Lowering::new(self.opset, (&self.input, first), &self.constants);
        for node in &self.nodes {
            lowering.node(node)?;
        }
        let output = match lowering.value(&self.output) {
            Some(Known::Map(map)) => map.node.clone(),
            Some(Known::Constant(_)) => {
                return Err(broken(format!(
                    "the output \"{}\" does not depend on the picture",
                    self.output
                )));
            }
            None => {
                return Err(broken(format!(
                    "no node makes the output \"{}\"",
                    self.output
                )));
            }
        };
        let Lowering {
            mut nodes,
            mut tensors,
            ..
        } = lowering;
        // A node that only shape arithmetic reads is left over: the network ends with its output.
        prune(&mut nodes, &mut tensors, &output);
        Graph::shared(nodes, tensors)
    }

    /// The picture as the file's input.
    fn first(&self, input: &[usize]) -> Result<Map> {
        let rank = self.dims.as_ref().map_or(input.len().max(4), Vec::len);
        let single = rank == 4 && input.len() == 3;
        let full = if single {
            [&[1], input].concat()
        } else {
            input.to_vec()
        };
        let fits = |(size, n): (&Size, &usize)| !matches!(size, Size::Fixed(fixed) if fixed != n);
        let known = self
            .dims
            .as_ref()
            .is_none_or(|dims| dims.iter().zip(&full).all(fits));
        if full.len() != rank || !known || !(1..=4).contains(&rank) {
            return Err(Error::Shape {
                op: "onnx".into(),
                input: "the picture".into(),
                expected: self.expected(),
                got: input.to_vec(),
            });
        }
        values_of("onnx", &full)?;
        Ok(Map {
            node: self.input.clone(),
            full,
            single,
        })
    }

    /// The shapes that the input takes, in words.
    fn expected(&self) -> String {
        let Some(dims) = &self.dims else {
            return "(C, H, W) or (N, C, H, W)".into();
        };
        let names = ["N", "C", "H", "W"];
        let word = |(i, size): (usize, &Size)| match size {
            Size::Fixed(n) => n.to_string(),
            Size::Open(_) if dims.len() == 4 => names[i].into(),
            Size::Open(name) if name.is_empty() => "?".into(),
            Size::Open(name) => name.clone(),
        };
        let words: Vec<String> = dims.iter().enumerate().map(word).collect();
        let whole = format!("({})", words.join(", "));
        let fixed = dims
            .iter()
            .skip(2)
            .any(|size| matches!(size, Size::Fixed(_)));
        let hint = if fixed {
            " (its size was fixed at export; dynamic_shapes leaves it open)"
        } else {
            ""
        };
        if dims.len() == 4 && matches!(&dims[0], Size::Open(_) | Size::Fixed(1)) {
            return format!("({}) or {whole}{hint}", words[1..].join(", "));
        }
        format!("{whole}{hint}")
    }

    /// The network for some size: its structure, which is the same for all of them.
    ///
    /// # Errors
    /// If it cannot be made for any size that was tried; the first reason.
    #[cfg_attr(feature = "web", unsafe(export_name = "onnx_sample"))]
    #[inline(never)]
    pub fn sample(&self) -> Result<Arc<Graph>> {
        if let Some((_, graph)) = self.made.borrow().last() {
            return Ok(graph.clone());
        }
        let default = vec![Size::Open(String::new()); 4];
        let dims = self.dims.as_ref().unwrap_or(&default);
        let mut reason = None;
        for n in [64, 256, 16, 224, 1] {
            for channels in [1, 3] {
                let size = |(i, size): (usize, &Size)| match size {
                    Size::Fixed(n) => *n,
                    Size::Open(_) if dims.len() == 4 && i == 0 => 1,
                    Size::Open(_) if dims.len() >= 3 && i == dims.len() - 3 => channels,
                    Size::Open(_) => n,
                };
                let full: Vec<usize> = dims.iter().enumerate().map(size).collect();
                let shape = if full.len() == 4 && full[0] == 1 {
                    &full[1..]
                } else {
                    &full[..]
                };
                match self.graph(shape) {
                    Ok(graph) => return Ok(graph),
                    Err(e) => reason = reason.or(Some(e)),
                }
                if !dims.iter().any(|size| matches!(size, Size::Open(_))) {
                    break;
                }
            }
        }
        Err(reason.unwrap_or_else(|| broken("there is no size that suits the network")))
    }

    /// The nodes as they are described, the input with its channels and, where they are fixed, its rows and columns.
    ///
    /// # Errors
    /// As [`Onnx::sample`].
    #[cfg_attr(feature = "web", unsafe(export_name = "onnx_describe"))]
    #[inline(never)]
    pub fn describe(&self) -> Result<Vec<Description>> {
        let mut nodes: Vec<Description> = self.sample()?.describe().cloned().collect();
        if let (Some(first), Some([.., c, h, w])) = (nodes.first_mut(), self.dims.as_deref()) {
            first.attributes.clear();
            if let Size::Fixed(c) = c {
                first.attributes.insert("channels".into(), (*c).into());
            }
            if let (Size::Fixed(h), Size::Fixed(w)) = (h, w) {
                first.attributes.insert("size".into(), [*h, *w].into());
            }
        }
        Ok(nodes)
    }

    /// What the file tells about itself.
    pub fn card(&self) -> Value {
        let producer = Value::Text(self.producer.clone());
        Value::Object(
            [
                ("format".into(), "onnx".into()),
                ("opset".into(), Value::Number(self.opset as f64)),
                ("producer".into(), producer),
            ]
            .into(),
        )
    }
}

/// The start of a safetensors file: a length, and a brace where its header begins.
fn is_safetensors(bytes: &[u8]) -> bool {
    bytes.get(8) == Some(&b'{') && bytes.get(6..8) == Some(&[0, 0])
}

fn size(input: &str, dim: Dim<'_>) -> Result<Size> {
    match dim {
        // Some exporters write 0 or -1 for a size that is open.
        Dim::Fixed(-1 | 0) => Ok(Size::Open(String::new())),
        Dim::Fixed(n) => match usize::try_from(n)
            .ok()
            .filter(|&n| n <= crate::options::LARGEST)
        {
            Some(n) => Ok(Size::Fixed(n)),
            None => Err(broken(format!("the input \"{input}\" has the size {n}"))),
        },
        Dim::Open(name) => Ok(Size::Open(name.into())),
    }
}

/// The nodes that the output needs, in the file's order, under names of their own.
fn needed(model: &file::Model<'_>, output: &str, external: &[ExternalFile]) -> Result<Vec<Node>> {
    let mut makers: Table<&str, usize> = Table::new();
    for (i, node) in model.nodes.iter().enumerate() {
        for name in node.outputs.iter().filter(|name| !name.is_empty()) {
            if makers.insert(name, i).is_some() {
                return Err(broken(format!("two nodes make the value \"{name}\"")));
            }
        }
    }
    let mut wanted = vec![false; model.nodes.len()];
    let mut open: Vec<usize> = makers.get(output).copied().into_iter().collect();
    while let Some(i) = open.pop() {
        if !std::mem::replace(&mut wanted[i], true) {
            open.extend(
                model.nodes[i]
                    .inputs
                    .iter()
                    .filter_map(|name| makers.get(name)),
            );
        }
    }
    let mut names = Set::new();
    let mut nodes = Vec::new();
    for (node, _) in model
        .nodes
        .iter()
        .zip(&wanted)
        .filter(|(_, wanted)| **wanted)
    {
        let first = node
            .outputs
            .iter()
            .find(|name| !name.is_empty())
            .copied()
            .unwrap_or_default();
        let own = if node.name.is_empty() || names.contains_key(node.name) {
            first
        } else {
            node.name
        };
        names.add(own);
        nodes.push(Node::new(node, own.to_string(), external)?);
    }
    Ok(nodes)
}

/// Leaves out what the output does not need.
fn prune(nodes: &mut Vec<Description>, tensors: &mut Table<String, Arc<Tensor>>, output: &str) {
    let mut wanted = Set::from([(output.to_string(), ())]);
    for node in nodes.iter().rev() {
        if wanted.contains_key(&node.name) {
            for name in &node.inputs {
                wanted.add(name.clone());
            }
        }
    }
    for node in nodes.iter().filter(|node| !wanted.contains_key(&node.name)) {
        for slot in &node.parameters {
            tensors.remove(&format!("{}.{slot}", node.name));
        }
    }
    let input = nodes[0].name.clone();
    nodes.retain(|node| wanted.contains_key(&node.name) || node.name == input);
}
