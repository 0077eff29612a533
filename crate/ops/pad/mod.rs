//! `pad`: values added at the edges of a tensor, or taken away (`torch.nn.functional.pad`).
//!
//! As in PyTorch the amounts count from the last axis: `pad` = [left, right, above, below, …], one pair an axis, negative
//! ones cutting off. What is added is a constant ("constant", any axes), the mirrored picture without repeating its edge
//! ("reflect"), the edge again and again ("replicate"), or the other end of the picture ("circular"); the last three along
//! the two axes of a picture only.

#[cfg(feature = "gpu")]
pub(super) mod gpu;

use super::common::copied;
use super::field::Field;
use super::flatten::unravel;
use super::{Explanation, Term, check_position};
use crate::error::{Error, Result, tuple};
use crate::options::{LARGEST, Options, Reader, Value};
use crate::tensor::Tensor;
use crate::window::PaddingMode;

const OP: &str = "pad";

/// The modes by their public names; "constant" is what a window calls zeros.
const MODES: [(&str, PaddingMode); 4] = [
    ("constant", PaddingMode::Zeros),
    ("reflect", PaddingMode::Reflect),
    ("replicate", PaddingMode::Replicate),
    ("circular", PaddingMode::Circular),
];

/// The options: `pad`, `mode` ("constant") and `value` (0; with "constant" only).
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Before and after, one pair an axis, the last axis first.
    pub pad: Vec<[i64; 2]>,
    /// What is added.
    pub mode: PaddingMode,
    /// The constant.
    pub value: f32,
}

impl Settings {
    /// Reads the options.
    ///
    /// # Errors
    /// If `pad` is missing, on impossible values and unknown names.
    pub fn parse(options: &Options) -> Result<Settings> {
        let mut reader = Reader::new(OP, options);
        let given = reader.value("pad");
        let amount = |value: &Value| match value {
            Value::Number(n) if n.fract() == 0.0 && n.abs() <= LARGEST as f64 => Some(*n as i64),
            _ => None,
        };
        let amounts: Option<Vec<i64>> = match given {
            Some(Value::List(list)) => list.iter().map(amount).collect(),
            _ => None,
        };
        let amounts =
            amounts.filter(|list| (2..=8).contains(&list.len()) && list.len().is_multiple_of(2));
        let Some(amounts) = amounts else {
            let got = given.map_or("nothing".to_string(), Value::to_string);
            return Err(reader.refuse(
                "pad",
                "[left, right], [left, right, above, below] or more pairs of whole numbers",
                got,
            ));
        };
        let mode = reader.choice("mode", &MODES)?.unwrap_or_default();
        let value = match reader.value("value") {
            None => None,
            Some(Value::Number(n)) => Some(*n as f32),
            Some(other) => return Err(reader.refuse("value", "a number", other)),
        };
        if value.is_some() && mode != PaddingMode::Zeros {
            return Err(reader.complain("value has a meaning with mode \"constant\" only".into()));
        }
        reader.finish()?;
        Ok(Settings {
            pad: amounts.chunks(2).map(|pair| [pair[0], pair[1]]).collect(),
            mode,
            value: value.unwrap_or(0.0),
        })
    }

    /// Whether it changes nothing.
    pub fn is_nothing(&self) -> bool {
        self.pad.iter().all(|pair| *pair == [0, 0])
    }

    /// The sum of an output's values where the constant stands.
    pub(crate) fn added(&self, output: &Tensor) -> f64 {
        let rank = output.rank();
        let inside = |(axis, &i): (usize, &usize)| {
            let [before, after] = self.along(axis, rank).map(|n| n.max(0));
            (before..output.shape()[axis] as i64 - after).contains(&(i as i64))
        };
        let values = output.data().iter().enumerate();
        let outside = values.filter(|(i, _)| {
            let at = unravel(*i, output.shape());
            self.mode == PaddingMode::Zeros && !at.iter().enumerate().all(inside)
        });
        outside.map(|(_, value)| f64::from(*value)).sum()
    }

    /// Before and after along an axis of a tensor of this rank.
    fn along(&self, axis: usize, rank: usize) -> [i64; 2] {
        self.pad.get(rank - 1 - axis).copied().unwrap_or([0, 0])
    }
}

