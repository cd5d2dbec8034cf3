//! The quarter's review of policies and prices.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use tally_ingest::edge::{self, Problem};
use tally_store::rollout::{NewDecision, quarter_of, quarterly_review};
use tally_types::{Kind, Name, PersonName, Resource, spec::ReviewSubject};

use super::{BODY_BYTES_MAX, measure::today, refused};
use crate::{
    approvals::person,
    caller::Caller,
    catalog::governance::{AgendaFormat, changes_of, markdown},
    params::{self, PathParams},
    state::Api,
};

/// What a review looks at.
const LOOKED_AT: [Kind; 4] = [Kind::Policy, Kind::PriceList, Kind::RateCard, Kind::Exception];

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReviewQuery {
    /// The quarter of the calendar, such as `2026-Q4`; by default the one that goes on.
    quarter: Option<String>,
    /// How to answer; by default JSON.
    #[serde(default)]
    format: AgendaFormat,
}

/// Something that was decided.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewDecision")]
pub(super) struct Decision {
    /// What it is about.
    subject: ReviewSubject,
    /// What exactly, such as the name of a policy.
    #[serde(default)]
    about: Option<String>,
    /// What was decided, in 1 to 2,000 characters.
    text: String,
    /// Who does it.
    #[serde(default)]
    owner: Option<PersonName>,
    /// Until when.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    due: Option<Date>,
}

/// The end of a review.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReviewClosing")]
pub(super) struct Closing {
    /// Who was there.
    #[serde(default)]
    attendees: Vec<PersonName>,
    /// What else is to be remembered.
    #[serde(default)]
    note: Option<String>,
}

/// `GET /api/v1/rollout/review`
pub(super) async fn page(
    State(api): State<Arc<Api>>,
    query: Result<Query<ReviewQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let ReviewQuery { quarter, format } = params::query(query)?;
    let quarter = quarter.unwrap_or_else(|| {
        let today = today(&api);
        format!("{:04}-Q{}", today.year(), (today.month() + 2) / 3)
    });
    let days = quarter_of(&quarter).ok_or_else(wrong)?;
    let snapshot = api.state.store.snapshot();
    let start = days.0.to_zoned(snapshot.organization.zone()).map_err(|_| wrong())?.timestamp();
    let mut changes = Vec::new();
    for kind in LOOKED_AT {
        changes.extend(changes_of(&api, kind, start).await?);
    }
    let review = quarterly_review(&snapshot, &changes, &quarter, days).map_err(|_| wrong())?;
    Ok(match format {
        AgendaFormat::Json => Json(review).into_response(),
        AgendaFormat::Markdown => markdown(review.to_markdown(&snapshot)),
    })
}

fn wrong() -> Problem {
    Problem::bad_request("query_invalid", "`quarter`: expected such as 2026-Q4")
}

/// The quarter that a path names, once it has begun.
fn named(api: &Api, path: &PathParams) -> Result<Name, Problem> {
    let name = path.name()?;
    let (first, _) = quarter_of(name.as_str()).ok_or_else(wrong)?;
    if first > today(api) {
        let detail = format!("`quarter`: expected one that has begun; {name} begins on {first}");
        return Err(Problem::bad_request("query_invalid", detail));
    }
    Ok(name)
}

/// `POST /api/v1/quarterly-reviews/{name}/decisions`
pub(super) async fn decide(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let (quarter, by) = (named(&api, &path)?, person(&caller)?.clone());
    let Decision { subject, about, text, owner, due } =
        edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let at = api.state.clock.now();
    let new = NewDecision { subject, about, text, owner, due, by, at };
    let done = api.state.store.record_decision(&caller.actor(), quarter, new).await;
    done.map(Json).map_err(refused)
}

/// `POST /api/v1/quarterly-reviews/{name}/close`
pub(super) async fn close(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let (quarter, by) = (named(&api, &path)?, person(&caller)?.clone());
    let bytes = edge::read(body, BODY_BYTES_MAX).await?;
    let closing = if bytes.is_empty() { Closing::default() } else { edge::json(&bytes)? };
    let Closing { attendees, note } = closing;
    let by = (by, api.state.clock.now());
    let store = &api.state.store;
    let done = store.close_quarterly_review(&caller.actor(), quarter, by, attendees, note).await;
    done.map(Json).map_err(refused)
}
