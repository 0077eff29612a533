//! Shape arithmetic: operators whose inputs are all known, computed when a model is specialised for a size.
//!
//! Whole numbers are 64 bits and wrap nowhere: what leaves them is refused. A division of whole numbers drops the fraction.

use super::constant::{Constant, Data};
use super::node::Node;
use crate::error::Result;

/// The most numbers that an operator of shape arithmetic makes: it is about sizes, not about pictures.
const MOST: usize = 1 << 16;

/// The operators that are computed ahead.
pub const FOLDED: [&str; 29] = [
    "Abs",
    "Add",
    "Cast",
    "Ceil",
    "Concat",
    "ConstantOfShape",
    "Div",
    "Equal",
    "Expand",
    "Flatten",
    "Floor",
    "Gather",
    "Greater",
    "Identity",
    "Less",
    "Max",
    "Min",
    "Mod",
    "Mul",
    "Neg",
    "Range",
    "ReduceProd",
    "Reshape",
    "Slice",
    "Squeeze",
    "Sub",
    "Transpose",
    "Unsqueeze",
    "Where",
];

/// Computes a node from known inputs, those that are not given being `None`.
///
/// # Errors
/// If the node cannot be computed, by its name.
pub fn fold(node: &Node, inputs: &[Option<&Constant>], opset: i64) -> Result<Constant> {
    let x = || node.given(inputs, 0);
    let folded = match &*node.op {
        "Identity" => x()?.clone(),
        "Cast" => cast(node, x()?)?,
        "Add" | "Sub" | "Mul" | "Div" | "Mod" | "Equal" | "Less" | "Greater" => {
            binary(node, x()?, node.given(inputs, 1)?)?
        }
        "Max" | "Min" => {
            let mut best = x()?.clone();
            for other in inputs.iter().skip(1).flatten() {
                best = binary(node, &best, other)?;
            }
            best
        }
        "Neg" | "Abs" | "Floor" | "Ceil" => unary(node, x()?)?,
        "Where" => choose(node, x()?, node.given(inputs, 1)?, node.given(inputs, 2)?)?,
        "Concat" => concat(node, inputs)?,
        "Gather" => gather(node, x()?, node.given(inputs, 1)?)?,
        "Slice" => slice(node, inputs, opset)?,
        "Squeeze" | "Unsqueeze" | "Reshape" | "Flatten" => {
            let known = inputs.get(1).copied().flatten();
            let shape = new_shape(node, &x()?.shape, known, opset)?;
            reshaped(x()?, shape)
        }
        "Transpose" => transpose(node, x()?)?,
        "ConstantOfShape" => filled(node, x()?)?,
        "Expand" => {
            let shape = sizes(node, node.given(inputs, 1)?)?;
            let shape = broadcast(&x()?.shape, &shape)
                .ok_or_else(|| node.wrong("its shapes do not fit together"))?;
            spread(node, x()?, &shape)?
        }
        "Range" => range(node, inputs)?,
        "ReduceProd" => product(node, inputs, opset)?,
        _ => return Err(node.wrong("cannot be computed ahead")),
    };
    node.finish()?;
    Ok(folded)
}

fn reshaped(x: &Constant, shape: Vec<usize>) -> Constant {
    match x.as_floats() {
        Some(values) => Constant::floats(shape, values.to_vec()),
        None => Constant {
            shape,
            data: x.data.clone(),
        },
    }
}

fn bounded(node: &Node, shape: &[usize]) -> Result<usize> {
    let count = shape.iter().try_fold(1usize, |all, &n| all.checked_mul(n));
    count.filter(|&n| n <= MOST).ok_or_else(|| {
        node.wrong(format!(
            "would make a constant of sizes {shape:?}; at most {MOST} numbers are computed ahead"
        ))
    })
}

