//! The bindings of what follows a map of probabilities, and of what networks are held against.

use super::{Js, held, keep, object, read_options};
use crate::baselines;
use crate::grains::{self, Matched, Measured, Settings};
use serde::Serialize;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

/// The baseline of gradients, as a map of boundaries.
#[wasm_bindgen]
pub fn gaussian_sobel(image: u32) -> Js<u32> {
    Ok(keep(baselines::gaussian_sobel(&*held(image)?)?))
}

/// The baseline of dark lines, as a map of boundaries.
#[wasm_bindgen]
pub fn difference_of_gaussians(image: u32) -> Js<u32> {
    Ok(keep(baselines::difference_of_gaussians(&*held(image)?)?))
}

/// What grains grow from, by a map of boundary probabilities: see `grains::markers`.
#[wasm_bindgen]
pub fn grain_markers(probability: u32, options: JsValue) -> Js<u32> {
    let settings = Settings::parse(&read_options("grains", &options)?)?;
    Ok(keep(grains::markers(&*held(probability)?, &settings)?))
}

/// The grains of a map of boundary probabilities, by watershed.
#[wasm_bindgen]
pub fn grains_of(probability: u32, options: JsValue) -> Js<u32> {
    let settings = Settings::parse(&read_options("grains", &options)?)?;
    Ok(keep(grains::grains(&*held(probability)?, &settings)?))
}

/// The connected regions of a map above a threshold.
#[wasm_bindgen]
pub fn regions_of(probability: u32, threshold: f32, least: u32) -> Js<u32> {
    let map = held(probability)?;
    Ok(keep(grains::regions(&map, threshold, least as usize)?))
}

/// Count, diameters and covered part of numbered regions; with the true ones, how many were found again.
#[wasm_bindgen]
pub fn regions_measured(regions: u32, truth: Option<u32>) -> Js<JsValue> {
    #[derive(Serialize)]
    struct Told {
        #[serde(flatten)]
        measured: Measured,
        matched: Option<Matched>,
    }
    let regions = held(regions)?;
    let matched = match truth {
        Some(truth) => Some(grains::matched(&regions, &*held(truth)?, None, 30)?),
        None => None,
    };
    object(&Told {
        measured: grains::measured(&regions),
        matched,
    })
}
