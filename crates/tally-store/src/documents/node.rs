//! Values that know where they were written.

use serde_json::{Map, Number, Value};

use crate::check::{Step, steps};

/// Values nest at most this deep, whatever the format. No spec needs half of it, and
/// readers recurse.
pub(super) const DEPTH_MAX: usize = 32;

/// One text is at most this long, which bounds what aliases can multiply.
pub(super) const TEXT_BYTES_MAX: usize = 16 * 1024;

/// Where something was written; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// What made a document unreadable.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) at: Option<Position>,
    pub(super) message: String,
}

/// A value and where it was written.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: Position,
    pub(super) data: Data,
}

/// The value of a node.
#[derive(Debug)]
pub(super) enum Data {
    Scalar(Value),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// One field of a table.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: Position,
    pub(super) value: Node,
}

/// Turns byte offsets into positions.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

// === impl Failure ===

impl Failure {
    pub(super) fn new(at: Position, message: impl Into<String>) -> Self {
        Self { at: Some(at), message: message.into() }
    }
}

// === impl Data ===

impl Data {
    pub(super) fn text(text: &str) -> Result<Self, String> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(format!("expected a text of at most {TEXT_BYTES_MAX} bytes"));
        }
        Ok(Self::Scalar(Value::String(text.to_owned())))
    }

    pub(super) fn float(number: f64) -> Result<Self, String> {
        let number = Number::from_f64(number).ok_or("expected a finite number")?;
        Ok(Self::Scalar(Value::Number(number)))
    }
}

// === impl Node ===

impl Node {
    pub(super) fn to_value(&self) -> Value {
        match &self.data {
            Data::Scalar(value) => value.clone(),
            Data::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Data::Table(entries) => Value::Object(
                entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.value.to_value()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.data {
            Data::Table(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// Where the field at `path` was written, or the closest thing around it.
    pub(super) fn locate(&self, path: &str) -> Position {
        let (mut node, mut at) = (self, self.at);
        for step in steps(path) {
            let found = match (step, &node.data) {
                (Step::Key(key), _) => node.entry(key).map(|entry| (&entry.value, entry.at)),
                (Step::Index(index), Data::List(items)) => {
                    items.get(index).map(|item| (item, item.at))
                }
                _ => None,
            };
            match found {
                Some(found) => (node, at) = found,
                None => break,
            }
        }
        at
    }

    /// The value at `path`.
    pub(super) fn at_path(&self, path: &str) -> Option<&Self> {
        steps(path).try_fold(self, |node, step| match (step, &node.data) {
            (Step::Key(key), _) => node.entry(key).map(|entry| &entry.value),
            (Step::Index(index), Data::List(items)) => items.get(index),
            _ => None,
        })
    }

    /// Where the character at `offset` of a text was written, however it was quoted or folded.
    pub(super) fn within(&self, file: &str, offset: usize) -> Option<Position> {
        let Data::Scalar(Value::String(text)) = &self.data else { return None };
        let before: usize =
            file.split_inclusive('\n').take(self.at.line.checked_sub(1)?).map(str::len).sum();
        let written = file.get(before..)?;
        let mut written = written.chars().skip(self.at.column.saturating_sub(1)).peekable();
        let mut at = self.at;
        let mut step = |written: &mut std::iter::Peekable<_>| -> Option<char> {
            let next: char = Iterator::next(written)?;
            if next == '\n' {
                at = Position { line: at.line + 1, column: 1 };
            } else {
                at.column += 1;
            }
            Some(next)
        };
        match written.peek()? {
            '\'' | '"' => {
                step(&mut written)?;
            }
            // A block begins on the line after its mark.
            '|' | '>' => while step(&mut written)? != '\n' {},
            _ => {}
        }
        // Quotes that are doubled, escapes and folded lines only add characters in between.
        for wanted in text.chars().take(offset).filter(|c| !c.is_whitespace()) {
            while step(&mut written)? != wanted {}
        }
        let is_blank = text.chars().nth(offset).is_none_or(char::is_whitespace);
        while !is_blank && written.peek()?.is_whitespace() {
            step(&mut written)?;
        }
        Some(at)
    }

    /// Roughly the bytes it takes in memory.
    pub(super) fn weight(&self) -> usize {
        const NODE: usize = size_of::<Node>();
        NODE + match &self.data {
            Data::Scalar(Value::String(text)) => text.len(),
            Data::Scalar(_) => 0,
            Data::List(items) => items.iter().map(Self::weight).sum(),
            Data::Table(entries) => {
                entries.iter().map(|entry| NODE + entry.key.len() + entry.value.weight()).sum()
            }
        }
    }
}

// === impl Lines ===

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(breaks.map(|(offset, _)| offset + 1)).collect();
        Self { text, starts }
    }

    pub(super) fn position(&self, offset: usize) -> Position {
        /// Counting characters along a minified file would cost quadratic time.
        const COUNTED_BYTES_MAX: usize = 4096;
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|index| self.starts.get(index)).copied();
        let start = start.unwrap_or(0);
        let column = match self.text.get(start..offset) {
            Some(before) if before.len() <= COUNTED_BYTES_MAX => before.chars().count(),
            _ => offset.saturating_sub(start),
        };
        Position { line, column: column + 1 }
    }
}