/// Where the indices of one axis come from; `None` for the constant.
fn sources(n: usize, [before, after]: [i64; 2], mode: PaddingMode) -> Vec<Option<usize>> {
    (-before..n as i64 + after)
        .map(|i| mode.source(i, n))
        .collect()
}

/// The sources of every axis.
fn plan(x: &[usize], settings: &Settings) -> Result<Vec<Vec<Option<usize>>>> {
    let shape = shape(x, settings)?;
    crate::tensor::values_of(OP, &shape)?;
    let axis = |(axis, &n)| sources(n, settings.along(axis, x.len()), settings.mode);
    Ok(x.iter().enumerate().map(axis).collect())
}

/// The sizes with what is added and cut off.
///
/// # Errors
/// If there are more pairs than axes, nothing is left of an axis, or the mode cannot supply so many values.
pub fn shape(x: &[usize], settings: &Settings) -> Result<Vec<usize>> {
    let rank = x.len();
    let refuse = |problem: String| {
        Err(Error::Other {
            op: OP.into(),
            problem,
        })
    };
    if settings.pad.len() > rank {
        let (got, most) = (settings.pad.len() * 2, rank * 2);
        return refuse(format!(
            "x of shape {} takes at most {most} amounts, two an axis; got {got}",
            tuple(x)
        ));
    }
    let mut shape = x.to_vec();
    for (axis, size) in shape.iter_mut().enumerate() {
        let [before, after] = settings.along(axis, rank);
        let n = *size;
        let picture = rank >= 3 && axis + 2 >= rank;
        if settings.mode != PaddingMode::Zeros && [before, after] != [0, 0] {
            let mode = MODES.iter().find(|(_, mode)| *mode == settings.mode);
            let mode = mode.map_or("", |(name, _)| name);
            if !picture {
                return refuse(format!(
                    "mode \"{mode}\" pads the rows and columns of a picture only; got [{before}, {after}] for axis {axis} of {}",
                    tuple(x)
                ));
            }
            if let Some(relation) = settings.mode.refusal(before.max(after).max(0) as usize, n) {
                let axis = ["height", "width"][axis + 2 - rank];
                return refuse(format!(
                    "{mode} padding must be {relation} the input's {axis} ({n}); got {}",
                    before.max(after)
                ));
            }
        }
        match n as i64 + before + after {
            left if left < 1 || -before >= n as i64 || -after >= n as i64 => {
                return refuse(format!(
                    "[{before}, {after}] leaves nothing of the {n} values along axis {axis}"
                ));
            }
            left => *size = left as usize,
        }
    }
    Ok(shape)
}

/// The larger or smaller tensor.
///
/// # Errors
/// As [`shape`], and if it does not fit into memory.
///
/// ```
/// use kernelscope::Tensor;
/// use kernelscope::ops::pad::{Settings, run};
/// let x = Tensor::new(&[1, 1, 3], vec![1.0, 2.0, 3.0])?;
/// let options = [("pad".to_string(), [1.0, 2.0].into()), ("mode".to_string(), "reflect".into())].into();
/// assert_eq!(run(&x, &Settings::parse(&options)?)?.data(), [2.0, 1.0, 2.0, 3.0, 2.0, 1.0]);
/// # Ok::<(), kernelscope::Error>(())
/// ```
pub fn run(x: &Tensor, settings: &Settings) -> Result<Tensor> {
    if settings.is_nothing() {
        shape(x.shape(), settings)?;
        return Ok(x.clone());
    }
    let mut axes = plan(x.shape(), settings)?;
    let shape: Vec<usize> = axes.iter().map(Vec::len).collect();
    let mut out = super::zeros(OP, "the output", &shape)?;
    let columns = axes.pop().unwrap_or_default();
    let width = x.shape()[x.rank() - 1];
    for (i, row) in out.chunks_exact_mut(columns.len()).enumerate() {
        let at = unravel(i, &shape[..shape.len() - 1]);
        let mut from = at.iter().zip(&axes).zip(x.shape());
        let from = from.try_fold(0, |sum, ((&i, axis), n)| Some(sum * n + axis[i]?));
        let Some(from) = from else {
            row.fill(settings.value);
            continue;
        };
        let from = &x.data()[from * width..][..width];
        for (value, column) in row.iter_mut().zip(&columns) {
            *value = column.map_or(settings.value, |j| from[j]);
        }
    }
    Tensor::new(&shape, out)
}

