//! Networks as graphs: named nodes in order, each an operator with its parameters.
//!
//! A node's map can be kept and taken apart ([`Trace::explain`]), its gradient with respect to the image is exact
//! ([`Trace::gradient`]), and so is its receptive field ([`Graph::receptive_field`]).
//!
//! **Coordinates.** Everything that a network does to sizes it does in nodes: `reflect_pad` widens a picture below and to
//! the right, `crop_to` cuts it back. So positions in the image are the original picture's, positions in a node are that
//! map's own, and since nothing is added above or to the left, both agree wherever the sizes do.

mod field;
#[cfg(feature = "gpu")]
pub mod gpu;
mod gradient;
mod patch;
mod plan;
mod shares;
mod tiles;
mod trace;

pub use shares::{Concatenation, Part, Shares, Summands};
pub use tiles::{Strip, Tiling};
pub use trace::Trace;

use crate::error::{Error, Result, tuple};
use crate::map::Map;
use crate::ops::Op;
use crate::options::{Options, Reader, Value};
use crate::tensor::Tensor;
use std::sync::Arc;

const OP: &str = "graph";

/// The most nodes a graph may have.
const MOST: usize = 10_000;

/// A node as people write it down.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// Its name, unlike all others.
    pub name: String,
    /// The operator's public name, or "input" for the image.
    pub op: String,
    /// The names of earlier nodes.
    pub inputs: Vec<String>,
    /// The operator's options. The input has `channels` and, where a network demands it, `size` [H, W]; or `shape`, if it
    /// was made for exactly one.
    pub attributes: Options,
    /// The parameters it has: "weight" of the node "logits" is the tensor "logits.weight".
    pub parameters: Vec<String>,
}

impl Description {
    /// A node; attributes and parameters are added with [`Description::with`] and [`Description::learned`].
    pub fn new(name: impl Into<String>, op: &str, inputs: &[&str]) -> Description {
        Description {
            name: name.into(),
            op: op.into(),
            inputs: inputs.iter().map(|name| name.to_string()).collect(),
            attributes: Options::new(),
            parameters: Vec::new(),
        }
    }

    /// Adds an option.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Description {
        self.attributes.insert(name.into(), value.into());
        self
    }

    /// Names its parameters.
    pub fn learned(mut self, parameters: &[&str]) -> Description {
        self.parameters = parameters.iter().map(|name| name.to_string()).collect();
        self
    }

    /// The description as a plain object.
    pub fn to_value(&self) -> Value {
        let words = |list: &[String]| Value::List(list.iter().map(|w| w.as_str().into()).collect());
        Value::Object(Options::from([
            ("name".into(), self.name.as_str().into()),
            ("op".into(), self.op.as_str().into()),
            ("inputs".into(), words(&self.inputs)),
            ("attributes".into(), Value::Object(self.attributes.clone())),
            ("parameters".into(), words(&self.parameters)),
        ]))
    }

    /// Reads a plain object; missing inputs, attributes and parameters count as none.
    ///
    /// # Errors
    /// If a property is missing, unknown or of the wrong type.
    pub fn from_value(value: &Value) -> Result<Description> {
        let Value::Object(object) = value else {
            return Err(refuse(format!("a node must be an object; got {value}")));
        };
        let mut reader = Reader::new(OP, object);
        let mut text = |name| match reader.value(name) {
            Some(Value::Text(text)) => Ok(text.clone()),
            other => {
                let got = other.unwrap_or(&Value::Null);
                Err(reader.refuse(&format!("a node's {name}"), "a text", got))
            }
        };
        let (name, op) = (text("name")?, text("op")?);
        let mut words = |name| match reader.value(name) {
            None => Ok(Vec::new()),
            Some(Value::List(list)) => list
                .iter()
                .map(|item| match item {
                    Value::Text(word) => Ok(word.clone()),
                    other => {
                        Err(reader.refuse(&format!("a node's {name}"), "a list of texts", other))
                    }
                })
                .collect(),
            Some(other) => {
                Err(reader.refuse(&format!("a node's {name}"), "a list of texts", other))
            }
        };
        let (inputs, parameters) = (words("inputs")?, words("parameters")?);
        let attributes = match reader.value("attributes") {
            None => Options::new(),
            Some(Value::Object(attributes)) => attributes.clone(),
            Some(other) => return Err(reader.refuse("a node's attributes", "an object", other)),
        };
        reader.finish()?;
        Ok(Description {
            name,
            op,
            inputs,
            attributes,
            parameters,
        })
    }
}