/// A list of sizes.
pub fn sizes(node: &Node, x: &Constant) -> Result<Vec<usize>> {
    let list = x
        .as_ints()
        .ok_or_else(|| node.wrong("needs whole numbers for its sizes"))?;
    list.iter()
        .map(|&n| usize::try_from(n).map_err(|_| node.wrong(format!("got the size {n}"))))
        .collect()
}

/// An axis counted from either end.
pub fn axis(node: &Node, axis: i64, rank: usize) -> Result<usize> {
    let rank = rank as i64;
    let place = if axis < 0 {
        axis.checked_add(rank).unwrap_or(-1)
    } else {
        axis
    };
    if (0..rank).contains(&place) {
        Ok(place as usize)
    } else {
        Err(node.wrong(format!("got the axis {axis} for {rank} dimensions")))
    }
}

fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let size =
        |shape: &[usize], i: usize| (i + shape.len()).checked_sub(rank).map_or(1, |j| shape[j]);
    (0..rank)
        .map(|i| match (size(a, i), size(b, i)) {
            (a, b) if a == b || b == 1 => Some(a),
            (1, b) => Some(b),
            _ => None,
        })
        .collect()
}

/// The index in `from` that supplies index `i` of the larger shape `to`.
fn source(mut i: usize, from: &[usize], to: &[usize]) -> usize {
    let (mut index, mut step) = (0, 1);
    for (axis, &n) in to.iter().enumerate().rev() {
        let place = i % n;
        i /= n;
        if let Some(own) = (axis + from.len()).checked_sub(to.len()) {
            if from[own] != 1 {
                index += place * step;
            }
            step *= from[own];
        }
    }
    index
}

fn spread(node: &Node, x: &Constant, shape: &[usize]) -> Result<Constant> {
    let count = bounded(node, shape)?;
    let from = |i: usize| source(i, &x.shape, shape);
    Ok(match x.as_floats() {
        Some(values) => Constant::floats(
            shape.to_vec(),
            (0..count).map(|i| values[from(i)]).collect(),
        ),
        None => {
            let values = x.as_ints().unwrap_or_default();
            let data = Data::Ints((0..count).map(|i| values[from(i)]).collect());
            Constant {
                shape: shape.to_vec(),
                data,
            }
        }
    })
}

fn binary(node: &Node, a: &Constant, b: &Constant) -> Result<Constant> {
    let shape = broadcast(&a.shape, &b.shape).ok_or_else(|| {
        node.wrong(format!(
            "gets shapes that do not fit together: {:?} and {:?}",
            a.shape, b.shape
        ))
    })?;
    let (a, b) = (spread(node, a, &shape)?, spread(node, b, &shape)?);
    let remainder_of_c = node.op == "Mod" && node.int("fmod", 0)? != 0;
    if let (Some(a), Some(b)) = (a.as_ints(), b.as_ints()) {
        let one = |(&a, &b): (&i64, &i64)| match &*node.op {
            "Add" => a.checked_add(b),
            "Sub" => a.checked_sub(b),
            "Mul" => a.checked_mul(b),
            "Div" => a.checked_div(b),
            "Mod" if remainder_of_c => a.checked_rem(b),
            // The remainder has the divisor's sign, as in Python.
            "Mod" => a.checked_rem(b).map(|r| {
                if r != 0 && (r < 0) != (b < 0) {
                    r + b
                } else {
                    r
                }
            }),
            "Max" => Some(a.max(b)),
            "Min" => Some(a.min(b)),
            "Equal" => Some(i64::from(a == b)),
            "Less" => Some(i64::from(a < b)),
            _ => Some(i64::from(a > b)),
        };
        let values: Option<Vec<i64>> = a.iter().zip(b).map(one).collect();
        let values = values
            .ok_or_else(|| node.wrong("divides by zero or leaves the whole numbers of 64 bits"))?;
        return Ok(Constant {
            shape,
            data: Data::Ints(values),
        });
    }
    let (Some(a), Some(b)) = (a.as_floats(), b.as_floats()) else {
        return Err(node.wrong("mixes whole numbers with others"));
    };
    let both = a.iter().zip(b);
    let truth = |f: fn(f32, f32) -> bool| {
        Data::Ints(both.clone().map(|(&a, &b)| i64::from(f(a, b))).collect())
    };
    let data = match &*node.op {
        "Equal" => truth(|a, b| a == b),
        "Less" => truth(|a, b| a < b),
        "Greater" => truth(|a, b| a > b),
        op => {
            let f: fn(f32, f32) -> f32 = match op {
                "Add" => |a, b| a + b,
                "Sub" => |a, b| a - b,
                "Mul" => |a, b| a * b,
                "Div" => |a, b| a / b,
                "Max" => f32::max,
                "Min" => f32::min,
                _ if remainder_of_c => |a, b| a % b,
                _ => {
                    return Err(node.wrong(
                        "of numbers that are not whole is not computed ahead without fmod",
                    ));
                }
            };
            return Ok(Constant::floats(
                shape,
                both.map(|(&a, &b)| f(a, b)).collect(),
            ));
        }
    };
    Ok(Constant { shape, data })
}

