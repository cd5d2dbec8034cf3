//! What scoring a season costs: 85,000 people, three million tasks, from the first to the boards.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement: it stops at the first error"
)]

use std::sync::Arc;

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use tally_insight::score::{Directory, Facts, Rules, Scores, Season, SeasonTasks};
use tally_types::{
    Fingerprint, KeyName, PersonName, PicoUsd, PicoUsdSum, Reporter, TaskFact, TaskOutcome,
    TaskResult, TeamName, Tier, TimeZone, Timestamp, spec::ScoringFormulaSpec,
};

const PEOPLE: u32 = 85_000;
const TASKS: u32 = 3_000_000;
const OF_A_TEAM: u32 = 12;
const TYPES: [Option<&str>; 4] = [Some("review"), Some("summary"), Some("support"), None];

fn season() -> Season {
    let moment = |text: &str| text.parse().unwrap();
    let (from, until) = (moment("2026-10-31T23:00:00Z"), moment("2026-11-30T23:00:00Z"));
    Season { name: "2026-11".to_owned(), from, until }
}

fn rules(people: &[PersonName], teams: &[TeamName]) -> Rules {
    let of = |number: usize| teams.get(number / OF_A_TEAM as usize).cloned();
    let people = people.iter().enumerate().map(|(number, name)| (name.clone(), of(number)));
    let teams = teams.iter().enumerate();
    Rules {
        formula_name: ScoringFormulaSpec::STANDARD.to_owned(),
        formula: ScoringFormulaSpec::default(),
        zone: TimeZone::get("Europe/Berlin").unwrap(),
        directory: Arc::new(Directory {
            people: people.collect(),
            teams: teams
                .map(|(number, name)| (name.clone(), Some(format!("department-{}", number / 100))))
                .collect(),
        }),
    }
}

/// Spread over people, types, days and costs without a pattern that would make it easy.
fn task(number: u32, from: Timestamp, people: &[PersonName], teams: &[TeamName]) -> TaskFact {
    let mixed = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let share = |bits: u32, of: u64| (mixed >> bits) % of;
    let whose = number % PEOPLE;
    let by = Reporter::Key(KeyName("ci".parse().unwrap()));
    let outcome = TaskOutcome {
        result: if share(7, 10) < 8 { TaskResult::Succeeded } else { TaskResult::Failed },
        escalated: false,
        quality_bp: Some(u16::try_from(5_000 + share(11, 5_000)).unwrap()),
        value: Some(PicoUsd::from_pico(1_000_000_000_000)),
        reported_by: Some(by),
    };
    TaskFact {
        task_key: mixed,
        workload: None,
        task_id: format!("task-{number}"),
        task_type: TYPES.get((whose % 4) as usize).copied().flatten().map(str::to_owned),
        person: people.get(whose as usize).cloned(),
        team: teams.get((whose / OF_A_TEAM) as usize).cloned(),
        department: None,
        first_call: from + std::time::Duration::from_secs(share(3, 2_500_000)),
        calls: 3,
        cost: Some(PicoUsdSum::from_pico(i128::from(10_000_000 + share(5, 90_000_000)))),
        tokens: 2_000,
        prompt_tokens: 1_500,
        cache_read_tokens: 200,
        latency_us: None,
        tier: Some(Tier::Standard),
        template: None,
        prompt_fingerprint: Some(Fingerprint::new(mixed)),
        outcome: (share(13, 10) < 8).then_some(outcome),
    }
}

fn scores(criterion: &mut Criterion) {
    let name = |what: &str, number: u32| format!("{what}-{number}").parse().unwrap();
    let people: Vec<_> = (0..PEOPLE).map(|number| PersonName(name("p", number))).collect();
    let teams: Vec<_> =
        (0..PEOPLE.div_ceil(OF_A_TEAM)).map(|number| TeamName(name("team", number))).collect();
    let rules = rules(&people, &teams);
    let mut group = criterion.benchmark_group("scores");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.bench_function("85,000 people, 3 million tasks", |bencher| {
        bencher.iter(|| {
            let mut tasks = SeasonTasks::new(season());
            let from = season().from;
            for number in 0..TASKS {
                tasks.take(&task(number, from, &people, &teams));
            }
            Scores::new(tasks, Vec::new(), rules.clone(), Facts::default())
        });
    });
    group.finish();
}

criterion_group!(benches, scores);
criterion_main!(benches);
