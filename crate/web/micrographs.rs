//! The bindings of micrographs: files, specimens, the microscope, spectra, and the named kernels that are tried on them.

use super::{Js, held, keep, object, read_options, set};
use crate::microscope::scale_bar::scale_bar as bar;
use crate::microscope::{KNOBS, Microscope, View};
use crate::tensor::Tensor;
use crate::{analysis, files, kernels as presets, specimen as specimens};
use js_sys::{Array, Object};
use serde::Serialize;
use std::sync::Arc;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

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
