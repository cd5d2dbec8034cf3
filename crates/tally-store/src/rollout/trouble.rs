//! Where a sprint looks first: what is dear, grows, belongs to nobody, is sent again and again,
//! or failed; and days that are out of the ordinary.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::{Span, civil::Date};
use schemars::JsonSchema;
use serde::Serialize;
use tally_types::{Exact, Name, PicoUsdSum};

use crate::Snapshot;

/// So many of each kind are named.
const TOP: usize = 5;
/// What caches serve at least half of is no offender, in percent.
const UNCACHED_PERCENT_MIN: i128 = 50;
/// A day is compared with so many of the same weekday before it …
const WEEKS_BEFORE: i64 = 4;
/// … of which so many must be known.
const WEEKS_BEFORE_MIN: usize = 3;
/// It is out of the ordinary at so many times what was expected …
const TIMES: i128 = 2;
/// … and a dollar more, and this part of a mean day more: twice next to nothing is no news.
const APART_PICO_MIN: i128 = 1_000_000_000_000;
const MEAN_DAY_PART: i128 = 4;
const ANOMALIES_MAX: usize = 10;

/// A workload's month so far, and the same days of the month before.
#[derive(Debug, Clone, Default)]
pub struct WorkloadMonth {
    /// Its name.
    pub workload: String,
    /// What it spent.
    pub spend_usd: PicoUsdSum,
    /// What it spent before.
    pub before_usd: PicoUsdSum,
    /// Cost per successful task.
    pub cost_per_task_usd: Option<PicoUsdSum>,
    /// The same before.
    pub cost_per_task_before_usd: Option<PicoUsdSum>,
    /// Tasks that succeeded.
    pub tasks_succeeded: u64,
    /// Prompt tokens that no cache served.
    pub tokens_uncached: u64,
    /// The share of its prompt tokens that no cache served, in percent; none where no model
    /// answered, as embeddings have no cache.
    pub uncached_percent: Option<Exact>,
}

/// What a successful task is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DearTaskReference {
    /// What the workload promises.
    Slo,
    /// The same days of the month before.
    MonthBefore,
}

/// A workload whose successful tasks cost more than they should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DearTask {
    /// The workload.
    pub workload: Name,
    /// What a successful task costs.
    pub cost_per_task_usd: PicoUsdSum,
    /// What it should cost.
    pub reference_usd: PicoUsdSum,
    /// Who says so.
    pub reference: DearTaskReference,
    /// How many succeeded.
    pub tasks_succeeded: u64,
    /// What was paid beyond the reference for all of them.
    pub excess_usd: PicoUsdSum,
}

/// A workload that spends more than in the same days of the month before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Grown {
    /// The workload.
    pub workload: Name,
    /// What it spent.
    pub spend_usd: PicoUsdSum,
    /// What it spent before.
    pub before_usd: PicoUsdSum,
    /// How much more that is.
    pub growth_usd: PicoUsdSum,
}

/// Spend for no workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unattributed {
    /// Whose people called; null where that is not known.
    pub team: Option<String>,
    /// What it cost.
    pub spend_usd: PicoUsdSum,
}

/// A workload whose prompts are mostly read by no cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Uncached {
    /// The workload.
    pub workload: Name,
    /// Prompt tokens that no cache served.
    pub tokens_uncached: u64,
    /// Their share of all its prompt tokens, in percent.
    pub uncached_percent: Exact,
    /// What all its calls cost.
    pub spend_usd: PicoUsdSum,
}

/// Calls that were paid for and failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FailedCalls {
    /// Whose; null for no workload.
    pub workload: Option<String>,
    /// How many.
    pub calls: u64,
    /// What they cost.
    pub spend_usd: PicoUsdSum,
}

/// Where to look first; the worst first, five of each at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Offenders {
    /// Successful tasks that cost more than their SLO says, or than in the month before.
    pub dear_tasks: Vec<DearTask>,
    /// Those that grew most.
    pub grown: Vec<Grown>,
    /// What no workload explains, by team.
    pub unattributed: Vec<Unattributed>,
    /// Prompts that caches do not serve.
    pub uncached: Vec<Uncached>,
    /// What was paid for calls that failed.
    pub failed: Vec<FailedCalls>,
}

/// What a cost center spent on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpendOfDay {
    /// The cost center; none is what nobody pays for.
    pub cost_center: Option<String>,
    /// The day.
    pub day: Date,
    /// What it spent.
    pub spend_usd: PicoUsdSum,
}

/// A day on which a cost center spent much more than it does on that weekday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Anomaly {
    /// The cost center; null is what nobody pays for.
    pub cost_center: Option<String>,
    /// The day.
    #[schemars(with = "String")]
    pub day: Date,
    /// What it spent.
    pub spend_usd: PicoUsdSum,
    /// The median of the same weekday in the four weeks before.
    pub expected_usd: PicoUsdSum,
}

