//! What stands in paths and query strings.

use std::str::FromStr;

use axum::extract::{Query, RawPathParams, rejection::QueryRejection};
use schemars::JsonSchema;
use serde::Serialize;
use tally_ingest::edge::Problem;
use tally_types::Name;

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

    /// The name that the path must have.
    pub(crate) fn name(&self) -> Result<Name, Problem> {
        let text = self.get("name").ok_or_else(|| missing("name"))?;
        text.parse().map_err(|error: tally_types::NameError| {
            Problem::bad_request("name_invalid", error.to_string())
        })
    }

    /// The id that the path must have: of an event, a call, a session, an invitation.
    pub(crate) fn id<T: FromStr>(&self) -> Result<T, Problem> {
        let text = self.get("id").ok_or_else(|| missing("id"))?;
        text.parse().map_err(|_| Problem::bad_request("id_invalid", "expected an id, a UUID"))
    }
}

fn missing(what: &str) -> Problem {
    Problem::bad_request("path_invalid", format!("the path lacks a {what}"))
}

/// Some of a list, and where the rest starts.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub(crate) struct Page<T> {
    /// In the order of the list.
    pub(crate) items: Vec<T>,
    /// The `after` of the next page; null on the last one.
    pub(crate) next: Option<String>,
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
