//! `interpolate`: a picture of another size (`torch.nn.functional.interpolate`).
//!
//! "nearest" copies: output i reads `⌊i·s⌋` with `s` = 1/scaleFactor, or input size / output size where `size` is given.
//! "bilinear" mixes the two nearest pixels along each axis: around `(i + ½)·s − ½`, not below 0; with `alignCorners`
//! around `i·(n − 1)/(m − 1)`, so that the corner pixels of both pictures coincide.

mod cpu;
#[cfg(feature = "gpu")]
pub(super) mod gpu;

use super::field::Field;
use super::{Explanation, Images, Reduce, Term};
use crate::error::{Error, Result};
use crate::options::{Options, Reader, Value};
use crate::tensor::Tensor;

const OP: &str = "interpolate";

/// How values between pixels come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The pixel itself, repeated.
    Nearest,
    /// A weighted mean of the two neighbours along each axis.
    Bilinear,
}

/// The size of the output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// This many times the input's, rounded down, [vertical, horizontal].
    Scale([f64; 2]),
    /// Height and width.
    Size([usize; 2]),
}

/// The options: `size` or `scaleFactor` (one of them), `mode` ("nearest") and `alignCorners` (false; bilinear only).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How large the output is.
    pub target: Target,
    /// How values come about.
    pub mode: Mode,
    /// Whether the corner pixels coincide.
    pub align_corners: bool,
}

impl Settings {
    /// Reads the options.
    ///
    /// # Errors
    /// On impossible values, unknown names, and unless exactly one of `size` and `scaleFactor` is given.
    pub fn parse(options: &Options) -> Result<Settings> {
        let mut reader = Reader::new(OP, options);
        let size = reader.pair("size", 1)?;
        let scale = scale(&mut reader)?;
        let modes = [("nearest", Mode::Nearest), ("bilinear", Mode::Bilinear)];
        let mode = reader.choice("mode", &modes)?.unwrap_or(Mode::Nearest);
        let align = reader.flag("alignCorners")?;
        let target = match (size, scale) {
            (Some(size), None) => Target::Size(size),
            (None, Some(scale)) => Target::Scale(scale),
            _ => return Err(reader.complain("give either size or scaleFactor".into())),
        };
        if align.is_some() && mode == Mode::Nearest {
            return Err(
                reader.complain("alignCorners has a meaning with mode \"bilinear\" only".into())
            );
        }
        reader.finish()?;
        Ok(Settings {
            target,
            mode,
            align_corners: align.unwrap_or(false),
        })
    }

    /// How many times every pixel of a map of shape `x` is repeated, across and down, if that is all that happens.
    pub fn zoom(&self, x: &[usize]) -> Option<usize> {
        let plan = plan(x, self).ok()?;
        let zoom = plan.rows.len() / plan.images.h;
        let repeats = |taps: &[Tap], n: usize| {
            let each = |(i, tap): (usize, &Tap)| tap.low == i / zoom;
            taps.len() == n * zoom && taps.iter().enumerate().all(each)
        };
        (self.mode == Mode::Nearest
            && zoom > 0
            && repeats(&plan.rows, plan.images.h)
            && repeats(&plan.columns, plan.images.w))
        .then_some(zoom)
    }
}

fn scale(reader: &mut Reader<'_>) -> Result<Option<[f64; 2]>> {
    let fits = |value: &Value| match value {
        Value::Number(n) if (1e-3..=1e3).contains(n) => Some(*n),
        _ => None,
    };
    let Some(value) = reader.value("scaleFactor") else {
        return Ok(None);
    };
    let pair = match value {
        Value::List(list) => match list.as_slice() {
            [y, x] => fits(y).zip(fits(x)).map(|(y, x)| [y, x]),
            _ => None,
        },
        one => fits(one).map(|n| [n, n]),
    };
    match pair {
        Some(pair) => Ok(Some(pair)),
        None => Err(reader.refuse(
            "scaleFactor",
            "a number from 0.001 to 1000 or a pair of them",
            value,
        )),
    }
}

/// What one output index reads along one axis: two input indices and the weight of the second.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Tap {
    low: usize,
    high: usize,
    weight: f32,
}

