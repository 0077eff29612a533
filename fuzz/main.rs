//! Damages the committed models and opens what comes of it: `cargo xtask fuzz [executions] [seed]`.
//!
//! Every execution is one file of the corpus (tests/golden/onnx, fuzz/corpus), changed at random, opened, run and asked about
//! (target.rs). It must end in an answer or an error; a panic, more memory than allowed or more time than allowed stops the
//! run, and the file is left in fuzz/found. The same seed repeats the same run.

mod mutate;
mod target;

use mutate::{Random, mutate as damage};
use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use target::execute;

/// The most memory that one execution may hold beside 16 times its file: an interpolation's table of a million places, twice.
const MEMORY: usize = 256 << 20;

/// The longest that one execution may take.
const TIME: Duration = Duration::from_secs(10);

/// Counts what is allocated.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn models(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            models(&path, into);
        } else if path.extension().is_some_and(|e| e == "onnx") {
            into.push(path);
        }
    }
}

/// The committed models, with the weights beside them.
fn corpus() -> Vec<(Vec<u8>, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    models(&root.join("tests/golden/onnx"), &mut paths);
    models(&root.join("fuzz/corpus"), &mut paths);
    paths.sort();
    let beside = |path: &Path| fs::read(format!("{}.data", path.display())).unwrap_or_default();
    paths
        .iter()
        .map(|path| (fs::read(path).expect("a model"), beside(path)))
        .collect()
}

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|word| word.parse::<u64>().expect("a number"));
    let executions = arguments.next().unwrap_or(100_000);
    let seed = arguments.next().unwrap_or(1);
    let corpus = corpus();
    let mut random = Random::new(seed);
    let mut reached = [0u64; 4];
    let (mut slowest, mut largest) = (Duration::ZERO, 0);
    let start = Instant::now();
    println!(
        "{} files, {executions} executions, seed {seed}",
        corpus.len()
    );
    for i in 0..executions {
        let (file, beside) = &corpus[random.below(corpus.len())];
        let (other, _) = &corpus[random.below(corpus.len())];
        let bytes = damage(file, other, &mut random);
        let before = NOW.load(Ordering::Relaxed);
        MOST.store(before, Ordering::Relaxed);
        let began = Instant::now();
        let outcome = catch_unwind(|| execute(&bytes, beside));
        let (took, memory) = (began.elapsed(), MOST.load(Ordering::Relaxed) - before);
        (slowest, largest) = (slowest.max(took), largest.max(memory));
        let problem = match outcome {
            Err(_) => Some("a panic".to_string()),
            _ if took > TIME => Some(format!("{took:?}")),
            _ if memory > MEMORY + 16 * (bytes.len() + beside.len()) => {
                Some(format!("{} MiB", memory >> 20))
            }
            Ok(stage) => {
                reached[stage as usize] += 1;
                None
            }
        };
        if let Some(problem) = problem {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/found");
            fs::create_dir_all(&folder).expect("a folder");
            let path = folder.join(format!("{seed}-{i}.onnx"));
            fs::write(&path, &bytes).expect("written");
            fs::write(format!("{}.data", path.display()), beside).expect("written");
            eprintln!("execution {i}: {problem}; the file is {}", path.display());
            std::process::exit(1);
        }
        if (i + 1) % 100_000 == 0 {
            println!(
                "{} executions, {:.0} s",
                i + 1,
                start.elapsed().as_secs_f64()
            );
        }
    }
    let [refused, opened, large, run] = reached;
    println!(
        "{executions} executions in {:.0} s: {refused} refused, {opened} opened only, {large} too large to run here, {run} run; no panic; \
         slowest {:.0} ms, most memory {} MiB",
        start.elapsed().as_secs_f64(),
        slowest.as_secs_f64() * 1e3,
        largest >> 20
    );
    // A run that refuses everything, or nothing, has tested nothing.
    assert!(
        run > executions / 100 && refused > executions / 100,
        "the mutations miss their aim"
    );
}
