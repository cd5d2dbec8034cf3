//! Exceptions: waivers of one rule, asked for with a reason, approved by security and by the
//! owner of the workload in question, over after at most 30 days.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use tally_types::{
    Name, PersonName, Role, Timestamp,
    spec::{EXCEPTION_DAYS_MAX, ExceptionScope, ExceptionSpec, GrantState, StageRole},
};

use crate::{
    Snapshot, Store,
    approvals::{
        ApprovalError, Approvals, Ask, Request, check_pending, clip, moment, needs_of, reason,
        with_role,
    },
    suggest,
};

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewException {
    /// The rule, as `policy/rule-id`; none to renew the one that `renews` is of.
    pub rule: Option<String>,
    /// For whom or what; none as in the one that is renewed.
    pub scope: Option<ExceptionScope>,
    /// Why.
    pub reason: String,
    /// From when; none from now.
    pub from: Option<Timestamp>,
    /// Until when.
    pub until: Timestamp,
    /// The exception that it renews.
    pub renews: Option<Name>,
}

// === impl Store ===

impl Store {
    /// The exceptions, and what can be done with them.
    pub fn exceptions(&self) -> Approvals<ExceptionSpec> {
        self.approvals()
    }
}

/// What makes an exception a repeated one, if anything: that it renews another, or that an
/// earlier one for the same rule and an overlapping scope held, holds or may yet.
///
/// One that was asked for later does not count, so of two that wait exactly one is repeated.
pub fn repeats<'a>(
    snapshot: &'a Snapshot,
    name: &Name,
    asked: &'a ExceptionSpec,
) -> Option<&'a Name> {
    let earlier = |other: &Name, spec: &ExceptionSpec| {
        (spec.requested_at, other) < (asked.requested_at, name)
            && spec.rule == asked.rule
            && spec.scope.overlaps(&asked.scope)
            && match spec.state {
                GrantState::Pending | GrantState::Approved | GrantState::Revoked => true,
                // One that ended undecided never held.
                GrantState::Expired => spec.decisions.iter().any(|said| said.approved),
                GrantState::Denied | GrantState::Withdrawn => false,
            }
    };
    let found = snapshot.exceptions.iter().find(|(other, spec)| earlier(other, spec));
    asked.renews.as_ref().or(found.map(|(other, _)| other))
}

// === impl Request ===

impl Request for ExceptionSpec {
    type New = NewException;

    const WORD: &'static str = "exception";
    const PAGE: &'static str = "/exceptions";
    const LAST_RESORT: &'static [Role] = &[Role::Security, Role::Admin];
    const LAST_ROLE: StageRole = StageRole::Security;
    const LAST_RESORT_WORDS: &'static str = "security or an admin";
    const LAST_RESORT_MANY: &'static str = "security and admins";

    fn all(snapshot: &Snapshot) -> &BTreeMap<Name, Self> {
        &snapshot.exceptions
    }

    fn request(
        snapshot: &Snapshot,
        by: &PersonName,
        new: NewException,
        now: Timestamp,
    ) -> Result<Self, ApprovalError> {
        let earlier = new.renews.as_ref().map(|name| renewed(snapshot, name)).transpose()?;
        let rule = new.rule.or_else(|| earlier.map(|earlier| earlier.rule.clone()));
        let rule =
            rule.ok_or_else(|| ApprovalError::invalid("rule", "expected `policy/rule-id`"))?;
        check_rule(snapshot, &rule)?;
        let scope = new.scope.or_else(|| earlier.map(|earlier| earlier.scope.clone()));
        let scope = scope.unwrap_or_default();
        check_scope(snapshot, &scope)?;
        if let Some(earlier) = earlier
            && (earlier.rule != rule || !earlier.scope.overlaps(&scope))
        {
            let message = "it waives another rule, or for others; ask for a new one without it";
            return Err(ApprovalError::invalid("renews", message));
        }
        let from = new.from.unwrap_or(now);
        check_time(from, new.until, now)?;
        let reason = reason(&new.reason, "reason")?;
        check_pending::<Self>(snapshot, by, "rule")?;
        let owner = scope.workload.as_ref().and_then(|name| snapshot.workloads.get(name.as_str()));
        let owner = owner.map(|workload| Ask {
            role: StageRole::WorkloadOwner,
            people: vec![workload.owner.clone()],
        });
        let security =
            Ask { role: StageRole::Security, people: with_role(snapshot, Role::Security) };
        let asks = [Some(security), owner].into_iter().flatten();
        let needs = needs_of::<Self>(snapshot, asks, by, "rule")?;
        let asked = Self {
            rule,
            scope,
            reason,
            requested_by: by.clone(),
            requested_at: now,
            from,
            until: new.until,
            needs,
            decisions: Vec::new(),
            escalated_at: None,
            state: GrantState::Pending,
            renews: new.renews,
            renewals: earlier.map_or(0, |earlier| earlier.renewals + 1),
            architecture_review: None,
        };
        Ok(asked)
    }

    /// The rule, the day, who.
    fn base_name(&self, snapshot: &Snapshot) -> String {
        let day = self.requested_at.to_zoned(snapshot.organization.zone()).date();
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
        let rule: String = clip(&self.rule, 64).chars().map(plain).collect();
        format!("{}-{day}-{}", rule.trim_matches(['-', '.']), clip(self.requested_by.as_str(), 40))
    }

