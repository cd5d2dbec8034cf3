//! The prices that hold now.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tally_ingest::edge::{Caller, Problem};
use tally_pricing::Found;
use tally_types::spec::PriceEntry;

use crate::{params, state::Api};

const PAGE: u32 = 100;
const PAGE_MAX: u32 = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PricesQuery {
    /// Of this provider, as price lists name it.
    provider: Option<String>,
    /// Of models whose name begins with this.
    #[serde(default)]
    model: String,
    limit: Option<u32>,
    /// How many to leave out first: the `next` of the page before.
    #[serde(default)]
    offset: usize,
}

/// A price with where it stands.
#[derive(Serialize)]
struct Price<'a> {
    list: &'a str,
    version: &'a str,
    #[serde(flatten)]
    entry: &'a PriceEntry,
}

/// `GET /api/v1/prices`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<PricesQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let query = params::query(query)?;
    let limit = params::limit(query.limit, PAGE, PAGE_MAX)?;
    let wanted = |found: &Found<'_>| {
        query.provider.as_ref().is_none_or(|provider| found.entry.provider == *provider)
            && found.entry.model.starts_with(&query.model)
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    // One more than asked for tells whether there is a next page.
    let mut found: Vec<Found<'_>> = caller
        .plane
        .prices()
        .entries(api.state.clock.now())
        .filter(wanted)
        .skip(query.offset)
        .take(limit + 1)
        .collect();
    let next = (found.len() > limit).then(|| query.offset.saturating_add(limit));
    found.truncate(limit);
    let items: Vec<Price<'_>> = found
        .iter()
        .map(|found| Price { list: found.list, version: found.version, entry: found.entry })
        .collect();
    Ok(Json(json!({ "items": items, "next": next })))
}
