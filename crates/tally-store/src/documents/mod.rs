//! Files of resources: YAML, TOML and JSON, with errors that name file, line and field.
//!
//! A document is a table with `kind`, `name` and `spec`. YAML separates documents by
//! `---`, TOML has `[[resource]]` tables, JSON one object or an array of objects.

mod json;
mod node;
mod toml;
mod yaml;

use std::{collections::HashMap, fmt, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tally_types::{Kind, Name};

use crate::{ResourceId, check, error::meant, suggest::closest};
use node::{Data, Failure, Node, Position};

/// A file is at most this large, in bytes.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A file holds at most this many documents.
pub const DOCUMENTS_MAX: usize = 100_000;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// YAML 1.2.
    Yaml,
    /// TOML 1.
    Toml,
    /// JSON.
    Json,
}

/// One resource as written in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Which kind.
    pub kind: Kind,
    /// Unique within the kind.
    pub name: Name,
    /// What is asked for, checked against the kind's shape.
    pub spec: Value,
    /// The file's name, as given to [`parse_documents`]; empty when there was none.
    #[serde(default)]
    pub file: String,
    /// The line its first field is on, counted from 1; 0 when unknown.
    #[serde(default)]
    pub line: usize,
}

/// One mistake in a file.
///
/// Displayed as ``acme.yaml:12: Budget/support-month: stages[1].att: unknown field; did you
/// mean `at`?``.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub struct DocumentError {
    /// The file's name.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// The resource, as `Kind/name`, as far as it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Path of the field within the spec, or `kind`, `name`, `spec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What was expected.
    pub message: String,
    /// What was probably meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

/// Reads a file's text into documents and checks each spec against its kind.
///
/// `file` only names the file in errors. References between resources are not checked
/// here: their targets may be elsewhere.
///
/// # Errors
/// Every mistake of every document: syntax, unknown kinds and fields, wrong values, and
/// the same kind and name twice. A file over [`FILE_BYTES_MAX`] or with more than
/// [`DOCUMENTS_MAX`] documents is refused.
pub fn parse_documents(
    file: &str,
    text: &str,
    format: Format,
) -> Result<Vec<Document>, Vec<DocumentError>> {
    let start = Position { line: 1, column: 1 };
    if text.len() > FILE_BYTES_MAX {
        let message =
            format!("the file has {} bytes, expected at most {FILE_BYTES_MAX}", text.len());
        return Err(vec![at(file, start, message)]);
    }
    let nodes = match format {
        Format::Yaml => yaml::read(text),
        Format::Toml => toml::read(text),
        Format::Json => json::read(text),
    };
    if nodes.len() > DOCUMENTS_MAX {
        let message =
            format!("the file has {} documents, expected at most {DOCUMENTS_MAX}", nodes.len());
        return Err(vec![at(file, start, message)]);
    }
    let mut errors = Vec::new();
    let mut documents = Vec::with_capacity(nodes.len());
    for node in nodes {
        match node
            .map_err(|failure| vec![broken(file, failure)])
            .and_then(|node| document(file, text, &node))
        {
            Ok(document) => documents.push(document),
            Err(found) => errors.extend(found),
        }
    }
    errors.extend(duplicates(&documents));
    errors.sort_by_key(|error| error.line);
    if errors.is_empty() { Ok(documents) } else { Err(errors) }
}

/// An error for each document whose kind and name an earlier one has, naming both places.
///
/// [`parse_documents`] looks within one file, [`Store::apply`](crate::Store::apply) over
/// the whole set.
pub fn duplicates(documents: &[Document]) -> Vec<DocumentError> {
    let mut first: HashMap<(Kind, &Name), &Document> = HashMap::new();
    let mut errors = Vec::new();
    for document in documents {
        match first.entry((document.kind, &document.name)) {
            std::collections::hash_map::Entry::Vacant(vacant) => {
                vacant.insert(document);
            }
            std::collections::hash_map::Entry::Occupied(earlier) => {
                let earlier = earlier.get();
                let place = if earlier.file == document.file {
                    format!("line {}", earlier.line)
                } else {
                    earlier.origin()
                };
                let position = Position { line: document.line, column: 1 };
                let message = format!(
                    "stands twice; the first is on {place}, this one on line {}",
                    document.line
                );
                errors.push(DocumentError {
                    column: None,
                    resource: Some(document.id().to_string()),
                    ..at(&document.file, position, message)
                });
            }
        }
    }
    errors
}

fn at(file: &str, position: Position, message: impl Into<String>) -> DocumentError {
    DocumentError {
        file: file.to_owned(),
        line: position.line,
        column: Some(position.column),
        resource: None,
        field: None,
        message: message.into(),
        suggestion: None,
    }
}

fn broken(file: &str, failure: Failure) -> DocumentError {
    let position = failure.at.unwrap_or(Position { line: 1, column: 1 });
    at(file, position, failure.message)
}