    /// `a waiver of data-classes/restricted for ada`
    fn wanted(&self) -> String {
        let again = if self.renewals > 0 { "another waiver" } else { "a waiver" };
        format!("{again} of {} for {}", self.rule, whom(&self.scope))
    }

    fn asked_for(&self, snapshot: &Snapshot) -> String {
        let (from, until) = (moment(snapshot, self.from), moment(snapshot, self.until));
        let renews = self.renews.as_ref().map(|name| format!(", renewing {name}"));
        format!(
            "asked for {} from {from} until {until}{}",
            self.wanted(),
            renews.unwrap_or_default()
        )
    }

    /// Nobody has to decide on a rule that is gone.
    fn is_void(&self, snapshot: &Snapshot) -> bool {
        self.state == GrantState::Pending && !rules(snapshot).any(|rule| rule == self.rule)
    }

    fn check_approval(&self, snapshot: &Snapshot, name: &Name) -> Result<(), ApprovalError> {
        match repeats(snapshot, name, self).filter(|_| self.architecture_review.is_none()) {
            Some(other) => Err(ApprovalError::ReviewNeeded(format!(
                "it repeats `{other}`: an architecture review has to be recorded before it can be \
                 approved"
            ))),
            None => Ok(()),
        }
    }
}

/// Every rule, as exceptions name it.
fn rules(snapshot: &Snapshot) -> impl Iterator<Item = String> {
    snapshot.policies.iter().flat_map(|(name, policy)| {
        policy.rules.iter().map(move |rule| format!("{name}/{}", rule.id))
    })
}

fn check_rule(snapshot: &Snapshot, rule: &str) -> Result<(), ApprovalError> {
    let all: Vec<String> = rules(snapshot).collect();
    if all.iter().any(|known| known == rule) {
        return Ok(());
    }
    let meant = suggest::closest(rule, all.iter().map(String::as_str));
    let meant = crate::error::meant(meant.as_deref());
    let message = format!("no policy has the rule `{rule}`{meant}; expected `policy/rule-id`");
    Err(ApprovalError::invalid("rule", message))
}

fn check_scope(snapshot: &Snapshot, scope: &ExceptionScope) -> Result<(), ApprovalError> {
    let ExceptionScope { person, team, workload, key } = scope;
    let unknown = |field, what: &str, name: &str| {
        Err(ApprovalError::invalid(field, format!("there is no {what} `{name}`")))
    };
    match (person, team, workload, key) {
        (Some(name), ..) if !snapshot.people.contains_key(name.as_str()) => {
            unknown("scope.person", "person", name.as_str())
        }
        (_, Some(name), ..) if !snapshot.teams.contains_key(name.as_str()) => {
            unknown("scope.team", "team", name.as_str())
        }
        (_, _, Some(name), _) if !snapshot.workloads.contains_key(name.as_str()) => {
            unknown("scope.workload", "workload", name.as_str())
        }
        (_, _, _, Some(name)) if !snapshot.keys.contains_key(name.as_str()) => {
            unknown("scope.key", "key", name.as_str())
        }
        (None, None, None, None) => {
            let message = "expected at least one of `person`, `team`, `workload`, `key`";
            Err(ApprovalError::invalid("scope", message))
        }
        _ => Ok(()),
    }
}

fn check_time(from: Timestamp, until: Timestamp, now: Timestamp) -> Result<(), ApprovalError> {
    let most = SignedDuration::from_hours(24 * EXCEPTION_DAYS_MAX);
    if from < now {
        let message = format!("{from} is in the past; leave it out to begin at once");
        return Err(ApprovalError::invalid("from", message));
    }
    if from.duration_since(now) > most {
        let message = format!("expected a beginning within {EXCEPTION_DAYS_MAX} days");
        return Err(ApprovalError::invalid("from", message));
    }
    if until <= from {
        return Err(ApprovalError::invalid("until", "expected a time after it begins"));
    }
    if until.duration_since(from) > most {
        let message = format!(
            "expected at most {EXCEPTION_DAYS_MAX} days; what is needed for longer is another rule"
        );
        return Err(ApprovalError::invalid("until", message));
    }
    Ok(())
}

/// The exception that is to be renewed.
fn renewed<'a>(snapshot: &'a Snapshot, name: &Name) -> Result<&'a ExceptionSpec, ApprovalError> {
    let Some(earlier) = snapshot.exceptions.get(name) else {
        let names = snapshot.exceptions.keys().map(Name::as_str);
        let meant = suggest::closest(name.as_str(), names);
        let meant = crate::error::meant(meant.as_deref());
        let message = format!("there is no exception `{name}`{meant}");
        return Err(ApprovalError::invalid("renews", message));
    };
    match earlier.state {
        GrantState::Approved | GrantState::Expired | GrantState::Revoked => Ok(earlier),
        state => {
            let message = format!("`{name}` is {state}; only one that held can be renewed");
            Err(ApprovalError::invalid("renews", message))
        }
    }
}

/// `ada`, `ada with the key laptop`, `the team support`.
fn whom(scope: &ExceptionScope) -> String {
    let ExceptionScope { person, team, workload, key } = scope;
    let parts = [
        person.as_ref().map(ToString::to_string),
        team.as_ref().map(|name| format!("the team {name}")),
        workload.as_ref().map(|name| format!("the workload {name}")),
        key.as_ref().map(|name| format!("the key {name}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" with ")
}
