//! The inventory: what no workload explains, and making one of it.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use tally_ingest::edge::{self, Problem};
use tally_store::catalog::{Inventory, Seen, Unexplained, draft, inventory};
use tally_types::{
    KeyName, Name, PersonName,
    spec::{AccessRequestSpec, WorkloadSpec},
};
use tally_warehouse::{Field, Filter, Measure, NamedRange, Range};

use super::numbers::{question, rows};
use crate::{
    approvals::refused,
    caller::Caller,
    query::ask,
    resources::{BODY_BYTES_MAX, check_kept_prompts, created_at},
    scope::Scope,
    state::Api,
    store_problem::problem,
};

/// A row of the inventory, and what its workload is to be.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RegisterFromInventory")]
pub(super) struct Register {
    /// What the workload is called.
    name: Name,
    /// The key of the row, which is bound to it.
    #[serde(default)]
    key: Option<KeyName>,
    /// The application of the row.
    #[serde(default)]
    application: Option<String>,
    /// The user agent of the row.
    #[serde(default)]
    user_agent: Option<String>,
    /// Fields of the workload; what is left out is guessed.
    #[serde(default)]
    spec: Map<String, Value>,
}

/// `GET /api/v1/inventory`
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
) -> Result<Json<Inventory>, Problem> {
    found(&api, &scope).await.map(Json)
}

/// `POST /api/v1/inventory/register`
pub(super) async fn register(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, Problem> {
    let new: Register = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let found = found(&api, &Scope::All).await?;
    let (key, application, agent) =
        (new.key.as_ref(), new.application.as_deref(), new.user_agent.as_deref());
    let mut row = found.items.into_iter().find(|row| row.is_of(key, application, agent));
    // What was just bound, or never called, may be entered all the same.
    let row = row.get_or_insert_with(Unexplained::default);
    if let Some(owner) = new.spec.get("owner").and_then(Value::as_str) {
        row.likely_owner = owner.parse::<PersonName>().ok();
    }
    let spec = drafted(&api, row, new.spec)?;
    check_kept_prompts(&caller, spec.keep_prompts)?;
    let note = format!(
        "from the inventory: key {}, application {}",
        key.map_or("unknown", KeyName::as_str),
        application.unwrap_or("unknown")
    );
    let key = new.key.map(|key| key.0);
    let store = &api.state.store;
    let made = store.register_workload(&caller.actor(), new.name, &spec, key, Some(note)).await;
    let made = made.map_err(problem)?;
    api.reached_gateway().await;
    Ok(created_at(&made, Json(&made).into_response()))
}

/// What can be guessed, and over it what was given.
fn drafted(
    api: &Api,
    row: &Unexplained,
    given: Map<String, Value>,
) -> Result<WorkloadSpec, Problem> {
    let snapshot = api.state.store.snapshot();
    // Given in full, nothing has to be guessed.
    if let Ok(whole) = serde_json::from_value(Value::Object(given.clone())) {
        return Ok(whole);
    }
    let guessed = match draft(&snapshot, row) {
        Ok(spec) => spec,
        Err(error) => return Err(refused::<AccessRequestSpec>(error)),
    };
    let mut spec =
        serde_json::to_value(guessed).map_err(|error| Problem::internal("the workload", &error))?;
    if let Some(fields) = spec.as_object_mut() {
        fields.extend(given);
    }
    serde_json::from_value(spec).map_err(|error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "spec_invalid", error.to_string())
            .with_next_step("correct the fields of `spec`; they are those of a workload")
    })
}

async fn found(api: &Api, scope: &Scope) -> Result<Inventory, Problem> {
    let fields = [Field::Key, Field::Application, Field::UserAgent, Field::Model, Field::Person];
    let measures = vec![Measure::SpendUsd, Measure::Tokens, Measure::Calls];
    let mut query = question(measures, &fields, Range::Named(NamedRange::Last30Days));
    query.filters.push(Filter::eq(Field::Workload, "unattributed"));
    scope.narrow(&mut query.filters);
    let now = api.state.clock.now();
    let answer = ask(api, move |warehouse| warehouse.query(&query, now)).await?;
    let seen = rows(&answer).map(|row| Seen {
        key: row.text("key"),
        application: row.text("application"),
        user_agent: row.text("user_agent"),
        model: row.text("model"),
        person: row.text("person"),
        calls: row.count("calls"),
        tokens: row.count("tokens"),
        spend_usd: row.money("spend_usd").unwrap_or_default(),
    });
    Ok(inventory(&api.state.store.snapshot(), seen.collect()))
}
