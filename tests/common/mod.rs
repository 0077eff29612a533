//! What several tests share: golden files, and options written as JSON.
#![allow(dead_code)] // every test uses its part

use kernelscope::Tensor;
use kernelscope::options::{Options, Value};
use serde_json::Value as Json;

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
