//! The rules with numbers that can be followed by hand.

use tally_insight::score::{ComplianceFacts, Scores, TemplateEffect, Unranked};
use tally_types::{
    TaskResult,
    spec::{Board, Competitors},
};

use crate::company::{Company, outcome, person, row, usd};

/// Three of one department, who do one type of tasks; 40 successes of quality 1 each.
fn three(costs: [f64; 3]) -> Company {
    let mut company = Company::new(1);
    company.tasks.clear();
    company.pasts.clear();
    company.facts.knowledge.contributions.clear();
    for (number, cost) in costs.into_iter().enumerate() {
        for index in 0..40 {
            let task = company.add(number, Some("letter"), cost, 1 + index % 20);
            task.outcome = Some(outcome(TaskResult::Succeeded, 10_000));
        }
    }
    company
}

fn efficiency(scores: &Scores, number: usize) -> f64 {
    let row = row(scores, Competitors::People, Board::Efficiency, person(number).as_str());
    row.parts.efficiency.unwrap()
}

#[test]
fn efficiency_is_the_cost_of_successes_against_the_others_median() {
    let scores = three([0.5, 1.0, 4.0]).scores();
    // The others' median is 2.5: 40 successes at a fifth of it, and 20 given: (40 + 20) / (8 + 20).
    assert!(efficiency(&scores, 0) > 100.0 - 1e-9);
    // 2.25: (40 + 20) / (17.78 + 20).
    let ratio: f64 = 60.0 / (40.0 / 2.25 + 20.0);
    let expected = 50.0 + 50.0 * ratio.log2();
    assert!((efficiency(&scores, 1) - expected).abs() < 1e-9);
    // 0.75: (40 + 20) / (213 + 20), more than twice as dear.
    assert!(efficiency(&scores, 2).abs() < 1e-9);
    let row = row(&scores, Competitors::People, Board::Efficiency, person(1).as_str());
    assert_eq!((row.rank, row.score), (Some(2), Some(83.4)));
}

#[test]
fn failures_cost_and_earn_nothing() {
    let mut company = three([1.0, 1.0, 1.0]);
    for index in 0..40 {
        let task = company.add(0, Some("letter"), 1.0, 1 + index % 20);
        task.outcome = Some(outcome(TaskResult::Failed, 10_000));
    }
    // Twice the cost: (40 + 20) / (80 + 20).
    let expected = 50.0 + 50.0 * 0.6_f64.log2();
    assert!((efficiency(&company.scores(), 0) - expected).abs() < 1e-9);
    // Under another name, too, as soon as that is compared: calling it something else hides nothing.
    for task in company.tasks.iter_mut().filter(|task| {
        task.outcome.as_ref().is_some_and(|outcome| outcome.result == TaskResult::Failed)
    }) {
        task.task_type = Some("attempt".to_owned());
    }
    for number in 1..4 {
        for index in 0..20 {
            let task = company.add(number, Some("attempt"), 1.0, 1 + index % 20);
            task.outcome = Some(outcome(TaskResult::Succeeded, 10_000));
        }
    }
    assert!((efficiency(&company.scores(), 0) - expected).abs() < 1e-9);
}

#[test]
fn a_season_of_fewer_tasks_than_asked_for_has_no_rank() {
    let mut company = three([1.0, 1.0, 1.0]);
    for index in 0..19 {
        let task = company.add(3, Some("letter"), 0.1, 1 + index);
        task.outcome = Some(outcome(TaskResult::Succeeded, 10_000));
    }
    let of = |company: &Company| {
        row(&company.scores(), Competitors::People, Board::Overall, person(3).as_str())
    };
    assert_eq!((of(&company).rank, of(&company).unranked), (None, Some(Unranked::TooFewTasks)));
    company.add(3, Some("letter"), 0.1, 25).outcome = Some(outcome(TaskResult::Succeeded, 10_000));
    assert_eq!(of(&company).rank, Some(1));
}

