//! Gates, targets and trouble, without a store.

use std::collections::BTreeMap;

use serde_json::json;
use tally_types::{
    Exact, PicoUsdSum,
    spec::{RolloutGate, RolloutStage, SprintTarget},
};

use super::{
    BillSeen, CostCenterUse, RolloutProgress, SpendOfDay, TargetVerdict, WorkloadMonth, anomalies,
    offenders, progress, quarter_of, target_progress,
};
use crate::{
    Snapshot,
    catalog::{ReadinessItem, TeamReadiness, TeamUse},
};

const USD: i128 = 1_000_000_000_000;

fn usd(dollars: i128) -> PicoUsdSum {
    PicoUsdSum::from_pico(dollars * USD)
}

fn exact(text: &str) -> Exact {
    text.parse().unwrap()
}

/// A cost center in showback, with two workloads of which one is complete.
fn company(chargeback: serde_json::Value, rules: serde_json::Value) -> Snapshot {
    let workload = |purpose: Option<&str>| {
        let known = purpose.is_some();
        json!({
            "owner": "ada", "cost_center": "cc", "environment": "experimentation",
            "class": "exploration", "tier": "standard", "data_class": "internal",
            "purpose": purpose, "criticality": known.then_some("low"),
            "funding": known.then_some("charged"), "fallback": { "model": "cheaper" },
        })
    };
    serde_json::from_value(json!({
        "organization": { "rollout": rules },
        "cost_centers": { "cc": { "owner": "grace", "chargeback": chargeback } },
        "people": { "ada": { "team": "support" }, "grace": {} },
        "teams": { "support": {}, "platform": { "cost_center": "cc" } },
        "workloads": { "whole": workload(Some("p")), "lacking": workload(None) },
        "rollouts": { "cc": { "stage": "showback", "steps": [{
            "from": "inventory", "to": "showback", "at": "2026-10-01T08:00:00Z", "by": "lin",
        }] } },
    }))
    .unwrap()
}

fn used(met: usize) -> CostCenterUse {
    let items = (0..4).map(|line| ReadinessItem {
        item: "quotas",
        ok: line < met,
        detail: String::new(),
        next_step: None,
    });
    let items = items.collect();
    let team = TeamReadiness { team: "platform".parse().unwrap(), ready: met == 4, items };
    CostCenterUse {
        used: TeamUse { spend_usd: usd(200), tagged_usd: usd(170) },
        providers: BTreeMap::from([("anthropic".to_owned(), usd(200))]),
        weeks: 13,
        teams: vec![team],
    }
}

fn bill(to: &str, billed: i128, metered: i128) -> BillSeen {
    BillSeen {
        provider: "anthropic".to_owned(),
        from: "2026-10-01".parse().unwrap(),
        to: to.parse().unwrap(),
        billed_usd: usd(billed),
        metered_usd: usd(metered),
    }
}

fn measured(snapshot: &Snapshot, used: CostCenterUse, bills: &[BillSeen]) -> RolloutProgress {
    let used = BTreeMap::from([("cc".to_owned(), used)]);
    let mut all = progress(snapshot, &used, bills, "2026-11-20".parse().unwrap());
    all.pop().unwrap()
}

fn open(progress: &RolloutProgress) -> Vec<RolloutGate> {
    progress.gates.iter().filter(|gate| !gate.ok).map(|gate| gate.gate).collect()
}

#[test]
fn a_gate_holds_when_what_is_asked_for_was_measured() {
    let half = json!({ "chargeback": { "complete_percent": 50 } });
    let company = company(json!({ "model": "hybrid" }), half);
    let ready = measured(&company, used(4), &[bill("2026-10-31", 1_000, 985)]);
    assert_eq!((ready.ready, open(&ready)), (true, Vec::new()), "{ready:?}");
    assert_eq!((ready.stage, ready.next), (RolloutStage::Showback, Some(RolloutStage::Chargeback)));
    assert_eq!(ready.teams.len(), 2, "the one that pays, and the one of a workload's owner");
    let of = |gate| ready.gates.iter().find(|found| found.gate == gate).unwrap();
    assert_eq!(of(RolloutGate::Attributed).measured.unwrap().to_string(), "85");
    assert_eq!(of(RolloutGate::BillVariance).measured.unwrap().to_string(), "1.5");
    assert!(of(RolloutGate::WorkloadsComplete).detail.contains("not so: lacking"));
    assert!(ready.at_odds.unwrap().contains("charges already"));
}

