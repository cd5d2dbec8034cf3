//! The minutes of what was asked for, made from the audit trail.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_types::{Name, Timestamp, spec::GrantState};

use super::{
    Request, Step,
    decide::unfilled,
    wording::{asked, moment},
};
use crate::{AuditEntry, AuditFilter, Snapshot, Store, StoreError};

/// It has hardly more steps than people.
const STEPS_MAX: u32 = 1_000;

/// One line of the minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Minute {
    /// When.
    pub at: Timestamp,
    /// Who; `tally` for what it does by itself.
    pub by: String,
    /// What, as a sentence that begins with who.
    pub what: String,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

pub(crate) async fn read<T: Request>(
    store: &Store,
    name: &Name,
) -> Result<Vec<Minute>, StoreError> {
    let filter = AuditFilter {
        kind: Some(T::KIND),
        name: Some(name.clone()),
        limit: STEPS_MAX,
        ..AuditFilter::default()
    };
    let entries = store.audit(filter).await?;
    let snapshot = store.snapshot();
    Ok(entries.iter().flat_map(|entry| minutes::<T>(&snapshot, entry)).collect())
}

/// What one entry of the audit trail says, in one sentence or two.
fn minutes<T: Request>(snapshot: &Snapshot, entry: &AuditEntry) -> Vec<Minute> {
    let read = |spec: Option<&serde_json::Value>| T::deserialize(spec?).ok();
    let before: Option<T> = read(entry.before.as_ref());
    let Some(now) = read(entry.after.as_ref()).or_else(|| before.clone()) else {
        return Vec::new();
    };
    let line = |by: &str, what: String, note: Option<String>| Minute {
        at: entry.time,
        by: by.to_owned(),
        what,
        note,
    };
    let by = person_of(&entry.actor);
    let note = entry.note.clone();
    // The first step that is written with this action tells which one it was.
    match Step::ALL.iter().find(|step| T::action(**step) == entry.action) {
        Some(Step::Requested) => {
            let told = line("tally", format!("told {}", asked(now.needs())), None);
            vec![line(by, now.asked_for(snapshot), note), told]
        }
        Some(Step::Escalated) => {
            let what =
                format!("nobody decided in time: {} may decide now, too", T::LAST_RESORT_MANY);
            vec![line("tally", what, None)]
        }
        Some(Step::Expired) => {
            let was_pending = before.is_some_and(|before| before.state() == GrantState::Pending);
            let what = if was_pending { "it ended undecided" } else { "it ended by itself" };
            vec![line("tally", what.to_owned(), None)]
        }
        Some(Step::Revoked) => vec![line(by, "revoked it".to_owned(), note)],
        Some(Step::Withdrawn) => vec![line(by, "took the request back".to_owned(), note)],
        Some(Step::ArchitectureReviewed) => {
            vec![line(by, "recorded an architecture review".to_owned(), note)]
        }
        _ => vec![line(by, decision(snapshot, &now), note)],
    }
}

fn decision<T: Request>(snapshot: &Snapshot, now: &T) -> String {
    let Some(said) = now.decisions().last() else { return "changed it".to_owned() };
    let verb = match (said.approved, now.is_emergency()) {
        (true, true) => "reviewed it and found it right",
        (true, false) => "approved it",
        (false, _) => "denied it",
    };
    let role = said.role.as_str().replace('_', " ");
    let place = said.for_person.as_ref().map(|name| format!(" in the place of {name}"));
    let mut text = format!("{verb} as {role}{}", place.unwrap_or_default());
    let rest = unfilled(now);
    if said.approved && !rest.is_empty() {
        text.push_str(&format!("; still to decide: {}", asked(rest)));
    } else if said.approved {
        text.push_str(&format!("; it holds until {}", moment(snapshot, now.until())));
    }
    text
}

/// `ada` of `Person/ada via Key/ada-laptop`.
fn person_of(actor: &str) -> &str {
    let first = actor.split(" via ").next().unwrap_or(actor);
    first.strip_prefix("Person/").unwrap_or(first)
}
