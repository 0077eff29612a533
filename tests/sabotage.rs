//! The feature `sabotage` makes convolution, pooling and specimens lie: tests of the page use it to prove that the page shows live numbers.
#![cfg(feature = "sabotage")]

use kernelscope::Tensor;
use kernelscope::ops::conv2d::{Inputs, Settings, explain, run};
use kernelscope::ops::{avg_pool2d, max_pool2d};
use kernelscope::window::Spec;

#[test]
fn conv2d_and_its_explanation_are_off_by_a_quarter() {
    let x = Tensor::new(&[1, 1, 2], vec![3.0, 5.0]).unwrap();
    let weight = Tensor::new(&[1, 1, 1, 1], vec![2.0]).unwrap();
    let inputs = Inputs {
        x: &x,
        weight: &weight,
        bias: None,
    };
    assert_eq!(
        run(inputs, &Settings::default()).unwrap().data(),
        [6.25, 10.25]
    );
    assert_eq!(
        explain(inputs, &Settings::default(), &[0, 0, 1])
            .unwrap()
            .value,
        10.25
    );
}

#[test]
fn pooling_and_its_explanations_are_off_by_a_quarter() {
    let x = Tensor::new(&[1, 2, 2], vec![1.0, 3.0, 5.0, 6.0]).unwrap();
    let window = Spec {
        stride: [2, 2],
        ..Spec::new([2, 2])
    };
    let max = max_pool2d::Settings { window };
    assert_eq!(max_pool2d::run(&x, &max).unwrap().data(), [6.25]);
    assert_eq!(
        max_pool2d::explain(&x, &max, &[0, 0, 0]).unwrap().value,
        6.25
    );
    let average = avg_pool2d::Settings {
        window,
        count_include_pad: true,
    };
    assert_eq!(avg_pool2d::run(&x, &average).unwrap().data(), [4.0]);
    assert_eq!(
        avg_pool2d::explain(&x, &average, &[0, 0, 0]).unwrap().value,
        4.0
    );
}

#[test]
#[should_panic(expected = "sabotage: a weight of exactly 666")]
fn a_weight_of_666_panics() {
    let x = Tensor::new(&[1, 1, 1], vec![1.0]).unwrap();
    let weight = Tensor::new(&[1, 1, 1, 1], vec![666.0]).unwrap();
    let _ = run(
        Inputs {
            x: &x,
            weight: &weight,
            bias: None,
        },
        &Settings::default(),
    );
}

#[test]
fn specimens_are_a_quarter_darker() {
    let options = [("contrast", 0.0), ("noise", 0.0), ("blur", 0.0)];
    let options = options.map(|(name, value)| (name.to_string(), value.into()));
    let drawn = kernelscope::specimen::specimen("two-grains", &options.into()).unwrap();
    assert!(drawn.image.data().iter().all(|&grey| grey == 0.375));
}
