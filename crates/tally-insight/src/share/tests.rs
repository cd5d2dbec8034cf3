//! Templates and stories over tasks of a small company.

use tally_types::{TaskOutcome, spec::StoryClaim};

use super::*;

const DAY_S: i64 = 86_400;

/// A task on a day, of one of ten people; its cost wavers by a few percent.
fn task(day: i64, number: u64, cents: i128, template: Option<&str>) -> TaskFact {
    let wave = 96 + i128::from(number % 9);
    TaskFact {
        task_key: number,
        workload: Some("copilot".parse().unwrap()),
        task_id: format!("t-{number}"),
        task_type: Some("answer".to_owned()),
        person: Some(format!("p-{}", number % 10).parse().unwrap()),
        team: Some("support".parse().unwrap()),
        department: None,
        first_call: Timestamp::from_second(day * DAY_S).unwrap(),
        calls: 1,
        cost: Some(PicoUsdSum::from_pico(cents * wave * 100_000_000)),
        tokens: 1_000,
        prompt_tokens: 900,
        cache_read_tokens: 0,
        latency_us: Some(1_000_000),
        tier: None,
        template: template.map(|name| name.parse().unwrap()),
        prompt_fingerprint: None,
        outcome: Some(TaskOutcome {
            result: TaskResult::Succeeded,
            escalated: false,
            quality_bp: None,
            value: None,
            reported_by: None,
        }),
    }
}

fn measured(tasks: &[TaskFact]) -> Measured {
    let mut samples = Samples::default();
    tasks.iter().for_each(|task| samples.take(task));
    samples.measured("short", &"p-0".parse().unwrap())
}

#[test]
fn a_template_is_held_against_the_same_work_without_it() {
    let mut tasks: Vec<TaskFact> = (0..60).map(|number| task(1, number, 100, None)).collect();
    tasks.extend((60..100).map(|number| task(1, number, 70, Some("short@2"))));
    // Cheaper work of another kind says nothing about it.
    tasks.extend((100..200).map(|number| TaskFact {
        task_type: Some("other".to_owned()),
        ..task(1, number, 1, None)
    }));
    let found = measured(&tasks);
    let cost = found.all.cost.unwrap();
    assert!((cost.ratio - 0.7).abs() < 0.03, "{cost:?}");
    assert_eq!(found.all.effect, TemplateEffect::Saves);
    assert_eq!((found.all.tasks, found.all.compared, found.all.people), (40, 60, 10));
    assert_eq!(found.reusers, 9);
    let saved = found.all.saved_usd.unwrap().pico();
    let whole = found.all.cost_usd.pico();
    assert!((saved * 100 / whole - 43).abs() <= 4, "{saved} of {whole}");
    let numbers: Vec<Option<u32>> = found.versions.iter().map(|one| one.version).collect();
    assert_eq!(numbers, [Some(2)]);
}

#[test]
fn few_tasks_tell_nothing_of_a_template() {
    let mut tasks: Vec<TaskFact> = (0..60).map(|number| task(1, number, 100, None)).collect();
    tasks.extend((60..70).map(|number| task(1, number, 10, Some("short@1"))));
    let found = measured(&tasks);
    assert_eq!((found.all.effect, found.all.cost), (TemplateEffect::Unclear, None));
    assert_eq!(found.all.tasks, 10);
}

fn claim(comparison: StoryTasks) -> StoryClaim {
    let window = |from: i64, until: i64| StoryWindow {
        from: Timestamp::from_second(from * DAY_S).unwrap(),
        until: Timestamp::from_second(until * DAY_S).unwrap(),
    };
    StoryClaim {
        title: "Shorter".to_owned(),
        changed: "A shorter history".to_owned(),
        subject: StoryTasks { workload: Some("copilot".parse().unwrap()), ..StoryTasks::default() },
        comparison,
        before: window(0, 10),
        after: window(10, 20),
        template: None,
    }
}

fn judged(own_after: i128, others_after: i128, people: u64) -> StoryResult {
    let claim = claim(StoryTasks::default());
    let author = "p-1".parse().unwrap();
    let mut measure = StoryMeasure::new(&claim, &author);
    for number in 0..50 {
        for (day, own, others) in [(5, 100, 100), (15, own_after, others_after)] {
            measure.take(&task(day, number, own, None));
            let person = format!("q-{}", number % people).parse().unwrap();
            measure.take(&TaskFact {
                workload: None,
                person: Some(person),
                ..task(day, number, others, None)
            });
        }
    }
    measure.result(Timestamp::UNIX_EPOCH)
}

#[test]
fn a_story_is_held_against_tasks_it_did_not_touch() {
    let saved = judged(80, 100, 5);
    assert_eq!((saved.verdict, saved.ground.as_str()), (StoryVerdict::Confirmed, "saved"));
    assert!(saved.saved_usd.is_some());
    assert_eq!((saved.subject_after.tasks, saved.comparison_after.tasks), (50, 50));
    let general = judged(80, 80, 5);
    assert_eq!(general.verdict, StoryVerdict::Unclear);
    assert_eq!((general.ground.as_str(), general.saved_usd), ("others_saved_too", None));
    assert_eq!(judged(130, 100, 5).verdict, StoryVerdict::Refuted);
}

#[test]
fn a_comparison_with_two_people_is_shown_to_nobody() {
    let hidden = judged(80, 100, 2);
    assert_eq!(hidden.ground, "too_few_tasks");
    assert_eq!((hidden.comparison_before.tasks, hidden.others), (0, None));
}
