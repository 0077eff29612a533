//! [`Tensor`]: the one container of numbers.

use crate::error::{Error, Result, tuple};
use ndarray::{ArrayD, ArrayViewD, IxDyn};

/// The most values a tensor may hold: 2 GiB of them, what one wasm memory can address with room to spare.
pub const MAX_VALUES: u64 = 1 << 29;

/// A contiguous block of `f32`, row-major, of rank 1 to 4. Images are (C, H, W) or (N, C, H, W).
///
/// ```
/// use kernelscope::Tensor;
/// let image = Tensor::new(&[1, 2, 3], vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0])?;
/// assert_eq!(image.get(&[0, 1, 0]), Some(3.0));
/// # Ok::<(), kernelscope::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor(ArrayD<f32>);

impl Tensor {
    /// A tensor of this shape over these values in row-major order.
    ///
    /// # Errors
    /// If the rank is not 1 to 4, a dimension is 0, or the number of values is not the product of the dimensions.
    pub fn new(shape: &[usize], data: Vec<f32>) -> Result<Tensor> {
        let count = values_of("tensor", shape)?;
        if count != data.len() {
            return Err(Error::Other {
                op: "tensor".into(),
                problem: format!(
                    "a tensor of shape {} holds {count} values; got {}",
                    tuple(shape),
                    data.len()
                ),
            });
        }
        ArrayD::from_shape_vec(IxDyn(shape), data)
            .map(Tensor)
            .map_err(|e| Error::Other {
                op: "tensor".into(),
                problem: e.to_string(),
            })
    }

    /// A tensor whose value at each position is computed by `f`, in row-major order.
    ///
    /// # Errors
    /// As [`Tensor::new`].
    pub fn from_fn(shape: &[usize], f: impl FnMut(usize) -> f32) -> Result<Tensor> {
        let count = values_of("tensor", shape)?;
        Tensor::new(shape, (0..count).map(f).collect())
    }

    /// The dimensions.
    pub fn shape(&self) -> &[usize] {
        self.0.shape()
    }

    /// The number of dimensions.
    pub fn rank(&self) -> usize {
        self.0.ndim()
    }

    /// The values in row-major order.
    pub fn data(&self) -> &[f32] {
        self.0
            .as_slice()
            .expect("a tensor is contiguous by construction")
    }

    /// The values in row-major order, to write.
    pub fn data_mut(&mut self) -> &mut [f32] {
        self.0
            .as_slice_mut()
            .expect("a tensor is contiguous by construction")
    }

    /// The values in row-major order, by value.
    pub fn into_data(self) -> Vec<f32> {
        self.0.into_raw_vec_and_offset().0
    }

    /// The value at a position, or `None` outside.
    pub fn get(&self, at: &[usize]) -> Option<f32> {
        self.0.get(IxDyn(at)).copied()
    }

    /// The tensor as an ndarray view.
    pub fn view(&self) -> ArrayViewD<'_, f32> {
        self.0.view()
    }
}

/// The number of values in a tensor of this shape.
///
/// # Errors
/// If the rank is not 1 to 4, a dimension is 0, or there are more than [`MAX_VALUES`].
pub fn values_of(op: &str, shape: &[usize]) -> Result<usize> {
    let refuse = |problem: String| {
        Err(Error::Other {
            op: op.into(),
            problem,
        })
    };
    if !(1..=4).contains(&shape.len()) {
        return refuse(format!(
            "a tensor has 1 to 4 dimensions; got {}",
            tuple(shape)
        ));
    }
    if shape.contains(&0) {
        return refuse(format!(
            "every dimension must be at least 1; got {}",
            tuple(shape)
        ));
    }
    match shape
        .iter()
        .try_fold(1u64, |product, &n| product.checked_mul(n as u64))
    {
        Some(count) if count <= MAX_VALUES => Ok(count as usize),
        _ => Err(Error::TooLarge {
            op: op.into(),
            what: format!("a tensor of shape {}", tuple(shape)),
        }),
    }
}

/// Lengthens to `count` values, zeros behind those that are there; nothing happens to a longer one. False where memory does not
/// suffice.
///
/// Block by block, which is the machine's own copying: `Vec::resize` stores value by value, slow before an engine has optimised it.
pub(crate) fn lengthen(values: &mut Vec<f32>, count: usize) -> bool {
    static ZEROS: [f32; 4096] = [0.0; 4096];
    let missing = count.saturating_sub(values.len());
    if values.try_reserve_exact(missing).is_err() {
        return false;
    }
    while values.len() < count {
        let block = (count - values.len()).min(ZEROS.len());
        values.extend_from_slice(&ZEROS[..block]);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lie_row_by_row() -> Result<()> {
        let t = Tensor::from_fn(&[2, 3, 4], |i| i as f32)?;
        assert_eq!(
            (t.rank(), t.shape(), t.view().len()),
            (3, &[2, 3, 4][..], 24)
        );
        assert_eq!(t.get(&[1, 2, 3]), Some(23.0));
        assert_eq!((t.get(&[0, 3, 0]), t.get(&[0, 0])), (None, None));
        assert_eq!(t.into_data()[5], 5.0);
        Ok(())
    }

    #[test]
    fn impossible_shapes_are_refused() {
        let message = |shape: &[usize], values: usize| {
            Tensor::new(shape, vec![0.0; values])
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            message(&[2, 2], 3),
            "tensor: a tensor of shape (2, 2) holds 4 values; got 3"
        );
        assert_eq!(
            message(&[], 1),
            "tensor: a tensor has 1 to 4 dimensions; got ()"
        );
        assert_eq!(
            message(&[1; 5], 1),
            "tensor: a tensor has 1 to 4 dimensions; got (1, 1, 1, 1, 1)"
        );
        assert_eq!(
            message(&[2, 0], 0),
            "tensor: every dimension must be at least 1; got (2, 0)"
        );
        assert!(message(&[usize::MAX, 2], 0).ends_with("does not fit into memory"));
    }
}
