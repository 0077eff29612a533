//! `reshape`: the same values in the same order under another shape (`torch.reshape`).

use super::common::copied;
use super::field::Field;
use super::flatten::unravel;
use super::{Explanation, Term, check_position};
use crate::error::{Error, Result, tuple};
use crate::options::{Options, Reader, Value, whole};
use crate::tensor::{Tensor, values_of};

const OP: &str = "reshape";

/// Reads the one option `shape`: 1 to 4 sizes of at least 1.
///
/// # Errors
/// If it is missing or impossible, or on another option.
pub fn parse(options: &Options) -> Result<Vec<usize>> {
    let mut reader = Reader::new(OP, options);
    let given = reader.value("shape");
    let sizes: Option<Vec<usize>> = match given {
        Some(Value::List(list)) => list.iter().map(|size| whole(size, 1)).collect(),
        _ => None,
    };
    let Some(sizes) = sizes.filter(|sizes| (1..=4).contains(&sizes.len())) else {
        let got = given.map_or("nothing".to_string(), Value::to_string);
        return Err(reader.refuse("shape", "a list of 1 to 4 sizes of at least 1", got));
    };
    reader.finish()?;
    values_of(OP, &sizes)?;
    Ok(sizes)
}

/// The new shape.
///
/// # Errors
/// If it holds another number of values.
pub fn shape(x: &[usize], to: &[usize]) -> Result<Vec<usize>> {
    let (got, wanted) = (values_of(OP, x)?, values_of(OP, to)?);
    if got != wanted {
        return Err(Error::Other {
            op: OP.into(),
            problem: format!(
                "the {got} values of x of shape {} do not fill the shape {}",
                tuple(x),
                tuple(to)
            ),
        });
    }
    Ok(to.to_vec())
}

/// The same values under the new shape.
///
/// # Errors
/// As [`shape`].
pub fn run(x: &Tensor, to: &[usize]) -> Result<Tensor> {
    Tensor::new(&shape(x.shape(), to)?, x.data().to_vec())
}

/// The one value that was moved.
///
/// # Errors
/// As [`run`], and if `at` lies outside the output.
pub fn explain(x: &Tensor, to: &[usize], at: &[usize]) -> Result<Explanation> {
    check_position(OP, &shape(x.shape(), to)?, at)?;
    let index = at.iter().zip(to).fold(0, |index, (i, n)| index * n + i);
    let from = unravel(index, x.shape());
    Ok(copied(Term::plain("x", &from, x.data()[index])))
}

/// The smallest box around the values, axis by axis.
pub fn field(x: &[usize], to: &[usize], field: &Field) -> Result<Field> {
    let count: usize = shape(x, to)?.iter().product();
    let mut read = Field::none(x);
    for index in 0..count {
        let at = unravel(index, to);
        if at.iter().zip(&field.0).all(|(&i, axis)| axis[i]) {
            for (axis, i) in unravel(index, x).into_iter().enumerate() {
                read.0[axis][i] = true;
            }
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order() -> Result<()> {
        let x = Tensor::from_fn(&[2, 3, 4], |i| i as f32)?;
        let y = run(&x, &[4, 6])?;
        assert_eq!((y.shape(), y.data()), (&[4, 6][..], x.data()));
        let one = explain(&x, &[4, 6], &[2, 5])?;
        assert_eq!((one.value, &one.terms[0].at[..]), (17.0, &[1, 1, 1][..]));
        let read = field(&[2, 3, 4], &[4, 6], &Field::at(&[4, 6], &[2, 5]))?;
        assert_eq!(read, Field::at(&[2, 3, 4], &[1, 1, 1]));
        Ok(())
    }

    #[test]
    fn refuses_in_words() {
        let x = Tensor::from_fn(&[2, 3], |i| i as f32).unwrap();
        assert_eq!(
            run(&x, &[4]).unwrap_err().to_string(),
            "reshape: the 6 values of x of shape (2, 3) do not fill the shape (4)"
        );
        let options = [("shape".to_string(), [0usize, 6].into())].into();
        assert_eq!(
            parse(&options).unwrap_err().to_string(),
            "reshape: shape must be a list of 1 to 4 sizes of at least 1; got [0, 6]"
        );
    }
}
