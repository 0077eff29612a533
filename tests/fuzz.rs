//! A short run of the fuzzer (fuzz/README.md): the same damage and the same target, some thousand times.
#![cfg(not(feature = "sabotage"))]

#[path = "../fuzz/mutate.rs"]
mod mutate;
#[path = "../fuzz/target.rs"]
mod target;

use mutate::{Random, mutate as damage};
use std::fs;
use std::path::{Path, PathBuf};
use target::{Reached, execute};

fn models(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "onnx"));
    paths.sort();
    paths
}

#[test]
fn damaged_files_are_opened_or_refused() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths = models(&root.join("tests/golden/onnx/node"));
    let files: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| fs::read(path).expect("a model"))
        .collect();
    let mut random = Random::new(2026);
    let (mut run, mut refused) = (0, 0);
    for _ in 0..4000 {
        let file = &files[random.below(files.len())];
        let other = &files[random.below(files.len())];
        match execute(&damage(file, other, &mut random), &[]) {
            Reached::Run => run += 1,
            Reached::Refused => refused += 1,
            _ => {}
        }
    }
    println!("{run} damaged files run, {refused} are refused");
    assert!(
        run > 100 && refused > 1000,
        "the mutations miss their aim: {run} run, {refused} refused"
    );
}

/// Files that once did something else than they should, and shapes of damage that random changes seldom find.
#[test]
fn files_of_the_corpus_do_no_harm() {
    let paths = models(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus"));
    assert!(paths.len() > 10, "only {} files", paths.len());
    for path in paths {
        println!("{}", path.display());
        execute(&fs::read(path).expect("a model"), &[]);
    }
}
