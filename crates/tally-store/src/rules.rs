//! Rules between resources, checked on the state that a change would lead to.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tally_types::{
    Kind, Name, Spec,
    spec::{ModelSpec, OrganizationSpec, PeriodState, RateCardSpec},
};

use crate::{
    Problem, ResourceId, StoreError,
    state::{Entry, Plan, State},
};

/// Where resources were written, as `file:line`.
pub(crate) type Origins = BTreeMap<ResourceId, String>;

struct Rules<'a> {
    next: &'a State,
    touched: BTreeSet<ResourceId>,
    gone: BTreeSet<ResourceId>,
    origins: &'a Origins,
}

/// Checks everything the plan touches.
///
/// # Errors
/// `Invalid` for broken rules, else `Dangling` for references without a target.
pub(crate) fn check(plan: &Plan, origins: &Origins) -> Result<(), StoreError> {
    let (touched, gone) = plan.touched();
    let rules = Rules { next: &plan.next, touched, gone, origins };
    let mut invalid = Vec::new();
    rules.one_organization(&mut invalid);
    rules.zone_of_closed_months(plan, &mut invalid);
    if rules.touched.iter().any(|id| id.kind == Kind::Model) {
        rules.unique_model_names(&mut invalid);
        rules.no_cycles(&mut invalid);
    }
    let is_card = |id: &&ResourceId| id.kind == Kind::RateCard;
    if rules.touched.iter().chain(&rules.gone).any(|id| is_card(&id)) {
        rules.one_rate_card_a_day(&mut invalid);
    }
    if !invalid.is_empty() {
        return Err(StoreError::Invalid(invalid));
    }
    let dangling = rules.dangling();
    if dangling.is_empty() { Ok(()) } else { Err(StoreError::Dangling(dangling)) }
}

/// Who refers to a resource, with the field that does; itself aside.
pub(crate) fn users_of(state: &State, id: &ResourceId) -> Vec<(ResourceId, String)> {
    let mut users = Vec::new();
    for (user, entry) in state.entries.iter().filter(|(user, _)| *user != id) {
        for reference in entry.typed.references() {
            if reference.kind == id.kind && reference.name == id.name {
                users.push((user.clone(), reference.field));
            }
        }
    }
    users
}

