//! The JavaScript bindings: thin, and the only files that name `wasm_bindgen`, `js_sys` and `web_sys`.
//!
//! Tensors live here by handle, a number from 1; 0 stands for "none". Specifications travel as plain objects, numbers in
//! bulk as typed arrays only. Every refusal becomes a JavaScript `Error` with the crate's own message.
//!
//! Three wasm modules are made of them, each with what stands in this file: the *engine* (operators and networks), the *lessons*
//! (specimens, fields, scores), which a page loads when it first asks, and the engine with the graphics card (`gpu`), which is loaded
//! where there is a card. Of the engine the build tool cuts off what only answers questions about values and places (`explain`,
//! shares, fields), and what reads ONNX files: what is left is all that computing needs.

#[cfg(feature = "lessons")]
mod fields;
#[cfg(all(feature = "gpu", feature = "engine"))]
mod gpu;
#[cfg(feature = "lessons")]
mod lessons;
#[cfg(feature = "lessons")]
mod micrographs;
#[cfg(feature = "engine")]
mod models;
#[cfg(feature = "engine")]
mod operators;
#[cfg(feature = "lessons")]
mod segments;

use crate::map::Map;
use crate::ops::geometry::Sliding;
use crate::options::{Options, Value};
use crate::tensor::Tensor;
use crate::window::Window;
use js_sys::{Array, Float32Array, Object, Reflect};
use serde::Serialize;
use std::cell::RefCell;
use std::sync::Arc;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

type Js<T> = Result<T, JsError>;

#[derive(Default)]
struct Store {
    last: u32,
    tensors: Map<u32, Arc<Tensor>>,
}

thread_local! {
    static STORE: RefCell<Store> = RefCell::default();
}

fn keep(tensor: impl Into<Arc<Tensor>>) -> u32 {
    STORE.with_borrow_mut(|store| {
        store.last += 1;
        store.tensors.insert(store.last, tensor.into());
        store.last
    })
}

fn held(handle: u32) -> Js<Arc<Tensor>> {
    STORE
        .with_borrow(|store| store.tensors.get(&handle).cloned())
        .ok_or_else(|| {
            JsError::new(&format!(
                "tensor: there is no tensor with handle {handle}; was it freed?"
            ))
        })
}

/// A panic ends this instance (`panic = "abort"`): its message must get out before. It is printed, and kept on the global
/// object so that a worker can report it.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|info| {
        let message = JsValue::from_str(&info.to_string());
        // There is nothing left to do if even this fails.
        let _ = Reflect::set(&js_sys::global(), &"__kernelscope_panic".into(), &message);
        console_error_panic_hook::hook(info);
    }));
}

/// Stores a tensor and returns its handle.
#[wasm_bindgen]
pub fn put(data: Vec<f32>, shape: &[u32]) -> Js<u32> {
    Ok(keep(Tensor::new(&sizes(shape), data)?))
}

/// Forgets a tensor. Unknown handles are ignored, so that freeing twice is harmless.
#[wasm_bindgen]
pub fn free(handle: u32) {
    STORE.with_borrow_mut(|store| store.tensors.remove(&handle));
}

/// Forgets all tensors.
#[wasm_bindgen]
pub fn clear() {
    STORE.with_borrow_mut(|store| store.tensors.clear());
}

/// The dimensions of a tensor.
#[wasm_bindgen]
pub fn shape_of(handle: u32) -> Js<Vec<u32>> {
    Ok(held(handle)?.shape().iter().map(|&n| n as u32).collect())
}

/// The values of a tensor, copied.
#[wasm_bindgen]
pub fn read(handle: u32) -> Js<Float32Array> {
    Ok(Float32Array::from(held(handle)?.data()))
}

/// Copies the values of a tensor into an array of exactly its length.
#[wasm_bindgen]
pub fn read_into(handle: u32, out: &Float32Array) -> Js<()> {
    let tensor = held(handle)?;
    if out.length() as usize != tensor.data().len() {
        let (shape, expected) = (crate::error::tuple(tensor.shape()), tensor.data().len());
        let got = out.length();
        return Err(JsError::new(&format!(
            "out must hold the {expected} values of the shape {shape}; got {got}"
        )));
    }
    out.copy_from(tensor.data());
    Ok(())
}

/// Whether this build computes with vectors.
#[wasm_bindgen]
pub fn simd() -> String {
    if cfg!(target_feature = "simd128") {
        "simd128"
    } else {
        "scalar"
    }
    .into()
}

/// The crate's version.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}

/// Size of this instance's memory in bytes (0 where there is no such thing).
#[wasm_bindgen]
pub fn memory_bytes() -> f64 {
    #[cfg(target_arch = "wasm32")]
    let pages = core::arch::wasm32::memory_size(0);
    #[cfg(not(target_arch = "wasm32"))]
    let pages = 0;
    pages as f64 * 65536.0
}

fn sizes(numbers: &[u32]) -> Vec<usize> {
    numbers.iter().map(|&n| n as usize).collect()
}

fn pair(what: &str, numbers: &[u32]) -> Js<[usize; 2]> {
    match *numbers {
        [y, x] => Ok([y as usize, x as usize]),
        _ => Err(JsError::new(&format!(
            "geometry: {what} must be two numbers [vertical, horizontal]; got {numbers:?}"
        ))),
    }
}

fn window(options: &JsValue, input: &[u32], kernel: &[u32]) -> Js<(Window, f32)> {
    let sliding = Sliding::read(&read_options("geometry", options)?, pair("kernel", kernel)?)?;
    Ok((
        Window::new(sliding.op, pair("input", input)?, &sliding.spec)?,
        sliding.padding,
    ))
}

fn set(object: &Object, name: &str, value: &JsValue) {
    Reflect::set(object, &name.into(), value).expect("a plain object takes every property");
}

fn object<T: Serialize + ?Sized>(value: &T) -> Js<JsValue> {
    Ok(value.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?)
}

/// A JavaScript object as options; `undefined` properties count as not given.
fn read_options(op: &str, options: &JsValue) -> Js<Options> {
    if options.is_undefined() || options.is_null() {
        return Ok(Options::new());
    }
    match value(options) {
        Value::Object(options) => Ok(options),
        other => Err(JsError::new(&format!(
            "{op}: options must be an object; got {other}"
        ))),
    }
}

fn value(js: &JsValue) -> Value {
    if js.is_null() || js.is_undefined() {
        return Value::Null;
    }
    if let Some(flag) = js.as_bool() {
        return Value::Flag(flag);
    }
    if let Some(number) = js.as_f64() {
        return Value::Number(number);
    }
    if let Some(text) = js.as_string() {
        return Value::Text(text);
    }
    if Array::is_array(js)
        || js_sys::ArrayBuffer::is_view(js) && !js.is_instance_of::<js_sys::DataView>()
    {
        return Value::List(Array::from(js).iter().map(|item| value(&item)).collect());
    }
    if js.is_object() && !js.is_function() {
        return Value::Object(properties(js.unchecked_ref()));
    }
    Value::Other(format!(
        "a {}",
        js.js_typeof().as_string().unwrap_or_default()
    ))
}

fn properties(object: &Object) -> Options {
    let entries = Object::entries(object);
    let entries = entries.iter().map(|entry| Array::from(&entry));
    let given = entries.filter(|entry| !entry.get(1).is_undefined());
    given
        .map(|entry| {
            (
                entry.get(0).as_string().unwrap_or_default(),
                value(&entry.get(1)),
            )
        })
        .collect()
}
