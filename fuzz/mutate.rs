//! Damaged files from good ones: bytes changed blindly, and messages changed so that their lengths still agree.

/// Pseudo-random numbers that a seed repeats (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    /// A number that programs like to get wrong.
    fn number(&mut self) -> u64 {
        match self.below(8) {
            0 => 0,
            1 => u64::MAX,
            2 => 1 << self.below(64),
            3 => (1u64 << self.below(64)).wrapping_sub(1),
            4 => (self.below(20) as i64 - 10) as u64,
            5 => self.below(300) as u64,
            6 => i64::MIN as u64,
            _ => self.next() >> self.below(64),
        }
    }
}

/// A field of a message.
#[derive(Clone)]
struct Field {
    number: u64,
    value: Value,
}

#[derive(Clone)]
enum Value {
    Varint(u64),
    Fixed(Vec<u8>),
    Bytes(Vec<u8>),
    Message(Vec<Field>),
}

/// The messages of onnx.proto that have others inside.
#[derive(Clone, Copy)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Info,
    Type,
    TensorType,
    Shape,
    Leaf,
}

impl Message {
    fn inner(self, field: u64) -> Option<Message> {
        use Message::*;
        Some(match (self, field) {
            (Model, 7) | (Attribute, 6) => Graph,
            (Model, 8) | (Tensor, 13) | (Shape, 1) => Leaf,
            (Graph, 1) => Node,
            (Graph, 5) | (Attribute, 5) => Tensor,
            (Graph, 11..=13) => Info,
            (Node, 5) => Attribute,
            (Info, 2) => Type,
            (Type, 1) => TensorType,
            (TensorType, 2) => Shape,
            _ => return None,
        })
    }
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return Some(value);
        }
    }
    None
}

fn read(mut bytes: &[u8], message: Message, depth: usize) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = read_varint(&mut bytes)?;
        let number = key >> 3;
        let value = match key & 7 {
            0 => Value::Varint(read_varint(&mut bytes)?),
            kind @ (1 | 5) => {
                let (value, rest) = bytes.split_at_checked(if kind == 1 { 8 } else { 4 })?;
                bytes = rest;
                Value::Fixed(value.to_vec())
            }
            2 => {
                let length = read_varint(&mut bytes)? as usize;
                let (value, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                let inner = message.inner(number).filter(|_| depth < 12);
                let parsed = inner.and_then(|inner| read(value, inner, depth + 1));
                parsed.map_or_else(|| Value::Bytes(value.to_vec()), Value::Message)
            }
            _ => return None,
        };
        fields.push(Field { number, value });
    }
    Some(fields)
}

fn write_varint(mut value: u64, into: &mut Vec<u8>) {
    while value > 127 {
        into.push(value as u8 | 128);
        value >>= 7;
    }
    into.push(value as u8);
}

fn write(fields: &[Field], into: &mut Vec<u8>) {
    for Field { number, value } in fields {
        let kind = match value {
            Value::Varint(_) => 0,
            Value::Fixed(bytes) if bytes.len() == 8 => 1,
            Value::Fixed(_) => 5,
            _ => 2,
        };
        write_varint(number << 3 | kind, into);
        match value {
            Value::Varint(value) => write_varint(*value, into),
            Value::Fixed(bytes) => into.extend(bytes),
            Value::Bytes(bytes) => {
                write_varint(bytes.len() as u64, into);
                into.extend(bytes);
            }
            Value::Message(fields) => {
                let mut inner = Vec::new();
                write(fields, &mut inner);
                write_varint(inner.len() as u64, into);
                into.extend(inner);
            }
        }
    }
}

/// Counts the fields of a tree.
fn count(fields: &[Field]) -> usize {
    let inner = |field: &Field| match &field.value {
        Value::Message(fields) => count(fields),
        _ => 0,
    };
    fields.iter().map(|field| 1 + inner(field)).sum()
}

/// The list and place of the `n`th field.
fn nth(fields: &mut Vec<Field>, n: &mut usize) -> Option<(*mut Vec<Field>, usize)> {
    for i in 0..fields.len() {
        if *n == 0 {
            return Some((fields, i));
        }
        *n -= 1;
        if let Value::Message(inner) = &mut fields[i].value
            && let Some(found) = nth(inner, n)
        {
            return Some(found);
        }
    }
    None
}

/// Applies `change` to the list and place of a random field.
fn at_random(
    fields: &mut Vec<Field>,
    random: &mut Random,
    change: impl FnOnce(&mut Vec<Field>, usize, &mut Random),
) {
    let mut n = random.below(count(fields));
    let found = nth(fields, &mut n);
    if let Some((list, place)) = found {
        // SAFETY: the pointer comes from the exclusive borrow of `fields` above, and nothing else uses it meanwhile.
        change(unsafe { &mut *list }, place, random);
    }
}

/// A field of another file.
fn borrowed(other: &[u8], random: &mut Random) -> Option<Field> {
    let mut fields = read(other, Message::Model, 0)?;
    let mut found = None;
    at_random(&mut fields, random, |list, i, _| {
        found = Some(list[i].clone())
    });
    found
}

fn change_tree(fields: &mut Vec<Field>, other: &[u8], random: &mut Random) {
    at_random(fields, random, |list, i, random| match random.below(10) {
        0 => {
            list.remove(i);
        }
        1 => list.insert(i, list[i].clone()),
        2 => {
            let j = random.below(list.len());
            list.swap(i, j);
        }
        3 => list[i].number = random.below(32) as u64,
        4 => {
            if let Some(field) = borrowed(other, random) {
                list.insert(i, field);
            }
        }
        5 => {
            // A sibling's value: names and operators change places.
            let j = random.below(list.len());
            list[i].value = list[j].value.clone();
        }
        6 => {
            if let Some(field) = borrowed(other, random) {
                list[i].value = field.value;
            }
        }
        _ => match &mut list[i].value {
            Value::Varint(value) => *value = random.number(),
            Value::Fixed(bytes) | Value::Bytes(bytes) => change_bytes(bytes, &[], random),
            Value::Message(fields) => fields.reverse(),
        },
    });
}

fn change_bytes(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let place = random.below(bytes.len());
    match random.below(8) {
        _ if bytes.is_empty() => bytes.push(random.next() as u8),
        0 => bytes[place] ^= 1 << random.below(8),
        1 => bytes[place] = random.next() as u8,
        2 => bytes.truncate(place),
        3 => {
            let end = (place + 1 + random.below(16)).min(bytes.len());
            bytes.drain(place..end);
        }
        4 => {
            let end = (place + 1 + random.below(16)).min(bytes.len());
            let part = bytes[place..end].to_vec();
            bytes.splice(place..place, part);
        }
        5 => {
            let mut number = Vec::new();
            write_varint(random.number(), &mut number);
            let end = (place + number.len()).min(bytes.len());
            bytes.splice(place..end, number);
        }
        6 if !other.is_empty() => {
            let from = random.below(other.len());
            bytes.splice(place.., other[from..].iter().copied());
        }
        _ => bytes.insert(place, random.next() as u8),
    }
}

/// A damaged file.
pub fn mutate(file: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = file.to_vec();
    if !random.chance(4)
        && let Some(mut fields) = read(&bytes, Message::Model, 0)
        && !fields.is_empty()
    {
        for _ in 0..1 + random.below(3) {
            change_tree(&mut fields, other, random);
        }
        bytes.clear();
        write(&fields, &mut bytes);
        if !random.chance(8) {
            return bytes;
        }
    }
    for _ in 0..1 + random.below(4) {
        change_bytes(&mut bytes, other, random);
    }
    bytes
}
