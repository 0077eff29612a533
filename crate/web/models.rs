//! The bindings of networks: models and traces by handle, numbers from 1 as tensors have.

use super::operators::explained;
use super::{Js, held, keep, object, set, sizes};
use crate::graph::{Description, Keep, Trace};
use crate::json;
use crate::map::Map;
use crate::network::Network;
use crate::onnx::ExternalFile;
use crate::ops::conv2d::Order;
use crate::options::Value;
use crate::tensor::Tensor;
use js_sys::{Array, Float32Array, JSON, Object, Uint8Array};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

#[derive(Default)]
struct Store {
    last: u32,
    models: Map<u32, Rc<Network>>,
    traces: Map<u32, Rc<Trace>>,
}

thread_local! {
    static STORE: RefCell<Store> = RefCell::default();
}

fn missing(what: &str, handle: u32) -> JsError {
    JsError::new(&format!(
        "{what}: there is no {what} with handle {handle}; was it freed?"
    ))
}

pub(super) fn model(handle: u32) -> Js<Rc<Network>> {
    let found = STORE.with_borrow(|store| store.models.get(&handle).cloned());
    found.ok_or_else(|| missing("model", handle))
}

fn trace(handle: u32) -> Js<Rc<Trace>> {
    let found = STORE.with_borrow(|store| store.traces.get(&handle).cloned());
    found.ok_or_else(|| missing("trace", handle))
}

fn plain(value: &Value) -> Js<JsValue> {
    JSON::parse(&json::write(value)).map_err(|_| JsError::new("model: its description is no JSON"))
}

/// Reads a network from the bytes of a file and returns its handle. `external` lists the files beside it that hold weights, [name,
/// bytes, name, bytes, …].
#[wasm_bindgen]
pub fn load_model(bytes: &[u8], external: &Array) -> Js<u32> {
    Ok(add(Network::load(bytes, &beside(external)?)?))
}

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

/// Stores a network.
pub(super) fn add(network: Network) -> u32 {
    STORE.with_borrow_mut(|store| {
        store.last += 1;
        store.models.insert(store.last, Rc::new(network));
        store.last
    })
}

/// Forgets a network; its traces keep what they need.
#[wasm_bindgen]
pub fn free_model(handle: u32) {
    STORE.with_borrow_mut(|store| store.models.remove(&handle));
}

/// Forgets a run and its maps.
#[wasm_bindgen]
pub fn free_trace(handle: u32) {
    STORE.with_borrow_mut(|store| store.traces.remove(&handle));
}

/// The nodes, in order: [{ name, op, inputs, attributes, parameters, count }], `count` being how many values were learned.
#[wasm_bindgen]
pub fn model_graph(handle: u32) -> Js<JsValue> {
    let model = model(handle)?;
    let parameters = model.sample()?.parameters();
    let learned = |node: &Description, name: &String| {
        let tensor = parameters.get(&format!("{}.{name}", node.name));
        tensor.map_or(0, |tensor| tensor.data().len())
    };
    let nodes = model.describe()?;
    let nodes = nodes.iter().map(|node| {
        let count: usize = node.parameters.iter().map(|name| learned(node, name)).sum();
        let mut value = node.to_value();
        if let Value::Object(object) = &mut value {
            object.insert("count".into(), Value::Number(count as f64));
        }
        value
    });
    plain(&Value::List(nodes.collect()))
}

/// What the file tells about the network.
#[wasm_bindgen]
pub fn model_card(handle: u32) -> Js<JsValue> {
    plain(&model(handle)?.card())
}

/// A parameter by its full name ("logits.weight"), as a tensor.
#[wasm_bindgen]
pub fn model_parameter(handle: u32, name: &str) -> Js<u32> {
    let parameters = model(handle)?.sample()?.parameters();
    let tensor = parameters.get(name);
    let tensor =
        tensor.ok_or_else(|| JsError::new(&format!("model: there is no parameter \"{name}\"")))?;
    Ok(keep((**tensor).clone()))
}

/// The shape of every node's map for an image of this shape.
#[wasm_bindgen]
pub fn model_shapes(handle: u32, input: &[u32]) -> Js<JsValue> {
    let input = sizes(input);
    object(&model(handle)?.graph(&input)?.shapes(&input)?)
}

