//! `cargo xtask build`: everything in `pkg/`.

use crate::provision;
use crate::shell;
use crate::sources;
use crate::steps::{Stamp, skipped, step};
use crate::wasm::{self, MODULES, Variant};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Builds a variant into the folder `out`.
pub fn build(variant: &Variant, out: &Path) -> Result<()> {
    let start = Instant::now();
    let node = provision::node()?;
    provision::npm_packages()?;
    let optimised = wasm::make(variant)?;
    bundle(&node, variant, &optimised, out)?;
    println!("built in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Builds what is shipped, into `pkg/`.
pub fn shipped() -> Result<()> {
    build(&Variant::shipped(), &crate::root().join("pkg"))
}

/// Builds the lying variant, into `out` or its usual place.
pub fn sabotage(out: Option<PathBuf>) -> Result<()> {
    let usual = || crate::root().join("target/sabotage/pkg");
    let out = std::path::absolute(out.unwrap_or_else(usual))?;
    build(&Variant::sabotage(), &out)
}

fn bundle(node: &Path, variant: &Variant, optimised: &[PathBuf], out: &Path) -> Result<()> {
    let name = variant.step("bundle");
    let place = &sources::hash_text(&out.to_string_lossy())[..8];
    let stamp = Stamp::new(
        &format!("bundle{}-{place}", variant.name),
        &[out.to_path_buf()],
    );
    let hash = sources::hash()?;
    let scripts = MODULES.iter().map(|module| variant.script(module));
    let made: Vec<PathBuf> = optimised.iter().cloned().chain(scripts).collect();
    let key = format!("{hash} {}", sources::digest(&made)?);
    if stamp.is_fresh(&key) {
        skipped(&name, "unchanged");
        return Ok(());
    }
    step(&name, || {
        let root = crate::root();
        let mut command = Command::new(node);
        command
            .current_dir(&root)
            .arg("xtask/bundle/bundle.mjs")
            .args(["--hash", &hash, "--out"])
            .arg(out);
        for (module, optimised) in MODULES.iter().zip(optimised) {
            let bytes =
                fs::read(optimised).with_context(|| format!("reading {}", optimised.display()))?;
            let signed = optimised.with_extension("signed.wasm");
            fs::write(&signed, wasm::with_section(bytes, wasm::SECTION, &hash))?;
            command
                .arg("--module")
                .arg(module)
                .arg(variant.script(module))
                .arg(signed);
        }
        shell::run(&mut command)?;
        stamp.write(&key)
    })
}
