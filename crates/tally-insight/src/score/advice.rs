//! What would help most: changes that are made on paper, and scored anew. Nobody is held against themselves, so that
//! this is what would come of them.

use std::collections::BTreeMap;

use tally_types::{
    PicoUsdSum,
    spec::{Board, Competitors},
};

use crate::score::{
    board::{BoardRow, Unranked},
    compute::{Scored, Scores},
    explanation::{Advice, AdvisedChange, TaskStanding, TemplateEffect},
    input::ComplianceFacts,
    knowledge::template_points,
    sums::{Sums, TypeSums},
};

const ADVICE_MAX: usize = 2;
/// Few enough to ask, and enough to count as users.
const NEW_USERS: u32 = 3;
const PICO_PER_USD: f64 = 1e12;

/// What would be scored.
struct Case {
    change: AdvisedChange,
    sums: Sums,
    points: f64,
    facts: ComplianceFacts,
}

struct Adviser<'a> {
    scores: &'a Scores,
    scored: &'a Scored,
    sums: &'a Sums,
    facts: ComplianceFacts,
}

/// The changes that would help most on the overall board, the best first.
pub(super) fn advice(scores: &Scores, scored: &Scored, sums: &Sums) -> Vec<Advice> {
    let adviser = Adviser { scores, scored, sums, facts: scores.compliance(scored.who) };
    let mut cases = adviser.cheaper();
    cases.extend(adviser.vouching());
    cases.extend([adviser.reuse(), adviser.story()]);
    cases.extend(adviser.compliance());
    let mut found: Vec<Advice> = cases.into_iter().filter_map(|case| adviser.score(case)).collect();
    found.sort_by(|one, other| other.gain.total_cmp(&one.gain));
    // Without a rank nothing helps before that.
    let mut first: Vec<Advice> = adviser.more_outcomes().into_iter().collect();
    first.extend(found);
    first.truncate(ADVICE_MAX);
    first
}

// === impl Adviser ===

impl Adviser<'_> {
    fn case(&self, change: AdvisedChange) -> Case {
        let (sums, points, facts) = (self.sums.clone(), self.scored.points, self.facts.clone());
        Case { change, sums, points, facts }
    }

    fn type_name(&self, kind: u32) -> Option<String> {
        self.scores.settled.known.kinds.get(kind).cloned().flatten()
    }

    /// Each type at what the cheapest quarter of the peers pays.
    fn cheaper(&self) -> Vec<Case> {
        let formula = &self.scores.rules.formula;
        let case = |(kind, of_type): (&u32, &TypeSums)| {
            let (_, group) = self.scores.settled.peers(self.scored.who, *kind)?;
            let then = self.scores.measure().median(self.scored.who, *kind).and(group.quarter())?;
            let now = of_type.cost_per_success(formula);
            let mut case = self.case(AdvisedChange::CheaperTasks {
                task_type: self.type_name(*kind),
                now: now.map(|now| now / PICO_PER_USD),
                then: then / PICO_PER_USD,
            });
            #[expect(clippy::cast_possible_truncation, reason = "less than what was spent")]
            let cost = (of_type.quality(formula) * then) as i128;
            case.sums.types.get_mut(kind)?.cost = cost;
            (now? > then).then_some(case)
        };
        self.sums.types.iter().filter_map(case).collect()
    }

    /// Successes of which nobody else says so.
    fn vouching(&self) -> Option<Case> {
        let is_lost = |standing| {
            matches!(
                standing,
                TaskStanding::SelfReported
                    | TaskStanding::ReporterUnknown
                    | TaskStanding::MutuallyVouched
            )
        };
        let mut case = self.case(AdvisedChange::Vouching { tasks: 0 });
        let mut lost: BTreeMap<u32, u64> = BTreeMap::new();
        for task in self.scores.tasks(self.scored.who).filter(|task| is_lost(task.standing)) {
            if task.outcome.is_some_and(|came| came.succeeded) {
                case.sums.types.entry(task.kind).or_default().credit(task);
                *lost.entry(task.kind).or_default() += 1;
            }
        }
        let tasks = lost.values().sum();
        case.change = AdvisedChange::Vouching { tasks };
        (tasks > 0).then_some(case)
    }

    fn reuse(&self) -> Case {
        let reuse = &self.scores.rules.formula.reuse;
        let own = self.scores.knowledge(self.scored.who).map(|part| part.templates.as_slice());
        let useful = own.into_iter().flatten().filter(|part| part.effect != TemplateEffect::Costs);
        let best = useful.max_by_key(|part| part.users);
        let mut case = self
            .case(AdvisedChange::MoreReuse { template: best.map(|part| part.template.clone()) });
        case.points += match best {
            Some(part) => template_points(reuse, part.effect, part.users + NEW_USERS) - part.points,
            None => template_points(reuse, TemplateEffect::Unclear, NEW_USERS),
        };
        case
    }

    fn story(&self) -> Case {
        let mut case = self.case(AdvisedChange::Story);
        case.points += self.scores.rules.formula.story_points;
        case
    }

    fn compliance(&self) -> Option<Case> {
        let expired_exceptions = u64::try_from(self.facts.expired_exceptions.len()).ok()?;
        let change = AdvisedChange::Compliance {
            violations: self.facts.violations,
            expired_exceptions,
            unregistered_usd: self.facts.unregistered,
        };
        let is_clean = self.facts.violations == 0
            && expired_exceptions == 0
            && self.facts.unregistered <= PicoUsdSum::default();
        let case = Case { facts: ComplianceFacts::default(), ..self.case(change) };
        (!is_clean).then_some(case)
    }

    fn more_outcomes(&self) -> Option<Advice> {
        let of = self.scored.who.of();
        let overall = self.scores.standings().board(of, Board::Overall)?;
        let row = overall.row(self.scored.name.as_str())?;
        if row.unranked != Some(Unranked::TooFewTasks) {
            return None;
        }
        let minimum = u64::from(self.scores.rules.formula.minimum_tasks);
        let tasks = minimum.saturating_sub(self.sums.volume.counting);
        let score = row.score.unwrap_or_default();
        let change = AdvisedChange::MoreOutcomes { tasks };
        Some(Advice { change, score, gain: 0.0, rank: self.rank(of, score) })
    }

    fn score(&self, case: Case) -> Option<Advice> {
        let measure = self.scores.measure();
        let now = measure.overall(&self.scored.parts)?;
        let parts = measure.parts(self.scored.who, &case.sums, case.points, &case.facts);
        let score = measure.overall(&parts)?;
        // Both have one decimal; so has what lies between them.
        let gain = ((score - now) * 10.0).round() / 10.0;
        let advice = Advice {
            change: case.change,
            score,
            gain,
            rank: self.rank(self.scored.who.of(), score),
        };
        (gain > 0.0).then_some(advice)
    }

    /// The rank that a score would have among all others.
    fn rank(&self, of: Competitors, score: f64) -> Option<u32> {
        let overall = self.scores.standings().board(of, Board::Overall)?;
        let is_above = |row: &&BoardRow| {
            row.rank.is_some()
                && row.name != self.scored.name
                && row.score.is_some_and(|other| other > score)
        };
        u32::try_from(overall.rows.iter().filter(is_above).count() + 1).ok()
    }
}
