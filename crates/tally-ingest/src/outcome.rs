//! Reports of what came of tasks.

use serde::Deserialize;
use tally_types::{EventId, Outcome, Reporter, TaskResult, Timestamp, WorkloadName};
use uuid::Uuid;

use crate::{
    decimal::DecimalText,
    edge::Caller,
    event::{FOR_OTHERS, bounded, stable_id, time_within},
    items,
};

/// Ids of outcomes are UUIDs of version 5 in this namespace. Never change it: the
/// same report would count again.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f75_7463_6f6d_4573_9a5c_7461_6c6c_7901);
const TEXT_BYTES_MAX: usize = 128;

/// An outcome as reported.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    time: Option<Timestamp>,
    #[serde(default)]
    workload: Option<WorkloadName>,
    task_id: String,
    #[serde(default)]
    result: Option<TaskResult>,
    #[serde(default)]
    succeeded: Option<bool>,
    #[serde(default)]
    escalated: bool,
    #[serde(default)]
    quality: Option<DecimalText>,
    #[serde(default)]
    value_usd: Option<DecimalText>,
    #[serde(default)]
    tickets_deflected: Option<u32>,
    #[serde(default)]
    conversions: Option<u32>,
    #[serde(default)]
    minutes_saved: Option<u32>,
    #[serde(default)]
    revision: u32,
}

/// Reads one report of a caller.
///
/// # Errors
/// What is wrong with it, for the sender.
pub(crate) fn read(caller: &Caller, item: &str, now: Timestamp) -> Result<Outcome, String> {
    let report: Report = items::parse(item)?;
    let workload = report.workload(caller)?;
    let task_id = bounded("task_id", &report.task_id, TEXT_BYTES_MAX)?;
    if let Some(id) = &report.id {
        bounded("id", id, TEXT_BYTES_MAX)?;
    }
    let parts = [
        workload.as_ref().map_or("", WorkloadName::as_str),
        &task_id,
        report.id.as_deref().unwrap_or_default(),
    ];
    let in_field = |field: &'static str| move |message: String| format!("`{field}`: {message}");
    Ok(Outcome {
        outcome_id: EventId(stable_id(NAMESPACE, &parts)),
        revision: report.revision,
        time: time_within(report.time, now)?,
        result: report.result()?,
        escalated: report.escalated,
        quality_bp: report
            .quality
            .map(|quality| quality.basis_points().map_err(in_field("quality")))
            .transpose()?,
        value_usd: report
            .value_usd
            .map(|value| value.money().map_err(in_field("value_usd")))
            .transpose()?,
        tickets_deflected: report.tickets_deflected,
        conversions: report.conversions,
        minutes_saved: report.minutes_saved,
        reported_by: Some(match &caller.identity.person {
            Some(person) => Reporter::Person(person.clone()),
            None => Reporter::Key(caller.identity.key.clone()),
        }),
        workload,
        task_id,
    })
}

// === impl Report ===

impl Report {
    /// The workload named, if the key may name it; else the key's own.
    fn workload(&self, caller: &Caller) -> Result<Option<WorkloadName>, String> {
        match &self.workload {
            Some(named) if caller.is_bound_to(named) => Ok(Some(named.clone())),
            // Those who answer for everybody's numbers may correct them.
            Some(named) if caller.has_any(FOR_OTHERS) => {
                let is_registered = caller.plane.snapshot().workloads.contains_key(named.as_str());
                is_registered
                    .then(|| Some(named.clone()))
                    .ok_or_else(|| format!("`workload`: `{named}` is not registered"))
            }
            Some(named) => Err(format!(
                "`workload`: this key is not bound to `{named}`; use a key of that workload"
            )),
            None => Ok(caller.identity.workload.clone()),
        }
    }

    fn result(&self) -> Result<TaskResult, String> {
        let said = self.succeeded.map(|succeeded| match succeeded {
            true => TaskResult::Succeeded,
            false => TaskResult::Failed,
        });
        match (self.result, said) {
            (Some(result), Some(said)) if result != said => {
                Err("`result` and `succeeded` contradict each other".to_owned())
            }
            (Some(result), _) | (None, Some(result)) => Ok(result),
            (None, None) => {
                Err("expected `result`: \"succeeded\" or \"failed\", or `succeeded`: true or false"
                    .to_owned())
            }
        }
    }
}
