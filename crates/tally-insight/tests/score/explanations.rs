//! Explanations hold what the boards show.

use tally_insight::score::{AdvisedChange, ConfirmedStory, TemplateEffect};
use tally_types::spec::{Board, Competitors};

use crate::company::{Company, PEOPLE, by_person, person, row, team_of};

#[test]
fn every_task_stands_in_one_group() {
    let mut company = Company::new(7);
    for task in company.own(27).take(60).skip(40) {
        task.outcome = None;
    }
    for task in company.own(27).take(10) {
        if let Some(outcome) = &mut task.outcome {
            outcome.reported_by = by_person(27);
        }
    }
    let scores = company.scores();
    let people = (0..PEOPLE).map(|number| (Competitors::People, person(number).0));
    let teams = (0..PEOPLE).step_by(10).map(|number| (Competitors::Teams, team_of(number).0));
    for (of, name) in people.chain(teams) {
        let explanation = scores.explain(of, name.as_str()).unwrap();
        let all: u64 = explanation.tasks.iter().map(|group| group.count).sum();
        let row = row(&scores, of, Board::Overall, name.as_str());
        assert_eq!(all, row.volume.tasks);
        assert!(explanation.tasks.iter().all(|group| group.tasks.len() <= 50));
        let counting: u64 = explanation.efficiency.types.iter().map(|part| part.counting).sum();
        assert_eq!(counting, row.volume.counting);
    }
    assert!(scores.explain(Competitors::People, "nobody").is_none());
}

#[test]
fn what_is_missing_to_the_rank_above_is_what_lies_between() {
    let scores = Company::new(7).scores();
    let board = scores.standings().board(Competitors::People, Board::Overall).unwrap();
    let [first, seventh] = [&board.rows[0], &board.rows[6]];
    let place = |name: &str| scores.explain(Competitors::People, name).unwrap().places.remove(0);
    assert_eq!(place(first.name.as_str()).to_rank_above, None);
    let missing = place(seventh.name.as_str()).to_rank_above.unwrap();
    let above = board.rows.iter().rev().find(|row| row.rank < seventh.rank).unwrap();
    assert!((seventh.score.unwrap() + missing - above.score.unwrap()).abs() < 1e-9);
    assert!(missing > 0.0);
}

#[test]
fn advice_brings_what_it_promises() {
    let mut stories = 0;
    let company = Company::new(7);
    let scores = company.scores();
    for number in (0..PEOPLE).step_by(4) {
        let mut company = company.clone();
        let advice = scores.explain(Competitors::People, person(number).as_str()).unwrap().advice;
        assert!(advice.len() <= 2 && advice.iter().all(|one| one.gain > 0.0));
        assert!(advice.windows(2).all(|pair| pair[0].gain >= pair[1].gain));
        let Some(story) = advice.iter().find(|one| one.change == AdvisedChange::Story) else {
            continue;
        };
        stories += 1;
        let (name, author) = ("a-story".parse().unwrap(), person(number));
        company.facts.knowledge.stories.push(ConfirmedStory { name, author });
        let row =
            row(&company.scores(), Competitors::People, Board::Overall, person(number).as_str());
        assert_eq!((row.score, row.rank), (Some(story.score), story.rank));
    }
    assert!(stories > 0);
}

#[test]
fn who_vouches_for_themselves_is_told_so() {
    let mut company = Company::new(7);
    for task in company.own(27) {
        if let Some(outcome) = &mut task.outcome {
            outcome.reported_by = by_person(27);
        }
    }
    let explanation = company.scores().explain(Competitors::People, person(27).as_str()).unwrap();
    let change = &explanation.advice[0].change;
    assert!(matches!(change, AdvisedChange::MoreOutcomes { tasks: 20 }), "{change:?}");
}

#[test]
fn versions_of_a_template_are_one_template() {
    let mut company = Company::new(7);
    company.template("summary", 8, TemplateEffect::Unclear);
    company.uses(12, "summary@1", 2);
    company.uses(12, "summary@2", 2);
    let explanation = company.scores().explain(Competitors::People, person(8).as_str()).unwrap();
    let part = &explanation.knowledge.templates[0];
    assert_eq!((part.users, part.tasks), (1, 4));
}