fn unary(node: &Node, x: &Constant) -> Result<Constant> {
    bounded(node, &x.shape)?;
    let shape = x.shape.clone();
    if let Some(values) = x.as_ints() {
        let one = |&n: &i64| match &*node.op {
            "Neg" => n.checked_neg(),
            "Abs" => n.checked_abs(),
            _ => Some(n),
        };
        let values: Option<Vec<i64>> = values.iter().map(one).collect();
        let values = values.ok_or_else(|| node.wrong("leaves the whole numbers of 64 bits"))?;
        return Ok(Constant {
            shape,
            data: Data::Ints(values),
        });
    }
    let f: fn(f32) -> f32 = match &*node.op {
        "Neg" => |n| -n,
        "Abs" => f32::abs,
        "Floor" => f32::floor,
        _ => f32::ceil,
    };
    Ok(Constant::floats(
        shape,
        x.as_floats()
            .unwrap_or_default()
            .iter()
            .map(|&n| f(n))
            .collect(),
    ))
}

fn cast(node: &Node, x: &Constant) -> Result<Constant> {
    bounded(node, &x.shape)?;
    let to = node.int("to", 0)?;
    node.int("saturate", 1)?;
    let shape = x.shape.clone();
    let range = match to {
        6 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    match to {
        1 | 11 => {
            let values = match (x.as_floats(), x.as_ints()) {
                (Some(values), _) => values.to_vec(),
                (_, values) => values
                    .unwrap_or_default()
                    .iter()
                    .map(|&n| n as f32)
                    .collect(),
            };
            Ok(Constant::floats(shape, values))
        }
        6 | 7 | 9 => {
            let truth = |yes: bool| Some(i64::from(yes));
            let whole = |n: i64| (range.0..=range.1).contains(&n).then_some(n);
            let values: Option<Vec<i64>> = match (x.as_ints(), x.as_floats()) {
                (Some(values), _) if to == 9 => values.iter().map(|&n| truth(n != 0)).collect(),
                (Some(values), _) => values.iter().map(|&n| whole(n)).collect(),
                (_, values) => {
                    let fits = |n: f32| (n.abs() < 9e18).then_some(n as i64);
                    let one = |&n: &f32| {
                        if to == 9 {
                            truth(n != 0.0)
                        } else {
                            fits(n).and_then(whole)
                        }
                    };
                    values.unwrap_or_default().iter().map(one).collect()
                }
            };
            let values = values
                .ok_or_else(|| node.wrong("casts a number that does not fit into its new type"))?;
            Ok(Constant {
                shape,
                data: Data::Ints(values),
            })
        }
        kind => Err(node.wrong(format!(
            "casts to {}; FLOAT, INT64 and INT32 are supported",
            super::constant::kind_name(kind)
        ))),
    }
}

fn choose(node: &Node, condition: &Constant, a: &Constant, b: &Constant) -> Result<Constant> {
    let shape = broadcast(&condition.shape, &a.shape).and_then(|shape| broadcast(&shape, &b.shape));
    let shape = shape.ok_or_else(|| node.wrong("gets shapes that do not fit together"))?;
    let [condition, a, b] = [
        spread(node, condition, &shape)?,
        spread(node, a, &shape)?,
        spread(node, b, &shape)?,
    ];
    let yes: Vec<bool> = condition
        .as_ints()
        .unwrap_or_default()
        .iter()
        .map(|&n| n != 0)
        .collect();
    if let (Some(a), Some(b)) = (a.as_ints(), b.as_ints()) {
        let pick = yes.iter().zip(a).zip(b);
        let data = Data::Ints(
            pick.map(|((&yes, &a), &b)| if yes { a } else { b })
                .collect(),
        );
        return Ok(Constant { shape, data });
    }
    let (Some(a), Some(b)) = (a.as_floats(), b.as_floats()) else {
        return Err(node.wrong("mixes whole numbers with others"));
    };
    let pick = yes.iter().zip(a).zip(b);
    Ok(Constant::floats(
        shape,
        pick.map(|((&yes, &a), &b)| if yes { a } else { b })
            .collect(),
    ))
}

/// A constant made of values of another one, by their indices.
fn picked(x: &Constant, shape: Vec<usize>, indices: impl Iterator<Item = usize>) -> Constant {
    match x.as_floats() {
        Some(values) => Constant::floats(shape, indices.map(|i| values[i]).collect()),
        None => {
            let values = x.as_ints().unwrap_or_default();
            Constant {
                shape,
                data: Data::Ints(indices.map(|i| values[i]).collect()),
            }
        }
    }
}

fn concat(node: &Node, inputs: &[Option<&Constant>]) -> Result<Constant> {
    let parts: Vec<&Constant> = inputs.iter().copied().flatten().collect();
    let Some(first) = parts.first() else {
        return Err(node.wrong("has no inputs"));
    };
    let along = axis(node, node.needed_int("axis")?, first.shape.len())?;
    let mut shape = first.shape.clone();
    for other in &parts[1..] {
        let fits = other.shape.len() == shape.len()
            && (0..shape.len()).all(|i| i == along || shape[i] == other.shape[i]);
        if !fits || other.as_ints().is_some() != first.as_ints().is_some() {
            return Err(node.wrong("joins constants that do not fit together"));
        }
        shape[along] = shape[along].saturating_add(other.shape[along]);
    }
    bounded(node, &shape)?;
    let outer: usize = shape[..along].iter().product();
    let inner: usize = shape[along + 1..].iter().product();
    let (mut ints, mut floats) = (Vec::new(), Vec::new());
    for i in 0..outer {
        for part in &parts {
            let block = part.shape[along] * inner;
            let range = i * block..(i + 1) * block;
            match (part.as_ints(), part.as_floats()) {
                (Some(values), _) => ints.extend(&values[range]),
                (_, values) => floats.extend(&values.unwrap_or_default()[range]),
            }
        }
    }
    Ok(if first.as_ints().is_some() {
        Constant {
            shape,
            data: Data::Ints(ints),
        }
    } else {
        Constant::floats(shape, floats)
    })
}

fn gather(node: &Node, x: &Constant, indices: &Constant) -> Result<Constant> {
    let along = axis(node, node.int("axis", 0)?, x.shape.len())?;
    let n = x.shape[along];
    let list = indices
        .as_ints()
        .ok_or_else(|| node.wrong("needs whole numbers as indices"))?;
    let place = |&i: &i64| {
        let i = if i < 0 { i.checked_add(n as i64)? } else { i };
        usize::try_from(i).ok().filter(|&i| i < n)
    };
    let places: Option<Vec<usize>> = list.iter().map(place).collect();
    let places =
        places.ok_or_else(|| node.wrong(format!("takes the index {list:?} of {n} values")))?;
    let shape = [&x.shape[..along], &indices.shape, &x.shape[along + 1..]].concat();
    bounded(node, &shape)?;
    let inner: usize = x.shape[along + 1..].iter().product();
    let outer: usize = x.shape[..along].iter().product();
    let order = (0..outer).flat_map(|o| {
        places
            .iter()
            .flat_map(move |&i| (0..inner).map(move |j| (o * n + i) * inner + j))
    });
    Ok(picked(x, shape, order))
}

/// One axis of a slice: the first index, the step, how many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cut {
    /// The axis.
    pub axis: usize,
    /// The first index.
    pub start: usize,
    /// The step, possibly backwards.
    pub step: i64,
    /// How many.
    pub count: usize,
}

