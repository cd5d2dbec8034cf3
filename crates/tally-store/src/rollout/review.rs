//! The quarter's review of policies and prices: what changed, what was decided, and the
//! minutes.

use std::fmt::Write as _;

use jiff::{Timestamp, ToSpan as _, civil::Date};
use schemars::JsonSchema;
use serde::Serialize;
use tally_types::{
    Kind, Name, PersonName, Resource,
    spec::{MeetingState, QuarterlyReviewSpec, ReviewDecision, ReviewSubject, RolloutStage},
};

use crate::{
    AuditAction, AuditEntry, Snapshot, Store, StoreError,
    approvals::moment,
    catalog::markdown_line as line,
    records::{maybe_text, refused, text},
};

/// So much can be decided in a quarter.
const DECISIONS_MAX: usize = 200;

/// A decision as it is recorded.
#[derive(Debug, Clone)]
pub struct NewDecision {
    /// What it is about.
    pub subject: ReviewSubject,
    /// What exactly.
    pub about: Option<String>,
    /// What was decided.
    pub text: String,
    /// Who does it.
    pub owner: Option<PersonName>,
    /// Until when.
    pub due: Option<Date>,
    /// Who writes it down.
    pub by: PersonName,
    /// When.
    pub at: Timestamp,
}

/// A change in the quarter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReviewChange {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What kind of resource.
    pub kind: Kind,
    /// Which.
    pub name: Name,
    /// What was done, as the audit trail calls it.
    pub action: AuditAction,
    /// The number of its entry in the audit trail.
    pub sequence: i64,
    /// Why, where it was said.
    pub note: Option<String>,
}

/// A cost center that went to another stage in the quarter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReviewMove {
    /// Which.
    pub cost_center: Name,
    /// From where.
    pub from: RolloutStage,
    /// Where to.
    pub to: RolloutStage,
    /// When.
    pub at: Timestamp,
    /// Who decided.
    pub by: PersonName,
    /// Whether gates did not hold.
    pub overridden: bool,
    /// Why.
    pub reason: Option<String>,
}

/// A quarter's review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "QuarterlyReviewReport")]
pub struct QuarterlyReview {
    /// The quarter, as `2026-Q4`.
    pub quarter: String,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// How far it has come; null where nothing is recorded.
    pub state: Option<MeetingState>,
    /// Changes of policies, the oldest first.
    pub policies: Vec<ReviewChange>,
    /// Changes of price lists.
    pub price_lists: Vec<ReviewChange>,
    /// Changes of rate cards.
    pub rate_cards: Vec<ReviewChange>,
    /// What was done to exceptions.
    pub exceptions: Vec<ReviewChange>,
    /// Stages that cost centers went to.
    pub moves: Vec<ReviewMove>,
    /// What was decided.
    pub decisions: Vec<ReviewDecision>,
    /// Who was there.
    pub attendees: Vec<PersonName>,
    /// What else is to be remembered.
    pub note: Option<String>,
    /// Who closed it.
    pub closed_by: Option<PersonName>,
    /// When.
    pub closed_at: Option<Timestamp>,
}

/// The first day of a calendar quarter such as `2026-Q4`, and of the next one.
pub fn quarter_of(text: &str) -> Option<(Date, Date)> {
    let (year, quarter) = text.split_once("-Q")?;
    if year.len() != 4 || quarter.len() != 1 {
        return None;
    }
    let quarter: i8 = quarter.parse().ok().filter(|quarter| (1..=4).contains(quarter))?;
    let first = Date::new(year.parse().ok()?, quarter * 3 - 2, 1).ok()?;
    Some((first, first.checked_add(3.months()).ok()?))
}

