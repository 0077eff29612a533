//! The geometry of sliding windows: the single source of every size, rectangle and index in the project.
//!
//! A window of `kernel` taps, `dilation` pixels apart, moves in steps of `stride` over a picture widened by padding. Along
//! one axis, with picture size `n`, padding `before` and `after`, and span `s = dilation·(kernel − 1) + 1`:
//!
//! * output size: `⌊(n + before + after − s) / stride⌋ + 1`
//!   (pooling may round up instead, see [`Spec::ceil`])
//! * tap `k` of output `m` looks at coordinate `stride·m − before + dilation·k`
//!
//! Coordinates count from the picture's first pixel: padding lies at negative coordinates and from `n` on. Both axes are
//! independent, so an [`Axis`] knows everything and a [`Window`] is a pair of them.

use crate::error::{Error, Result};
use crate::map::Set;
use crate::options::{Options, Reader, Value, whole};
use serde::Serialize;

/// What stands in the padding (`padding_mode` of `torch.nn.Conv2d`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaddingMode {
    /// Zeros.
    #[default]
    Zeros,
    /// The picture mirrored at its outermost pixels, which are not repeated: `c b | a b c | b a`.
    Reflect,
    /// The outermost pixel again and again: `a a | a b c | c c`.
    Replicate,
    /// The other end of the picture: `b c | a b c | a b`.
    Circular,
}

/// The padding modes by their public names.
pub const PADDING_MODES: [(&str, PaddingMode); 4] = [
    ("zeros", PaddingMode::Zeros),
    ("reflect", PaddingMode::Reflect),
    ("replicate", PaddingMode::Replicate),
    ("circular", PaddingMode::Circular),
];

impl PaddingMode {
    /// The public name.
    pub fn name(self) -> &'static str {
        PADDING_MODES
            .iter()
            .find(|(_, mode)| *mode == self)
            .map_or("zeros", |(name, _)| name)
    }

    /// The pixel of a row of `n ≥ 1` that supplies coordinate `i`; `None` where a zero does.
    ///
    /// ```
    /// use kernelscope::window::PaddingMode::*;
    /// assert_eq!([Zeros, Reflect, Replicate, Circular].map(|mode| mode.source(-2, 5)), [None, Some(2), Some(0), Some(3)]);
    /// ```
    pub fn source(self, i: i64, n: usize) -> Option<usize> {
        let last = n as i64 - 1;
        if (0..=last).contains(&i) {
            return Some(i as usize);
        }
        match self {
            PaddingMode::Zeros => None,
            PaddingMode::Replicate => Some(i.clamp(0, last) as usize),
            PaddingMode::Circular => Some(i.rem_euclid(n as i64) as usize),
            PaddingMode::Reflect if last == 0 => Some(0),
            PaddingMode::Reflect => {
                let phase = i.rem_euclid(2 * last);
                Some(phase.min(2 * last - phase) as usize)
            }
        }
    }

    /// Why this mode cannot pad `by` pixels onto `size` (PyTorch's limits), or `None` if it can.
    pub(crate) fn refusal(self, by: usize, size: usize) -> Option<&'static str> {
        match self {
            PaddingMode::Reflect if by >= size => Some("smaller than"),
            PaddingMode::Circular if by > size => Some("at most"),
            _ => None,
        }
    }
}

/// How much padding: a number of pixels on both sides of each axis, or a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// This many pixels on both sides, [vertical, horizontal].
    By([usize; 2]),
    /// This many pixels on each side, [[above, below], [left, right]].
    Sides([[usize; 2]; 2]),
    /// As many as keep the size (stride 1 only). An odd number in all puts the odd one below or right.
    Same,
}

/// Everything about a window except the size of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Height and width of the kernel in taps.
    pub kernel: [usize; 2],
    /// Step between neighbouring outputs, [vertical, horizontal].
    pub stride: [usize; 2],
    /// Padding.
    pub padding: Padding,
    /// Distance of neighbouring taps.
    pub dilation: [usize; 2],
    /// What the padding holds.
    pub mode: PaddingMode,
    /// Whether a last window may reach beyond the padded picture (`ceil_mode` of PyTorch's pooling): the size is rounded
    /// up, as long as that window starts inside the picture or before it.
    pub ceil: bool,
}

