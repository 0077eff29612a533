//! The fast paths, one plane at a time, in the order of `explain`.

use super::Tap;

/// Copies pixels; equal rows are copied whole.
pub fn nearest(plane: &[f32], width: usize, rows: &[Tap], columns: &[Tap], out: &mut [f32]) {
    let wo = columns.len();
    for (i, row) in rows.iter().enumerate() {
        if i > 0 && rows[i - 1].low == row.low {
            out.copy_within((i - 1) * wo..i * wo, i * wo);
            continue;
        }
        let from = &plane[row.low * width..][..width];
        for (value, column) in out[i * wo..][..wo].iter_mut().zip(columns) {
            *value = from[column.low];
        }
    }
}

/// Mixes up to four pixels.
pub fn bilinear(plane: &[f32], width: usize, rows: &[Tap], columns: &[Tap], out: &mut [f32]) {
    for (row, out) in rows.iter().zip(out.chunks_exact_mut(columns.len())) {
        let upper = &plane[row.low * width..][..width];
        let lower = &plane[row.high * width..][..width];
        for (value, column) in out.iter_mut().zip(columns) {
            let (a, b) = (1.0 - row.weight, 1.0 - column.weight);
            let mut sum = upper[column.low] * (a * b);
            if column.high != column.low {
                sum += upper[column.high] * (a * column.weight);
            }
            if row.high != row.low {
                sum += lower[column.low] * (row.weight * b);
                if column.high != column.low {
                    sum += lower[column.high] * (row.weight * column.weight);
                }
            }
            *value = sum;
        }
    }
}
