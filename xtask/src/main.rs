//! The command line: `cargo xtask <command>`.

use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::ExitCode;
use xtask::{build, check};

const USAGE: &str = "\
cargo xtask build                         build pkg/
cargo xtask build --check                 fail when pkg/ does not belong to the sources
cargo xtask build --sabotage [--out DIR]  build the variant that lies, for tests";

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> Result<()> {
    let mut arguments = arguments.into_iter();
    match arguments.next().as_deref() {
        Some("build") => build_command(arguments.collect()),
        Some("help" | "--help" | "-h") | None => {
            println!("{USAGE}");
            Ok(())
        }
        Some(other) => bail!("there is no command \"{other}\"\n{USAGE}"),
    }
}

fn build_command(arguments: Vec<String>) -> Result<()> {
    let (mut sabotage, mut only_check, mut out) = (false, false, None);
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--sabotage" => sabotage = true,
            "--check" => only_check = true,
            "--out" => out = Some(PathBuf::from(rest.next().context("--out needs a folder")?)),
            other => bail!("build does not know \"{other}\"\n{USAGE}"),
        }
    }
    match (only_check, sabotage, out) {
        (true, false, None) => {
            check::check(&xtask::root().join("pkg"))?;
            println!("pkg/ belongs to the sources");
            Ok(())
        }
        (false, true, out) => build::sabotage(out),
        (false, false, None) => build::shipped(),
        _ => bail!("these options do not go together\n{USAGE}"),
    }
}