impl Spec {
    /// A kernel that moves by one pixel without padding.
    pub fn new(kernel: [usize; 2]) -> Spec {
        Spec {
            kernel,
            stride: [1, 1],
            padding: Padding::By([0, 0]),
            dilation: [1, 1],
            mode: PaddingMode::Zeros,
            ceil: false,
        }
    }

    /// Reads `stride`, `padding`, `dilation` and `paddingMode` with the defaults of `torch.nn.Conv2d`.
    ///
    /// # Errors
    /// If one has a value it cannot have.
    pub fn read(reader: &mut Reader<'_>, kernel: [usize; 2]) -> Result<Spec> {
        let plain = Spec::new(kernel);
        let stride = reader.pair("stride", 1)?.unwrap_or(plain.stride);
        let padding = read_padding(reader)?;
        let dilation = reader.pair("dilation", 1)?.unwrap_or(plain.dilation);
        let mode = reader
            .choice("paddingMode", &PADDING_MODES)?
            .unwrap_or_default();
        if padding == Padding::Same && stride != [1, 1] {
            let [y, x] = stride;
            return Err(reader.complain(format!(
                "padding \"same\" keeps the size and needs stride 1; got stride [{y}, {x}]"
            )));
        }
        Ok(Spec {
            stride,
            padding,
            dilation,
            mode,
            ..plain
        })
    }

    /// Reads the options of a convolution that concern its window, and refuses unknown ones.
    ///
    /// # Errors
    /// As [`Spec::read`].
    pub fn parse(op: &str, options: &Options, kernel: [usize; 2]) -> Result<Spec> {
        let mut reader = Reader::new(op, options);
        let spec = Spec::read(&mut reader, kernel)?;
        reader.whole("groups", 1)?;
        reader.finish()?;
        Ok(spec)
    }
}

fn read_padding(reader: &mut Reader<'_>) -> Result<Padding> {
    match reader.value("padding") {
        Some(Value::Text(word)) => match word.as_str() {
            "same" => Ok(Padding::Same),
            "valid" => Ok(Padding::By([0, 0])),
            _ => Err(reader.refuse(
                "padding",
                "a number of pixels, \"same\" or \"valid\"",
                format!("\"{word}\""),
            )),
        },
        Some(Value::List(list)) if list.iter().any(|side| matches!(side, Value::List(_))) => {
            read_sides(reader).map(Padding::Sides)
        }
        _ => Ok(Padding::By(reader.pair("padding", 0)?.unwrap_or([0, 0]))),
    }
}

/// Reads `padding` where it names every side: [[above, below], [left, right]].
///
/// # Errors
/// If it is anything else.
pub(crate) fn read_sides(reader: &mut Reader<'_>) -> Result<[[usize; 2]; 2]> {
    let Some(value) = reader.value("padding") else {
        return Ok([[0; 2]; 2]);
    };
    let axis = |value: &Value| match value {
        Value::List(sides) => match sides.as_slice() {
            [before, after] => whole(before, 0).zip(whole(after, 0)).map(|(a, b)| [a, b]),
            _ => None,
        },
        _ => None,
    };
    let sides = match value {
        Value::List(axes) => match axes.as_slice() {
            [y, x] => axis(y).zip(axis(x)).map(|(y, x)| [y, x]),
            _ => None,
        },
        _ => None,
    };
    sides.ok_or_else(|| {
        reader.refuse(
            "padding",
            "[[above, below], [left, right]], whole numbers of at least 0",
            value,
        )
    })
}

/// Where a coordinate takes its value from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<T> {
    /// A pixel of the picture.
    Pixel(T),
    /// Padding that holds no pixel: zero for a convolution.
    Padding,
    /// Neither: beyond the padded picture.
    Outside,
}

