//! Operators that move values or tell sizes: `Concat`, `Reshape` and its like, `Pad`, `Slice`, `Shape`, `Constant`.

use crate::error::{Result, tuple};
use crate::onnx::constant::{Constant, Data};
use crate::onnx::fold;
use crate::onnx::lower::{Known, Map, Work};
use crate::onnx::node::Node;
use crate::options::Value;

pub fn constant(node: &Node) -> Result<Constant> {
    let made = if let Some(constant) = node.constant("value")? {
        constant.clone()
    } else if node.has("value_int") {
        Constant {
            shape: Vec::new(),
            data: Data::Ints(vec![node.int("value_int", 0)?]),
        }
    } else if node.has("value_float") {
        Constant::floats(Vec::new(), vec![node.float("value_float", 0.0)?])
    } else if let Some(list) = node.ints("value_ints")? {
        Constant::ints(list)
    } else if let Some(list) = node.floats("value_floats")? {
        Constant::floats(vec![list.len()], list)
    } else {
        return Err(node.wrong("holds no value of a supported kind (value, value_int, value_ints, value_float, value_floats)"));
    };
    node.finish()?;
    Ok(made)
}

/// `Shape` and `Size`.
pub fn sizes(node: &Node, input: Option<&Option<Known>>) -> Result<Constant> {
    let shape = match input {
        Some(Some(Known::Map(map))) => map.full.clone(),
        Some(Some(Known::Constant(constant))) => constant.shape.clone(),
        _ => return Err(node.wrong("lacks its input 1")),
    };
    let made = if node.op == "Size" {
        let count = shape
            .iter()
            .try_fold(1i64, |all, &n| all.checked_mul(n as i64))
            .unwrap_or(i64::MAX);
        Constant {
            shape: Vec::new(),
            data: Data::Ints(vec![count]),
        }
    } else {
        let rank = shape.len() as i64;
        let place =
            |i: i64| (if i < 0 { i.saturating_add(rank) } else { i }).clamp(0, rank) as usize;
        let (start, end) = (place(node.int("start", 0)?), place(node.int("end", rank)?));
        let part = shape.get(start..end).unwrap_or_default();
        Constant::ints(part.iter().map(|&n| n as i64).collect())
    };
    node.finish()?;
    Ok(made)
}

pub fn concat(work: &mut Work<'_, '_>) -> Result<Map> {
    let maps: Vec<Map> = (0..work.count())
        .map(|i| work.map(i))
        .collect::<Result<_>>()?;
    let Some(first) = maps.first() else {
        return Err(work.wrong("has no inputs"));
    };
    let along = if work.opset() < 4 {
        work.node.int("axis", 1)?
    } else {
        work.node.needed_int("axis")?
    };
    let axis = fold::axis(work.node, along, first.full.len())?;
    let single = axis != 0 && maps.iter().all(|map| map.single);
    let mut parts = Vec::new();
    for map in &maps {
        if map.full.len() != first.full.len() {
            return Err(work.wrong(format!(
                "joins maps of shapes {} and {}",
                tuple(&first.full),
                tuple(&map.full)
            )));
        }
        parts.push(if single {
            map.clone()
        } else {
            work.whole("batch", map)?
        });
    }
    let dim = first.dim(axis) as f64;
    let parts: Vec<&Map> = parts.iter().collect();
    work.emit("", "concat", &parts, &[("dim", dim.into())], &[], single)
}

/// `Flatten`, `Reshape`, `Squeeze` and `Unsqueeze` of a map.
pub fn reshape(work: &mut Work<'_, '_>) -> Result<Map> {
    let x = work.map(0)?;
    let full = fold::new_shape(work.node, &x.full, work.constant(1)?, work.opset())?;
    // Everything behind the batch in a row: the operator that courses call flatten.
    let rest: usize = x.full[1..].iter().product();
    if full == [x.full[0], rest] && x.full.len() > 2 {
        let start = -(x.full.len() as f64 - 1.0);
        return work.simple("flatten", &x, &[("startDim", start.into())], &[]);
    }
    work.reshape("", &x, &full)
}

pub fn transpose(work: &mut Work<'_, '_>) -> Result<Map> {
    let mut x = work.map(0)?;
    let rank = x.full.len();
    let order = match work.node.ints("perm")? {
        None => (0..rank).rev().collect(),
        Some(order) => order
            .into_iter()
            .map(|axis| fold::axis(work.node, axis, rank))
            .collect::<Result<Vec<_>>>()?,
    };
    if order.len() != rank || (0..rank).any(|axis| !order.contains(&axis)) {
        return Err(work.wrong(format!(
            "has the perm {order:?}, which does not name every axis once"
        )));
    }
    if order.first() != Some(&0) {
        x = work.whole("batch", &x)?;
    }
    let left = usize::from(x.single);
    let dims = order.iter().skip(left).map(|axis| (axis - left).into());
    work.simple("permute", &x, &[("dims", Value::List(dims.collect()))], &[])
}

