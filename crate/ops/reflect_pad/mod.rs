//! `reflect_pad`: widens a picture below and to the right until a multiple of some number divides its height and width,
//! so that every halving of a network comes out even. The new pixels mirror the picture at its last row and column
//! (`torch.nn.functional.pad(…, mode="reflect")`; where that runs out of pixels, the mirror image is mirrored again).
//! Old positions stay what they were, since nothing is added above or to the left.

#[cfg(feature = "gpu")]
pub(super) mod gpu;

use super::common::copied;
use super::field::Field;
use super::{Explanation, Images, Term};
use crate::error::Result;
use crate::options::{Options, Reader};
use crate::tensor::Tensor;
use crate::window::PaddingMode;

const OP: &str = "reflect_pad";

/// Reads the one option `multiple` (1).
///
/// # Errors
/// On another option, or if it is no whole number.
pub fn parse(options: &Options) -> Result<usize> {
    let mut reader = Reader::new(OP, options);
    let multiple = reader.whole("multiple", 1)?.unwrap_or(1);
    reader.finish()?;
    if multiple > 4096 {
        return Err(Reader::new(OP, options).refuse("multiple", "at most 4096", multiple));
    }
    Ok(multiple)
}

/// The height and width rounded up.
///
/// # Errors
/// If x is no picture.
pub fn shape(x: &[usize], multiple: usize) -> Result<Vec<usize>> {
    let images = Images::of_shape(OP, x)?;
    let size = [images.h, images.w].map(|n| n.next_multiple_of(multiple));
    Ok(images.shape(images.c, size))
}

/// Where each index of the wider axis comes from.
fn sources(n: usize, padded: usize) -> Vec<usize> {
    let mode = PaddingMode::Reflect;
    (0..padded)
        .map(|i| mode.source(i as i64, n).unwrap_or(0))
        .collect()
}

/// The wider picture.
///
/// # Errors
/// As [`shape`], and if it does not fit into memory.
pub fn run(x: &Tensor, multiple: usize) -> Result<Tensor> {
    let images = Images::of(OP, x)?;
    let shape = shape(x.shape(), multiple)?;
    if shape == x.shape() {
        return Ok(x.clone());
    }
    let [.., h, w] = shape[..] else {
        unreachable!("a picture")
    };
    let (rows, columns) = (sources(images.h, h), sources(images.w, w));
    let mut out = super::zeros(OP, "the output", &shape)?;
    for (i, to) in out.chunks_exact_mut(w).enumerate() {
        let from = &x.data()[(i / h * images.h + rows[i % h]) * images.w..][..images.w];
        to.iter_mut()
            .zip(&columns)
            .for_each(|(to, &j)| *to = from[j]);
    }
    Tensor::new(&shape, out)
}

/// The pixel that is repeated.
///
/// # Errors
/// As [`run`], and if `at` lies outside the output.
pub fn explain(x: &Tensor, multiple: usize, at: &[usize]) -> Result<Explanation> {
    let images = Images::of(OP, x)?;
    let [n, c, y, column] = images.position(OP, &shape(x.shape(), multiple)?, at)?;
    let source = |i: usize, n: usize| PaddingMode::Reflect.source(i as i64, n).unwrap_or(0);
    let (y, column) = (source(y, images.h), source(column, images.w));
    let pixel = x.data()[((n * images.c + c) * images.h + y) * images.w + column];
    let at = images.at(n, c, [y as i64, column as i64]);
    Ok(copied(Term {
        at,
        ..Term::plain("x", &[], pixel)
    }))
}

/// Every repetition gives its gradient back to its pixel.
pub fn backward(x: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    if gradient.shape() == x.shape() {
        return Ok(gradient.clone());
    }
    let images = Images::of(OP, x)?;
    let [.., h, w] = *gradient.shape() else {
        unreachable!("a picture")
    };
    let (rows, columns) = (sources(images.h, h), sources(images.w, w));
    let mut out = super::zeros(OP, "the gradient", x.shape())?;
    for (i, from) in gradient.data().chunks_exact(w).enumerate() {
        let to = &mut out[(i / h * images.h + rows[i % h]) * images.w..][..images.w];
        from.iter().zip(&columns).for_each(|(g, &j)| to[j] += g);
    }
    Tensor::new(x.shape(), out)
}

/// The pixels that are repeated there.
pub fn field(x: &[usize], field: &Field) -> Result<Field> {
    let images = Images::of_shape(OP, x)?;
    let rank = x.len();
    let fold = |axis: usize, n: usize| {
        let mut set = vec![false; n];
        let sources = sources(n, field.0[axis].len());
        field.indices(axis).for_each(|i| set[sources[i]] = true);
        set
    };
    let (rows, columns) = (fold(rank - 2, images.h), fold(rank - 1, images.w));
    Ok(field.with(rank - 2, rows).with(rank - 1, columns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_below_and_right() -> Result<()> {
        let x = Tensor::new(&[1, 1, 3], vec![1.0, 2.0, 3.0])?;
        let y = run(&x, 4)?;
        assert_eq!(y.shape(), [1, 4, 4]);
        assert_eq!(y.data()[..4], [1.0, 2.0, 3.0, 2.0]);
        assert_eq!(explain(&x, 4, &[0, 3, 3])?.terms[0].at, [0, 0, 1]);
        let gradient = backward(&x, &Tensor::new(&[1, 4, 4], vec![1.0; 16])?)?;
        assert_eq!(gradient.data(), [4.0, 8.0, 4.0]);
        assert_eq!(run(&x, 1)?, x);
        Ok(())
    }
}
