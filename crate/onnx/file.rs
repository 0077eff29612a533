//! The messages of an ONNX file that matter here, read in place ([onnx.proto](https://onnx.ai/onnx/api/classes.html)).
//!
//! What could change a result and is not read is refused by name: functions, sparse weights, quantisation, other domains.

use super::wire::{Fields, Value, broken};
use crate::error::Result;

/// The most nodes, weights, inputs and attributes that are read.
const MOST: usize = 20_000;

/// A model.
#[derive(Default)]
pub struct Model<'a> {
    /// The version of the operators.
    pub opset: i64,
    /// Who wrote the file.
    pub producer: &'a str,
    /// The nodes in order.
    pub nodes: Vec<Node<'a>>,
    /// The weights.
    pub initializers: Vec<Tensor<'a>>,
    /// The inputs, weights among them in old files.
    pub inputs: Vec<Input<'a>>,
    /// The outputs' names.
    pub outputs: Vec<&'a str>,
}

/// A node.
#[derive(Default)]
pub struct Node<'a> {
    /// Its name, possibly none.
    pub name: &'a str,
    /// The operator.
    pub op: &'a str,
    /// Names of values; "" for one that is not given.
    pub inputs: Vec<&'a str>,
    /// Names of values.
    pub outputs: Vec<&'a str>,
    /// The attributes.
    pub attributes: Vec<(&'a str, Attribute<'a>)>,
}

/// An attribute's value.
#[derive(Clone)]
pub enum Attribute<'a> {
    /// A number.
    Float(f32),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(&'a str),
    /// A tensor.
    Tensor(Box<Tensor<'a>>),
    /// Numbers.
    Floats(Vec<f32>),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// Something that no supported operator has: its name.
    Other(&'static str),
}

/// A tensor.
#[derive(Clone, Default)]
pub struct Tensor<'a> {
    /// Its name, in the case of a weight.
    pub name: &'a str,
    /// The sizes.
    pub dims: Vec<i64>,
    /// The type of its numbers.
    pub kind: i64,
    /// The numbers as bytes.
    pub raw: Option<&'a [u8]>,
    /// The numbers.
    pub floats: Vec<f32>,
    /// The numbers.
    pub ints: Vec<i64>,
    /// The numbers.
    pub doubles: Vec<f64>,
    /// Where the bytes lie, if in another file.
    pub external: Option<External<'a>>,
}

/// A place in another file.
#[derive(Clone, Copy, Default)]
pub struct External<'a> {
    /// The file's name.
    pub location: &'a str,
    /// The first byte.
    pub offset: u64,
    /// The number of bytes, if given.
    pub length: Option<u64>,
}

/// An input of the model.
#[derive(Default)]
pub struct Input<'a> {
    /// Its name.
    pub name: &'a str,
    /// The type of its numbers.
    pub kind: i64,
    /// The sizes, those that the file leaves open as their names; `None` if even their number is open.
    pub dims: Option<Vec<Dim<'a>>>,
}

/// A size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Dim<'a> {
    /// Fixed.
    Fixed(i64),
    /// Open.
    Open(&'a str),
}

fn limited<T>(list: &mut Vec<T>, item: T, what: &str) -> Result<()> {
    if list.len() >= MOST {
        return Err(broken(format!("more than {MOST} {what}")));
    }
    list.push(item);
    Ok(())
}

