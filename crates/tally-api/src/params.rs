//! What stands in paths and query strings.

use std::str::FromStr;

use axum::extract::{Query, RawPathParams, rejection::QueryRejection};
use http::StatusCode;
use tally_ingest::edge::Problem;
use tally_types::{EventId, Kind, Name};

/// The decoded parameters of a path.
#[derive(Debug, Clone, Default)]
pub(crate) struct PathParams(Vec<(String, String)>);

// === impl PathParams ===

impl PathParams {
    pub(crate) fn new(raw: &RawPathParams) -> Self {
        Self(raw.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn get(&self, wanted: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }

    /// The kind, where the path has one.
    pub(crate) fn kind(&self) -> Option<Result<Kind, Problem>> {
        self.get("kinds").map(|text| {
            text.parse::<Kind>().map_err(|error| {
                let plurals: Vec<&str> = Kind::ALL.iter().map(|kind| kind.plural()).collect();
                Problem::new(StatusCode::NOT_FOUND, "path_unknown", error.to_string())
                    .with_next_step(format!("expected one of {}", plurals.join(", ")))
            })
        })
    }

    /// The kind that the path must have.
    pub(crate) fn require_kind(&self) -> Result<Kind, Problem> {
        self.kind().unwrap_or_else(|| Err(missing("kind")))
    }

    /// The name that the path must have.
    pub(crate) fn name(&self) -> Result<Name, Problem> {
        let text = self.get("name").ok_or_else(|| missing("name"))?;
        text.parse().map_err(|error: tally_types::NameError| {
            Problem::bad_request("name_invalid", error.to_string())
        })
    }

    /// The id that the path must have.
    pub(crate) fn event_id(&self) -> Result<EventId, Problem> {
        let text = self.get("id").ok_or_else(|| missing("id"))?;
        text.parse()
            .map_err(|_| Problem::bad_request("id_invalid", "expected the id of an event, a UUID"))
    }
}

fn missing(what: &str) -> Problem {
    Problem::bad_request("path_invalid", format!("the path lacks a {what}"))
}

/// The query string, or what is wrong with it.
pub(crate) fn query<T>(parsed: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    parsed
        .map(|Query(value)| value)
        .map_err(|rejection| Problem::bad_request("query_invalid", rejection.body_text()))
}

/// A parameter parsed, if it is there.
pub(crate) fn parsed<T: FromStr<Err: std::fmt::Display>>(
    field: &'static str,
    text: Option<&str>,
) -> Result<Option<T>, Problem> {
    text.filter(|text| !text.is_empty())
        .map(|text| {
            text.parse().map_err(|error| {
                Problem::bad_request("query_invalid", format!("`{field}`: {error}"))
            })
        })
        .transpose()
}

/// How many to show: what was asked for within bounds, or the default.
pub(crate) fn limit(asked: Option<u32>, default: u32, most: u32) -> Result<u32, Problem> {
    match asked {
        None => Ok(default),
        Some(limit) if (1..=most).contains(&limit) => Ok(limit),
        Some(_) => {
            let detail = format!("`limit`: expected 1 to {most}");
            Err(Problem::bad_request("query_invalid", detail))
        }
    }
}
