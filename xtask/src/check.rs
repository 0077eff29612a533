//! Whether `pkg/` still belongs to the sources it was built from.

use crate::sources;
use crate::wasm;
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The modules' files, and the scripts that carry them.
fn shipped() -> impl Iterator<Item = (String, [String; 2])> {
    let parts = wasm::PARTS.map(|(name, _)| name);
    wasm::MODULES.into_iter().chain(parts).map(|name| {
        if name == wasm::ENGINE {
            let [script, module] = ["js", "mjs"].map(|kind| format!("kernelscope.{kind}"));
            ("kernelscope.wasm".into(), [script, module])
        } else {
            let scripts = [
                format!("chunks/{name}.js"),
                format!("kernelscope-{name}.mjs"),
            ];
            (format!("kernelscope-{name}.wasm"), scripts)
        }
    })
}

/// Fails, saying what is stale, unless the folder `pkg` was built from the sources as they are.
///
/// The hash of the sources must be in each wasm module; the modules inlined in the scripts must be those files, byte for
/// byte; and `manifest.json` must list exactly the files that are there, with their sizes.
pub fn check(pkg: &Path) -> Result<()> {
    let again = "run `cargo xtask build`";
    let hash = sources::hash()?;
    for (file, scripts) in shipped() {
        let module = read(pkg, &file)?;
        match wasm::section(&module, wasm::SECTION) {
            Some(built) if built == hash => {}
            Some(_) => bail!("pkg/{file} was built from other sources than these: {again}"),
            None => bail!("pkg/{file} does not say what it was built from: {again}"),
        }
        for script in scripts {
            let text = String::from_utf8(read(pkg, &script)?)?;
            let inlined = inlined_module(&text)
                .with_context(|| format!("pkg/{script} holds no wasm module: {again}"))?;
            if inlined != module {
                bail!("pkg/{script} holds another module than pkg/{file}: {again}");
            }
        }
    }
    check_manifest(pkg, &hash).with_context(|| format!("pkg/manifest.json is not true: {again}"))
}

fn read(pkg: &Path, name: &str) -> Result<Vec<u8>> {
    let file = pkg.join(name);
    fs::read(&file).with_context(|| format!("pkg/{name} is missing: run `cargo xtask build`"))
}

/// The wasm in a script: its one long base64 string that inflates to a module.
fn inlined_module(script: &str) -> Option<Vec<u8>> {
    script
        .split(['"', '\'', '`'])
        .filter(|text| text.len() > 1000)
        .filter_map(|text| STANDARD.decode(text).ok())
        .filter_map(|bytes| {
            let mut module = Vec::new();
            let mut inflate = flate2::read::DeflateDecoder::new(&bytes[..]);
            inflate.read_to_end(&mut module).ok()?;
            Some(module)
        })
        .find(|module| module.starts_with(b"\0asm"))
}

fn check_manifest(pkg: &Path, hash: &str) -> Result<()> {
    let manifest: Value = serde_json::from_slice(&read(pkg, "manifest.json")?)?;
    if manifest["sources"] != hash {
        bail!("it names other sources");
    }
    let listed = manifest["files"].as_object().context("it lists no files")?;
    let mut files: Vec<PathBuf> = Vec::new();
    sources::list(pkg, &mut files)?;
    let mut seen = 0;
    for file in files {
        let name = file.strip_prefix(pkg)?.to_string_lossy().replace('\\', "/");
        if name == "manifest.json" {
            continue;
        }
        let entry = &listed
            .get(&name)
            .with_context(|| format!("it does not list {name}"))?;
        let bytes = fs::metadata(&file)?.len();
        if entry["bytes"] != bytes {
            bail!("{name} has {bytes} bytes, not {}", entry["bytes"]);
        }
        // Compressors differ by a little, so the gzip size is compared within 3 % and 64 bytes.
        let claimed = entry["gzip"].as_f64().context("a gzip size is missing")?;
        let measured = gzip_size(&fs::read(&file)?)? as f64;
        if (claimed - measured).abs() > 64.0 + 0.03 * measured {
            bail!("{name} gzips to about {measured} bytes, not {claimed}");
        }
        seen += 1;
    }
    if seen != listed.len() {
        bail!("it lists {} files, and there are {seen}", listed.len());
    }
    Ok(())
}

fn gzip_size(bytes: &[u8]) -> Result<usize> {
    let mut encoder = flate2::read::GzEncoder::new(bytes, flate2::Compression::best());
    let mut packed = Vec::new();
    encoder.read_to_end(&mut packed)?;
    Ok(packed.len())
}

/// The files in which two builds differ, of those that every machine must make alike: those without the wasm in them.
/// Another compiler makes another module; `manifest.json` lists its size.
pub fn differing(one: &Path, other: &Path) -> Result<Vec<String>> {
    let carried = shipped().flat_map(|(file, [script, module])| [file, script, module]);
    let of_the_compiler: Vec<String> = carried.chain(["manifest.json".into()]).collect();
    let mut names = BTreeSet::new();
    for folder in [one, other] {
        let mut files = Vec::new();
        sources::list(folder, &mut files)?;
        for file in files {
            let name = file.strip_prefix(folder)?.to_string_lossy();
            names.insert(name.replace('\\', "/"));
        }
    }
    Ok(names
        .into_iter()
        .filter(|name| !of_the_compiler.contains(name))
        .filter(|name| fs::read(one.join(name)).ok() != fs::read(other.join(name)).ok())
        .collect())
}
