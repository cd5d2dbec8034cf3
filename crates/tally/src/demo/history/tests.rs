//! What the past looks like, whatever its seed.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use tally_store::{ApplyOptions, Store};
use tally_types::{CallStatus, Environment, ManualClock, Outcome, UsageEvent};

use super::*;
use crate::demo::company::{documents, is_working, zone};

fn until() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

/// The past of 60 people over eight weeks.
struct Past {
    company: Company,
    seed: u64,
}

// === impl Past ===

impl Past {
    fn new(seed: u64) -> Self {
        Self { company: Company::new(seed, 60).unwrap(), seed }
    }

    fn history(&self) -> History<'_> {
        History::new(&self.company, self.seed, 56, until()).unwrap()
    }

    fn records(&self) -> Vec<Record> {
        let history = self.history();
        (0..history.days()).flat_map(|day| history.day(day).unwrap()).collect()
    }
}

fn split(records: Vec<Record>) -> (Vec<UsageEvent>, Vec<Outcome>) {
    let (mut events, mut outcomes) = (Vec::new(), Vec::new());
    for record in records {
        match record {
            Record::Usage(event) => events.push(*event),
            Record::Outcome(outcome) => outcomes.push(outcome),
        }
    }
    (events, outcomes)
}

fn share(events: &[UsageEvent], is_so: impl Fn(&UsageEvent) -> bool) -> f64 {
    events.iter().filter(|event| is_so(event)).count() as f64 / events.len() as f64
}

#[test]
fn the_same_seed_makes_the_same_past() {
    let day = |seed| Past::new(seed).history().day(40).unwrap();
    let one = day(7);
    assert!(one.len() > 200, "{}", one.len());
    assert_eq!(one, day(7));
    assert_ne!(one, day(8));
}

#[test]
fn every_id_is_unique_and_nothing_lies_in_the_future() {
    let records = Past::new(7).records();
    let ids: HashSet<_> = records.iter().map(Record::id).collect();
    assert_eq!(ids.len(), records.len());
    assert!(records.iter().all(|record| time_of(record) < until()));
}

#[test]
fn weekends_are_quiet_and_usage_grows() {
    let (events, _) = split(Past::new(7).records());
    let mut by_day: BTreeMap<_, u32> = BTreeMap::new();
    for event in &events {
        *by_day.entry(zone().to_datetime(event.time).date()).or_default() += 1;
    }
    by_day.pop_last();
    let mean = |of: &dyn Fn(usize, tally_types::Date) -> bool| {
        let days = by_day.iter().enumerate().filter(|(index, (day, _))| of(*index, **day));
        let counts: Vec<u32> = days.map(|(_, (_, count))| *count).collect();
        f64::from(counts.iter().sum::<u32>()) / counts.len() as f64
    };
    let worked = mean(&|_, day| is_working(day));
    assert!(mean(&|_, day| !is_working(day)) < worked * 0.5);
    let (early, late) = (
        mean(&|index, day| index < 20 && is_working(day)),
        mean(&|index, day| index >= 35 && is_working(day)),
    );
    assert!((1.05..1.5).contains(&(late / early)), "from {early} to {late}");
}

#[test]
fn shares_of_the_unusual_are_small_but_there() {
    let (events, outcomes) = split(Past::new(7).records());
    for (what, share, low, high) in [
        ("failed", share(&events, |event| event.status == CallStatus::Error), 0.005, 0.04),
        ("fell back", share(&events, |event| event.fallback.is_some()), 0.003, 0.04),
        ("retried", share(&events, |event| event.retries > 0), 0.01, 0.08),
        ("unpriced", share(&events, |event| event.cost_list_usd.is_none()), 0.0002, 0.006),
        ("no workload", share(&events, |event| event.workload.is_none()), 0.01, 0.05),
        ("no team", share(&events, |event| event.team.is_none()), 0.001, 0.02),
        (
            "trying out",
            share(&events, |event| event.environment == Environment::Experimentation),
            0.03,
            0.3,
        ),
    ] {
        assert!((low..high).contains(&share), "{what}: {share}");
    }
    let tasks: HashSet<_> = events.iter().filter_map(|event| event.task_id.as_ref()).collect();
    let known = outcomes.len() as f64 / tasks.len() as f64;
    assert!((0.8..0.9).contains(&known), "{known}");
}