/// What a `Slice` takes of a tensor of this shape.
pub fn cuts(
    node: &Node,
    shape: &[usize],
    known: &[Option<&Constant>],
    opset: i64,
) -> Result<Vec<Cut>> {
    let list = |name: &str, place: usize| -> Result<Option<Vec<i64>>> {
        if opset < 10 {
            return node.ints(name);
        }
        match known.get(place).copied().flatten() {
            None => Ok(None),
            Some(x) => x
                .as_ints()
                .map(|list| Some(list.to_vec()))
                .ok_or_else(|| node.wrong(format!("needs whole numbers as {name}"))),
        }
    };
    let missing = || node.wrong("lacks its starts or ends");
    let starts = list("starts", 1)?.ok_or_else(missing)?;
    let ends = list("ends", 2)?.ok_or_else(missing)?;
    let axes = list("axes", 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = if opset < 10 { None } else { list("steps", 4)? };
    let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(node.wrong("has starts, ends, axes and steps of different lengths"));
    }
    let mut cuts: Vec<Cut> = Vec::new();
    for (((start, end), along), step) in starts.into_iter().zip(ends).zip(axes).zip(steps) {
        let axis = axis(node, along, shape.len())?;
        let n = shape[axis] as i64;
        if step == 0 || step == i64::MIN || cuts.iter().any(|cut| cut.axis == axis) {
            return Err(node.wrong("has a step of 0, or the same axis twice"));
        }
        let from_end = |i: i64| if i < 0 { i.saturating_add(n) } else { i };
        let (low, high) = if step > 0 { (0, n) } else { (-1, n - 1) };
        let (start, end) = (
            from_end(start).clamp(low, high),
            from_end(end).clamp(low, high),
        );
        let count = if step > 0 {
            (end - start).max(0) as u64
        } else {
            (start - end).max(0) as u64
        };
        let count = count.div_ceil(step.unsigned_abs()) as usize;
        cuts.push(Cut {
            axis,
            start: start.max(0) as usize,
            step,
            count,
        });
    }
    Ok(cuts)
}