#[test]
fn two_cannot_be_compared() {
    let mut company = three([1.0, 1.0, 1.0]);
    company.tasks.retain(|task| task.person != Some(person(2)));
    let row = row(&company.scores(), Competitors::People, Board::Overall, person(0).as_str());
    assert_eq!((row.rank, row.unranked), (None, Some(Unranked::NobodyToCompare)));
}

#[test]
fn half_the_own_cost_is_an_improvement_unless_quality_falls() {
    let mut company = three([1.0, 1.0, 1.0]);
    let before: Vec<_> = company
        .tasks
        .iter()
        .map(|task| {
            let mut task = task.clone();
            let day = task.first_call.to_string().replace("2026-11", "2026-10");
            task.first_call = day.parse().unwrap();
            task
        })
        .collect();
    company.pasts = vec![before];
    for task in company.own(0) {
        task.cost = Some(usd(0.5));
    }
    let of = |company: &Company| {
        let row =
            row(&company.scores(), Competitors::People, Board::Improvement, person(0).as_str());
        row.parts.improvement.unwrap()
    };
    assert!((of(&company) - (50.0 + 50.0 * 1.5_f64.log2())).abs() < 1e-9);
    for task in company.own(0) {
        task.outcome.as_mut().unwrap().quality_bp = Some(9_700);
    }
    assert!((of(&company) - 50.0).abs() < 1e-9, "cheaper, but worse, is as it was");
}

#[test]
fn what_is_not_kept_to_takes_from_every_part() {
    let mut company = three([1.0, 1.0, 1.0]);
    let facts = ComplianceFacts {
        violations: 3,
        // A quarter of what the peers would have spent on 40 successes.
        unregistered: usd(10.0),
        expired_exceptions: vec!["late".parse().unwrap()],
    };
    company.facts.compliance.people.insert(person(0), facts);
    let row = row(&company.scores(), Competitors::People, Board::Efficiency, person(0).as_str());
    assert!((row.parts.compliance - (1.0 - 0.06 - 0.05 - 0.02)).abs() < 1e-9);
    assert_eq!(row.score, Some(43.5));
}

#[test]
fn return_is_value_for_all_that_was_spent() {
    let company = Company::new(1);
    let scores = company.scores();
    let board = scores.standings().board(Competitors::Teams, Board::Return).unwrap();
    for row in &board.rows {
        let value = row.volume.successes as f64 / 40.0;
        assert!((row.score.unwrap() - value).abs() <= 0.005 + 1e-9);
    }
    assert!(!scores.standings().award.is_empty());
    assert!(scores.standings().board(Competitors::People, Board::Return).is_none());
}

#[test]
fn a_template_that_costs_more_is_worth_nothing() {
    let mut company = Company::new(1);
    company.template("longwinded", 8, TemplateEffect::Costs);
    company.uses(12, "longwinded", 10);
    let explanation = company.scores().explain(Competitors::People, person(8).as_str()).unwrap();
    assert_eq!(explanation.knowledge.templates[0].users, 1);
    assert!(explanation.knowledge.points.abs() < 1e-9);
}

#[test]
fn titles_go_to_those_who_earned_them() {
    let mut company = Company::new(1);
    company.template("summary", 8, TemplateEffect::Saves);
    company.uses(12, "summary", 10);
    for task in company.own(31) {
        task.cache_read_tokens = 700;
    }
    let scores = company.scores();
    let titles = &scores.standings().titles;
    let holder = |title: &str| {
        titles.iter().find(|holder| holder.title.as_str() == title).map(|it| it.person.clone())
    };
    assert_eq!(holder("token_legend"), Some(person(8)));
    assert_eq!(holder("cache_wizard"), Some(person(31)));
    assert!(holder("session_immortal").is_some());
    assert_eq!(holder("model_connoisseur"), None, "nobody uses models of the frontier");
}
