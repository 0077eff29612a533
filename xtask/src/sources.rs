//! Hashes of files and folders: what `pkg/` was built from, and whether a step's inputs changed.

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// Everything that decides what is in `pkg/`.
pub const INPUTS: [&str; 8] = [
    "crate",
    "www",
    "Cargo.toml",
    "Cargo.lock",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "xtask/bundle",
];

/// The hash of [`INPUTS`], in hex: the value of the custom section `kernelscope-sources` of the shipped wasm.
pub fn hash() -> Result<String> {
    hash_of(&INPUTS)
}

/// The SHA-256, in hex, of files and folders named relative to the repository's root.
pub fn hash_of(inputs: &[&str]) -> Result<String> {
    let root = crate::root();
    digest(
        &inputs
            .iter()
            .map(|name| root.join(name))
            .collect::<Vec<_>>(),
    )
}

/// The SHA-256, in hex, over every file's name, length and bytes, in the order of their names.
///
/// Names are relative to the repository's root with forward slashes, so every machine comes to the same digest.
pub fn digest(paths: &[PathBuf]) -> Result<String> {
    let mut files = Vec::new();
    for path in paths {
        list(path, &mut files)?;
    }
    let root = crate::root();
    let mut named: Vec<(String, PathBuf)> = files
        .into_iter()
        .map(|file| {
            let name = file.strip_prefix(&root).unwrap_or(&file);
            (name.to_string_lossy().replace('\\', "/"), file)
        })
        .collect();
    named.sort();
    let mut hasher = Sha256::new();
    for (name, file) in named {
        let bytes = fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
        hasher.update(name.as_bytes());
        hasher.update([0]);
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(&bytes);
    }
    Ok(hex(&hasher.finalize()))
}

/// The SHA-256 of one text, in hex.
pub fn hash_text(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lists a file, or a folder's files at any depth, leaving out hidden files and editors' leftovers.
pub fn list(path: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        into.push(path.to_path_buf());
        return Ok(());
    }
    if !path.is_dir() {
        bail!("{} is missing", path.display());
    }
    for entry in fs::read_dir(path).with_context(|| format!("listing {}", path.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || name.ends_with('~') || name.ends_with(".swp") {
            continue;
        }
        list(&entry.path(), into)?;
    }
    Ok(())
}
