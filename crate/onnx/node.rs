//! A node as it is worked on: its attributes read with care, its complaints with its name.

use super::constant::{Constant, ExternalFile};
use super::file::{self, Attribute};
use super::wire::broken;
use crate::error::{Error, Result};
use crate::map::{Map, Set};
use std::cell::RefCell;

/// A node of the model.
#[derive(Debug)]
pub struct Node {
    /// Its name in the network.
    pub name: String,
    /// The operator.
    pub op: String,
    /// Names of values; "" for one that is not given.
    pub inputs: Vec<String>,
    /// Names of values.
    pub outputs: Vec<String>,
    attributes: Map<String, Setting>,
    /// The attributes that somebody asked for; the others are refused.
    read: RefCell<Set<&'static str>>,
}

#[derive(Clone, Debug)]
enum Setting {
    Float(f32),
    Int(i64),
    Text(String),
    Constant(Constant),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    Other(&'static str),
}

impl Node {
    /// A node of a file under a name of its own.
    ///
    /// # Errors
    /// If an attribute appears twice or holds a tensor that cannot be read.
    pub fn new(node: &file::Node<'_>, name: String, files: &[ExternalFile]) -> Result<Node> {
        let mut made = Node {
            name,
            op: node.op.into(),
            inputs: node.inputs.iter().map(|name| name.to_string()).collect(),
            outputs: node.outputs.iter().map(|name| name.to_string()).collect(),
            attributes: Map::new(),
            read: RefCell::default(),
        };
        for (key, value) in &node.attributes {
            let setting = match value {
                Attribute::Float(n) => Setting::Float(*n),
                Attribute::Int(n) => Setting::Int(*n),
                Attribute::Text(text) => Setting::Text(text.to_string()),
                Attribute::Tensor(tensor) => {
                    Setting::Constant(Constant::read(tensor, files).map_err(|e| made.because(e))?)
                }
                Attribute::Floats(list) => Setting::Floats(list.clone()),
                Attribute::Ints(list) => Setting::Ints(list.clone()),
                Attribute::Other(what) => Setting::Other(what),
            };
            if made.attributes.insert(key.to_string(), setting).is_some() {
                return Err(made.wrong(format!("has the attribute {key} twice")));
            }
        }
        Ok(made)
    }

    /// A complaint about this node.
    pub fn wrong(&self, problem: impl AsRef<str>) -> Error {
        self.complain(problem.as_ref())
    }

    // Complaints are rare and many: none of them belongs into the code around it.
    #[cold]
    #[inline(never)]
    fn complain(&self, problem: &str) -> Error {
        broken(format!(
            "the node \"{}\" ({}) {}",
            self.name, self.op, problem
        ))
    }

    /// A complaint with somebody else's reason.
    #[cold]
    #[inline(never)]
    pub fn because(&self, error: Error) -> Error {
        let reason = error.to_string();
        let reason = reason.strip_prefix("onnx: ").unwrap_or(&reason);
        if reason.starts_with("the node \"") {
            return broken(reason);
        }
        self.wrong(format!("cannot be computed: {reason}"))
    }

    #[inline(never)]
    fn setting(&self, name: &'static str) -> Option<&Setting> {
        self.read.borrow_mut().add(name);
        self.attributes.get(name)
    }

    fn unfit(&self, name: &str, expected: &str, got: &Setting) -> Error {
        let got = match got {
            Setting::Float(n) => n.to_string(),
            Setting::Int(n) => n.to_string(),
            Setting::Text(text) => format!("\"{text}\""),
            Setting::Constant(_) => "a tensor".into(),
            Setting::Floats(list) => format!("{list:?}"),
            Setting::Ints(list) => format!("{list:?}"),
            Setting::Other(what) => what.to_string(),
        };
        self.wrong(format!(
            "has the attribute {name}, which must be {expected}; got {got}"
        ))
    }

    /// A whole number.
    pub fn int(&self, name: &'static str, default: i64) -> Result<i64> {
        match self.setting(name) {
            None => Ok(default),
            Some(Setting::Int(n)) => Ok(*n),
            Some(other) => Err(self.unfit(name, "a whole number", other)),
        }
    }

    /// A whole number that must be there.
    pub fn needed_int(&self, name: &'static str) -> Result<i64> {
        if self.setting(name).is_none() {
            return Err(self.wrong(format!("lacks the attribute {name}")));
        }
        self.int(name, 0)
    }

    /// A number.
    pub fn float(&self, name: &'static str, default: f32) -> Result<f32> {
        match self.setting(name) {
            None => Ok(default),
            Some(Setting::Float(n)) => Ok(*n),
            Some(other) => Err(self.unfit(name, "a number", other)),
        }
    }

    /// A text.
    pub fn text<'a>(&'a self, name: &'static str, default: &'a str) -> Result<&'a str> {
        match self.setting(name) {
            None => Ok(default),
            Some(Setting::Text(text)) => Ok(text),
            Some(other) => Err(self.unfit(name, "a text", other)),
        }
    }

    /// Whole numbers.
    pub fn ints(&self, name: &str) -> Result<Option<Vec<i64>>> {
        // The names are a handful of literals, but reach here through variables too.
        let names = [
            "axes",
            "dilations",
            "ends",
            "kernel_shape",
            "output_padding",
            "output_shape",
            "pads",
            "perm",
            "shape",
            "starts",
            "strides",
            "value_ints",
        ];
        let Some(name) = names.into_iter().find(|known| *known == name) else {
            return Ok(None);
        };
        match self.setting(name) {
            None => Ok(None),
            Some(Setting::Ints(list)) => Ok(Some(list.clone())),
            Some(other) => Err(self.unfit(name, "a list of whole numbers", other)),
        }
    }

    /// Numbers.
    pub fn floats(&self, name: &'static str) -> Result<Option<Vec<f32>>> {
        match self.setting(name) {
            None => Ok(None),
            Some(Setting::Floats(list)) => Ok(Some(list.clone())),
            Some(Setting::Ints(list)) if list.is_empty() => Ok(Some(Vec::new())),
            Some(other) => Err(self.unfit(name, "a list of numbers", other)),
        }
    }

    /// A tensor.
    pub fn constant(&self, name: &'static str) -> Result<Option<&Constant>> {
        match self.setting(name) {
            None => Ok(None),
            Some(Setting::Constant(constant)) => Ok(Some(constant)),
            Some(other) => Err(self.unfit(name, "a tensor", other)),
        }
    }

    /// Whether an attribute is there.
    pub fn has(&self, name: &'static str) -> bool {
        self.setting(name).is_some()
    }

    /// An input that must be given.
    pub fn given<'a, T>(&self, inputs: &[Option<&'a T>], place: usize) -> Result<&'a T> {
        inputs
            .get(place)
            .copied()
            .flatten()
            .ok_or_else(|| self.wrong(format!("lacks its input {}", place + 1)))
    }

    /// Refuses the attributes that nobody asked for: they could change the result.
    ///
    /// # Errors
    /// On the first of them.
    pub fn finish(&self) -> Result<()> {
        let read = self.read.borrow();
        match self
            .attributes
            .keys()
            .find(|key| !read.contains_key(key.as_str()))
        {
            None => Ok(()),
            Some(key) => {
                Err(self.wrong(format!("has the attribute {key}, which is not supported")))
            }
        }
    }
}
