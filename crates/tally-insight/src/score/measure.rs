//! The formula: from sums to parts and scores.

use std::sync::Arc;

use tally_types::{PicoUsdSum, spec::ScoringFormulaSpec};

use crate::score::{
    board::Parts,
    input::ComplianceFacts,
    past::{Basis, PastSeason, bases},
    settle::{Settled, Who},
    sums::Sums,
};

/// What efficiency is made of.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Efficiency {
    /// The sum of qualities of compared types.
    pub(super) quality: f64,
    /// So many whole qualities would have cost the peers as much.
    pub(super) peers_quality: f64,
    /// What the peers would have spent on the same, in picodollars.
    pub(super) expected: f64,
    /// Counting tasks of compared types.
    pub(super) counting: u64,
    /// Whether any type is compared.
    pub(super) is_compared: bool,
}

/// Scores people and teams of one season.
#[derive(Clone, Copy)]
pub(super) struct Measure<'a> {
    pub(super) settled: &'a Settled,
    pub(super) pasts: &'a [Arc<PastSeason>],
    pub(super) formula: &'a ScoringFormulaSpec,
}

/// Rounded once, at the end.
pub(super) fn rounded(score: f64) -> f64 {
    (score * 10.0).round() / 10.0
}

/// 50 for as it should be, 100 for half the cost.
fn points(quality: f64, peers_quality: f64, shrinkage: f64) -> f64 {
    let doublings = ((quality + shrinkage) / (peers_quality + shrinkage)).log2();
    (50.0 + 50.0 * doublings).clamp(0.0, 100.0)
}

// === impl Efficiency ===

impl Efficiency {
    pub(super) fn score(&self, formula: &ScoringFormulaSpec) -> Option<f64> {
        self.is_compared.then(|| points(self.quality, self.peers_quality, formula.shrinkage_tasks))
    }
}

// === impl Measure ===

impl<'a> Measure<'a> {
    /// What a whole quality costs the other peers, in picodollars; none where it is not compared.
    pub(super) fn median(&self, who: Who, kind: u32) -> Option<f64> {
        self.settled.median(who, kind, self.formula)
    }

    /// Of all compared types, or of those that are asked for.
    pub(super) fn efficiency(
        &self,
        who: Who,
        sums: &Sums,
        is_asked: impl Fn(u32) -> bool,
    ) -> Efficiency {
        let mut all = Efficiency::default();
        for (kind, of_type) in sums.types.iter().filter(|(kind, _)| is_asked(**kind)) {
            let Some(median) = self.median(who, *kind) else { continue };
            let quality = of_type.quality(self.formula);
            all.is_compared = true;
            all.quality += quality;
            all.peers_quality += of_type.cost as f64 / median;
            all.expected += quality * median;
            all.counting += of_type.counting;
        }
        all
    }

    pub(super) fn bases(&self, who: Who, sums: &Sums) -> Vec<Basis<'a>> {
        bases(self.settled, who, sums, self.pasts, self.formula)
    }

    fn improvement(&self, who: Who, sums: &Sums) -> Option<f64> {
        let (mut quality, mut basis_quality) = (0.0, 0.0);
        let bases = self.bases(who, sums);
        for basis in &bases {
            let Some(now) = sums.types.get(&basis.kind) else { continue };
            let before = now.cost as f64 / basis.cost;
            let got = now.quality(self.formula);
            basis_quality += before;
            // Cheaper, but worse, is as it was.
            quality += if basis.worse { got.min(before) } else { got };
        }
        (!bases.is_empty()).then(|| points(quality, basis_quality, self.formula.shrinkage_tasks))
    }

    pub(super) fn knowledge(&self, points: f64) -> f64 {
        100.0 * (1.0 - (-points / self.formula.knowledge_half).exp2())
    }

    /// The unregistered spend as a share of what the peers would have spent on the same successes: dividing by what
    /// was spent would reward spending.
    pub(super) fn unregistered_share(facts: &ComplianceFacts, expected: f64) -> f64 {
        let unregistered = facts.unregistered.pico() as f64;
        match facts.unregistered > PicoUsdSum::default() {
            true if expected > 0.0 => (unregistered / expected).min(1.0),
            true => 1.0,
            false => 0.0,
        }
    }

    fn multiplier(&self, facts: &ComplianceFacts, expected: f64, heads: u64) -> f64 {
        let factors = &self.formula.compliance;
        let heads = heads.max(1) as f64;
        let taken = factors.violation * facts.violations as f64 / heads
            + factors.unregistered * Self::unregistered_share(facts, expected)
            + factors.expired_exception * facts.expired_exceptions.len() as f64 / heads;
        (1.0 - taken).max(factors.floor).min(1.0)
    }

    /// What somebody's score is made of, with these sums, points of knowledge and facts.
    pub(super) fn parts(
        &self,
        who: Who,
        sums: &Sums,
        points: f64,
        facts: &ComplianceFacts,
    ) -> Parts {
        let efficiency = self.efficiency(who, sums, |_| true);
        Parts {
            efficiency: efficiency.score(self.formula),
            improvement: self.improvement(who, sums),
            knowledge: self.knowledge(points),
            compliance: self.multiplier(facts, efficiency.expected, sums.volume.people),
            value_for_money: None,
        }
    }

    /// The overall score, rounded; none without a compared type.
    pub(super) fn overall(&self, parts: &Parts) -> Option<f64> {
        let weights = &self.formula.weights;
        let improvement = parts.improvement.map(|score| (weights.improvement, score));
        let (mut total, mut weight) = (0.0, 0.0);
        let all = [Some((weights.efficiency, parts.efficiency?)), improvement];
        let knowledge = Some((weights.knowledge, parts.knowledge));
        for (of, score) in all.into_iter().chain([knowledge]).flatten() {
            total += of * score;
            weight += of;
        }
        Some(rounded(parts.compliance * total / weight))
    }
}
