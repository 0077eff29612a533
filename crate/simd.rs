//! Four `f32` side by side: one type, three bodies (wasm, x86-64, plain arrays) that round alike.
//!
//! Written out because the compiler does not find the vectors in the register tiles of the fast paths by itself: they ran
//! eight times slower. Multiplication and addition stay separate operations, never fused, so results do not depend on
//! the machine.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod body {
    use core::arch::wasm32::{f32x4_add, f32x4_mul, f32x4_splat, v128, v128_load, v128_store};

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
    }
}

#[cfg(target_arch = "x86_64")]
mod body {
    use core::arch::x86_64::{
        __m128, _mm_add_ps, _mm_loadu_ps, _mm_mul_ps, _mm_set1_ps, _mm_storeu_ps,
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
    }
}

pub(crate) use body::F32x4;

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
}