impl<'a> Model<'a> {
    /// Reads a file.
    ///
    /// # Errors
    /// If it is damaged, or holds something that is refused.
    pub fn read(bytes: &'a [u8]) -> Result<Model<'a>> {
        if bytes.is_empty() {
            return Err(broken("the file is empty"));
        }
        let mut model = Model::default();
        let (mut graph, mut opset) = (None, None);
        for field in Fields::new(bytes) {
            match field? {
                (2, producer) => model.producer = producer.text()?,
                (7, message) if graph.is_none() => graph = Some(message.bytes()?),
                (7, _) => return Err(broken("the file holds two graphs")),
                (8, message) => {
                    let (domain, version) = read_opset(message.bytes()?)?;
                    if domain.is_empty() || domain == "ai.onnx" {
                        opset = Some(version);
                    }
                }
                (25, _) => {
                    return Err(broken(
                        "the file defines functions of its own, which are not read; export with the operators inlined \
                         (onnx.inliner.inline_local_functions)",
                    ));
                }
                _ => {}
            }
        }
        let graph = graph.ok_or_else(|| broken("there is no graph; is this an ONNX file?"))?;
        model.opset = opset.ok_or_else(|| broken("the file does not say which opset it uses"))?;
        model.graph(graph)?;
        Ok(model)
    }

    fn graph(&mut self, bytes: &'a [u8]) -> Result<()> {
        for field in Fields::new(bytes) {
            match field? {
                (1, node) => limited(&mut self.nodes, read_node(node.bytes()?)?, "nodes")?,
                (5, tensor) => {
                    let tensor = read_tensor(tensor.bytes()?)?;
                    limited(&mut self.initializers, tensor, "weights")?;
                }
                (11, input) => {
                    limited(&mut self.inputs, read_input(input.bytes()?)?, "inputs")?;
                }
                (12, output) => {
                    let name = read_input(output.bytes()?)?.name;
                    limited(&mut self.outputs, name, "outputs")?;
                }
                (14, _) => {
                    return Err(broken(
                        "the file has quantised weights, which are not read; export the network before quantisation",
                    ));
                }
                (15, _) => return Err(broken("the file has sparse weights, which are not read")),
                _ => {}
            }
        }
        Ok(())
    }
}

fn read_opset(bytes: &[u8]) -> Result<(&str, i64)> {
    let (mut domain, mut version) = ("", 0);
    for field in Fields::new(bytes) {
        match field? {
            (1, text) => domain = text.text()?,
            (2, number) => version = number.int()?,
            _ => {}
        }
    }
    Ok((domain, version))
}

fn read_node(bytes: &[u8]) -> Result<Node<'_>> {
    let mut node = Node::default();
    for field in Fields::new(bytes) {
        match field? {
            (1, name) => limited(&mut node.inputs, name.text()?, "inputs of a node")?,
            (2, name) => limited(&mut node.outputs, name.text()?, "outputs of a node")?,
            (3, name) => node.name = name.text()?,
            (4, op) => node.op = op.text()?,
            (5, attribute) => {
                let attribute = read_attribute(attribute.bytes()?)?;
                limited(&mut node.attributes, attribute, "attributes of a node")?;
            }
            (7, domain) => {
                let domain = domain.text()?;
                if !domain.is_empty() && domain != "ai.onnx" {
                    return Err(broken(format!(
                        "the node \"{}\" ({}) is an operator of the domain \"{domain}\"; only ONNX's own operators are read",
                        node.name, node.op
                    )));
                }
            }
            _ => {}
        }
    }
    Ok(node)
}

fn read_attribute(bytes: &[u8]) -> Result<(&str, Attribute<'_>)> {
    let (mut name, mut kind) = ("", 0);
    let (mut float, mut int, mut text, mut tensor) = (None, None, None, None);
    let (mut floats, mut ints, mut other) = (Vec::new(), Vec::new(), None);
    for field in Fields::new(bytes) {
        match field? {
            (1, value) => name = value.text()?,
            (2, value) => float = Some(value.float()?),
            (3, value) => int = Some(value.int()?),
            (4, value) => text = Some(value.bytes()?),
            (5, value) => tensor = Some(read_tensor(value.bytes()?)?),
            (6 | 11, _) => other = Some("a graph"),
            (7, value) => value.floats(&mut floats)?,
            (8, value) => value.ints(&mut ints)?,
            (9, _) => other = Some("a list of texts"),
            (20, value) => kind = value.int()?,
            (21, _) => other = Some("a reference to a function's attribute"),
            (10 | 14 | 15 | 22 | 23, _) => other = Some("a list of tensors or types"),
            _ => {}
        }
    }
    let utf8 = |text| {
        std::str::from_utf8(text)
            .map(Attribute::Text)
            .unwrap_or(Attribute::Other("no UTF-8 text"))
    };
    let value = match kind {
        _ if other.is_some() => Attribute::Other(other.unwrap_or_default()),
        // Numbers that are 0 and empty texts may be left out.
        1 => Attribute::Float(float.unwrap_or(0.0)),
        2 => Attribute::Int(int.unwrap_or(0)),
        3 => utf8(text.unwrap_or_default()),
        4 => Attribute::Tensor(Box::new(tensor.unwrap_or_default())),
        6 => Attribute::Floats(floats),
        7 => Attribute::Ints(ints),
        // Very old files do not say the kind.
        0 => match (float, int, text, tensor) {
            (Some(float), ..) => Attribute::Float(float),
            (_, Some(int), ..) => Attribute::Int(int),
            (_, _, Some(text), _) => utf8(text),
            (.., Some(tensor)) => Attribute::Tensor(Box::new(tensor)),
            _ if floats.is_empty() => Attribute::Ints(ints),
            _ => Attribute::Floats(floats),
        },
        _ => Attribute::Other("of an unknown kind"),
    };
    Ok((name, value))
}

