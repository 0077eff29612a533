//! One axis of one layer: which inputs an output reads.

use crate::window::{Axis, PaddingMode, Source};

/// How the outputs of a layer hang on its inputs, along one axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Every output reads the input at its own place.
    Same(usize),
    /// A sliding window: convolution and pooling.
    Slide(Axis),
    /// A transposed convolution: a window that slides over the *output* and writes there. The axis is the one of the
    /// convolution that it transposes, so its `size` is the number of outputs and its `output` the number of inputs.
    Spread(Axis),
    /// Every input repeated `scale` times.
    Nearest {
        /// Number of inputs.
        inputs: usize,
        /// Outputs for an input.
        scale: usize,
    },
    /// Linear interpolation between the two nearest inputs (`align_corners = False`).
    Linear {
        /// Number of inputs.
        inputs: usize,
        /// Outputs for an input.
        scale: usize,
    },
}

impl Step {
    /// A transposed convolution over `inputs`; `None` if nothing is left of its output.
    pub fn spread(
        inputs: usize,
        [kernel, stride, dilation]: [usize; 3],
        [padding, output_padding]: [usize; 2],
    ) -> Option<Step> {
        let full = (inputs - 1) * stride + dilation * (kernel - 1) + 1 + output_padding;
        let size = full.checked_sub(2 * padding).filter(|&size| size > 0)?;
        let mode = PaddingMode::Zeros;
        Some(Step::Spread(Axis {
            size,
            kernel,
            stride,
            dilation,
            before: padding,
            after: padding,
            mode,
            output: inputs,
        }))
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        match *self {
            Step::Same(n) => n,
            Step::Slide(axis) => axis.output,
            Step::Spread(axis) => axis.size,
            Step::Nearest { inputs, scale } | Step::Linear { inputs, scale } => inputs * scale,
        }
    }

    /// The inputs that output `m` reads, once for every weight (or candidate) that reads them. Padding that holds no pixel
    /// is none; interpolation counts a pixel once, and not at all where its weight is zero.
    pub fn reads(&self, m: usize) -> Vec<usize> {
        match *self {
            Step::Same(_) => vec![m],
            Step::Slide(axis) => {
                let source = |k| match axis.source(axis.tap(m, k)) {
                    Source::Pixel(i) => Some(i),
                    Source::Padding | Source::Outside => None,
                };
                (0..axis.kernel).filter_map(source).collect()
            }
            Step::Spread(axis) => {
                let [first, last] = writers(&axis, m as i64);
                let inside = first.max(0)..=last.min(axis.output as i64 - 1);
                let writes = |j: &i64| writes(&axis, *j, m as i64);
                inside.filter(writes).map(|j| j as usize).collect()
            }
            Step::Nearest { scale, .. } => vec![m / scale],
            Step::Linear { inputs, scale } => {
                let [first, last] = between(m as i64, scale);
                let inside = |i: i64| i.clamp(0, inputs as i64 - 1) as usize;
                if inside(first) == inside(last) {
                    return vec![inside(first)];
                }
                vec![inside(first), inside(last)]
            }
        }
    }

    /// The inputs that output `m` would read on an axis without ends, in order.
    pub fn unlimited(&self, m: i64) -> Vec<i64> {
        match *self {
            Step::Same(_) => vec![m],
            Step::Slide(axis) => {
                let first = axis.stride as i64 * m - axis.before as i64;
                (0..axis.kernel)
                    .map(|k| first + (axis.dilation * k) as i64)
                    .collect()
            }
            Step::Spread(axis) => {
                let [first, last] = writers(&axis, m);
                (first..=last).filter(|&j| writes(&axis, j, m)).collect()
            }
            Step::Nearest { scale, .. } => vec![m.div_euclid(scale as i64)],
            Step::Linear { scale, .. } => {
                let [first, last] = between(m, scale);
                (first..=last).collect()
            }
        }
    }

    /// After how many outputs the pattern repeats, and how many inputs further.
    pub fn period(&self) -> [usize; 2] {
        match *self {
            Step::Same(_) => [1, 1],
            Step::Slide(axis) => [1, axis.stride],
            Step::Spread(axis) => [axis.stride, 1],
            Step::Nearest { scale, .. } | Step::Linear { scale, .. } => [scale, 1],
        }
    }
}

