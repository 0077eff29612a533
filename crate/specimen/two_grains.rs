//! "two-grains": two grey levels that meet along one vertical and one horizontal boundary.
//!
//! The lower right of the picture is one grain, the L around it the other. An edge detector of one direction sees only one
//! of the two boundaries: that is the point.

use super::picture::{blur, boundaries, expose};
use super::{Draw, Knob, Specimen};
use crate::error::Result;
use crate::random::Random;
use crate::tensor::Tensor;

/// What it is and which options it takes.
pub const KIND: super::Kind = super::Kind {
    name: "two-grains",
    label: "Two grains",
    about: "Two grains that meet along one vertical and one horizontal boundary. \
            Labels: every pixel's grain, all boundaries, and each of the two.",
    options: &[
        Knob {
            name: "size",
            label: "Size",
            min: 8.0,
            max: 1024.0,
            step: 1.0,
            default: 64.0,
        },
        Knob {
            name: "contrast",
            label: "Contrast",
            min: 0.0,
            max: 1.0,
            step: 0.01,
            default: 0.5,
        },
        Knob {
            name: "blur",
            label: "Blur (pixels)",
            min: 0.0,
            max: 4.0,
            step: 0.1,
            default: 0.5,
        },
        Knob {
            name: "noise",
            label: "Noise",
            min: 0.0,
            max: 0.5,
            step: 0.005,
            default: 0.03,
        },
        Knob {
            name: "pixelSize",
            label: "Pixel size (nm)",
            min: 0.001,
            max: 1e6,
            step: 1.0,
            default: 10.0,
        },
        Knob {
            name: "seed",
            label: "Seed",
            min: 0.0,
            max: 1e9,
            step: 1.0,
            default: 1.0,
        },
    ],
    draw,
};

fn draw(options: &Draw) -> Result<Specimen> {
    let size = options.whole("size");
    let mut random = Random::new(options.whole("seed") as u64);
    // First row and column of the inner grain.
    let (row, col) = (size * 2 / 5, size / 2);
    let inside = |i: usize| i / size >= row && i % size >= col;
    let labels: Vec<u32> = (0..size * size)
        .map(|i| if inside(i) { 2 } else { 1 })
        .collect();
    let step = options.get("contrast") / 2.0;
    let mut grey: Vec<f64> = labels
        .iter()
        .map(|&id| if id == 2 { 0.5 + step } else { 0.5 - step })
        .collect();
    blur(&mut grey, size, options.get("blur"));
    let image = expose(&grey, options.get("noise"), &mut random);
    let shape = [1, size, size];
    let mark = |on: &dyn Fn(usize, usize) -> bool| {
        Tensor::from_fn(&shape, |i| if on(i / size, i % size) { 1.0 } else { 0.0 })
    };
    Ok(Specimen {
        image: Tensor::new(&shape, image)?,
        labels: vec![
            (
                "grains".into(),
                Tensor::new(&shape, labels.iter().map(|&id| id as f32).collect())?,
            ),
            (
                "boundaries".into(),
                Tensor::new(&shape, boundaries(&labels, size))?,
            ),
            (
                "vertical".into(),
                mark(&|y, x| y >= row && (x == col || x + 1 == col))?,
            ),
            (
                "horizontal".into(),
                mark(&|y, x| x >= col && (y == row || y + 1 == row))?,
            ),
        ],
        pixel_size: options.get("pixelSize"),
    })
}
