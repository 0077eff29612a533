//! `crop_to`: the upper left part of a picture, as high and wide as another one: undoes `reflect_pad`. Inputs: x, and the
//! picture whose size counts (its values do not).

#[cfg(feature = "gpu")]
pub(super) mod gpu;

use super::common::{copied, shapes, take, wrong_shape};
use super::field::Field;
use super::{Explanation, Images, Term, check_position};
use crate::error::Result;
use crate::options::{Options, Reader};
use crate::tensor::Tensor;

const OP: &str = "crop_to";

/// Reads the options: there are none.
///
/// # Errors
/// On any option.
pub fn parse(options: &Options) -> Result<()> {
    Reader::new(OP, options).finish()
}

fn images(inputs: &[Option<&[usize]>]) -> Result<[Images; 2]> {
    let [x, like] = take(OP, "x and the picture of the wanted size", inputs, 2)?;
    let (x, like) = (x.unwrap_or_default(), like.unwrap_or_default());
    let both = [Images::of_shape(OP, x)?, Images::of_shape(OP, like)?];
    if both[1].h > both[0].h || both[1].w > both[0].w {
        let expected = format!("(…, H, W) of at most {}×{}", both[0].h, both[0].w);
        return Err(wrong_shape(OP, "the wanted size", expected, like));
    }
    Ok(both)
}

/// The channels of x, the height and width of the other.
///
/// # Errors
/// If x is smaller than the other.
pub fn shape(inputs: &[Option<&[usize]>]) -> Result<Vec<usize>> {
    let [x, like] = images(inputs)?;
    Ok(x.shape(x.c, [like.h, like.w]))
}

/// The part.
///
/// # Errors
/// As [`shape`].
pub fn run(inputs: &[Option<&Tensor>]) -> Result<Tensor> {
    let [images, like] = images(&shapes(inputs))?;
    let x = inputs[0].expect("checked");
    let rows = x.data().chunks_exact(images.w).enumerate();
    let rows = rows.filter(|(i, _)| i % images.h < like.h);
    let data = rows.flat_map(|(_, row)| &row[..like.w]).copied().collect();
    Tensor::new(&images.shape(images.c, [like.h, like.w]), data)
}

/// The same position of x.
///
/// # Errors
/// As [`run`], and if `at` lies outside the output.
pub fn explain(inputs: &[Option<&Tensor>], at: &[usize]) -> Result<Explanation> {
    check_position(OP, &shape(&shapes(inputs))?, at)?;
    let x = inputs[0]
        .and_then(|x| x.get(at))
        .expect("the position was checked");
    Ok(copied(Term::plain("x", at, x)))
}

/// The gradient with zeros where x was cut off.
pub fn backward(x: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    let (images, like) = (Images::of(OP, x)?, Images::of(OP, gradient)?);
    let mut out = super::zeros(OP, "the gradient", x.shape())?;
    for (i, from) in gradient.data().chunks_exact(like.w).enumerate() {
        out[(i / like.h * images.h + i % like.h) * images.w..][..like.w].copy_from_slice(from);
    }
    Tensor::new(x.shape(), out)
}

/// The same positions of x.
pub fn field(x: &[usize], field: &Field) -> Field {
    let mut sets = field.0.clone();
    sets.iter_mut()
        .zip(x)
        .for_each(|(set, &n)| set.resize(n, false));
    Field(sets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_upper_left() -> Result<()> {
        let x = Tensor::from_fn(&[2, 2, 3], |i| i as f32)?;
        let like = Tensor::new(&[1, 1, 2], vec![0.0; 2])?;
        let y = run(&[Some(&x), Some(&like)])?;
        assert_eq!(
            (y.shape(), y.data()),
            (&[2, 1, 2][..], &[0.0, 1.0, 6.0, 7.0][..])
        );
        assert_eq!(explain(&[Some(&x), Some(&like)], &[1, 0, 1])?.value, 7.0);
        assert_eq!(
            backward(&x, &y)?.data()[..9],
            [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 6.0, 7.0, 0.0]
        );
        assert!(run(&[Some(&like), Some(&x)]).is_err());
        Ok(())
    }
}
