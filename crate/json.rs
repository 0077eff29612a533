//! JSON (RFC 8259) into [`Value`]s and back: enough for a file's header, strict, and bounded in depth.

use crate::error::{Error, Result};
use crate::options::{Options, Value};

/// The deepest nesting that is read.
const DEPTH: usize = 32;
/// The most properties of one object: ten times as many as any network has parameters.
const MOST: usize = 20_000;

/// Reads a text that holds one JSON value.
///
/// # Errors
/// If it is no JSON, names a property twice, has more than 20,000 of them, or nests deeper than 32 levels. The message tells the byte.
pub fn parse(text: &str) -> Result<Value> {
    let mut parser = Parser { text, at: 0 };
    let value = parser.value(0)?;
    parser.space();
    if parser.at < text.len() {
        return Err(parser.wrong("the end"));
    }
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn wrong(&self, expected: &str) -> Error {
        let got = match self.text[self.at..].chars().next() {
            Some(c) => format!("\"{}\"", c.escape_default()),
            None => "the end".into(),
        };
        Error::File {
            format: "json",
            problem: format!("expected {expected} at byte {}; got {got}", self.at),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, wanted: u8) -> bool {
        self.space();
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Value> {
        if depth > DEPTH {
            return Err(self.wrong("at most 32 levels"));
        }
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                let words = [
                    ("true", Value::Flag(true)),
                    ("false", Value::Flag(false)),
                    ("null", Value::Null),
                ];
                for (word, value) in words {
                    if self.text[self.at..].starts_with(word) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err(self.wrong("a value"))
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value> {
        let mut properties = Options::new();
        self.at += 1;
        if self.eat(b'}') {
            return Ok(Value::Object(properties));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a name in quotes"));
            }
            if properties.len() >= MOST {
                return Err(self.wrong("at most 20000 properties"));
            }
            let start = self.at;
            let name = self.string()?;
            if !self.eat(b':') {
                return Err(self.wrong("\":\""));
            }
            let value = self.value(depth + 1)?;
            if properties.insert(name, value).is_some() {
                self.at = start;
                return Err(self.wrong("every name once"));
            }
            if self.eat(b'}') {
                return Ok(Value::Object(properties));
            }
            if !self.eat(b',') {
                return Err(self.wrong("\",\" or \"}\""));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value> {
        let mut values = Vec::new();
        self.at += 1;
        if self.eat(b']') {
            return Ok(Value::List(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            if self.eat(b']') {
                return Ok(Value::List(values));
            }
            if !self.eat(b',') {
                return Err(self.wrong("\",\" or \"]\""));
            }
        }
    }

    fn number(&mut self) -> Result<Value> {
        let rest = &self.text[self.at..];
        let part = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
        let word = &rest[..rest.find(|c| !part(c)).unwrap_or(rest.len())];
        let digits = word.trim_start_matches('-');
        let fine = digits.starts_with(|c: char| c.is_ascii_digit())
            && !(digits.len() > 1
                && digits.starts_with('0')
                && digits.as_bytes()[1].is_ascii_digit())
            && !digits.ends_with('.');
        match word.parse::<f64>() {
            Ok(number) if fine && number.is_finite() => {
                self.at += word.len();
                Ok(Value::Number(number))
            }
            _ => Err(self.wrong("a number")),
        }
    }

    fn string(&mut self) -> Result<String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(c) = self.text[self.at..].chars().next() else {
                return Err(self.wrong("the closing quote"));
            };
            match c {
                '"' => {
                    self.at += 1;
                    return Ok(text);
                }
                '\\' => {
                    self.at += 1;
                    text.push(self.escaped()?);
                }
                c if (c as u32) < 0x20 => return Err(self.wrong("no control character in a text")),
                c => {
                    self.at += c.len_utf8();
                    text.push(c);
                }
            }
        }
    }

    fn escaped(&mut self) -> Result<char> {
        let c = match self.peek() {
            Some(c @ (b'"' | b'\\' | b'/')) => c as char,
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                let high = self.hex()?;
                let code = if (0xd800..0xdc00).contains(&high) {
                    if !self.text[self.at..].starts_with("\\u") {
                        return Err(self.wrong("the second half of a surrogate pair"));
                    }
                    self.at += 2;
                    let low = self.hex()?;
                    0x10000 + ((high - 0xd800) << 10) + low.wrapping_sub(0xdc00) % 0x400
                } else {
                    high
                };
                return char::from_u32(code).ok_or_else(|| self.wrong("a character's number"));
            }
            _ => return Err(self.wrong("an escape")),
        };
        self.at += 1;
        Ok(c)
    }

    fn hex(&mut self) -> Result<u32> {
        let digits = self
            .text
            .get(self.at..self.at + 4)
            .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                self.at += 4;
                Ok(code)
            }
            None => Err(self.wrong("four hexadecimal digits")),
        }
    }
}

/// Writes a value as JSON. What JSON cannot say (NaN, infinities, [`Value::Other`]) becomes null.
pub fn write(value: &Value) -> String {
    let mut text = String::new();
    append(value, &mut text);
    text
}

fn append(value: &Value, text: &mut String) {
    match value {
        Value::Flag(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) if number.is_finite() => text.push_str(&number.to_string()),
        Value::Null | Value::Number(_) | Value::Other(_) => text.push_str("null"),
        Value::Text(word) => quote(word, text),
        Value::List(list) => {
            text.push('[');
            for (i, item) in list.iter().enumerate() {
                text.push_str(if i > 0 { "," } else { "" });
                append(item, text);
            }
            text.push(']');
        }
        Value::Object(properties) => {
            text.push('{');
            for (i, (name, item)) in properties.iter().enumerate() {
                text.push_str(if i > 0 { "," } else { "" });
                quote(name, text);
                text.push(':');
                append(item, text);
            }
            text.push('}');
        }
    }
}

fn quote(word: &str, text: &mut String) {
    text.push('"');
    for c in word.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c if (c as u32) < 0x20 => text.push_str(&format!("\\u{:04x}", c as u32)),
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_object_is_refused() {
        let names = (0..=super::MOST).rev().map(|i| format!("\"{i}\":0"));
        let text = format!("{{{}}}", names.collect::<Vec<_>>().join(","));
        let message = parse(&text).unwrap_err().to_string();
        assert!(message.contains("at most 20000 properties"), "{message}");
    }

    #[test]
    fn there_and_back() {
        for text in [
            r#"{"a":[1,-2.5,1000000],"b":{"c":null,"d":true},"e":"\"\\ü\u0001"}"#,
            "[]",
            "{}",
            "0",
            "\"\"",
        ] {
            assert_eq!(write(&parse(text).unwrap()), text);
        }
        assert_eq!(
            parse(r#" "\ud83d\ude00\n" "#).unwrap(),
            Value::Text("😀\n".into())
        );
        assert_eq!(parse("1e3").unwrap(), Value::Number(1000.0));
    }

    #[test]
    fn refuses_what_is_no_json() {
        let deep = "[".repeat(5000);
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,\"a\":2}",
            "01",
            "1.",
            "+1",
            "nul",
            "\"\\x\"",
            "\"a",
            "1 2",
            "1e999",
            "\"\n\"",
            "\"\\ud800x\"",
            "{a:1}",
            "--1",
            &deep,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let message = parse("[1;2]").unwrap_err().to_string();
        assert_eq!(
            message,
            "json: expected \",\" or \"]\" at byte 2; got \";\""
        );
    }
}
