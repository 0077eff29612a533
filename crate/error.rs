//! What can go wrong, in words a student understands: who complains, what was expected, what came.

use std::fmt;

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything this crate refuses. The message ([`fmt::Display`]) starts with the name of the operator that refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// An option has a value that its operator cannot take.
    Option {
        /// The operator.
        op: String,
        /// The option's name as in the public interface, for example `paddingMode`.
        name: String,
        /// What it must be: "a whole number of at least 1".
        expected: String,
        /// What came.
        got: String,
    },
    /// An operator has no option of this name.
    UnknownOption {
        /// The operator.
        op: String,
        /// The name that came.
        name: String,
        /// The names it knows.
        known: Vec<&'static str>,
    },
    /// There is nothing of this name (an operator, a kernel, a specimen).
    UnknownName {
        /// What kind of thing was asked for: "operator", "kernel", "specimen".
        what: &'static str,
        /// The name that came.
        name: String,
        /// The names that exist.
        known: Vec<&'static str>,
    },
    /// An operator got too few or too many inputs.
    Inputs {
        /// The operator.
        op: String,
        /// Its inputs in order: "x, weight, bias (or none)".
        expected: &'static str,
        /// How many came.
        got: usize,
    },
    /// A tensor has a shape its operator cannot take.
    Shape {
        /// The operator.
        op: String,
        /// The input's name.
        input: String,
        /// The expected shape in words: "(C, H, W) or (N, C, H, W)".
        expected: String,
        /// The shape that came.
        got: Vec<usize>,
    },
    /// The kernel does not fit into the padded input even once.
    KernelTooLarge {
        /// The operator.
        op: String,
        /// Kernel height and width.
        kernel: [usize; 2],
        /// Dilation, vertical and horizontal.
        dilation: [usize; 2],
        /// Height and width of the padded input.
        padded: [i64; 2],
    },
    /// A padding mode cannot supply as many pixels as asked for.
    Padding {
        /// The operator.
        op: String,
        /// The mode's name.
        mode: &'static str,
        /// The rule: "smaller than the input's height".
        rule: String,
        /// The padding asked for.
        got: usize,
        /// The input's size along that axis.
        size: usize,
    },
    /// A position lies outside the tensor or map it points into.
    Position {
        /// The operator.
        op: String,
        /// What the position points into: "output".
        of: &'static str,
        /// The shape of that.
        shape: Vec<usize>,
        /// The position that came.
        got: Vec<usize>,
    },
    /// The result would not fit into memory.
    TooLarge {
        /// The operator.
        op: String,
        /// What is too large, with its size: "the output (1, 8, 90000, 90000)".
        what: String,
    },
    /// A file is broken or of a kind that is not read here.
    File {
        /// The format: "png".
        format: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Any other refusal, already in words.
    Other {
        /// Who refuses.
        op: String,
        /// Why.
        problem: String,
    },
}

/// `(1, 3, 8, 8)`: a shape or position as people write it.
pub fn tuple(values: &[usize]) -> String {
    let list: Vec<String> = values.iter().map(usize::to_string).collect();
    format!("({})", list.join(", "))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Option {
                op,
                name,
                expected,
                got,
            } => write!(f, "{op}: {name} must be {expected}; got {got}"),
            Error::UnknownOption { op, name, known } if known.is_empty() => {
                write!(f, "{op}: unknown option \"{name}\"; it takes no options")
            }
            Error::UnknownOption { op, name, known } => {
                write!(
                    f,
                    "{op}: unknown option \"{name}\"; known options: {}",
                    known.join(", ")
                )
            }
            Error::UnknownName { what, name, known } => {
                write!(f, "{name}: unknown {what}; known: {}", known.join(", "))
            }
            Error::Inputs { op, expected, got } => {
                write!(f, "{op}: takes the inputs {expected}; got {got} of them")
            }
            Error::Shape {
                op,
                input,
                expected,
                got,
            } => {
                write!(
                    f,
                    "{op}: {input} must have shape {expected}; got {}",
                    tuple(got)
                )
            }
            Error::KernelTooLarge {
                op,
                kernel: [kh, kw],
                dilation: [dy, dx],
                padded: [h, w],
            } => {
                write!(f, "{op}: the kernel ({kh}×{kw}")?;
                if (*dy, *dx) != (1, 1) {
                    let dilation = if dy == dx {
                        format!("{dy}")
                    } else {
                        format!("{dy}×{dx}")
                    };
                    write!(
                        f,
                        ", dilation {dilation}: spans {}×{}",
                        dy * (kh - 1) + 1,
                        dx * (kw - 1) + 1
                    )?;
                }
                write!(f, ") is larger than the padded input ({h}×{w})")
            }
            Error::Padding {
                op,
                mode,
                rule,
                got,
                size,
            } => {
                write!(f, "{op}: {mode} padding must be {rule} ({size}); got {got}")
            }
            Error::Position { op, of, shape, got } => {
                write!(
                    f,
                    "{op}: the position {} lies outside the {of} of shape {}",
                    tuple(got),
                    tuple(shape)
                )
            }
            Error::TooLarge { op, what } => write!(f, "{op}: {what} does not fit into memory"),
            Error::File { format, problem } => write!(f, "{format}: {problem}"),
            Error::Other { op, problem } => write!(f, "{op}: {problem}"),
        }
    }
}

impl std::error::Error for Error {}
