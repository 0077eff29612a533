//! `cargo xtask bench`: this engine beside onnxruntime-web and TensorFlow.js, in one Chromium, in turns.
//!
//! The others come from npm into `bench/`, which has its own lock file and is no part of what is shipped.

use crate::{build, provision, shell};
use anyhow::Result;
use std::process::Command;

/// Builds, installs the peers and measures; `arguments` go to bench/run.mjs (`--only W3,W6`, `--rounds 5`, `--write`), or with
/// `--gpu`, which counts what is asked of a graphics card, to bench/gpu.mjs (`--write`).
pub fn bench(arguments: &[String]) -> Result<()> {
    build::shipped()?;
    provision::npm_packages_of("npm packages of the bench", "npm-bench", "bench")?;
    let mut run = Command::new(provision::node()?);
    run.current_dir(crate::root())
        .arg(if arguments.iter().any(|one| one == "--gpu") {
            "bench/gpu.mjs"
        } else {
            "bench/run.mjs"
        })
        .args(arguments);
    shell::run(&mut run)
}
