//! `Resize` and `Upsample`. ONNX leaves open where a pixel of the output lies in the input, and which neighbour is taken;
//! the crate interpolates as PyTorch does. So the file's rule is worked out for this very size, and taken only if it names
//! the same pixels with the same weights.

use crate::error::Result;
use crate::onnx::fold;
use crate::onnx::lower::{Map, Work};
use crate::ops::interpolate::{self, Settings, Target};
use crate::options::{Options, Value};

/// Where output `i` of `m` lies among `n` pixels, by the file's rule.
struct Rule<'a> {
    place: &'a str,
    nearest: Option<&'a str>,
}

impl Rule<'_> {
    fn place(&self, i: usize, n: usize, m: usize, scale: f32) -> Option<f64> {
        let (i, n, m, scale) = (i as f64, n as f64, m as f64, f64::from(scale));
        Some(match self.place {
            "half_pixel" => (i + 0.5) / scale - 0.5,
            "pytorch_half_pixel" if m > 1.0 => (i + 0.5) / scale - 0.5,
            "pytorch_half_pixel" => 0.0,
            "asymmetric" => i / scale,
            // The standard and the programs differ on sizes that a scale does not hit exactly.
            "align_corners" if (n * scale - m).abs() > 1e-3 => return None,
            "align_corners" if m > 1.0 => i * (n - 1.0) / (m - 1.0),
            "align_corners" => 0.0,
            // Keeps the middle where the size was rounded.
            "half_pixel_symmetric" => n / 2.0 * (1.0 - m / (n * scale)) + (i + 0.5) / scale - 0.5,
            _ => return None,
        })
    }

    /// The two pixels and the weight of the second.
    fn tap(&self, place: f64, n: usize) -> Option<(usize, usize, f64)> {
        let inside = |i: f64| i.clamp(0.0, n as f64 - 1.0) as usize;
        let Some(nearest) = self.nearest else {
            let low = place.floor();
            return Some((inside(low), inside(low + 1.0), place - low));
        };
        // A place that float arithmetic puts just beside a whole or half number counts as on it.
        let half = (place * 2.0).round() / 2.0;
        let place = if (half - place).abs() < 1e-5 {
            half
        } else {
            place
        };
        let pixel = inside(match nearest {
            "floor" => place.floor(),
            "ceil" => place.ceil(),
            "round_prefer_floor" => (place - 0.5).ceil(),
            "round_prefer_ceil" => (place + 0.5).floor(),
            _ => return None,
        });
        Some((pixel, pixel, 0.0))
    }
}

pub fn resize(work: &mut Work<'_, '_>) -> Result<Map> {
    let x = work.map(0)?;
    let size = work.picture(&x)?;
    let old = work.node.op == "Upsample" || work.opset() < 11;
    let mode = match work.node.text("mode", "nearest")? {
        "nearest" => "nearest",
        "linear" | "bilinear" => "bilinear",
        other => {
            return Err(work.wrong(format!(
                "has the mode \"{other}\"; supported are nearest and linear"
            )));
        }
    };
    let place = if old {
        "asymmetric"
    } else {
        work.node
            .text("coordinate_transformation_mode", "half_pixel")?
    };
    let nearest = if old {
        "floor"
    } else {
        work.node.text("nearest_mode", "round_prefer_floor")?
    };
    plain_only(work)?;
    let (outputs, scales) = targets(work, &x, size, old)?;
    let rule = Rule {
        place,
        nearest: (mode == "nearest").then_some(nearest),
    };
    let mut refused = String::new();
    for option in candidates(work, size, outputs, scales, mode, place) {
        let settings = Settings::parse(&option).map_err(|e| work.node.because(e))?;
        match same(&settings, &rule, size, outputs, scales) {
            Ok(true) => {
                let options: Vec<(&str, Value)> = option
                    .iter()
                    .map(|(name, value)| (&**name, value.clone()))
                    .collect();
                return work.simple("interpolate", &x, &options, &[]);
            }
            Ok(false) => {}
            Err(e) => refused = format!(" ({e})"),
        }
    }
    let also = if mode == "nearest" {
        format!(" and nearest_mode {nearest}")
    } else {
        String::new()
    };
    Err(work.wrong(format!(
        "resizes from {size:?} to {outputs:?} ({mode}) with coordinate_transformation_mode {place}{also}, which names other pixels than \
         PyTorch's interpolate does{refused}; supported is what torch.onnx.export writes: nearest with asymmetric and floor, linear with \
         half_pixel, pytorch_half_pixel or align_corners"
    )))
}

/// Refuses what PyTorch's `interpolate` has no word for.
fn plain_only(work: &Work<'_, '_>) -> Result<()> {
    let node = work.node;
    if node.int("antialias", 0)? != 0 {
        return Err(work.wrong(
            "has antialias 1, which is not supported; use interpolate(…, antialias=False)",
        ));
    }
    let policy = node.text("keep_aspect_ratio_policy", "stretch")?;
    if policy != "stretch" {
        return Err(work.wrong(format!(
            "has keep_aspect_ratio_policy \"{policy}\"; supported is stretch"
        )));
    }
    // These concern modes that are refused.
    node.float("cubic_coeff_a", -0.75)?;
    node.int("exclude_outside", 0)?;
    node.float("extrapolation_value", 0.0)?;
    Ok(())
}

