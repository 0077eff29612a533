//! The bindings of operators, and of the questions about one window.

use super::{Js, held, keep, object, pair, read_options, set, sizes, window};
use crate::error::Error;
use crate::ops::{Explanation, Op};
use crate::tensor::Tensor;
use js_sys::{Float32Array, Int32Array, Object, Reflect};
use std::sync::Arc;
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

/// Stored tensors, `None` where the handle is 0.
pub(super) fn given(handles: &[u32]) -> Js<Vec<Option<Arc<Tensor>>>> {
    let one = |&handle: &u32| (handle != 0).then(|| held(handle)).transpose();
    handles.iter().map(one).collect()
}

/// Computes an operator on stored tensors and stores the result.
#[wasm_bindgen]
pub fn run(op: &str, inputs: &[u32], options: JsValue) -> Js<u32> {
    let op = Op::parse(op, &read_options(op, &options)?)?;
    let inputs = given(inputs)?;
    let inputs: Vec<Option<&Tensor>> = inputs.iter().map(Option::as_deref).collect();
    Ok(keep(op.run(&inputs)?))
}

/// Takes one output value apart.
#[wasm_bindgen]
pub fn explain(op: &str, inputs: &[u32], options: JsValue, at: &[u32]) -> Js<JsValue> {
    let op = Op::parse(op, &read_options(op, &options)?)?;
    let inputs = given(inputs)?;
    let inputs: Vec<Option<&Tensor>> = inputs.iter().map(Option::as_deref).collect();
    explained(&op.explain(&inputs, &sizes(at))?)
}

/// An explanation and its running sums.
pub(super) fn explained(explanation: &Explanation) -> Js<JsValue> {
    let result = object(explanation)?;
    Reflect::set(
        &result,
        &"partials".into(),
        &Float32Array::from(&explanation.partials()[..]),
    )
    .ok();
    let sums = explanation.channel_sums();
    if !sums.is_empty() {
        Reflect::set(
            &result,
            &"channelSums".into(),
            &Float32Array::from(&sums[..]),
        )
        .ok();
    }
    Ok(result)
}

/// Output size, padding, and which rows and columns are read.
#[wasm_bindgen]
pub fn geometry(options: JsValue, input: &[u32], kernel: &[u32]) -> Js<JsValue> {
    object(&window(&options, input, kernel)?.0.geometry())
}

/// The rectangle under the window of output `at`.
#[wasm_bindgen]
pub fn window_rect(options: JsValue, input: &[u32], kernel: &[u32], at: &[u32]) -> Js<JsValue> {
    let (window, _) = window(&options, input, kernel)?;
    object(&window.rect(inside("output", at, window.output())?))
}

/// All outputs and taps that read the input pixel `at`.
#[wasm_bindgen]
pub fn reach(options: JsValue, input: &[u32], kernel: &[u32], at: &[u32]) -> Js<JsValue> {
    let (window, _) = window(&options, input, kernel)?;
    object(&window.reach(inside("input", at, window.input())?))
}

/// All coordinates that the weight `tap` multiplies.
#[wasm_bindgen]
pub fn uses(options: JsValue, input: &[u32], kernel: &[u32], tap: &[u32]) -> Js<JsValue> {
    let (window, _) = window(&options, input, kernel)?;
    object(&window.uses(inside("kernel", tap, window.kernel())?))
}

/// A rectangle of one channel as a window sees it, with the source of every value.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)] // JavaScript calls it by position; an object would cost more than it explains.
pub fn crop(
    x: u32,
    channel: u32,
    top: i32,
    left: i32,
    h: u32,
    w: u32,
    options: JsValue,
    kernel: &[u32],
) -> Js<JsValue> {
    let x = held(x)?;
    let [.., height, width] = *x.shape() else {
        return Err(JsError::new("crop: x must be a picture (C, H, W)"));
    };
    let (window, padding) = window(&options, &[height as u32, width as u32], kernel)?;
    let corner = [i64::from(top), i64::from(left)];
    let size = [h as usize, w as usize];
    let cut = crate::crop::crop(&x, channel as usize, corner, size, &window, padding)?;
    let result = Object::new();
    set(&result, "values", &Float32Array::from(&cut.values[..]));
    set(&result, "source", &Int32Array::from(&cut.source[..]));
    Ok(result.into())
}

fn inside(of: &'static str, at: &[u32], size: [usize; 2]) -> Js<[usize; 2]> {
    let at = pair("the position", at)?;
    if at[0] < size[0] && at[1] < size[1] {
        return Ok(at);
    }
    Err(Error::Position {
        op: "geometry".into(),
        of,
        shape: size.to_vec(),
        got: at.to_vec(),
    }
    .into())
}