fn slice(node: &Node, inputs: &[Option<&Constant>], opset: i64) -> Result<Constant> {
    let mut x = node.given(inputs, 0)?.clone();
    for cut in cuts(node, &x.shape.clone(), inputs, opset)? {
        let n = x.shape[cut.axis];
        let mut shape = x.shape.clone();
        shape[cut.axis] = cut.count;
        bounded(node, &shape)?;
        let inner: usize = x.shape[cut.axis + 1..].iter().product();
        let outer: usize = x.shape[..cut.axis].iter().product();
        let place = |i: usize| (cut.start as i64 + cut.step * i as i64) as usize;
        let order = (0..outer).flat_map(|o| {
            (0..cut.count)
                .flat_map(move |i| (0..inner).map(move |j| (o * n + place(i)) * inner + j))
        });
        x = picked(&x, shape, order);
    }
    Ok(x)
}

/// The shape that `Squeeze`, `Unsqueeze`, `Reshape` or `Flatten` gives a tensor of this shape.
pub fn new_shape(
    node: &Node,
    shape: &[usize],
    known: Option<&Constant>,
    opset: i64,
) -> Result<Vec<usize>> {
    let axes = || -> Result<Option<Vec<i64>>> {
        if opset < 13 {
            return node.ints("axes");
        }
        match known {
            None => Ok(None),
            Some(x) => x
                .as_ints()
                .map(|list| Some(list.to_vec()))
                .ok_or_else(|| node.wrong("needs whole numbers as axes")),
        }
    };
    let count: usize = shape.iter().product();
    match &*node.op {
        "Squeeze" => {
            let axes = match axes()? {
                None => (0..shape.len()).filter(|&i| shape[i] == 1).collect(),
                Some(axes) => axes
                    .into_iter()
                    .map(|i| axis(node, i, shape.len()))
                    .collect::<Result<Vec<_>>>()?,
            };
            if let Some(&wrong) = axes.iter().find(|&&i| shape[i] != 1) {
                return Err(node.wrong(format!(
                    "removes axis {wrong} of {shape:?}, whose size is not 1"
                )));
            }
            Ok((0..shape.len())
                .filter(|i| !axes.contains(i))
                .map(|i| shape[i])
                .collect())
        }
        "Unsqueeze" => {
            let axes = axes()?.ok_or_else(|| node.wrong("lacks its axes"))?;
            let rank = shape.len() + axes.len();
            if rank > 8 {
                return Err(node.wrong("makes more than 8 dimensions"));
            }
            let axes = axes
                .into_iter()
                .map(|i| axis(node, i, rank))
                .collect::<Result<Vec<_>>>()?;
            let mut rest = shape.iter();
            let sizes: Option<Vec<usize>> = (0..rank)
                .map(|i| {
                    if axes.contains(&i) {
                        Some(1)
                    } else {
                        rest.next().copied()
                    }
                })
                .collect();
            sizes
                .filter(|_| rest.next().is_none())
                .ok_or_else(|| node.wrong("names an axis twice"))
        }
        "Flatten" => {
            let along = node.int("axis", 1)?;
            let along = if along == shape.len() as i64 {
                shape.len()
            } else {
                axis(node, along, shape.len())?
            };
            Ok(vec![
                shape[..along].iter().product(),
                shape[along..].iter().product(),
            ])
        }
        _ => {
            let list = match node.ints("shape")? {
                Some(list) if opset < 5 => list,
                _ => {
                    let known = known.and_then(Constant::as_ints);
                    known
                        .ok_or_else(|| node.wrong("needs a shape of known whole numbers"))?
                        .to_vec()
                }
            };
            let keeps = node.int("allowzero", 0)? == 0;
            if list.len() > 8 {
                return Err(node.wrong("makes more than 8 dimensions"));
            }
            let mut open = None;
            let mut sizes = Vec::new();
            for (i, &n) in list.iter().enumerate() {
                sizes.push(match n {
                    -1 if open.is_none() => {
                        open = Some(i);
                        1
                    }
                    0 if keeps => *shape.get(i).ok_or_else(|| {
                        node.wrong(format!("copies axis {i}, which {shape:?} does not have"))
                    })?,
                    n => usize::try_from(n)
                        .map_err(|_| node.wrong(format!("gets the shape {list:?}")))?,
                });
            }
            let product = sizes.iter().try_fold(1usize, |all, &n| all.checked_mul(n));
            let product = product.ok_or_else(|| {
                node.wrong(format!(
                    "gets the shape {list:?}, which does not fit into memory"
                ))
            })?;
            if let Some(i) = open
                && product > 0
            {
                sizes[i] = count / product;
            }
            let filled: usize = sizes
                .iter()
                .try_fold(1usize, |all, &n| all.checked_mul(n))
                .unwrap_or(usize::MAX);
            if filled != count {
                return Err(node.wrong(format!("gives {shape:?} the shape {list:?}, which holds another number of values; was the size fixed at export?")));
            }
            Ok(sizes)
        }
    }
}