/// The output's rows and columns, and the factors for both axes.
fn targets(
    work: &Work<'_, '_>,
    x: &Map,
    size: [usize; 2],
    old: bool,
) -> Result<([usize; 2], [f32; 2])> {
    let axes = work.node.ints("axes")?.unwrap_or_else(|| vec![0, 1, 2, 3]);
    let axes = axes
        .into_iter()
        .map(|axis| fold::axis(work.node, axis, 4))
        .collect::<Result<Vec<_>>>()?;
    let scales = if work.node.op == "Upsample" && work.opset() < 9 {
        work.node.floats("scales")?
    } else {
        let known = work.constant(if old { 1 } else { 2 })?;
        known
            .and_then(|scales| scales.as_floats())
            .map(<[f32]>::to_vec)
    };
    let scales = scales.filter(|list| !list.is_empty());
    let sizes = if old { None } else { work.constant(3)? };
    let sizes = match sizes {
        Some(sizes) if sizes.data.len() > 0 => Some(fold::sizes(work.node, sizes)?),
        _ => None,
    };
    let (mut outputs, mut factors) = (size, [1.0f32; 2]);
    let given = scales
        .as_ref()
        .map(Vec::len)
        .or(sizes.as_ref().map(Vec::len));
    if given != Some(axes.len()) || scales.is_some() == sizes.is_some() {
        return Err(work.wrong("needs either scales or sizes, known ahead, one an axis"));
    }
    for (i, &axis) in axes.iter().enumerate() {
        let n = x.full[axis];
        let (output, factor) = match (&scales, &sizes) {
            (Some(scales), _) => {
                let factor = scales[i];
                if !(1e-3..=1e3).contains(&factor) {
                    return Err(work.wrong(format!(
                        "has the scale {factor}; supported are 0.001 to 1000"
                    )));
                }
                ((n as f32 * factor).floor() as usize, factor)
            }
            (_, sizes) => {
                let output = sizes.as_ref().map_or(n, |sizes| sizes[i]);
                (output, output as f32 / n as f32)
            }
        };
        if axis < 2 {
            if output != n || factor != 1.0 {
                return Err(
                    work.wrong("resizes the batch or the channels; supported are rows and columns")
                );
            }
        } else {
            (outputs[axis - 2], factors[axis - 2]) = (output, factor);
        }
    }
    if outputs.contains(&0) {
        return Err(work.wrong(format!(
            "leaves nothing of a map of {}×{}",
            size[0], size[1]
        )));
    }
    Ok((outputs, factors))
}

/// The options under which `interpolate` may do the same.
fn candidates(
    work: &Work<'_, '_>,
    size: [usize; 2],
    outputs: [usize; 2],
    scales: [f32; 2],
    mode: &str,
    place: &str,
) -> Vec<Options> {
    let base = |target: (&str, Value)| {
        let mut options = Options::from([
            ("mode".to_string(), mode.into()),
            (target.0.to_string(), target.1),
        ]);
        if mode == "bilinear" && place == "align_corners" {
            options.insert("alignCorners".into(), true.into());
        }
        options
    };
    let by_scale = base(("scaleFactor", scales.map(f64::from).into()));
    let by_size = base(("size", outputs.into()));
    // A scale keeps its meaning for pictures of other sizes; sizes are for this one.
    let scaled = [0, 1]
        .iter()
        .all(|&i| (size[i] as f64 * f64::from(scales[i])) as usize == outputs[i]);
    let by_sizes = work.count() > 3 && work.has(3);
    match (scaled, by_sizes) {
        (true, false) => vec![by_scale, by_size],
        (true, true) => vec![by_size, by_scale],
        _ => vec![by_size],
    }
}

/// Whether `interpolate` reads the same pixels with the same weights as the file's rule.
fn same(
    settings: &Settings,
    rule: &Rule<'_>,
    size: [usize; 2],
    outputs: [usize; 2],
    scales: [f32; 2],
) -> Result<bool> {
    for axis in 0..2 {
        let (n, m) = (size[axis], outputs[axis]);
        if let Target::Scale(factors) = settings.target
            && (n as f64 * factors[axis]) as usize != m
        {
            return Ok(false);
        }
        for (i, (low, high, weight)) in interpolate::reading(settings, axis, n)?
            .into_iter()
            .enumerate()
        {
            let tap = rule
                .place(i, n, m, scales[axis])
                .and_then(|place| rule.tap(place, n));
            let Some((a, b, w)) = tap else {
                return Ok(false);
            };
            // Compared as places, so that "all of pixel 2" and "none of pixel 3 beside 2" are the same.
            let ours = low as f64 + (high as f64 - low as f64) * f64::from(weight);
            let theirs = a as f64 + (b as f64 - a as f64) * w;
            if (ours - theirs).abs() > 1e-4 {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
