//! The command line: `cargo xtask <command>`.

use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::ExitCode;
use xtask::{bench, build, check, fuzz, package, serve, still, suite};

const USAGE: &str = "\
cargo xtask build                         build pkg/
cargo xtask build --check                 fail when pkg/ does not belong to the sources
cargo xtask build --sabotage [--out DIR]  build the variant that lies, for tests
cargo xtask serve [--port N] [--no-open]  build, serve on this machine, build again when a file changes
cargo xtask test [--only CHECK]...        run every check, or those named
cargo xtask still FIGURE [STATE] --out F  render a figure's state: F.png, F.svg or F.pdf; --frames N for its time
cargo xtask still DOCUMENT.qmd            render a picture for each shortcode in a document
cargo xtask bench [--gpu] [--only W3,W6] [--rounds N] [--write]
                                          measure against onnxruntime-web and TensorFlow.js; --write puts the table into README.md
cargo xtask package                       write dist/: the page as a ZIP and as one HTML file, the Quarto extension
cargo xtask fuzz [EXECUTIONS] [SEED]      damage ONNX files and open them (100000 times, seed 1)";

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
        Some("build") => build_command(arguments),
        Some("serve") => serve_command(arguments),
        Some("test") => test_command(arguments),
        Some("still") => still::still(&arguments.collect::<Vec<_>>()),
        Some("bench") => bench::bench(&arguments.collect::<Vec<_>>()),
        Some("package") => match arguments.next() {
            None => package::package(),
            Some(other) => bail!("package does not know \"{other}\"\n{USAGE}"),
        },
        Some("fuzz") => fuzz_command(arguments),
        Some("help" | "--help" | "-h") | None => {
            println!(
                "{USAGE}\n\nThe checks of `cargo xtask test`:\n{}",
                suite::names()
            );
            Ok(())
        }
        Some(other) => bail!("there is no command \"{other}\"\n{USAGE}"),
    }
}

fn fuzz_command(mut rest: impl Iterator<Item = String>) -> Result<()> {
    let mut number = |what: &str, default: u64| match rest.next() {
        None => Ok(default),
        Some(word) => word
            .parse()
            .with_context(|| format!("{what} must be a number; got \"{word}\"")),
    };
    let (executions, seed) = (number("EXECUTIONS", 100_000)?, number("SEED", 1)?);
    match rest.next() {
        None => fuzz::fuzz(executions, seed),
        Some(other) => bail!("fuzz does not know \"{other}\"\n{USAGE}"),
    }
}

fn serve_command(mut rest: impl Iterator<Item = String>) -> Result<()> {
    let (mut port, mut open) = (None, true);
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--port" => {
                let given = rest.next().context("--port needs a number")?;
                let number = given
                    .parse()
                    .with_context(|| format!("--port must be a number; got \"{given}\""))?;
                port = Some(number);
            }
            "--no-open" => open = false,
            other => bail!("serve does not know \"{other}\"\n{USAGE}"),
        }
    }
    serve::serve(port, open)
}

fn test_command(mut rest: impl Iterator<Item = String>) -> Result<()> {
    let mut only = Vec::new();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--only" => only.push(rest.next().context("--only needs a check's name")?),
            other => bail!("test does not know \"{other}\"\n{USAGE}"),
        }
    }
    suite::run(&only)
}

fn build_command(mut rest: impl Iterator<Item = String>) -> Result<()> {
    let (mut sabotage, mut only_check, mut out) = (false, false, None);
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
