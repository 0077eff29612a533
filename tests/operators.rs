//! The operators of whole networks against `explain` and against PyTorch (tests/golden/operators.json).
#![cfg(not(feature = "sabotage"))]

mod common;

use common::{cases, options, positions, tensor};
use kernelscope::Tensor;
use kernelscope::ops::Op;

#[test]
fn operators_are_pytorchs_and_their_explanations() {
    let cases = cases("operators");
    assert!(cases.len() > 60, "only {} cases", cases.len());
    for case in cases {
        let name = case["name"].as_str().expect("name");
        let inputs = case["inputs"].as_array().expect("inputs").iter();
        let inputs: Vec<Option<Tensor>> =
            inputs.map(|x| (!x.is_null()).then(|| tensor(x))).collect();
        let inputs: Vec<Option<&Tensor>> = inputs.iter().map(Option::as_ref).collect();
        let op = Op::parse(case["op"].as_str().expect("op"), &options(&case["options"]));
        let result = op.and_then(|op| op.run(&inputs).map(|y| (op, y)));
        if let Some(error) = case.get("error") {
            let message = result.expect_err(name).to_string();
            assert!(
                message.contains(case["op"].as_str().expect("op")),
                "{name}: {message}; PyTorch: {error}"
            );
            continue;
        }
        let (op, y) = result.unwrap_or_else(|e| panic!("{name}: {e}"));
        let wanted = tensor(&case["y"]);
        assert_eq!(y.shape(), wanted.shape(), "{name}");
        let shapes: Vec<_> = inputs.iter().map(|x| x.map(Tensor::shape)).collect();
        assert_eq!(op.shape(&shapes).expect(name), y.shape(), "{name}");
        let tolerance = if case["y"]["scale"] == 1 { 1e-5 } else { 0.0 };
        for (i, at) in positions(y.shape()).iter().enumerate() {
            let (got, wanted) = (y.data()[i], wanted.data()[i]);
            assert!(
                (got - wanted).abs() <= tolerance,
                "{name} at {at:?}: {got}, PyTorch {wanted}"
            );
            let explained = op
                .explain(&inputs, at)
                .unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(explained.value.to_bits(), got.to_bits(), "{name} at {at:?}");
        }
    }
}

/// The gradient of an input, by the operator's own rule, against differences of its values.
#[test]
fn gradients_are_what_differences_say() {
    for case in cases("operators") {
        let name = case["name"].as_str().expect("name");
        let op = case["op"].as_str().expect("op");
        if case.get("error").is_some() || ["argmax", "relu"].contains(&op) {
            continue;
        }
        let inputs = case["inputs"].as_array().expect("inputs").iter();
        let mut inputs: Vec<Option<Tensor>> =
            inputs.map(|x| (!x.is_null()).then(|| tensor(x))).collect();
        let op = Op::parse(op, &options(&case["options"])).expect(name);
        let given = |inputs: &[Option<Tensor>]| -> Tensor {
            let inputs: Vec<Option<&Tensor>> = inputs.iter().map(Option::as_ref).collect();
            op.run(&inputs).expect(name)
        };
        let y = given(&inputs);
        // The gradient of a weighted sum of all outputs.
        let weights = Tensor::from_fn(y.shape(), |i| ((i * 7) % 5) as f32 - 1.5).expect("weights");
        let borrowed: Vec<Option<&Tensor>> = inputs.iter().map(Option::as_ref).collect();
        let gradient = op.backward(&borrowed, &y, &weights).expect(name)[0]
            .clone()
            .expect(name);
        let sum = |y: &Tensor| -> f64 {
            let both = y.data().iter().zip(weights.data());
            both.map(|(y, w)| f64::from(*y) * f64::from(*w)).sum()
        };
        let count = gradient.data().len();
        for i in (0..count).step_by(1 + count / 7) {
            let mut step = |by: f32| {
                let x = inputs[0].as_mut().expect("x");
                x.data_mut()[i] += by;
                let value = sum(&given(&inputs));
                inputs[0].as_mut().expect("x").data_mut()[i] -= by;
                value
            };
            let h = 1.0 / 64.0; // less than the inputs' steps of 1/16, so that no kink is crossed unless at zero itself
            let (up, down) = (step(h), step(-h));
            let slope = (up - down) / f64::from(2.0 * h);
            let got = f64::from(gradient.data()[i]);
            let kink = op.name() == "leaky_relu" && inputs[0].as_ref().expect("x").data()[i] == 0.0;
            assert!(
                kink || (slope - got).abs() < 2e-3 * slope.abs().max(1.0),
                "{name}: {got}, differences {slope}"
            );
        }
    }
}
