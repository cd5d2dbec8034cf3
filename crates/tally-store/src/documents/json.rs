//! JSON: one object or an array of objects.

use std::fmt;

use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use super::node::{DEPTH_MAX, Data, Entry, Failure, Lines, Node, Position};

struct Reader<'a> {
    text: &'a str,
    lines: Lines<'a>,
}

/// The fields of an object, as written, twice where they stand twice.
struct Fields<'a>(Vec<(&'a RawValue, &'a RawValue)>);

pub(super) fn read(text: &str) -> Vec<Result<Node, Failure>> {
    let reader = Reader { text, lines: Lines::new(text) };
    let root = match serde_json::from_str::<&RawValue>(text) {
        Ok(root) => root,
        Err(error) => {
            let at = Position { line: error.line(), column: error.column() };
            return vec![Err(Failure::new(at, message(&error)))];
        }
    };
    if !root.get().starts_with('[') {
        return vec![reader.node(root, 0)];
    }
    match serde_json::from_str::<Vec<&RawValue>>(root.get()) {
        Ok(items) => items.into_iter().map(|item| reader.node(item, 0)).collect(),
        Err(error) => vec![Err(Failure::new(reader.at(root), message(&error)))],
    }
}

/// serde's message without the position, which is reported on its own.
fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

impl<'a> Reader<'a> {
    fn at(&self, raw: &RawValue) -> Position {
        // A raw value borrows from the text, so that its address tells where it stands.
        let offset = raw.get().as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        self.lines.position(offset)
    }

    fn node(&self, raw: &'a RawValue, depth: usize) -> Result<Node, Failure> {
        let at = self.at(raw);
        let fail = |error: serde_json::Error| Failure::new(at, message(&error));
        if depth > DEPTH_MAX {
            let expected = format!("expected at most {DEPTH_MAX} levels of nesting");
            return Err(Failure::new(at, expected));
        }
        let text = raw.get();
        let data = if text.starts_with('{') {
            let fields: Fields<'a> = serde_json::from_str(text).map_err(fail)?;
            Data::Table(self.entries(fields, depth)?)
        } else if text.starts_with('[') {
            let items: Vec<&'a RawValue> = serde_json::from_str(text).map_err(fail)?;
            Data::List(
                items
                    .into_iter()
                    .map(|item| self.node(item, depth + 1))
                    .collect::<Result<_, _>>()?,
            )
        } else {
            match serde_json::from_str(text).map_err(fail)? {
                Value::String(text) => {
                    Data::text(&text).map_err(|message| Failure::new(at, message))?
                }
                scalar => Data::Scalar(scalar),
            }
        };
        Ok(Node { at, data })
    }

    fn entries(&self, fields: Fields<'a>, depth: usize) -> Result<Vec<Entry>, Failure> {
        let mut seen = std::collections::HashSet::new();
        let mut entries = Vec::with_capacity(fields.0.len());
        for (key, value) in fields.0 {
            let at = self.at(key);
            let key: String = serde_json::from_str(key.get())
                .map_err(|error| Failure::new(at, message(&error)))?;
            if !seen.insert(key.clone()) {
                return Err(Failure::new(at, format!("`{key}` stands twice in the same object")));
            }
            entries.push(Entry { key, at, value: self.node(value, depth + 1)? });
        }
        Ok(entries)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}
