//! What admission costs: four levels that apply, among few budgets and among 10,000.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement: it stops at the first error"
)]

use std::collections::BTreeMap;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tally_budget::{Ask, Budgets, Definitions, Demand, RolesByName, Verdict};
use tally_types::{
    Calendar, CallId, EventId, Source, TimeZone, Timestamp, UsageEvent, Weekday, spec::BudgetSpec,
};
use uuid::Uuid;

const NOW: &str = "2026-03-10T10:00:00Z";

fn spec(scope: &serde_json::Value) -> BudgetSpec {
    serde_json::from_value(serde_json::json!({
        "owner": "grace", "scope": scope, "limit": { "usd": "1000000" },
        "window": { "calendar": "month" },
    }))
    .unwrap()
}

/// Organisation, team, each person, workload; and others that do not apply.
fn definitions(others: usize) -> Definitions {
    let mut budgets = BTreeMap::new();
    let levels = [
        serde_json::json!({}),
        serde_json::json!({ "team": "support" }),
        serde_json::json!({ "each": "person" }),
        serde_json::json!({ "workload": "copilot" }),
    ];
    for (level, scope) in levels.iter().enumerate() {
        budgets.insert(format!("level-{level}").parse().unwrap(), spec(scope));
    }
    for number in 0..others {
        let scope = match number % 3 {
            0 => serde_json::json!({ "person": format!("somebody-{number}") }),
            1 => serde_json::json!({ "team": format!("team-{number}") }),
            _ => serde_json::json!({ "workload": format!("work-{number}") }),
        };
        budgets.insert(format!("other-{number}").parse().unwrap(), spec(&scope));
    }
    Definitions {
        calendar: Calendar {
            zone: TimeZone::get("Europe/Berlin").unwrap(),
            week_starts: Weekday::Monday,
            fiscal_year_starts: 1,
        },
        organization: None,
        roles: RolesByName::default(),
        budgets,
        grants: Vec::new(),
    }
}

fn event(number: u128, now: Timestamp) -> UsageEvent {
    let id = Uuid::from_u128(number);
    let mut event = UsageEvent::new(EventId(id), CallId(id), now, Source::Gateway);
    event.person = "ada".parse().ok();
    event.team = "support".parse().ok();
    event.workload = "copilot".parse().ok();
    event.model_served = Some("claude-haiku-4-5".to_owned());
    event.provider = "anthropic".parse().ok();
    event
}

fn admission(criterion: &mut Criterion) {
    let now: Timestamp = NOW.parse().unwrap();
    let demand = Demand { pico_usd: Some(1_000), tokens: 1_000, tokens_all: 1_000 };
    for others in [0, 10_000] {
        let budgets = Budgets::new(definitions(others), now);
        let mut number = 0;
        criterion.bench_function(
            &format!("reserve and release, 4 levels of {}", others + 4),
            |bencher| {
                bencher.iter_batched(
                    || {
                        number += 1;
                        event(number, now)
                    },
                    |event| {
                        let ask = Ask { event: &event, demand, is_degraded: false, now };
                        match budgets.reserve(&ask) {
                            Verdict::Allowed(hold, _) => drop(hold),
                            other => panic!("{other:?}"),
                        }
                        event
                    },
                    BatchSize::SmallInput,
                );
            },
        );
    }
}

criterion_group!(benches, admission);
criterion_main!(benches);
