//! `cargo xtask test`: every check there is, with one line of counts at the end.

use crate::build;
use crate::check;
use crate::package;
use crate::provision;
use crate::shell;
use crate::wasm::Variant;
use anyhow::{Context, Result, bail};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// How many tests of a check passed and failed.
#[derive(Clone, Copy, Default)]
struct Count {
    passed: usize,
    failed: usize,
}

/// A named check. It counts its tests, or is one test itself; an error is one failed test.
struct Check {
    name: &'static str,
    what: &'static str,
    run: fn() -> Result<Count>,
}

const CHECKS: [Check; 10] = [
    Check {
        name: "format",
        what: "cargo fmt --check",
        run: format,
    },
    Check {
        name: "clippy",
        what: "clippy with and without features, warnings are errors",
        run: clippy,
    },
    Check {
        name: "docs",
        what: "the crate's documentation, warnings are errors",
        run: docs,
    },
    Check {
        name: "rust",
        what: "cargo test: the crate, the build tool, pkg/ not stale",
        run: rust,
    },
    Check {
        name: "gpu",
        what: "graphics cards: every program, operators and networks on Vulkan",
        run: gpu,
    },
    Check {
        name: "sabotage",
        what: "the crate's feature that makes it lie",
        run: sabotage,
    },
    Check {
        name: "build",
        what: "a fresh build, and that pkg/ is what it makes",
        run: fresh_build,
    },
    Check {
        name: "types",
        what: "tsc, strict",
        run: types,
    },
    Check {
        name: "node",
        what: "pkg/kernelscope.mjs in Node against PyTorch, the server, the wasm",
        run: node,
    },
    Check {
        name: "browser",
        what: "the page in Chromium and Firefox, over http and from file://",
        run: browser,
    },
];

/// The checks' names with a line on each, for `--help`.
pub fn names() -> String {
    let line = |check: &Check| format!("  {:<9} {}", check.name, check.what);
    CHECKS.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Runs all checks, or those named; an error when anything failed.
pub fn run(only: &[String]) -> Result<()> {
    if let Some(unknown) = only
        .iter()
        .find(|name| CHECKS.iter().all(|check| check.name != *name))
    {
        bail!("there is no check \"{unknown}\"; there are\n{}", names());
    }
    let start = Instant::now();
    let mut total = Count::default();
    let mut summary = Vec::new();
    for check in CHECKS {
        if !only.is_empty() && !only.iter().any(|name| name == check.name) {
            continue;
        }
        println!("\n── {}: {}", check.name, check.what);
        let start = Instant::now();
        let count = (check.run)().unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            Count {
                passed: 0,
                failed: 1,
            }
        });
        total.passed += count.passed;
        total.failed += count.failed;
        let state = if count.failed == 0 { "ok" } else { "FAILED" };
        let seconds = start.elapsed().as_secs_f64();
        let line = format!("{:<9} {seconds:7.1} s  {state}", check.name);
        println!("── {line}");
        summary.push(format!(
            "{line}: {} passed, {} failed",
            count.passed, count.failed
        ));
    }
    println!("\n{}", summary.join("\n"));
    println!("in {:.0} s", start.elapsed().as_secs_f64());
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed > 0 {
        bail!("{} of the tests failed", total.failed);
    }
    Ok(())
}

const ONE: Count = Count {
    passed: 1,
    failed: 0,
};

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    command.current_dir(crate::root()).args(arguments);
    command
}

fn format() -> Result<Count> {
    shell::run(&mut cargo(&["fmt", "--all", "--check"]))?;
    Ok(ONE)
}

fn clippy() -> Result<Count> {
    let mut count = Count::default();
    for packages in [
        &["--workspace"][..],
        &["--package", "kernelscope", "--features", "engine,lessons"],
        &[
            "--package",
            "kernelscope",
            "--features",
            "engine,lessons,gpu-native",
        ],
        &[
            "--package",
            "kernelscope",
            "--features",
            "engine,lessons,sabotage",
        ],
    ] {
        let mut command = cargo(&["clippy", "--quiet", "--all-targets"]);
        command.args(packages).args(["--", "-D", "warnings"]);
        shell::run(&mut command)?;
        count.passed += 1;
    }
    Ok(count)
}

fn docs() -> Result<Count> {
    let mut command = cargo(&["doc", "--quiet", "--no-deps", "--workspace"]);
    command
        .args([
            "--features",
            "kernelscope/engine,kernelscope/lessons,kernelscope/gpu",
        ])
        .env("RUSTDOCFLAGS", "-D warnings");
    shell::run(&mut command)?;
    Ok(ONE)
}

fn rust() -> Result<Count> {
    cargo_test(&["--workspace"])
}

fn gpu() -> Result<Count> {
    provision::vulkan()?;
    let features = ["--package", "kernelscope", "--features", "gpu-native"];
    let tests = ["--lib", "--test", "shaders", "--test", "gpu"];
    cargo_test(&[&features[..], &tests].concat())
}

fn sabotage() -> Result<Count> {
    // Not the documentation's examples: they tell the truth, and this build lies.
    let lying = ["--package", "kernelscope", "--features", "sabotage"];
    cargo_test(&[&lying[..], &["--lib", "--tests"]].concat())
}

