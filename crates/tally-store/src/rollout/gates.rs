//! What stands before a stage, as it was measured.

use std::collections::BTreeMap;

use jiff::{Span, civil::Date};
use tally_types::{
    Exact, Name, PicoUsdSum,
    spec::{Asked, CostCenterSpec, GateResult, RolloutGate, RolloutStage},
};

use super::progress::live_workloads;
use crate::{
    Snapshot,
    catalog::{TeamReadiness, TeamUse},
};

/// A bill whose last day is longer ago says nothing about now.
const BILL_DAYS_MAX: i64 = 100;

/// What was measured of a cost center.
#[derive(Debug, Clone, Default)]
pub struct CostCenterUse {
    /// What it spent in the last 30 days, and how much of that was for a workload.
    pub used: TeamUse,
    /// Of that, by provider.
    pub providers: BTreeMap<String, PicoUsdSum>,
    /// Whole weeks since its first call, as far back as was looked.
    pub weeks: u32,
    /// The checklists of its teams.
    pub teams: Vec<TeamReadiness>,
}

/// A provider's bill that was held against what was metered; those imported last come first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillSeen {
    /// The provider.
    pub provider: String,
    /// Its first day.
    pub from: Date,
    /// Its last day.
    pub to: Date,
    /// What the provider asks for.
    pub billed_usd: PicoUsdSum,
    /// What was metered over the same days.
    pub metered_usd: PicoUsdSum,
}

