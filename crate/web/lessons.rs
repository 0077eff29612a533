//! The bindings of what single sections of the page ask: counts, orders of pixels, detectors, matrices.

use super::{Js, held, keep, object, pair, read_options, window};
use crate::challenge;
use crate::detector::{self, Stimulus};
use crate::ops::conv2d::{self, Settings};
use crate::shuffle;
use crate::window::Axis;
use crate::{metrics as scores, models};
use serde::Serialize;
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

/// What the first layer of a network costs, fully connected and as a convolution.
#[wasm_bindgen]
pub fn first_layer(spec: JsValue) -> Js<JsValue> {
    object(&models::first_layer(&read_options("first layer", &spec)?)?)
}

/// A picture or weight with the entries of each row in an order drawn by `seed`: see `shuffle::permutation`. Only the first `n` = H·W
/// places of a row count.
#[wasm_bindgen]
pub fn shuffled(x: u32, n: u32, share: f64, seed: u32) -> Js<u32> {
    let order = shuffle::permutation(n as usize, share, u64::from(seed));
    Ok(keep(shuffle::gather(&*held(x)?, &order)?))
}

/// Where pixel `from` stands in that order.
#[wasm_bindgen]
pub fn shuffled_to(n: u32, share: f64, seed: u32, from: u32) -> Js<u32> {
    let order = shuffle::permutation(n as usize, share, u64::from(seed));
    let at = order.iter().position(|&i| i == from);
    at.map(|i| i as u32)
        .ok_or_else(|| JsError::new(&format!("shuffle: there is no pixel {from} among {n}")))
}

/// Weights (out, in) of a dense layer before it has learned anything.
#[wasm_bindgen]
pub fn dense_weights(out: u32, inputs: u32, seed: u32) -> Js<u32> {
    let weights = models::dense_weights(out as usize, inputs as usize, u64::from(seed))?;
    Ok(keep(weights))
}

/// The kernel that looks for what stands in a rectangle of a picture, (1, 1, h, w).
#[wasm_bindgen]
pub fn matched_kernel(image: u32, corner: &[u32], size: &[u32]) -> Js<u32> {
    let (corner, size) = (pair("corner", corner)?, pair("size", size)?);
    Ok(keep(detector::matched(&*held(image)?, corner, size)?))
}

/// First and last row, and column, under each output's window, and how often the window can step before the floor.
#[wasm_bindgen]
pub fn windows(options: JsValue, input: &[u32], kernel: &[u32]) -> Js<JsValue> {
    #[derive(Serialize)]
    struct Windows {
        rows: Vec<[i64; 2]>,
        cols: Vec<[i64; 2]>,
        steps: [f64; 2],
    }
    let (window, _) = window(&options, input, kernel)?;
    let rects = |axis: &Axis| (0..axis.output).map(|m| axis.rect(m)).collect();
    object(&Windows {
        rows: rects(&window.y),
        cols: rects(&window.x),
        steps: [window.y.steps(), window.x.steps()],
    })
}

/// Every channel moved down and to the right, coming back at the other side.
#[wasm_bindgen]
pub fn roll(x: u32, down: i32, right: i32) -> Js<u32> {
    let by = [i64::from(down), i64::from(right)];
    Ok(keep(shuffle::roll(&*held(x)?, by)?))
}

/// How many entries of two tensors differ by more than `tolerance`.
#[wasm_bindgen]
pub fn differing(a: u32, b: u32, tolerance: f32) -> Js<u32> {
    let count = shuffle::differing(&*held(a)?, &*held(b)?, tolerance)?;
    Ok(u32::try_from(count)?)
}

/// How alike neighbouring pixels are: Pearson's correlation.
#[wasm_bindgen]
pub fn neighbour_correlation(image: u32) -> Js<f64> {
    Ok(shuffle::neighbour_correlation(&*held(image)?)?)
}

/// The response of a kernel to an "edge" or a "line" in `directions` directions.
#[wasm_bindgen]
pub fn kernel_angles(kernel: u32, stimulus: &str, directions: u32) -> Js<Vec<f64>> {
    let stimulus = match stimulus {
        "edge" => Stimulus::Edge,
        "line" => Stimulus::Line,
        other => {
            return Err(JsError::new(&format!(
                "detector: the stimulus must be \"edge\" or \"line\"; got \"{other}\""
            )));
        }
    };
    Ok(detector::angles(
        &*held(kernel)?,
        stimulus,
        directions as usize,
    )?)
}

/// The absolute frequency response of a kernel, (1, n, n), frequency 0 in the middle.
#[wasm_bindgen]
pub fn kernel_frequencies(kernel: u32, n: u32) -> Js<u32> {
    Ok(keep(detector::frequencies(&*held(kernel)?, n as usize)?))
}

/// The sum of a kernel's weights.
#[wasm_bindgen]
pub fn kernel_offset(kernel: u32) -> Js<f64> {
    Ok(detector::offset(&*held(kernel)?))
}

/// The matrix that a convolution with one kernel is, (H_out·W_out, H·W).
#[wasm_bindgen]
pub fn conv2d_matrix(weight: u32, input: &[u32], options: JsValue) -> Js<u32> {
    let settings = Settings::parse(&read_options("conv2d", &options)?)?;
    Ok(keep(conv2d::matrix(
        &*held(weight)?,
        pair("input", input)?,
        &settings,
    )?))
}

/// The tasks of the kernel challenge.
#[wasm_bindgen]
pub fn challenges() -> Js<JsValue> {
    object(&challenge::TASKS)
}

/// A specimen of a task, and where the answer is to be.
#[wasm_bindgen]
pub fn challenge_example(task: &str, index: u32, hidden: bool, target: bool) -> Js<u32> {
    let (image, truth) = challenge::example(task, index as usize, hidden)?;
    Ok(keep(if target { truth } else { image }))
}

/// How a kernel does on the shown or the hidden specimens of a task.
#[wasm_bindgen]
pub fn challenge_score(task: &str, kernel: u32, hidden: bool) -> Js<JsValue> {
    object(&challenge::score(task, &*held(kernel)?, hidden)?)
}

/// The tolerant intersection over union of a thresholded map with the true places.
#[wasm_bindgen]
pub fn challenge_iou(map: u32, target: u32, threshold: f32) -> Js<f64> {
    Ok(challenge::iou(&*held(map)?, &*held(target)?, threshold)?)
}

/// A walk through a network: shapes and counts, layer by layer, with the reasons.
#[wasm_bindgen]
pub fn walk(spec: JsValue) -> Js<JsValue> {
    object(&models::walk(&read_options("walk", &spec)?)?)
}

/// The layers of a network that need not exist: [{ name, op, output, parameters, bytes, flops }].
#[wasm_bindgen]
pub fn layer_table(spec: JsValue) -> Js<JsValue> {
    object(&models::parse(&read_options("layer_table", &spec)?)?)
}

/// Compares two maps of classes.
#[wasm_bindgen]
pub fn metrics(prediction: u32, truth: u32, options: JsValue) -> Js<JsValue> {
    let settings = scores::Settings::parse(&read_options("metrics", &options)?)?;
    object(&scores::metrics(
        &*held(prediction)?,
        &*held(truth)?,
        &settings,
    )?)
}
