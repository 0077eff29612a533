//! Elementary functions that are the same on every machine.
//!
//! The platform's `sin` or `exp` may differ in the last bit between native and wasm; these use exactly rounded arithmetic
//! (+, −, ·, /, √, floor) only. Their error is a few units in the last place of `f64`.

use std::f64::consts::{FRAC_PI_2, LN_2, PI};

/// 1/n!, a power series' coefficients, computed by the compiler: no division is left for the run.
const EXP: [f64; 14] = {
    let mut list = [1.0; 14];
    let mut n = 1;
    while n < 14 {
        list[n] = list[n - 1] / n as f64;
        n += 1;
    }
    list
};

/// Coefficients in x² of sin x / x (`first` 1) or cos x (`first` 0).
const fn alternating(first: usize) -> [f64; 9] {
    let mut list = [1.0; 9];
    let mut n = 1;
    while n < 9 {
        let k = (2 * n + first) as f64;
        list[n] = -list[n - 1] / (k * (k - 1.0));
        n += 1;
    }
    list
}
const SIN: [f64; 9] = alternating(1);
const COS: [f64; 9] = alternating(0);

/// 1, 1/3, 1/5, …
const ODD: [f64; 14] = {
    let mut list = [1.0; 14];
    let mut n = 0;
    while n < 14 {
        list[n] = 1.0 / (2 * n + 1) as f64;
        n += 1;
    }
    list
};

/// Σ cₙ xⁿ by Horner's rule.
fn polynomial(x: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// Sine and cosine of an angle in radians, |x| up to about 10⁶.
pub fn sin_cos(x: f64) -> (f64, f64) {
    let turns = (x / FRAC_PI_2 + 0.5).floor();
    // π/2 in two parts (Cody and Waite 1980), so that the rest keeps its digits.
    let r = (x - turns * 1.570_796_326_734_125_6) - turns * 6.077_100_506_506_192e-11;
    let r2 = r * r;
    let sin = r * polynomial(r2, &SIN);
    let cos = polynomial(r2, &COS);
    match turns.rem_euclid(4.0) as u8 {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

/// eˣ; 0 below −700.
pub fn exp(x: f64) -> f64 {
    if x < -700.0 {
        return 0.0;
    }
    let x = x.min(700.0);
    let k = (x / LN_2 + 0.5).floor();
    let r = x - k * LN_2;
    polynomial(r, &EXP) * f64::from_bits(((1023 + k as i64) as u64) << 52)
}

/// The natural logarithm of a positive normal number.
pub fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut k = (bits >> 52) as i64 - 1023;
    let mut m = f64::from_bits(bits & ((1 << 52) - 1) | (1023 << 52));
    if m > std::f64::consts::SQRT_2 {
        (m, k) = (m / 2.0, k + 1);
    }
    let t = (m - 1.0) / (m + 1.0);
    2.0 * t * polynomial(t * t, &ODD) + k as f64 * LN_2
}

/// xʸ for x from 0 on; 0 for x = 0.
pub fn pow(x: f64, y: f64) -> f64 {
    if x <= 0.0 { 0.0 } else { exp(y * ln(x)) }
}

/// The angle of the point (x, y) in radians, −π to π.
pub fn atan2(y: f64, x: f64) -> f64 {
    if x == 0.0 && y == 0.0 {
        return 0.0;
    }
    let (small, large) = (y.abs().min(x.abs()), y.abs().max(x.abs()));
    let mut t = small / large;
    for _ in 0..2 {
        t /= 1.0 + (1.0 + t * t).sqrt();
    }
    let mut angle = 4.0 * t * polynomial(-t * t, &ODD);
    if y.abs() > x.abs() {
        angle = FRAC_PI_2 - angle;
    }
    if x < 0.0 {
        angle = PI - angle;
    }
    if y < 0.0 { -angle } else { angle }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agree_with_the_platform() {
        for i in -4000..4000 {
            let x = f64::from(i) * 0.0173;
            let (sin, cos) = sin_cos(x);
            assert!((sin - x.sin()).abs() < 1e-13 && (cos - x.cos()).abs() < 1e-13);
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-13, "{x}");
            let positive = x.exp();
            assert!((ln(positive) - x).abs() < 1e-13 * (1.0 + x.abs()), "{x}");
            let y = f64::from(i % 37) - 11.3;
            assert!((atan2(y, x) - y.atan2(x)).abs() < 1e-14, "{y} {x}");
        }
        assert_eq!((exp(-1e4), pow(0.0, 0.5), atan2(0.0, 0.0)), (0.0, 0.0, 0.0));
        assert!((pow(0.25, 0.5) - 0.5).abs() < 1e-15);
    }
}
