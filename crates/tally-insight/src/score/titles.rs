//! Who has which title.

use tally_types::{PersonName, spec::Title};

use crate::score::{
    board::TitleHolder,
    compute::{Scored, Scores},
    explanation::TaskStanding,
    settle::Who,
    sums::Sums,
    tasks::Task,
};

/// One ranked person for each title that anybody has earned. Of those with the same value, the one with the better
/// overall score has it, then the first by name.
pub(super) fn holders(scores: &Scores, ranked: &[&Scored]) -> Vec<TitleHolder> {
    let measure = scores.measure();
    let overall = |scored: &Scored| measure.overall(&scored.parts).unwrap_or_default();
    let best = |title: &Title| {
        let valued = ranked.iter().filter_map(|scored| {
            let value = value(scores, scored, *title)?;
            (value > 0.0).then_some((value, *scored))
        });
        let (value, scored) = valued.max_by(|(value, one), (other_value, other)| {
            value
                .total_cmp(other_value)
                .then_with(|| overall(one).total_cmp(&overall(other)))
                .then_with(|| other.name.cmp(&one.name))
        })?;
        Some(TitleHolder { title: *title, person: PersonName(scored.name.clone()), value })
    };
    Title::ALL.iter().filter_map(best).collect()
}

fn value(scores: &Scores, scored: &Scored, title: Title) -> Option<f64> {
    let sums = scores.settled.sums(scored.who)?;
    match title {
        Title::TokenLegend => {
            Some(scores.knowledge(scored.who)?.templates.iter().map(|part| part.saved).sum())
        }
        Title::CacheWizard => match sums.prompt_tokens {
            0 => None,
            all => Some(sums.cached_tokens as f64 / all as f64),
        },
        Title::ModelConnoisseur => below_frontier(scores, scored.who, sums),
        Title::SessionImmortal => Some(streak(scores, scored.who) as f64),
    }
}

/// Of the successes of types for which peers use models of the frontier; none of fewer than make a rank.
fn below_frontier(scores: &Scores, who: Who, sums: &Sums) -> Option<f64> {
    let (mut below, mut all) = (0_u64, 0_u64);
    for (kind, of_type) in &sums.types {
        if scores.settled.peers(who, *kind).is_some_and(|(_, group)| group.uses_frontier()) {
            below += of_type.below_frontier;
            all += of_type.successes;
        }
    }
    let is_enough = all >= u64::from(scores.rules.formula.minimum_tasks);
    is_enough.then(|| below as f64 / all as f64)
}

/// The longest run of successes, none dearer than the peers' median. What does not count, and what is not compared,
/// neither adds to it nor ends it.
fn streak(scores: &Scores, who: Who) -> u64 {
    let (mut longest, mut running) = (0, 0);
    for task in scores.tasks(who).filter(|task| task.is_counting()) {
        let Some(median) = scores.measure().median(who, task.kind) else { continue };
        let is_within = task.cost.is_some_and(|cost| cost as f64 <= median);
        running = match task.standing == TaskStanding::Counts && is_within {
            true => running + 1,
            false => 0,
        };
        longest = longest.max(running);
    }
    longest
}

// === impl Scores ===

impl Scores {
    /// A person's or a team's tasks, person by person in the order of their time.
    pub(super) fn tasks(&self, who: Who) -> impl DoubleEndedIterator<Item = &Task> {
        let all = &self.settled.known.tasks;
        // Tasks are sorted by person.
        let own = match who {
            Who::Person(person) => {
                let from = all.partition_point(|task| task.person < person);
                let until = all.partition_point(|task| task.person <= person);
                all.get(from..until).unwrap_or_default()
            }
            Who::Team(_) => all,
        };
        own.iter().filter(move |task| match who {
            Who::Person(_) => true,
            Who::Team(team) => task.team == team,
        })
    }
}