fn refuse(problem: String) -> Error {
    Error::Other {
        op: OP.into(),
        problem,
    }
}

/// What a node does.
#[derive(Clone, Debug, PartialEq)]
enum Kind {
    /// It is the image.
    Input {
        channels: usize,
        size: Option<[usize; 2]>,
    },
    /// It is a tensor of this very shape: the network was made for it.
    Exact(Vec<usize>),
    /// It computes.
    Op(Op),
}

#[derive(Clone, Debug)]
struct Node {
    kind: Kind,
    inputs: Vec<usize>,
    parameters: Vec<Option<Arc<Tensor>>>,
    /// Its weights as the kernels want them, if it is a convolution.
    arranged: Arc<crate::ops::conv2d::Arranged>,
    description: Description,
}

impl Node {
    fn name(&self) -> &str {
        &self.description.name
    }
}

/// Which maps outlive a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Keep {
    /// The last node's only; every other buffer is freed at its last use.
    Output,
    /// All.
    All,
    /// The output's and those of these nodes.
    Nodes(Vec<String>),
}

/// A network: nodes in order, the first one the image, the last one the output.
#[derive(Clone, Debug)]
pub struct Graph {
    nodes: Vec<Node>,
    index: Map<String, usize>,
    /// For every batch norm that directly follows a convolution of its own: both as one convolution.
    folded: Vec<Option<plan::Folded>>,
}

impl Graph {
    /// Builds a graph and checks it: names, order, options, parameters and shapes.
    ///
    /// ```
    /// use kernelscope::Tensor;
    /// use kernelscope::graph::{Description, Graph, Keep};
    /// use std::sync::Arc;
    /// let nodes = vec![
    ///     Description::new("image", "input", &[]).with("channels", 1usize),
    ///     Description::new("edges", "conv2d", &["image"]).learned(&["weight"]),
    ///     Description::new("positive", "relu", &["edges"]),
    /// ];
    /// let weight = Tensor::new(&[1, 1, 1, 2], vec![-1.0, 1.0])?;
    /// let graph = Arc::new(Graph::new(nodes, [("edges.weight".to_string(), weight)].into())?);
    /// let trace = graph.run(Tensor::new(&[1, 1, 3], vec![0.0, 2.0, 1.0])?, &Keep::Output)?;
    /// assert_eq!(trace.output().data(), [2.0, 0.0]);
    /// # Ok::<(), kernelscope::Error>(())
    /// ```
    ///
    /// # Errors
    /// If something of it is wrong or a tensor is missing or belongs to no node.
    pub fn new(descriptions: Vec<Description>, tensors: Map<String, Tensor>) -> Result<Graph> {
        let shared = tensors.into_iter();
        let shared = shared.map(|(name, tensor)| (name, Arc::new(tensor)));
        Graph::shared(descriptions, shared.collect())
    }

