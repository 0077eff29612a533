//! Named, timed steps, and the stamps that let a step be skipped.

use crate::sources;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Runs one step, saying its name before and its time after.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("· {name}");
    let start = Instant::now();
    let done = work().with_context(|| format!("step \"{name}\" failed"))?;
    println!("  {name}: {:.1} s", start.elapsed().as_secs_f64());
    Ok(done)
}

/// Says that a step is not needed.
pub fn skipped(name: &str, why: &str) {
    println!("  {name}: {why}");
}

/// Remembers with which inputs a step's outputs were made.
///
/// A stamp holds the inputs' key and a digest of the outputs' bytes, so that an output that was changed since
/// (another branch checked out, a file deleted) is made again.
pub struct Stamp {
    file: PathBuf,
    outputs: Vec<PathBuf>,
}

impl Stamp {
    /// The stamp of step `name`, whose results are the files or folders `outputs`.
    pub fn new(name: &str, outputs: &[PathBuf]) -> Stamp {
        let file = crate::root()
            .join("target/xtask")
            .join(format!("{name}.stamp"));
        Stamp {
            file,
            outputs: outputs.to_vec(),
        }
    }

    /// Whether the outputs are there, untouched, and were made from inputs with this key.
    pub fn is_fresh(&self, key: &str) -> bool {
        let Ok(stamp) = fs::read_to_string(&self.file) else {
            return false;
        };
        self.digest()
            .is_ok_and(|outputs| stamp == format!("{key}\n{outputs}\n"))
    }

    /// Notes that the outputs now belong to inputs with this key.
    pub fn write(&self, key: &str) -> Result<()> {
        let stamp = format!("{key}\n{}\n", self.digest()?);
        fs::create_dir_all(self.file.parent().unwrap_or(Path::new(".")))?;
        fs::write(&self.file, stamp).with_context(|| format!("writing {}", self.file.display()))
    }

    fn digest(&self) -> Result<String> {
        sources::digest(&self.outputs)
    }
}