fn read_tensor(bytes: &[u8]) -> Result<Tensor<'_>> {
    let mut tensor = Tensor::default();
    let (mut entries, mut outside) = (External::default(), false);
    for field in Fields::new(bytes) {
        match field? {
            (1, value) => value.ints(&mut tensor.dims)?,
            (2, value) => tensor.kind = value.int()?,
            (3, _) => return Err(broken("a tensor is stored in segments, which are not read")),
            (4, value) => value.floats(&mut tensor.floats)?,
            (5 | 7, value) => value.ints(&mut tensor.ints)?,
            (8, value) => tensor.name = value.text()?,
            (9, value) => tensor.raw = Some(value.bytes()?),
            (10, value) => value.doubles(&mut tensor.doubles)?,
            (13, value) => read_external(value.bytes()?, &mut entries)?,
            (14, value) => outside = value.int()? == 1,
            _ => {}
        }
    }
    tensor.external = outside.then_some(entries);
    Ok(tensor)
}

fn read_external<'a>(bytes: &'a [u8], external: &mut External<'a>) -> Result<()> {
    let (mut key, mut value) = ("", "");
    for field in Fields::new(bytes) {
        match field? {
            (1, text) => key = text.text()?,
            (2, text) => value = text.text()?,
            _ => {}
        }
    }
    let number = || {
        let wrong = |_| {
            broken(format!(
                "external data has the {key} \"{value}\", which is no number"
            ))
        };
        value.parse::<u64>().map_err(wrong)
    };
    match key {
        "location" => external.location = value,
        "offset" => external.offset = number()?,
        "length" => external.length = Some(number()?),
        _ => {}
    }
    Ok(())
}

fn read_input(bytes: &[u8]) -> Result<Input<'_>> {
    let mut input = Input::default();
    for field in Fields::new(bytes) {
        match field? {
            (1, name) => input.name = name.text()?,
            (2, kind) => {
                for field in Fields::new(kind.bytes()?) {
                    if let (1, tensor) = field? {
                        read_type(tensor.bytes()?, &mut input)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(input)
}

fn read_type<'a>(bytes: &'a [u8], input: &mut Input<'a>) -> Result<()> {
    for field in Fields::new(bytes) {
        match field? {
            (1, kind) => input.kind = kind.int()?,
            (2, shape) => {
                let mut dims = Vec::new();
                for field in Fields::new(shape.bytes()?) {
                    if let (1, dim) = field? {
                        limited(&mut dims, read_dim(dim.bytes()?)?, "dimensions")?;
                    }
                }
                input.dims = Some(dims);
            }
            _ => {}
        }
    }
    Ok(())
}

fn read_dim(bytes: &[u8]) -> Result<Dim<'_>> {
    let mut dim = Dim::Open("");
    for field in Fields::new(bytes) {
        match field? {
            (1, value @ Value::Varint(_)) => dim = Dim::Fixed(value.int()?),
            (2, name) => dim = Dim::Open(name.text()?),
            _ => {}
        }
    }
    Ok(dim)
}
