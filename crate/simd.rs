//! Four `f32` side by side: one type, three bodies (wasm, x86-64, plain arrays) that round alike.
//!
//! Written out because the compiler does not find the vectors in the register tiles of the fast paths by itself: they ran
//! eight times slower. Multiplication and addition stay separate operations, never fused, so results do not depend on
//! the machine.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod body {
    use core::arch::wasm32::{
        f32x4_add, f32x4_gt, f32x4_le, f32x4_mul, f32x4_ne, f32x4_splat, f32x4_sub, i32x4_shuffle,
        v128, v128_andnot, v128_bitselect, v128_load, v128_or, v128_store,
    };

    #[derive(Clone, Copy)]
    pub struct F32x4(v128);

    impl F32x4 {
        #[inline(always)]
        pub fn splat(value: f32) -> Self {
            F32x4(f32x4_splat(value))
        }

        #[inline(always)]
        pub fn load(from: &[f32; 4]) -> Self {
            // SAFETY: the reference covers 16 readable bytes; the load needs no alignment.
            F32x4(unsafe { v128_load(from.as_ptr().cast()) })
        }

        #[inline(always)]
        pub fn store(self, to: &mut [f32; 4]) {
            // SAFETY: the reference covers 16 writable bytes; the store needs no alignment.
            unsafe { v128_store(to.as_mut_ptr().cast(), self.0) }
        }

        #[inline(always)]
        pub fn add(self, other: Self) -> Self {
            F32x4(f32x4_add(self.0, other.0))
        }

        #[inline(always)]
        pub fn mul(self, other: Self) -> Self {
            F32x4(f32x4_mul(self.0, other.0))
        }

        #[inline(always)]
        pub fn sub(self, other: Self) -> Self {
            F32x4(f32x4_sub(self.0, other.0))
        }

        #[inline(always)]
        pub fn relu(self) -> Self {
            F32x4(v128_andnot(self.0, f32x4_le(self.0, f32x4_splat(0.0))))
        }

        #[inline(always)]
        pub fn larger(self, other: Self) -> Self {
            let takes = v128_or(f32x4_gt(other.0, self.0), f32x4_ne(other.0, other.0));
            F32x4(v128_bitselect(other.0, self.0, takes))
        }

        #[inline(always)]
        pub fn even(self, next: Self) -> Self {
            F32x4(i32x4_shuffle::<0, 2, 4, 6>(self.0, next.0))
        }

        #[inline(always)]
        pub fn odd(self, next: Self) -> Self {
            F32x4(i32x4_shuffle::<1, 3, 5, 7>(self.0, next.0))
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod body {
    use core::arch::x86_64::{
        __m128, _mm_add_ps, _mm_and_ps, _mm_andnot_ps, _mm_cmpgt_ps, _mm_cmple_ps, _mm_cmpunord_ps,
        _mm_loadu_ps, _mm_mul_ps, _mm_or_ps, _mm_set1_ps, _mm_setzero_ps, _mm_shuffle_ps,
        _mm_storeu_ps, _mm_sub_ps,
    };

    #[derive(Clone, Copy)]
    pub struct F32x4(__m128);

    // The intrinsics used here belong to SSE, which every x86-64 processor has.
    impl F32x4 {
        #[inline(always)]
        pub fn splat(value: f32) -> Self {
            F32x4(unsafe { _mm_set1_ps(value) })
        }

        #[inline(always)]
        pub fn load(from: &[f32; 4]) -> Self {
            // SAFETY: the reference covers 16 readable bytes; the load needs no alignment.
            F32x4(unsafe { _mm_loadu_ps(from.as_ptr()) })
        }

        #[inline(always)]
        pub fn store(self, to: &mut [f32; 4]) {
            // SAFETY: the reference covers 16 writable bytes; the store needs no alignment.
            unsafe { _mm_storeu_ps(to.as_mut_ptr(), self.0) }
        }

        #[inline(always)]
        pub fn add(self, other: Self) -> Self {
            F32x4(unsafe { _mm_add_ps(self.0, other.0) })
        }

        #[inline(always)]
        pub fn mul(self, other: Self) -> Self {
            F32x4(unsafe { _mm_mul_ps(self.0, other.0) })
        }

        #[inline(always)]
        pub fn sub(self, other: Self) -> Self {
            F32x4(unsafe { _mm_sub_ps(self.0, other.0) })
        }

        #[inline(always)]
        pub fn relu(self) -> Self {
            F32x4(unsafe { _mm_andnot_ps(_mm_cmple_ps(self.0, _mm_setzero_ps()), self.0) })
        }

        #[inline(always)]
        pub fn larger(self, other: Self) -> Self {
            F32x4(unsafe {
                let nan = _mm_cmpunord_ps(other.0, other.0);
                let takes = _mm_or_ps(_mm_cmpgt_ps(other.0, self.0), nan);
                _mm_or_ps(_mm_and_ps(takes, other.0), _mm_andnot_ps(takes, self.0))
            })
        }

        #[inline(always)]
        pub fn even(self, next: Self) -> Self {
            F32x4(unsafe { _mm_shuffle_ps::<0b10_00_10_00>(self.0, next.0) })
        }

        #[inline(always)]
        pub fn odd(self, next: Self) -> Self {
            F32x4(unsafe { _mm_shuffle_ps::<0b11_01_11_01>(self.0, next.0) })
        }
    }
}

#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
mod body {
    #[derive(Clone, Copy)]
    pub struct F32x4([f32; 4]);

    impl F32x4 {
        #[inline(always)]
        pub fn splat(value: f32) -> Self {
            F32x4([value; 4])
        }

        #[inline(always)]
        pub fn load(from: &[f32; 4]) -> Self {
            F32x4(*from)
        }

        #[inline(always)]
        pub fn store(self, to: &mut [f32; 4]) {
            *to = self.0;
        }

        #[inline(always)]
        pub fn add(self, other: Self) -> Self {
            F32x4([0, 1, 2, 3].map(|i| self.0[i] + other.0[i]))
        }

        #[inline(always)]
        pub fn mul(self, other: Self) -> Self {
            F32x4([0, 1, 2, 3].map(|i| self.0[i] * other.0[i]))
        }

        #[inline(always)]
        pub fn sub(self, other: Self) -> Self {
            F32x4([0, 1, 2, 3].map(|i| self.0[i] - other.0[i]))
        }

        #[inline(always)]
        pub fn relu(self) -> Self {
            F32x4(self.0.map(|value| if value <= 0.0 { 0.0 } else { value }))
        }

        #[inline(always)]
        pub fn larger(self, other: Self) -> Self {
            F32x4([0, 1, 2, 3].map(|i| {
                let takes = other.0[i] > self.0[i] || other.0[i].is_nan();
                if takes { other.0[i] } else { self.0[i] }
            }))
        }

        #[inline(always)]
        pub fn even(self, next: Self) -> Self {
            F32x4([self.0[0], self.0[2], next.0[0], next.0[2]])
        }

        #[inline(always)]
        pub fn odd(self, next: Self) -> Self {
            F32x4([self.0[1], self.0[3], next.0[1], next.0[3]])
        }
    }
}

pub(crate) use body::F32x4;

impl F32x4 {
    /// Four values from a raw address.
    ///
    /// # Safety
    /// Sixteen bytes from there must be readable.
    #[inline(always)]
    pub unsafe fn from(at: *const f32) -> Self {
        // SAFETY: as the caller promises; an array of `f32` needs no more alignment than one.
        Self::load(unsafe { &*at.cast::<[f32; 4]>() })
    }

    /// Puts four values to a raw address.
    ///
    /// # Safety
    /// Sixteen bytes from there must be writable, and nobody else's.
    #[inline(always)]
    pub unsafe fn to(self, at: *mut f32) {
        // SAFETY: as the caller promises.
        self.store(unsafe { &mut *at.cast::<[f32; 4]>() });
    }

    /// The four columns of four rows.
    #[inline(always)]
    pub fn transpose([a, b, c, d]: [Self; 4]) -> [Self; 4] {
        // Every second value of two rows, then every second value of those.
        let (ab, cd) = (a.even(b), c.even(d));
        let (oab, ocd) = (a.odd(b), c.odd(d));
        [ab.even(cd), oab.even(ocd), ab.odd(cd), oab.odd(ocd)]
    }
}

#[cfg(test)]
mod tests {
    use super::F32x4;

    #[test]
    fn rounds_as_single_values_do() {
        let (a, b) = ([0.1f32, -3.0, 1e30, f32::NAN], [0.2f32, 7.5, 1e30, 1.0]);
        let (mut sum, mut product) = ([0.0; 4], [0.0; 4]);
        F32x4::load(&a).add(F32x4::load(&b)).store(&mut sum);
        F32x4::load(&a).mul(F32x4::splat(0.3)).store(&mut product);
        for i in 0..3 {
            assert_eq!(sum[i].to_bits(), (a[i] + b[i]).to_bits());
            assert_eq!(product[i].to_bits(), (a[i] * 0.3).to_bits());
        }
        assert!(sum[3].is_nan() && product[3].is_nan());
    }

    #[test]
    fn chooses_as_single_values_do() {
        let (a, b) = ([-0.0f32, -3.0, 2.0, f32::NAN], [0.0f32, 7.5, f32::NAN, 1.0]);
        let (mut relu, mut larger) = ([0.0; 4], [0.0; 4]);
        F32x4::load(&a).relu().store(&mut relu);
        F32x4::load(&a).larger(F32x4::load(&b)).store(&mut larger);
        assert_eq!(
            relu[..3].iter().map(|v| v.to_bits()).collect::<Vec<_>>(),
            [0, 0, 2.0f32.to_bits()]
        );
        assert!(relu[3].is_nan() && larger[2].is_nan() && larger[3].is_nan());
        // Of two equal zeros the first stays.
        assert_eq!((larger[0].to_bits(), larger[1]), ((-0.0f32).to_bits(), 7.5));
    }

    #[test]
    fn transposes() {
        let rows = [0, 1, 2, 3].map(|i| F32x4::load(&[0, 1, 2, 3].map(|j| (4 * i + j) as f32)));
        for (j, column) in F32x4::transpose(rows).into_iter().enumerate() {
            let mut values = [0.0; 4];
            column.store(&mut values);
            assert_eq!(values, [0, 4, 8, 12].map(|i| (i + j) as f32));
        }
    }
}
