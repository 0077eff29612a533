//! The fast paths: one tap of one pair of channels at a time, rows of outputs in the innermost loop. Every output is summed
//! in the order (c, ky, kx), as `explain` does.

use super::{Axis, Plan};

/// Inputs `j` that paint inside the output with tap `k`, and the output of the first of them.
fn inside(axis: &Axis, k: usize) -> (std::ops::Range<usize>, usize) {
    let first = (0..axis.size).find(|&j| axis.target(j, k).is_some());
    let last = (0..axis.size).rfind(|&j| axis.target(j, k).is_some());
    match (first, last) {
        (Some(first), Some(last)) => (first..last + 1, axis.target(first, k).unwrap_or(0)),
        _ => (0..0, 0),
    }
}

/// Calls `f(input row, output row, weight)` for every pair of rows that a tap joins; rows start at the first joined pixel.
fn rows(plan: &Plan, weight: &[f32], mut f: impl FnMut(usize, usize, usize, f32)) {
    let (images, y, x) = (plan.images, &plan.y, &plan.x);
    let columns: Vec<_> = (0..x.kernel).map(|k| inside(x, k)).collect();
    let per_group = images.c / plan.groups;
    for n in 0..images.n {
        for c in 0..images.c {
            for o in 0..plan.og {
                let out = (n * plan.groups + c / per_group) * plan.og + o;
                for ky in 0..y.kernel {
                    for (kx, (range, first)) in columns.iter().enumerate() {
                        let w = weight[((c * plan.og + o) * y.kernel + ky) * x.kernel + kx];
                        for i in (0..y.size).filter(|_| !range.is_empty()) {
                            if let Some(m) = y.target(i, ky) {
                                let from = ((n * images.c + c) * y.size + i) * x.size + range.start;
                                f(
                                    from,
                                    (out * y.output + m) * x.output + first,
                                    range.len(),
                                    w,
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Adds every painted kernel, then the bias.
pub fn paint(plan: &Plan, x: &[f32], weight: &[f32], bias: Option<&[f32]>, out: &mut [f32]) {
    let stride = plan.x.stride;
    rows(plan, weight, |from, to, count, w| {
        let targets = out[to..].iter_mut().step_by(stride);
        targets
            .zip(&x[from..from + count])
            .for_each(|(y, x)| *y += x * w);
    });
    if let Some(bias) = bias {
        let planes = out.chunks_exact_mut(plan.y.output * plan.x.output);
        for (plane, bias) in planes.zip(bias.iter().cycle()) {
            plane.iter_mut().for_each(|y| *y += bias);
        }
    }
}

/// The transposed of [`paint`]: gradients of outputs back to the inputs.
pub fn collect(plan: &Plan, gradient: &[f32], weight: &[f32], out: &mut [f32]) {
    let stride = plan.x.stride;
    rows(plan, weight, |from, to, count, w| {
        let sources = gradient[to..].iter().step_by(stride);
        let targets = out[from..from + count].iter_mut();
        targets.zip(sources).for_each(|(x, g)| *x += g * w);
    });
}
