//! The way back: gradients and receptive fields of a convolution's input.

use super::{Inputs, OP, Plan, Settings, plan, plan_shapes};
use crate::error::Result;
use crate::ops::field::Field;
use crate::tensor::Tensor;
use crate::window::{Axis, PaddingMode, Source};

/// Every input collects the gradients of the outputs that read it, each times its weight, through the padding mode too.
/// Rows and channels without any gradient cost nothing, since most gradients asked for start at one value.
pub fn backward(inputs: Inputs<'_>, settings: &Settings, gradient: &Tensor) -> Result<Tensor> {
    let Plan {
        images,
        co,
        cg,
        window,
    } = plan(inputs, settings)?;
    let ([h, w], [ho, wo], [kh, kw]) = (window.input(), window.output(), window.kernel());
    let mut out = crate::ops::zeros(OP, "the gradient", inputs.x.shape())?;
    let pixel = |axis: &Axis, i: i64| match axis.source(i) {
        Source::Pixel(i) => Some(i),
        Source::Padding | Source::Outside => None,
    };
    // columns[kx][n]: the input column that tap kx of output column n reads.
    let column = |k: usize| (0..wo).map(move |n| pixel(&window.x, window.x.tap(n, k)));
    let columns: Vec<Vec<Option<usize>>> = (0..kw).map(|k| column(k).collect()).collect();
    let plain = window.x.stride == 1 && window.x.mode == PaddingMode::Zeros;
    let (per_group, weight) = (co / settings.groups, inputs.weight.data());
    for (row, g) in gradient.data().chunks_exact(wo).enumerate() {
        let Some(first) = g.iter().position(|g| *g != 0.0) else {
            continue;
        };
        let last = g.iter().rposition(|g| *g != 0.0).unwrap_or(first);
        let (m, o, n) = (row % ho, row / ho % co, row / ho / co);
        for ky in 0..kh {
            let Some(y) = pixel(&window.y, window.y.tap(m, ky)) else {
                continue;
            };
            for c in 0..cg {
                let channel = n * images.c + o / per_group * cg + c;
                let to = &mut out[(channel * h + y) * w..][..w];
                let weights = &weight[((o * cg + c) * kh + ky) * kw..][..kw];
                for (kx, (weight, columns)) in weights.iter().zip(&columns).enumerate() {
                    if plain {
                        // Neighbours read neighbours: whole runs at a time.
                        let shift = window.x.tap(0, kx);
                        let from = (first as i64).max(-shift);
                        let until = (last as i64 + 1).min(w as i64 - shift);
                        if from < until {
                            let g = &g[from as usize..until as usize];
                            let to = &mut to[(from + shift) as usize..][..g.len()];
                            to.iter_mut().zip(g).for_each(|(x, g)| *x += weight * g);
                        }
                        continue;
                    }
                    for (x, g) in columns[first..=last].iter().zip(&g[first..=last]) {
                        if let Some(x) = x {
                            to[*x] += weight * g;
                        }
                    }
                }
            }
        }
    }
    Tensor::new(inputs.x.shape(), out)
}

/// The input values under the windows of the outputs.
pub fn field(inputs: &[Option<&[usize]>], settings: &Settings, field: &Field) -> Result<Field> {
    let shape = |i: usize| inputs.get(i).copied().flatten().unwrap_or_default();
    let Plan { images, window, .. } = plan_shapes(shape(0), shape(1), None, settings)?;
    let channels = field.groups(settings.groups, images.c);
    let axis = field.0.len() - 3;
    Ok(field.through(&window.y, &window.x).with(axis, channels))
}
