//! What is done to a picture after it was taken.

use crate::math::{pow, pow_lanes};

/// 1 − v: dark field for bright field, backscattered for channelling contrast the other way round.
pub fn invert(values: &mut [f64]) {
    values.iter_mut().for_each(|v| *v = 1.0 - *v);
}

/// v^gamma, values below 0 as 0: the transfer curve of a display or a careless export (Poynton, *Digital Video and HD*,
/// 2012, ch. 27). Above 1 it darkens the middle.
pub fn gamma(values: &mut [f64], gamma: f64) {
    if gamma != 1.0 {
        let (eights, rest) = values.as_chunks_mut::<8>();
        eights.iter_mut().for_each(|v| *v = pow_lanes(*v, gamma));
        rest.iter_mut().for_each(|v| *v = pow(*v, gamma));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_what_they_say() {
        let mut values = [0.0, 0.25, 1.0];
        gamma(&mut values, 0.5);
        assert!((values[1] - 0.5).abs() < 1e-15 && values[0] == 0.0 && values[2] == 1.0);
        invert(&mut values);
        invert(&mut values);
        assert!((values[1] - 0.5).abs() < 1e-15);
    }
}