impl Rules<'_> {
    fn problem(&self, id: &ResourceId, field: Option<String>, message: String) -> Problem {
        Problem {
            resource: id.clone(),
            origin: self.origins.get(id).cloned(),
            field,
            message,
            suggestion: None,
        }
    }

    fn one_organization(&self, problems: &mut Vec<Problem>) {
        let all: Vec<&Name> = self.next.of_kind(Kind::Organization).map(|(name, _)| name).collect();
        for id in self.touched.iter().filter(|id| id.kind == Kind::Organization) {
            if let Some(other) = all.iter().find(|name| ***name != id.name) {
                let message = format!("expected exactly one organization; there is `{other}` too");
                problems.push(self.problem(id, None, message));
            }
        }
    }

    /// Months are closed at midnights of a zone: in another one, calls around them would be charged twice or not at all.
    fn zone_of_closed_months(&self, plan: &Plan, problems: &mut Vec<Problem>) {
        let is_closed = |entry: &Arc<Entry>| matches!(&entry.typed, Spec::Period(month) if month.state == PeriodState::Closed);
        if !self.next.of_kind(Kind::Period).any(|(_, entry)| is_closed(entry)) {
            return;
        }
        let zone = |entry: Option<&Arc<Entry>>| match entry.map(|entry| &entry.typed) {
            Some(Spec::Organization(organization)) => organization.zone(),
            _ => OrganizationSpec::default().zone(),
        };
        for edit in plan.edits.iter().filter(|edit| edit.id.kind == Kind::Organization) {
            let closed_in = zone(edit.before.as_ref());
            if zone(edit.after.as_ref()) != closed_in {
                let name = closed_in.iana_name().unwrap_or("UTC");
                let message = format!(
                    "expected `{name}`, in which months are closed: at other midnights calls would be charged twice or not at all"
                );
                problems.push(self.problem(&edit.id, Some("time_zone".to_owned()), message));
            }
        }
    }

    fn models(&self) -> impl Iterator<Item = (&Name, &ModelSpec)> {
        self.next.of_kind(Kind::Model).filter_map(|(name, entry)| match &entry.typed {
            Spec::Model(spec) => Some((name, spec)),
            _ => None,
        })
    }

    /// A word that a client sends must mean one model.
    fn unique_model_names(&self, problems: &mut Vec<Problem>) {
        let mut meaning: BTreeMap<&str, &Name> =
            self.models().map(|(name, _)| (name.as_str(), name)).collect();
        for (name, spec) in self.models() {
            for (index, alias) in spec.aliases.iter().enumerate() {
                let Some(other) = meaning.insert(alias, name) else { continue };
                let message = if other == name {
                    format!("`{alias}` means this model already; remove it")
                } else {
                    format!("`{alias}` means model `{other}` already; expected another alias")
                };
                let own = ResourceId::new(Kind::Model, name.clone());
                let theirs = ResourceId::new(Kind::Model, other.clone());
                // Blame the model that is being changed, where its author looks.
                let (id, field) = if self.touched.contains(&own) {
                    (own, Some(format!("aliases[{index}]")))
                } else {
                    (theirs, None)
                };
                let message = match field {
                    Some(_) => message,
                    None => format!("`{alias}` is an alias of model `{name}` already"),
                };
                problems.push(self.problem(&id, field, message));
            }
        }
    }

    fn no_cycles(&self, problems: &mut Vec<Problem>) {
        let cheaper: BTreeMap<&Name, &Name> = self
            .models()
            .filter_map(|(name, spec)| spec.cheaper.as_ref().map(|cheaper| (name, &cheaper.0)))
            .collect();
        let mut known: BTreeSet<&Name> = BTreeSet::new();
        for start in self.touched.iter().filter(|id| id.kind == Kind::Model) {
            let mut chain = vec![&start.name];
            let mut at = &start.name;
            while let Some(next) = cheaper.get(at) {
                if **next == start.name || chain.contains(next) {
                    break;
                }
                chain.push(*next);
                at = *next;
            }
            let closes = cheaper.get(at).is_some_and(|next| **next == start.name);
            if closes && !known.contains(&start.name) {
                known.extend(&chain);
                let path: Vec<&str> =
                    chain.iter().chain([&&start.name]).map(|name| name.as_str()).collect();
                let message = format!(
                    "the chain of cheaper models must end, but comes back: {}",
                    path.join(" → ")
                );
                problems.push(self.problem(start, Some("cheaper".to_owned()), message));
            }
        }
    }

    /// On each day since the first card one card holds, unless the last one has ended.
    fn one_rate_card_a_day(&self, problems: &mut Vec<Problem>) {
        let cards = self.next.of_kind(Kind::RateCard).filter_map(|(name, entry)| {
            let Spec::RateCard(spec) = &entry.typed else { return None };
            Some((name, spec))
        });
        let mut cards: Vec<(&Name, &RateCardSpec)> = cards.collect();
        cards.sort_by_key(|(name, card)| (card.from, *name));
        for pair in cards.windows(2) {
            let [(before, earlier), (after, later)] = pair else { continue };
            let (field, message) = match earlier.until {
                _ if earlier.from == later.from => {
                    ("from", format!("rate card `{before}` begins on {} too", earlier.from))
                }
                Some(until) if until > later.from => (
                    "from",
                    format!(
                        "rate card `{before}` holds until {until}, `{after}` begins on {} already: \
                         they overlap; expected `until: {}` there, or none",
                        later.from, later.from
                    ),
                ),
                Some(until) if until < later.from => (
                    "from",
                    format!(
                        "no rate card holds from {until} until {}, between `{before}` and \
                         `{after}`: expected `from: {until}` here, or no `until` there",
                        later.from
                    ),
                ),
                _ => continue,
            };
            let id = ResourceId::new(Kind::RateCard, Name::clone(after));
            problems.push(self.problem(&id, Some(field.to_owned()), message));
        }
    }

    fn dangling(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (id, entry) in &self.next.entries {
            let is_touched = self.touched.contains(id);
            if !is_touched && self.gone.is_empty() {
                continue;
            }
            for reference in entry.typed.references() {
                let target = ResourceId::new(reference.kind, reference.name);
                let concerns = is_touched || self.gone.contains(&target);
                if concerns && !self.next.entries.contains_key(&target) {
                    let why = if self.gone.contains(&target) {
                        "would be gone"
                    } else {
                        "does not exist"
                    };
                    let message = format!("{} `{}` {why}", target.kind, target.name);
                    problems.push(Problem {
                        suggestion: self.next.suggest(target.kind, &target.name),
                        ..self.problem(id, Some(reference.field), message)
                    });
                }
            }
        }
        problems
    }
}