/// A window along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Pixels of the picture.
    pub size: usize,
    /// Taps of the kernel.
    pub kernel: usize,
    /// Step between outputs.
    pub stride: usize,
    /// Distance of taps.
    pub dilation: usize,
    /// Padding before the first pixel.
    pub before: usize,
    /// Padding after the last pixel.
    pub after: usize,
    /// What the padding holds.
    pub mode: PaddingMode,
    /// Number of outputs.
    pub output: usize,
}

impl Axis {
    /// Pixels from the first tap to the last, both included.
    pub fn span(&self) -> usize {
        self.dilation * (self.kernel - 1) + 1
    }

    /// Size of the padded picture.
    pub fn padded(&self) -> usize {
        self.size + self.before + self.after
    }

    /// The coordinate that tap `k` of output `m` looks at.
    pub fn tap(&self, m: usize, k: usize) -> i64 {
        (self.stride * m + self.dilation * k) as i64 - self.before as i64
    }

    /// First and last coordinate under the window of output `m`.
    pub fn rect(&self, m: usize) -> [i64; 2] {
        [self.tap(m, 0), self.tap(m, self.kernel - 1)]
    }

    /// Where coordinate `i` takes its value from.
    pub fn source(&self, i: i64) -> Source<usize> {
        if i < -(self.before as i64) || i >= (self.size + self.after) as i64 {
            return Source::Outside;
        }
        self.mode
            .source(i, self.size)
            .map_or(Source::Padding, Source::Pixel)
    }

    /// The outputs whose tap `k` lies on a pixel itself, not in the padding or beyond.
    pub fn inside(&self, k: usize) -> std::ops::Range<usize> {
        // Output m looks at stride·m + shift.
        let shift = self.tap(0, k);
        let from = ((-shift).max(0) as usize)
            .div_ceil(self.stride)
            .min(self.output);
        let until = ((self.size as i64 - shift).max(0) as usize).div_ceil(self.stride);
        from..until.clamp(from, self.output)
    }

    /// Every output and tap `(m, k)` that reads pixel `i`, through the padding mode too, in order.
    pub fn reach(&self, i: usize) -> Vec<(usize, usize)> {
        self.taps()
            .filter(|&(m, k)| self.source(self.tap(m, k)) == Source::Pixel(i))
            .collect()
    }

    /// (size + before + after − span) / stride: how often the window can step, before the floor.
    pub fn steps(&self) -> f64 {
        // A build that lies takes a step too many.
        let lie = if cfg!(feature = "sabotage") { 1.0 } else { 0.0 };
        (self.padded() as f64 - self.span() as f64) / self.stride as f64 + lie
    }

    /// For every pixel, whether some window reads it.
    pub fn read(&self) -> Vec<bool> {
        let mut read = vec![false; self.size];
        for (m, k) in self.taps() {
            if let Source::Pixel(i) = self.source(self.tap(m, k)) {
                read[i] = true;
            }
        }
        read
    }

    fn taps(&self) -> impl Iterator<Item = (usize, usize)> {
        let kernel = self.kernel;
        (0..self.output).flat_map(move |m| (0..kernel).map(move |k| (m, k)))
    }
}

/// Padding on the four sides, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sides {
    /// Above.
    pub top: usize,
    /// Left.
    pub left: usize,
    /// Below.
    pub bottom: usize,
    /// Right.
    pub right: usize,
}

/// A rectangle of coordinates, both ends included; negative or beyond the picture in the padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rect {
    /// First row.
    pub top: i64,
    /// First column.
    pub left: i64,
    /// Last row.
    pub bottom: i64,
    /// Last column.
    pub right: i64,
}

/// An output that reads a certain pixel, and with which tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reach {
    /// The output's row and column.
    pub at: [usize; 2],
    /// The kernel's row and column.
    pub tap: [usize; 2],
}

/// All coordinates that one weight multiplies: a lattice, `start + step · (m, n)` for `(m, n)` below `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Uses {
    /// The first row and column.
    pub start: [i64; 2],
    /// Distance of neighbours.
    pub step: [usize; 2],
    /// How many, vertically and horizontally.
    pub count: [usize; 2],
}

