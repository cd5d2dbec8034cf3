//! YAML: documents separated by `---`.
//!
//! The text is cut at the separators first (a line that starts with `---` ends a document
//! wherever it stands), so that one broken document does not hide the others.

use std::fmt;

use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;
use serde_saphyr::{Location, Options, Spanned};

use super::node::{DEPTH_MAX, Data, Entry, Failure, Node, Position};

/// What all documents of a file may take in memory once aliases are expanded.
const EXPANDED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A part of the file that holds one document.
struct Chunk<'a> {
    text: &'a str,
    /// Lines of the file before it.
    lines_before: usize,
}

/// What serde makes of a node, located by the wrapper around it.
enum Raw {
    Scalar(Value),
    List(Vec<Spanned<Raw>>),
    Table(Vec<(Spanned<String>, Spanned<Raw>)>),
}

/// The reader recurses with large frames; callers may be on small stacks.
const STACK_BYTES: usize = 16 * 1024 * 1024;

pub(super) fn read(text: &str) -> Vec<Result<Node, Failure>> {
    let failed = |message: &str| vec![Err(Failure { at: None, message: message.to_owned() })];
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new()
            .name("yaml".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || read_here(text));
        match reader.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(found)) => found,
            Ok(Err(_)) => failed("the YAML reader failed on this file"),
            Err(error) => failed(&format!("no thread to read the file on: {error}")),
        }
    })
}

fn read_here(text: &str) -> Vec<Result<Node, Failure>> {
    let mut found = Vec::new();
    let mut expanded = 0;
    for chunk in chunks(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        let node = chunk.read();
        expanded += node.as_ref().map_or(0, Node::weight);
        if expanded > EXPANDED_BYTES_MAX {
            let at = Position { line: chunk.lines_before + 1, column: 1 };
            found.push(Err(Failure::new(at, "too large once its aliases are expanded")));
            break;
        }
        found.push(node);
    }
    found
}

fn chunks(text: &str) -> Vec<Chunk<'_>> {
    let marks = |line: &str, mark: &str| {
        line.strip_prefix(mark)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
    };
    let mut found = Vec::new();
    let (mut start, mut start_line, mut offset) = (0, 0, 0);
    let mut cut = |start: usize, end: usize, lines_before: usize| {
        let text = text.get(start..end).unwrap_or_default();
        if text.lines().any(has_content) {
            found.push(Chunk { text, lines_before });
        }
    };
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if marks(line, "---") {
            cut(start, offset, start_line);
            (start, start_line) = (offset, number);
        }
        offset += line.len();
        if marks(line, "...") {
            cut(start, offset, start_line);
            (start, start_line) = (offset, number + 1);
        }
    }
    cut(start, offset, start_line);
    found
}

/// Comments, separators and `%` directives make no document.
fn has_content(line: &str) -> bool {
    let line = line.strip_prefix("---").unwrap_or(line).trim();
    !(line.is_empty() || line.starts_with(['#', '%']) || line == "...")
}

fn options() -> Options {
    serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            flow_nesting_limit: DEPTH_MAX,
            max_nodes: 2_000_000,
            max_events: 4_000_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 10_000,
        },
    }
}

// === impl Chunk ===

impl Chunk<'_> {
    fn read(&self) -> Result<Node, Failure> {
        // Control characters are forbidden in YAML, and the reader would stop at a NUL.
        if let Some(line) = self.text.lines().position(|line| line.contains('\0')) {
            let at = Position { line: self.lines_before + line + 1, column: 1 };
            return Err(Failure::new(at, "expected text without NUL characters"));
        }
        let parsed = serde_saphyr::from_str_with_options::<Spanned<Raw>>(self.text, options());
        match parsed {
            Ok(raw) => Ok(self.node(raw)),
            Err(error) => Err(Failure {
                at: error.location().and_then(|location| self.position(location)),
                message: message(&error),
            }),
        }
    }

    fn position(&self, location: Location) -> Option<Position> {
        let line = usize::try_from(location.line()).ok().filter(|line| *line > 0)?;
        let column = usize::try_from(location.column()).unwrap_or(1);
        Some(Position { line: self.lines_before + line, column })
    }

    fn node(&self, raw: Spanned<Raw>) -> Node {
        let start = Position { line: self.lines_before + 1, column: 1 };
        let at = self.position(raw.referenced).unwrap_or(start);
        let data = match raw.value {
            Raw::Scalar(value) => Data::Scalar(value),
            Raw::List(items) => Data::List(items.into_iter().map(|item| self.node(item)).collect()),
            Raw::Table(entries) => Data::Table(
                entries
                    .into_iter()
                    .map(|(key, value)| Entry {
                        at: self.position(key.referenced).unwrap_or(at),
                        key: key.value,
                        value: self.node(value),
                    })
                    .collect(),
            ),
        };
        Node { at, data }
    }
}

/// The reader's message on one line, without the position, which is reported on its own.
fn message(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    // The rest is advice to programmers.
    let text = text.split(", set DuplicateKeyPolicy").next().unwrap_or(text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, number, boolean, list or table")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::from(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::from(value)))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Raw, E> {
        scalar(Data::float(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Raw, E> {
        scalar(Data::text(value))
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut found = Vec::new();
        while let Some(item) = items.next_element()? {
            found.push(item);
        }
        Ok(Raw::List(found))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut found = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            found.push(entry);
        }
        Ok(Raw::Table(found))
    }
}

fn scalar<E: serde::de::Error>(data: Result<Data, String>) -> Result<Raw, E> {
    match data.map_err(E::custom)? {
        Data::Scalar(value) => Ok(Raw::Scalar(value)),
        Data::List(_) | Data::Table(_) => Err(E::custom("expected a scalar")),
    }
}
