//! A day of a person: coding sessions, chats, drafts.

use tally_types::Record;

use super::{calendar::Day, call::Scene, incidents::Incidents, task::Pace};
use crate::demo::{
    chance::Chance,
    company::{CODING, Person, Shape},
    work::{Caller, calls_of},
};

/// Shares of days, tasks and calls.
const PRESENT: f64 = 0.88;
const PRESENT_OFF_DAYS: f64 = 0.05;
/// Tasks for which nobody said the workload.
const UNREGISTERED: f64 = 0.03;
const HOUR_S: f64 = 3_600.0;

/// Adds everything a person does on a day.
pub(crate) fn day<'a>(
    scene: &Scene<'a>,
    chance: &mut Chance,
    person: &'a Person,
    day: &Day,
    records: &mut Vec<Record>,
) {
    let present = if day.working { PRESENT } else { PRESENT_OFF_DAYS };
    if !chance.happens(present) {
        return;
    }
    let Some(team) = scene.company.team_of(person) else { return };
    let effort = day.growth * person.habit.zest * if day.working { 1.0 } else { 0.5 };
    for workload in &scene.company.workloads {
        let uses = workload.uses_by(team.plan.trade);
        if uses == 0.0 {
            continue;
        }
        for _ in 0..chance.poisson(uses * effort) {
            let starts_at_s = hour(chance, person) * HOUR_S;
            let caller = Caller::person(scene.company, chance, person, workload);
            let Some(mut caller) = caller else { continue };
            if chance.happens(UNREGISTERED) {
                caller = caller.without_workload();
            }
            let wait_s = if workload.plan.shape.agent { 55.0 } else { 110.0 };
            let pace = Pace { starts_at_s, calls: calls_of(chance, workload, &caller), wait_s };
            scene.task(chance, &caller, (day, pace), workload.plan.shape, records);
        }
    }
}

/// Mornings and afternoons; lunch is quiet.
fn hour(chance: &mut Chance, person: &Person) -> f64 {
    let after = if chance.happens(0.45) { 1.6 } else { 6.2 };
    (person.habit.starts_at + chance.normal(after, 1.2)).clamp(0.5, 23.0)
}

/// Agents of one team that nobody stopped: tokens over tokens, and no task done.
pub(crate) fn idling(scene: &Scene<'_>, chance: &mut Chance, day: &Day, records: &mut Vec<Record>) {
    let Some(stretch) = scene.incidents.idling else { return };
    let company = scene.company;
    let workload = company.workloads.iter().find(|workload| workload.plan.name == CODING);
    let (Some(workload), Some(model)) = (workload, company.model("claude-opus-4-8")) else {
        return;
    };
    let Some(team) = company.teams.iter().position(|team| team.plan.name == "checkout").or(Some(0))
    else {
        return;
    };
    // Not the manager, nor those whom the demo signs in.
    let members = company.people.iter().filter(|person| person.team == team).skip(3);
    let shape = Shape { fresh: 900.0, output: 650.0, cached: 110_000.0, agent: true };
    for person in members.take(Incidents::idle_agents(company)) {
        let Some(caller) = Caller::person(company, chance, person, workload) else { continue };
        let caller = Caller {
            model,
            application: "claude-cli".to_owned(),
            user_agent: "claude-cli/2.1.197 (external, cli)".to_owned(),
            task_id: None,
            task_type: Some("code-change"),
            session: Some(format!("session-idle-{}", person.name)),
            subscription: false,
            ..caller
        };
        for slot in 0..(24 * 2) {
            let starts_at_s = f64::from(slot) * 1_800.0 + chance.range(0.0, 60.0);
            if stretch.holds(day.after_midnight(starts_at_s)) {
                let pace = Pace { starts_at_s, calls: 13, wait_s: 125.0 };
                scene.task(chance, &caller, (day, pace), shape, records);
            }
        }
    }
}
