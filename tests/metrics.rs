//! Metrics against scikit-learn, scipy and scikit-image (tests/golden/metrics.json, written by training/golden/metrics.py).
#![cfg(not(feature = "sabotage"))]

mod common;

use common::{golden, numbers, sizes};
use kernelscope::grains::matched;
use kernelscope::metrics::{Settings, cross_entropy, metrics};
use kernelscope::ops::softmax;
use kernelscope::{Result, Tensor};
use serde_json::Value as Json;

fn map(case: &Json, name: &str) -> Tensor {
    Tensor::new(&sizes(&case["shape"]), numbers(&case[name])).expect(name)
}

fn cases(name: &str) -> Vec<Json> {
    let cases = golden("metrics")[name].as_array().expect("a list").clone();
    assert!(cases.len() > 2, "{name}: only {} cases", cases.len());
    cases
}

fn close(got: f64, wanted: &Json, what: &str) {
    let wanted = wanted.as_f64().expect("a number");
    assert!(
        (got - wanted).abs() < 1e-12,
        "{what}: {got} instead of {wanted}"
    );
}

#[test]
fn confusion_accuracy_iou_and_dice_are_scikit_learns() -> Result<()> {
    for case in cases("masks") {
        let classes = case["classes"].as_u64().expect("a number") as usize;
        let settings = Settings {
            classes: Some(classes),
            ..Settings::default()
        };
        let got = metrics(&map(&case, "prediction"), &map(&case, "truth"), &settings)?;
        for (t, row) in got.confusion.iter().enumerate() {
            let row: Vec<usize> = row.iter().map(|&n| n as usize).collect();
            assert_eq!(row, sizes(&case["confusion"][t]), "truth {t}");
        }
        close(got.accuracy, &case["accuracy"], "accuracy");
        for class in 0..classes {
            close(got.iou[class], &case["iou"][class], "IoU");
            close(got.dice[class], &case["dice"][class], "Dice");
        }
    }
    Ok(())
}

#[test]
fn boundary_scores_are_those_of_scipys_distances() -> Result<()> {
    for case in cases("lines") {
        let settings = Settings {
            tolerance: case["tolerance"].as_f64().expect("a number"),
            ..Settings::default()
        };
        let got = metrics(&map(&case, "prediction"), &map(&case, "truth"), &settings)?.boundary;
        close(got.precision, &case["precision"], "precision");
        close(got.recall, &case["recall"], "recall");
        close(got.f1, &case["f1"], "F1");
    }
    Ok(())
}

#[test]
fn cross_entropy_is_scikit_learns() -> Result<()> {
    for case in cases("masks") {
        let rows = case["logits"].as_array().expect("rows");
        let target = numbers(&case["target"]);
        let classes = case["classes"].as_u64().expect("a number") as usize;
        // A pixel's logits are a row in the file and a column here.
        let rows: Vec<Vec<f32>> = rows.iter().map(numbers).collect();
        let logits = (0..classes).flat_map(|k| rows.iter().map(move |row| row[k]));
        let logits = Tensor::new(&[classes, rows.len()], logits.collect())?;
        let p = softmax::run(&logits, 0)?;
        let got = cross_entropy(&p, &Tensor::new(&[target.len()], target.clone())?)?;
        let wanted = case["crossEntropy"].as_f64().expect("a number");
        assert!((got - wanted).abs() < 1e-6, "{got} instead of {wanted}");
        // A wrong class of truth is refused, an unknown one not scored.
        let truth = |first: f32| {
            let rest = target[1..].iter().copied();
            Tensor::new(
                &[target.len()],
                std::iter::once(first).chain(rest).collect(),
            )
        };
        assert!(cross_entropy(&p, &truth(classes as f32)?).is_err());
        assert_ne!(cross_entropy(&p, &truth(-1.0)?)?, got);
    }
    Ok(())
}

#[test]
fn grains_are_matched_as_by_scikit_learns_jaccard_index() -> Result<()> {
    for case in cases("grains") {
        let least = case["least"].as_u64().expect("a number") as usize;
        let [found, truth, valid] = ["found", "truth", "valid"].map(|name| map(&case, name));
        let got = matched(&found, &truth, Some(&valid), least)?;
        assert_eq!(got.of as u64, case["of"].as_u64().expect("a number"));
        assert_eq!(got.found as u64, case["hits"].as_u64().expect("a number"));
    }
    Ok(())
}
