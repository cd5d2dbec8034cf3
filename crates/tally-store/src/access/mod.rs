//! Access: a key, a model or a tier that a person asks for, approved by role, for a time.
//!
//! | asked for | approved by |
//! |---|---|
//! | a key | the manager of who asks |
//! | a key for a workload | its owner, and the manager of who asks |
//! | a model or tier below frontier | the manager of who asks |
//! | a frontier model, the frontier tier | FinOps |
//!
//! Where that is nobody, or only whoever asks: FinOps, then admins.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use tally_types::{
    ModelName, Name, PersonName, Role, Tier, Timestamp, WorkloadName,
    spec::{
        ACCESS_DAYS_MAX, Access, AccessAsk, AccessRequestSpec, AccessRule, GrantState, StageRole,
    },
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
pub struct NewAccess {
    /// What; none to renew what `renews` was for.
    pub what: Option<AccessAsk>,
    /// Why.
    pub reason: String,
    /// Until when.
    pub until: Timestamp,
    /// The request that it renews.
    pub renews: Option<Name>,
}

// === impl Store ===

impl Store {
    /// The access requests, and what can be done with them.
    pub fn access_requests(&self) -> Approvals<AccessRequestSpec> {
        self.approvals()
    }
}

// === impl Snapshot ===

impl Snapshot {
    /// What a person was given and still has.
    pub fn access_of(&self, person: &PersonName, now: Timestamp) -> impl Iterator<Item = &Access> {
        let all = self.access.get(person.as_str()).into_iter().flatten();
        all.filter(move |access| now < access.until)
    }

    /// Whether a call may use a model: it is open and so is its tier, or the person has
    /// access. A workload has the tier it was approved for and the access of its owner.
    pub fn may_use_model(
        &self,
        name: &ModelName,
        person: Option<&PersonName>,
        workload: Option<&WorkloadName>,
        now: Timestamp,
    ) -> bool {
        let Some(model) = self.models.get(name.as_str()) else { return true };
        let model_asks = model.access == AccessRule::OnRequest;
        let tier_asks = self.organization.tiers_on_request.contains(&model.tier);
        if !model_asks && !tier_asks {
            return true;
        }
        let workload = workload.and_then(|name| self.workloads.get(name.as_str()));
        // Tiers are ordered from the dearest.
        if !model_asks && workload.is_some_and(|workload| workload.tier <= model.tier) {
            return true;
        }
        let owner = workload.map(|workload| &workload.owner);
        let gives = |access: &Access| match &access.what {
            AccessAsk::Model(given) => given == name,
            AccessAsk::Tier(tier) => !model_asks && *tier == model.tier,
            AccessAsk::Key { .. } => false,
        };
        [person, owner].into_iter().flatten().any(|who| self.access_of(who, now).any(gives))
    }

    /// Until when a person may make a key for a workload, or one of their own.
    pub fn may_make_key(
        &self,
        person: &PersonName,
        workload: Option<&WorkloadName>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let given = self.access_of(person, now).filter(|access| match &access.what {
            AccessAsk::Key { workload: given } => given.as_ref() == workload,
            _ => false,
        });
        given.map(|access| access.until).max()
    }
}

// === impl Request ===

impl Request for AccessRequestSpec {
    type New = NewAccess;

    const WORD: &'static str = "access_request";
    const PAGE: &'static str = "/access";
    const LAST_RESORT: &'static [Role] = &[Role::Finops, Role::Admin];
    const LAST_ROLE: StageRole = StageRole::Finops;
    const LAST_RESORT_WORDS: &'static str = "FinOps or an admin";
    const LAST_RESORT_MANY: &'static str = "FinOps and admins";

    fn all(snapshot: &Snapshot) -> &BTreeMap<Name, Self> {
        &snapshot.access_requests
    }

    fn request(
        snapshot: &Snapshot,
        by: &PersonName,
        new: NewAccess,
        now: Timestamp,
    ) -> Result<Self, ApprovalError> {
        let earlier = new.renews.as_ref().map(|name| renewed(snapshot, name, by)).transpose()?;
        let what = new.what.or_else(|| earlier.map(|earlier| earlier.what.clone()));
        let what = what
            .ok_or_else(|| ApprovalError::invalid("what", "expected `key`, `model` or `tier`"))?;
        if earlier.is_some_and(|earlier| earlier.what != what) {
            let message = "it was for something else; ask for a new one without it";
            return Err(ApprovalError::invalid("renews", message));
        }
        check_time(new.until, now)?;
        let reason = reason(&new.reason, "reason")?;
        check_pending::<Self>(snapshot, by, "what")?;
        let needs = needs_of::<Self>(snapshot, asks(snapshot, &what, by)?, by, "what")?;
        Ok(Self {
            what,
            reason,
            requested_by: by.clone(),
            requested_at: now,
            until: new.until,
            needs,
            decisions: Vec::new(),
            escalated_at: None,
            state: GrantState::Pending,
            renews: new.renews,
            renewals: earlier.map_or(0, |earlier| earlier.renewals + 1),
        })
    }

