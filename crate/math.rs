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
    polynomial_lanes([x], coefficients)[0]
}

fn polynomial_lanes<const N: usize>(x: [f64; N], coefficients: &[f64]) -> [f64; N] {
    let mut sum = [0.0; N];
    for c in coefficients.iter().rev() {
        for i in 0..N {
            sum[i] = sum[i] * x[i] + c;
        }
    }
    sum
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
    exp_lanes([x])[0]
}

/// [`exp`] of several numbers at once: the same bits, and several times as fast, since the steps of one do not wait for those of another.
pub fn exp_lanes<const N: usize>(x: [f64; N]) -> [f64; N] {
    let bounded: [f64; N] = x.map(|x| x.clamp(-700.0, 700.0));
    let k: [f64; N] = bounded.map(|x| (x / LN_2 + 0.5).floor());
    let r: [f64; N] = std::array::from_fn(|i| bounded[i] - k[i] * LN_2);
    let series = polynomial_lanes(r, &EXP);
    std::array::from_fn(|i| {
        let power = f64::from_bits(((1023 + k[i] as i64) as u64) << 52);
        if x[i] < -700.0 {
            0.0
        } else {
            series[i] * power
        }
    })
}

/// The natural logarithm of a positive normal number.
pub fn ln(x: f64) -> f64 {
    ln_lanes([x])[0]
}

fn ln_lanes<const N: usize>(x: [f64; N]) -> [f64; N] {
    let parts = x.map(|x| {
        let bits = x.to_bits();
        let k = (bits >> 52) as i64 - 1023;
        let m = f64::from_bits(bits & ((1 << 52) - 1) | (1023 << 52));
        if m > std::f64::consts::SQRT_2 {
            (m / 2.0, (k + 1) as f64)
        } else {
            (m, k as f64)
        }
    });
    let t = parts.map(|(m, _)| (m - 1.0) / (m + 1.0));
    let series = polynomial_lanes(t.map(|t| t * t), &ODD);
    std::array::from_fn(|i| 2.0 * t[i] * series[i] + parts[i].1 * LN_2)
}

/// xʸ for x from 0 on; 0 for x = 0.
pub fn pow(x: f64, y: f64) -> f64 {
    pow_lanes([x], y)[0]
}

/// [`pow`] of several numbers at once, as [`exp_lanes`].
pub fn pow_lanes<const N: usize>(x: [f64; N], y: f64) -> [f64; N] {
    let powers = exp_lanes(ln_lanes(x).map(|ln| y * ln));
    std::array::from_fn(|i| if x[i] <= 0.0 { 0.0 } else { powers[i] })
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

    #[test]
    fn several_at_once_are_the_same_bits() {
        let x = [0.0, 1e-12, 0.3, 1.0, 1.7, 900.0];
        assert_eq!(pow_lanes(x, 1.3), x.map(|x| pow(x, 1.3)));
        let x = [-1e4, -3.0, 0.0, 0.7, 20.0, 1e3];
        assert_eq!(exp_lanes(x), x.map(exp));
    }
}
