//! The bindings of receptive fields of chains of layers.

use super::{Js, keep, object, pair, sizes, value};
use crate::options::Value;
use crate::receptive::Network;
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

/// The picture and every layer's output with their receptive fields, for a picture of (H, W) or (C, H, W).
#[wasm_bindgen]
pub fn receptive_chain(layers: JsValue, input: &[u32]) -> Js<JsValue> {
    object(&network(&layers, input)?.chain())
}

/// What output `at` of the last layer sees of every map, the picture first.
#[wasm_bindgen]
pub fn receptive_rects(layers: JsValue, input: &[u32], at: &[u32]) -> Js<JsValue> {
    object(&network(&layers, input)?.rects(pair("the position", at)?)?)
}

/// In how many ways each pixel of the picture reaches output `at` of the last layer, (1, H, W).
#[wasm_bindgen]
pub fn receptive_paths(layers: JsValue, input: &[u32], at: &[u32]) -> Js<u32> {
    Ok(keep(
        network(&layers, input)?.paths(pair("the position", at)?)?,
    ))
}

/// The same as shares of the largest count, (1, H, W).
#[wasm_bindgen]
pub fn receptive_shares(layers: JsValue, input: &[u32], at: &[u32]) -> Js<u32> {
    let (shares, _) = network(&layers, input)?.shares(pair("the position", at)?)?;
    Ok(keep(shares))
}

/// The largest of these counts.
#[wasm_bindgen]
pub fn receptive_most(layers: JsValue, input: &[u32], at: &[u32]) -> Js<f64> {
    let (_, most) = network(&layers, input)?.shares(pair("the position", at)?)?;
    Ok(most)
}

fn network(layers: &JsValue, input: &[u32]) -> Js<Network> {
    match value(layers) {
        Value::List(layers) => Ok(Network::read(&layers, &sizes(input))?),
        other => Err(JsError::new(&format!(
            "receptive field: layers must be a list; got {other}"
        ))),
    }
}
