//! Draws specimens for training: one JSON object of options a line on standard input, `images.npy` (n, H, W; float32) and
//! `labels.npy` (n, H, W; uint8) in the folder given. The property `kind` names the specimen ("grains" without it); the label
//! is the boundaries, or what is crystalline, or 0 where a kind has neither. The property `microscope` is an object of knobs.
//!
//! ```text
//! echo '{"kind":"grains","size":64,"grains":9}' | cargo run --release --example specimens -- target/specimens
//! ```

use kernelscope::options::{Options, Value};
use kernelscope::specimen::specimen;
use std::io::{BufRead, Write};
use std::path::Path;

/// The kind and the options of one line.
fn asked(line: &str) -> Result<(String, Options), Box<dyn std::error::Error>> {
    let mut json: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line)?;
    let kind = match json.remove("kind") {
        Some(kind) => kind.as_str().ok_or("kind must be a text")?.to_string(),
        None => "grains".to_string(),
    };
    Ok((kind, options(json)?))
}

fn options(
    json: serde_json::Map<String, serde_json::Value>,
) -> Result<Options, Box<dyn std::error::Error>> {
    let value = |(name, json): (String, serde_json::Value)| {
        let value = match json {
            serde_json::Value::Object(inner) => Value::Object(options(inner)?),
            number => Value::Number(
                number
                    .as_f64()
                    .ok_or_else(|| format!("{name} must be a number; got {number}"))?,
            ),
        };
        Ok((name, value))
    };
    json.into_iter().map(value).collect()
}

/// NumPy's format, version 1.0: magic, length of the header, header padded to a multiple of 64, raw values.
fn write_npy(path: &Path, kind: &str, shape: [usize; 3], data: &[u8]) -> std::io::Result<()> {
    let [n, h, w] = shape;
    let mut header =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({n}, {h}, {w}), }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    file.write_all(b"\x93NUMPY\x01\x00")?;
    file.write_all(&(header.len() as u16).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    file.write_all(data)?;
    file.flush()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("which folder?")?;
    std::fs::create_dir_all(&folder)?;
    let (mut images, mut marks, mut shape) = (Vec::new(), Vec::new(), [0; 3]);
    for line in std::io::stdin().lock().lines() {
        let (kind, options) = asked(&line?)?;
        let drawn = specimen(&kind, &options)?;
        let [_, h, w] = *drawn.image.shape() else {
            return Err("a specimen is (C, H, W)".into());
        };
        if shape[0] > 0 && shape[1..] != [h, w] {
            return Err("all specimens of a batch must have one size".into());
        }
        shape = [shape[0] + 1, h, w];
        let plane = &drawn.image.data()[..h * w];
        images.extend(plane.iter().flat_map(|v| v.to_le_bytes()));
        let wanted = |name: &str| ["boundaries", "crystalline"].contains(&name);
        match drawn.labels.iter().find(|(name, _)| wanted(name)) {
            Some((_, label)) => marks.extend(label.data().iter().map(|&v| v as u8)),
            None => marks.extend(vec![0; h * w]),
        }
    }
    let folder = Path::new(&folder);
    write_npy(&folder.join("images.npy"), "<f4", shape, &images)?;
    write_npy(&folder.join("labels.npy"), "|u1", shape, &marks)?;
    Ok(())
}
