//! `cargo xtask package`: what people take home, in `dist/`.

use crate::build;
use crate::provision;
use crate::shell;
use crate::sources;
use crate::steps::step;
use anyhow::{Context, Result};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use zip::write::SimpleFileOptions;

/// What the ZIP holds: the page, its parts, and every licence.
const CONTENTS: [&str; 9] = [
    "index.html",
    "pkg",
    "README.md",
    "LICENSE",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "www/images/LICENSES",
    "www/images/PROVENANCE.md",
    "www/fonts",
];

/// Builds, then writes `dist/kernelscope-<version>.zip` and the one-file page `dist/kernelscope.html`.
pub fn package() -> Result<()> {
    build::shipped()?;
    let dist = crate::root().join("dist");
    fs::create_dir_all(&dist)?;
    let page = dist.join("kernelscope.html");
    step("one HTML file", || single(&page))?;
    let archive = dist.join(format!("kernelscope-{}.zip", version()?));
    step("ZIP", || zip(&archive))?;
    for file in [&page, &archive] {
        let size = fs::metadata(file)?.len() / 1024;
        println!("{} ({size} KiB)", file.display());
    }
    Ok(())
}

/// Writes the whole page as one HTML file that asks for no other.
pub fn single(out: &Path) -> Result<()> {
    let mut command = Command::new(provision::node()?);
    command
        .current_dir(crate::root())
        .args(["xtask/bundle/single.mjs", "--out"])
        .arg(out);
    shell::run(&mut command)
}

fn zip(archive: &Path) -> Result<()> {
    let root = crate::root();
    let mut files: Vec<PathBuf> = Vec::new();
    for name in CONTENTS {
        sources::list(&root.join(name), &mut files)?;
    }
    // The typefaces themselves are in pkg/; from www/ come their licences.
    files.retain(|file| {
        let source = file.starts_with(root.join("www"));
        !(source && file.extension().is_some_and(|kind| kind == "woff2"))
    });
    files.sort();
    let mut zip = zip::ZipWriter::new(fs::File::create(archive)?);
    // No times of day: the same sources give the same archive.
    let options = SimpleFileOptions::default().unix_permissions(0o644);
    for file in files {
        let name = file
            .strip_prefix(&root)?
            .to_string_lossy()
            .replace('\\', "/");
        zip.start_file(format!("kernelscope/{name}"), options)?;
        zip.write_all(&fs::read(&file)?)?;
    }
    zip.finish()?;
    Ok(())
}

/// The version in the crate's Cargo.toml.
fn version() -> Result<String> {
    let manifest = fs::read_to_string(crate::root().join("Cargo.toml"))?;
    manifest
        .lines()
        .find_map(|line| line.strip_prefix("version = \""))
        .and_then(|rest| rest.strip_suffix('"'))
        .map(str::to_string)
        .context("Cargo.toml names no version")
}
