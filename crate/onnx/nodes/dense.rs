//! Operators on values, rows and channels: `Add`, `Gemm`, `MatMul`, `BatchNormalization`, `Softmax`, `LeakyRelu`.

use crate::error::{Result, tuple};
use crate::onnx::fold;
use crate::onnx::lower::{Map, Work};
use crate::options::Value;
use crate::tensor::Tensor;
use std::sync::Arc;

pub fn leaky_relu(work: &mut Work<'_, '_>) -> Result<Map> {
    let x = work.map(0)?;
    let slope = work.node.float("alpha", 0.01)?;
    work.simple(
        "leaky_relu",
        &x,
        &[("negativeSlope", f64::from(slope).into())],
        &[],
    )
}

pub fn softmax(work: &mut Work<'_, '_>) -> Result<Map> {
    let mut x = work.map(0)?;
    let old = work.opset() < 13;
    let axis = fold::axis(
        work.node,
        work.node.int("axis", if old { 1 } else { -1 })?,
        x.full.len(),
    )?;
    let after: usize = x.full[axis + 1..].iter().product();
    if old && after > 1 {
        // Before opset 13 everything from the axis on shares the 1.
        let full = x.full.clone();
        let rows = [full[..axis].iter().product(), full[axis..].iter().product()];
        let flat = work.whole("batch", &x)?;
        let flat = work.reshape("rows", &flat, &rows)?;
        let shares = work.emit(
            "shares",
            "softmax",
            &[&flat],
            &[("dim", Value::Number(-1.0))],
            &[],
            flat.single,
        )?;
        return work.reshape("", &shares, &full);
    }
    if axis == 0 {
        x = work.whole("batch", &x)?;
    }
    let dim = x.dim(axis) as f64;
    work.simple("softmax", &x, &[("dim", dim.into())], &[])
}

pub fn batch_norm(work: &mut Work<'_, '_>) -> Result<Map> {
    let x = work.map(0)?;
    if work.node.int("training_mode", 0)? != 0 {
        return Err(work.wrong("is in training mode; call model.eval() before the export"));
    }
    if work.node.int("spatial", 1)? != 1 {
        return Err(work.wrong(
            "has spatial 0, statistics for every pixel; supported are those for every channel",
        ));
    }
    work.one_output("statistics of training; call model.eval() before the export")?;
    work.node.float("momentum", 0.9)?;
    let eps = work.node.float("epsilon", 1e-5)?;
    let [weight, bias, mean, variance] = [
        work.weight(1)?,
        work.weight(2)?,
        work.weight(3)?,
        work.weight(4)?,
    ];
    let parameters = [
        ("runningMean", mean),
        ("runningVar", variance),
        ("weight", weight),
        ("bias", bias),
    ];
    let options = [("eps", f64::from(eps).into())];
    let full = x.full.clone();
    match full[..] {
        [_, _, _, _] => work.simple("batch_norm", &x, &options, &parameters),
        // Rows of features: pictures of one pixel, or of one column.
        [n, c] | [n, c, _] => {
            let picture =
                work.reshape("picture", &x, &[n, c, full.get(2).copied().unwrap_or(1), 1])?;
            let y = work.emit(
                "norm",
                "batch_norm",
                &[&picture],
                &options,
                &parameters,
                picture.single,
            )?;
            work.reshape("", &y, &full)
        }
        _ => Err(work.wrong(format!("works on a map of shape {}", tuple(&full)))),
    }
}

pub fn add(work: &mut Work<'_, '_>) -> Result<Map> {
    match (work.as_map(0), work.as_map(1)) {
        (Some(a), Some(b)) => {
            let (ra, rb) = (a.full.len(), b.full.len());
            // A first axis that is left out must be left out of both, unless the other has no such axis.
            let (a, b) = if a.single == b.single || (a.single && rb < ra) || (b.single && ra < rb) {
                (a, b)
            } else {
                (work.whole("batch", &a)?, work.whole("batch", &b)?)
            };
            let single = if ra >= rb { a.single } else { b.single };
            work.emit("", "add", &[&a, &b], &[], &[], single)
        }
        (Some(x), None) => add_constant(work, x, 1),
        (None, Some(x)) => add_constant(work, x, 0),
        _ => work.map(0),
    }
}