#[test]
fn every_price_is_the_price_lists() {
    let (events, _) = split(Past::new(7).history().day(30).unwrap());
    let prices = PriceCatalog::with_shipped([]).unwrap();
    for event in events {
        assert!(event.tokens.is_plausible(), "{event:?}");
        let mut again = event.clone();
        let model = event.model_served.clone().unwrap();
        prices.price_event(event.provider.as_ref().unwrap().as_str(), &[&model], &mut again);
        assert_eq!(again, event);
        assert_eq!(event.cost_list_usd.is_none(), model == "gpt-6-preview", "{event:?}");
    }
}

#[test]
fn the_unusual_days_can_be_told() {
    let past = Past::new(7);
    let history = past.history();
    let (events, outcomes) = split(past.records());
    let outage = history.incidents.outage.unwrap();
    let (during, before): (Vec<UsageEvent>, _) =
        events.iter().cloned().partition(|event| outage.holds(event.time));
    let fell_back = |events: &[UsageEvent]| share(events, |event| event.fallback.is_some());
    assert!(fell_back(&during) > 10.0 * fell_back(&before), "{}", fell_back(&during));

    let idling = history.incidents.idling.unwrap();
    let idle: Vec<_> = events
        .iter()
        .filter(|event| event.session.as_ref().is_some_and(|name| name.contains("idle")))
        .collect();
    assert!(idle.len() > 500 && idle.iter().all(|event| event.task_id.is_none()));
    // The last slot of a day may run a little over.
    assert!(idle.iter().filter(|event| idling.holds(event.time)).count() * 10 > idle.len() * 9);

    let moved = history.incidents.switched_at.unwrap();
    let per_success = |is_later: bool| {
        let cost: i64 = events
            .iter()
            .filter(|event| {
                event.task_id.as_ref().is_some_and(|task| task.starts_with("invoice-extraction"))
            })
            .filter(|event| (event.time >= moved) == is_later)
            .map(|event| event.cost_list_usd.unwrap().pico())
            .sum();
        let successes = outcomes
            .iter()
            .filter(|outcome| outcome.task_id.starts_with("invoice-extraction"))
            .filter(|outcome| (outcome.time >= moved) == is_later)
            .filter(|outcome| outcome.result == tally_types::TaskResult::Succeeded);
        cost as f64 / successes.count() as f64
    };
    assert!(per_success(true) < 0.75 * per_success(false));
}

#[tokio::test]
async fn every_company_can_be_applied_and_its_past_names_nothing_else() {
    for people in [10, 11, 25, 60, 320] {
        let company = Company::new(7, people).unwrap();
        assert_eq!(company.people.len(), people);
        let today = "2026-11-20".parse().unwrap();
        let resources = documents(&company, "http://127.0.0.1:9", today).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let url = tally_store::sqlite_url(&folder.path().join("store.db"));
        let store = Store::open(&url, Arc::new(ManualClock::new(until()))).await.unwrap();
        let options = ApplyOptions { set: "demo".to_owned(), ..ApplyOptions::default() };
        let text = crate::demo::company::to_yaml(&resources).unwrap();
        let parsed = tally_store::documents::parse_documents(
            "demo.yaml",
            &text,
            tally_store::documents::Format::Yaml,
        );
        let report = store.apply("a test", parsed.unwrap(), options).await.unwrap();
        assert!(report.warnings.is_empty(), "{:?}", report.warnings);
        let snapshot = store.snapshot();
        assert_eq!(snapshot.people.len(), people);
        let history = History::new(&company, 7, 10, until()).unwrap();
        let (events, outcomes) = split(history.day(8).unwrap());
        for event in &events {
            let known = event
                .person
                .as_ref()
                .is_none_or(|name| snapshot.people.contains_key(name.as_str()))
                && event
                    .team
                    .as_ref()
                    .is_none_or(|name| snapshot.teams.contains_key(name.as_str()))
                && event
                    .workload
                    .as_ref()
                    .is_none_or(|name| snapshot.workloads.contains_key(name.as_str()))
                && event.key.as_ref().is_none_or(|name| snapshot.keys.contains_key(name.as_str()))
                && event
                    .cost_center
                    .as_ref()
                    .is_none_or(|name| snapshot.cost_centers.contains_key(name.as_str()))
                && event
                    .provider
                    .as_ref()
                    .is_some_and(|name| snapshot.providers.contains_key(name.as_str()))
                && snapshot.models.contains_key(event.model_served.as_deref().unwrap());
            assert!(known, "{event:?}");
        }
        assert!(!outcomes.is_empty());
        store.close().await;
    }
}