/// Reads one document's envelope and checks its spec.
fn document(file: &str, text: &str, node: &Node) -> Result<Document, Vec<DocumentError>> {
    const FIELDS: [&str; 3] = ["kind", "name", "spec"];
    let Data::Table(entries) = &node.data else {
        return Err(vec![at(file, node.at, "expected a table with `kind`, `name` and `spec`")]);
    };
    let kind = read_kind(file, node);
    let name = read_name(file, node);
    let label = match (&kind, &name) {
        (Ok(kind), Ok(name)) => Some(ResourceId::new(*kind, name.clone()).to_string()),
        _ => None,
    };
    let mut errors = Vec::new();
    for entry in entries.iter().filter(|entry| !FIELDS.contains(&entry.key.as_str())) {
        let suggestion = closest(&entry.key, FIELDS);
        let expected =
            if suggestion.is_some() { "" } else { "; expected `kind`, `name` and `spec`" };
        let message = format!("unknown field{expected}");
        errors.push(DocumentError {
            field: Some(entry.key.chars().take(64).collect()),
            suggestion,
            ..at(file, entry.at, message)
        });
    }
    let empty = Node { at: node.at, data: Data::Table(Vec::new()) };
    let spec = node.entry("spec").map(|entry| &entry.value);
    // Left empty in YAML, a spec is null; kinds whose fields are all optional allow that.
    let spec =
        spec.filter(|spec| !matches!(spec.data, Data::Scalar(Value::Null))).unwrap_or(&empty);
    let value = spec.to_value();
    if let Ok(kind) = &kind
        && let Err(problems) = check::check_new(*kind, &value)
    {
        errors.extend(problems.into_iter().map(|problem| located(file, text, spec, problem)));
    }
    match (kind, name) {
        (Ok(kind), Ok(name)) if errors.is_empty() => {
            let line = node.entry("kind").map_or(node.at, |entry| entry.at).line;
            let line = node.entry("name").map_or(line, |entry| entry.at.line.min(line));
            Ok(Document { kind, name, spec: value, file: file.to_owned(), line })
        }
        (kind, name) => {
            errors.extend(kind.err().map(|error| *error));
            errors.extend(name.err().map(|error| *error));
            errors.iter_mut().for_each(|error| error.resource.clone_from(&label));
            Err(errors)
        }
    }
}

/// A problem at its field, or at the very character of the field's text.
fn located(file: &str, text: &str, spec: &Node, problem: check::SpecProblem) -> DocumentError {
    let value = problem.offset.and_then(|_| spec.at_path(&problem.field));
    let exactly = value.zip(problem.offset).and_then(|(node, offset)| node.within(text, offset));
    let message = match exactly {
        Some(position) => format!("column {}: {}", position.column, problem.message),
        None => problem.message,
    };
    let position = exactly.unwrap_or_else(|| spec.locate(&problem.field));
    DocumentError {
        suggestion: problem.suggestion,
        ..in_field(at(file, position, message), problem.field)
    }
}

fn in_field(error: DocumentError, field: String) -> DocumentError {
    DocumentError { field: Some(field).filter(|field| !field.is_empty()), ..error }
}

fn read_kind(file: &str, node: &Node) -> Result<Kind, Box<DocumentError>> {
    let (position, word) = read_word(file, node, "kind", "a kind such as `Budget`")?;
    word.parse().map_err(|error: tally_types::UnknownKind| {
        Box::new(DocumentError {
            suggestion: closest(&word, Kind::ALL.iter().map(|kind| kind.as_str())),
            ..in_field(at(file, position, error.to_string()), "kind".to_owned())
        })
    })
}

fn read_name(file: &str, node: &Node) -> Result<Name, Box<DocumentError>> {
    let (position, word) = read_word(file, node, "name", "a name such as `support-month`")?;
    word.parse().map_err(|error: tally_types::NameError| {
        Box::new(in_field(at(file, position, error.to_string()), "name".to_owned()))
    })
}

fn read_word(
    file: &str,
    node: &Node,
    field: &str,
    expected: &str,
) -> Result<(Position, String), Box<DocumentError>> {
    let fail =
        |position, message| Err(Box::new(in_field(at(file, position, message), field.to_owned())));
    match node.entry(field) {
        None => fail(node.at, format!("required, but missing; expected {expected}")),
        Some(entry) => match &entry.value.data {
            Data::Scalar(Value::String(word)) => Ok((entry.at, word.clone())),
            Data::Scalar(Value::Number(_) | Value::Bool(_)) => {
                fail(entry.at, format!("expected {expected} (put it in quotes)"))
            }
            _ => fail(entry.at, format!("expected {expected}")),
        },
    }
}

// === impl Format ===

impl Format {
    /// The format that a path's extension tells: `yaml`, `yml`, `toml` or `json`.
    pub fn from_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "yaml" | "yml" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

// === impl Document ===

impl Document {
    /// A document that comes from no file.
    pub const fn new(kind: Kind, name: Name, spec: Value) -> Self {
        Self { kind, name, spec, file: String::new(), line: 0 }
    }

    /// Which resource it describes.
    pub fn id(&self) -> ResourceId {
        ResourceId::new(self.kind, self.name.clone())
    }

    /// Where it was written, as `file:line`.
    pub fn origin(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        for part in [&self.resource, &self.field].into_iter().flatten() {
            write!(f, "{part}: ")?;
        }
        write!(f, "{}{}", self.message, meant(self.suggestion.as_deref()))
    }
}
