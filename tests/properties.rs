//! What must hold for every convolution and every window, tried on random ones.
#![cfg(not(feature = "sabotage"))]

mod common;

use common::{positions, same_bits};
use kernelscope::Tensor;
use kernelscope::ops::conv2d::{Inputs, Settings, explain, run, shape};
use kernelscope::ops::{Op, Reduce};
use kernelscope::options::{Options, Value};
use kernelscope::window::{Padding, PaddingMode, Reach, Source, Spec, Window};
use proptest::prelude::*;

fn pair(range: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = [usize; 2]> {
    prop::array::uniform2(range)
}

fn mode() -> impl Strategy<Value = PaddingMode> {
    use PaddingMode::{Circular, Reflect, Replicate, Zeros};
    prop::sample::select(vec![Zeros, Reflect, Replicate, Circular])
}

fn spec() -> impl Strategy<Value = Spec> {
    let padding = prop_oneof![4 => pair(0..=4).prop_map(Padding::By), 2 => prop::array::uniform2(pair(0..=4)).prop_map(Padding::Sides), 1 => Just(Padding::Same)];
    (pair(1..=4), pair(1..=4), padding, pair(1..=3), mode()).prop_map(
        |(kernel, stride, padding, dilation, mode)| {
            let stride = if padding == Padding::Same {
                [1, 1]
            } else {
                stride
            };
            Spec {
                stride,
                padding,
                dilation,
                mode,
                ..Spec::new(kernel)
            }
        },
    )
}

/// A window on a picture that it fits, sometimes with its size rounded up.
fn window() -> impl Strategy<Value = Window> {
    (pair(1..=12), spec(), any::<bool>()).prop_filter_map("does not fit", |(input, spec, ceil)| {
        Window::new("test", input, &Spec { ceil, ..spec }).ok()
    })
}

/// A convolution with everything it needs, on numbers from `value`.
#[derive(Debug)]
struct Case {
    x: Tensor,
    weight: Tensor,
    bias: Option<Tensor>,
    settings: Settings,
}

impl Case {
    fn inputs(&self) -> Inputs<'_> {
        Inputs {
            x: &self.x,
            weight: &self.weight,
            bias: self.bias.as_ref(),
        }
    }

    fn shape(&self) -> Vec<usize> {
        let bias = self.bias.as_ref().map(Tensor::shape);
        shape(self.x.shape(), self.weight.shape(), bias, &self.settings).expect("it fits")
    }
}

fn filled(shape: &[usize], seed: u64, value: fn(u64) -> f32) -> Tensor {
    let mut state = seed;
    let next = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        value(state >> 33)
    };
    Tensor::from_fn(shape, next).expect("a tensor")
}

fn whole(bits: u64) -> f32 {
    (bits % 17) as f32 - 8.0
}

fn fraction(bits: u64) -> f32 {
    (bits % 20_001) as f32 / 9_973.0 - 1.0
}

fn case(value: fn(u64) -> f32) -> impl Strategy<Value = Case> {
    let channels = (
        1..=3usize,
        1..=3usize,
        1..=5usize,
        prop::option::of(1..=2usize),
    );
    // Some pictures are wider than a tile of the fast path.
    let size = prop_oneof![
        pair(1..=12),
        (1..=5usize, 13..=70usize).prop_map(|(h, w)| [h, w])
    ];
    (size, spec(), channels, any::<bool>(), any::<u64>()).prop_filter_map(
        "does not fit",
        move |([h, w], spec, (groups, inner, outer, images), biased, seed)| {
            Window::new("test", [h, w], &spec).ok()?;
            let x: Vec<usize> = images.into_iter().chain([groups * inner, h, w]).collect();
            let weight = [groups * outer, inner, spec.kernel[0], spec.kernel[1]];
            Some(Case {
                x: filled(&x, seed, value),
                weight: filled(&weight, seed ^ 1, value),
                bias: biased.then(|| filled(&weight[..1], seed ^ 2, value)),
                settings: Settings {
                    window: spec,
                    groups,
                },
            })
        },
    )
}

