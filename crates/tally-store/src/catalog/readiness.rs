//! Whether a team is ready to be charged: a checklist of what can be measured.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use tally_types::{
    Name, PersonName, PicoUsdSum, Role, TeamName, Timestamp,
    spec::{AccessRule, Each, KeySpec, WorkloadSpec, WorkloadState},
};

use crate::{Snapshot, approvals::with_role};

/// At least this share of a team's spend is for a named workload, in percent.
const TAGGED_PERCENT_MIN: i128 = 80;

/// What a team spent, of the metrics layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TeamUse {
    /// All of it.
    pub spend_usd: PicoUsdSum,
    /// What was for a workload of the catalog.
    pub tagged_usd: PicoUsdSum,
}

/// One line of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReadinessItem {
    /// `access_approvals`, `usage_tagging`, `quotas`, `fallback_paths`, `audit_log`,
    /// `incident_response`.
    pub item: &'static str,
    /// Whether it is met.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do where it is not met.
    pub next_step: Option<String>,
}

/// The checklist of a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TeamReadiness {
    /// The team.
    pub team: TeamName,
    /// Whether every line is met.
    pub ready: bool,
    /// The lines.
    pub items: Vec<ReadinessItem>,
}

/// The checklist of a team, with what it spent in the last 30 days.
pub fn readiness(
    snapshot: &Snapshot,
    team: &TeamName,
    used: TeamUse,
    now: Timestamp,
) -> TeamReadiness {
    let items = vec![
        access_approvals(snapshot, team, now),
        usage_tagging(used),
        quotas(snapshot, team),
        fallback_paths(snapshot, team),
        audit_log(snapshot),
        incident_response(snapshot, team),
    ];
    TeamReadiness { team: team.clone(), ready: items.iter().all(|item| item.ok), items }
}

fn item(item: &'static str, ok: bool, detail: String, next_step: &str) -> ReadinessItem {
    let next_step = (!ok).then(|| next_step.to_owned());
    ReadinessItem { item, ok, detail, next_step }
}

/// Keys of its people end, or were asked for.
fn access_approvals(snapshot: &Snapshot, team: &TeamName, now: Timestamp) -> ReadinessItem {
    let is_theirs = |key: &&KeySpec| {
        let person = key.person.as_ref();
        !key.revoked
            && key.expires_at.is_none_or(|end| end > now)
            && person.is_some_and(|person| team_of(snapshot, person) == Some(team))
    };
    let all: Vec<&KeySpec> = snapshot.keys.values().filter(is_theirs).collect();
    let for_ever = all.iter().filter(|key| key.expires_at.is_none()).count();
    let on_request = snapshot.organization.own_keys == AccessRule::OnRequest;
    let detail = match (for_ever, on_request) {
        (0, _) => format!("{} keys, and each ends by itself", all.len()),
        (_, true) => format!("{} keys; they are made on request only", all.len()),
        _ => format!("{for_ever} of {} keys never end, and nobody approved them", all.len()),
    };
    let step = "set `own_keys: on_request` at the organization, or give the keys an end";
    item("access_approvals", for_ever == 0 || on_request, detail, step)
}

fn usage_tagging(used: TeamUse) -> ReadinessItem {
    let step = "register what `tally inventory` lists, and bind its keys";
    let all = used.spend_usd.pico();
    if all == 0 {
        return item("usage_tagging", false, "no spend in the last 30 days".to_owned(), step);
    }
    let percent = used.tagged_usd.pico() * 100 / all;
    let detail = format!("{percent} % of the spend of 30 days is for a workload");
    item("usage_tagging", percent >= TAGGED_PERCENT_MIN, detail, step)
}

