//! The JavaScript bindings: thin, and the only file that names `wasm_bindgen`, `js_sys` and `web_sys`.
//!
//! Tensors live here by handle, a number from 1; 0 stands for "none". Specifications travel as plain objects, numbers in
//! bulk as typed arrays only. Every refusal becomes a JavaScript `Error` with the crate's own message.

mod lessons;
mod models;
mod segments;

use crate::error::Error;
use crate::microscope::scale_bar::scale_bar as bar;
use crate::microscope::{KNOBS, Microscope, View};
use crate::ops::geometry::Sliding;
use crate::ops::{Explanation, Op};
use crate::options::{Options, Value};
use crate::receptive::Network;
use crate::tensor::Tensor;
use crate::window::Window;
use crate::{analysis, crop, files, kernels as presets, specimen as specimens};
use js_sys::{Array, Float32Array, Int32Array, Object, Reflect};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

type Js<T> = Result<T, JsError>;

#[derive(Default)]
struct Store {
    last: u32,
    tensors: BTreeMap<u32, Arc<Tensor>>,
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

fn optional(handle: u32) -> Js<Option<Arc<Tensor>>> {
    if handle == 0 {
        Ok(None)
    } else {
        held(handle).map(Some)
    }
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

/// Computes an operator on stored tensors and stores the result.
#[wasm_bindgen]
pub fn run(op: &str, inputs: &[u32], options: JsValue) -> Js<u32> {
    let op = Op::parse(op, &read_options(op, &options)?)?;
    let inputs = inputs
        .iter()
        .map(|&handle| optional(handle))
        .collect::<Js<Vec<_>>>()?;
    let inputs: Vec<Option<&Tensor>> = inputs.iter().map(Option::as_deref).collect();
    Ok(keep(op.run(&inputs)?))
}

/// Takes one output value apart.
#[wasm_bindgen]
pub fn explain(op: &str, inputs: &[u32], options: JsValue, at: &[u32]) -> Js<JsValue> {
    let op = Op::parse(op, &read_options(op, &options)?)?;
    let inputs = inputs
        .iter()
        .map(|&handle| optional(handle))
        .collect::<Js<Vec<_>>>()?;
    let inputs: Vec<Option<&Tensor>> = inputs.iter().map(Option::as_deref).collect();
    explained(&op.explain(&inputs, &sizes(at))?)
}

/// An explanation and its running sums.
fn explained(explanation: &Explanation) -> Js<JsValue> {
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
    let cut = crop::crop(&x, channel as usize, corner, size, &window, padding)?;
    let result = Object::new();
    set(&result, "values", &Float32Array::from(&cut.values[..]));
    set(&result, "source", &Int32Array::from(&cut.source[..]));
    Ok(result.into())
}

/// Decodes a picture file.
#[wasm_bindgen]
pub fn decode(bytes: &[u8]) -> Js<JsValue> {
    let picture = files::png::decode(bytes)?;
    let result = Object::new();
    set(&result, "bitDepth", &picture.bit_depth.into());
    set(&result, "channels", &(picture.channels as u32).into());
    set(&result, "image", &keep(picture.image).into());
    Ok(result.into())
}

/// Draws a synthetic micrograph, under the microscope where the options have one.
#[wasm_bindgen]
pub fn specimen(kind: &str, options: JsValue) -> Js<JsValue> {
    let specimen = specimens::specimen(kind, &read_options("specimen", &options)?)?;
    let derived = specimen.derived()?;
    let labels = Object::new();
    for (name, map) in specimen.labels {
        set(&labels, &name, &keep(map).into());
    }
    for (name, map) in derived {
        set(&labels, name, &keep(map).into());
    }
    let result = Object::new();
    set(&result, "image", &keep(specimen.image).into());
    set(&result, "labels", &labels);
    set(&result, "pixelSize", &specimen.pixel_size.into());
    set(&result, "units", &"nm".into());
    Ok(result.into())
}

/// Takes any picture of `pixel_size` nm a pixel under the microscope. `labels` are handles: an object by name, or a list, and
/// come back the same way; beam damage is a handle of its own, 0 where there is none.
#[wasm_bindgen]
pub fn microscope(image: u32, labels: JsValue, pixel_size: f64, options: JsValue) -> Js<JsValue> {
    let microscope = Microscope::read(&read_options("microscope", &options)?)?;
    let given: Vec<(String, Arc<Tensor>)> = if labels.is_object() {
        Object::entries(labels.unchecked_ref())
            .iter()
            .map(|entry| {
                let entry = Array::from(&entry);
                let handle = entry.get(1).as_f64().unwrap_or_default() as u32;
                Ok((entry.get(0).as_string().unwrap_or_default(), held(handle)?))
            })
            .collect::<Js<_>>()?
    } else {
        Vec::new()
    };
    let follows = |name: &str| ["triplePoints", "boundaryAngle"].contains(&name);
    let view = microscope.expose(View {
        image: held(image)?.as_ref().clone(),
        labels: (given.iter())
            .filter(|(name, _)| !follows(name))
            .map(|(name, map)| (name.clone(), map.as_ref().clone()))
            .collect(),
        pixel_size,
    })?;
    let derived = if given.iter().any(|(name, _)| follows(name)) {
        specimens::derived(view.labels.iter().map(|(name, map)| (&name[..], map)))?
    } else {
        Vec::new()
    };
    let result = Object::new();
    let maps: Object = if Array::is_array(&labels) {
        Array::new().into()
    } else {
        Object::new()
    };
    set(&result, "damage", &0.into());
    for (name, map) in view.labels {
        let handle = keep(map).into();
        if name == "damage" {
            set(&result, "damage", &handle);
        } else {
            set(&maps, &name, &handle);
        }
    }
    for (name, map) in derived {
        set(&maps, name, &keep(map).into());
    }
    set(&result, "image", &keep(view.image).into());
    set(&result, "labels", &maps);
    set(&result, "pixelSize", &view.pixel_size.into());
    Ok(result.into())
}

/// The microscope's options.
#[wasm_bindgen]
pub fn microscope_options() -> Js<JsValue> {
    object(KNOBS)
}

/// A bar of a round length for a picture: { pixels, label }.
#[wasm_bindgen]
pub fn scale_bar(pixel_size: f64, width: u32) -> Js<JsValue> {
    if !(1e-4..=1e7).contains(&pixel_size) || width == 0 {
        return Err(JsError::new(&format!(
            "scale bar: the pixel size must be a number from 0.0001 to 10000000 nm; got {pixel_size}"
        )));
    }
    object(&bar(pixel_size, width as usize))
}

/// How many pixels of the first channel fall into each of `bins` equal parts of 0 to 1.
#[wasm_bindgen]
pub fn histogram(image: u32, bins: u32) -> Js<Vec<u32>> {
    Ok(analysis::histogram(&*held(image)?, bins as usize)?)
}

/// The logarithmic power spectrum of the first channel, (1, n, n), 0 to 1, frequency 0 in the middle.
#[wasm_bindgen]
pub fn power_spectrum(image: u32) -> Js<u32> {
    Ok(keep(analysis::power_spectrum(&*held(image)?)?))
}

/// The strongest frequency of the first channel: { at: [row, column] in its power spectrum, period in pixels }.
#[wasm_bindgen]
pub fn strongest_frequency(image: u32) -> Js<JsValue> {
    #[derive(Serialize)]
    struct Found {
        at: [usize; 2],
        period: f64,
    }
    let (at, period) = analysis::strongest(&*held(image)?)?;
    Ok(serde_wasm_bindgen::to_value(&Found { at, period })?)
}

/// The period in pixels that (row, column) of an n × n spectrum stands for.
#[wasm_bindgen]
pub fn period(n: u32, row: u32, column: u32) -> f64 {
    analysis::period(n as usize, [row as usize, column as usize])
}

/// √(x² + y²) of the two channels of a gradient.
#[wasm_bindgen]
pub fn magnitude(gradient: u32) -> Js<u32> {
    Ok(keep(analysis::magnitude(&*held(gradient)?)?))
}

/// A specimen's fingerprint, 16 hexadecimal digits: the same in every engine and natively.
#[wasm_bindgen]
pub fn specimen_digest(kind: &str, options: JsValue) -> Js<String> {
    let specimen = specimens::specimen(kind, &read_options("specimen", &options)?)?;
    Ok(format!("{:016x}", specimens::digest(&specimen)))
}

/// The kinds of specimens and their options.
#[wasm_bindgen]
pub fn kinds() -> Js<JsValue> {
    object(&specimens::KINDS)
}

/// The named kernels.
#[wasm_bindgen]
pub fn kernels() -> Js<JsValue> {
    object(&presets::KERNELS)
}

/// The weights of a named kernel, (1, 1, k, k).
#[wasm_bindgen]
pub fn kernel(name: &str) -> Js<u32> {
    Ok(keep(presets::kernel(name)?))
}

/// The weights turned by 180°.
#[wasm_bindgen]
pub fn flip(weight: u32) -> Js<u32> {
    Ok(keep(presets::flip(&*held(weight)?)?))
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
