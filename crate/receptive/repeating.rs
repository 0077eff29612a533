//! Receptive fields along one axis without ends, for all outputs at once.
//!
//! With strides and upsampling the field of output i is a repeating pattern: after some number of outputs it is the same
//! again, a whole number of pixels further on. Keeping one round of it is exact, and tells whether size and centre follow
//! a simple rule.

use super::step::Step;

/// Longer patterns than this are not followed; nobody draws them.
const LONGEST: usize = 1 << 12;

/// First and last input pixel of the fields of outputs 0 to n − 1; output i + n sees `shift` pixels further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeating {
    fields: Vec<[i64; 2]>,
    shift: i64,
}

impl Repeating {
    /// The input itself: every pixel sees itself.
    pub fn input() -> Repeating {
        Repeating {
            fields: vec![[0, 0]],
            shift: 1,
        }
    }

    fn at(&self, i: i64) -> [i64; 2] {
        let n = self.fields.len() as i64;
        let further = self.shift * i.div_euclid(n);
        self.fields[i.rem_euclid(n) as usize].map(|pixel| pixel + further)
    }

    /// The fields of a layer's outputs, `self` being those of its inputs. `None` if some output reads nothing, or the
    /// pattern gets too long.
    pub fn through(&self, step: &Step) -> Option<Repeating> {
        let (n, [outputs, inputs]) = (self.fields.len(), step.period());
        let rounds = n / gcd(n, inputs);
        let length = outputs * rounds;
        if length > LONGEST {
            return None;
        }
        let field = |m: i64| {
            let seen = step.unlimited(m).into_iter().map(|i| self.at(i));
            seen.reduce(|a, b| [a[0].min(b[0]), a[1].max(b[1])])
        };
        let fields: Option<Vec<[i64; 2]>> = (0..length as i64).map(field).collect();
        Some(Repeating {
            fields: fields?,
            shift: self.shift * (inputs * rounds / n) as i64,
        })
    }

    /// The fields of a map that reads two others at the same place. `None` if their fields drift apart.
    pub fn with(&self, other: &Repeating) -> Option<Repeating> {
        let (n, m) = (self.fields.len(), other.fields.len());
        let length = n / gcd(n, m) * m;
        if length > LONGEST || self.shift * m as i64 != other.shift * n as i64 {
            return None;
        }
        let both = |i: i64| {
            let (a, b) = (self.at(i), other.at(i));
            [a[0].min(b[0]), a[1].max(b[1])]
        };
        Some(Repeating {
            fields: (0..length as i64).map(both).collect(),
            shift: self.shift * (length / n) as i64,
        })
    }

    /// The smallest and the largest field, in pixels.
    pub fn sizes(&self) -> [i64; 2] {
        let sizes = || self.fields.iter().map(|[first, last]| last - first + 1);
        [sizes().min().unwrap_or(0), sizes().max().unwrap_or(0)]
    }

    /// Pixels from a field to the next, on average.
    pub fn jump(&self) -> f64 {
        self.shift as f64 / self.fields.len() as f64
    }

    /// Each field's centre, less what the jump explains: all the same if centres keep an even distance.
    fn offsets(&self) -> impl Iterator<Item = f64> {
        let jump = self.jump();
        self.fields
            .iter()
            .enumerate()
            .map(move |(i, [first, last])| (first + last) as f64 / 2.0 - jump * i as f64)
    }

    /// Centre of the first output's field if all centres keep an even distance, else the start of the straight line through
    /// them that errs equally to both sides.
    pub fn start(&self) -> f64 {
        let (low, high) = self.offsets().fold((f64::MAX, f64::MIN), |(low, high), o| {
            (low.min(o), high.max(o))
        });
        (low + high) / 2.0
    }

    /// Whether all fields are equally large and their centres keep an even distance.
    pub fn is_regular(&self) -> bool {
        let [smallest, largest] = self.sizes();
        let start = self.start();
        smallest == largest && self.offsets().all(|offset| (offset - start).abs() < 1e-9)
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::{Padding, Spec, Window};

    fn slide(kernel: usize, stride: usize, padding: usize) -> Step {
        let by = Padding::By([padding; 2]);
        let spec = Spec {
            stride: [stride; 2],
            padding: by,
            ..Spec::new([kernel; 2])
        };
        Step::Slide(Window::new("test", [64, 64], &spec).expect("it fits").x)
    }

    #[test]
    fn convolutions_and_pools_are_regular() {
        let conv = Repeating::input()
            .through(&slide(3, 1, 1))
            .expect("a field");
        assert_eq!(
            (conv.sizes(), conv.jump(), conv.start(), conv.is_regular()),
            ([3, 3], 1.0, 0.0, true)
        );
        let pooled = conv.through(&slide(2, 2, 0)).expect("a field");
        assert_eq!(
            (
                pooled.sizes(),
                pooled.jump(),
                pooled.start(),
                pooled.is_regular()
            ),
            ([4, 4], 2.0, 0.5, true)
        );
    }

    #[test]
    fn upsampling_shares_fields_among_neighbours() {
        let up = Repeating::input()
            .through(&Step::Nearest {
                inputs: 9,
                scale: 2,
            })
            .expect("a field");
        assert_eq!(
            (up.sizes(), up.jump(), up.is_regular()),
            ([1, 1], 0.5, false)
        );
        assert_eq!(up.start(), -0.25); // between the centres 0, 0, 1, 1, … and steps of a half
        let even = up.through(&slide(2, 1, 0)).expect("a field");
        assert_eq!(even.sizes(), [1, 2]);
        let down = up.through(&slide(2, 2, 0)).expect("a field");
        assert_eq!((down, true), (Repeating::input(), true));
    }

    #[test]
    fn branches_must_keep_step() {
        let input = Repeating::input();
        let (near, far) = (
            input.through(&slide(3, 1, 1)).expect("a field"),
            input.through(&slide(3, 2, 1)).expect("a field"),
        );
        assert_eq!(near.with(&input).expect("a field").sizes(), [3, 3]);
        assert_eq!(near.with(&far), None);
        let sparse = Step::spread(8, [1, 2, 1], [0, 0]).expect("a size");
        assert_eq!(input.through(&sparse), None); // every second output reads nothing
    }
}
