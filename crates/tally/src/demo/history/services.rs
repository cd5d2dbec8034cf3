//! A day of a workload that runs by itself.

use tally_types::Record;

use super::{calendar::Day, call::Scene, task::Pace};
use crate::demo::{
    chance::Chance,
    company::{Rhythm, Workload},
    work::{Caller, calls_of},
};

/// The company that the plans' numbers are for.
const PLANNED_PEOPLE: f64 = 350.0;
/// A small company's customers are not that few.
const SCALE_MIN: f64 = 0.08;
/// Seen from a source that knows neither key nor workload.
const UNKNOWN_CALLER: f64 = 0.008;
const HOUR_S: f64 = 3_600.0;

/// Adds everything a workload does on a day.
pub(crate) fn day<'a>(
    scene: &Scene<'a>,
    chance: &mut Chance,
    workload: &'a Workload,
    day: &Day,
    records: &mut Vec<Record>,
) {
    let scale = (scene.company.people.len() as f64 / PLANNED_PEOPLE).max(SCALE_MIN);
    let busy = match (workload.plan.rhythm, day.working) {
        (Rhythm::Customers, false) => 0.6,
        (Rhythm::Office, false) => 0.04,
        (Rhythm::Night, false) => 0.7,
        (Rhythm::People, _) => return,
        (_, true) => 1.0,
    };
    // Every day is a little different for each workload.
    let mean = workload.plan.tasks * scale * busy * day.growth * chance.log_normal(1.0, 0.09);
    for _ in 0..chance.poisson(mean) {
        let starts_at_s = hour(chance, workload.plan.rhythm) * HOUR_S;
        let time = day.after_midnight(starts_at_s);
        let Some(model) = scene.model_for(chance, workload, time) else { continue };
        let mut caller = Caller::service(chance, workload, model);
        if chance.happens(UNKNOWN_CALLER) {
            caller = Caller { key: None, value: None, ..caller.without_workload() };
        }
        let pace = Pace { starts_at_s, calls: calls_of(chance, workload, &caller), wait_s: 20.0 };
        scene.task(chance, &caller, (day, pace), workload.plan.shape, records);
    }
}

/// When a task begins, in hours after midnight.
fn hour(chance: &mut Chance, rhythm: Rhythm) -> f64 {
    match rhythm {
        Rhythm::Customers if chance.happens(0.12) => chance.range(0.0, 24.0),
        Rhythm::Customers if chance.happens(0.45) => chance.normal(19.6, 1.7).rem_euclid(24.0),
        Rhythm::Customers => chance.normal(12.4, 2.6).rem_euclid(24.0),
        Rhythm::Office | Rhythm::People => chance.normal(13.0, 2.4).clamp(6.0, 20.0),
        Rhythm::Night => 1.5 + chance.wait(0.8).min(4.0),
    }
}
