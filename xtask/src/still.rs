//! `cargo xtask still`: pictures of figures, for slides and documents that cannot run scripts.

use crate::build;
use crate::provision;
use crate::shell;
use anyhow::Result;
use std::process::Command;

/// Builds, then hands the arguments to `tests/browser/still.mjs`, which draws in the tests' own Chromium.
pub fn still(arguments: &[String]) -> Result<()> {
    build::shipped()?;
    provision::chromium()?;
    let mut command = Command::new(provision::node()?);
    command.arg(crate::root().join("tests/browser/still.mjs"));
    shell::run(command.args(arguments))
}