fn add_constant(work: &mut Work<'_, '_>, x: Map, place: usize) -> Result<Map> {
    let other = work.weight(place)?;
    let rank = x.full.len();
    let longer = other.rank() > rank || other.rank() == rank && other.shape()[0] != 1;
    if x.single && longer {
        let x = work.whole("batch", &x)?;
        return work.emit("", "add", &[&x], &[], &[("other", other)], false);
    }
    let other = if x.single && other.rank() == rank && rank > 1 {
        Arc::new(Tensor::new(&other.shape()[1..], other.data().to_vec())?)
    } else {
        other
    };
    work.emit("", "add", &[&x], &[], &[("other", other)], x.single)
}

/// Weights as `linear` wants them, (out, in).
fn transposed(weight: &Tensor, factor: f32) -> Result<Arc<Tensor>> {
    let [rows, columns] = [weight.shape()[0], weight.shape()[1]];
    let at = |i: usize| weight.data()[i % rows * columns + i / rows] * factor;
    Tensor::from_fn(&[columns, rows], at).map(Arc::new)
}

pub fn gemm(work: &mut Work<'_, '_>) -> Result<Map> {
    let x = work.map(0)?;
    if x.full.len() != 2 {
        return Err(work.wrong(format!(
            "works on a map of shape {}; it must have 2 dimensions",
            tuple(&x.full)
        )));
    }
    if work.node.int("transA", 0)? != 0 {
        return Err(work.wrong("has transA 1, which is not supported"));
    }
    let weight = work.weight(1)?;
    if weight.rank() != 2 {
        return Err(work.wrong(format!(
            "has weights of shape {}; they must have 2 dimensions",
            tuple(weight.shape())
        )));
    }
    let alpha = work.node.float("alpha", 1.0)?;
    let beta = work.node.float("beta", 1.0)?;
    let weight = match (work.node.int("transB", 0)? != 0, alpha == 1.0) {
        (true, true) => weight,
        (true, false) => Arc::new(Tensor::from_fn(weight.shape(), |i| {
            weight.data()[i] * alpha
        })?),
        (false, _) => transposed(&weight, alpha)?,
    };
    let outs = weight.shape()[0];
    let Some(bias) = work.optional_weight(2)? else {
        return work.simple("linear", &x, &[], &[("weight", weight)]);
    };
    let scaled = |shape: &[usize]| {
        Tensor::from_fn(shape, |i| bias.data()[i % bias.data().len()] * beta).map(Arc::new)
    };
    // One number, one a column, or one a row and column.
    let rows = bias.shape()[..bias.rank() - 1].iter().all(|&n| n == 1);
    let last = bias.shape()[bias.rank() - 1];
    if bias.rank() <= 2 && rows && (last == 1 || last == outs) {
        let bias = scaled(&[outs])?;
        return work.simple("linear", &x, &[], &[("weight", weight), ("bias", bias)]);
    }
    let product = work.emit(
        "product",
        "linear",
        &[&x],
        &[],
        &[("weight", weight)],
        x.single,
    )?;
    let other = scaled(bias.shape())?;
    let product = work.whole("batch", &product)?;
    let sum = work.emit("", "add", &[&product], &[], &[("other", other)], false)?;
    if sum.full != [x.full[0], outs] {
        return Err(work.wrong(format!(
            "adds a bias of shape {}, which does not fit",
            tuple(bias.shape())
        )));
    }
    Ok(sum)
}

pub fn matmul(work: &mut Work<'_, '_>) -> Result<Map> {
    let Some(x) = work.as_map(0) else {
        return Err(work.wrong(
            "multiplies a constant with a map; supported is a map times constant weights, x @ W",
        ));
    };
    let weight = work.weight(1)?;
    if weight.rank() != 2 {
        return Err(work.wrong(format!(
            "has weights of shape {}; supported are 2 dimensions",
            tuple(weight.shape())
        )));
    }
    let weight = transposed(&weight, 1.0)?;
    work.simple("linear", &x, &[], &[("weight", weight)])
}
