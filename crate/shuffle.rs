//! Pixels in another order, and whether anybody notices: permutations, shifts, and how alike neighbours are.

use crate::error::{Error, Result};
use crate::random::Random;
use crate::tensor::Tensor;

/// An order of `n` entries in which a `share` (0 to 1) of them, drawn by `seed`, have changed places among each other; entry i of the
/// new order comes from `order[i]`. Every order of those entries is equally likely (Fisher and Yates 1938).
pub fn permutation(n: usize, share: f64, seed: u64) -> Vec<u32> {
    let mut random = Random::new(seed);
    let mut below = |n: usize| (random.uniform() * n as f64) as usize;
    let mut order: Vec<u32> = (0..n as u32).collect();
    let moved = (share.clamp(0.0, 1.0) * n as f64).round() as usize;
    // The first `moved` entries of a shuffled list are a fair draw of places …
    let mut places: Vec<usize> = (0..n).collect();
    for i in 0..moved {
        places.swap(i, i + below(n - i));
    }
    // … and these change among each other.
    for i in (1..moved).rev() {
        order.swap(places[i], places[below(i + 1)]);
    }
    order
}

/// The entries of every row of `order.len()` values in that order: y\[i\] = x\[order\[i\]\]. A picture (1, H, W) is one row, a weight
/// (out, in) has `out` of them.
///
/// # Errors
/// If the values do not divide into such rows or the order points beyond one.
pub fn gather(x: &Tensor, order: &[u32]) -> Result<Tensor> {
    let n = order.len();
    if n == 0 || !x.data().len().is_multiple_of(n) {
        return Err(Error::Shape {
            op: "gather".into(),
            input: "x".into(),
            expected: format!("rows of {n} values, one for each entry of the order"),
            got: x.shape().to_vec(),
        });
    }
    if let Some(beyond) = order.iter().find(|&&i| i as usize >= n) {
        return Err(Error::Other {
            op: "gather".into(),
            problem: format!("an order of {n} entries must stay below {n}; got {beyond}"),
        });
    }
    let rows = x.data().chunks_exact(n);
    let values = rows.flat_map(|row| order.iter().map(|&i| row[i as usize]));
    Tensor::new(x.shape(), values.collect())
}

/// Every channel moved by [down, right], what leaves at one side coming back at the other: `torch.roll` over the last two dimensions.
///
/// # Errors
/// If there are fewer than two dimensions.
pub fn roll(x: &Tensor, [down, right]: [i64; 2]) -> Result<Tensor> {
    let [.., h, w] = *x.shape() else {
        return Err(Error::Shape {
            op: "roll".into(),
            input: "x".into(),
            expected: "(…, H, W)".into(),
            got: x.shape().to_vec(),
        });
    };
    // A build that lies moves up where it should move down.
    let down = if cfg!(feature = "sabotage") {
        -down
    } else {
        down
    };
    let back = |i: usize, by: i64, n: usize| (i as i64 - by).rem_euclid(n as i64) as usize;
    Tensor::from_fn(x.shape(), |i| {
        let (plane, y, x_) = (i / (h * w), i / w % h, i % w);
        x.data()[plane * h * w + back(y, down, h) * w + back(x_, right, w)]
    })
}

/// How many entries of two tensors of one shape differ by more than `tolerance`.
///
/// # Errors
/// If the shapes differ.
pub fn differing(a: &Tensor, b: &Tensor, tolerance: f32) -> Result<usize> {
    if a.shape() != b.shape() {
        return Err(Error::Shape {
            op: "differing".into(),
            input: "b".into(),
            expected: crate::error::tuple(a.shape()),
            got: b.shape().to_vec(),
        });
    }
    let pairs = a.data().iter().zip(b.data());
    Ok(pairs.filter(|(a, b)| (*a - *b).abs() > tolerance).count())
}

/// Pearson's correlation between a pixel and the next one, over all pairs of the first channel that lie side by side or one above the
/// other: 1 where neighbours agree, 0 where they know nothing of each other; 0 for a picture of one grey.
///
/// # Errors
/// If there are fewer than two pixels.
pub fn neighbour_correlation(image: &Tensor) -> Result<f64> {
    let &[_, h, w] = image.shape() else {
        return Err(plane(image));
    };
    if h * w < 2 {
        return Err(plane(image));
    }
    let x = |y: usize, x: usize| f64::from(image.data()[y * w + x]);
    let [mut n, mut a, mut b, mut aa, mut bb, mut ab] = [0.0; 6];
    let mut pair = |p: f64, q: f64| {
        n += 1.0;
        a += p;
        b += q;
        aa += p * p;
        bb += q * q;
        ab += p * q;
    };
    for row in 0..h {
        for col in 0..w {
            if col + 1 < w {
                pair(x(row, col), x(row, col + 1));
            }
            if row + 1 < h {
                pair(x(row, col), x(row + 1, col));
            }
        }
    }
    // A build that lies finds strangers alike.
    let ab = if cfg!(feature = "sabotage") { aa } else { ab };
    let spread = ((aa - a * a / n) * (bb - b * b / n)).sqrt();
    Ok(if spread > 1e-12 {
        (ab - a * b / n) / spread
    } else {
        0.0
    })
}

