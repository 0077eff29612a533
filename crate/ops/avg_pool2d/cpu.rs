//! The fast path: whole rows at a time, tap by tap, then one division.

use crate::ops::pool::fold;
use crate::window::{Axis, Source, Window};

/// The mean under each window of a plane.
pub fn mean(window: &Window, include_padding: bool, plane: &[f32], out: &mut [f32]) {
    out.fill(0.0);
    fold(window, plane, out, |sum, value| *sum += value);
    let [rows, columns] = [
        counts(&window.y, include_padding),
        counts(&window.x, include_padding),
    ];
    for (out, rows) in out.chunks_exact_mut(window.x.output).zip(rows) {
        for (sum, columns) in out.iter_mut().zip(&columns) {
            *sum /= (rows * columns) as f32;
        }
    }
}

/// How many taps of each output count.
fn counts(axis: &Axis, include_padding: bool) -> Vec<usize> {
    let counts = |m: usize| {
        let source = |k: &usize| match axis.source(axis.tap(m, *k)) {
            Source::Pixel(_) => true,
            Source::Padding => include_padding,
            Source::Outside => false,
        };
        (0..axis.kernel).filter(source).count()
    };
    (0..axis.output).map(counts).collect()
}
