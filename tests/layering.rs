//! Imports point one way, and only web.rs knows the browser.

use std::fs;
use std::path::{Path, PathBuf};

/// Module, and what it may import from this crate. Tests at the bottom of a file may import more.
const LAYERS: [(&str, &[&str]); 32] = [
    ("error", &[]),
    ("tensor", &["error"]),
    ("map", &[]),
    ("options", &["error", "map"]),
    ("window", &["error", "map", "options"]),
    ("simd", &[]),
    ("crop", &["error", "tensor", "window"]),
    ("receptive", &["error", "options", "tensor", "window"]),
    ("kernels", &["error", "tensor"]),
    ("ops", &["error", "tensor", "options", "window", "simd"]),
    ("shuffle", &["error", "random", "tensor"]),
    ("detector", &["error", "math", "tensor"]),
    (
        "challenge",
        &[
            "error", "kernels", "ops", "options", "specimen", "tensor", "window",
        ],
    ),
    ("math", &[]),
    ("random", &["math"]),
    ("fourier", &["math"]),
    ("labels", &["math"]),
    ("knob", &["error", "options"]),
    ("analysis", &["error", "tensor", "fourier", "math"]),
    (
        "microscope",
        &[
            "error", "tensor", "options", "fourier", "knob", "labels", "math", "random",
        ],
    ),
    (
        "specimen",
        &[
            "error",
            "tensor",
            "options",
            "fourier",
            "knob",
            "labels",
            "math",
            "microscope",
            "random",
        ],
    ),
    ("json", &["error", "options"]),
    (
        "graph",
        &["error", "map", "tensor", "options", "window", "ops"],
    ),
    ("backend", &["error", "tensor", "ops", "graph"]),
    (
        "models",
        &[
            "error", "map", "tensor", "options", "ops", "graph", "json", "window",
        ],
    ),
    (
        "weights",
        &["error", "map", "tensor", "options", "graph", "json"],
    ),
    (
        "onnx",
        &["error", "map", "tensor", "options", "ops", "graph"],
    ),
    ("network", &["error", "options", "graph", "onnx", "weights"]),
    ("metrics", &["error", "tensor", "options"]),
    ("grains", &["error", "options", "tensor"]),
    (
        "baselines",
        &["error", "kernels", "microscope", "ops", "options", "tensor"],
    ),
    ("files", &["error", "tensor"]),
];

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// Every file of the crate: its module at the top, its path and its text without tests and comments.
fn files() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("crate");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a file");
        let text = text.split("\n#[cfg(test)]").next().unwrap_or_default();
        let text = text.split("\n#[cfg(all(test,").next().unwrap_or_default();
        let code: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        let inner = path
            .strip_prefix(&root)
            .expect("inside the crate")
            .to_path_buf();
        let top = inner
            .iter()
            .next()
            .expect("a name")
            .to_string_lossy()
            .trim_end_matches(".rs")
            .to_string();
        (top, inner, code.join("\n"))
    };
    paths.into_iter().map(read).collect()
}

/// The modules named after `crate::`, in imports and in paths.
fn imports(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let list = match rest.strip_prefix('{') {
            Some(group) => group
                .split('}')
                .next()
                .unwrap_or_default()
                .split(',')
                .collect(),
            None => vec![rest],
        };
        let name = |text: &str| {
            text.trim()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect::<String>()
        };
        found.extend(list.into_iter().map(name));
    }
    found
}

#[test]
fn imports_point_one_way() {
    let files = files();
    assert!(files.len() > 10, "the crate has only {} files", files.len());
    for (top, path, code) in files
        .iter()
        .filter(|(top, ..)| !["lib", "web"].contains(&top.as_str()))
    {
        let (_, allowed) = LAYERS
            .iter()
            .find(|(name, _)| name == top)
            .unwrap_or_else(|| panic!("{top} has no layer"));
        for import in imports(code) {
            assert!(
                import == *top || allowed.contains(&import.as_str()),
                "{} imports {import}",
                path.display()
            );
        }
    }
}

#[test]
fn only_web_knows_the_browser() {
    for (top, path, code) in files().iter().filter(|(top, ..)| top != "web") {
        for name in ["wasm_bindgen", "js_sys", "web_sys"] {
            assert!(
                !code.contains(name),
                "{} ({top}) names {name}",
                path.display()
            );
        }
    }
}

#[test]
fn only_one_file_knows_wgpu() {
    for (_, path, code) in files() {
        let knows = code.contains("wgpu::");
        assert_eq!(
            knows,
            path.ends_with("backend/gpu.rs"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn imports_are_found() {
    let code = "use crate::error::Error;\nuse crate::{tensor::Tensor, window};\nlet n = crate::ops::NAMES;";
    assert_eq!(imports(code), ["error", "tensor", "window", "ops"]);
}
