//! Options as people pass them (a plain object with the public interface's names) and their careful reading.
//!
//! Every operator reads its options through a [`Reader`], so that all refuse wrong types, NaN, fractions, wrong lengths
//! and unknown names in the same words.

use crate::error::{Error, Result};
use crate::map::Map;
use std::fmt;

/// The largest stride, padding, kernel or dilation taken: far beyond any picture, small enough never to overflow.
pub const LARGEST: usize = 1 << 20;

/// A value of an option, before anyone knows whether it makes sense.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing (JavaScript's `null`).
    Null,
    /// Yes or no.
    Flag(bool),
    /// A number, possibly fractional, infinite or NaN.
    Number(f64),
    /// A word.
    Text(String),
    /// Several values.
    List(Vec<Value>),
    /// Named values.
    Object(Options),
    /// Something that no option can be, described: "a function".
    Other(String),
}

/// Named values.
pub type Options = Map<String, Value>;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => write!(f, "null"),
            Value::Flag(flag) => write!(f, "{flag}"),
            Value::Number(number) => write!(f, "{number}"),
            Value::Text(text) => write!(f, "\"{text}\""),
            Value::List(list) => {
                write!(f, "[")?;
                for (i, value) in list.iter().enumerate() {
                    write!(f, "{}{value}", if i == 0 { "" } else { ", " })?;
                }
                write!(f, "]")
            }
            Value::Object(_) => write!(f, "an object"),
            Value::Other(what) => write!(f, "{what}"),
        }
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Number(number)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Value {
        Value::Number(number as f64)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.into())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Flag(flag)
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(list: [T; N]) -> Value {
        Value::List(list.into_iter().map(Into::into).collect())
    }
}

/// Reads the options of one operator; [`Reader::finish`] refuses the names that nobody asked for.
pub struct Reader<'a> {
    op: &'a str,
    options: &'a Options,
    known: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    /// A reader whose complaints start with the name `op`.
    pub fn new(op: &'a str, options: &'a Options) -> Self {
        Reader {
            op,
            options,
            known: Vec::new(),
        }
    }

    /// The value of an option, if it was given.
    pub fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        if !self.known.contains(&name) {
            self.known.push(name);
        }
        self.options.get(name)
    }

    /// The complaint about an option's value.
    pub fn refuse(&self, name: &str, expected: impl Into<String>, got: impl fmt::Display) -> Error {
        Error::Option {
            op: self.op.into(),
            name: name.into(),
            expected: expected.into(),
            got: got.to_string(),
        }
    }

    /// Any other complaint.
    pub fn complain(&self, problem: String) -> Error {
        Error::Other {
            op: self.op.into(),
            problem,
        }
    }

    /// A whole number of at least `min`.
    ///
    /// # Errors
    /// If it is anything else or above [`LARGEST`].
    pub fn whole(&mut self, name: &'static str, min: usize) -> Result<Option<usize>> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        match whole(value, min) {
            Some(n) => Ok(Some(n)),
            None => Err(self.refuse(name, whole_rule(value, min), value)),
        }
    }

    /// A whole number of at least `min` for both axes, or a pair of them [vertical, horizontal].
    ///
    /// # Errors
    /// If it is anything else or above [`LARGEST`].
    pub fn pair(&mut self, name: &'static str, min: usize) -> Result<Option<[usize; 2]>> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        match value {
            Value::Number(_) => {
                if let Some(n) = whole(value, min) {
                    return Ok(Some([n, n]));
                }
                Err(self.refuse(name, whole_rule(value, min), value))
            }
            Value::List(list) => match list.as_slice() {
                [y, x] => match (whole(y, min), whole(x, min)) {
                    (Some(y), Some(x)) => Ok(Some([y, x])),
                    _ => Err(self.refuse(
                        name,
                        format!("two whole numbers of at least {min}"),
                        value,
                    )),
                },
                _ => Err(self.refuse(name, "one number or two [vertical, horizontal]", value)),
            },
            _ => Err(self.refuse(
                name,
                format!("a whole number of at least {min} or a pair of them"),
                value,
            )),
        }
    }

    /// A number from `min` to `max`.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn number(&mut self, name: &'static str, min: f64, max: f64) -> Result<Option<f64>> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        match value {
            Value::Number(n) if (min..=max).contains(n) => Ok(Some(*n)),
            _ => Err(self.refuse(name, format!("a number from {min} to {max}"), value)),
        }
    }

    /// Yes or no.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn flag(&mut self, name: &'static str) -> Result<Option<bool>> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        match value {
            Value::Flag(flag) => Ok(Some(*flag)),
            _ => Err(self.refuse(name, "true or false", value)),
        }
    }

    /// One of several words.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        choices: &[(&'static str, T)],
    ) -> Result<Option<T>> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        if let Value::Text(text) = value
            && let Some((_, choice)) = choices.iter().find(|(word, _)| word == text)
        {
            return Ok(Some(*choice));
        }
        let words: Vec<String> = choices
            .iter()
            .map(|(word, _)| format!("\"{word}\""))
            .collect();
        Err(self.refuse(name, words.join(" or "), value))
    }

    /// Refuses every option that was not asked for.
    ///
    /// # Errors
    /// On the first unknown name.
    pub fn finish(self) -> Result<()> {
        match self
            .options
            .keys()
            .find(|name| !self.known.contains(&name.as_str()))
        {
            None => Ok(()),
            Some(name) => Err(Error::UnknownOption {
                op: self.op.into(),
                name: name.clone(),
                known: self.known,
            }),
        }
    }
}

