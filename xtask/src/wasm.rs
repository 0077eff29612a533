//! From the crate to an optimised wasm module and its JavaScript glue.

use crate::provision;
use crate::shell;
use crate::sources;
use crate::split;
use crate::steps::{Stamp, skipped, step};
use crate::toolchain::{self, TARGET};
use anyhow::{Context, Result};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use wasm_bindgen_cli_support::Bindgen;

/// The name of the custom section that holds the hash of the sources.
pub const SECTION: &str = "kernelscope-sources";

/// The wasm modules of the crate: what computes, what the figures ask besides, and what computes with a graphics card at hand.
/// The others are loaded when they are first needed.
pub const MODULES: [&str; 3] = [ENGINE, "lessons", "gpu"];

/// What computes operators and networks. It is shipped without its [`PARTS`].
pub const ENGINE: &str = "engine";

/// What is cut off the engine, to be loaded into the instance that computes when it is first needed, and the functions that make it
/// up: what takes values apart and tells where they come from, and what reads ONNX files.
pub const PARTS: [(&str, &[&str]); 2] = [
    (
        "answers",
        &[
            "crop",
            "explain",
            "geometry",
            "model_card",
            "model_parameter",
            "model_receptive_field",
            "model_shapes",
            "reach",
            "trace_explain",
            "trace_gradient",
            "trace_node",
            "trace_shares",
            "uses",
            "window_rect",
        ],
    ),
    // The engine alone calls these: see crate/onnx/mod.rs.
    (
        "onnx",
        &["onnx_read", "onnx_graph", "onnx_sample", "onnx_describe"],
    ),
];

/// The Cargo features that make a module.
fn features(module: &str) -> &str {
    match module {
        // It can do what the engine can: a card that fails is replaced by the processor, and measured against it.
        "gpu" => "engine,gpu",
        own => own,
    }
}

/// How the modules are compiled, and where the steps' results go.
pub struct Variant {
    /// A name for stamps and messages: "" or "sabotage".
    pub name: &'static str,
    /// Cargo features beside the module's own.
    features: &'static str,
    /// Whether it computes with vectors.
    vectors: bool,
    /// The folder with the glue and its types.
    pub glue: PathBuf,
}

impl Variant {
    /// The build that is shipped. tsconfig.json names its folder.
    pub fn shipped() -> Variant {
        Variant {
            name: "",
            features: "",
            vectors: true,
            glue: crate::root().join("target/bindgen"),
        }
    }

    /// The build that lies and panics, for tests.
    pub fn sabotage() -> Variant {
        Variant {
            name: "sabotage",
            features: ",sabotage",
            vectors: true,
            glue: crate::root().join("target/sabotage/bindgen"),
        }
    }

    /// The build without vectors, for tests: what it computes, the others must compute to the bit.
    pub fn scalar() -> Variant {
        Variant {
            name: "scalar",
            features: "",
            vectors: false,
            glue: crate::root().join("target/scalar/bindgen"),
        }
    }

    /// A step's name, with the variant's.
    pub fn step(&self, step: &str) -> String {
        match self.name {
            "" => step.to_string(),
            name => format!("{step} ({name})"),
        }
    }

    /// The glue of a module, "engine.js".
    pub fn script(&self, module: &str) -> PathBuf {
        self.glue.join(format!("{}.js", module))
    }

    fn stamp(&self, step: &str, module: &str, outputs: &[PathBuf]) -> Stamp {
        Stamp::new(&format!("{step}-{}{}", module, self.name), outputs)
    }

    /// Where a module lies after a step.
    fn file(&self, step: &str, module: &str) -> PathBuf {
        crate::root().join(format!("target/web/{step}-{}{}.wasm", module, self.name))
    }
}

/// Compiles and binds the engine alone. What the optimiser would do is no part of what the scalar build is compared for.
pub fn bound_engine(variant: &Variant) -> Result<PathBuf> {
    let compiled = compile(variant, ENGINE)?;
    bind(variant, ENGINE, &compiled)
}

