//! A day of a person: coding sessions, chats, drafts.

use tally_types::{Record, ServiceTier};

use super::{
    calendar::Day,
    call::{Caller, Scene},
    incidents::Incidents,
    task::{Pace, calls_of},
};
use crate::demo::{
    chance::Chance,
    company::{ANTHROPIC, CODING, Company, Model, PREVIEW, Person, Rhythm, Shape, Workload},
};

/// Shares of days, tasks and calls.
const PRESENT: f64 = 0.88;
const PRESENT_OFF_DAYS: f64 = 0.05;
/// Tasks for which nobody said the workload.
const UNREGISTERED: f64 = 0.03;
/// Chats that try out a model without a known price.
const PREVIEWED: f64 = 0.025;
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
        for number in 0..chance.poisson(uses * effort) {
            let at_s = hour(chance, person) * HOUR_S;
            let Some(model) = model(scene.company, chance, person, workload) else { continue };
            let code = chance.next();
            let mut caller = caller(person, workload, model, (code, number));
            caller.task_type = chance.weighted(workload.plan.task_types).copied();
            if chance.happens(UNREGISTERED) {
                caller.workload = None;
                caller.task_id = None;
            }
            let wait_s = if workload.plan.shape.agent { 55.0 } else { 110.0 };
            let pace = Pace { starts_at_s: at_s, calls: calls_of(chance, workload), wait_s };
            scene.task(chance, &caller, (day, pace), workload.plan.shape, records);
        }
    }
}

/// Mornings and afternoons; lunch is quiet.
fn hour(chance: &mut Chance, person: &Person) -> f64 {
    let after = if chance.happens(0.45) { 1.6 } else { 6.2 };
    (person.habit.starts_at + chance.normal(after, 1.2)).clamp(0.5, 23.0)
}

fn model<'a>(
    company: &'a Company,
    chance: &mut Chance,
    person: &Person,
    workload: &Workload,
) -> Option<&'a Model> {
    let models = workload.plan.models;
    if !workload.plan.shape.agent && models.len() > 2 && chance.happens(PREVIEWED) {
        return company.model(PREVIEW);
    }
    // Most people stay with the model they like.
    let luck = if chance.happens(0.8) { person.habit.taste } else { chance.unit() };
    let mut left = luck * models.iter().map(|(_, weight)| weight).sum::<f64>();
    let liked = models.iter().find(|(_, weight)| {
        left -= weight;
        left < 0.0
    });
    company.model(liked.or(models.last())?.0)
}

/// `code` makes the ids of task and session unique.
pub(crate) fn caller<'a>(
    person: &'a Person,
    workload: &'a Workload,
    model: &'a Model,
    (code, number): (u64, u64),
) -> Caller<'a> {
    let (application, user_agent) = application(workload, model);
    let is_agent = workload.plan.shape.agent;
    let hex = code & 0xffff_ffff;
    Caller {
        person: Some(person),
        workload: Some(workload),
        key: person.key(),
        model,
        subscription: person.habit.subscribed && application == "claude-cli",
        application,
        user_agent,
        task_type: None,
        task_id: Some(format!("{}-{hex:08x}{number}", workload.name)),
        session: is_agent.then(|| format!("session-{:08x}", code >> 32)),
        value: Some(workload.plan.value),
        service_tier: ServiceTier::Standard,
        streamed: true,
    }
}

/// The application that calls, and its whole user agent.
pub(crate) fn application(workload: &Workload, model: &Model) -> (String, String) {
    let is_person = workload.plan.rhythm == Rhythm::People;
    let (name, user_agent) = match (is_person && workload.plan.shape.agent, model.plan.provider) {
        (true, ANTHROPIC) => ("claude-cli", "claude-cli/2.1.197 (external, cli)"),
        (true, _) => ("codex_cli_rs", "codex_cli_rs/0.63.0 (Ubuntu 24.4.0; x86_64) xterm"),
        (false, _) => {
            let name = workload.name.as_str();
            return (name.to_owned(), format!("{name}/2.4.1"));
        }
    };
    (name.to_owned(), user_agent.to_owned())
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
    for (number, person) in members.take(Incidents::idle_agents(company)).enumerate() {
        let number = u64::try_from(number).unwrap_or(0);
        let mut caller = caller(person, workload, model, (chance.next(), number));
        caller.task_id = None;
        caller.task_type = Some("code-change");
        caller.session = Some(format!("session-idle-{number}"));
        caller.subscription = false;
        for slot in 0..(24 * 2) {
            let starts_at_s = f64::from(slot) * 1_800.0 + chance.range(0.0, 60.0);
            if stretch.holds(day.after_midnight(starts_at_s)) {
                let pace = Pace { starts_at_s, calls: 13, wait_s: 125.0 };
                scene.task(chance, &caller, (day, pace), shape, records);
            }
        }
    }
}
