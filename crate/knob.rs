//! Numbers that a reader can set, and their reading from options.

use crate::error::Result;
use crate::options::{Reader, Value};
use serde::Serialize;

/// A number that a specimen's or the microscope's user can set.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Knob {
    /// The option's name.
    pub name: &'static str,
    /// The name to show.
    pub label: &'static str,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// A sensible step. Options with a step of 1 and whole bounds are whole numbers, except lengths in nm.
    pub step: f64,
    /// The value if none is given.
    pub default: f64,
}

/// A knob in one line: name, label, smallest, largest, step, default.
pub const fn knob(name: &'static str, label: &'static str, range: [f64; 3], default: f64) -> Knob {
    let [min, max, step] = range;
    Knob {
        name,
        label,
        min,
        max,
        step,
        default,
    }
}

impl Knob {
    /// Whether only whole numbers are taken.
    pub fn is_whole(&self) -> bool {
        self.step == 1.0 && self.name != "pixelSize"
    }
}

/// Knobs with their values.
#[derive(Clone, Debug)]
pub struct Settled(Vec<(&'static str, f64)>);

impl Settled {
    /// Reads the knobs; what is not given takes its default. `true` and `false` count as 1 and 0 where a knob has no more.
    ///
    /// # Errors
    /// On a value out of range, or a fraction where a whole number is wanted.
    pub fn read(knobs: &'static [Knob], reader: &mut Reader) -> Result<Settled> {
        let mut settled = Vec::new();
        for knob in knobs {
            let given = match reader.value(knob.name) {
                Some(Value::Flag(flag))
                    if knob.is_whole() && (knob.min, knob.max) == (0.0, 1.0) =>
                {
                    Some(f64::from(u8::from(*flag)))
                }
                _ => reader.number(knob.name, knob.min, knob.max)?,
            };
            let value = given.unwrap_or(knob.default);
            if knob.is_whole() && value.fract() != 0.0 {
                let rule = format!("a whole number from {} to {}", knob.min, knob.max);
                return Err(reader.refuse(knob.name, rule, value));
            }
            settled.push((knob.name, value));
        }
        Ok(Settled(settled))
    }

    /// The value of a knob.
    pub fn get(&self, name: &str) -> f64 {
        self.0
            .iter()
            .find(|(known, _)| *known == name)
            .expect("a knob of this list")
            .1
    }

    /// The value of a knob of whole numbers.
    pub fn whole(&self, name: &str) -> usize {
        self.get(name) as usize
    }
}
