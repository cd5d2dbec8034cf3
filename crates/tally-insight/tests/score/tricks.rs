//! Each trick, by people at the top, in the middle and at the bottom: none of them rises on any board, nor does their
//! team.

use tally_insight::score::{ComplianceFacts, TaskStanding, TemplateEffect};
use tally_types::{
    Fingerprint, Reporter, TaskResult,
    spec::{Board, Competitors, ContributionKind},
};

use crate::company::{
    Company, PEOPLE, by_person, by_system, outcome, person, ranks, row, team_of, usd,
};

const SEEDS: [u64; 2] = [1, 7];
const TRICKSTERS: [usize; 3] = [3, 27, 58];

/// Plays a trick in several companies by several people, each alone.
fn never_helps(trick: impl Fn(&mut Company, usize)) {
    for seed in SEEDS {
        let honest = Company::new(seed);
        let before = honest.scores();
        for number in TRICKSTERS {
            let mut company = honest.clone();
            trick(&mut company, number);
            let after = company.scores();
            for (was, is) in ranks(&before, number).into_iter().zip(ranks(&after, number)) {
                assert!(is.2 >= was.2, "{was:?} became {is:?} for person {number}, seed {seed}");
            }
        }
    }
}

fn counted(company: &Company, number: usize, standing: TaskStanding) -> u64 {
    let explanation = company.scores().explain(Competitors::People, person(number).as_str());
    let groups = explanation.unwrap().tasks;
    groups.iter().find(|group| group.standing == standing).map_or(0, |group| group.count)
}

/// Cheap tasks that are said to have succeeded.
fn easy(company: &mut Company, number: usize, tasks: u32, by: &Option<Reporter>) {
    for index in 0..tasks {
        let task_type = Company::type_of(number);
        let task = company.add(number, task_type, 0.000_01, 1 + index % 25);
        let mut came = outcome(TaskResult::Succeeded, 10_000);
        came.reported_by.clone_from(by);
        task.outcome = Some(came);
    }
}

#[test]
fn idle_loops_move_nothing() {
    never_helps(|company, number| {
        for index in 0..2_000 {
            company.add(number, Company::type_of(number), 0.000_1, 1 + index % 28).calls = 500;
        }
    });
}

#[test]
fn burning_ten_times_as_much_without_outcomes_raises_no_rank() {
    never_helps(|company, number| {
        let own: Vec<_> = company.own(number).map(|task| (task.cost, task.tokens)).collect();
        for (index, (cost, tokens)) in (0_u32..).zip(own) {
            let task = company.add(number, Company::type_of(number), 0.0, 1 + index % 28);
            task.cost = cost.map(|cost| tally_types::PicoUsdSum::from_pico(cost.pico() * 10));
            task.tokens = tokens * 10;
        }
        company.facts.spend.insert(team_of(number), usd(400.0));
    });
}

#[test]
fn burning_within_tasks_that_count_raises_no_rank_either() {
    never_helps(|company, number| {
        for task in company.own(number) {
            task.cost = task.cost.map(|cost| tally_types::PicoUsdSum::from_pico(cost.pico() * 10));
            task.tokens *= 10;
        }
        company.facts.spend.insert(team_of(number), usd(400.0));
    });
}

/// Whoever uses what the catalog does not know cannot make that look small.
#[test]
fn burning_does_not_hide_unregistered_spend() {
    let mut company = Company::new(1);
    let facts = ComplianceFacts { unregistered: usd(0.5), ..ComplianceFacts::default() };
    company.facts.compliance.people.insert(person(27), facts);
    let before = company.scores();
    for task in company.own(27) {
        task.cost = task.cost.map(|cost| tally_types::PicoUsdSum::from_pico(cost.pico() * 10));
    }
    let after = company.scores();
    let of = |scores| row(scores, Competitors::People, Board::Knowledge, person(27).as_str());
    assert!(of(&after).parts.compliance <= of(&before).parts.compliance);
    assert!(of(&before).parts.compliance < 1.0);
}

#[test]
fn asking_the_same_again_is_no_further_success() {
    let again = |company: &mut Company, number: usize| {
        let mut known = 0;
        for task in company.own(number) {
            known = task.prompt_fingerprint.map_or(known, Fingerprint::bits);
        }
        let first = company.tasks.len();
        easy(company, number, 100, &by_system());
        for task in &mut company.tasks[first..] {
            task.prompt_fingerprint = Some(Fingerprint::new(known));
            // After everything else of theirs.
            task.first_call = "2026-11-29T12:00:00Z".parse().unwrap();
        }
    };
    never_helps(again);
    let mut company = Company::new(1);
    again(&mut company, 27);
    assert_eq!(counted(&company, 27, TaskStanding::Repeated), 100);
}

#[test]
fn nobody_approves_what_they_did_themselves() {
    never_helps(|company, number| easy(company, number, 300, &by_person(number)));
    let mut company = Company::new(1);
    easy(&mut company, 27, 300, &by_person(27));
    assert_eq!(counted(&company, 27, TaskStanding::SelfReported), 300);
}

#[test]
fn outcomes_by_the_hundred_do_not_count() {
    let spam = |company: &mut Company, number: usize| {
        let first = company.tasks.len();
        easy(company, number, 500, &by_system());
        for task in &mut company.tasks[first..] {
            task.first_call = "2026-11-12T12:00:00Z".parse().unwrap();
        }
    };
    never_helps(spam);
    let mut company = Company::new(1);
    spam(&mut company, 27);
    assert!(counted(&company, 27, TaskStanding::TooManyADay) >= 500);
}

