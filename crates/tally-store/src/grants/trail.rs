//! The minutes of a grant, made from the audit trail.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_types::{
    Kind, Name, Timestamp,
    spec::{GrantAsk, GrantSpec, GrantState},
};

use super::{
    decide::unfilled,
    wording::{amount, asked, counter_name, moment},
};
use crate::{AuditAction, AuditEntry, AuditFilter, Snapshot, Store, StoreError};

/// A grant has hardly more steps than people.
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

pub(crate) async fn read(store: &Store, name: &Name) -> Result<Vec<Minute>, StoreError> {
    let filter = AuditFilter {
        kind: Some(Kind::Grant),
        name: Some(name.clone()),
        limit: STEPS_MAX,
        ..AuditFilter::default()
    };
    let entries = store.audit(filter).await?;
    let snapshot = store.snapshot();
    Ok(entries.iter().flat_map(|entry| minutes(&snapshot, entry)).collect())
}

/// What one entry of the audit trail says, in one sentence or two.
fn minutes(snapshot: &Snapshot, entry: &AuditEntry) -> Vec<Minute> {
    let spec = entry.after.clone().or_else(|| entry.before.clone());
    let Some(grant) = spec.and_then(|spec| serde_json::from_value::<GrantSpec>(spec).ok()) else {
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
    match entry.action {
        AuditAction::RequestGrant => {
            let asked = line("tally", format!("told {}", asked(&grant.needs)), None);
            vec![line(by, request(snapshot, &grant), note), asked]
        }
        AuditAction::EscalateGrant => {
            let what = "nobody decided in time: FinOps and admins may decide now, too";
            vec![line("tally", what.to_owned(), None)]
        }
        AuditAction::ExpireGrant => {
            let before = entry.before.clone();
            let before = before.and_then(|spec| serde_json::from_value::<GrantSpec>(spec).ok());
            let was_pending = before.is_some_and(|grant| grant.state == GrantState::Pending);
            let what = if was_pending { "it ended undecided" } else { "it ended by itself" };
            vec![line("tally", what.to_owned(), None)]
        }
        AuditAction::RevokeGrant => vec![line(by, "revoked it".to_owned(), note)],
        AuditAction::WithdrawGrant => vec![line(by, "took the request back".to_owned(), note)],
        _ => vec![line(by, decision(snapshot, &grant), note)],
    }
}

fn request(snapshot: &Snapshot, grant: &GrantSpec) -> String {
    let counter = counter_name(&grant.counter);
    let until = moment(snapshot, grant.until);
    match grant.ask {
        GrantAsk::Increase(more) if grant.emergency => format!(
            "took {} more on {counter} until {until} in an emergency, before anybody approved it",
            amount(more)
        ),
        GrantAsk::Increase(more) => {
            format!("asked for {} more on {counter} until {until}", amount(more))
        }
        GrantAsk::PassStage(at) => {
            format!("{counter} reached {at} %: asked whether it may go on until {until}")
        }
    }
}

fn decision(snapshot: &Snapshot, grant: &GrantSpec) -> String {
    let Some(said) = grant.decisions.last() else { return "changed it".to_owned() };
    let verb = match (said.approved, grant.emergency) {
        (true, true) => "reviewed it and found it right",
        (true, false) => "approved it",
        (false, _) => "denied it",
    };
    let role = said.role.as_str().replace('_', " ");
    let place = said.for_person.as_ref().map(|name| format!(" in the place of {name}"));
    let mut text = format!("{verb} as {role}{}", place.unwrap_or_default());
    let rest = unfilled(grant);
    if said.approved && !rest.is_empty() {
        text.push_str(&format!("; still to decide: {}", asked(rest)));
    } else if said.approved {
        text.push_str(&format!("; it holds until {}", moment(snapshot, grant.until)));
    }
    text
}

/// `ada` of `Person/ada via Key/ada-laptop`.
fn person_of(actor: &str) -> &str {
    let first = actor.split(" via ").next().unwrap_or(actor);
    first.strip_prefix("Person/").unwrap_or(first)
}
