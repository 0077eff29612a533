//! A bar of a round length.

use serde::Serialize;

/// A bar for a picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScaleBar {
    /// Its length in pixels.
    pub pixels: f64,
    /// Its length in words: "5 nm", "20 µm".
    pub label: String,
}

/// The longest bar of 1, 2 or 5 times a power of ten that takes at most a third of the picture's width.
pub fn scale_bar(pixel_size: f64, width: usize) -> ScaleBar {
    let room = pixel_size * width as f64 / 3.0;
    let mut length = 1e-6;
    'search: loop {
        for step in [1.0, 2.0, 5.0, 10.0] {
            if length * step > room {
                length *= match step {
                    1.0 => 0.5,
                    2.0 => 1.0,
                    5.0 => 2.0,
                    _ => 5.0,
                };
                break 'search;
            }
        }
        length *= 10.0;
    }
    let (unit, size) = [("mm", 1e6), ("µm", 1e3), ("nm", 1.0), ("pm", 1e-3)]
        .into_iter()
        .find(|(_, size)| length >= size * 0.999)
        .unwrap_or(("fm", 1e-6));
    ScaleBar {
        pixels: length / pixel_size,
        label: format!("{} {unit}", (length / size * 1e3 + 0.5).floor() / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_round_and_fit() {
        for (size, width, label) in [
            (630.0, 256, "50 µm"),
            (0.05, 256, "2 nm"),
            (10.0, 64, "200 nm"),
            (0.001, 64, "20 pm"),
        ] {
            let bar = scale_bar(size, width);
            assert_eq!(bar.label, label);
            assert!(
                bar.pixels <= width as f64 / 3.0 && bar.pixels >= width as f64 / 8.0,
                "{bar:?}"
            );
        }
    }
}
