//! Rows of the picture, copied side by side with their padding, in the order in which outputs read them.
//!
//! Columns are sorted by their phase modulo the stride, so that neighbouring outputs read neighbouring values whatever the
//! stride is. Maps need not lie in one block: a [`Plane`] may be any channel of any tensor, doubled on the way, so that
//! joining and upsampling maps before a convolution costs no copy of their own.

use crate::error::{Error, Result};
use crate::window::{Axis, PaddingMode, Source};

/// One channel of an input.
#[derive(Clone, Copy)]
pub struct Plane<'a> {
    /// Its pixels, in reading order.
    pub values: &'a [f32],
    /// Every pixel counts this many times, across and down (`interpolate`, nearest): 1 as it is.
    pub zoom: usize,
}

impl<'a> Plane<'a> {
    /// Channels as they lie in a tensor of `size` = H·W pixels each.
    pub fn all(values: &'a [f32], size: usize) -> Vec<Plane<'a>> {
        let planes = values.chunks_exact(size);
        planes.map(|values| Plane { values, zoom: 1 }).collect()
    }

    /// Row `y` of `width` columns; `scratch` holds it where it has to be widened.
    fn row<'b>(&self, y: usize, width: usize, scratch: &'b mut Vec<f32>) -> &'b [f32]
    where
        'a: 'b,
    {
        if self.zoom == 1 {
            return &self.values[y * width..][..width];
        }
        let narrow = width / self.zoom;
        let row = &self.values[y / self.zoom * narrow..][..narrow];
        scratch.resize(width, 0.0);
        for (to, &value) in scratch.chunks_exact_mut(self.zoom).zip(row) {
            to.fill(value);
        }
        scratch
    }
}

/// How a row is packed.
pub struct Columns {
    /// Length of a packed row.
    pub length: usize,
    /// Where the value for output 0 lies, for each tap; output n lies n further.
    pub offsets: Vec<usize>,
    /// Runs of input columns, `stride` apart.
    runs: Vec<Run>,
    stride: usize,
}

/// Where the columns of one phase lie in the packed row, and the coordinate the first of them comes from.
struct Run {
    start: usize,
    length: usize,
    first: i64,
}

impl Columns {
    /// `outputs` is the number of outputs rounded up to whole tiles.
    pub fn new(axis: &Axis, outputs: usize) -> Columns {
        let stride = axis.stride;
        // Tap k of output n reads column dilation·k + stride·n: taps of equal phase share a run. Their order is kept.
        let place = |k: usize| (axis.dilation * k % stride, axis.dilation * k / stride);
        let mut phases: Vec<usize> = (0..axis.kernel).map(|k| place(k).0).collect();
        phases.sort_unstable();
        phases.dedup();
        let mut columns = Columns {
            length: 0,
            offsets: vec![0; axis.kernel],
            runs: Vec::new(),
            stride,
        };
        for phase in phases {
            let taps = (0..axis.kernel).filter(|&k| place(k).0 == phase);
            let taps: Vec<usize> = taps.collect();
            let (first, last) = (taps[0], taps[taps.len() - 1]);
            for k in taps {
                columns.offsets[k] = columns.length + place(k).1 - place(first).1;
            }
            let length = outputs + place(last).1 - place(first).1;
            columns.runs.push(Run {
                start: columns.length,
                length,
                first: axis.tap(0, first),
            });
            columns.length += length;
        }
        columns
    }

    /// Copies one row of the picture into its packed place, padding included.
    pub fn pack(&self, axis: &Axis, row: &[f32], packed: &mut [f32]) {
        for run in &self.runs {
            let to = &mut packed[run.start..run.start + run.length];
            let coordinate = |i: usize| run.first + (i * self.stride) as i64;
            // Values i in from..until lie inside the picture.
            let from = ((-run.first).max(0) as usize)
                .div_ceil(self.stride)
                .min(to.len());
            let inside = (row.len() as i64 - run.first).max(0) as usize;
            let until = inside.div_ceil(self.stride).clamp(from, to.len());
            if axis.mode == PaddingMode::Zeros {
                to[..from].fill(0.0);
                to[until..].fill(0.0);
            } else {
                for i in (0..from).chain(until..to.len()) {
                    to[i] = match axis.source(coordinate(i)) {
                        Source::Pixel(x) => row[x],
                        Source::Padding | Source::Outside => 0.0,
                    };
                }
            }
            if from < until {
                let first = coordinate(from) as usize;
                if self.stride == 1 {
                    to[from..until].copy_from_slice(&row[first..first + until - from]);
                } else {
                    for (value, x) in to[from..until]
                        .iter_mut()
                        .zip(row[first..].iter().step_by(self.stride))
                    {
                        *value = *x;
                    }
                }
            }
        }
    }
}

