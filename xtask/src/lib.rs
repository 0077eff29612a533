//! kernelscope's build tool: `cargo xtask build | serve | test | bench | fuzz | still | package`.
//!
//! Each command provisions what it needs (npm packages, a wasm toolchain, browsers), says what it does with the time
//! each step took, and leaves out steps whose inputs did not change. `pkg/` is built and committed; [`check`] tells
//! whether it still belongs to the sources.

pub mod bench;
pub mod build;
pub mod check;
pub mod fuzz;
pub mod package;
pub mod provision;
pub mod serve;
pub mod shell;
pub mod sources;
pub mod split;
pub mod steps;
pub mod still;
pub mod suite;
pub mod toolchain;
pub mod wasm;

use std::path::PathBuf;

/// The repository's root folder.
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}
