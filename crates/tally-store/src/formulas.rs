//! Formulas of the scoreboards: which one holds, and that nobody changes the one that does.

use std::collections::BTreeMap;

use tally_types::{
    Date, Kind, Name, Spec, TimeZone, Timestamp,
    spec::{OrganizationSpec, ScoringFormulaSpec},
};

use crate::{
    AuditAction, Problem, ResourceId, Snapshot, StoreError,
    state::{Entry, Plan, State},
};

/// Refuses what would score a season anew that people play already.
///
/// # Errors
/// `Invalid` for a formula that holds and would be changed or deleted, one that would begin before tomorrow, and two
/// that begin on the same day. The very first one may have begun: until then everybody knew only the standard.
pub(crate) fn check(before: &State, plan: &Plan, now: Timestamp) -> Result<(), StoreError> {
    let edits = plan.edits.iter().filter(|edit| edit.id.kind == Kind::ScoringFormula);
    let mut edits = edits.filter(|edit| edit.action != AuditAction::TakeOver).peekable();
    if edits.peek().is_none() {
        return Ok(());
    }
    let today = now.to_zoned(zone(&plan.next)).date();
    let has_first = formulas(before).any(|(_, formula)| formula.from <= today);
    let mut problems = Vec::new();
    for edit in edits {
        let was = edit.before.as_deref().and_then(formula);
        let is = edit.after.as_deref().and_then(formula);
        let message = match (was, is) {
            (Some(was), _) if was.from <= today => format!(
                "it holds since {}, and seasons are scored by it: expected another formula with a `from` after {today}",
                was.from
            ),
            (_, Some(is)) if is.from <= today && has_first => {
                format!(
                    "expected a day after today, {today}: a season is scored by the rules it began with"
                )
            }
            (_, Some(is)) => match same_day(&plan.next, &edit.id.name, is.from) {
                Some(other) => format!("`{other}` begins on {} already", is.from),
                None => continue,
            },
            (_, None) => continue,
        };
        problems.push(Problem {
            resource: ResourceId::clone(&edit.id),
            origin: None,
            field: Some("from".to_owned()),
            message,
            suggestion: None,
        });
    }
    if problems.is_empty() { Ok(()) } else { Err(StoreError::Invalid(problems)) }
}

fn formula(entry: &Entry) -> Option<&ScoringFormulaSpec> {
    match &entry.typed {
        Spec::ScoringFormula(spec) => Some(spec),
        _ => None,
    }
}

fn formulas(state: &State) -> impl Iterator<Item = (&Name, &ScoringFormulaSpec)> {
    state.of_kind(Kind::ScoringFormula).filter_map(|(name, entry)| Some((name, formula(entry)?)))
}

fn same_day<'a>(state: &'a State, name: &Name, from: Date) -> Option<&'a Name> {
    formulas(state)
        .find(|(other, spec)| *other != name && spec.from == from)
        .map(|(other, _)| other)
}

fn zone(state: &State) -> TimeZone {
    let organization = state.of_kind(Kind::Organization).find_map(|(_, entry)| {
        let Spec::Organization(spec) = &entry.typed else { return None };
        Some(OrganizationSpec::zone(spec))
    });
    organization.unwrap_or(TimeZone::UTC)
}

// === impl Snapshot ===

impl Snapshot {
    /// The formula that holds on a day, with its name: the newest that began by then, else the standard.
    pub fn scoring_formula_on(&self, day: Date) -> (String, ScoringFormulaSpec) {
        newest(&self.scoring_formulas, day).map_or_else(
            || (ScoringFormulaSpec::STANDARD.to_owned(), ScoringFormulaSpec::default()),
            |(name, formula)| (name.to_string(), formula.clone()),
        )
    }
}

fn newest(
    formulas: &BTreeMap<Name, ScoringFormulaSpec>,
    day: Date,
) -> Option<(&Name, &ScoringFormulaSpec)> {
    let begun = formulas.iter().filter(|(_, formula)| formula.from <= day);
    begun.max_by_key(|(_, formula)| formula.from)
}