/// A module as it is shipped.
pub struct Made {
    /// Its name: one of [`MODULES`], or one of [`PARTS`].
    pub name: &'static str,
    /// The optimised module.
    pub module: PathBuf,
    /// Its sections, deflated.
    pub packed: PathBuf,
}

/// Compiles, binds, optimises and packs every module.
pub fn make(variant: &Variant) -> Result<Vec<Made>> {
    let mut made = Vec::new();
    for module in MODULES {
        let compiled = compile(variant, module)?;
        let bound = bind(variant, module, &compiled)?;
        if module == ENGINE {
            let whole = optimise(variant, "whole engine", &bound)?;
            for (name, part) in cut(variant, &whole)? {
                made.push((name, optimise(variant, name, &part)?));
            }
        } else {
            made.push((module, optimise(variant, module, &bound)?));
        }
    }
    let pack = |(name, module): (&'static str, PathBuf)| {
        let packed = pack(variant, name, &module)?;
        Ok(Made {
            name,
            module,
            packed,
        })
    };
    made.into_iter().map(pack).collect()
}

fn compile(variant: &Variant, module: &str) -> Result<PathBuf> {
    let name = variant.step(&format!("compile the {}", module));
    let folder = crate::root().join("target/web");
    let kept = variant.file("compiled", module);
    let stamp = variant.stamp("compile", module, std::slice::from_ref(&kept));
    // Not the toolchain: to find out which one it would be can take seconds. Forcing one counts.
    let force = env::var(toolchain::FORCE).unwrap_or_default();
    let code = sources::hash_of(&["crate", "Cargo.toml", "Cargo.lock", "xtask/src/wasm.rs"])?;
    let features = format!("{}{}", features(module), variant.features);
    let key = format!("{code} {features} {} {force}", variant.vectors);
    if stamp.is_fresh(&key) {
        skipped(&name, "unchanged");
        return Ok(kept);
    }
    step(&name, || {
        let toolchain = toolchain::choose()?;
        let mut flags = vec![
            format!(
                "-Ctarget-feature={}simd128",
                if variant.vectors { "+" } else { "-" }
            ),
            // Kernels say themselves what is inlined into them, and their loops have lengths that the compiler knows;
            // everything else had rather be small.
            "-Cllvm-args=-inline-threshold=5".to_string(),
            "-Cllvm-args=-unroll-runtime=false".to_string(),
            "-Cllvm-args=-unroll-allow-partial=false".to_string(),
        ];
        flags.extend(without_local_paths(&toolchain.library_sources()));
        let mut build = toolchain.cargo_build(&flags);
        build
            .current_dir(crate::root())
            .args([
                "--package",
                "kernelscope",
                "--lib",
                "--release",
                "--no-default-features",
            ])
            .args(["--features", &features, "--target-dir"])
            .arg(&folder);
        shell::run(&mut build)?;
        let built = folder.join(TARGET).join("release/kernelscope.wasm");
        fs::copy(&built, &kept).with_context(|| format!("copying {}", built.display()))?;
        stamp.write(&key)?;
        Ok(kept)
    })
}

/// Flags that keep this machine's folders out of the module's panic messages.
fn without_local_paths(library: &Path) -> Vec<String> {
    let mut flags = vec![remap(&crate::root(), "kernelscope"), remap(library, "rust")];
    if let Ok(real) = fs::canonicalize(library) {
        flags.push(remap(&real, "rust"));
    }
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let registry = home.map(|home| home.join("registry/src"));
    if let Some(registry) = registry {
        // One folder for each registry; its name differs between machines.
        for index in fs::read_dir(registry).into_iter().flatten().flatten() {
            flags.push(remap(&index.path(), "crates"));
        }
    }
    flags
}

fn remap(from: &Path, to: &str) -> String {
    format!("--remap-path-prefix={}={to}", from.display())
}