#[test]
fn what_is_not_measured_does_not_hold() {
    let company = company(json!({ "model": "showback" }), json!({}));
    let nothing = measured(&company, CostCenterUse::default(), &[]);
    assert_eq!(open(&nothing).len(), 6, "{nothing:?}");
    let of = |gate| nothing.gates.iter().find(|found| found.gate == gate).unwrap();
    assert_eq!(of(RolloutGate::Attributed).measured, None);
    assert_eq!(of(RolloutGate::QuarterOfData).measured.unwrap().to_string(), "0");

    // A bill of last year says nothing about now, and one of another provider nothing at all.
    let mut other = bill("2026-10-31", 10, 10);
    other.provider = "openai".to_owned();
    let unbilled = measured(&company, used(4), &[bill("2026-07-31", 10, 10), other]);
    let gate = unbilled.gates.iter().find(|gate| gate.gate == RolloutGate::BillVariance).unwrap();
    assert_eq!((gate.ok, gate.measured), (false, None));
    assert!(gate.detail.starts_with("not measured yet: no bill of anthropic"), "{}", gate.detail);
}

#[test]
fn the_newest_bill_counts_and_a_difference_is_never_rounded_away() {
    let company = company(json!({ "model": "quota" }), json!({}));
    let bills = [bill("2026-10-31", 1_000_000, 999_999), bill("2026-09-30", 100, 10)];
    let found = measured(&company, used(4), &bills);
    let gate = found.gates.iter().find(|gate| gate.gate == RolloutGate::BillVariance).unwrap();
    assert_eq!((gate.ok, gate.measured.unwrap().to_string().as_str()), (true, "0.01"));
    // What is on no bill at all is all of it.
    let found = measured(&company, used(4), &[bill("2026-10-31", 0, 5)]);
    let gate = found.gates.iter().find(|gate| gate.gate == RolloutGate::BillVariance).unwrap();
    assert_eq!((gate.ok, gate.measured.unwrap().to_string().as_str()), (false, "100"));
}

#[test]
fn to_be_charged_it_needs_a_model_that_charges() {
    let fits = |chargeback| {
        let company = company(chargeback, json!({}));
        let found = measured(&company, used(4), &[]);
        found.gates.iter().find(|gate| gate.gate == RolloutGate::ChargebackModel).unwrap().ok
    };
    assert!(fits(json!({ "model": "production" })));
    assert!(!fits(json!({ "model": "showback" })) && !fits(json!(null)));
    // One that begins later is enough to be taken there; a subsidy only once it is over.
    let later =
        json!({ "model": "hybrid", "from": "2027-01-01", "history": [{ "model": "showback" }] });
    assert!(fits(later));
    assert!(fits(json!({ "model": "subsidy", "until": "2026-11-19" })));
    assert!(!fits(json!({ "model": "subsidy", "until": "2026-12-31" })));
}

fn target(measure: &str, baseline: &str, wanted: &str) -> SprintTarget {
    serde_json::from_value(json!({
        "number": 1, "scope": { "workload": "copilot" }, "measure": measure,
        "baseline": baseline, "baseline_from": "2026-10-01T00:00:00Z",
        "baseline_until": "2026-11-01T00:00:00Z", "target": wanted, "owner": "ada", "by": "lin",
        "at": "2026-11-02T00:00:00Z",
    }))
    .unwrap()
}

