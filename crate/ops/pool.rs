//! What the pooling operators share: their options, and walking over the planes of an image.

use super::Images;
use crate::error::Result;
use crate::options::{Reader, Value};
use crate::tensor::Tensor;
use crate::window::{Padding, Spec, Window, read_sides};

/// Reads `kernelSize`, `stride` (the kernel's size), `padding` (0), `ceilMode` (false) and, where the operator has it,
/// `dilation` (1).
pub fn read(reader: &mut Reader<'_>, dilated: bool) -> Result<Spec> {
    let Some(kernel) = reader.pair("kernelSize", 1)? else {
        return Err(reader.refuse(
            "kernelSize",
            "a whole number of at least 1 or a pair of them",
            "nothing",
        ));
    };
    let stride = reader.pair("stride", 1)?.unwrap_or(kernel);
    let padding = read_padding(reader, kernel)?;
    let ceil = reader.flag("ceilMode")?.unwrap_or(false);
    let dilation = if dilated {
        reader.pair("dilation", 1)?.unwrap_or([1, 1])
    } else {
        [1, 1]
    };
    Ok(Spec {
        stride,
        padding,
        dilation,
        ceil,
        ..Spec::new(kernel)
    })
}

/// PyTorch's padding, at most half the kernel on both sides of an axis, or one number a side, less than the kernel.
fn read_padding(reader: &mut Reader<'_>, kernel: [usize; 2]) -> Result<Padding> {
    let [kh, kw] = kernel;
    let named = matches!(reader.value("padding"), Some(Value::List(list)) if list.iter().any(|side| matches!(side, Value::List(_))));
    if named {
        let sides = read_sides(reader)?;
        if sides
            .iter()
            .zip(kernel)
            .any(|(sides, k)| sides.iter().any(|&by| by >= k))
        {
            let [[top, bottom], [left, right]] = sides;
            return Err(reader.refuse(
                "padding",
                format!("smaller than the kernel ({kh}×{kw}) on every side"),
                format!("[[{top}, {bottom}], [{left}, {right}]]"),
            ));
        }
        return Ok(Padding::Sides(sides));
    }
    let padding = reader.pair("padding", 0)?.unwrap_or([0, 0]);
    if padding[0] > kh / 2 || padding[1] > kw / 2 {
        let [ph, pw] = padding;
        return Err(reader.refuse(
            "padding",
            format!("at most half the kernel ({kh}×{kw})"),
            format!("[{ph}, {pw}]"),
        ));
    }
    Ok(Padding::By(padding))
}

/// The images and the window laid over them.
pub fn plan(op: &str, x: &[usize], spec: &Spec) -> Result<(Images, Window)> {
    let images = Images::of_shape(op, x)?;
    let window = Window::new(op, [images.h, images.w], spec)?;
    Ok((images, window))
}

/// Computes the output plane by plane: `f` gets an input plane and its output plane.
pub fn planes(
    op: &str,
    x: &Tensor,
    images: &Images,
    output: [usize; 2],
    f: impl Fn(&[f32], &mut [f32]),
) -> Result<Tensor> {
    let shape = images.shape(images.c, output);
    let mut out = super::zeros(op, "the output", &shape)?;
    let (from, to) = (images.h * images.w, output[0] * output[1]);
    for (plane, out) in x.data().chunks_exact(from).zip(out.chunks_exact_mut(to)) {
        f(plane, out);
    }
    #[cfg(feature = "sabotage")]
    out.iter_mut().for_each(|value| *value += 0.25);
    Tensor::new(&shape, out)
}

/// Goes through the pixels under every window, in reading order for each output: `f` gets an output's value and a pixel's.
/// Taps in the padding and beyond are passed over.
pub fn fold(window: &Window, plane: &[f32], out: &mut [f32], f: impl Fn(&mut f32, f32)) {
    let (y, x) = (&window.y, &window.x);
    for (m, out) in out.chunks_exact_mut(x.output).enumerate() {
        for ky in (0..y.kernel).filter(|&ky| y.inside(ky).contains(&m)) {
            let row = &plane[y.tap(m, ky) as usize * x.size..][..x.size];
            for kx in 0..x.kernel {
                let inside = x.inside(kx);
                if inside.is_empty() {
                    continue;
                }
                let row = &row[x.tap(inside.start, kx) as usize..];
                let out = &mut out[inside];
                if x.stride == 1 {
                    // Without a step the compiler finds the vectors.
                    out.iter_mut()
                        .zip(row)
                        .for_each(|(out, &value)| f(out, value));
                } else {
                    let row = row.iter().step_by(x.stride);
                    out.iter_mut()
                        .zip(row)
                        .for_each(|(out, &value)| f(out, value));
                }
            }
        }
    }
}

/// Windows on a graphics card.
#[cfg(feature = "gpu")]
pub use gpu::{POOL, Reading, reading, record};

#[cfg(feature = "gpu")]
mod gpu {
    use super::super::gpu::{Map, Operand, Program, Recorder};
    use super::plan;
    use crate::error::Result;
    use crate::window::{Axis, Source, Spec};

    /// The largest value under each window, or the mean.
    pub static POOL: Program = Program {
        name: "pool",
        source: include_str!("pool.wgsl"),
        reads: 2,
        numbers: &[
            "count",
            "row",
            "pixels",
            "columns",
            "in_rows",
            "in_columns",
            "kernel_rows",
            "kernel_columns",
            "mean",
            "padding_counts",
        ],
    };

    /// What becomes of the values under a window.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum Reading {
        /// The largest.
        Max,
        /// The mean; `include`: padding counts as zeros.
        Mean {
            /// Whether padding counts.
            include: bool,
        },
    }

    /// Writes a pooling operator down.
    ///
    /// # Errors
    /// If the window does not fit.
    pub fn record(r: &mut Recorder, x: &Map, op: &str, spec: &Spec, how: Reading) -> Result<Map> {
        let (images, window) = plan(op, &x.shape, spec)?;
        let taps = |axis: &Axis| {
            let each = (0..axis.output).flat_map(|m| (0..axis.kernel).map(move |k| (m, k)));
            let source = |(m, k)| match axis.source(axis.tap(m, k)) {
                Source::Pixel(i) => i as i32,
                Source::Padding => -1,
                Source::Outside => -2,
            };
            each.map(source).collect::<Vec<i32>>()
        };
        let shape = images.shape(images.c, window.output());
        let tables = [taps(&window.y), taps(&window.x)];
        Ok(reading(r, x, shape, window.kernel(), tables, how))
    }

    /// Writes down what is read under given taps; the output has the last two sizes of `shape`.
    pub fn reading(
        r: &mut Recorder,
        x: &Map,
        shape: Vec<usize>,
        kernel: [usize; 2],
        tables: [Vec<i32>; 2],
        how: Reading,
    ) -> Map {
        let ([.., rows, columns], [.., h, w]) = (&shape[..], &x.shape[..]) else {
            unreachable!("pictures")
        };
        let sizes = [rows * columns, *columns, *h, *w, kernel[0], kernel[1]];
        let how = match how {
            Reading::Max => [0, 0],
            Reading::Mean { include } => [1, u32::from(include)],
        };
        let numbers = [&sizes.map(|n| n as u32)[..], &how].concat();
        let table = r.table(tables.concat());
        let y = r.map(shape);
        r.each(&POOL, y.len(), &numbers, &[Operand::Map(x.id), table], y.id);
        r.jobs.last_mut().expect("just added").flops = (y.len() * kernel[0] * kernel[1]) as u64;
        y
    }
}
