//! The transposed convolution on a graphics card. Of each output and tap at most one input is read, so it is a weighted sum under
//! taps as any convolution: the program is `conv2d`'s `direct`, with tables of its own.

use super::super::conv2d::gpu::{DIRECT, Direct, Piece, Taps};
use super::super::gpu::{Activation, Map, Recorder};
use super::*;
use std::sync::Arc;

/// Writes it down.
///
/// # Errors
/// As [`super::run`].
pub fn record(
    r: &mut Recorder,
    x: &Map,
    weight: &Arc<Tensor>,
    bias: Option<&Arc<Tensor>>,
    settings: &Settings,
) -> Result<Map> {
    let of = [Some(weight), bias];
    let bias = bias.map(|bias| bias.as_ref());
    let shapes = [
        Some(&x.shape[..]),
        Some(weight.shape()),
        bias.map(Tensor::shape),
    ];
    let plan = plan(&shapes, settings)?;
    let y = r.map(plan.shape());
    let (rows, columns) = (&plan.y, &plan.x);
    let direct = Direct {
        images: plan.images.n,
        groups: plan.groups,
        outs: plan.og,
        ins: plan.images.c / plan.groups,
        taps: Taps {
            rows: [rows.output, rows.kernel],
            columns: [columns.output, columns.kernel],
            row: &|m, k| rows.source(m, k),
            column: &|m, k| columns.source(m, k),
        },
        activation: Activation::None,
    };
    let taps = rows.kernel * columns.kernel;
    let value = |g: usize, o: usize, c: usize, tap: usize| {
        weight.data()[((g * direct.ins + c) * plan.og + o) * taps + tap]
    };
    let arranged = direct.arrange(bias.map(Tensor::data), value);
    let weights = r.weights(arranged, &DIRECT, of, plan.groups);
    direct.record(r, &[Piece::whole(x)], weights, &y);
    let products = direct.ins * taps;
    r.jobs.last_mut().expect("just added").flops = 2 * (y.len() * products) as u64;
    Ok(y)
}