/// The reading of one axis, in the roundings of PyTorch.
fn taps(settings: &Settings, axis: usize, n: usize) -> Result<Vec<Tap>> {
    let (m, scale) = match settings.target {
        Target::Size(size) => (size[axis], n as f32 / size[axis] as f32),
        Target::Scale(scale) => (
            (n as f64 * scale[axis]) as usize,
            (1.0 / scale[axis]) as f32,
        ),
    };
    if m == 0 {
        let problem = format!("scaleFactor leaves nothing of {n} pixels");
        return Err(Error::Other {
            op: OP.into(),
            problem,
        });
    }
    if m > crate::options::LARGEST {
        let what = format!("an output of {m} pixels along one axis");
        return Err(Error::TooLarge {
            op: OP.into(),
            what,
        });
    }
    let tap = |i: usize| {
        let place = match (settings.mode, settings.align_corners) {
            (Mode::Nearest, _) => {
                let low = ((i as f32 * scale) as usize).min(n - 1);
                return Tap {
                    low,
                    high: low,
                    weight: 0.0,
                };
            }
            (Mode::Bilinear, true) if m == 1 => 0.0,
            (Mode::Bilinear, true) => i as f32 * ((n - 1) as f32 / (m - 1) as f32),
            (Mode::Bilinear, false) => ((i as f32 + 0.5) * scale - 0.5).max(0.0),
        };
        let low = (place as usize).min(n - 1);
        let high = (low + 1).min(n - 1);
        // At the last pixel both are the same; its weight is then all in the first.
        let weight = if high == low {
            0.0
        } else {
            (place - low as f32).clamp(0.0, 1.0)
        };
        Tap { low, high, weight }
    };
    Ok((0..m).map(tap).collect())
}

/// For every output along an axis of `n` pixels (0 vertical, 1 horizontal): the two pixels that are mixed, and the weight of
/// the second.
///
/// # Errors
/// If nothing would be left, or too much.
pub fn reading(settings: &Settings, axis: usize, n: usize) -> Result<Vec<(usize, usize, f32)>> {
    let taps = taps(settings, axis, n)?.into_iter();
    Ok(taps.map(|tap| (tap.low, tap.high, tap.weight)).collect())
}

struct Plan {
    images: Images,
    rows: Vec<Tap>,
    columns: Vec<Tap>,
}

fn plan(x: &[usize], settings: &Settings) -> Result<Plan> {
    let images = Images::of_shape(OP, x)?;
    Ok(Plan {
        rows: taps(settings, 0, images.h)?,
        columns: taps(settings, 1, images.w)?,
        images,
    })
}

/// (C, H_out, W_out), batched as x is.
///
/// # Errors
/// If x is no picture or nothing would be left of it.
pub fn shape(x: &[usize], settings: &Settings) -> Result<Vec<usize>> {
    let plan = plan(x, settings)?;
    Ok(plan
        .images
        .shape(plan.images.c, [plan.rows.len(), plan.columns.len()]))
}

/// The picture in its new size.
///
/// # Errors
/// As [`shape`], and if the output does not fit into memory.
pub fn run(x: &Tensor, settings: &Settings) -> Result<Tensor> {
    let Plan {
        images,
        rows,
        columns,
    } = plan(x.shape(), settings)?;
    let shape = images.shape(images.c, [rows.len(), columns.len()]);
    let mut out = super::zeros(OP, "the output", &shape)?;
    let planes = x.data().chunks_exact(images.h * images.w);
    for (plane, out) in planes.zip(out.chunks_exact_mut(rows.len() * columns.len())) {
        match settings.mode {
            Mode::Nearest => cpu::nearest(plane, images.w, &rows, &columns, out),
            Mode::Bilinear => cpu::bilinear(plane, images.w, &rows, &columns, out),
        }
    }
    Tensor::new(&shape, out)
}

/// The pixels that an output mixes, with their weights: row and column, upper left first.
fn mixed(row: Tap, column: Tap) -> Vec<([usize; 2], f32)> {
    let along = |tap: Tap| {
        let mut list = vec![(tap.low, 1.0 - tap.weight)];
        if tap.high != tap.low {
            list.push((tap.high, tap.weight));
        }
        list
    };
    let columns = along(column);
    let rows = along(row).into_iter();
    rows.flat_map(|(y, wy)| columns.iter().map(move |&(x, wx)| ([y, x], wy * wx)))
        .collect()
}

