//! What came of a task.

use tally_types::{EventId, Outcome, PicoUsd, Reporter, TaskResult, Tier, Timestamp};
use uuid::Uuid;

use super::{
    chance::{Chance, whole},
    company::{SWITCHED, TRACKER, Workload, Worth},
};

/// Of so many tasks nobody ever reports what came of them.
const UNKNOWN: f64 = 0.15;
/// What a minute of work is worth, in USD: 48 an hour, of which half is won back.
const MINUTE_USD: f64 = 0.4;

/// A task that is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done<'a> {
    pub(crate) workload: &'a Workload,
    pub(crate) task_id: &'a str,
    /// The tier of the model that was asked.
    pub(crate) tier: Tier,
    /// Whether its last call was answered.
    pub(crate) served: bool,
}

// === impl Done ===

impl Done<'_> {
    /// The outcome, if somebody reports it.
    pub(crate) fn outcome(
        &self,
        chance: &mut Chance,
        id: Uuid,
        time: Timestamp,
    ) -> Option<Outcome> {
        if chance.happens(UNKNOWN) {
            return None;
        }
        let edge = match self.tier {
            // What fails twice on the smaller model goes to the old one.
            _ if self.workload.plan.name == SWITCHED => 0.02,
            Tier::Frontier => 0.02,
            Tier::Standard => 0.0,
            Tier::Economy => -0.02,
        };
        let likely = (self.workload.plan.success + edge).min(0.99);
        let succeeded = self.served && chance.happens(likely);
        let (mean, deviation) = if succeeded { (0.86, 0.07) } else { (0.42, 0.13) };
        let quality = chance.normal(mean, deviation).clamp(0.0, 1.0);
        let mut outcome = Outcome {
            outcome_id: EventId(id),
            revision: 0,
            time,
            workload: Some(self.workload.name.clone()),
            task_id: self.task_id.to_owned(),
            result: if succeeded { TaskResult::Succeeded } else { TaskResult::Failed },
            escalated: chance.happens(if succeeded { 0.025 } else { 0.55 }),
            quality_bp: u16::try_from(whole(quality * 10_000.0)).ok(),
            value_usd: None,
            tickets_deflected: None,
            conversions: None,
            minutes_saved: None,
            reported_by: TRACKER.parse().map(Reporter::Key).ok(),
        };
        if succeeded {
            add_worth(chance, self.workload.plan.worth, &mut outcome);
        }
        Some(outcome)
    }
}

fn add_worth(chance: &mut Chance, worth: Worth, outcome: &mut Outcome) {
    match worth {
        Worth::Ticket(usd) => {
            outcome.tickets_deflected = Some(1);
            outcome.value_usd = in_cents(chance.log_normal(usd, 0.25));
        }
        Worth::Minutes(minutes) => {
            let minutes = chance.log_normal(minutes, 0.4).max(1.0);
            outcome.minutes_saved = u32::try_from(whole(minutes)).ok();
            outcome.value_usd = in_cents(minutes * MINUTE_USD);
        }
        Worth::Sale(share, usd) => {
            let sold = chance.happens(share);
            outcome.conversions = Some(u32::from(sold));
            outcome.value_usd = sold.then(|| in_cents(chance.log_normal(usd, 0.5))).flatten();
        }
        Worth::Money(usd) => outcome.value_usd = in_cents(chance.log_normal(usd, 0.7)),
        Worth::Unknown => {}
    }
}

fn in_cents(usd: f64) -> Option<PicoUsd> {
    let cents = i64::try_from(whole(usd * 100.0)).ok()?;
    Some(PicoUsd::from_pico(cents.checked_mul(10_000_000_000)?))
}