/// Where to look first.
pub fn offenders(
    snapshot: &Snapshot,
    months: &[WorkloadMonth],
    unattributed: Vec<Unattributed>,
    failed: Vec<FailedCalls>,
) -> Offenders {
    let known = || {
        months.iter().filter_map(|month| {
            let name: Name = month.workload.parse().ok()?;
            Some((name, month))
        })
    };
    let grown = known().filter_map(|(workload, month)| {
        let growth_usd = less(month.spend_usd, month.before_usd);
        let WorkloadMonth { spend_usd, before_usd, .. } = *month;
        (growth_usd.pico() > 0).then_some(Grown { workload, spend_usd, before_usd, growth_usd })
    });
    let uncached = known().filter_map(|(workload, month)| {
        let WorkloadMonth { spend_usd, tokens_uncached, .. } = *month;
        let uncached_percent = month.uncached_percent?;
        let is_much = uncached_percent.pico() > UNCACHED_PERCENT_MIN * Exact::ONE;
        is_much.then_some(Uncached { workload, tokens_uncached, uncached_percent, spend_usd })
    });
    let dear = known().filter_map(|(name, month)| dear_task(snapshot, name, month));
    let costly = |failed: &FailedCalls| failed.spend_usd.pico() > 0;
    Offenders {
        dear_tasks: worst(dear, |dear| dear.excess_usd),
        grown: worst(grown, |grown| grown.growth_usd),
        unattributed: worst(unattributed.into_iter(), |one| one.spend_usd),
        uncached: worst(uncached, |uncached| uncached.tokens_uncached),
        failed: worst(failed.into_iter().filter(costly), |failed| failed.spend_usd),
    }
}

fn worst<T, K: Ord>(all: impl Iterator<Item = T>, by: impl Fn(&T) -> K) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort_by_key(|one| Reverse(by(one)));
    all.truncate(TOP);
    all
}

fn less(a: PicoUsdSum, b: PicoUsdSum) -> PicoUsdSum {
    PicoUsdSum::from_pico(a.pico() - b.pico())
}

/// What a workload promises counts; where it promises nothing, what was before.
fn dear_task(snapshot: &Snapshot, workload: Name, month: &WorkloadMonth) -> Option<DearTask> {
    let cost_per_task_usd = month.cost_per_task_usd?;
    let slo = snapshot.workloads.get(&workload).and_then(|spec| spec.slo.as_ref());
    let slo = slo.and_then(|slo| slo.cost_per_successful_task_usd);
    let (reference_usd, reference) = match slo {
        Some(slo) => (slo.into(), DearTaskReference::Slo),
        None => (month.cost_per_task_before_usd?, DearTaskReference::MonthBefore),
    };
    let excess = less(cost_per_task_usd, reference_usd).pico() * i128::from(month.tasks_succeeded);
    let tasks_succeeded = month.tasks_succeeded;
    let excess_usd = PicoUsdSum::from_pico(excess);
    (excess > 0).then_some(DearTask {
        workload,
        cost_per_task_usd,
        reference_usd,
        reference,
        tasks_succeeded,
        excess_usd,
    })
}

/// The days of a month so far that are out of the ordinary, the most money first. `days` go
/// back four weeks before the month; a day that is not among them since the first one of all
/// had no spend.
pub fn anomalies(days: &[SpendOfDay], from: Date, until: Date) -> Vec<Anomaly> {
    let mut spent: BTreeMap<Option<&str>, BTreeMap<Date, PicoUsdSum>> = BTreeMap::new();
    for one in days {
        spent.entry(one.cost_center.as_deref()).or_default().insert(one.day, one.spend_usd);
    }
    let Some(first) = days.iter().map(|one| one.day).min() else { return Vec::new() };
    let count = i128::from((until - first).get_days().max(1));
    let mut found = Vec::new();
    for (cost_center, spend) in spent {
        let all: i128 = spend.values().map(|spend| spend.pico()).sum();
        let apart_min = APART_PICO_MIN.max(all / count / MEAN_DAY_PART);
        for (day, spend_usd) in spend.range(from..until) {
            let Some(expected_usd) = expected(&spend, first, *day) else { continue };
            let apart = less(*spend_usd, expected_usd).pico();
            let is_much = spend_usd.pico() >= expected_usd.pico() * TIMES;
            if expected_usd.pico() > 0 && is_much && apart >= apart_min {
                let cost_center = cost_center.map(str::to_owned);
                let (day, spend_usd) = (*day, *spend_usd);
                found.push(Anomaly { cost_center, day, spend_usd, expected_usd });
            }
        }
    }
    found.sort_by_key(|one| Reverse(less(one.spend_usd, one.expected_usd)));
    found.truncate(ANOMALIES_MAX);
    found
}

/// The median of the same weekday before; of two in the middle the larger, which alarms less.
fn expected(spend: &BTreeMap<Date, PicoUsdSum>, first: Date, day: Date) -> Option<PicoUsdSum> {
    let before = (1..=WEEKS_BEFORE).map(|weeks| day.saturating_sub(Span::new().weeks(weeks)));
    let before = before.filter(|day| *day >= first);
    let mut before: Vec<PicoUsdSum> =
        before.map(|day| spend.get(&day).copied().unwrap_or_default()).collect();
    before.sort();
    let is_enough = before.len() >= WEEKS_BEFORE_MIN;
    before.get(before.len() / 2).copied().filter(|_| is_enough)
}
