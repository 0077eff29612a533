//! Networks whose file another wasm module reads (`onnx`): this one asks it, through JavaScript, for the graph of each size of
//! picture and for each weight once.

use super::models::add;
use super::{Js, value};
use crate::error::{Error, Result};
use crate::graph::{Description, Graph};
use crate::map::Map;
use crate::network::{Network, Sizes};
use crate::options::Value;
use crate::tensor::Tensor;
use js_sys::{Float32Array, Reflect, Uint32Array};
use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Weak};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

/// How many sizes of pictures a network remembers its graphs for. They share their weights.
const REMEMBERED: usize = 4;

#[wasm_bindgen]
extern "C" {
    /// The file, as the other module holds it.
    pub type Source;

    /// { nodes, weights: { name: number } } for this shape, or for some size where it is empty.
    #[wasm_bindgen(method, catch)]
    fn graph(this: &Source, input: &[u32]) -> std::result::Result<JsValue, JsValue>;

    /// { data, shape }.
    #[wasm_bindgen(method, catch)]
    fn weight(this: &Source, number: u32) -> std::result::Result<JsValue, JsValue>;

    /// The file is not needed any more.
    #[wasm_bindgen(method)]
    fn free(this: &Source);
}

/// Such a network.
struct Elsewhere {
    source: Source,
    nodes: Vec<Description>,
    card: Value,
    made: RefCell<Vec<(Vec<usize>, Arc<Graph>)>>,
    /// What some graph still uses, by number.
    weights: RefCell<Map<u32, Weak<Tensor>>>,
}

/// Stores a network whose file `source` reads: its nodes and what it tells about itself are `described`.
#[wasm_bindgen]
pub fn load_elsewhere(source: Source, described: JsValue) -> Js<u32> {
    let Value::Object(mut described) = value(&described) else {
        return Err(broken("a file's description is no object").into());
    };
    let nodes = descriptions(described.remove("nodes"))?;
    let card = described.remove("card").unwrap_or(Value::Null);
    let network = Elsewhere {
        source,
        nodes,
        card,
        made: RefCell::default(),
        weights: RefCell::default(),
    };
    Ok(add(Network::Sized(Box::new(network))))
}

impl fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elsewhere").finish_non_exhaustive()
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.source.free();
    }
}

impl Elsewhere {
    fn make(&self, input: &[usize]) -> Result<Graph> {
        let input: Vec<u32> = input.iter().map(|&n| n as u32).collect();
        let made = self.source.graph(&input).map_err(refused)?;
        let Value::Object(mut made) = value(&made) else {
            return Err(broken("a graph is no object"));
        };
        let nodes = descriptions(made.remove("nodes"))?;
        let Some(Value::Object(numbers)) = made.remove("weights") else {
            return Err(broken("a graph has no weights"));
        };
        let mut tensors = Map::new();
        for (name, number) in numbers {
            let Value::Number(number) = number else {
                return Err(broken("a weight has no number"));
            };
            tensors.insert(name, self.weight(number as u32)?);
        }
        Graph::shared(nodes, tensors)
    }

    fn weight(&self, number: u32) -> Result<Arc<Tensor>> {
        let known = self.weights.borrow().get(&number).and_then(Weak::upgrade);
        if let Some(known) = known {
            return Ok(known);
        }
        let weight = self.source.weight(number).map_err(refused)?;
        let part = |name: &str| Reflect::get(&weight, &name.into()).ok();
        let data = part("data").and_then(|data| data.dyn_into::<Float32Array>().ok());
        let shape = part("shape").and_then(|shape| shape.dyn_into::<Uint32Array>().ok());
        let (Some(data), Some(shape)) = (data, shape) else {
            return Err(broken("a weight has no values"));
        };
        let tensor = Arc::new(Tensor::new(&super::sizes(&shape.to_vec()), data.to_vec())?);
        let mut weights = self.weights.borrow_mut();
        weights.insert(number, Arc::downgrade(&tensor));
        Ok(tensor)
    }

    fn find(&self, input: &[usize]) -> Option<Arc<Graph>> {
        let mut made = self.made.borrow_mut();
        let place = made.iter().position(|(shape, _)| shape == input)?;
        // The one asked for last is forgotten last.
        let found = made.remove(place);
        made.push(found);
        made.last().map(|(_, graph)| graph.clone())
    }
}

impl Sizes for Elsewhere {
    fn graph(&self, input: &[usize]) -> Result<Arc<Graph>> {
        if let Some(graph) = self.find(input) {
            return Ok(graph);
        }
        let graph = Arc::new(self.make(input)?);
        let mut made = self.made.borrow_mut();
        if made.len() == REMEMBERED {
            made.remove(0);
        }
        made.push((input.to_vec(), graph.clone()));
        Ok(graph)
    }

    fn sample(&self) -> Result<Arc<Graph>> {
        let newest = self.made.borrow().last().map(|(_, graph)| graph.clone());
        newest.map_or_else(|| self.graph(&[]), Ok)
    }

    fn describe(&self) -> Result<Vec<Description>> {
        Ok(self.nodes.clone())
    }

    fn card(&self) -> Value {
        self.card.clone()
    }
}

fn descriptions(nodes: Option<Value>) -> Result<Vec<Description>> {
    match nodes {
        Some(Value::List(nodes)) => nodes.iter().map(Description::from_value).collect(),
        _ => Err(broken("a graph has no list of nodes")),
    }
}

fn broken(problem: &str) -> Error {
    Error::Other {
        op: "model".into(),
        problem: problem.into(),
    }
}

/// What the other module says, in its own words.
fn refused(error: JsValue) -> Error {
    let message = match error.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => format!("{error:?}"),
    };
    match message.split_once(": ") {
        Some((op, problem)) => Error::Other {
            op: op.into(),
            problem: problem.into(),
        },
        None => broken(&message),
    }
}
