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

/// The project's licences, and those of micrographs and typefaces.
const LICENCES: [&str; 6] = [
    "LICENSE",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "www/images/LICENSES",
    "www/images/PROVENANCE.md",
    "www/fonts",
];

/// What the ZIP holds besides: the page, its parts, what other pages and documents take from it.
const CONTENTS: [&str; 5] = [
    "index.html",
    "embed.html",
    "_extensions",
    "pkg",
    "README.md",
];

/// What the Quarto extension needs of pkg/.
const PARTS: [&str; 6] = [
    "chunks",
    "elements.json",
    "fonts",
    "fonts.css",
    "kernelscope.js",
    "manifest.json",
];

/// Builds, then writes `dist/kernelscope-<version>.zip` the Quarto extension beside it, and the one-file page
/// `dist/kernelscope.html`.
pub fn package() -> Result<()> {
    build::shipped()?;
    let dist = crate::root().join("dist");
    fs::create_dir_all(&dist)?;
    let page = dist.join("kernelscope.html");
    step("one HTML file", || single("index.html", &page))?;
    let frame = dist.join("kernelscope-embed.html");
    step("one HTML file for frames", || single("embed.html", &frame))?;
    let archive = dist.join(format!("kernelscope-{}.zip", version()?));
    step("ZIP", || zip(&archive, &contents()?))?;
    let extension = dist.join(format!("kernelscope-quarto-{}.zip", version()?));
    step("Quarto extension", || zip(&extension, &quarto()?))?;
    for file in [&page, &frame, &archive, &extension] {
        let size = fs::metadata(file)?.len() / 1024;
        println!("{} ({size} KiB)", file.display());
    }
    Ok(())
}

/// Writes a whole page, `index.html` or `embed.html`, as one HTML file that asks for no other.
pub fn single(html: &str, out: &Path) -> Result<()> {
    let mut command = Command::new(provision::node()?);
    command
        .current_dir(crate::root())
        .args(["xtask/bundle/single.mjs", "--html", html, "--out"])
        .arg(out);
    shell::run(&mut command)
}

/// The files of the project's ZIP, each with its name there.
fn contents() -> Result<Vec<(String, PathBuf)>> {
    let root = crate::root();
    let mut files = licences()?;
    for name in CONTENTS {
        sources::list(&root.join(name), &mut files)?;
    }
    named(&root, "kernelscope", files)
}

/// The typefaces themselves are in pkg/; from www/ come their licences.
fn licences() -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for name in LICENCES {
        sources::list(&crate::root().join(name), &mut files)?;
    }
    files.retain(|file| file.extension().is_none_or(|kind| kind != "woff2"));
    Ok(files)
}

/// The extension as `quarto add` takes it: what it needs of pkg/ lies inside it.
fn quarto() -> Result<Vec<(String, PathBuf)>> {
    let root = crate::root();
    let mut own = Vec::new();
    sources::list(&root.join("_extensions"), &mut own)?;
    let mut files = named(&root, "kernelscope-quarto", own)?;
    let mut parts = Vec::new();
    for part in PARTS {
        sources::list(&root.join("pkg").join(part), &mut parts)?;
    }
    files.extend(named(
        &root,
        "kernelscope-quarto/_extensions/kernelscope",
        parts,
    )?);
    files.extend(named(&root, "kernelscope-quarto", licences()?)?);
    Ok(files)
}

fn named(root: &Path, folder: &str, files: Vec<PathBuf>) -> Result<Vec<(String, PathBuf)>> {
    files
        .into_iter()
        .map(|file| {
            let name = file
                .strip_prefix(root)?
                .to_string_lossy()
                .replace('\\', "/");
            Ok((format!("{folder}/{name}"), file))
        })
        .collect()
}

fn zip(archive: &Path, files: &[(String, PathBuf)]) -> Result<()> {
    let mut files = files.to_vec();
    files.sort();
    let mut zip = zip::ZipWriter::new(fs::File::create(archive)?);
    // No times of day: the same sources give the same archive.
    let options = SimpleFileOptions::default().unix_permissions(0o644);
    for (name, file) in files {
        zip.start_file(name, options)?;
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
