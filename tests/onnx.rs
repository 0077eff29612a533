//! ONNX files against ONNX's own test cases and against what PyTorch computed before it exported them
//! (tests/golden/onnx, written by training/golden/onnx_nodes.py and onnx_exports.py): right to 1e-4, or refused in the very
//! words that are committed.
#![cfg(not(feature = "sabotage"))]

mod common;

use kernelscope::graph::Keep;
use kernelscope::map::Map;
use kernelscope::onnx::{ExternalFile, Onnx};
use kernelscope::{Result, Tensor, weights};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/onnx")
        .join(name)
}

fn files(name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(name)).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "onnx"))
        .collect();
    paths.sort();
    paths
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .expect("a name")
        .to_string_lossy()
        .into_owned()
}

fn tensors(name: &str) -> Map<String, Tensor> {
    let bytes = fs::read(folder(name)).expect("the numbers");
    weights::read(&bytes).expect("safetensors").tensors
}

/// The weights beside a model, if there are any.
fn beside(path: &Path) -> Vec<ExternalFile> {
    let name = format!("{}.data", path.display());
    let bytes = fs::read(&name).ok();
    let file = |bytes| ExternalFile {
        name: Path::new(&name)
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned(),
        bytes,
    };
    bytes.map(file).into_iter().collect()
}

fn compute(path: &Path, x: &Tensor) -> Result<Tensor> {
    let onnx = Onnx::read(&fs::read(path).expect("a model"), &beside(path))?;
    let graph = onnx.graph(x.shape())?;
    let sizes = graph.shapes(x.shape())?;
    let trace = graph.run(x.clone(), &Keep::Output)?;
    assert_eq!(
        sizes[graph.output()],
        trace.output().shape(),
        "{}",
        path.display()
    );
    Ok((*trace.output()).clone())
}

/// The largest difference, relative where numbers are large.
fn difference(got: &Tensor, wanted: &Tensor) -> f32 {
    let both = got.data().iter().zip(wanted.data());
    both.map(|(a, b)| (a - b).abs() / b.abs().max(1.0))
        .fold(0.0, f32::max)
}

#[test]
fn onnx_node_cases_are_right_or_refused() {
    let numbers = tensors("node.safetensors");
    let committed = fs::read_to_string(folder("refused.json")).unwrap_or_else(|_| "{}".into());
    let committed: BTreeMap<String, String> =
        serde_json::from_str(&committed).expect("refused.json");
    let mut refused = BTreeMap::new();
    let (mut right, mut wrong) = (0, Vec::new());
    for path in files("node") {
        let name = stem(&path);
        // A case whose numbers are no tensor of the crate (a single number, none, five dimensions) must be refused.
        let any = Tensor::new(&[1, 1, 4, 4], vec![0.0; 16]).expect("a picture");
        let x = numbers.get(&format!("{name}:x")).unwrap_or(&any);
        match (compute(&path, x), numbers.get(&format!("{name}:y"))) {
            (Err(error), _) => {
                refused.insert(name, error.to_string());
            }
            (Ok(y), Some(wanted))
                if y.shape() == wanted.shape() && difference(&y, wanted) <= 1e-4 =>
            {
                right += 1
            }
            (Ok(y), wanted) => {
                let shape = wanted.map(Tensor::shape);
                let off = wanted
                    .filter(|w| w.shape() == y.shape())
                    .map(|w| difference(&y, w));
                wrong.push(format!(
                    "{name}: shape {:?}, expected {shape:?}; difference {off:?}",
                    y.shape()
                ));
            }
        }
    }
    println!(
        "{right} node cases are right, {} are refused:",
        refused.len()
    );
    for (name, message) in &refused {
        println!("  {name}: {message}");
    }
    if std::env::var_os("WRITE_REFUSED").is_some() {
        let text = serde_json::to_string_pretty(&refused).expect("JSON");
        fs::write(folder("refused.json"), text + "\n").expect("written");
    } else {
        assert_eq!(
            refused, committed,
            "other refusals than tests/golden/onnx/refused.json (WRITE_REFUSED=1 writes it)"
        );
    }
    assert!(wrong.is_empty(), "wrong:\n{}", wrong.join("\n"));
    assert!(right > 200, "only {right} cases are right");
}

#[test]
fn exports_are_what_pytorch_computes() {
    let numbers = tensors("export.safetensors");
    let mut compared = 0;
    let mut worst = 0f32;
    for path in files("export") {
        let name = stem(&path);
        let cases = numbers
            .keys()
            .filter_map(|key| key.strip_prefix(&format!("{name}:x")).map(str::to_string));
        let cases: Vec<String> = cases.collect();
        assert!(!cases.is_empty(), "{name} has no pictures");
        for case in cases {
            let (x, wanted) = (
                &numbers[&format!("{name}:x{case}")],
                &numbers[&format!("{name}:y{case}")],
            );
            let y = compute(&path, x).unwrap_or_else(|e| panic!("{name}{case}: {e}"));
            assert_eq!(y.shape(), wanted.shape(), "{name}{case}");
            let off = difference(&y, wanted);
            assert!(off <= 1e-4, "{name}{case}: differs by {off}");
            worst = worst.max(off);
            compared += 1;
            // A picture without the batch is the same picture.
            if let [1, rest @ ..] = x.shape()
                && rest.len() == 3
            {
                let single = Tensor::new(rest, x.data().to_vec()).expect("a picture");
                let y =
                    compute(&path, &single).unwrap_or_else(|e| panic!("{name}{case}, single: {e}"));
                let expected = if wanted.shape()[0] == 1 {
                    &wanted.shape()[1..]
                } else {
                    wanted.shape()
                };
                assert_eq!(y.shape(), expected, "{name}{case}, single");
                assert_eq!(y.data().len(), wanted.data().len());
                let flat = Tensor::new(y.shape(), wanted.data().to_vec()).expect("as many values");
                assert!(difference(&y, &flat) <= 1e-4, "{name}{case}, single");
            }
        }
    }
    println!("{compared} exports agree with PyTorch, the worst to {worst:.1e}");
    assert!(compared > 20, "only {compared} cases");
}