/// Makes a file into others, unless they are what the same file, this file of the build tool and those named made already.
fn derive(
    name: &str,
    stamp: &Stamp,
    from: &Path,
    tools: &[&str],
    make: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let tools = [tools, &["xtask/src/wasm.rs"]].concat();
    let from = sources::digest(&[from.to_path_buf()])?;
    let key = format!("{from} {}", sources::hash_of(&tools)?);
    if stamp.is_fresh(&key) {
        skipped(name, "unchanged");
        return Ok(());
    }
    step(name, || {
        make()?;
        stamp.write(&key)
    })
}

fn bind(variant: &Variant, module: &str, compiled: &Path) -> Result<PathBuf> {
    let name = variant.step(&format!("wasm-bindgen: {}", module));
    let file = |ending: &str| variant.glue.join(format!("{}{ending}", module));
    let outputs = [file(".js"), file(".d.ts"), file("_bg.wasm")];
    let stamp = variant.stamp("bind", module, &outputs);
    derive(&name, &stamp, compiled, &["Cargo.lock"], || {
        let mut bindgen = Bindgen::new();
        bindgen
            .input_path(compiled)
            .web(true)?
            .omit_default_module_path(true)
            .typescript(true)
            .remove_name_section(true)
            .remove_producers_section(true)
            .out_name(module)
            .generate(&variant.glue)
    })?;
    Ok(file("_bg.wasm"))
}

fn optimise(variant: &Variant, module: &str, bound: &Path) -> Result<PathBuf> {
    let name = variant.step(&format!("wasm-opt -O3: {}", module));
    let optimised = variant.file("optimised", module);
    let stamp = variant.stamp("optimise", module, std::slice::from_ref(&optimised));
    derive(&name, &stamp, bound, &["package-lock.json"], || {
        // No feature flags: the module's own target_features section says what it uses.
        let mut command = Command::new(provision::node()?);
        command
            .arg(provision::module("binaryen/bin/wasm-opt"))
            .arg("-O3")
            // Functions stay apart where the compiler left them: a browser starts with quickly made code and replaces it function
            // by function, so that one large function would run slowly to its end. It also packs tighter.
            .args(["--one-caller-inline-max-function-size", "20"])
            .arg(bound)
            .arg("-o")
            .arg(&optimised);
        shell::output(&mut command).map(drop)
    })?;
    Ok(optimised)
}

/// Cuts the engine up: what is left of it, then its parts.
fn cut(variant: &Variant, whole: &Path) -> Result<Vec<(&'static str, PathBuf)>> {
    let name = variant.step("cut the engine up");
    let names = [ENGINE].into_iter().chain(PARTS.map(|(name, _)| name));
    let files: Vec<_> = names
        .map(|name| (name, variant.file("cut", name)))
        .collect();
    let outputs: Vec<_> = files.iter().map(|(_, file)| file.clone()).collect();
    let stamp = variant.stamp("cut", ENGINE, &outputs);
    let tools = ["Cargo.lock", "xtask/src/split.rs"];
    derive(&name, &stamp, whole, &tools, || {
        let functions = PARTS.map(|(_, functions)| functions);
        let split::Cut { rest, parts } = split::cut(&fs::read(whole)?, &functions)?;
        for ((_, file), bytes) in files.iter().zip([rest].iter().chain(&parts)) {
            fs::write(file, bytes)?;
        }
        Ok(())
    })?;
    Ok(files)
}

/// Deflates the sections of a module, as tight as it goes.
fn pack(variant: &Variant, module: &str, from: &Path) -> Result<PathBuf> {
    let name = variant.step(&format!("pack: {module}"));
    let packed = variant.file("packed", module).with_extension("deflate");
    let stamp = variant.stamp("pack", module, std::slice::from_ref(&packed));
    derive(&name, &stamp, from, &["Cargo.lock"], || {
        let module = fs::read(from)?;
        let sections = module.get(HEADER..).context("the module has no header")?;
        let mut deflated = Vec::new();
        let options = zopfli::Options::default();
        zopfli::compress(options, zopfli::Format::Deflate, sections, &mut deflated)?;
        fs::write(&packed, deflated)?;
        Ok(())
    })?;
    Ok(packed)
}