    /// [`Graph::new`] with tensors that others use too.
    ///
    /// # Errors
    /// As [`Graph::new`].
    pub fn shared(
        descriptions: Vec<Description>,
        mut tensors: Map<String, Arc<Tensor>>,
    ) -> Result<Graph> {
        if descriptions.is_empty() || descriptions.len() > MOST {
            let got = descriptions.len();
            return Err(refuse(format!("a graph has 1 to {MOST} nodes; got {got}")));
        }
        let mut graph = Graph {
            nodes: Vec::new(),
            index: Map::new(),
            folded: Vec::new(),
        };
        for description in descriptions {
            let node = graph.node(description, &mut tensors)?;
            let place = graph.nodes.len();
            if graph.index.insert(node.name().to_string(), place).is_some() {
                return Err(refuse(format!("two nodes are called \"{}\"", node.name())));
            }
            graph.nodes.push(node);
        }
        if let Some(name) = tensors.keys().next() {
            return Err(refuse(format!("the tensor \"{name}\" belongs to no node")));
        }
        match &graph.nodes[0].kind {
            Kind::Input { channels, size } => {
                let [h, w] = size.unwrap_or([64, 64]);
                graph.sizes(&[*channels, h, w])?;
            }
            Kind::Exact(shape) => {
                graph.sizes(shape)?;
            }
            Kind::Op(_) => return Err(refuse("the first node must be the input".into())),
        }
        graph.folded = (0..graph.nodes.len())
            .map(|i| plan::fold(&graph, i))
            .collect();
        Ok(graph)
    }

    fn node(
        &self,
        description: Description,
        tensors: &mut Map<String, Arc<Tensor>>,
    ) -> Result<Node> {
        let name = &description.name;
        let wrong = |problem: String| refuse(format!("the node \"{name}\" {problem}"));
        let kind = if description.op == "input" {
            let mut reader = Reader::new(OP, &description.attributes);
            let channels = reader.whole("channels", 1)?.unwrap_or(1);
            let size = reader.pair("size", 1)?;
            let shape = match reader.value("shape") {
                None => None,
                Some(Value::List(list)) if (1..=4).contains(&list.len()) => {
                    list.iter().map(|n| crate::options::whole(n, 1)).collect()
                }
                Some(other) => return Err(reader.refuse("shape", "1 to 4 sizes", other)),
            };
            reader.finish()?;
            match shape {
                Some(shape) => Kind::Exact(shape),
                None => Kind::Input { channels, size },
            }
        } else {
            let op = Op::parse(&description.op, &description.attributes);
            Kind::Op(op.map_err(|e| wrong(format!("is impossible: {e}")))?)
        };
        if (kind_is_input(&kind)) != self.nodes.is_empty() {
            return Err(wrong(
                "is out of order: the input, and only it, comes first".into(),
            ));
        }
        let earlier = |input: &String| {
            let known = self.index.get(input).copied();
            known.ok_or_else(|| wrong(format!("reads \"{input}\", which is no earlier node")))
        };
        let inputs = description
            .inputs
            .iter()
            .map(earlier)
            .collect::<Result<Vec<_>>>()?;
        let (slots, required) = match &kind {
            Kind::Input { .. } | Kind::Exact(_) => (&[][..], 0),
            Kind::Op(op) => op.parameters(),
        };
        if let Some(unknown) = description
            .parameters
            .iter()
            .find(|p| !slots.contains(&p.as_str()))
        {
            return Err(wrong(format!(
                "has no parameter \"{unknown}\"; it can have: {}",
                slots.join(", ")
            )));
        }
        let mut parameters = Vec::new();
        for (i, slot) in slots.iter().enumerate() {
            if description.parameters.iter().any(|p| p == slot) {
                let key = format!("{name}.{slot}");
                let tensor = tensors.remove(&key);
                let tensor = tensor.ok_or_else(|| wrong(format!("needs the tensor \"{key}\"")))?;
                parameters.push(Some(tensor));
            } else if i < required {
                return Err(wrong(format!("lacks its parameter \"{slot}\"")));
            } else {
                parameters.push(None);
            }
        }
        Ok(Node {
            kind,
            inputs,
            parameters,
            arranged: Arc::default(),
            description,
        })
    }

    /// The nodes as they were described, in order.
    pub fn describe(&self) -> impl ExactSizeIterator<Item = &Description> {
        self.nodes.iter().map(|node| &node.description)
    }