fn transpose(node: &Node, x: &Constant) -> Result<Constant> {
    bounded(node, &x.shape)?;
    let rank = x.shape.len();
    let order = match node.ints("perm")? {
        None => (0..rank).rev().collect(),
        Some(order) => order
            .into_iter()
            .map(|i| axis(node, i, rank))
            .collect::<Result<Vec<_>>>()?,
    };
    if order.len() != rank || (0..rank).any(|i| !order.contains(&i)) {
        return Err(node.wrong("does not name every axis once"));
    }
    let shape: Vec<usize> = order.iter().map(|&i| x.shape[i]).collect();
    let step = |axis: usize| x.shape[axis + 1..].iter().product::<usize>();
    let steps: Vec<usize> = order.iter().map(|&i| step(i)).collect();
    let count = x.data.len();
    let from = |mut i: usize| {
        let mut index = 0;
        for (n, step) in shape.iter().zip(&steps).rev() {
            index += i % n * step;
            i /= n;
        }
        index
    };
    Ok(picked(x, shape.clone(), (0..count).map(from)))
}

fn filled(node: &Node, x: &Constant) -> Result<Constant> {
    let shape = sizes(node, x)?;
    let count = bounded(node, &shape)?;
    Ok(match node.constant("value")? {
        None => Constant::floats(shape, vec![0.0; count]),
        Some(value) => match (value.as_ints(), value.as_floats()) {
            (Some(&[n]), _) => Constant {
                shape,
                data: Data::Ints(vec![n; count]),
            },
            (_, Some(&[n])) => Constant::floats(shape, vec![n; count]),
            _ => return Err(node.wrong("needs a value of one number")),
        },
    })
}