/// The review of a quarter; `changes` are entries of the audit trail.
///
/// # Errors
/// The quarter lies outside the calendar.
pub fn quarterly_review(
    snapshot: &Snapshot,
    changes: &[AuditEntry],
    quarter: &str,
    (first, next): (Date, Date),
) -> Result<QuarterlyReview, jiff::Error> {
    let zone = snapshot.organization.zone();
    let from = first.to_zoned(zone.clone())?.timestamp();
    let until = next.to_zoned(zone)?.timestamp();
    let is_in = |at: Timestamp| at >= from && at < until;
    let of = |kind: Kind| -> Vec<ReviewChange> {
        let own = changes.iter().filter(|entry| entry.kind == kind && is_in(entry.time));
        own.map(ReviewChange::of).collect()
    };
    let mut moves: Vec<ReviewMove> = snapshot
        .rollouts
        .iter()
        .flat_map(|(name, record)| record.steps.iter().map(move |step| (name, step)))
        .filter(|(_, step)| is_in(step.at))
        .map(|(name, step)| ReviewMove {
            cost_center: name.clone(),
            from: step.from,
            to: step.to,
            at: step.at,
            by: step.by.clone(),
            overridden: step.overridden,
            reason: step.reason.clone(),
        })
        .collect();
    moves.sort_by_key(|step| step.at);
    let record = snapshot.quarterly_reviews.get(quarter);
    Ok(QuarterlyReview {
        quarter: quarter.to_owned(),
        from,
        until,
        state: record.map(|record| record.state),
        policies: of(Kind::Policy),
        price_lists: of(Kind::PriceList),
        rate_cards: of(Kind::RateCard),
        exceptions: of(Kind::Exception),
        moves,
        decisions: record.map(|record| record.decisions.clone()).unwrap_or_default(),
        attendees: record.map(|record| record.attendees.clone()).unwrap_or_default(),
        note: record.and_then(|record| record.note.clone()),
        closed_by: record.and_then(|record| record.closed_by.clone()),
        closed_at: record.and_then(|record| record.closed_at),
    })
}

// === impl ReviewChange ===

impl ReviewChange {
    fn of(entry: &AuditEntry) -> Self {
        Self {
            at: entry.time,
            by: entry.actor.clone(),
            kind: entry.kind,
            name: entry.name.clone(),
            action: entry.action,
            sequence: entry.sequence,
            note: entry.note.clone(),
        }
    }
}

// === impl QuarterlyReview ===

impl QuarterlyReview {
    /// The minutes as a document to keep: Markdown.
    pub fn to_markdown(&self, snapshot: &Snapshot) -> String {
        let mut text = format!("# Review of policies and prices: {}\n", self.quarter);
        if let Some(company) = &snapshot.organization_name {
            let _ = write!(text, "\n{}\n", line(company.as_str()));
        }
        let state = match (&self.closed_by, self.closed_at) {
            (Some(by), Some(at)) => format!("Closed by {by} on {}", moment(snapshot, at)),
            _ => "Not closed yet".to_owned(),
        };
        let _ = write!(text, "\n{}.\n", line(&state));
        if !self.attendees.is_empty() {
            let names: Vec<&str> = self.attendees.iter().map(PersonName::as_str).collect();
            let _ = write!(text, "\nThere: {}.\n", line(&names.join(", ")));
        }
        let changes = |all: &[ReviewChange]| -> Vec<String> {
            all.iter().map(|change| change.sentence(snapshot)).collect()
        };
        let moves = self.moves.iter().map(|step| step.sentence(snapshot)).collect();
        let decisions = self.decisions.iter().map(decision).collect();
        for (heading, lines) in [
            ("Changes of policies", changes(&self.policies)),
            ("Changes of price lists", changes(&self.price_lists)),
            ("Changes of rate cards", changes(&self.rate_cards)),
            ("Exceptions", changes(&self.exceptions)),
            ("Cost centers that moved", moves),
            ("Decisions", decisions),
        ] {
            let _ = write!(text, "\n## {heading}\n\n");
            if lines.is_empty() {
                text.push_str("None.\n");
            }
            for one in lines {
                let _ = writeln!(text, "- {}", line(&one));
            }
        }
        if let Some(note) = &self.note {
            let _ = write!(text, "\n## Notes\n\n{}\n", line(note));
        }
        text
    }
}

