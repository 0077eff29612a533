//! `cargo xtask fuzz`: builds the fuzzer with every check of the language and runs it.

use crate::shell;
use crate::steps::step;
use anyhow::Result;
use std::process::Command;

/// Damages models `executions` times; the same seed repeats the same run.
///
/// # Errors
/// If a damaged file does what it must not.
pub fn fuzz(executions: u64, seed: u64) -> Result<()> {
    let name = format!("fuzz, {executions} executions, seed {seed}");
    step(&name, || {
        let mut command = Command::new(env!("CARGO"));
        command
            .current_dir(crate::root())
            .args([
                "run",
                "--quiet",
                "--profile",
                "fuzz",
                "--example",
                "fuzz",
                "--",
            ])
            .args([executions.to_string(), seed.to_string()]);
        shell::run(&mut command)
    })
}