fn cargo_test(arguments: &[&str]) -> Result<Count> {
    let mut command = cargo(&["test", "--quiet", "--no-fail-fast"]);
    let mut count = Count::default();
    let well = shell::tee(command.args(arguments), |line| {
        if let Some(found) = cargo_counts(line) {
            count.passed += found.passed;
            count.failed += found.failed;
        }
    })?;
    settle(well, count)
}

/// "test result: ok. 18 passed; 0 failed; …".
fn cargo_counts(line: &str) -> Option<Count> {
    let rest = line.strip_prefix("test result: ")?;
    let number = |what: &str| {
        let words = rest.split(['.', ';']).map(str::trim);
        words
            .into_iter()
            .find_map(|part| part.strip_suffix(what)?.trim().parse().ok())
    };
    Some(Count {
        passed: number("passed")?,
        failed: number("failed")?,
    })
}

/// A runner that ended badly without naming a failed test (it did not compile, say) is one failure.
fn settle(well: bool, mut count: Count) -> Result<Count> {
    if !well && count.failed == 0 {
        count.failed = 1;
    }
    if count.passed + count.failed == 0 {
        bail!("no test was run");
    }
    Ok(count)
}

/// Everything but the compiler's and the compressors' work must be, byte for byte, what is committed.
fn fresh_build() -> Result<Count> {
    let root = crate::root();
    let fresh = root.join("target/fresh/pkg");
    build::build(&Variant::shipped(), &fresh)?;
    check::check(&fresh)?;
    check::check(&root.join("pkg"))?;
    let differing = check::differing(&root.join("pkg"), &fresh)?;
    if !differing.is_empty() {
        bail!(
            "pkg/ is not what these sources make: {} differ; run `cargo xtask build`",
            differing.join(", ")
        );
    }
    Ok(ONE)
}

fn types() -> Result<Count> {
    let node = provision::node()?;
    provision::npm_packages()?;
    if !crate::root().join("target/bindgen/gpu.d.ts").is_file() {
        crate::wasm::make(&Variant::shipped())?;
    }
    let mut command = Command::new(node);
    command
        .current_dir(crate::root())
        .arg(provision::module("typescript/bin/tsc"))
        .args(["--noEmit", "-p", "."]);
    shell::run(&mut command)?;
    Ok(ONE)
}

fn node() -> Result<Count> {
    provision::npm_packages()?;
    crate::wasm::make(&Variant::shipped())?;
    crate::wasm::bound_engine(&Variant::scalar())?;
    node_tests(&test_files(&crate::root().join("tests/node"))?, &[])
}

fn browser() -> Result<Count> {
    provision::npm_packages()?;
    let geckodriver = provision::browsers()?;
    let pandoc = provision::pandoc()?;
    build::sabotage(None)?;
    for (html, one) in [
        ("index.html", "kernelscope.html"),
        ("embed.html", "kernelscope-embed.html"),
    ] {
        package::single(html, &crate::root().join("target/single").join(one))?;
    }
    let variables = [("GECKODRIVER", geckodriver), ("PANDOC", pandoc)];
    let mut total = Count::default();
    for file in test_files(&crate::root().join("tests/browser"))? {
        let files = [file];
        let name = files[0].file_name().unwrap_or_default().to_string_lossy();
        println!("── browser: {name}");
        let mut count = node_tests(&files, &variables)?;
        if count.failed > 0 {
            // A real browser on a busy machine now and then misses a moment. A fault is there the second time, too.
            println!("── {name}: {} failed; once more", count.failed);
            count = node_tests(&files, &variables)?;
            if count.failed == 0 {
                println!("── {name}: passed only at the second try");
            }
        }
        total.passed += count.passed;
        total.failed += count.failed;
    }
    Ok(total)
}

/// The `*.test.mjs` of a folder, in order.
fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("listing {}", folder.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    files.sort();
    if files.is_empty() {
        bail!("{} has no tests", folder.display());
    }
    Ok(files)
}

/// Runs test files with Node's own test runner.
fn node_tests(files: &[PathBuf], variables: &[(&str, PathBuf)]) -> Result<Count> {
    let mut command = Command::new(provision::node()?);
    command
        .current_dir(crate::root())
        .args(["--test", "--test-reporter=spec"])
        .args(files);
    for (name, value) in variables {
        command.env(name, value);
    }
    let mut count = Count::default();
    let well = shell::tee(&mut command, |line| {
        let number = |what: &str| line.strip_prefix(what)?.trim().parse().ok();
        count.passed = number("ℹ pass ").unwrap_or(count.passed);
        count.failed = number("ℹ fail ").unwrap_or(count.failed);
    })?;
    settle(well, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_cargos_counts() {
        let line = "test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 3.56s";
        let count = cargo_counts(line).unwrap();
        assert_eq!((count.passed, count.failed), (3, 2));
        assert!(cargo_counts("running 3 tests").is_none());
    }

    #[test]
    fn a_runner_that_ends_badly_is_a_failure() {
        assert_eq!(settle(false, ONE).unwrap().failed, 1);
        assert!(settle(true, Count::default()).is_err());
    }
}
