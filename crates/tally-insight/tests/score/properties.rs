//! What holds of every company.

use proptest::prelude::*;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use tally_types::spec::{Board, Competitors};

use crate::company::{Company, by_person, by_system};

/// A company in which anything may be missing.
fn messy(seed: u64) -> Company {
    let mut random = StdRng::seed_from_u64(seed);
    let mut company = Company::new(seed);
    company.tasks.retain(|_| random.random_bool(0.7));
    for task in &mut company.tasks {
        if random.random_bool(0.1) {
            task.outcome = None;
        }
        if random.random_bool(0.05) {
            task.cost = None;
        }
        if random.random_bool(0.05) {
            task.person = None;
        }
        if let Some(outcome) = &mut task.outcome {
            outcome.reported_by = match random.random_range(0..4) {
                0 => by_person(random.random_range(0..60)),
                1 => None,
                _ => by_system(),
            };
        }
    }
    company
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_tasks_does_not_matter(seed in any::<u64>()) {
        let mut company = messy(seed);
        let before = company.scores();
        let mut random = StdRng::seed_from_u64(seed ^ 1);
        company.tasks.shuffle(&mut random);
        for past in &mut company.pasts {
            past.shuffle(&mut random);
        }
        let after = company.scores();
        prop_assert_eq!(before.standings(), after.standings());
    }

    #[test]
    fn ranks_follow_scores_and_evidence(seed in any::<u64>()) {
        let company = messy(seed);
        let scores = company.scores();
        let standings = scores.standings();
        for board in standings.people.iter().chain(&standings.teams) {
            let ranked: Vec<_> = board.rows.iter().filter(|row| row.rank.is_some()).collect();
            prop_assert_eq!(ranked.len(), usize::try_from(board.ranked).unwrap());
            for row in &ranked {
                let higher = ranked.iter().filter(|other| other.score > row.score).count();
                prop_assert_eq!(row.rank, u32::try_from(higher + 1).ok());
                let same = ranked.iter().filter(|other| other.score == row.score).count();
                prop_assert_eq!(row.tied, same > 1);
                if board.board != Board::Knowledge {
                    prop_assert!(row.volume.counting >= 20);
                }
            }
            for row in &board.rows {
                prop_assert_eq!(row.rank.is_none(), row.unranked.is_some());
                prop_assert!(row.parts.compliance <= 1.0 && row.parts.compliance >= 0.5);
                let of_100 = [row.parts.efficiency, row.parts.improvement, Some(row.parts.knowledge)];
                prop_assert!(of_100.iter().flatten().all(|part| (0.0..=100.0).contains(part)));
            }
        }
        let types: Vec<_> =
            scores.compared_types(Competitors::People).into_iter().map(|one| one.task_type).collect();
        for task_type in types {
            let board = scores.board_of_type(Competitors::People, task_type.as_deref()).unwrap();
            prop_assert!(board.rows.iter().all(|row| row.rank.is_none() || row.score.is_some()));
        }
    }
}