fn combine(a: &Tensor, b: &Tensor, f: impl Fn(f32, f32) -> f32) -> Tensor {
    let data = a
        .data()
        .iter()
        .zip(b.data())
        .map(|(&a, &b)| f(a, b))
        .collect();
    Tensor::new(a.shape(), data).expect("a tensor")
}

/// A pooling operator with its options and a picture.
#[derive(Debug)]
struct Pooling {
    name: &'static str,
    x: Tensor,
    options: Options,
}

fn pooling() -> impl Strategy<Value = Pooling> {
    let window = (pair(1..=4), pair(1..=4), pair(0..=2), pair(1..=2));
    let flags = (0..3usize, any::<bool>(), any::<bool>());
    (pair(1..=12), window, flags, any::<u64>()).prop_map(
        |([h, w], (kernel, stride, padding, dilation), (op, ceil, count), seed)| {
            let padding = [padding[0].min(kernel[0] / 2), padding[1].min(kernel[1] / 2)];
            let window: [(&str, Value); 4] = [
                ("kernelSize", kernel.into()),
                ("stride", stride.into()),
                ("padding", padding.into()),
                ("ceilMode", ceil.into()),
            ];
            let (name, own): (_, Vec<(&str, Value)>) = match op {
                0 => (
                    "max_pool2d",
                    window
                        .into_iter()
                        .chain([("dilation", dilation.into())])
                        .collect(),
                ),
                1 => (
                    "avg_pool2d",
                    window
                        .into_iter()
                        .chain([("countIncludePad", count.into())])
                        .collect(),
                ),
                _ => ("adaptive_avg_pool2d", vec![("outputSize", kernel.into())]),
            };
            let options = own
                .into_iter()
                .map(|(name, value)| (name.to_string(), value))
                .collect();
            Pooling {
                name,
                x: filled(&[2, h, w], seed, fraction),
                options,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn fast_is_explained_to_the_bit(case in case(fraction)) {
        let y = run(case.inputs(), &case.settings).unwrap();
        for (at, &value) in positions(y.shape()).iter().zip(y.data()) {
            let explained = explain(case.inputs(), &case.settings, at).unwrap();
            prop_assert!(same_bits(explained.value, value), "{at:?}: {value} and {}", explained.value);
        }
    }

    #[test]
    fn the_shape_follows_the_rule(case in case(whole)) {
        let y = case.shape();
        let map = run(case.inputs(), &case.settings).unwrap();
        prop_assert_eq!(map.shape(), &y[..]);
        let x = case.x.shape();
        let spec = case.settings.window;
        prop_assert_eq!(y.len(), x.len());
        prop_assert_eq!(y[y.len() - 3], case.weight.shape()[0]);
        for i in 0..2 {
            let (size, out) = (x[x.len() - 2 + i], y[y.len() - 2 + i]);
            let span = spec.dilation[i] * (spec.kernel[i] - 1) + 1;
            match spec.padding {
                Padding::By(by) => prop_assert_eq!(out, (size + 2 * by[i] - span) / spec.stride[i] + 1),
                Padding::Sides(by) => prop_assert_eq!(out, (size + by[i][0] + by[i][1] - span) / spec.stride[i] + 1),
                Padding::Same => prop_assert_eq!(out, size),
            }
        }
    }

    #[test]
    fn it_is_linear_in_the_picture_and_in_the_weights(case in case(whole), seed in any::<u64>()) {
        // Whole numbers: every sum is exact, so equality is too.
        let plain = |x: &Tensor, weight: &Tensor| {
            run(Inputs { x, weight, bias: None }, &case.settings).unwrap()
        };
        let other = filled(case.x.shape(), seed, whole);
        let mixed = combine(&case.x, &other, |a, b| a + 3.0 * b);
        let apart = combine(&plain(&case.x, &case.weight), &plain(&other, &case.weight), |a, b| a + 3.0 * b);
        prop_assert_eq!(plain(&mixed, &case.weight), apart);
        let other = filled(case.weight.shape(), seed, whole);
        let mixed = combine(&case.weight, &other, |a, b| a - 2.0 * b);
        let apart = combine(&plain(&case.x, &case.weight), &plain(&case.x, &other), |a, b| a - 2.0 * b);
        prop_assert_eq!(plain(&case.x, &mixed), apart);
    }

    #[test]
    fn it_commutes_with_shifts_where_the_picture_is_periodic(
        [h, w] in pair(3..=20), kernel in pair(1..=3), dilation in 1..=3usize, [dy, dx] in pair(0..=20), seed in any::<u64>(),
    ) {
        let spec = Spec { padding: Padding::Same, mode: PaddingMode::Circular, dilation: [dilation; 2], ..Spec::new(kernel) };
        let settings = Settings { window: spec, groups: 1 };
        let x = filled(&[1, h, w], seed, fraction);
        let weight = filled(&[1, 1, kernel[0], kernel[1]], seed ^ 1, fraction);
        let shift = |x: &Tensor| {
            Tensor::from_fn(&[1, h, w], |i| x.data()[(i / w + dy) % h * w + (i % w + dx) % w]).unwrap()
        };
        let convolve = |x: &Tensor| run(Inputs { x, weight: &weight, bias: None }, &settings).unwrap();
        prop_assert_eq!(convolve(&shift(&x)), shift(&convolve(&x)));
    }

    #[test]
    fn reach_is_the_inverse_of_the_taps(window in window()) {
        let [h, w] = window.input();
        let mut expected = vec![Vec::new(); h * w];
        for at in positions(&window.output()) {
            for tap in positions(&window.kernel()) {
                let (at, tap) = ([at[0], at[1]], [tap[0], tap[1]]);
                if let Source::Pixel([y, x]) = window.source(window.tap(at, tap)) {
                    expected[y * w + x].push(Reach { at, tap });
                }
            }
        }
        for (i, expected) in expected.iter().enumerate() {
            prop_assert_eq!(&window.reach([i / w, i % w]), expected);
        }
        let geometry = window.geometry();
        prop_assert_eq!(geometry.unreached, expected.iter().filter(|readers| readers.is_empty()).count());
        for (i, readers) in expected.iter().enumerate() {
            prop_assert_eq!(geometry.rows[i / w] && geometry.cols[i % w], !readers.is_empty());
        }
    }

    #[test]
    fn rectangles_and_uses_agree_with_the_taps(window in window()) {
        for at in positions(&window.output()) {
            let at = [at[0], at[1]];
            let taps: Vec<[i64; 2]> = positions(&window.kernel()).iter().map(|k| window.tap(at, [k[0], k[1]])).collect();
            let rect = window.rect(at);
            prop_assert_eq!((rect.top, rect.left), (taps[0][0], taps[0][1]));
            let last = taps[taps.len() - 1];
            prop_assert_eq!((rect.bottom, rect.right), (last[0], last[1]));
            for (k, tap) in positions(&window.kernel()).iter().zip(&taps) {
                let uses = window.uses([k[0], k[1]]);
                let used = [0, 1].map(|i| uses.start[i] + (uses.step[i] * at[i]) as i64);
                prop_assert_eq!(&used, tap);
                prop_assert_eq!(uses.count, window.output());
            }
        }
        for axis in [window.y, window.x] {
            let free = axis.padded() as i64 - axis.span() as i64;
            let last = axis.tap(axis.output - 1, 0);
            let rounded_up = axis.rect(axis.output - 1)[1] >= (axis.size + axis.after) as i64;
            if rounded_up {
                // The window that reaches beyond the padding starts inside the picture or before it.
                prop_assert!(last < axis.size as i64);
            } else if axis.output as i64 != free.div_euclid(axis.stride as i64) + 1 {
                // Rounding up drops a window that would start in the padding after the picture, even one that fits.
                prop_assert_eq!(axis.output as i64, free.div_euclid(axis.stride as i64));
                prop_assert!(last + axis.stride as i64 >= axis.size as i64);
            }
            for k in 0..axis.kernel {
                let inside = axis.inside(k);
                for m in 0..axis.output {
                    prop_assert_eq!(inside.contains(&m), (0..axis.size as i64).contains(&axis.tap(m, k)));
                }
            }
        }
    }

    #[test]
    fn fast_pooling_is_explained_to_the_bit(pooling in pooling()) {
        let Pooling { name, x, options } = &pooling;
        let op = Op::parse(name, options).unwrap();
        let Ok(y) = op.run(&[Some(x)]) else { return Err(TestCaseError::reject("does not fit")) };
        for (at, &value) in positions(y.shape()).iter().zip(y.data()) {
            let explained = op.explain(&[Some(x)], at).unwrap();
            prop_assert!(same_bits(explained.value, value), "{at:?}: {value} and {}", explained.value);
            let values: Vec<f32> = explained.terms.iter().map(|term| term.x).collect();
            if explained.reduce == Reduce::Max {
                // The winner, if any pixel is seen at all, has the value.
                let winners: Vec<_> = explained.terms.iter().filter(|term| term.won).collect();
                prop_assert_eq!(winners.len(), usize::from(explained.terms.iter().any(|term| !term.padding)));
                prop_assert!(winners.iter().all(|term| term.x == value && !term.padding));
                prop_assert_eq!(values.iter().copied().fold(f32::NEG_INFINITY, f32::max), value);
            } else {
                let contributed: f64 = explained.terms.iter().map(|term| f64::from(term.product.unwrap())).sum();
                let weights: f64 = explained.terms.iter().map(|term| f64::from(term.w.unwrap())).sum();
                prop_assert!((contributed - f64::from(value)).abs() < 1e-5);
                prop_assert!((weights - 1.0).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn pooling_follows_brightness(pooling in pooling(), shift in -8..=8i32) {
        // Brighter by a constant: maxima and means are brighter by as much, where no padding counts.
        let Pooling { name, x, options } = &pooling;
        prop_assume!(*name != "avg_pool2d" || options.get("countIncludePad") == Some(&false.into()));
        let op = Op::parse(name, options).unwrap();
        let Ok(y) = op.run(&[Some(x)]) else { return Err(TestCaseError::reject("does not fit")) };
        let brighter = Tensor::from_fn(x.shape(), |i| x.data()[i] + shift as f32).unwrap();
        let expected: Vec<f32> = y.data().iter().map(|v| v + shift as f32).collect();
        let got = op.run(&[Some(&brighter)]).unwrap();
        for (got, expected) in got.data().iter().zip(&expected) {
            prop_assert!((got - expected).abs() < 1e-4 || got == expected, "{got} and {expected}");
        }
    }

    #[test]
    fn explained_terms_lie_where_the_window_says(case in case(whole), pick in any::<prop::sample::Index>()) {
        let shape = case.shape();
        let rank = case.x.rank();
        let window = Window::new("test", [case.x.shape()[rank - 2], case.x.shape()[rank - 1]], &case.settings.window).unwrap();
        let all = positions(&shape);
        let at = pick.get(&all);
        let explained = explain(case.inputs(), &case.settings, at).unwrap();
        prop_assert_eq!(explained.terms.len(), case.weight.data().len() / case.weight.shape()[0]);
        for term in &explained.terms {
            let k = term.weight_at.clone().unwrap();
            prop_assert_eq!(case.weight.get(&k), term.w);
            let tap = window.tap([at[rank - 2], at[rank - 1]], [k[2], k[3]]);
            let place = [term.at[rank - 2], term.at[rank - 1]];
            match window.source(tap) {
                Source::Pixel(pixel) => {
                    prop_assert_eq!(place, pixel.map(|i| i as i64));
                    let index: Vec<usize> = term.at.iter().map(|&i| i as usize).collect();
                    prop_assert_eq!(case.x.get(&index), Some(term.x));
                    prop_assert!(!term.padding);
                }
                _ => prop_assert!(term.padding && term.x == 0.0 && place == tap),
            }
        }
    }
}
