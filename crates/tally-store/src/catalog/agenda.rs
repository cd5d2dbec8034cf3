//! The agenda of a month's governance meeting.

use std::fmt::Write as _;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use tally_types::{
    Name, PersonName, Timestamp,
    spec::{Approvable as _, ExceptionSpec, GrantState},
};

use crate::{
    AuditEntry, Snapshot,
    approvals::{Request as _, moment},
    exceptions::repeats,
};

/// How many rules the agenda names for being met.
const VIOLATIONS_MAX: usize = 10;

/// An exception on the agenda.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AgendaException {
    /// Its name.
    pub name: Name,
    /// What it waives, for whom.
    pub what: String,
    /// The rule.
    pub rule: String,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub requested_by: PersonName,
    /// Until when.
    pub until: Timestamp,
    /// How far it has come.
    pub state: GrantState,
    /// How often it was renewed.
    pub renewals: u32,
    /// The earlier one that it repeats.
    pub repeats: Option<Name>,
    /// What the architecture review said, where there was one.
    pub architecture_review: Option<String>,
}

/// A change of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PolicyChange {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// The policy.
    pub policy: Name,
    /// What was done: `create`, `update`, `delete`, `prune`.
    pub action: String,
    /// The number of its entry in the audit trail.
    pub sequence: i64,
}

/// A workload whose choice of tier should have been looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AgendaReview {
    /// The workload.
    pub workload: Name,
    /// Who answers for it.
    pub owner: PersonName,
    /// Why it needs the tier; null where nobody ever said.
    pub reason: Option<String>,
    /// The day by which that was to be looked at.
    #[schemars(with = "Option<String>")]
    pub review_by: Option<Date>,
}

/// How often calls met a rule that refused, moved or lessened them, or a severe one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AgendaViolations {
    /// The rule, as `policy/rule`.
    pub rule: String,
    /// Calls in the month.
    pub calls: u64,
}

/// The violations of a month, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MonthViolations {
    /// By rule.
    pub by_rule: Vec<AgendaViolations>,
    /// Severe ones that nobody has looked at.
    pub open_severe: u64,
}

/// What a month's meeting talks about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Agenda {
    /// The month, as `2026-11`.
    pub month: String,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Exceptions that held or waited at some time in the month, and have not ended.
    pub open: Vec<AgendaException>,
    /// Exceptions whose time ended in the month.
    pub expired: Vec<AgendaException>,
    /// Of both, those that repeat an earlier one.
    pub repeated: Vec<AgendaException>,
    /// The rules that were met most often in the month, the first ten.
    pub top_violations: Vec<AgendaViolations>,
    /// Severe violations of the month that nobody has looked at.
    pub open_severe_violations: u64,
    /// Changes of policies in the month, oldest first.
    pub policy_changes: Vec<PolicyChange>,
    /// Model choices that were not looked at in time, or never explained.
    pub overdue_reviews: Vec<AgendaReview>,
}

/// The first day of a month such as `2026-11`, and of the next one; none for other texts.
pub fn month_of(text: &str) -> Option<(Date, Date)> {
    let (year, month) = text.split_once('-')?;
    if year.len() != 4 || month.len() != 2 {
        return None;
    }
    let first = Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?;
    Some((first, first.last_of_month().tomorrow().ok()?))
}

/// The agenda of the month from `first` until `next`; `changes` are entries of the audit trail
/// about policies.
///
/// # Errors
/// The month lies outside the calendar.
pub fn agenda(
    snapshot: &Snapshot,
    changes: &[AuditEntry],
    violations: MonthViolations,
    first: Date,
    next: Date,
) -> Result<Agenda, jiff::Error> {
    let zone = snapshot.organization.zone();
    let from = first.to_zoned(zone.clone())?.timestamp();
    let until = next.to_zoned(zone)?.timestamp();
    let (mut open, mut expired) = (Vec::new(), Vec::new());
    for (name, spec) in &snapshot.exceptions {
        if spec.requested_at >= until || spec.until <= from {
            continue;
        }
        match spec.state {
            // Of a month that is long over, what ended later was open at its end.
            GrantState::Expired if spec.until < until => {
                expired.push(on_agenda(snapshot, name, spec));
            }
            GrantState::Pending | GrantState::Approved | GrantState::Expired => {
                open.push(on_agenda(snapshot, name, spec));
            }
            GrantState::Denied | GrantState::Withdrawn | GrantState::Revoked => {}
        }
    }
    let repeated = open.iter().chain(&expired).filter(|one| one.repeats.is_some()).cloned();
    let in_month = |entry: &&AuditEntry| entry.time >= from && entry.time < until;
    let MonthViolations { by_rule: mut violations, open_severe } = violations;
    violations.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.rule.cmp(&b.rule)));
    violations.truncate(VIOLATIONS_MAX);
    let overdue = snapshot.workloads.iter().filter(|(_, spec)| spec.is_review_overdue(next));
    Ok(Agenda {
        month: first.strftime("%Y-%m").to_string(),
        from,
        until,
        repeated: repeated.collect(),
        open,
        expired,
        top_violations: violations,
        open_severe_violations: open_severe,
        policy_changes: changes.iter().filter(in_month).map(PolicyChange::of).collect(),
        overdue_reviews: overdue
            .map(|(name, spec)| AgendaReview {
                workload: name.clone(),
                owner: spec.owner.clone(),
                reason: spec.tier_rationale.as_ref().map(|rationale| rationale.reason.clone()),
                review_by: spec.tier_rationale.as_ref().map(|rationale| rationale.review_by),
            })
            .collect(),
    })
}

