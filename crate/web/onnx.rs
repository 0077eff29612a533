//! The bindings of ONNX files. The engine is another module: a file is read here and its graph for a size of picture handed
//! over: descriptions, and numbers that stand for weights, which the engine asks for when it meets one first.

use super::{Js, script, set, sizes};
use crate::graph::{Description, Graph};
use crate::map::Map;
use crate::onnx::{ExternalFile, Onnx};
use crate::options::Value;
use js_sys::{Array, Float32Array, Object, Uint8Array, Uint32Array};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Weak};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

/// A file, and the weights that were handed over: each has its place for good. Weights of sizes that the file has forgotten are
/// forgotten here too.
struct File {
    onnx: Onnx,
    weights: RefCell<Vec<Weak<crate::Tensor>>>,
}

#[derive(Default)]
struct Store {
    last: u32,
    files: Map<u32, Rc<File>>,
}

thread_local! {
    static STORE: RefCell<Store> = RefCell::default();
}

fn file(handle: u32) -> Js<Rc<File>> {
    let found = STORE.with_borrow(|store| store.files.get(&handle).cloned());
    found.ok_or_else(|| JsError::new(&format!("onnx: there is no file with handle {handle}")))
}

/// Files beside a model, [name, bytes, name, bytes, …].
fn beside(external: &Array) -> Js<Vec<ExternalFile>> {
    let list: Vec<JsValue> = external.iter().collect();
    let file = |pair: &[JsValue]| match pair {
        [name, bytes] => Some(ExternalFile {
            name: name.as_string()?,
            bytes: bytes.dyn_ref::<Uint8Array>()?.to_vec(),
        }),
        _ => None,
    };
    let files: Option<Vec<ExternalFile>> = list.chunks(2).map(file).collect();
    files.ok_or_else(|| JsError::new("model: externalData must be names with bytes"))
}

/// Reads a file: { file, card, nodes }. `external` lists the files beside it that hold weights, [name, bytes, name, bytes, …].
#[wasm_bindgen]
pub fn onnx_read(bytes: &[u8], external: &Array) -> Js<Object> {
    let onnx = Onnx::read(bytes, &beside(external)?)?;
    let result = Object::new();
    set(&result, "card", &script(&onnx.card()));
    set(&result, "nodes", &described(onnx.describe()?.iter()));
    let read = File {
        onnx,
        weights: RefCell::default(),
    };
    let handle = STORE.with_borrow_mut(|store| {
        store.last += 1;
        store.files.insert(store.last, Rc::new(read));
        store.last
    });
    set(&result, "file", &handle.into());
    Ok(result)
}

/// Forgets a file.
#[wasm_bindgen]
pub fn onnx_free(handle: u32) {
    STORE.with_borrow_mut(|store| store.files.remove(&handle));
}

/// The graph for a picture of this shape, or for some size where the shape is empty: { nodes, weights: { name: number } }.
#[wasm_bindgen]
pub fn onnx_graph(handle: u32, input: &[u32]) -> Js<Object> {
    let file = file(handle)?;
    let graph: Arc<Graph> = match input {
        [] => file.onnx.sample()?,
        _ => file.onnx.graph(&sizes(input))?,
    };
    let (result, numbers) = (Object::new(), Object::new());
    let mut weights = file.weights.borrow_mut();
    for (name, tensor) in graph.parameters() {
        let known = weights
            .iter()
            .position(|weight| Weak::as_ptr(weight) == Arc::as_ptr(&tensor));
        let number = known.unwrap_or_else(|| {
            weights.push(Arc::downgrade(&tensor));
            weights.len() - 1
        });
        set(&numbers, &name, &(number as u32).into());
    }
    set(&result, "nodes", &described(graph.describe()));
    set(&result, "weights", &numbers);
    Ok(result)
}

/// A weight by its number in a graph that was handed over: { data, shape }.
#[wasm_bindgen]
pub fn onnx_weight(handle: u32, number: u32) -> Js<Object> {
    let weight = (file(handle)?.weights.borrow())
        .get(number as usize)
        .and_then(Weak::upgrade);
    let weight = weight.ok_or_else(|| JsError::new("onnx: this weight was forgotten"))?;
    let result = Object::new();
    let shape: Vec<u32> = weight.shape().iter().map(|&n| n as u32).collect();
    set(&result, "data", &Float32Array::from(weight.data()).into());
    set(&result, "shape", &Uint32Array::from(&shape[..]).into());
    Ok(result)
}

fn described<'a>(nodes: impl Iterator<Item = &'a Description>) -> JsValue {
    script(&Value::List(nodes.map(Description::to_value).collect()))
}