fn range(node: &Node, inputs: &[Option<&Constant>]) -> Result<Constant> {
    let number = |i: usize| match node.given(inputs, i)?.as_ints() {
        Some(&[n]) => Ok(n),
        _ => Err(node.wrong("counts in single whole numbers only")),
    };
    let (start, limit, step) = (number(0)?, number(1)?, number(2)?);
    let span = if step > 0 {
        limit.checked_sub(start)
    } else {
        start.checked_sub(limit)
    };
    let count = match span {
        Some(span) if step != 0 => (span.max(0) as u64).div_ceil(step.unsigned_abs()),
        _ => return Err(node.wrong("has a step of 0 or too wide a range")),
    };
    let count = bounded(node, &[usize::try_from(count).unwrap_or(usize::MAX)])?;
    Ok(Constant::ints(
        (0..count as i64).map(|i| start + step * i).collect(),
    ))
}

fn product(node: &Node, inputs: &[Option<&Constant>], opset: i64) -> Result<Constant> {
    let x = node.given(inputs, 0)?;
    let axes = if opset < 18 {
        node.ints("axes")?
    } else {
        inputs
            .get(1)
            .copied()
            .flatten()
            .and_then(Constant::as_ints)
            .map(<[i64]>::to_vec)
    };
    let keep = node.int("keepdims", 1)? != 0;
    let whole = x.shape.len() == 1 && axes.is_none_or(|axes| axes == [0] || axes == [-1]);
    let values = x
        .as_ints()
        .filter(|_| whole)
        .ok_or_else(|| node.wrong("multiplies rows of whole numbers only"))?;
    let all = values.iter().try_fold(1i64, |all, &n| all.checked_mul(n));
    let all = all.ok_or_else(|| node.wrong("leaves the whole numbers of 64 bits"))?;
    Ok(Constant {
        shape: if keep { vec![1] } else { Vec::new() },
        data: Data::Ints(vec![all]),
    })
}