fn on_agenda(snapshot: &Snapshot, name: &Name, spec: &ExceptionSpec) -> AgendaException {
    AgendaException {
        name: name.clone(),
        what: spec.wanted(),
        rule: spec.rule.clone(),
        reason: spec.reason.clone(),
        requested_by: spec.requested_by.clone(),
        until: spec.until(),
        state: spec.state,
        renewals: spec.renewals,
        repeats: repeats(snapshot, name, spec).cloned(),
        architecture_review: spec.architecture_review.as_ref().map(|review| review.note.clone()),
    }
}

// === impl PolicyChange ===

impl PolicyChange {
    fn of(entry: &AuditEntry) -> Self {
        Self {
            at: entry.time,
            by: entry.actor.clone(),
            policy: entry.name.clone(),
            action: entry.action.to_string(),
            sequence: entry.sequence,
        }
    }
}

// === impl Agenda ===

impl Agenda {
    /// The agenda as a document to print: Markdown.
    pub fn to_markdown(&self, snapshot: &Snapshot) -> String {
        let mut text = format!("# Governance meeting: {}\n", self.month);
        let company = snapshot.organization_name.as_ref();
        if let Some(company) = company {
            let _ = write!(text, "\n{}\n", markdown_line(company.as_str()));
        }
        let exceptions = |list: &[AgendaException]| -> Vec<String> {
            list.iter().map(|one| exception_line(snapshot, one)).collect()
        };
        let open = self.open_severe_violations;
        let open = (open > 0).then(|| format!("Severe, and nobody has looked: {open}"));
        let violations = open.into_iter().chain(self.top_violations.iter().map(|it| {
            let calls = if it.calls == 1 { "call" } else { "calls" };
            format!("{}: {} {calls}", it.rule, it.calls)
        }));
        let changes = self.policy_changes.iter().map(|change| {
            let at = moment(snapshot, change.at);
            format!("{}: {} by {} on {at}", change.policy, change.action, change.by)
        });
        let reviews =
            self.overdue_reviews.iter().map(|review| match (review.review_by, &review.reason) {
                (Some(by), Some(reason)) => {
                    format!(
                        "{} ({}): was due on {by}. Reason: {reason}",
                        review.workload, review.owner
                    )
                }
                _ => format!(
                    "{} ({}): frontier tier, and nobody said why",
                    review.workload, review.owner
                ),
            });
        for (heading, lines) in [
            ("Open exceptions", exceptions(&self.open)),
            ("Exceptions that ended", exceptions(&self.expired)),
            ("Repeated exceptions", exceptions(&self.repeated)),
            ("Violations, by rule", violations.collect()),
            ("Changes of policies", changes.collect()),
            ("Model choices to look at", reviews.collect()),
        ] {
            let _ = write!(text, "\n## {heading}\n\n");
            if lines.is_empty() {
                text.push_str("None.\n");
            }
            for one in lines {
                let _ = writeln!(text, "- [ ] {}", markdown_line(&one));
            }
        }
        text
    }
}

fn exception_line(snapshot: &Snapshot, one: &AgendaException) -> String {
    let until = moment(snapshot, one.until);
    let mut text = format!(
        "{}: {}, asked for by {}, {} until {until}. Reason: {}",
        one.name, one.what, one.requested_by, one.state, one.reason
    );
    if let Some(repeats) = &one.repeats {
        let _ = write!(text, " (repeats {repeats})");
    }
    if one.renewals > 0 {
        let _ = write!(text, " (renewal number {})", one.renewals);
    }
    if let Some(review) = &one.architecture_review {
        let _ = write!(text, " (architecture review: {review})");
    }
    text
}

/// One line that means nothing to Markdown but what it says.
pub(crate) fn markdown_line(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '#' | '|' | '!' => plain.extend(['\\', c]),
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}
