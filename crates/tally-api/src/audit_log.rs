//! The audit trail as a log that a third party can prove untouched: checkpoints, proofs,
//! keys, the export.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use futures::stream;
use http::{HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tally_ingest::edge::Problem;
use tally_store::{AuditAction, StoreError, log::KeptCheckpoint};
use tally_types::{Role, Timestamp};

use crate::{
    caller::Caller,
    operation::{Access, Operation},
    params,
    state::Api,
    store_problem::problem,
};

const TAG: &str = "audit";
/// Who may prove the log, and take it out of the house.
const PROVERS: &[Role] = &[Role::Admin, Role::Security, Role::Auditor];
const KEEPERS: &[Role] = &[Role::Admin, Role::Security];

/// A signed checkpoint.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuditCheckpoint")]
struct CheckpointLine {
    /// How many entries it attests.
    size: u64,
    /// When it was signed.
    made: Timestamp,
    /// The signed note (C2SP tlog-checkpoint): give it to someone else to keep.
    checkpoint: String,
}

/// A key that signs checkpoints.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuditKey")]
struct KeyLine {
    /// The public key, as verifiers of signed notes take it.
    key: String,
    /// The entry that introduced it.
    since: u64,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuditKeys")]
struct KeyLines {
    /// The oldest first; the last one signs.
    keys: Vec<KeyLine>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProofQuery {
    /// The sequence of the entry.
    entry: u64,
    /// Against the checkpoint of this size; by default the newest.
    size: Option<u64>,
}

/// An entry and what proves that it is in the log: a file for `tally audit verify`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuditProof")]
struct ProofReply {
    /// The entry, with what opens the commitments in its leaf.
    entry: Value,
    /// The hashes that lead from its leaf to the root, the lowest first.
    inclusion: Vec<String>,
    /// The signed checkpoint of that root.
    checkpoint: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ConsistencyQuery {
    /// The size of the smaller log.
    from: u64,
    /// The size of the larger log.
    to: u64,
}

/// What shows that a log only grew (RFC 6962, section 2.1.2).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuditConsistency")]
struct ConsistencyReply {
    from: u64,
    from_root: String,
    to: u64,
    to_root: String,
    /// The proof.
    hashes: Vec<String>,
}

pub(crate) fn operations() -> Vec<Operation> {
    let (provers, keepers) = (Access::Roles(PROVERS), Access::Roles(KEEPERS));
    vec![
        Operation::get("getAuditCheckpoint", "/api/v1/audit/checkpoint", provers, latest)
            .about(TAG, "The newest checkpoint", "The size and root hash of the audit log, signed. Whoever keeps it can tell later whether the log was rewritten.")
            .reply::<CheckpointLine>("The checkpoint."),
        Operation::post("createAuditCheckpoint", "/api/v1/audit/checkpoints", provers, sign)
            .about(TAG, "Sign the log now", "Gives the one there is when nothing happened since.")
            .reply::<CheckpointLine>("The checkpoint.")
            .unaudited(),
        Operation::get("getAuditProof", "/api/v1/audit/proof", provers, proof)
            .about(TAG, "Prove one entry", "For someone who does not get the other entries.")
            .query::<ProofQuery>()
            .reply::<ProofReply>("The entry and its proof."),
        Operation::get("getAuditConsistency", "/api/v1/audit/consistency", provers, consistency)
            .about(TAG, "Prove that the log only grew", "Between two sizes, such as those of two checkpoints.")
            .query::<ConsistencyQuery>()
            .reply::<ConsistencyReply>("The proof, with both root hashes."),
        Operation::get("exportAudit", "/api/v1/audit/export", provers, export)
            .about(TAG, "Export the whole log", "One JSON object a line, streamed, for `tally audit verify`. The export itself is in it.")
            .text("application/x-ndjson", "The log."),
        Operation::get("listAuditKeys", "/api/v1/audit/keys", provers, keys)
            .about(TAG, "Keys that sign the log", "With the entries that introduced them.")
            .reply::<KeyLines>("The keys."),
        Operation::post("rotateAuditKey", "/api/v1/audit/keys", keepers, rotate)
            .about(TAG, "Sign with a new key", "The key before introduces it in the log.")
            .reply::<KeyLine>("The new public key."),
    ]
}

/// Writes down that something left the house.
///
/// # Errors
/// When it cannot be written down; then it must not leave.
pub(crate) async fn exported(api: &Api, caller: &Caller, what: Value) -> Result<(), Problem> {
    let log = api.state.store.log();
    log.record(&caller.actor(), AuditAction::Export, what).await.map_err(problem)
}

/// `GET /api/v1/audit/checkpoint`
async fn latest(State(api): State<Arc<Api>>) -> Result<Json<CheckpointLine>, Problem> {
    let kept = api.state.store.log().latest().await.map_err(problem)?;
    kept.map(line).ok_or_else(|| {
        let detail = "no checkpoint was signed yet";
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
            .with_next_step("have one signed with `POST /api/v1/audit/checkpoints`")
    })
}

/// `POST /api/v1/audit/checkpoints`
async fn sign(State(api): State<Arc<Api>>) -> Result<Json<CheckpointLine>, Problem> {
    api.state.store.log().checkpoint().await.map(line).map_err(problem)
}

fn line(kept: KeptCheckpoint) -> Json<CheckpointLine> {
    let KeptCheckpoint { size, note, made } = kept;
    Json(CheckpointLine { size, made, checkpoint: note })
}

/// `GET /api/v1/audit/proof`
async fn proof(
    State(api): State<Arc<Api>>,
    query: Result<Query<ProofQuery>, QueryRejection>,
) -> Result<Json<ProofReply>, Problem> {
    let ProofQuery { entry, size } = params::query(query)?;
    let proof = api.state.store.log().prove(entry, size).await.map_err(problem)?;
    Ok(Json(ProofReply {
        entry: serde_json::to_value(&proof.entry)
            .map_err(|error| Problem::internal("the proof", &error))?,
        inclusion: proof.inclusion.iter().map(ToString::to_string).collect(),
        checkpoint: proof.checkpoint,
    }))
}

/// `GET /api/v1/audit/consistency`
async fn consistency(
    State(api): State<Arc<Api>>,
    query: Result<Query<ConsistencyQuery>, QueryRejection>,
) -> Result<Json<ConsistencyReply>, Problem> {
    let ConsistencyQuery { from, to } = params::query(query)?;
    let log = api.state.store.log();
    let hashes = log.consistency(from, to).await.map_err(problem)?;
    Ok(Json(ConsistencyReply {
        from,
        from_root: log.root(from).await.map_err(problem)?.to_string(),
        to,
        to_root: log.root(to).await.map_err(problem)?.to_string(),
        hashes: hashes.iter().map(ToString::to_string).collect(),
    }))
}

/// `GET /api/v1/audit/export`
async fn export(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    exported(&api, &caller, json!({ "what": "audit log" })).await?;
    let log = api.state.store.log();
    let (first, export) = log.export().await.map_err(problem)?;
    let lines =
        stream::try_unfold((Some(first), export, log), |(first, mut export, log)| async move {
            let lines = match first {
                Some(first) => Some(first),
                None => log.export_more(&mut export).await?,
            };
            Ok::<_, StoreError>(lines.map(|lines| (lines, (None, export, log))))
        });
    let mut response = Body::from_stream(lines).into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("application/x-ndjson");
    headers.insert(header::CONTENT_TYPE, kind);
    let name = HeaderValue::from_static("attachment; filename=\"tally-audit.ndjson\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}

/// `GET /api/v1/audit/keys`
async fn keys(State(api): State<Arc<Api>>) -> Result<Json<KeyLines>, Problem> {
    let keys = api.state.store.log().keys().await.map_err(problem)?;
    let lines = keys.into_iter().map(|key| KeyLine { key: key.key, since: key.since });
    Ok(Json(KeyLines { keys: lines.collect() }))
}

/// `POST /api/v1/audit/keys`
async fn rotate(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<KeyLine>, Problem> {
    let key = api.state.store.log().rotate_key(&caller.actor()).await.map_err(problem)?;
    Ok(Json(KeyLine { key: key.key, since: key.since }))
}
