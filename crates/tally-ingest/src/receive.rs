//! The two doors: who may enter, what is kept, what is answered.

use axum::{
    Extension, Json,
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tally_journal::JournalError;
use tally_types::{KeyScope, Record};

use crate::{
    IngestState,
    edge::{self, Caller, Problem},
    event, items, outcome,
};

/// The largest body, in bytes.
pub const BODY_BYTES_MAX: usize = 20 << 20;
/// A report names at most so many rejected items.
const REJECTED_MAX: usize = 1_000;
/// A full journal empties as fast as the warehouse takes its rows.
const RETRY_AFTER_S: u64 = 30;

/// What became of the items of a body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestReport {
    /// Kept.
    pub accepted: usize,
    /// Waiting here already, so nothing changed.
    pub duplicates: usize,
    /// Not kept, and why; at most 1,000.
    pub rejected: Vec<Rejected>,
    /// How many more were not kept.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rejected_not_shown: usize,
}

/// An item that was not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Which one, counted from 0; of lines, empty ones do not count.
    pub index: usize,
    /// What is wrong with it.
    pub message: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Lets in who shows a key.
pub(crate) async fn authenticate(
    State(state): State<IngestState>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = Caller::identify(&state.gateway, request.headers(), state.clock.now());
    match caller.and_then(|caller| caller.require(KeyScope::Ingest).map(|()| caller)) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// `POST /ingest/v1/outcomes`
pub(crate) async fn outcomes(
    State(state): State<IngestState>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, Problem> {
    let bytes = edge::read(body, BODY_BYTES_MAX).await?;
    let now = state.clock.now();
    let (records, report) =
        sort(&bytes, |item| outcome::read(&caller, item, now).map(Record::Outcome))?;
    keep(&state, "outcomes", &records, report).await
}

/// `POST /ingest/v1/events`
pub(crate) async fn events(
    State(state): State<IngestState>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, Problem> {
    let bytes = edge::read(body, BODY_BYTES_MAX).await?;
    let (records, report) = {
        let reader = event::Reader::new(&caller, state.clock.now());
        sort(&bytes, |item| reader.read(item).map(|event| Record::Usage(Box::new(event))))?
    };
    keep(&state, "events", &records, report).await
}

/// Sorts the items into what is valid and what is not.
fn sort(
    bytes: &[u8],
    read: impl Fn(&str) -> Result<Record, String>,
) -> Result<(Vec<Record>, IngestReport), Problem> {
    let mut report = IngestReport::default();
    let mut records = Vec::new();
    for (index, item) in items::split(bytes)?.into_iter().enumerate() {
        match item.and_then(&read) {
            Ok(record) => records.push(record),
            Err(message) => report.reject(index, message),
        }
    }
    Ok((records, report))
}

async fn keep(
    state: &IngestState,
    kind: &'static str,
    records: &[Record],
    mut report: IngestReport,
) -> Result<Response, Problem> {
    let kept = match records {
        [] => tally_journal::Appended::default(),
        _ => state.journal.append(records).await.map_err(|error| refused(&error))?,
    };
    report.accepted = kept.accepted;
    report.duplicates = kept.duplicates;
    report.count(kind);
    let nothing_valid = records.is_empty() && !report.rejected.is_empty();
    let status = if nothing_valid { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Json(report)).into_response())
}

fn refused(error: &JournalError) -> Problem {
    tracing::error!(%error, "the journal did not take a batch");
    let (code, detail) = match error {
        JournalError::Full => ("journal_full", "the journal is full; nothing of this was kept"),
        JournalError::Closed => ("shutting_down", "Tally is shutting down; nothing was kept"),
        _ => ("journal_failed", "the journal could not be written; nothing of this was kept"),
    };
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
        .with_next_step("send the same again later; what was kept already counts once")
        .with_retry_after(RETRY_AFTER_S)
}

// === impl IngestReport ===

impl IngestReport {
    fn reject(&mut self, index: usize, message: String) {
        if self.rejected.len() < REJECTED_MAX {
            self.rejected.push(Rejected { index, message });
        } else {
            self.rejected_not_shown += 1;
        }
    }

    fn count(&self, kind: &'static str) {
        let rejected = self.rejected.len() + self.rejected_not_shown;
        let counts =
            [("accepted", self.accepted), ("duplicate", self.duplicates), ("rejected", rejected)];
        for (result, count) in counts {
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            metrics::counter!("tally_ingest_records_total", "kind" => kind, "result" => result)
                .increment(count);
        }
    }
}