/// Scores see whose key it was, not which one; work under other names stays theirs.
#[test]
fn splitting_keys_and_work_moves_nobody() {
    for seed in SEEDS {
        let honest = Company::new(seed);
        let before = honest.scores();
        for number in TRICKSTERS {
            let mut company = honest.clone();
            for (index, task) in company.own(number).enumerate() {
                let key = index % 7;
                task.workload = format!("side-{key}").parse().map(tally_types::WorkloadName).ok();
                task.task_id = format!("{key}-{}", task.task_id);
            }
            assert_eq!(ranks(&company.scores(), number), ranks(&before, number));
        }
    }
}

#[test]
fn templates_used_in_a_ring_bring_nothing() {
    for size in [2, 3] {
        let ring = |company: &mut Company, number: usize| {
            let members: Vec<usize> = (0..size).map(|step| (number + step) % PEOPLE).collect();
            for (step, member) in members.iter().enumerate() {
                let name = format!("ring-{member}");
                company.template(&name, *member, TemplateEffect::Saves);
                company.uses(members[(step + 1) % size], &format!("{name}@2"), 10);
            }
        };
        never_helps(ring);
        let mut company = Company::new(1);
        ring(&mut company, 27);
        let explanation = company.scores().explain(Competitors::People, person(27).as_str());
        let template = explanation.unwrap().knowledge.templates.remove(0);
        assert_eq!((template.users, template.in_ring, template.points), (0, 1, 0.0));
    }
}

#[test]
fn a_template_that_others_reuse_raises_its_owner() {
    for seed in SEEDS {
        let mut company = Company::new(seed);
        company.template("summary", 27, TemplateEffect::Saves);
        let before = company.scores();
        for number in [5, 12, 33, 44, 51, 59] {
            company.uses(number, "summary@3", 5);
        }
        let after = company.scores();
        for board in [Board::Overall, Board::Knowledge] {
            let [was, is] = [&before, &after].map(|scores| {
                row(scores, Competitors::People, board, person(27).as_str())
                    .rank
                    .unwrap_or(u32::MAX)
            });
            assert!(is < was, "{board} {was} {is}");
        }
        // Six others, twice the points as it is measured to save.
        let row = row(&after, Competitors::People, Board::Knowledge, person(27).as_str());
        let expected = 100.0 * (1.0 - 2_f64.powf(-1.2));
        assert!((row.parts.knowledge - expected).abs() < 1e-9);
    }
}

#[test]
fn own_use_of_a_template_brings_nothing() {
    never_helps(|company, number| {
        company.template("mine", number, TemplateEffect::Saves);
        company.uses(number, "mine", 40);
    });
}

#[test]
fn mentoring_each_other_brings_nothing() {
    for size in [2, 3] {
        never_helps(|company, number| {
            for step in 0..size {
                let [mentor, mentored] = [step, (step + 1) % size].map(|it| (number + it) % PEOPLE);
                for _ in 0..3 {
                    company.contribution(ContributionKind::Mentoring, mentor, Some(mentored));
                }
            }
        });
    }
    let mut company = Company::new(1);
    for _ in 0..3 {
        company.contribution(ContributionKind::Mentoring, 27, Some(28));
    }
    let explanation = company.scores().explain(Competitors::People, person(27).as_str()).unwrap();
    assert!((explanation.knowledge.points - 2.0).abs() < 1e-9, "once for a pair");
}

/// Of somebody who was as good in the two seasons before. A bad season is left out, no more: it may have been the best.
#[test]
fn getting_worse_before_a_season_does_not_make_it_an_improvement() {
    for seed in SEEDS {
        let mut steady = Company::new(seed);
        let before = |task: &tally_types::TaskFact| {
            let mut task = task.clone();
            let month = task.first_call.to_string().replace("2026-09", "2026-10");
            task.first_call = month.parse().unwrap();
            task
        };
        steady.pasts[0] = steady.pasts[1].iter().map(before).collect();
        let was = steady.scores();
        for number in TRICKSTERS {
            let mut company = steady.clone();
            let past = company.pasts[0].iter_mut();
            for task in past.filter(|task| task.person == Some(person(number))) {
                let cost = task.cost.map(|cost| cost.pico() * 20);
                task.cost = cost.map(tally_types::PicoUsdSum::from_pico);
            }
            assert_eq!(ranks(&company.scores(), number), ranks(&was, number));
        }
    }
}

/// With one season before there is no better one to fall back on: the peers' median is the most there is to improve on.
#[test]
fn one_bad_season_is_no_better_than_the_median() {
    for number in TRICKSTERS {
        let mut company = Company::new(1);
        company.pasts.truncate(1);
        let past = company.pasts[0].iter_mut();
        for task in past.filter(|task| task.person == Some(person(number))) {
            task.cost = task.cost.map(|cost| tally_types::PicoUsdSum::from_pico(cost.pico() * 20));
        }
        let explanation = company.scores().explain(Competitors::People, person(number).as_str());
        let types = explanation.unwrap().improvement.types;
        assert!(!types.is_empty() && types.iter().all(|one| one.is_median), "{types:?}");
    }
}

#[test]
fn vouching_for_each_other_counts_for_nobody() {
    for size in [2, 3] {
        let ring = |company: &mut Company, number: usize| {
            for step in 0..size {
                let [whose, by] = [step, (step + 1) % size].map(|it| (number + it) % PEOPLE);
                easy(company, whose, 100, &by_person(by));
            }
        };
        never_helps(ring);
        let mut company = Company::new(1);
        ring(&mut company, 27);
        assert_eq!(counted(&company, 27, TaskStanding::MutuallyVouched), 100);
    }
}