/// The value that is repeated, or the constant; its position then lies outside, perhaps at negative numbers.
///
/// # Errors
/// As [`run`], and if `at` lies outside the output.
pub fn explain(x: &Tensor, settings: &Settings, at: &[usize]) -> Result<Explanation> {
    check_position(OP, &shape(x.shape(), settings)?, at)?;
    let place = |(axis, &i): (usize, &usize)| i as i64 - settings.along(axis, x.rank())[0];
    let places: Vec<i64> = at.iter().enumerate().map(place).collect();
    let source = places.iter().zip(x.shape());
    let source = source.map(|(&i, &n)| settings.mode.source(i, n));
    let term = match source.collect::<Option<Vec<usize>>>() {
        Some(from) => Term::plain("x", &from, x.get(&from).expect("a source lies inside")),
        None => Term {
            at: places,
            padding: true,
            ..Term::plain("x", &[], settings.value)
        },
    };
    Ok(copied(term))
}

/// Every repetition gives its gradient back to its value.
pub fn backward(x: &Tensor, settings: &Settings, gradient: &Tensor) -> Result<Tensor> {
    let axes = plan(x.shape(), settings)?;
    let mut out = super::zeros(OP, "the gradient", x.shape())?;
    for (i, g) in gradient.data().iter().enumerate() {
        if *g == 0.0 {
            continue;
        }
        let at = unravel(i, gradient.shape());
        let mut from = at.iter().zip(&axes).zip(x.shape());
        if let Some(i) = from.try_fold(0, |sum, ((&i, axis), n)| Some(sum * n + axis[i]?)) {
            out[i] += g;
        }
    }
    Tensor::new(x.shape(), out)
}

/// The values that are repeated there.
pub fn field(x: &[usize], settings: &Settings, field: &Field) -> Result<Field> {
    let axes = plan(x, settings)?;
    let set = |(axis, sources): (usize, &Vec<Option<usize>>)| {
        let mut set = vec![false; x[axis]];
        let read = field.indices(axis).filter_map(|i| sources[i]);
        read.for_each(|i| set[i] = true);
        set
    };
    Ok(Field(axes.iter().enumerate().map(set).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pad: &[f64], mode: &str) -> Result<Settings> {
        let list = pad.iter().map(|&n| Value::Number(n)).collect();
        let options = [
            ("pad".to_string(), Value::List(list)),
            ("mode".to_string(), mode.into()),
        ];
        Settings::parse(&options.into())
    }

    #[test]
    fn adds_and_cuts() -> Result<()> {
        let x = Tensor::from_fn(&[1, 2, 3], |i| i as f32)?;
        let y = run(&x, &parse(&[1.0, -1.0, 0.0, 1.0], "constant")?)?;
        assert_eq!(y.shape(), [1, 3, 3]);
        assert_eq!(y.data(), [0.0, 0.0, 1.0, 0.0, 3.0, 4.0, 0.0, 0.0, 0.0]);
        let one = explain(&x, &parse(&[1.0, 0.0], "constant")?, &[0, 1, 0])?;
        assert!(one.terms[0].padding);
        assert_eq!(one.terms[0].at, [0, 1, -1]);
        Ok(())
    }

    #[test]
    fn refuses_in_words() {
        let x = Tensor::from_fn(&[1, 2, 3], |i| i as f32).unwrap();
        let message = |pad: &[f64], mode: &str| {
            let result = parse(pad, mode).and_then(|settings| run(&x, &settings));
            result.unwrap_err().to_string()
        };
        assert_eq!(
            message(&[3.0, 0.0], "reflect"),
            "pad: reflect padding must be smaller than the input's width (3); got 3"
        );
        assert_eq!(
            message(&[-2.0, -1.0], "constant"),
            "pad: [-2, -1] leaves nothing of the 3 values along axis 2"
        );
        assert_eq!(
            message(&[1.0], "constant"),
            "pad: pad must be [left, right], [left, right, above, below] or more pairs of whole numbers; got [1]"
        );
        assert_eq!(
            message(&[0.0, 0.0, 0.0, 0.0, 1.0, 0.0], "replicate"),
            "pad: mode \"replicate\" pads the rows and columns of a picture only; got [1, 0] for axis 0 of (1, 2, 3)"
        );
        assert_eq!(
            message(&[0.0; 8], "constant"),
            "pad: x of shape (1, 2, 3) takes at most 6 amounts, two an axis; got 8"
        );
    }
}
