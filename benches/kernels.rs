//! The kernels by themselves, natively: `cargo bench --bench kernels`. Throughput counts the outputs' values; compare within one run.
#![allow(missing_docs)] // What the macro declares cannot carry any.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kernelscope::Tensor;
use kernelscope::ops::Op;
use kernelscope::ops::conv2d::{Inputs, Order, Settings, run_with};
use kernelscope::window::{Padding, Spec};
use std::hint::black_box;

fn tensor(shape: &[usize]) -> Tensor {
    let value = |i: usize| (i * 7919 % 1013) as f32 / 500.0 - 1.0;
    Tensor::from_fn(shape, value).expect("a possible shape")
}

fn convolutions(criterion: &mut Criterion) {
    for (name, ci, co, size, k) in [
        ("1→1 3×3, 1024²", 1, 1, 1024, 3),
        ("1→1 15×15, 512²", 1, 1, 512, 15),
        ("16→16 3×3, 256²", 16, 16, 256, 3),
        ("64→64 3×3, 128²", 64, 64, 128, 3),
        ("512→512 3×3, 16²", 512, 512, 16, 3),
    ] {
        let (x, weight, bias) = (
            tensor(&[ci, size, size]),
            tensor(&[co, ci, k, k]),
            tensor(&[co]),
        );
        let window = Spec {
            padding: Padding::By([k / 2, k / 2]),
            ..Spec::new([k, k])
        };
        let settings = Settings { window, groups: 1 };
        let inputs = Inputs {
            x: &x,
            weight: &weight,
            bias: Some(&bias),
        };
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements((co * size * size) as u64));
        for (order, name) in [
            (Order::Reading, "in reading order"),
            (Order::Free, "in any order"),
        ] {
            group.bench_function(name, |bencher| {
                bencher.iter(|| run_with(black_box(inputs), &settings, order))
            });
        }
        group.finish();
    }
}

fn pooling(criterion: &mut Criterion) {
    let x = tensor(&[16, 512, 512]);
    let options = [("kernelSize".to_string(), 2usize.into())].into();
    let op = Op::parse("max_pool2d", &options).expect("possible options");
    let mut group = criterion.benchmark_group("max-pool 2×2, 16×512²");
    group.throughput(Throughput::Elements(16 * 256 * 256));
    group.bench_function("halves", |bencher| {
        bencher.iter(|| op.run(&[Some(black_box(&x))]))
    });
    group.finish();
}

criterion_group!(kernels, convolutions, pooling);
criterion_main!(kernels);