impl ReviewChange {
    fn sentence(&self, snapshot: &Snapshot) -> String {
        let why = self.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        let Self { name, action, by, .. } = self;
        format!("{name}: {action} by {by} on {}{why}", moment(snapshot, self.at))
    }
}

impl ReviewMove {
    fn sentence(&self, snapshot: &Snapshot) -> String {
        let Self { cost_center, from, to, by, .. } = self;
        let gates = if self.overridden { ", although gates did not hold" } else { "" };
        let why = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let at = moment(snapshot, self.at);
        format!("{cost_center}: from {from} to {to} by {by} on {at}{gates}{why}")
    }
}

fn decision(decision: &ReviewDecision) -> String {
    let ReviewDecision { number, subject, about, text, owner, due, .. } = decision;
    let about = about.as_ref().map(|about| format!(" ({about})")).unwrap_or_default();
    let owner = owner.as_ref().map(|owner| format!("; {owner} does it")).unwrap_or_default();
    let due = due.map(|due| format!(" by {due}")).unwrap_or_default();
    let subject = subject.as_str().replace('_', " ");
    format!("{number}. {subject}{about}: {text}{owner}{due}")
}

// === impl Store ===

impl Store {
    /// Records a decision of a quarter's review; gives the review with it as its last one.
    ///
    /// # Errors
    /// `Argument` without text, for a review that is closed or full; `NotFound` for who does it.
    pub async fn record_decision(
        &self,
        actor: &str,
        quarter: Name,
        new: NewDecision,
    ) -> Result<Resource, StoreError> {
        if let Some(owner) = &new.owner {
            self.require(Kind::Person, &owner.0).await?;
        }
        let (about, said) = (maybe_text(new.about)?, text(new.text)?);
        self.change_record(actor, None, quarter, AuditAction::Decide, move |spec| {
            let mut spec = open(spec)?;
            if spec.decisions.len() >= DECISIONS_MAX {
                return refused(format!("a review holds {DECISIONS_MAX} decisions at most"));
            }
            spec.decisions.push(ReviewDecision {
                number: u32::try_from(spec.decisions.len() + 1).unwrap_or(u32::MAX),
                subject: new.subject,
                about,
                text: said,
                owner: new.owner,
                due: new.due,
                by: new.by,
                at: new.at,
            });
            Ok(spec)
        })
        .await
    }

    /// Closes a quarter's review: its decisions stand.
    ///
    /// # Errors
    /// `Argument` for one that is closed, or that has neither a decision nor a note;
    /// `NotFound` for whoever is said to have been there.
    pub async fn close_quarterly_review(
        &self,
        actor: &str,
        quarter: Name,
        (by, at): (PersonName, Timestamp),
        attendees: Vec<PersonName>,
        note: Option<String>,
    ) -> Result<Resource, StoreError> {
        for person in &attendees {
            self.require(Kind::Person, &person.0).await?;
        }
        let note = maybe_text(note)?;
        self.change_record(actor, None, quarter, AuditAction::Close, move |spec| {
            let mut spec = open(spec)?;
            if spec.decisions.is_empty() && note.is_none() {
                let why = "nothing was decided; record a decision, or say in a note why not";
                return refused(why.to_owned());
            }
            spec.state = MeetingState::Closed;
            (spec.attendees, spec.note) = (attendees, note);
            (spec.closed_by, spec.closed_at) = (Some(by), Some(at));
            Ok(spec)
        })
        .await
    }
}

fn open(spec: Option<QuarterlyReviewSpec>) -> Result<QuarterlyReviewSpec, StoreError> {
    match spec {
        Some(spec) if spec.state == MeetingState::Open => Ok(spec),
        Some(_) => refused("the review is closed: what was decided stands".to_owned()),
        None => Ok(QuarterlyReviewSpec {
            state: MeetingState::Open,
            decisions: Vec::new(),
            attendees: Vec::new(),
            note: None,
            closed_by: None,
            closed_at: None,
        }),
    }
}