/// The one pixel that is copied, or the up to four that are mixed, with their weights.
///
/// # Errors
/// As [`run`], and if `at` lies outside the output.
pub fn explain(x: &Tensor, settings: &Settings, at: &[usize]) -> Result<Explanation> {
    let Plan {
        images,
        rows,
        columns,
    } = plan(x.shape(), settings)?;
    let shape = images.shape(images.c, [rows.len(), columns.len()]);
    let [n, c, i, j] = images.position(OP, &shape, at)?;
    let mut value = 0.0;
    let mut terms = Vec::new();
    for ([y, column], w) in mixed(rows[i], columns[j]) {
        let pixel = x.data()[((n * images.c + c) * images.h + y) * images.w + column];
        let place = images.at(n, c, [y as i64, column as i64]);
        let term = Term {
            at: place,
            ..Term::weighted("x", &[], pixel, w)
        };
        value += pixel * w;
        terms.push(match settings.mode {
            Mode::Nearest => Term {
                w: None,
                product: None,
                ..term
            },
            Mode::Bilinear => term,
        });
    }
    Ok(Explanation {
        value: if settings.mode == Mode::Nearest {
            terms[0].x
        } else {
            value
        },
        reduce: Reduce::Sum,
        bias: None,
        terms,
    })
}

/// Every output's gradient, given back to the pixels it mixed.
pub fn backward(x: &Tensor, settings: &Settings, gradient: &Tensor) -> Result<Tensor> {
    let Plan {
        images,
        rows,
        columns,
    } = plan(x.shape(), settings)?;
    let mut out = super::zeros(OP, "the gradient", x.shape())?;
    let planes = out.chunks_exact_mut(images.h * images.w);
    for (to, from) in planes.zip(gradient.data().chunks_exact(rows.len() * columns.len())) {
        for (row, from) in rows.iter().zip(from.chunks_exact(columns.len())) {
            if from.iter().all(|g| *g == 0.0) {
                continue;
            }
            for (column, g) in columns.iter().zip(from).filter(|(_, g)| **g != 0.0) {
                for ([y, x], w) in mixed(*row, *column) {
                    to[y * images.w + x] += w * g;
                }
            }
        }
    }
    Tensor::new(x.shape(), out)
}

/// The pixels that the outputs mix; those of weight 0 do not count.
pub fn field(x: &[usize], settings: &Settings, field: &Field) -> Result<Field> {
    let plan = plan(x, settings)?;
    let rank = x.len();
    let read = |taps: &[Tap], n: usize, axis: usize| {
        let mut set = vec![false; n];
        for i in field.indices(axis) {
            let tap = taps[i];
            set[tap.low] |= tap.weight < 1.0;
            set[tap.high] |= tap.weight > 0.0;
        }
        set
    };
    let rows = read(&plan.rows, plan.images.h, rank - 2);
    let columns = read(&plan.columns, plan.images.w, rank - 1);
    Ok(field.with(rank - 2, rows).with(rank - 1, columns))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, Value)]) -> Result<Settings> {
        let options = pairs
            .iter()
            .map(|(name, value)| (name.to_string(), value.clone()))
            .collect();
        Settings::parse(&options)
    }

    #[test]
    fn doubles_and_mixes() -> Result<()> {
        let x = Tensor::new(&[1, 1, 2], vec![0.0, 4.0])?;
        let nearest = settings(&[("scaleFactor", 2usize.into())])?;
        assert_eq!(
            run(&x, &nearest)?.data(),
            [0.0, 0.0, 4.0, 4.0, 0.0, 0.0, 4.0, 4.0]
        );
        let bilinear = settings(&[("size", [1usize, 4].into()), ("mode", "bilinear".into())])?;
        assert_eq!(run(&x, &bilinear)?.data(), [0.0, 1.0, 3.0, 4.0]);
        let one = explain(&x, &bilinear, &[0, 0, 1])?;
        assert_eq!((one.value, one.terms[1].product), (1.0, Some(1.0)));
        let aligned = settings(&[
            ("size", [1usize, 3].into()),
            ("mode", "bilinear".into()),
            ("alignCorners", true.into()),
        ])?;
        assert_eq!(run(&x, &aligned)?.data(), [0.0, 2.0, 4.0]);
        Ok(())
    }

    #[test]
    fn refuses_in_words() {
        let message = |pairs: &[(&str, Value)]| settings(pairs).unwrap_err().to_string();
        assert_eq!(message(&[]), "interpolate: give either size or scaleFactor");
        assert_eq!(
            message(&[("scaleFactor", f64::NAN.into())]),
            "interpolate: scaleFactor must be a number from 0.001 to 1000 or a pair of them; got NaN"
        );
        assert_eq!(
            message(&[("size", 2usize.into()), ("alignCorners", true.into())]),
            "interpolate: alignCorners has a meaning with mode \"bilinear\" only"
        );
        let half = settings(&[("scaleFactor", 0.4.into())]).unwrap();
        let message = shape(&[1, 2, 2], &half).unwrap_err().to_string();
        assert_eq!(
            message,
            "interpolate: scaleFactor leaves nothing of 2 pixels"
        );
    }
}
