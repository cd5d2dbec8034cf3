//! Whole sets of resources at once.

use std::sync::Arc;

use axum::{Extension, Json, body::Body, extract::State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tally_ingest::edge::{self, Problem};
use tally_store::{
    ApplyOptions, ApplyReport,
    documents::{DOCUMENTS_MAX, Document},
};

use crate::{
    access::ADMINS,
    caller::Caller,
    operation::{Access, Operation},
    state::Api,
    store_problem::problem,
};

/// The largest set, in bytes.
const BODY_BYTES_MAX: usize = 32 << 20;
const SET_BYTES_MAX: usize = 128;
const NOTE_BYTES_MAX: usize = 1_024;

/// A set of resources, and what to do with it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ApplyRequest")]
struct Apply {
    /// The name of the file set; it owns what it applies.
    set: String,
    /// Delete what the set owns and the documents no longer hold.
    #[serde(default)]
    prune: bool,
    /// Report only; change nothing.
    #[serde(default)]
    dry_run: bool,
    /// Why, for the audit trail.
    #[serde(default)]
    note: Option<String>,
    /// The resources: `kind`, `name`, `spec` each.
    #[schemars(with = "Vec<serde_json::Value>")]
    documents: Vec<Document>,
}

pub(crate) fn operations() -> Vec<Operation> {
    let example = json!({
        "set": "acme", "dry_run": true,
        "documents": [{ "kind": "Team", "name": "support", "spec": { "department": "care" } }],
    });
    vec![
        Operation::post("applyResources", "/api/v1/apply", Access::Roles(ADMINS), apply)
            .about(
                "resources",
                "Apply a set of resources",
                "Creates, updates and, with `prune`, deletes: all or nothing. `dry_run` shows the difference.",
            )
            .body::<Apply>(example)
            .reply::<serde_json::Value>("What happened, or would happen, to each resource."),
    ]
}

/// `POST /api/v1/apply`
pub(crate) async fn apply(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<ApplyReport>, Problem> {
    let apply: Apply = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    apply.check()?;
    let Apply { set, prune, dry_run, note, documents } = apply;
    let options = ApplyOptions { set, prune, dry_run, note };
    let report = api.state.store.apply(&caller.actor(), documents, options).await;
    let report = report.map_err(problem)?;
    if !dry_run {
        api.reached_gateway().await;
    }
    Ok(Json(report))
}

// === impl Apply ===

impl Apply {
    fn check(&self) -> Result<(), Problem> {
        let too_long = |what: &str, bytes: usize| {
            Problem::bad_request(
                "argument_invalid",
                format!("`{what}`: expected at most {bytes} bytes"),
            )
        };
        if self.set.len() > SET_BYTES_MAX {
            return Err(too_long("set", SET_BYTES_MAX));
        }
        if self.note.as_ref().is_some_and(|note| note.len() > NOTE_BYTES_MAX) {
            return Err(too_long("note", NOTE_BYTES_MAX));
        }
        if self.documents.len() > DOCUMENTS_MAX {
            let detail = format!("expected at most {DOCUMENTS_MAX} documents");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_items", detail));
        }
        Ok(())
    }
}