/// The value as a whole number from `min` to [`LARGEST`].
pub fn whole(value: &Value, min: usize) -> Option<usize> {
    match value {
        Value::Number(n) if n.fract() == 0.0 && (min as f64..=LARGEST as f64).contains(n) => {
            Some(*n as usize)
        }
        _ => None,
    }
}

fn whole_rule(value: &Value, min: usize) -> String {
    match value {
        Value::Number(n) if *n > LARGEST as f64 => {
            format!("a whole number from {min} to {LARGEST}")
        }
        _ => format!("a whole number of at least {min}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(value: impl Into<Value>, f: impl FnOnce(&mut Reader<'_>) -> Result<T>) -> Result<T> {
        let options = [("n".to_string(), value.into())].into();
        f(&mut Reader::new("op", &options))
    }

    #[test]
    fn good_values_are_taken() {
        assert_eq!(read(3usize, |r| r.whole("n", 1)), Ok(Some(3)));
        assert_eq!(read(3usize, |r| r.pair("n", 1)), Ok(Some([3, 3])));
        assert_eq!(read([1usize, 2], |r| r.pair("n", 1)), Ok(Some([1, 2])));
        assert_eq!(read(0.5, |r| r.number("n", 0.0, 1.0)), Ok(Some(0.5)));
        assert_eq!(read(true, |r| r.flag("n")), Ok(Some(true)));
        assert_eq!(
            read("b", |r| r.choice("n", &[("a", 1), ("b", 2)])),
            Ok(Some(2))
        );
        assert_eq!(read(1usize, |r| r.whole("other", 1)), Ok(None));
    }

    #[test]
    fn bad_values_are_refused_in_words() {
        let message = |e: Error| e.to_string();
        let whole = |value: f64| message(read(value, |r| r.whole("n", 1)).unwrap_err());
        assert_eq!(
            whole(0.5),
            "op: n must be a whole number of at least 1; got 0.5"
        );
        assert_eq!(
            whole(f64::INFINITY),
            "op: n must be a whole number from 1 to 1048576; got inf"
        );
        let flag = read(1usize, |r| r.flag("n")).unwrap_err();
        assert_eq!(message(flag), "op: n must be true or false; got 1");
        let choice = read(Value::Object(Options::new()), |r| {
            r.choice("n", &[("a", 1), ("b", 2)])
        })
        .unwrap_err();
        assert_eq!(
            message(choice),
            "op: n must be \"a\" or \"b\"; got an object"
        );
        let number = read(f64::NAN, |r| r.number("n", 0.0, 1.0)).unwrap_err();
        assert_eq!(
            message(number),
            "op: n must be a number from 0 to 1; got NaN"
        );
        let list = read(
            Value::List(vec![1.0.into(), "x".into(), Value::Null]),
            |r| r.whole("n", 0),
        )
        .unwrap_err();
        assert_eq!(
            message(list),
            "op: n must be a whole number of at least 0; got [1, \"x\", null]"
        );
    }

    #[test]
    fn names_that_nobody_asked_for_are_refused() {
        let options = [
            ("n".to_string(), 1usize.into()),
            ("m".to_string(), 1usize.into()),
        ]
        .into();
        let mut reader = Reader::new("op", &options);
        assert_eq!(reader.whole("n", 1), Ok(Some(1)));
        assert_eq!(
            reader.finish().unwrap_err().to_string(),
            "op: unknown option \"m\"; known options: n"
        );
    }
}