pub fn pad(work: &mut Work<'_, '_>) -> Result<Map> {
    let x = work.map(0)?;
    let rank = x.full.len();
    let ints = |place: usize, name: &str| -> Result<Option<Vec<i64>>> {
        let Some(known) = work.constant(place)? else {
            return Ok(None);
        };
        known
            .as_ints()
            .map(|list| Some(list.to_vec()))
            .ok_or_else(|| work.wrong(format!("needs whole numbers as {name}")))
    };
    let (pads, axes, value) = if work.opset() < 11 {
        (
            work.node.ints("pads")?,
            None,
            work.node.float("value", 0.0)?,
        )
    } else {
        let value = match work
            .constant(2)?
            .map(|value| (value.as_floats(), value.data.len()))
        {
            None | Some((_, 0)) => 0.0,
            Some((Some(&[value]), _)) => value,
            Some(_) => return Err(work.wrong("needs one number as constant_value")),
        };
        (
            ints(1, "pads")?,
            if work.opset() < 18 {
                None
            } else {
                ints(3, "axes")?
            },
            value,
        )
    };
    let pads = pads.ok_or_else(|| work.wrong("lacks its pads"))?;
    let axes = axes.unwrap_or_else(|| (0..rank as i64).collect());
    let axes = axes
        .into_iter()
        .map(|axis| fold::axis(work.node, axis, rank))
        .collect::<Result<Vec<_>>>()?;
    if pads.len() != 2 * axes.len() || axes.len() > rank {
        return Err(work.wrong(format!("has {} pads for {} axes", pads.len(), axes.len())));
    }
    let mode = match work.node.text("mode", "constant")? {
        "constant" => "constant",
        "reflect" => "reflect",
        "edge" => "replicate",
        "wrap" => "circular",
        other => {
            return Err(work.wrong(format!(
                "has the mode \"{other}\"; supported are constant, reflect, edge and wrap"
            )));
        }
    };
    let mut amounts = vec![[0i64; 2]; rank];
    for (i, &axis) in axes.iter().enumerate() {
        amounts[axis] = [pads[i], pads[i + axes.len()]];
    }
    padded(work, &x, &amounts, mode, value)
}

/// A `pad` node for amounts in the order of the axes.
fn padded(
    work: &mut Work<'_, '_>,
    x: &Map,
    amounts: &[[i64; 2]],
    mode: &str,
    value: f32,
) -> Result<Map> {
    let x = if amounts[0] == [0, 0] {
        x.clone()
    } else {
        work.whole("batch", x)?
    };
    // A picture's rows and columns at least; further axes only where they are padded.
    let behind = amounts
        .iter()
        .position(|pair| *pair != [0, 0])
        .unwrap_or(amounts.len());
    let count = (amounts.len() - behind).max(2).min(x.shape().len());
    let order = amounts.iter().rev().take(count).flatten();
    let pad = Value::List(order.map(|&n| Value::Number(n as f64)).collect());
    let mut options = vec![("pad", pad), ("mode", mode.into())];
    if mode == "constant" {
        options.push(("value", f64::from(value).into()));
    }
    work.simple("pad", &x, &options, &[])
}

/// `Slice` of a map: what is left out is cut off.
pub fn slice(work: &mut Work<'_, '_>) -> Result<Map> {
    let x = work.map(0)?;
    for place in 1..work.count() {
        work.constant(place)?;
    }
    let cuts = fold::cuts(work.node, &x.full, &work.known(), work.opset())?;
    let mut amounts = vec![[0i64; 2]; x.full.len()];
    for cut in cuts {
        let n = x.full[cut.axis];
        if cut.step != 1 && n > 1 {
            return Err(work.wrong(format!(
                "takes values of a map with a step of {}; supported is 1",
                cut.step
            )));
        }
        if cut.count == 0 {
            return Err(work.wrong(format!(
                "leaves nothing of axis {} of {}",
                cut.axis,
                tuple(&x.full)
            )));
        }
        amounts[cut.axis] = [-(cut.start as i64), -((n - cut.start - cut.count) as i64)];
    }
    padded(work, &x, &amounts, "constant", 0.0)
}

/// After training nothing is dropped.
pub fn dropout(work: &mut Work<'_, '_>) -> Result<Map> {
    work.one_output("the mask")?;
    work.node.float("ratio", 0.5)?;
    work.node.int("seed", 0)?;
    let training = work
        .constant(2)?
        .and_then(Constant::as_ints)
        .is_some_and(|flag| flag != [0]);
    if training {
        return Err(work.wrong("is in training mode; call model.eval() before the export"));
    }
    work.map(0)
}
