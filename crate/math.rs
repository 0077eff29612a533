//! Elementary functions that are the same on every machine.
//!
//! The platform's `sin` or `exp` may differ in the last bit between native and wasm; these use exactly rounded arithmetic
//! (+, −, ·, /, √, floor) only. Their error is a few units in the last place of `f64`.

use std::f64::consts::{FRAC_PI_2, LN_2, PI};

/// Sine and cosine of an angle in radians, |x| up to about 10⁶.
pub fn sin_cos(x: f64) -> (f64, f64) {
    let turns = (x / FRAC_PI_2 + 0.5).floor();
    // π/2 in two parts (Cody and Waite 1980), so that the rest keeps its digits.
    let r = (x - turns * 1.570_796_326_734_125_6) - turns * 6.077_100_506_506_192e-11;
    let r2 = r * r;
    let series = |mut n: f64, first: f64| {
        let mut sum = 1.0;
        while n > first {
            sum = 1.0 - sum * r2 / (n * (n - 1.0));
            n -= 2.0;
        }
        sum
    };
    let (sin, cos) = (r * series(17.0, 1.0), series(16.0, 0.0));
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
    let mut sum = 1.0;
    for n in (1..=13).rev() {
        sum = 1.0 + sum * r / f64::from(n);
    }
    sum * f64::from_bits(((1023 + k as i64) as u64) << 52)
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
    let mut sum = 0.0;
    for n in (0..12).rev() {
        sum = sum * t * t + 1.0 / f64::from(2 * n + 1);
    }
    2.0 * t * sum + k as f64 * LN_2
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
    let mut sum = 0.0;
    for n in (0..14).rev() {
        sum = 1.0 / f64::from(2 * n + 1) - sum * t * t;
    }
    let mut angle = 4.0 * t * sum;
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
