//! `cargo xtask build`: everything in `pkg/`.

use crate::provision;
use crate::shell;
use crate::sources;
use crate::steps::{Stamp, skipped, step};
use crate::wasm::{self, MODULES, Made, Variant};
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
    let made = wasm::make(variant)?;
    bundle(&node, variant, &made, out)?;
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

fn bundle(node: &Path, variant: &Variant, made: &[Made], out: &Path) -> Result<()> {
    let name = variant.step("bundle");
    let place = &sources::hash_text(&out.to_string_lossy())[..8];
    let stamp = Stamp::new(
        &format!("bundle{}-{place}", variant.name),
        &[out.to_path_buf()],
    );
    let hash = sources::hash()?;
    let scripts = MODULES.iter().map(|module| variant.script(module));
    let modules = made.iter().map(|made| made.module.clone());
    let inputs: Vec<PathBuf> = modules.chain(scripts).collect();
    let key = format!("{hash} {}", sources::digest(&inputs)?);
    if stamp.is_fresh(&key) {
        skipped(&name, "unchanged");
        return Ok(());
    }
    step(&name, || {
        let root = crate::root();
        let ready = root.join(format!("target/web/ready{}", variant.name));
        fs::create_dir_all(&ready)?;
        for made in made {
            sign(made, &hash, &ready)?;
        }
        let mut command = Command::new(node);
        command
            .current_dir(&root)
            .arg("xtask/bundle/bundle.mjs")
            .args(["--hash", &hash])
            .arg("--glue")
            .arg(&variant.glue)
            .arg("--wasm")
            .arg(&ready)
            .arg("--out")
            .arg(out);
        shell::run(&mut command)?;
        stamp.write(&key)
    })
}

/// Writes a module that says what it was built from, as it is and deflated: `ready/name.wasm` and `ready/name.deflate`.
fn sign(made: &Made, hash: &str, ready: &Path) -> Result<()> {
    let read = |file: &Path| fs::read(file).with_context(|| format!("reading {}", file.display()));
    let (module, packed) = (read(&made.module)?, read(&made.packed)?);
    let signed = wasm::with_section(&module, wasm::SECTION, hash);
    let deflated = wasm::packed_with_section(&module, &packed, wasm::SECTION, hash)?;
    fs::write(ready.join(format!("{}.wasm", made.name)), signed)?;
    fs::write(ready.join(format!("{}.deflate", made.name)), deflated)?;
    Ok(())
}