/// The gates before a stage.
pub(super) fn gates(
    snapshot: &Snapshot,
    (name, spec): (&Name, &CostCenterSpec),
    to: RolloutStage,
    measured: &CostCenterUse,
    bills: &[BillSeen],
    today: Date,
) -> Vec<GateResult> {
    let asked: Asked = snapshot.organization.rollout.before(to);
    let percent = |percent: u8| whole(i128::from(percent));
    [
        asked.attributed_percent.map(|asked| attributed(measured, percent(asked))),
        asked.complete_percent.map(|asked| complete(snapshot, name, percent(asked))),
        asked.data_weeks.map(|asked| data(measured, percent(asked))),
        asked.variance_percent.map(|asked| variance(measured, bills, today, asked)),
        asked.readiness_percent.map(|asked| readiness(measured, percent(asked))),
        model(name, spec, to, today),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const fn whole(number: i128) -> Exact {
    Exact::from_pico(number * Exact::ONE)
}

/// A gate that holds where at least so much was measured.
fn at_least(
    gate: RolloutGate,
    measured: Option<i128>,
    asked: Exact,
    detail: String,
    next_step: &str,
) -> GateResult {
    let measured = measured.map(whole);
    let ok = measured.is_some_and(|measured| measured >= asked);
    result(gate, ok, measured, Some(asked), detail, next_step)
}

fn result(
    gate: RolloutGate,
    ok: bool,
    measured: Option<Exact>,
    asked: Option<Exact>,
    detail: String,
    next_step: &str,
) -> GateResult {
    let next_step = (!ok).then(|| next_step.to_owned());
    GateResult { gate, ok, measured, asked, detail, next_step }
}

fn attributed(measured: &CostCenterUse, asked: Exact) -> GateResult {
    let step = "register what `tally inventory` lists, and bind its keys";
    let TeamUse { spend_usd, tagged_usd } = measured.used;
    let percent = (tagged_usd.pico() * 100).checked_div(spend_usd.pico());
    let detail = match percent {
        Some(percent) => format!("{percent} % of the spend of 30 days is for a workload"),
        None => "no spend in the last 30 days".to_owned(),
    };
    at_least(RolloutGate::Attributed, percent, asked, detail, step)
}

fn complete(snapshot: &Snapshot, name: &Name, asked: Exact) -> GateResult {
    let step = "fill in what `tally catalog` says is missing of its workloads";
    let (mut all, mut whole) = (0_i128, 0_i128);
    let mut missing = Vec::new();
    for (workload, spec) in live_workloads(snapshot, name) {
        all += 1;
        match spec.completeness().missing.is_empty() {
            true => whole += 1,
            false => missing.push(workload.as_str()),
        }
    }
    let shown = 5;
    let more = missing.len().saturating_sub(shown);
    missing.truncate(shown);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let detail = match missing.as_slice() {
        _ if all == 0 => "no workload of the catalog names it".to_owned(),
        [] => format!("nothing is missing of its {all} workloads"),
        names => format!(
            "nothing is missing of {whole} of its {all} workloads; not so: {}{rest}",
            names.join(", ")
        ),
    };
    let percent = (whole * 100).checked_div(all);
    at_least(RolloutGate::WorkloadsComplete, percent, asked, detail, step)
}

fn data(measured: &CostCenterUse, asked: Exact) -> GateResult {
    let step = "wait, or import what was used before";
    let weeks = measured.weeks;
    let detail = match weeks {
        0 => "no call is a week old".to_owned(),
        1 => "calls are known for 1 week".to_owned(),
        weeks => format!("calls are known for {weeks} weeks"),
    };
    at_least(RolloutGate::QuarterOfData, Some(i128::from(weeks)), asked, detail, step)
}

/// Of each provider that it uses, the newest bill is held against what was metered; the worst
/// of them counts.
fn variance(measured: &CostCenterUse, bills: &[BillSeen], today: Date, asked: Exact) -> GateResult {
    let step = "import the provider's bill: `tally reconcile import`";
    let gate = RolloutGate::BillVariance;
    let no = |detail: String| result(gate, false, None, Some(asked), detail, step);
    let providers = measured.providers.iter().filter(|(_, spend)| spend.pico() > 0);
    let oldest = today.saturating_sub(Span::new().days(BILL_DAYS_MAX));
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for (provider, _) in providers {
        let own = bills.iter().filter(|bill| bill.provider == *provider && bill.to >= oldest);
        // Of one that was imported again after a correction, the later import.
        match own.rev().max_by_key(|bill| (bill.to, bill.from)) {
            Some(bill) => found.push((apart(bill), bill)),
            None => missing.push(provider.as_str()),
        }
    }
    if !missing.is_empty() {
        return no(format!("not measured yet: no bill of {} was imported", missing.join(", ")));
    }
    let Some((worst, bill)) = found.into_iter().max_by_key(|(percent, _)| *percent) else {
        return no("not measured yet: no spend in the last 30 days".to_owned());
    };
    let detail = format!(
        "the bill of {} from {} to {} is {worst} % from what was metered",
        bill.provider, bill.from, bill.to
    );
    let step = "look at its differences: `tally reconcile show`";
    result(gate, worst <= asked, Some(worst), Some(asked), detail, step)
}

/// How far a bill is from what was metered, in percent of the bill: two decimals, rounded up so
/// that a difference is never shown as none.
fn apart(bill: &BillSeen) -> Exact {
    let (billed, metered) = (bill.billed_usd.pico(), bill.metered_usd.pico());
    let apart = (billed - metered).abs();
    let hundredths = match billed.abs() {
        0 if apart == 0 => 0,
        // All of what was metered is missing on the bill.
        0 => 10_000,
        billed => (apart * 10_000 + billed - 1) / billed,
    };
    Exact::from_pico(hundredths * (Exact::ONE / 100))
}

fn readiness(measured: &CostCenterUse, asked: Exact) -> GateResult {
    let step = "mend what `tally governance readiness` shows as open";
    let lines = || measured.teams.iter().flat_map(|team| &team.items);
    let (all, met) = (lines().count(), lines().filter(|line| line.ok).count());
    let open = measured.teams.iter().filter(|team| !team.ready);
    let open: Vec<&str> = open.map(|team| team.team.as_str()).collect();
    let detail = match open.as_slice() {
        _ if all == 0 => "no team pays here, and none owns a workload that does".to_owned(),
        [] => format!("all {all} lines of its teams are met"),
        names => format!("{met} of {all} lines are met; not ready: {}", names.join(", ")),
    };
    let percent = (met * 100).checked_div(all).and_then(|percent| i128::try_from(percent).ok());
    at_least(RolloutGate::Readiness, percent, asked, detail, step)
}

/// A stage is what the statement says: shown needs a model, charged one that charges.
fn model(name: &Name, spec: &CostCenterSpec, to: RolloutStage, today: Date) -> Option<GateResult> {
    let rule = spec.chargeback.as_ref().and_then(|chargeback| chargeback.on_or_after(today));
    let day = rule.as_ref().and_then(|rule| rule.from).map_or(today, |from| from.max(today));
    let from = if day > today { format!(" from {day} on") } else { String::new() };
    let (ok, step) = match to {
        RolloutStage::Inventory => return None,
        RolloutStage::Showback => (rule.is_some(), "showback"),
        RolloutStage::Chargeback => {
            (rule.as_ref().is_some_and(|rule| rule.charges_on(day)), "production, hybrid or quota")
        }
    };
    let detail = match &rule {
        None => "it has no chargeback model: what it uses is unallocated".to_owned(),
        Some(rule) if rule.charges_on(day) => format!("its model {} charges{from}", rule.model),
        Some(rule) => format!("its model {} charges nothing{from}", rule.model),
    };
    let step = format!("give {name} a chargeback model: {step}");
    Some(result(RolloutGate::ChargebackModel, ok, None, None, detail, &step))
}