fn plane(image: &Tensor) -> Error {
    Error::Shape {
        op: "neighbour correlation".into(),
        input: "image".into(),
        expected: "(C, H, W) of at least two pixels".into(),
        got: image.shape().to_vec(),
    }
}

#[cfg(all(test, not(feature = "sabotage")))]
mod tests {
    use super::*;

    #[test]
    fn a_permutation_has_everyone_once_and_moves_the_share_asked_for() {
        for (n, share) in [(1, 1.0), (64, 0.0), (64, 0.25), (4096, 0.5), (4096, 1.0)] {
            let order = permutation(n, share, 7);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(sorted.iter().enumerate().all(|(i, &v)| i as u32 == v));
            let moved = (0..n).filter(|&i| order[i] as usize != i).count();
            let asked = (share * n as f64).round() as usize;
            // Some draw their own place again: one on average.
            assert!(moved <= asked && moved + 8 >= asked, "{moved} of {asked}");
            assert_eq!(order, permutation(n, share, 7));
        }
        assert_ne!(permutation(64, 1.0, 1), permutation(64, 1.0, 2));
    }

    #[test]
    fn gather_undoes_its_inverse_on_every_row() -> Result<()> {
        let order = permutation(6, 1.0, 3);
        let mut inverse = vec![0; 6];
        for (i, &from) in order.iter().enumerate() {
            inverse[from as usize] = i as u32;
        }
        let x = Tensor::from_fn(&[2, 2, 3], |i| i as f32)?;
        let there = gather(&x, &order)?;
        assert_eq!(there.data()[0], f32::from(order[0] as u16));
        assert_eq!(gather(&there, &inverse)?, x);
        assert!(
            gather(&x, &[0; 5])
                .unwrap_err()
                .to_string()
                .contains("rows of 5")
        );
        assert!(
            gather(&x, &[0, 1, 6])
                .unwrap_err()
                .to_string()
                .contains("got 6")
        );
        Ok(())
    }

    #[test]
    fn rolling_is_torch_roll() -> Result<()> {
        // torch.roll(torch.arange(6.).view(1, 2, 3), (1, -1), (-2, -1))
        let x = Tensor::from_fn(&[1, 2, 3], |i| i as f32)?;
        assert_eq!(roll(&x, [1, -1])?.data(), [4.0, 5.0, 3.0, 1.0, 2.0, 0.0]);
        assert_eq!(roll(&roll(&x, [5, 7])?, [-5, -7])?, x);
        Ok(())
    }

    #[test]
    fn neighbours_of_a_ramp_agree_and_of_a_chessboard_do_not() -> Result<()> {
        let ramp = Tensor::from_fn(&[1, 32, 32], |i| (i / 32 + i % 32) as f32)?;
        assert!(neighbour_correlation(&ramp)? > 0.99);
        let board = Tensor::from_fn(&[1, 8, 8], |i| ((i / 8 + i % 8) % 2) as f32)?;
        assert!((neighbour_correlation(&board)? + 1.0).abs() < 1e-9);
        let shuffled = gather(&ramp, &permutation(1024, 1.0, 1))?;
        // Two thousand pairs: three standard errors are 0.07.
        assert!(neighbour_correlation(&shuffled)?.abs() < 0.07);
        assert_eq!(
            neighbour_correlation(&Tensor::new(&[1, 2, 2], vec![0.3; 4])?)?,
            0.0
        );
        Ok(())
    }

    #[test]
    fn differing_counts_beyond_the_tolerance() -> Result<()> {
        let a = Tensor::new(&[3], vec![0.0, 1.0, 2.0])?;
        let b = Tensor::new(&[3], vec![0.0, 1.1, 3.0])?;
        assert_eq!((differing(&a, &b, 0.0)?, differing(&a, &b, 0.5)?), (2, 1));
        assert!(differing(&a, &Tensor::new(&[2], vec![0.0; 2])?, 0.0).is_err());
        Ok(())
    }
}
