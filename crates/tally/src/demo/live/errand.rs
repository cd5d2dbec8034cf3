//! One task: who does it, its calls one after the other, and what came of it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tally_types::{Outcome, PicoUsd, Timestamp};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::prompt::{Prompt, speaks_anthropic};
use crate::demo::{
    chance::Chance,
    company::{
        Company, Rhythm, Shape, Workload, secret_of_person, secret_of_tracker, secret_of_workload,
    },
    http::{self, Tally},
    outcome::Done,
    work::{Caller, calls_of},
};

/// Of all tasks, so many are a person's.
const BY_PEOPLE: f64 = 0.6;
/// Tasks for which nobody says the workload.
const UNREGISTERED: f64 = 0.03;
/// An agent left alone would go on for an hour.
const CALLS_MAX: u64 = 6;
/// The mean wait between two calls of a task, in seconds.
const WAIT_S: f64 = 1.5;
/// Nobody's: the simulator takes any.
const SUBSCRIPTION: &str = "a-subscription-of-the-demo";

/// A task to be done.
pub(super) struct Errand {
    pub(super) tally: Tally,
    pub(super) company: Arc<Company>,
    pub(super) keys: Arc<BTreeMap<String, String>>,
    pub(super) chance: Chance,
}

/// A task with its caller and its key.
struct Job<'a> {
    caller: Caller<'a>,
    shape: Shape,
    calls: u64,
    key: &'a str,
    /// The key of whoever tells what came of it.
    tracker: &'a str,
}

// === impl Errand ===

impl Errand {
    /// Does it; a call that a budget or a policy refuses is part of the show.
    pub(super) async fn run(self, stop: CancellationToken) {
        let Self { tally, company, keys, mut chance } = self;
        let Some(job) = job(&company, &keys, &mut chance) else { return };
        let mut served = false;
        for turn in 0..job.calls {
            if stop.is_cancelled() {
                return;
            }
            let pause = Duration::from_secs_f64(chance.wait(WAIT_S));
            let request = job.request(&tally, &mut chance, turn);
            served = match answer(request).await {
                Ok(()) => true,
                Err(error) => {
                    tracing::debug!(error = format!("{error:#}"), "a call of the demo failed");
                    false
                }
            };
            tokio::time::sleep(pause).await;
        }
        let Some(report) = job.report(&mut chance, served) else { return };
        let report = tally.post("/ingest/v1/outcomes").bearer_auth(job.tracker).json(&report);
        if let Err(error) = http::json(report).await {
            tracing::debug!(error = format!("{error:#}"), "an outcome of the demo was refused");
        }
    }
}

/// Reads an answer to its end, streamed or not.
async fn answer(request: RequestBuilder) -> anyhow::Result<()> {
    request.send().await?.error_for_status()?.bytes().await.context("a broken answer")?;
    Ok(())
}

fn job<'a>(
    company: &'a Company,
    keys: &'a BTreeMap<String, String>,
    chance: &mut Chance,
) -> Option<Job<'a>> {
    let (caller, workload, variable) = if chance.happens(BY_PEOPLE) {
        let person = chance.pick(&company.people)?;
        let trade = company.team_of(person)?.plan.trade;
        let used: Vec<(&Workload, f64)> =
            company.workloads.iter().map(|used| (used, used.uses_by(trade))).collect();
        let workload = *chance.weighted(&used)?;
        let caller = Caller::person(company, chance, person, workload)?;
        let named = !chance.happens(UNREGISTERED);
        let caller = if named { caller } else { caller.without_workload() };
        (caller, workload, secret_of_person(person))
    } else {
        let running: Vec<(&Workload, f64)> = company
            .workloads
            .iter()
            .filter(|workload| workload.plan.rhythm != Rhythm::People)
            .map(|workload| (workload, workload.plan.tasks))
            .collect();
        let workload = *chance.weighted(&running)?;
        let model = company.model(chance.weighted(workload.plan.models)?)?;
        (Caller::service(chance, workload, model), workload, secret_of_workload(workload)?)
    };
    let calls = calls_of(chance, workload, &caller).min(CALLS_MAX);
    let (key, tracker) = (keys.get(&variable)?, keys.get(&secret_of_tracker())?);
    Some(Job { caller, shape: workload.plan.shape, calls, key, tracker })
}

// === impl Job ===

impl Job<'_> {
    fn request(&self, tally: &Tally, chance: &mut Chance, turn: u64) -> RequestBuilder {
        let Self { caller, shape, .. } = self;
        let (path, body) = Prompt { caller, shape: *shape, turn }.request(chance);
        let mut request = tally.post(path).header("user-agent", &caller.user_agent);
        request = match (caller.subscription, speaks_anthropic(caller.model)) {
            (true, _) => request.header("x-tally-key", self.key).bearer_auth(SUBSCRIPTION),
            (false, true) => request.header("x-api-key", self.key),
            (false, false) => request.bearer_auth(self.key),
        };
        if speaks_anthropic(caller.model) {
            request = request.header("anthropic-version", "2023-06-01");
        }
        let value = caller.value.map(|value| format!(",value={value}")).unwrap_or_default();
        request = request.header("x-tally-tags", format!("simulated=true{value}"));
        let session = match caller.application.as_str() {
            "claude-cli" => "x-claude-code-session-id",
            _ => "session_id",
        };
        let said = [
            ("x-tally-workload", caller.workload.map(|workload| workload.name.as_str())),
            ("x-tally-task", caller.task_id.as_deref()),
            ("x-tally-task-type", caller.task_type),
            ("x-tally-template", caller.template),
            (session, caller.session.as_deref()),
        ];
        for (name, value) in said {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        request.json(&body)
    }

    /// What came of the task, as it is posted; nothing when nobody reports it.
    fn report(&self, chance: &mut Chance, served: bool) -> Option<Value> {
        let (workload, task_id) = (self.caller.workload?, self.caller.task_id.as_deref()?);
        let done = Done { workload, task_id, tier: self.caller.model.tier(), served };
        // Tally gives ids and times of its own.
        let outcome = done.outcome(chance, Uuid::nil(), Timestamp::UNIX_EPOCH)?;
        Some(as_posted(&outcome))
    }
}

fn as_posted(outcome: &Outcome) -> Value {
    let mut report = json!({
        "task_id": outcome.task_id,
        "workload": outcome.workload,
        "result": outcome.result,
        "escalated": outcome.escalated,
    });
    let quality = outcome.quality_bp.map(|points| format!("{:.4}", f64::from(points) / 10_000.0));
    let fields = [
        ("quality", quality.map(Value::from)),
        ("value_usd", outcome.value_usd.as_ref().map(PicoUsd::to_string).map(Value::from)),
        ("tickets_deflected", outcome.tickets_deflected.map(Value::from)),
        ("conversions", outcome.conversions.map(Value::from)),
        ("minutes_saved", outcome.minutes_saved.map(Value::from)),
    ];
    for (name, value) in fields {
        if let (Some(report), Some(value)) = (report.as_object_mut(), value) {
            report.insert(name.to_owned(), value);
        }
    }
    report
}
