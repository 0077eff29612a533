//! The wire format of Protocol Buffers: numbered fields, read in place from the bytes of a file.
//!
//! Nothing is copied and nothing is believed: a length that reaches beyond its message is an error, and messages are only
//! entered by readers that know their depth.

use crate::error::{Error, Result};

/// The complaint about a file that is no ONNX file, or a broken one.
#[cold]
pub fn broken(problem: impl Into<String>) -> Error {
    Error::File {
        format: "onnx",
        problem: problem.into(),
    }
}

/// A field's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// A whole number of any signedness.
    Varint(u64),
    /// Eight bytes.
    Fixed64([u8; 8]),
    /// A text, bytes, a message or packed numbers.
    Bytes(&'a [u8]),
    /// Four bytes.
    Fixed32([u8; 4]),
}

/// The fields of a message, one after the other.
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields in these bytes.
    pub fn new(bytes: &'a [u8]) -> Fields<'a> {
        Fields { rest: bytes }
    }

    #[inline(never)]
    fn field(&mut self) -> Result<(u64, Value<'a>)> {
        let key = varint(&mut self.rest)?;
        let value = match key & 7 {
            0 => Value::Varint(varint(&mut self.rest)?),
            1 => Value::Fixed64(fixed(&mut self.rest)?),
            2 => {
                let length = varint(&mut self.rest)?;
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                let Some((bytes, rest)) = self.rest.split_at_checked(length) else {
                    let left = self.rest.len();
                    return Err(broken(format!(
                        "a field claims {length} bytes, but {left} are left; is the file cut off?"
                    )));
                };
                self.rest = rest;
                Value::Bytes(bytes)
            }
            5 => Value::Fixed32(fixed(&mut self.rest)?),
            kind => {
                return Err(broken(format!(
                    "there is no kind of field {kind}; this is no ONNX file, or a damaged one"
                )));
            }
        };
        Ok((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

fn cut_off() -> Error {
    broken("the file ends in the middle of a field; is it cut off?")
}

fn varint(bytes: &mut &[u8]) -> Result<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or_else(cut_off)?;
        *bytes = rest;
        value |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return Ok(value);
        }
    }
    Err(broken("a number has more than ten bytes"))
}

fn fixed<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N]> {
    let (value, rest) = bytes.split_first_chunk::<N>().ok_or_else(cut_off)?;
    *bytes = rest;
    Ok(*value)
}

impl<'a> Value<'a> {
    fn wrong(self, expected: &str) -> Error {
        let got = match self {
            Value::Varint(_) => "a whole number",
            Value::Fixed64(_) => "eight bytes",
            Value::Bytes(_) => "bytes",
            Value::Fixed32(_) => "four bytes",
        };
        broken(format!("a field must hold {expected}; got {got}"))
    }

    /// A whole number.
    pub fn int(self) -> Result<i64> {
        match self {
            Value::Varint(number) => Ok(number as i64),
            other => Err(other.wrong("a whole number")),
        }
    }

    /// A number of 32 bits.
    pub fn float(self) -> Result<f32> {
        match self {
            Value::Fixed32(bytes) => Ok(f32::from_le_bytes(bytes)),
            other => Err(other.wrong("a number of 32 bits")),
        }
    }

    /// Bytes.
    pub fn bytes(self) -> Result<&'a [u8]> {
        match self {
            Value::Bytes(bytes) => Ok(bytes),
            other => Err(other.wrong("bytes")),
        }
    }

    /// A text.
    pub fn text(self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| broken("a name is no UTF-8 text"))
    }

    /// Adds whole numbers: one, or several packed into bytes.
    pub fn ints(self, into: &mut Vec<i64>) -> Result<()> {
        match self {
            Value::Bytes(mut bytes) => {
                while !bytes.is_empty() {
                    into.push(varint(&mut bytes)? as i64);
                }
            }
            one => into.push(one.int()?),
        }
        Ok(())
    }

    /// Adds numbers of 32 bits: one, or several packed into bytes.
    pub fn floats(self, into: &mut Vec<f32>) -> Result<()> {
        match self {
            Value::Bytes(mut bytes) => {
                while !bytes.is_empty() {
                    into.push(f32::from_le_bytes(fixed(&mut bytes)?));
                }
            }
            one => into.push(one.float()?),
        }
        Ok(())
    }

    /// Adds numbers of 64 bits: one, or several packed into bytes.
    pub fn doubles(self, into: &mut Vec<f64>) -> Result<()> {
        match self {
            Value::Bytes(mut bytes) => {
                while !bytes.is_empty() {
                    into.push(f64::from_le_bytes(fixed(&mut bytes)?));
                }
                Ok(())
            }
            Value::Fixed64(bytes) => {
                into.push(f64::from_le_bytes(bytes));
                Ok(())
            }
            other => Err(other.wrong("a number of 64 bits")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_kind_of_field() {
        let bytes = [
            0x08, 0x96, 0x01, 0x12, 0x02, b'h', b'i', 0x1d, 0, 0, 0x80, 0x3f, 0x22, 2, 1, 2,
        ];
        let fields: Vec<_> = Fields::new(&bytes).map(Result::unwrap).collect();
        assert_eq!(fields[0].1.int(), Ok(150));
        assert_eq!(fields[1].1.text(), Ok("hi"));
        assert_eq!(fields[2].1.float(), Ok(1.0));
        let mut packed = Vec::new();
        fields[3].1.ints(&mut packed).unwrap();
        assert_eq!(packed, [1, 2]);
        assert_eq!(fields.iter().map(|f| f.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }

    #[test]
    fn refuses_lies() {
        let message = |bytes: &[u8]| {
            Fields::new(bytes)
                .collect::<Result<Vec<_>>>()
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            message(&[0x12, 0x7f, 1]),
            "onnx: a field claims 127 bytes, but 1 are left; is the file cut off?"
        );
        assert!(
            message(&[
                0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1
            ])
            .contains("are left")
        );
        assert_eq!(
            message(&[0x08]),
            "onnx: the file ends in the middle of a field; is it cut off?"
        );
        assert_eq!(
            message(&[0xff; 12]),
            "onnx: a number has more than ten bytes"
        );
        assert!(message(&[0x0b]).contains("no kind of field 3"));
    }
}