#[test]
fn what_adds_up_is_held_against_as_much_of_the_month_as_is_over() {
    let at = |text: &str| text.parse().unwrap();
    let month = (at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z"));
    let so_far = (month.0, at("2026-11-11T00:00:00Z"));
    let verdict = |target: &SprintTarget, value: Option<&str>, measured| {
        target_progress(target, value.map(exact), measured, month).verdict
    };
    // A third of the month: 90 are as 30 now.
    let spend = target("spend_usd", "100", "90");
    assert_eq!(verdict(&spend, Some("30"), so_far), TargetVerdict::OnTrack);
    assert_eq!(verdict(&spend, Some("30.1"), so_far), TargetVerdict::Behind);
    assert_eq!(verdict(&spend, Some("90"), month), TargetVerdict::Met);
    assert_eq!(verdict(&spend, Some("90.1"), month), TargetVerdict::Missed);
    // A mean is the same after a day and after a month.
    let mean = target("cost_per_successful_task_usd", "0.08", "0.06");
    assert_eq!(verdict(&mean, Some("0.07"), so_far), TargetVerdict::Behind);
    assert_eq!(verdict(&mean, None, so_far), TargetVerdict::NotMeasured);
    let mut late = spend;
    late.at = month.1;
    assert!(target_progress(&late, Some(exact("1")), month, month).late);
}

#[test]
fn offenders_are_named_by_the_money_that_they_cost() {
    let company: Snapshot = serde_json::from_value(json!({ "workloads": { "promised": {
        "owner": "ada", "cost_center": "cc", "environment": "experimentation",
        "class": "exploration", "tier": "standard", "data_class": "internal",
        "slo": { "cost_per_successful_task_usd": "2" },
    } } }))
    .unwrap();
    let month = |name: &str, spend: i128, before: i128, per_task: i128| WorkloadMonth {
        workload: name.to_owned(),
        spend_usd: usd(spend),
        before_usd: usd(before),
        cost_per_task_usd: Some(usd(per_task)),
        cost_per_task_before_usd: Some(usd(3)),
        tasks_succeeded: 10,
        tokens_uncached: 100,
        uncached_percent: Some(exact("50")),
    };
    let found = offenders(
        &company,
        &[month("promised", 50, 10, 3), month("other", 30, 40, 3), month("dear", 20, 20, 9)],
        Vec::new(),
        Vec::new(),
    );
    let dear: Vec<_> =
        found.dear_tasks.iter().map(|it| (it.workload.as_str(), it.excess_usd)).collect();
    assert_eq!(dear, [("dear", usd(60)), ("promised", usd(10))], "its SLO counts, not the past");
    let grown: Vec<_> = found.grown.iter().map(|it| it.workload.as_str()).collect();
    assert_eq!(grown, ["promised"]);
    assert!(found.uncached.is_empty(), "what caches serve half of is no offender");
}

#[test]
fn a_day_is_held_against_the_same_weekdays_before() {
    let day = |text: &str, dollars: i128| SpendOfDay {
        cost_center: Some("cc".to_owned()),
        day: text.parse().unwrap(),
        spend_usd: usd(dollars),
    };
    let mondays = ["2026-10-05", "2026-10-12", "2026-10-19", "2026-10-26"];
    let mut days: Vec<SpendOfDay> = mondays.iter().map(|text| day(text, 10)).collect();
    days.push(day("2026-11-02", 45));
    // Its own weekday is unknown before: nothing can be expected of it.
    days.push(day("2026-11-03", 45));
    let (from, until) = ("2026-11-01".parse().unwrap(), "2026-11-10".parse().unwrap());
    let found = anomalies(&days, from, until);
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((one.day.to_string().as_str(), one.expected_usd), ("2026-11-02", usd(10)));
    days.retain(|one| one.day.to_string().as_str() >= "2026-10-19");
    assert!(anomalies(&days, from, until).is_empty(), "two weeks are too few to expect anything");
}

#[test]
fn quarters_are_written_in_one_way() {
    let (first, next) = quarter_of("2026-Q4").unwrap();
    assert_eq!((first.to_string(), next.to_string()), ("2026-10-01".into(), "2027-01-01".into()));
    for wrong in ["2026", "2026-Q5", "2026-Q0", "26-Q1", "2026-q1", "2026-Q11", ""] {
        assert!(quarter_of(wrong).is_none(), "{wrong}");
    }
}