/// Everything about a window that a drawing needs at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Geometry {
    /// Height and width of the output.
    pub output: [usize; 2],
    /// Padding in pixels.
    pub padding: Sides,
    /// Step between outputs.
    pub stride: [usize; 2],
    /// Distance of taps.
    pub dilation: [usize; 2],
    /// Height and width of the window in pixels.
    pub span: [usize; 2],
    /// For every row of the picture, whether some window reads it.
    pub rows: Vec<bool>,
    /// For every column of the picture, whether some window reads it.
    pub cols: Vec<bool>,
    /// Number of pixels that no window reads.
    pub unreached: usize,
}

/// A window over a picture of known size.
///
/// ```
/// use kernelscope::window::{Padding, Spec, Window};
/// let spec = Spec { stride: [2, 2], padding: Padding::By([1, 1]), ..Spec::new([3, 3]) };
/// let window = Window::new("conv2d", [7, 7], &spec)?;
/// assert_eq!(window.output(), [4, 4]); // ⌊(7 + 2 − 3) / 2⌋ + 1
/// assert_eq!(window.tap([0, 0], [0, 0]), [-1, -1]); // in the padding
/// # Ok::<(), kernelscope::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The vertical axis.
    pub y: Axis,
    /// The horizontal axis.
    pub x: Axis,
}

impl Window {
    /// Lays the window over a picture of `input` rows and columns; `op` names the operator in complaints.
    ///
    /// # Errors
    /// If the kernel is larger than the padded picture, or the padding mode cannot supply so many pixels.
    pub fn new(op: &str, input: [usize; 2], spec: &Spec) -> Result<Window> {
        let span = [0, 1].map(|i| spec.dilation[i] as i64 * (spec.kernel[i] as i64 - 1) + 1);
        let sides = |i: usize| match spec.padding {
            Padding::By(by) => [by[i] as i64; 2],
            Padding::Sides(sides) => sides[i].map(|n| n as i64),
            Padding::Same => [(span[i] - 1) / 2, (span[i] - 1) - (span[i] - 1) / 2],
        };
        let padded = [0, 1].map(|i| input[i] as i64 + sides(i).iter().sum::<i64>());
        if input.contains(&0) || spec.kernel.contains(&0) {
            let expected = "(H, W) of at least 1 each".into();
            return Err(Error::Shape {
                op: op.into(),
                input: "input and kernel".into(),
                expected,
                got: input.to_vec(),
            });
        }
        let steps = [0, 1].map(|i| {
            let (stride, free) = (spec.stride[i] as i64, padded[i] - span[i]);
            if !spec.ceil {
                return free.div_euclid(stride);
            }
            // Rounded up, but the last window must start inside the picture or the padding before it.
            let last = (free + stride - 1).div_euclid(stride);
            last - i64::from(last * stride >= input[i] as i64 + sides(i)[0])
        });
        if steps.iter().any(|&steps| steps < 0) {
            return Err(Error::KernelTooLarge {
                op: op.into(),
                kernel: spec.kernel,
                dilation: spec.dilation,
                padded,
            });
        }
        if padded.iter().any(|&n| n > i64::from(i32::MAX)) {
            return Err(Error::TooLarge {
                op: op.into(),
                what: format!("a padded input of {}×{}", padded[0], padded[1]),
            });
        }
        let axis = |i: usize| -> Result<Axis> {
            let [before, after] = sides(i).map(|n| n as usize);
            for by in [before, after] {
                if let Some(relation) = spec.mode.refusal(by, input[i]) {
                    let rule = format!("{relation} the input's {}", ["height", "width"][i]);
                    let mode = spec.mode.name();
                    return Err(Error::Padding {
                        op: op.into(),
                        mode,
                        rule,
                        got: by,
                        size: input[i],
                    });
                }
            }
            Ok(Axis {
                size: input[i],
                kernel: spec.kernel[i],
                stride: spec.stride[i],
                dilation: spec.dilation[i],
                before,
                after,
                mode: spec.mode,
                output: steps[i] as usize + 1,
            })
        };
        Ok(Window {
            y: axis(0)?,
            x: axis(1)?,
        })
    }

