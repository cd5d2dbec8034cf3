//! The dimensions a query can group by and filter on.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::suggest;

const TAG_PREFIX: &str = "tag:";
const TAG_BYTES_MAX: usize = 128;

/// A property of a call that answers can be split by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dimension {
    /// One of the fixed properties.
    Field(Field),
    /// A free tag, written `tag:<name>`.
    Tag(String),
}

/// A dimension as documentation and the UI show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DimensionInfo {
    /// The name in queries.
    pub name: String,
    /// The heading.
    pub label: &'static str,
    /// What it means.
    pub description: &'static str,
    /// Whether rollups hold it, so that answers stay fast over months.
    pub fast: bool,
}

macro_rules! fields {
    ($($variant:ident = $name:literal, $column:literal, $label:literal, $description:literal;)*) => {
        /// A fixed property of a call.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Field {
            $(#[doc = $description] $variant,)*
        }

        impl Field {
            /// Every field.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in queries.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The column of the events and of the rollups that hold it.
            pub(crate) const fn column(self) -> &'static str {
                match self { $(Self::$variant => $column,)* }
            }

            const fn texts(self) -> (&'static str, &'static str) {
                match self { $(Self::$variant => ($label, $description),)* }
            }
        }
    };
}

fields! {
    Person = "person", "person", "Person", "Who called.";
    Team = "team", "team", "Team", "The person's team at the time of the call.";
    Department = "department", "department", "Department", "The team's department at the time of the call.";
    CostCenter = "cost_center", "cost_center", "Cost center", "Who pays.";
    Key = "key", "key", "Key", "The virtual key used.";
    Workload = "workload", "workload", "Workload", "The registered app or workflow.";
    WorkloadClass = "workload_class", "workload_class", "Workload class", "Exploration, operational or critical.";
    Application = "application", "application", "Application", "The application as it named itself.";
    UserAgent = "user_agent", "user_agent", "User agent", "The client's whole user agent.";
    Environment = "environment", "environment", "Environment", "Production or experimentation.";
    TaskType = "task_type", "task_type", "Task type", "What kind of task.";
    TaskId = "task_id", "task_id", "Task", "Which task.";
    Session = "session", "session", "Session", "Which session of an agent.";
    ValueTag = "value_tag", "value_tag", "Value tag", "What the company hopes to gain.";
    Template = "template", "template", "Template", "The prompt template used.";
    Provider = "provider", "provider", "Provider", "Who served the call.";
    Model = "model", "model_served", "Model", "The model that served, as Tally names it.";
    ModelRequested = "model_requested", "model_requested", "Model requested", "The model the client named.";
    ModelReported = "model_reported", "model_reported", "Model reported", "The model that served, as the provider names it.";
    ModelFamily = "model_family", "model_family", "Model family", "The family of the model served.";
    Tier = "tier", "tier", "Tier", "Frontier, standard or economy.";
    ServiceTier = "service_tier", "service_tier", "Service tier", "The provider's processing tier.";
    DataClass = "data_class", "data_class", "Data class", "How sensitive the prompt was.";
    Source = "source", "source", "Source", "Where the call was seen.";
    Status = "status", "status", "Status", "How the attempt ended.";
    Counts = "counts", "counts", "Counts", "Whether the tokens were reported or estimated.";
    Operation = "operation", "operation", "Operation", "What was asked for: chat, embeddings, messages.";
    Fallback = "fallback", "fallback", "Fallback", "Why another model served than was asked for.";
    ErrorCode = "error_code", "error_code", "Error code", "What went wrong.";
    Streamed = "streamed", "streamed", "Streamed", "Whether the answer was streamed.";
    Rule = "rule", "policy_rule", "Rule", "The policy's rule that decided, or else acted.";
    PolicyDecision = "policy_decision", "policy_decision", "Policy decision", "The strictest thing that policies did: log, redact, degrade, reroute, review, deny.";
    PolicySeverity = "policy_severity", "policy_severity", "Policy severity", "The worst severity of the rules that acted.";
    Violation = "violation", "violation", "Violation", "Whether a rule refused, moved or lessened the call, or a severe one was met.";
    PriceVersion = "price_version", "price_version", "Price version", "Which price list and date priced the call.";
}

/// Every dimension, for documentation and the UI; free tags are shown as `tag:<name>`.
pub fn dimensions() -> Vec<DimensionInfo> {
    let tag = DimensionInfo {
        name: format!("{TAG_PREFIX}<name>"),
        label: "Tag",
        description: "The value of a free tag.",
        fast: false,
    };
    let info = |field: &Field| {
        let (label, description) = field.texts();
        let fast = crate::rollup::TABLES.iter().any(|table| table.holds(*field));
        DimensionInfo { name: field.name().to_owned(), label, description, fast }
    };
    Field::ALL.iter().map(info).chain([tag]).collect()
}

// === impl Dimension ===

impl Dimension {
    /// The fixed field, unless it is a tag.
    pub(crate) fn field(&self) -> Option<Field> {
        match self {
            Self::Field(field) => Some(*field),
            Self::Tag(_) => None,
        }
    }

    /// The heading of its column.
    pub fn label(&self) -> String {
        match self {
            Self::Field(field) => field.texts().0.to_owned(),
            Self::Tag(name) => name.clone(),
        }
    }

    /// SQL of its value in the events and rollups, as text or null; a tag's name
    /// is pushed as a parameter.
    pub(crate) fn sql(&self, parameters: &mut Vec<String>) -> String {
        match self {
            Self::Field(field @ (Field::Streamed | Field::Violation)) => {
                format!("{}::VARCHAR", field.column())
            }
            Self::Field(field) => format!("\"{}\"", field.column()),
            Self::Tag(name) => {
                // A JSON pointer: only these two characters mean something in it.
                parameters.push(format!("/{}", name.replace('~', "~0").replace('/', "~1")));
                "json_extract_string(tags, ?::VARCHAR)".to_owned()
            }
        }
    }
}

impl From<Field> for Dimension {
    fn from(field: Field) -> Self {
        Self::Field(field)
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => f.write_str(field.name()),
            Self::Tag(name) => write!(f, "{TAG_PREFIX}{name}"),
        }
    }
}

impl FromStr for Dimension {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(tag) = text.strip_prefix(TAG_PREFIX) {
            if tag.is_empty() || tag.len() > TAG_BYTES_MAX || tag.chars().any(char::is_control) {
                return Err(format!(
                    "`{TAG_PREFIX}` needs the name of a tag: 1 to {TAG_BYTES_MAX} bytes without control characters"
                ));
            }
            return Ok(Self::Tag(tag.to_owned()));
        }
        let known = || Field::ALL.iter().map(|field| field.name());
        Field::ALL
            .iter()
            .find(|field| field.name() == text)
            .map(|field| Self::Field(*field))
            .ok_or_else(|| suggest("dimension", text, known()))
    }
}

impl Serialize for Dimension {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Dimension {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Dimension {
    fn schema_name() -> Cow<'static, str> {
        "Dimension".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> = Field::ALL.iter().map(|field| field.name()).collect();
        json_schema!({
            "description": "A property of a call that answers can be split by",
            "anyOf": [
                {"type": "string", "enum": names},
                {"type": "string", "pattern": "^tag:.+$"},
            ],
        })
    }
}
