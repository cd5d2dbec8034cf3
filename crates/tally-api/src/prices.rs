//! The prices that hold now.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_ingest::edge::Problem;
use tally_pricing::Found;
use tally_types::spec::PriceEntry;

use crate::{
    caller::Caller,
    operation::{Access, Operation},
    params::{self, Page},
    state::Api,
};

const PAGE: u32 = 100;
const PAGE_MAX: u32 = 1_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PricesQuery {
    /// Of this provider, as price lists name it.
    provider: Option<String>,
    /// Of models whose name begins with this.
    #[serde(default)]
    model: String,
    /// How many at most, 1 to 1,000; by default 100.
    limit: Option<u32>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// A price with where it stands.
#[derive(Serialize, JsonSchema)]
struct Price {
    /// The price list that states it.
    list: String,
    /// The version of that list.
    version: String,
    #[serde(flatten)]
    entry: PriceEntry,
}

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("listPrices", "/api/v1/prices", Access::SignedIn, list)
            .about("prices", "Prices that hold now", "Of all price lists, shipped and applied.")
            .query::<PricesQuery>()
            .reply::<Page<Price>>("Prices, in US dollars per token."),
    ]
}

/// `GET /api/v1/prices`
async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<PricesQuery>, QueryRejection>,
) -> Result<Json<Page<Price>>, Problem> {
    let query = params::query(query)?;
    let limit = params::limit(query.limit, PAGE, PAGE_MAX)?;
    let offset: usize = params::parsed("after", query.after.as_deref())?.unwrap_or(0);
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
        .skip(offset)
        .take(limit + 1)
        .collect();
    let next = (found.len() > limit).then(|| offset.saturating_add(limit).to_string());
    found.truncate(limit);
    let price = |found: Found<'_>| Price {
        list: found.list.to_owned(),
        version: found.version.to_string(),
        entry: found.entry.clone(),
    };
    Ok(Json(Page { items: found.into_iter().map(price).collect(), next }))
}