/// Memory for packed rows, used again from band to band.
#[derive(Default)]
pub struct Packed {
    /// `values[c][slot]` is a packed row.
    pub values: Vec<f32>,
    /// `slots[m][ky]`: the slot that an output row reads.
    pub slots: Vec<usize>,
    /// Slots of a channel.
    pub count: usize,
    /// Whose row lies in a slot; `None` is a row of zeros.
    sources: Vec<Option<usize>>,
    slot_of: Vec<usize>,
    scratch: Vec<f32>,
}

impl Packed {
    /// Packs what the output rows `rows` of one group read.
    ///
    /// # Errors
    /// If the rows do not fit into memory.
    pub fn fill(
        &mut self,
        planes: &[Plane<'_>],
        rows: std::ops::Range<usize>,
        y: &Axis,
        x: &Axis,
        columns: &Columns,
    ) -> Result<()> {
        // Rows that several outputs read, or that reflection repeats, are packed once.
        self.sources.clear();
        self.slots.clear();
        self.slot_of.clear();
        self.slot_of.resize(y.size + 1, usize::MAX);
        for m in rows {
            for k in 0..y.kernel {
                let source = match y.source(y.tap(m, k)) {
                    Source::Pixel(row) => Some(row),
                    Source::Padding | Source::Outside => None,
                };
                let slot = &mut self.slot_of[source.unwrap_or(y.size)];
                if *slot == usize::MAX {
                    *slot = self.sources.len();
                    self.sources.push(source);
                }
                self.slots.push(*slot);
            }
        }
        self.count = self.sources.len();
        let total = planes.len() as u64 * self.count as u64 * columns.length as u64;
        let what = format!(
            "a padded copy of {} rows in {} channels",
            self.count,
            planes.len()
        );
        reserve(&mut self.values, total, what)?;
        let mut to = self.values.chunks_exact_mut(columns.length);
        for plane in planes {
            for (source, packed) in self.sources.iter().zip(&mut to) {
                match source {
                    Some(row) => {
                        columns.pack(x, plane.row(*row, x.size, &mut self.scratch), packed)
                    }
                    None => packed.fill(0.0),
                }
            }
        }
        Ok(())
    }
}

/// Makes room for `total` values; what stood there stays.
pub fn reserve(values: &mut Vec<f32>, total: u64, what: String) -> Result<()> {
    if total > crate::tensor::MAX_VALUES || !crate::tensor::lengthen(values, total as usize) {
        return Err(Error::TooLarge {
            op: super::OP.into(),
            what,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::{Padding, Spec, Window};

    #[test]
    fn neighbouring_outputs_lie_side_by_side_in_a_packed_row() {
        let picture: Vec<f32> = (0..11).map(|i| i as f32 + 1.0).collect();
        for (kernel, stride, dilation, by) in [
            (3, 1, 1, 1),
            (3, 2, 1, 1),
            (4, 3, 2, 2),
            (2, 5, 3, 0),
            (5, 2, 2, 3),
        ] {
            for mode in [
                PaddingMode::Zeros,
                PaddingMode::Reflect,
                PaddingMode::Circular,
            ] {
                let padding = Padding::By([0, by]);
                let spec = Spec {
                    stride: [1, stride],
                    dilation: [1, dilation],
                    padding,
                    mode,
                    ..Spec::new([1, kernel])
                };
                let axis = Window::new("test", [1, picture.len()], &spec)
                    .expect("it fits")
                    .x;
                let columns = Columns::new(&axis, axis.output.next_multiple_of(8));
                let mut packed = vec![f32::NAN; columns.length];
                columns.pack(&axis, &picture, &mut packed);
                for n in 0..axis.output {
                    for k in 0..kernel {
                        let expected = mode
                            .source(axis.tap(n, k), picture.len())
                            .map_or(0.0, |i| picture[i]);
                        assert_eq!(
                            packed[columns.offsets[k] + n],
                            expected,
                            "{spec:?}, output {n}, tap {k}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_plane_is_zoomed_while_it_is_read() {
        let values = [1.0, 2.0, 3.0, 4.0];
        let plane = Plane {
            values: &values,
            zoom: 2,
        };
        let mut scratch = Vec::new();
        assert_eq!(plane.row(1, 4, &mut scratch), [1.0, 1.0, 2.0, 2.0]);
        assert_eq!(plane.row(2, 4, &mut scratch), [3.0, 3.0, 4.0, 4.0]);
    }
}
