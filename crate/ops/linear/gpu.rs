//! The linear layer on a graphics card: a 1 × 1 convolution of pictures of one pixel, a picture for each row.

use super::super::conv2d::gpu::{DIRECT, Direct, Piece, Taps};
use super::super::gpu::{Activation, Map, Recorder};
use super::*;
use std::sync::Arc;

/// Writes it down; `shape` is the output's.
pub fn record(
    r: &mut Recorder,
    x: &Map,
    weight: &Arc<Tensor>,
    bias: Option<&Arc<Tensor>>,
    shape: Vec<usize>,
) -> Map {
    let (outs, ins) = (weight.shape()[0], weight.shape()[1]);
    let rows = x.len() / ins;
    let y = r.map(vec![rows, outs, 1, 1]);
    let direct = Direct {
        images: rows,
        groups: 1,
        outs,
        ins,
        taps: Taps {
            rows: [1, 1],
            columns: [1, 1],
            row: &|m, _| Some(m),
            column: &|m, _| Some(m),
        },
        activation: Activation::None,
    };
    let value = |_: usize, o: usize, c: usize, _: usize| weight.data()[o * ins + c];
    let arranged = direct.arrange(bias.map(|bias| bias.data()), value);
    let weights = r.weights(arranged, &DIRECT, [Some(weight), bias], 1);
    let pixels = x.under(vec![rows, ins, 1, 1]);
    direct.record(r, &[Piece::whole(&pixels)], weights, &y);
    r.jobs.last_mut().expect("just added").flops = 2 * (y.len() * ins) as u64;
    y.under(shape)
}
