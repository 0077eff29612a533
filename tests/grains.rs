//! Components and watershed against scipy and scikit-image (tests/golden/grains.json, written by training/golden/grains.py).
#![cfg(not(feature = "sabotage"))]

mod common;

use common::cases;
use kernelscope::grains::{Settings, components, grains, sizes, watershed};
use kernelscope::specimen::specimen;
use kernelscope::{Result, Tensor};

fn numbers(value: &serde_json::Value) -> Vec<u32> {
    let list = value.as_array().expect("a list");
    list.iter()
        .map(|n| n.as_u64().expect("a number") as u32)
        .collect()
}

#[test]
fn components_and_watershed_are_scipys_and_skimages() {
    let cases = cases("grains");
    assert_eq!(cases.len(), 3);
    for case in cases {
        let width = case["shape"][1].as_u64().expect("a width") as usize;
        let order = numbers(&case["order"]);
        let threshold = case["threshold"].as_u64().expect("a threshold") as u32;
        let mask: Vec<bool> = order.iter().map(|&n| n < threshold).collect();
        let (found, count) = components(&mask, width);
        assert_eq!(u64::from(count), case["count"].as_u64().expect("a count"));
        assert_eq!(found, numbers(&case["components"]));
        let height: Vec<f32> = order.iter().map(|&n| n as f32).collect();
        assert_eq!(watershed(&height, &found, width), numbers(&case["flooded"]));
    }
}

#[test]
fn true_boundaries_give_back_the_true_grains() -> Result<()> {
    for seed in 1..6 {
        let options = [
            ("size".to_string(), 128.0.into()),
            ("seed".to_string(), f64::from(seed).into()),
        ];
        let drawn = specimen("grains", &options.into())?;
        let label = |name: &str| -> &Tensor {
            let found = drawn.labels.iter().find(|(label, _)| label == name);
            &found.expect("the label").1
        };
        let found = grains(
            label("boundaries"),
            &Settings {
                threshold: 0.5,
                clear: 0.0,
                least: 1,
                neck: 0.0,
            },
        )?;
        // Every true grain that is more than boundary is found once, and nothing runs over into a neighbour by more than a rim.
        let same = found.data().iter().zip(label("grains").data());
        let mut pairs: Vec<[u32; 2]> = same.map(|(&a, &b)| [a as u32, b as u32]).collect();
        let all = pairs.len();
        pairs.sort_unstable();
        let mut most = 0;
        for group in pairs.chunk_by(|a, b| a[0] == b[0]) {
            most += group
                .chunk_by(|a, b| a == b)
                .map(<[_]>::len)
                .max()
                .unwrap_or(0);
        }
        assert!(
            most as f64 > 0.97 * all as f64,
            "seed {seed}: {most} of {all}"
        );
        assert_eq!(sizes(&found).iter().sum::<usize>(), all);
    }
    Ok(())
}
