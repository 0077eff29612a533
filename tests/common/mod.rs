//! What several tests share: golden files, and options written as JSON.
#![allow(dead_code)] // every test uses its part

use kernelscope::graph::{Description, Graph};
use kernelscope::map::Map;
use kernelscope::options::{Options, Value};
use kernelscope::{Tensor, files, weights};
use serde_json::Value as Json;
use std::sync::Arc;

/// A committed golden file.
pub fn golden(name: &str) -> Json {
    let path = format!("{}/tests/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The cases of a golden file.
pub fn cases(name: &str) -> Vec<Json> {
    golden(name)["cases"].as_array().expect("cases").clone()
}

/// JSON as an option's value.
pub fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Flag(*flag),
        Json::Number(number) => Value::Number(number.as_f64().expect("a number")),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(list) => Value::List(list.iter().map(value).collect()),
        Json::Object(_) => Value::Object(options(json)),
    }
}

/// A JSON object as options.
pub fn options(json: &Json) -> Options {
    json.as_object()
        .expect("an object")
        .iter()
        .map(|(name, json)| (name.clone(), value(json)))
        .collect()
}

/// A list of whole numbers.
pub fn sizes(json: &Json) -> Vec<usize> {
    json.as_array()
        .expect("a list")
        .iter()
        .map(|n| n.as_u64().expect("a whole number") as usize)
        .collect()
}

/// A list of numbers.
pub fn numbers(json: &Json) -> Vec<f32> {
    json.as_array()
        .expect("a list")
        .iter()
        .map(|n| n.as_f64().expect("a number") as f32)
        .collect()
}

/// A tensor as the golden files store it.
pub fn tensor(json: &Json) -> Tensor {
    let scale = json["scale"].as_f64().expect("a scale") as f32;
    let data = numbers(&json["data"])
        .into_iter()
        .map(|v| v / scale)
        .collect();
    Tensor::new(&sizes(&json["shape"]), data).expect("a tensor")
}

/// All positions in a tensor of this shape.
pub fn positions(shape: &[usize]) -> Vec<Vec<usize>> {
    let count: usize = shape.iter().product();
    let position = |mut i: usize| {
        let mut at = vec![0; shape.len()];
        for (place, n) in at.iter_mut().zip(shape).rev() {
            (*place, i) = (i % n, i / n);
        }
        at
    };
    (0..count).map(position).collect()
}

/// Equal bits, any two NaN being equal.
pub fn same_bits(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

/// A file of the repository.
pub fn path(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A network of tests/golden/models, PyTorch's map of every node, and what else the file holds, by key.
pub struct GoldenModel {
    pub graph: Arc<Graph>,
    pub maps: Map<String, Tensor>,
    pub tensors: Map<String, Tensor>,
    pub metadata: Map<String, String>,
}

/// Reads one.
pub fn golden_model(name: &str) -> GoldenModel {
    let file = path(&format!("tests/golden/models/{name}.safetensors"));
    let contents = weights::read(&std::fs::read(&file).expect("the file")).expect(name);
    let (mut parameters, mut maps, mut tensors) = (Map::new(), Map::new(), Map::new());
    for (key, tensor) in contents.tensors {
        match key.split_once(':') {
            Some(("map", node)) => maps.insert(node.to_string(), tensor),
            Some(_) => tensors.insert(key, tensor),
            None => parameters.insert(key, tensor),
        };
    }
    let json: Json = serde_json::from_str(&contents.metadata["graph"]).expect("JSON");
    let nodes = json["nodes"].as_array().expect("nodes").iter();
    let nodes = nodes.map(|node| Description::from_value(&value(node)).expect("a node"));
    GoldenModel {
        graph: Arc::new(Graph::new(nodes.collect(), parameters).expect(name)),
        maps,
        tensors,
        metadata: contents.metadata,
    }
}

/// A rectangle (top, left, height, width) of a picture of one channel.
pub fn part(name: &str, [top, left, height, width]: [usize; 4]) -> Tensor {
    let picture = files::png::decode(&std::fs::read(path(name)).expect(name))
        .expect(name)
        .image;
    let across = picture.shape()[2];
    let rows = (top..top + height).flat_map(|y| &picture.data()[y * across + left..][..width]);
    Tensor::new(&[1, height, width], rows.copied().collect()).expect("a picture")
}