/// The first and last input whose window can cover output `m`: j with 0 ≤ m + before − stride·j ≤ span − 1.
fn writers(axis: &Axis, m: i64) -> [i64; 2] {
    let (stride, at) = (axis.stride as i64, m + axis.before as i64);
    [
        -(axis.span() as i64 - 1 - at).div_euclid(stride),
        at.div_euclid(stride),
    ]
}

/// Whether a tap of input `j` lies on output `m` (dilation leaves gaps).
fn writes(axis: &Axis, j: i64, m: i64) -> bool {
    (m + axis.before as i64 - axis.stride as i64 * j) % axis.dilation as i64 == 0
}

/// The inputs left and right of output `m` at (m + ½)/scale − ½: one and the same where it falls onto an input.
fn between(m: i64, scale: usize) -> [i64; 2] {
    let (above, below) = (2 * m + 1 - scale as i64, 2 * scale as i64);
    let first = above.div_euclid(below);
    [first, first + i64::from(above.rem_euclid(below) != 0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::{Padding, Spec, Window};

    /// What an output reads is what it would read without ends, cut to the inputs there are.
    #[test]
    fn reading_and_unlimited_reading_agree() {
        let spread = |parameters, paddings| Step::spread(9, parameters, paddings).expect("a size");
        let spec = Spec {
            stride: [2, 2],
            dilation: [3, 3],
            padding: Padding::By([2, 2]),
            ..Spec::new([2, 2])
        };
        let steps = [
            Step::Same(9),
            Step::Slide(Window::new("test", [9, 9], &spec).expect("it fits").x),
            Step::Nearest {
                inputs: 9,
                scale: 2,
            },
            Step::Linear {
                inputs: 9,
                scale: 2,
            },
            Step::Linear {
                inputs: 9,
                scale: 3,
            },
            spread([2, 2, 1], [0, 0]),
            spread([3, 2, 1], [1, 1]),
            spread([3, 2, 2], [1, 0]),
            spread([2, 2, 3], [1, 0]),
            spread([1, 3, 1], [0, 2]),
            spread([4, 3, 2], [2, 0]),
        ];
        for step in steps {
            let n = 9;
            for m in 0..step.outputs() {
                let reads: Vec<i64> = step.reads(m).iter().map(|&i| i as i64).collect();
                let free = step.unlimited(m as i64);
                let inside: Vec<i64> = free
                    .iter()
                    .copied()
                    .filter(|i| (0..n).contains(i))
                    .collect();
                match step {
                    // At the rim both neighbours are the outermost pixel.
                    Step::Linear { .. } if inside.len() < free.len() => {
                        assert_eq!(reads.len(), 1, "{step:?} at {m}")
                    }
                    _ => assert_eq!(reads, inside, "{step:?} at {m}"),
                }
                let [repeats, further] = step.period().map(|n| n as i64);
                let later: Vec<i64> = free.iter().map(|i| i + further).collect();
                assert_eq!(step.unlimited(m as i64 + repeats), later, "{step:?} at {m}");
            }
        }
    }

    /// A transposed convolution writes where the convolution it transposes reads.
    #[test]
    fn spreading_is_the_inverse_of_sliding() {
        for (kernel, stride, dilation, padding) in
            [(3, 2, 1, 1), (2, 2, 3, 1), (1, 3, 1, 0), (4, 1, 2, 2)]
        {
            let step = Step::spread(7, [kernel, stride, dilation], [padding, 0]).expect("a size");
            let by = Padding::By([padding; 2]);
            let spec = Spec {
                stride: [stride; 2],
                dilation: [dilation; 2],
                padding: by,
                ..Spec::new([kernel; 2])
            };
            let slide = Window::new("test", [step.outputs(); 2], &spec)
                .expect("it fits")
                .x;
            assert_eq!(slide.output, 7);
            for m in 0..step.outputs() {
                let mut writers: Vec<usize> = slide.reach(m).into_iter().map(|(j, _)| j).collect();
                writers.sort_unstable();
                assert_eq!(step.reads(m), writers, "{step:?} at {m}");
            }
        }
    }

    #[test]
    fn interpolation_reads_one_pixel_where_it_falls_on_it() {
        let linear = Step::Linear {
            inputs: 3,
            scale: 3,
        };
        let reads: Vec<_> = (0..9).map(|m| linear.reads(m)).collect();
        assert_eq!(
            reads,
            [
                vec![0],
                vec![0],
                vec![0, 1],
                vec![0, 1],
                vec![1],
                vec![1, 2],
                vec![1, 2],
                vec![2],
                vec![2]
            ]
        );
    }
}