    /// Height and width of the output.
    pub fn output(&self) -> [usize; 2] {
        [self.y.output, self.x.output]
    }

    /// Height and width of the kernel in taps.
    pub fn kernel(&self) -> [usize; 2] {
        [self.y.kernel, self.x.kernel]
    }

    /// Height and width of the picture.
    pub fn input(&self) -> [usize; 2] {
        [self.y.size, self.x.size]
    }

    /// The rectangle under the window of an output.
    pub fn rect(&self, [m, n]: [usize; 2]) -> Rect {
        let ([top, bottom], [left, right]) = (self.y.rect(m), self.x.rect(n));
        Rect {
            top,
            left,
            bottom,
            right,
        }
    }

    /// The coordinate that a tap of an output looks at.
    pub fn tap(&self, [m, n]: [usize; 2], [ky, kx]: [usize; 2]) -> [i64; 2] {
        [self.y.tap(m, ky), self.x.tap(n, kx)]
    }

    /// Where a coordinate takes its value from.
    pub fn source(&self, [y, x]: [i64; 2]) -> Source<[usize; 2]> {
        match (self.y.source(y), self.x.source(x)) {
            (Source::Outside, _) | (_, Source::Outside) => Source::Outside,
            (Source::Pixel(y), Source::Pixel(x)) => Source::Pixel([y, x]),
            _ => Source::Padding,
        }
    }

    /// Every output that reads a pixel, through the padding mode too, with its tap; by output, then by tap.
    pub fn reach(&self, [y, x]: [usize; 2]) -> Vec<Reach> {
        let columns = self.x.reach(x);
        let mut all = Set::new();
        for (m, ky) in self.y.reach(y) {
            for &(n, kx) in &columns {
                let (at, tap) = ([m, n], [ky, kx]);
                all.add(Reach { at, tap });
            }
        }
        all.keys().copied().collect()
    }

    /// The coordinates of all pixels (and padding) that one weight multiplies.
    pub fn uses(&self, tap: [usize; 2]) -> Uses {
        Uses {
            start: self.tap([0, 0], tap),
            step: [self.y.stride, self.x.stride],
            count: self.output(),
        }
    }

