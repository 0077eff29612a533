//! `cargo xtask bench`: this engine beside onnxruntime-web and TensorFlow.js, in one Chromium, in turns.
//!
//! The others come from npm into `bench/`, which has its own lock file and is no part of what is shipped.

use crate::steps::{Stamp, skipped, step};
use crate::{build, provision, shell, sources};
use anyhow::{Context, Result};
use std::process::Command;

/// Builds, installs the peers and measures; `arguments` go to bench/run.mjs (`--only W3,W6`, `--rounds 5`, `--write`).
pub fn bench(arguments: &[String]) -> Result<()> {
    build::shipped()?;
    peers()?;
    let mut run = Command::new(provision::node()?);
    run.current_dir(crate::root())
        .arg("bench/run.mjs")
        .args(arguments);
    shell::run(&mut run)
}

/// Makes sure that bench/node_modules holds what its lock file names.
fn peers() -> Result<()> {
    let name = "npm packages of the bench";
    let folder = crate::root().join("bench");
    let stamp = Stamp::new(
        "npm-bench",
        &[folder.join("node_modules/.package-lock.json")],
    );
    let key = sources::hash_of(&["bench/package-lock.json"])?;
    if stamp.is_fresh(&key) {
        skipped(name, "installed");
        return Ok(());
    }
    step(name, || {
        let npm = shell::find("npm").context("npm is missing")?;
        let mut install = Command::new(npm);
        install
            .current_dir(&folder)
            .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
        shell::output(&mut install)?;
        stamp.write(&key)
    })
}
