//! The bindings of the graphics card. What takes its time there is a promise.

use super::models::{add, finished, model, read_keep};
use super::operators::given;
use super::{Js, held, keep, object, read_options, set};
use crate::backend::gpu::{Gpu, Wishes};
use crate::models::Unet;
use crate::network::Network;
use crate::ops::Op;
use crate::options::{Options, Value};
use js_sys::{Object, Reflect};
use serde::Serialize;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

thread_local! {
    static GPU: RefCell<Option<Rc<Gpu>>> = const { RefCell::new(None) };
}

fn gpu() -> Js<Rc<Gpu>> {
    let found = GPU.with_borrow(Clone::clone);
    found.ok_or_else(|| JsError::new("webgpu: no graphics card was opened"))
}

fn wish(options: &Options, name: &str) -> bool {
    matches!(options.get(name), Some(Value::Flag(true)))
}

/// Opens the graphics card: { adapter, software, features }. Options: `half` (maps in half precision where the card can).
/// Again after a loss: a new device.
#[wasm_bindgen]
pub async fn gpu_open(options: JsValue) -> Js<JsValue> {
    let options = read_options("webgpu", &options)?;
    let wishes = Wishes {
        half: wish(&options, "half"),
    };
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).unwrap_or_default();
    let offered = Reflect::get(&navigator, &"gpu".into()).unwrap_or_default();
    if offered.is_undefined() || offered.is_null() {
        return Err(JsError::new(
            "webgpu: this browser, or this place in a page, has no WebGPU",
        ));
    }
    GPU.with_borrow_mut(Option::take);
    let gpu = Gpu::open(wishes).await?;
    let described = object(gpu.described())?;
    GPU.with_borrow_mut(|slot| *slot = Some(Rc::new(gpu)));
    Ok(described)
}

/// As `run`, on the graphics card.
#[wasm_bindgen]
pub async fn gpu_run(op: String, inputs: Vec<u32>, options: JsValue) -> Js<u32> {
    let op = Op::parse(&op, &read_options(&op, &options)?)?;
    Ok(keep(gpu()?.run_op(&op, &given(&inputs)?).await?))
}

/// As `model_run`, on the graphics card: { trace, output, nodes, times? }. `timed`: with each node's milliseconds,
/// [{ node, ms }], where the card can tell them.
#[wasm_bindgen]
pub async fn gpu_model_run(handle: u32, x: u32, kept: JsValue, timed: bool) -> Js<JsValue> {
    let kept = read_keep(&kept)?;
    let x = held(x)?;
    let graph = model(handle)?.graph(x.shape())?;
    let (run, times) = gpu()?.run(&graph, x, &kept, timed).await?;
    let result = finished(run, kept)?;
    if let Some(times) = times {
        let list = times.into_iter().map(|(node, ms)| Time { node, ms });
        set(&result, "times", &object(&list.collect::<Vec<_>>())?);
    }
    Ok(result.into())
}

#[derive(Serialize)]
struct Time {
    node: String,
    ms: f64,
}

/// A U-Net of channels 8, 16, 32 with weights that only look random, as a model: both ways of computing are tried on it.
#[wasm_bindgen]
pub fn trial_network() -> Js<u32> {
    let graph = Unet::default().blueprint()?.seeded(1)?;
    Ok(add(Network::Fixed {
        graph: Arc::new(graph),
        card: Value::Null,
    }))
}

/// The card, whether it is lost (`lost`: why), and what the last run cost.
#[wasm_bindgen]
pub fn gpu_stats() -> Js<JsValue> {
    let gpu = gpu()?;
    let told = Object::from(object(&gpu.stats())?);
    Object::assign(&told, &Object::from(object(gpu.described())?));
    set(&told, "lost", &object(&gpu.lost())?);
    Ok(told.into())
}