/// How long the magic number and the version are.
const HEADER: usize = 8;

/// A custom section `name` holding `text`.
fn custom_section(name: &str, text: &str) -> Vec<u8> {
    let mut payload = leb128(name.len());
    payload.extend_from_slice(name.as_bytes());
    payload.extend_from_slice(text.as_bytes());
    let mut section = vec![0];
    section.extend(leb128(payload.len()));
    section.extend(payload);
    section
}

/// The module with a custom section `name` holding `text` before its first section.
pub fn with_section(module: &[u8], name: &str, text: &str) -> Vec<u8> {
    let (header, sections) = module.split_at(HEADER.min(module.len()));
    [header, &custom_section(name, text), sections].concat()
}

/// What [`with_section`] gives, deflated, when the module's own sections already are: to say what it was built from, nothing
/// large has to be packed again.
pub fn packed_with_section(
    module: &[u8],
    packed: &[u8],
    name: &str,
    text: &str,
) -> Result<Vec<u8>> {
    let header = module.get(..HEADER).context("the module has no header")?;
    let stored = [header, &custom_section(name, text)].concat();
    let length = u16::try_from(stored.len()).context("the section is too long")?;
    // A block that is not the last and is stored as it is (RFC 1951, 3.2.4), then the blocks of the rest.
    let block = [&[0][..], &length.to_le_bytes(), &(!length).to_le_bytes()].concat();
    Ok([&block, &stored, packed].concat())
}

/// The text of the custom section `name`, if the module has one.
pub fn section(module: &[u8], name: &str) -> Option<String> {
    let mut rest = module.get(8..)?;
    while let Some((&id, after)) = rest.split_first() {
        let (size, after) = read_leb128(after)?;
        let (payload, after) = after.split_at_checked(size)?;
        rest = after;
        if id != 0 {
            continue;
        }
        let (length, payload) = read_leb128(payload)?;
        let (title, text) = payload.split_at_checked(length)?;
        if title == name.as_bytes() {
            return String::from_utf8(text.to_vec()).ok();
        }
    }
    None
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn read_leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0;
    for (place, &byte) in bytes.iter().enumerate().take(5) {
        number |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[place + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    const EMPTY: [u8; 8] = *b"\0asm\x01\0\0\0";

    #[test]
    fn a_section_reads_back() {
        let long = "x".repeat(300);
        let module = with_section(&EMPTY, "first", &long);
        let module = with_section(&module, SECTION, "abc");
        assert_eq!(section(&module, SECTION).as_deref(), Some("abc"));
        assert_eq!(section(&module, "first"), Some(long));
        assert_eq!(section(&module, "none"), None);
    }

    #[test]
    fn a_packed_module_is_the_module() {
        let module = with_section(&EMPTY, "more", &"and more ".repeat(99));
        let mut packed = Vec::new();
        let format = zopfli::Format::Deflate;
        zopfli::compress(
            zopfli::Options::default(),
            format,
            &module[HEADER..],
            &mut packed,
        )
        .unwrap();
        let packed = packed_with_section(&module, &packed, SECTION, "abc").unwrap();
        let mut inflated = Vec::new();
        let mut inflate = flate2::read::DeflateDecoder::new(&packed[..]);
        inflate.read_to_end(&mut inflated).unwrap();
        assert_eq!(inflated, with_section(&module, SECTION, "abc"));
    }

    #[test]
    fn a_cut_module_has_no_section() {
        let module = with_section(&EMPTY, SECTION, "abc");
        assert_eq!(section(&module[..module.len() - 1], SECTION), None);
        assert_eq!(section(&[], SECTION), None);
    }
}