/// A budget of the team, or one of their own for each team or person.
fn quotas(snapshot: &Snapshot, team: &TeamName) -> ReadinessItem {
    let department = snapshot.teams.get(team.as_str()).and_then(|team| team.department.as_deref());
    let mut holding = snapshot.budgets.iter().filter(|(_, budget)| {
        let scope = &budget.scope;
        let of_department = scope.department.as_deref().is_some_and(|of| Some(of) == department);
        let for_each = matches!(scope.each, Some(Each::Team | Each::Person));
        match &scope.team {
            Some(of) => of == team,
            None => of_department || for_each && scope.department.is_none(),
        }
    });
    let found = holding.next().map(|(name, _)| name);
    let detail = match found {
        Some(name) => format!("the budget {name} holds for it"),
        None => "no budget holds for it".to_owned(),
    };
    item("quotas", found.is_some(), detail, "give it a budget with `scope: { team: … }`")
}

fn fallback_paths(snapshot: &Snapshot, team: &TeamName) -> ReadinessItem {
    let own = |(_, spec): &(&Name, &WorkloadSpec)| {
        spec.metered
            && spec.state != WorkloadState::Retired
            && team_of(snapshot, &spec.owner) == Some(team)
    };
    let all: Vec<(&Name, &WorkloadSpec)> = snapshot.workloads.iter().filter(own).collect();
    let missing: Vec<&str> = all
        .iter()
        .filter(|(_, spec)| spec.fallback.is_none())
        .map(|(name, _)| name.as_str())
        .collect();
    let detail = match missing.as_slice() {
        [] => format!("{} workloads, and each declares a fallback", all.len()),
        names => format!("without a fallback: {}", names.join(", ")),
    };
    let step = "declare `fallback: { model: cheaper }` or another one";
    item("fallback_paths", missing.is_empty(), detail, step)
}

/// The log is always written; somebody has to read it.
fn audit_log(snapshot: &Snapshot) -> ReadinessItem {
    let mut readers: Vec<PersonName> = [Role::Auditor, Role::Security]
        .into_iter()
        .flat_map(|role| with_role(snapshot, role))
        .collect();
    readers.sort();
    readers.dedup();
    let detail = match readers.len() {
        0 => "it is written, but nobody has the role to review it".to_owned(),
        count => format!("it is written, and {count} people have the role to review it"),
    };
    item("audit_log", !readers.is_empty(), detail, "give somebody the role auditor or security")
}

/// Somebody decides when something goes wrong, and somebody in their place.
fn incident_response(snapshot: &Snapshot, team: &TeamName) -> ReadinessItem {
    let step = "set the team's `manager`, and their `email` and `delegate`";
    let manager = snapshot.teams.get(team.as_str()).and_then(|team| team.manager.as_ref());
    let known = manager.and_then(|name| Some((name, snapshot.people.get(name.as_str())?)));
    let Some((name, person)) = known else {
        return item("incident_response", false, "it has no manager".to_owned(), step);
    };
    let lacks = match (&person.email, &person.delegate) {
        (Some(_), Some(delegate)) => {
            let detail = format!("{name} is reachable, and {delegate} in their place");
            return item("incident_response", true, detail, step);
        }
        (None, Some(_)) => "has no mail address",
        (Some(_), None) => "has no delegate",
        (None, None) => "has neither a mail address nor a delegate",
    };
    item("incident_response", false, format!("{name} {lacks}"), step)
}

fn team_of<'a>(snapshot: &'a Snapshot, person: &PersonName) -> Option<&'a TeamName> {
    snapshot.people.get(person.as_str())?.team.as_ref()
}

// === impl TeamUse ===

impl TeamUse {
    /// Adds up rows of team, workload and spend.
    pub fn by_team(
        rows: impl IntoIterator<Item = (String, Option<String>, PicoUsdSum)>,
    ) -> BTreeMap<String, Self> {
        let mut teams: BTreeMap<String, Self> = BTreeMap::new();
        for (team, workload, spend) in rows {
            let used = teams.entry(team).or_default();
            used.spend_usd = used.spend_usd + spend;
            if workload.is_some() {
                used.tagged_usd = used.tagged_usd + spend;
            }
        }
        teams
    }
}