    /// The parameters by their full names, "logits.weight".
    pub fn parameters(&self) -> Map<String, Arc<Tensor>> {
        let each = |node: &Node| {
            let (name, slots) = match &node.kind {
                Kind::Input { .. } | Kind::Exact(_) => (node.name().to_string(), &[][..]),
                Kind::Op(op) => (node.name().to_string(), op.parameters().0),
            };
            let tensors = node.parameters.clone();
            let pairs = slots.iter().zip(tensors);
            pairs
                .filter_map(move |(slot, tensor)| Some((format!("{name}.{slot}"), tensor?)))
                .collect::<Vec<_>>()
        };
        self.nodes.iter().flat_map(each).collect()
    }

    /// The number of learned numbers (running statistics are not learned and do not count).
    pub fn count(&self) -> u64 {
        let tensors = self.parameters().into_iter();
        let learned = tensors
            .filter(|(name, _)| !name.ends_with(".runningMean") && !name.ends_with(".runningVar"));
        learned.map(|(_, tensor)| tensor.data().len() as u64).sum()
    }

    /// The name of the last node.
    pub fn output(&self) -> &str {
        self.nodes[self.nodes.len() - 1].name()
    }

    fn find(&self, name: &str) -> Result<usize> {
        self.index.get(name).copied().ok_or_else(|| {
            let names: Vec<&str> = self.nodes.iter().map(Node::name).collect();
            refuse(format!(
                "there is no node \"{name}\"; nodes: {}",
                names.join(", ")
            ))
        })
    }

    /// The shape of every node's map for an image of this shape, (C, H, W) or (N, C, H, W).
    ///
    /// # Errors
    /// If the image has the wrong channels, or is too small for the network.
    pub fn shapes(&self, input: &[usize]) -> Result<Map<String, Vec<usize>>> {
        let names = self.nodes.iter().map(|node| node.name().to_string());
        Ok(names.zip(self.sizes(input)?).collect())
    }

    fn sizes(&self, input: &[usize]) -> Result<Vec<Vec<usize>>> {
        let mut sizes: Vec<Vec<usize>> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let size = match &node.kind {
                Kind::Input { channels, size } => {
                    let fits = matches!(*input, [.., c, h, w] if c == *channels && size.is_none_or(|s| s == [h, w]));
                    if !fits || !(3..=4).contains(&input.len()) {
                        let [h, w] =
                            size.map_or(["H".into(), "W".into()], |s| s.map(|n| n.to_string()));
                        return Err(Error::Shape {
                            op: OP.into(),
                            input: "the image".into(),
                            expected: format!(
                                "({channels}, {h}, {w}) or (N, {channels}, {h}, {w})"
                            ),
                            got: input.to_vec(),
                        });
                    }
                    crate::tensor::values_of(OP, input)?;
                    input.to_vec()
                }
                Kind::Exact(shape) if shape != input => {
                    return Err(Error::Shape {
                        op: OP.into(),
                        input: "the input".into(),
                        expected: tuple(shape),
                        got: input.to_vec(),
                    });
                }
                Kind::Exact(_) => input.to_vec(),
                Kind::Op(op) => {
                    let shapes = node.inputs.iter().map(|&i| Some(&sizes[i][..]));
                    let parameters = node
                        .parameters
                        .iter()
                        .map(|p| p.as_deref().map(Tensor::shape));
                    let inputs: Vec<_> = shapes.chain(parameters).collect();
                    op.shape(&inputs).map_err(|e| {
                        let what = format!(
                            "the node \"{}\" cannot be computed for an image",
                            node.name()
                        );
                        refuse(format!("{what} of shape {}: {e}", tuple(input)))
                    })?
                }
            };
            sizes.push(size);
        }
        Ok(sizes)
    }

    /// Whether each node takes part in computing one of `wanted`.
    fn needed(&self, wanted: impl IntoIterator<Item = usize>) -> Vec<bool> {
        let mut needed = vec![false; self.nodes.len()];
        wanted.into_iter().for_each(|i| needed[i] = true);
        for i in (0..self.nodes.len()).rev() {
            if needed[i] {
                self.nodes[i]
                    .inputs
                    .iter()
                    .for_each(|&input| needed[input] = true);
            }
        }
        needed
    }
}

fn kind_is_input(kind: &Kind) -> bool {
    matches!(kind, Kind::Input { .. } | Kind::Exact(_))
}
