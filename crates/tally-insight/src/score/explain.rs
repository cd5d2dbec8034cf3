//! Why somebody stands where they stand.

use std::collections::BTreeMap;

use tally_types::{
    PicoUsdSum, TaskResult,
    spec::{Board, Competitors},
};

use crate::score::{
    advice::advice,
    board::{BoardOf, BoardRow},
    compute::{Scored, Scores},
    explanation::{
        CompliancePart, EfficiencyPart, Explanation, ImprovedType, ImprovementPart, KnowledgePart,
        Place, TaskGroup, TaskShown, TaskStanding, TypePart,
    },
    measure::Measure,
    past::Basis,
    sums::{Sums, TypeSums},
    tasks::Task,
};

/// So many tasks of each group are shown.
const SHOWN_MAX: usize = 50;
const PICO_PER_USD: f64 = 1e12;

// === impl Scores ===

impl Scores {
    /// Everything behind the scores of a person or team; none of whom nothing is known in the season.
    pub fn explain(&self, of: Competitors, name: &str) -> Option<Explanation> {
        let scored = self.find(of, name)?;
        let sums = self.settled.sums(scored.who)?;
        let standings = self.standings();
        let boards = match of {
            Competitors::People => &standings.people,
            Competitors::Teams => &standings.teams,
        };
        Some(Explanation {
            season: standings.season.clone(),
            formula: standings.formula.clone(),
            of,
            places: boards.iter().filter_map(|board| place(board, name)).collect(),
            efficiency: self.efficiency_part(scored, sums),
            improvement: self.improvement_part(scored, sums),
            knowledge: KnowledgePart {
                score: scored.parts.knowledge,
                ..self.knowledge(scored.who).cloned().unwrap_or_default()
            },
            compliance: self.compliance_part(scored, sums),
            tasks: self.task_groups(scored),
            advice: advice(self, scored, sums),
        })
    }

    fn type_name(&self, kind: u32) -> Option<String> {
        self.settled.known.kinds.get(kind).cloned().flatten()
    }

    fn efficiency_part(&self, scored: &Scored, sums: &Sums) -> EfficiencyPart {
        let measure = self.measure();
        let of = |is_asked: &dyn Fn(u32) -> bool| {
            measure.efficiency(scored.who, sums, is_asked).score(measure.formula)
        };
        let whole = of(&|_| true);
        let part = |(kind, of_type): (&u32, &TypeSums)| {
            let group = self.settled.peers(scored.who, *kind);
            let median = measure.median(scored.who, *kind);
            let without = of(&|one| one != *kind).unwrap_or(50.0);
            let peers = group.map_or(0, |(_, group)| group.members.len());
            TypePart {
                task_type: self.type_name(*kind),
                counting: of_type.counting,
                successes: of_type.successes,
                quality_sum: of_type.quality(measure.formula),
                cost_usd: PicoUsdSum::from_pico(of_type.cost),
                cost_per_success: of_type.cost_per_success(measure.formula).map(usd),
                peers_median: median.map(usd),
                peers: u32::try_from(peers).unwrap_or(u32::MAX),
                compared_with: group.filter(|_| median.is_some()).map(|(peers, _)| peers),
                points: median.map_or(0.0, |_| whole.unwrap_or(50.0) - without),
            }
        };
        let mut types: Vec<TypePart> = sums.types.iter().map(part).collect();
        types.sort_by_key(|part| std::cmp::Reverse(part.counting));
        let all = measure.efficiency(scored.who, sums, |_| true);
        let (successes, peers_successes) = (all.quality, all.peers_quality);
        EfficiencyPart { score: whole, successes, peers_successes, types }
    }

    fn improvement_part(&self, scored: &Scored, sums: &Sums) -> ImprovementPart {
        let measure = self.measure();
        let part = |basis: Basis<'_>| ImprovedType {
            task_type: self.type_name(basis.kind),
            cost_per_success: sums
                .types
                .get(&basis.kind)
                .and_then(|now| now.cost_per_success(measure.formula))
                .map(usd),
            basis: usd(basis.cost),
            season: basis.season.to_owned(),
            is_median: basis.is_median,
            worse: basis.worse,
        };
        let types = measure.bases(scored.who, sums).into_iter().map(part).collect();
        ImprovementPart { score: scored.parts.improvement, types }
    }

    fn compliance_part(&self, scored: &Scored, sums: &Sums) -> CompliancePart {
        let facts = self.compliance(scored.who);
        let expected = self.measure().efficiency(scored.who, sums, |_| true).expected;
        CompliancePart {
            multiplier: scored.parts.compliance,
            violations: facts.violations,
            unregistered_usd: facts.unregistered,
            unregistered_share: Measure::unregistered_share(&facts, expected),
            expired_exceptions: facts.expired_exceptions,
            heads: sums.volume.people.max(1),
        }
    }

    fn task_groups(&self, scored: &Scored) -> Vec<TaskGroup> {
        let mut groups: BTreeMap<TaskStanding, (u64, Vec<&Task>)> = BTreeMap::new();
        for task in self.tasks(scored.who) {
            let (count, tasks) = groups.entry(task.standing).or_default();
            *count += 1;
            tasks.push(task);
        }
        let group = |(standing, (count, mut tasks)): (TaskStanding, (u64, Vec<&Task>))| {
            tasks.sort_by_key(|task| std::cmp::Reverse(task.at));
            let tasks = tasks.into_iter().take(SHOWN_MAX).map(|task| self.shown(task)).collect();
            TaskGroup { standing, count, tasks }
        };
        groups.into_iter().map(group).collect()
    }

    fn shown(&self, task: &Task) -> TaskShown {
        let known = &self.settled.known;
        TaskShown {
            workload: known.workloads.get(task.workload).cloned(),
            task_id: task.id.to_string(),
            task_type: self.type_name(task.kind),
            person: known.people.get(task.person).cloned(),
            at: task.time(),
            cost_usd: task.cost.map(|cost| PicoUsdSum::from_pico(i128::from(cost))),
            result: task.outcome.map(|came| match came.succeeded {
                true => TaskResult::Succeeded,
                false => TaskResult::Failed,
            }),
        }
    }
}

fn usd(pico: f64) -> f64 {
    pico / PICO_PER_USD
}

fn place(board: &BoardOf, name: &str) -> Option<Place> {
    let row = board.row(name)?.clone();
    let is_above = |other: &&BoardRow| other.rank.is_some() && other.rank < row.rank;
    let to_rank_above = board.rows.iter().rev().find(is_above).and_then(|above| {
        let apart = above.score? - row.score?;
        let steps = if board.board == Board::Return { 100.0 } else { 10.0 };
        // Both are rounded; so is what lies between them.
        Some((apart * steps).round() / steps)
    });
    Some(Place { board: board.board, row, ranked: board.ranked, to_rank_above })
}