    /// What, the day, who.
    fn base_name(&self, snapshot: &Snapshot) -> String {
        let day = self.requested_at.to_zoned(snapshot.organization.zone()).date();
        let what = match &self.what {
            AccessAsk::Key { workload: None } => "key".to_owned(),
            AccessAsk::Key { workload: Some(name) } => format!("key-{name}"),
            AccessAsk::Model(name) => format!("model-{name}"),
            AccessAsk::Tier(tier) => format!("tier-{tier}"),
        };
        format!("{}-{day}-{}", clip(&what, 56), clip(self.requested_by.as_str(), 40))
    }

    fn wanted(&self) -> String {
        match &self.what {
            AccessAsk::Key { workload: None } => "a key".to_owned(),
            AccessAsk::Key { workload: Some(name) } => format!("a key for the workload {name}"),
            AccessAsk::Model(name) => format!("the model {name}"),
            AccessAsk::Tier(tier) => format!("models of the tier {tier}"),
        }
    }

    fn asked_for(&self, snapshot: &Snapshot) -> String {
        format!("asked for {} until {}", self.wanted(), moment(snapshot, self.until))
    }
}

/// Who has to approve what.
fn asks(snapshot: &Snapshot, what: &AccessAsk, by: &PersonName) -> Result<Vec<Ask>, ApprovalError> {
    let team = snapshot.people.get(by.as_str()).and_then(|person| person.team.as_ref());
    let manager = team.and_then(|team| snapshot.teams.get(team.as_str())?.manager.clone());
    let manager = Ask { role: StageRole::Manager, people: manager.into_iter().collect() };
    let of_tier = |tier: Tier| match tier {
        Tier::Frontier => {
            Ask { role: StageRole::Finops, people: with_role(snapshot, Role::Finops) }
        }
        Tier::Standard | Tier::Economy => {
            Ask { role: manager.role, people: manager.people.clone() }
        }
    };
    Ok(match what {
        AccessAsk::Tier(tier) => vec![of_tier(*tier)],
        AccessAsk::Model(name) => {
            let model = snapshot.models.get(name.as_str()).ok_or_else(|| {
                let names = snapshot.models.keys().map(ModelName::as_str);
                unknown("what.model", "model", name.as_str(), names)
            })?;
            vec![of_tier(model.tier)]
        }
        AccessAsk::Key { workload: None } => vec![manager],
        AccessAsk::Key { workload: Some(name) } => {
            let workload = snapshot.workloads.get(name.as_str()).ok_or_else(|| {
                let names = snapshot.workloads.keys().map(Name::as_str);
                unknown("what.key.workload", "workload", name.as_str(), names)
            })?;
            let owner =
                Ask { role: StageRole::WorkloadOwner, people: vec![workload.owner.clone()] };
            // Whoever is both says it once.
            if owner.people == manager.people { vec![owner] } else { vec![owner, manager] }
        }
    })
}

fn unknown<'a>(
    field: &'static str,
    what: &str,
    name: &str,
    names: impl Iterator<Item = &'a str>,
) -> ApprovalError {
    let meant = suggest::closest(name, names);
    let meant = crate::error::meant(meant.as_deref());
    ApprovalError::invalid(field, format!("there is no {what} `{name}`{meant}"))
}

fn check_time(until: Timestamp, now: Timestamp) -> Result<(), ApprovalError> {
    if until <= now {
        let message = format!("{until} is in the past; expected a time to come");
        return Err(ApprovalError::invalid("until", message));
    }
    if until.duration_since(now) > SignedDuration::from_hours(24 * ACCESS_DAYS_MAX) {
        let message =
            format!("expected at most {ACCESS_DAYS_MAX} days from now; it can be renewed");
        return Err(ApprovalError::invalid("until", message));
    }
    Ok(())
}

/// The request that is to be renewed: one's own, that was approved.
fn renewed<'a>(
    snapshot: &'a Snapshot,
    name: &Name,
    by: &PersonName,
) -> Result<&'a AccessRequestSpec, ApprovalError> {
    let earlier = snapshot.access_requests.get(name).filter(|it| it.requested_by == *by);
    let earlier = earlier.ok_or_else(|| {
        ApprovalError::invalid("renews", format!("you have no access request `{name}`"))
    })?;
    match earlier.state {
        GrantState::Approved | GrantState::Expired => Ok(earlier),
        state => {
            let message = format!("`{name}` is {state}; only access that was given is renewed");
            Err(ApprovalError::invalid("renews", message))
        }
    }
}