    /// Everything a drawing needs at once.
    pub fn geometry(&self) -> Geometry {
        let (rows, cols) = (self.y.read(), self.x.read());
        let count = |read: &[bool]| read.iter().filter(|&&r| r).count();
        Geometry {
            output: self.output(),
            padding: Sides {
                top: self.y.before,
                left: self.x.before,
                bottom: self.y.after,
                right: self.x.after,
            },
            stride: [self.y.stride, self.x.stride],
            dilation: [self.y.dilation, self.x.dilation],
            span: [self.y.span(), self.x.span()],
            unreached: self.y.size * self.x.size - count(&rows) * count(&cols),
            rows,
            cols,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PaddingMode::{Circular, Reflect, Replicate, Zeros};
    use super::*;

    fn row(size: usize, spec: Spec) -> Axis {
        Window::new("test", [1, size], &spec).expect("it fits").x
    }

    #[test]
    fn padding_modes_pad_as_pytorch_does() {
        let around = |mode: PaddingMode| (-2..6).map(|i| mode.source(i, 4)).collect::<Vec<_>>();
        assert_eq!(
            around(Zeros),
            [None, None, Some(0), Some(1), Some(2), Some(3), None, None]
        );
        assert_eq!(around(Reflect), [2, 1, 0, 1, 2, 3, 2, 1].map(Some));
        assert_eq!(around(Replicate), [0, 0, 0, 1, 2, 3, 3, 3].map(Some));
        assert_eq!(around(Circular), [2, 3, 0, 1, 2, 3, 0, 1].map(Some));
        assert_eq!(
            (-2..3).map(|i| Reflect.source(i, 1)).collect::<Vec<_>>(),
            [Some(0); 5]
        );
    }

    #[test]
    fn an_odd_pixel_of_same_padding_goes_after() {
        for (kernel, dilation, before, after) in [
            (3, 1, 1, 1),
            (2, 1, 0, 1),
            (4, 1, 1, 2),
            (2, 3, 1, 2),
            (1, 5, 0, 0),
        ] {
            let spec = Spec {
                padding: Padding::Same,
                dilation: [1, dilation],
                ..Spec::new([1, kernel])
            };
            let axis = row(9, spec);
            assert_eq!(
                (axis.before, axis.after, axis.output),
                (before, after, 9),
                "kernel {kernel}, dilation {dilation}"
            );
        }
    }

    #[test]
    fn padding_has_pytorchs_limits() {
        let fits = |mode, by, size| {
            let spec = Spec {
                padding: Padding::By([0, by]),
                mode,
                ..Spec::new([1, 1])
            };
            Window::new("test", [1, size], &spec).is_ok()
        };
        assert!(fits(Reflect, 3, 4) && !fits(Reflect, 4, 4));
        assert!(fits(Circular, 4, 4) && !fits(Circular, 5, 4));
        assert!(fits(Replicate, 50, 4) && fits(Zeros, 50, 4));
        assert!(fits(Reflect, 0, 1) && fits(Circular, 1, 1));
    }

    #[test]
    fn a_long_stride_leaves_pixels_unread() {
        let axis = row(
            7,
            Spec {
                stride: [1, 4],
                ..Spec::new([1, 2])
            },
        );
        assert_eq!(axis.output, 2);
        assert_eq!(axis.read(), [true, true, false, false, true, true, false]);
        let window = Window::new(
            "test",
            [3, 7],
            &Spec {
                stride: [3, 4],
                ..Spec::new([1, 2])
            },
        )
        .expect("it fits");
        assert_eq!(window.geometry().unreached, 21 - 4);
    }

    #[test]
    fn a_reflected_pixel_is_read_more_than_once_by_one_window() {
        let axis = row(
            4,
            Spec {
                padding: Padding::By([0, 1]),
                mode: Reflect,
                ..Spec::new([1, 3])
            },
        );
        assert_eq!(axis.reach(1), [(0, 0), (0, 2), (1, 1), (2, 0)]);
        assert_eq!(axis.rect(0), [-1, 1]);
    }

    #[test]
    fn rounding_up_adds_a_window_only_if_it_starts_in_time() {
        let outputs = |size, kernel, stride, by| {
            let padding = Padding::By([0, by]);
            row(
                size,
                Spec {
                    stride: [1, stride],
                    padding,
                    ceil: true,
                    ..Spec::new([1, kernel])
                },
            )
            .output
        };
        assert_eq!(outputs(5, 2, 2, 0), 3); // 0 1 | 2 3 | 4 ·
        assert_eq!(outputs(5, 3, 3, 1), 2); // the third would start at 5, in the padding after
        assert_eq!(outputs(5, 3, 5, 1), 2); // the second starts at 4
        assert_eq!(outputs(5, 6, 4, 0), 1); // even a kernel larger than the picture
        let spec = Spec {
            ceil: true,
            ..Spec::new([1, 6])
        };
        assert!(Window::new("test", [1, 5], &spec).is_err());
        let beyond = row(
            5,
            Spec {
                stride: [1, 2],
                ceil: true,
                ..Spec::new([1, 2])
            },
        );
        assert_eq!((beyond.tap(2, 1), beyond.source(5)), (5, Source::Outside));
    }

    #[test]
    fn sources_beyond_the_padding_are_outside() {
        let axis = row(
            4,
            Spec {
                padding: Padding::By([0, 2]),
                ..Spec::new([1, 3])
            },
        );
        let sources: Vec<_> = [-3, -2, 0, 3, 5, 6].map(|i| axis.source(i)).into();
        assert_eq!(
            sources,
            [
                Source::Outside,
                Source::Padding,
                Source::Pixel(0),
                Source::Pixel(3),
                Source::Padding,
                Source::Outside
            ]
        );
    }
}