/// Which maps are asked for: "output", "all" or a list of names.
pub(super) fn read_keep(kept: &JsValue) -> Js<Keep> {
    match kept.as_string().as_deref() {
        Some("output") => Ok(Keep::Output),
        Some("all") => Ok(Keep::All),
        None if kept.is_undefined() || kept.is_null() => Ok(Keep::Output),
        None if Array::is_array(kept) => {
            let names: Option<Vec<String>> = Array::from(kept)
                .iter()
                .map(|name| name.as_string())
                .collect();
            let names =
                names.ok_or_else(|| JsError::new("model: keep must be a list of nodes' names"))?;
            Ok(Keep::Nodes(names))
        }
        _ => Err(JsError::new(
            "model: keep must be \"output\", \"all\" or a list of nodes' names",
        )),
    }
}

/// A finished run, stored: { trace, output, nodes: { name: handle } }.
pub(super) fn finished(run: Trace, kept: Keep) -> Js<Object> {
    let nodes = Object::new();
    let names: Vec<String> = match kept {
        Keep::Output => Vec::new(),
        Keep::All => (run.graph().describe())
            .map(|node| node.name.clone())
            .collect(),
        Keep::Nodes(names) => names,
    };
    for name in names {
        set(&nodes, &name, &keep(run.node(&name)?).into());
    }
    let result = Object::new();
    set(&result, "output", &keep(run.output()).into());
    set(&result, "nodes", &nodes);
    let handle = STORE.with_borrow_mut(|store| {
        store.last += 1;
        store.traces.insert(store.last, Rc::new(run));
        store.last
    });
    set(&result, "trace", &handle.into());
    Ok(result)
}

/// Runs a network on a stored image: { trace, output, nodes: { name: handle } }, with the maps asked for: "output", "all"
/// or a list of names. `exact`: sums run in the order of `explain`, to the bit; else as they are fastest.
#[wasm_bindgen]
pub fn model_run(handle: u32, x: u32, kept: JsValue, exact: bool) -> Js<JsValue> {
    let model = model(handle)?;
    let kept = read_keep(&kept)?;
    let order = if exact { Order::Reading } else { Order::Free };
    let x = held(x)?;
    let graph = model.graph(x.shape())?;
    let run = graph.run_with(x, &kept, order)?;
    Ok(finished(run, kept)?.into())
}

/// The shape of the output of a network that does little with much (see `Graph::light`); empty for others, which
/// `model_stream` does not run.
#[wasm_bindgen]
pub fn model_light(handle: u32, input: &[u32]) -> Js<Vec<u32>> {
    let input = sizes(input);
    let graph = model(handle)?.graph(&input)?;
    if graph.light(&input)?.is_none() {
        return Ok(Vec::new());
    }
    let shapes = graph.shapes(&input)?;
    let shape = shapes.get(graph.output()).into_iter().flatten();
    Ok(shape.map(|&n| n as u32).collect())
}

/// Runs such a network strip by strip, from the caller's array into another of exactly the output's length: a strip is read,
/// computed and written while it is in a near cache, and no map is ever whole in this memory.
#[wasm_bindgen]
pub fn model_stream(handle: u32, x: &Float32Array, input: &[u32], out: &Float32Array) -> Js<()> {
    let input = sizes(input);
    let graph = model(handle)?.graph(&input)?;
    let strips = graph.light(&input)?;
    let strips = strips.ok_or_else(|| JsError::new("model: this network is run as a whole"))?;
    let [.., h, w] = input[..] else {
        return Err(JsError::new("model: a strip is a part of a picture"));
    };
    let (planes, place) = (x.length() as usize / (h * w), input.len() - 2);
    let rows = strips.last().map_or(0, |strip| strip.bottom);
    // One buffer for all strips: it stays in the cache, and is not filled with zeros each time.
    let mut data = Vec::new();
    let mut made = graph.clone();
    let mut made_for = input.clone();
    for strip in strips {
        let mut shape = input.clone();
        shape[place] = strip.to - strip.from;
        if shape != made_for {
            made = graph.made_for(&shape);
            made_for.clone_from(&shape);
        }
        let size = shape[place] * w;
        data.resize(planes * size, 0.0);
        for (c, plane) in data.chunks_exact_mut(size).enumerate() {
            let first = ((c * h + strip.from) * w) as u32;
            x.subarray(first, first + size as u32).copy_to(plane);
        }
        let wanted = strip.skip..strip.skip + strip.bottom - strip.top;
        let part = Arc::new(Tensor::new(&shape, data)?);
        let map = made.with_rows(part.clone(), Order::Reading, wanted.clone())?;
        data = Arc::try_unwrap(part).map_or_else(|_| Vec::new(), Tensor::into_data);
        let [.., height, width] = *map.shape() else {
            return Err(JsError::new("model: a strip gives a part of a picture"));
        };
        for (c, plane) in map.data().chunks_exact(height * width).enumerate() {
            let first = ((c * rows + strip.top) * width) as u32;
            let part = &plane[wanted.start * width..wanted.end * width];
            out.subarray(first, first + part.len() as u32)
                .copy_from(part);
        }
    }
    Ok(())
}

