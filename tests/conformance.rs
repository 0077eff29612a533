//! Every operator against `explain` and against what PyTorch computed (tests/golden, written by training/golden).
#![cfg(not(feature = "sabotage"))]

mod common;

use common::{cases, numbers, options, positions, same_bits, sizes, tensor};
use kernelscope::ops::{Explanation, Op, Reduce};
use kernelscope::{Result, Tensor, files, kernels};
use serde_json::Value as Json;

/// The operator and inputs of a golden case.
fn read(case: &Json) -> (Result<Op>, Vec<Option<Tensor>>) {
    let inputs = ["x", "weight", "bias"]
        .iter()
        .map(|name| case.get(name).map(tensor));
    let inputs: Vec<_> = inputs.collect();
    let used = inputs
        .iter()
        .rposition(Option::is_some)
        .map_or(0, |last| last + 1);
    (
        Op::parse(case["op"].as_str().expect("op"), &options(&case["options"])),
        inputs[..used].to_vec(),
    )
}

/// Runs a golden file: results equal PyTorch's (exactly where its numbers are exact), and `explain` equals the fast path
/// to the bit at every position.
fn conform(file: &str) {
    let cases = cases(file);
    assert!(cases.len() > 30, "{file} has only {} cases", cases.len());
    for case in cases {
        let name = case["name"].as_str().expect("name");
        let (op, inputs) = read(&case);
        let inputs: Vec<Option<&Tensor>> = inputs.iter().map(Option::as_ref).collect();
        let result = op.and_then(|op| op.run(&inputs).map(|y| (op, y)));
        if let Some(error) = case.get("error") {
            let message = result.expect_err(name).to_string();
            assert!(
                message.starts_with(case["op"].as_str().expect("op")),
                "{name}: {message}; PyTorch: {error}"
            );
            continue;
        }
        let (op, y) = result.unwrap_or_else(|e| panic!("{name}: {e}"));
        let expected = tensor(&case["y"]);
        assert_eq!(y.shape(), expected.shape(), "{name}");
        let exact = case["y"]["scale"] != 1;
        for (i, at) in positions(y.shape()).iter().enumerate() {
            let explained = op
                .explain(&inputs, at)
                .unwrap_or_else(|e| panic!("{name}: {e}"));
            let (got, wanted) = (y.data()[i], expected.data()[i]);
            assert!(
                same_bits(got, explained.value),
                "{name} at {at:?}: {got}, but explained as {}",
                explained.value
            );
            let tolerance = if exact { 0.0 } else { rounding(&explained) };
            let close = (got - wanted).abs() <= tolerance || same_bits(got, wanted);
            assert!(
                close,
                "{name} at {at:?}: {got}, but PyTorch has {wanted} (tolerance {tolerance:e})"
            );
        }
    }
}

/// How far two orders of summation may lie apart: a rounding of the sum of magnitudes for every term.
fn rounding(explained: &Explanation) -> f32 {
    let magnitude: f32 = explained
        .terms
        .iter()
        .filter(|t| t.x.is_finite())
        .map(|t| t.product.unwrap_or(t.x).abs())
        .sum();
    (magnitude + explained.bias.unwrap_or(0.0).abs()) * explained.terms.len() as f32 * f32::EPSILON
}

#[test]
fn conv2d_is_pytorchs() {
    conform("conv2d");
}

#[test]
fn pooling_is_pytorchs() {
    conform("pool");
}

/// The page's own picture and kernels: sizes, values and single products.
#[test]
fn the_page_shows_what_pytorch_computes() {
    for case in cases("page") {
        let name = case["name"].as_str().expect("name");
        let path = format!(
            "{}/www/images/{}",
            env!("CARGO_MANIFEST_DIR"),
            case["image"].as_str().expect("image")
        );
        let image = files::png::decode(&std::fs::read(path).expect("the picture"))
            .expect("a PNG")
            .image;
        let weight = kernels::kernel(case["kernel"].as_str().expect("kernel")).expect("a kernel");
        let op = Op::parse("conv2d", &options(&case["options"])).expect(name);
        let inputs = [Some(&image), Some(&weight)];
        let y = op.run(&inputs).expect(name);
        assert_eq!(y.shape()[1..], sizes(&case["output"]), "{name}");
        for value in case["values"].as_array().expect("values") {
            let at = [&[0], &sizes(&value["at"])[..]].concat();
            let explained = op.explain(&inputs, &at).expect(name);
            let (got, wanted) = (
                y.get(&at).expect("inside"),
                value["value"].as_f64().expect("a number") as f32,
            );
            assert!(same_bits(got, explained.value), "{name} at {at:?}");
            assert!(
                (got - wanted).abs() <= rounding(&explained),
                "{name} at {at:?}: {got}, PyTorch {wanted}"
            );
        }
        for taken in case["explained"].as_array().expect("explained") {
            let at = [&[0], &sizes(&taken["at"])[..]].concat();
            let explained = op.explain(&inputs, &at).expect(name);
            assert_eq!(explained.reduce, Reduce::Sum);
            let x: Vec<f32> = explained.terms.iter().map(|t| t.x).collect();
            let products: Vec<f32> = explained
                .terms
                .iter()
                .map(|t| t.product.expect("a product"))
                .collect();
            assert_eq!(x, numbers(&taken["x"]), "{name} at {at:?}");
            assert_eq!(products, numbers(&taken["products"]), "{name} at {at:?}");
        }
    }
}

#[test]
fn numbers_that_are_not_finite_spread_only_to_the_windows_that_see_them() -> Result<()> {
    let mut x = Tensor::new(&[1, 1, 7], vec![1.0; 7])?;
    x.data_mut()[1] = f32::NAN;
    x.data_mut()[5] = f32::INFINITY;
    let weight = Tensor::new(&[1, 1, 1, 2], vec![1.0, 2.0])?;
    let y = Op::parse("conv2d", &Default::default())?.run(&[Some(&x), Some(&weight)])?;
    assert!(y.data()[0].is_nan() && y.data()[1].is_nan());
    assert_eq!(y.data()[2..], [3.0, 3.0, f32::INFINITY, f32::INFINITY]);
    Ok(())
}

/// A second opinion from PyTorch itself. Needs Python with training/golden/requirements.txt:
/// `PYTHON=… cargo test --test conformance -- --ignored`
#[test]
#[ignore = "needs PyTorch"]
fn golden_files_are_what_pytorch_computes_today() {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let script = format!("{}/training/golden/generate.py", env!("CARGO_MANIFEST_DIR"));
    let status = std::process::Command::new(python)
        .args([&script, "--check"])
        .status()
        .expect("Python");
    assert!(status.success());
}