/// Runs a network on a strip and gives rows `top` to `bottom` of its output, without a trace. See `Graph::run_rows`.
#[wasm_bindgen]
pub fn model_run_rows(handle: u32, x: u32, exact: bool, top: u32, bottom: u32) -> Js<u32> {
    let order = if exact { Order::Reading } else { Order::Free };
    let x = held(x)?;
    let graph = model(handle)?.graph(x.shape())?;
    Ok(keep(graph.run_rows(
        x,
        order,
        top as usize..bottom as usize,
    )?))
}

/// How a picture of this shape can be run in strips: { bytes, strips: [{ from, to, top, bottom, skip }], why }. See `Graph::tiling`.
#[wasm_bindgen]
pub fn model_tiling(
    handle: u32,
    input: &[u32],
    exact: bool,
    parts: u32,
    budget: f64,
    most: f64,
) -> Js<JsValue> {
    let model = model(handle)?;
    let order = if exact { Order::Reading } else { Order::Free };
    let shape = sizes(input);
    let graph = model.graph(&shape)?;
    let mut tiling = graph.tiling(&shape, order, parts as usize, [budget, most])?;
    let suits = tiling.strips.iter().all(|strip| {
        let rows = strip.to - strip.from;
        let mut shape = shape.clone();
        let place = shape.len() - 2;
        shape[place] = rows;
        model
            .graph(&shape)
            .is_ok_and(|graph| graph.suits_strip(&shape, rows))
    });
    if !suits {
        tiling.strips.clear();
        tiling.why = "the network is made for one size of picture".into();
    }
    object(&tiling)
}

/// A node's map as a tensor; computed again if it was not kept.
#[wasm_bindgen]
pub fn trace_node(handle: u32, name: &str) -> Js<u32> {
    Ok(keep(trace(handle)?.node(name)?))
}

/// Takes one value of a node apart; a term's `input` is the name of the node it comes from.
#[wasm_bindgen]
pub fn trace_explain(handle: u32, node: &str, at: &[u32]) -> Js<JsValue> {
    explained(&trace(handle)?.explain(node, &sizes(at))?)
}

/// The gradient of one value of a node with respect to the image, as a tensor of the image's shape.
#[wasm_bindgen]
pub fn trace_gradient(handle: u32, node: &str, at: &[u32]) -> Js<u32> {
    Ok(keep(trace(handle)?.gradient(node, &sizes(at))?))
}

/// How much of a value comes on which way through the network.
#[wasm_bindgen]
pub fn trace_shares(handle: u32, node: &str, at: &[u32]) -> Js<JsValue> {
    object(&trace(handle)?.shares(node, &sizes(at))?)
}

/// The exact receptive field of a position (y, x) of a node: { top, left, bottom, right }, or null if it sees no pixel.
#[wasm_bindgen]
pub fn model_receptive_field(handle: u32, node: &str, at: &[u32], input: &[u32]) -> Js<JsValue> {
    let input = sizes(input);
    let graph = model(handle)?.graph(&input)?;
    object(&graph.receptive_field(node, &sizes(at), &input)?)
}
