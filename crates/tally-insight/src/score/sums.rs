//! What the tasks of one person or team add up to, exactly.

use std::collections::BTreeMap;

use tally_types::{PicoUsdSum, Tier, spec::ScoringFormulaSpec};

use crate::score::{
    board::Volume,
    explanation::TaskStanding,
    tasks::{Came, NONE, Task},
};

/// Of one person or team.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    /// By the number of the type.
    pub(super) types: BTreeMap<u32, TypeSums>,
    pub(super) volume: Volume,
    /// Value of successes that count, in picodollars.
    pub(super) value: i128,
    pub(super) prompt_tokens: u64,
    pub(super) cached_tokens: u64,
}

/// Of one task type.
#[derive(Debug, Clone, Default)]
pub(super) struct TypeSums {
    pub(super) credited: u64,
    /// Credited tasks that repeat nothing.
    pub(super) fresh: u64,
    /// Credited tasks whose result counts.
    pub(super) counting: u64,
    pub(super) successes: u64,
    /// Qualities that were told, in basis points.
    told_bp: u64,
    /// Successes whose quality was not told.
    untold: u64,
    /// Of credited tasks, in picodollars.
    pub(super) cost: i128,
    /// Credited tasks that a model of the frontier served.
    pub(super) frontier: u64,
    /// Successes that count, by models below the frontier.
    pub(super) below_frontier: u64,
    calls: u64,
    tokens: u64,
    /// People with credited tasks, who come one after the other…
    people: u64,
    /// …and the one who came last.
    newest: Option<u32>,
}

// === impl Sums ===

impl Sums {
    pub(super) fn add(&mut self, task: &Task) {
        self.volume.tasks += 1;
        self.volume.calls += task.calls;
        self.volume.tokens = self.volume.tokens.saturating_add(task.tokens);
        let (Some(cost), Some(came), true) = (task.cost, task.outcome, task.is_credited()) else {
            return;
        };
        self.volume.credited += 1;
        self.volume.cost_usd = self.volume.cost_usd + PicoUsdSum::from_pico(i128::from(cost));
        self.prompt_tokens = self.prompt_tokens.saturating_add(task.prompt_tokens);
        self.cached_tokens = self.cached_tokens.saturating_add(task.cached_tokens);
        self.volume.counting += u64::from(task.is_counting());
        if task.standing == TaskStanding::Counts {
            self.volume.successes += 1;
            self.value += i128::from(came.value);
        }
        self.types.entry(task.kind).or_default().add(task, came, cost);
    }
}

// === impl TypeSums ===

impl TypeSums {
    fn add(&mut self, task: &Task, came: Came, cost: i64) {
        self.credited += 1;
        self.calls += task.calls;
        self.tokens = self.tokens.saturating_add(task.tokens);
        if task.person != NONE && self.newest != Some(task.person) {
            self.newest = Some(task.person);
            self.people += 1;
        }
        self.cost += i128::from(cost);
        self.fresh += u64::from(task.standing != TaskStanding::Repeated);
        self.counting += u64::from(task.is_counting());
        self.frontier += u64::from(task.tier == Some(Tier::Frontier));
        if task.standing != TaskStanding::Counts {
            return;
        }
        self.successes += 1;
        self.below_frontier += u64::from(task.tier.is_some_and(|tier| tier != Tier::Frontier));
        match came.quality_bp {
            Some(quality) => self.told_bp += u64::from(quality),
            None => self.untold += 1,
        }
    }

    /// What was used for credited tasks of the type.
    pub(super) fn volume(&self) -> Volume {
        Volume {
            tasks: self.credited,
            credited: self.credited,
            counting: self.counting,
            successes: self.successes,
            calls: self.calls,
            tokens: self.tokens,
            cost_usd: PicoUsdSum::from_pico(self.cost),
            people: self.people,
        }
    }

    /// As if these tasks had counted, too.
    pub(super) fn credit(&mut self, task: &Task) {
        if let (Some(cost), Some(came)) = (task.cost, task.outcome) {
            self.credited += 1;
            self.counting += 1;
            self.cost += i128::from(cost);
            self.successes += 1;
            match came.quality_bp {
                Some(quality) => self.told_bp += u64::from(quality),
                None => self.untold += 1,
            }
        }
    }

    /// The sum of the qualities of the successes that count.
    pub(super) fn quality(&self, formula: &ScoringFormulaSpec) -> f64 {
        self.told_bp as f64 / 10_000.0 + self.untold as f64 * formula.quality_default
    }

    /// What a whole quality costs, in picodollars.
    pub(super) fn cost_per_success(&self, formula: &ScoringFormulaSpec) -> Option<f64> {
        let quality = self.quality(formula);
        (quality > 0.0).then(|| self.cost as f64 / quality)
    }

    /// The share of counting tasks that succeeded.
    pub(super) fn success_share(&self) -> f64 {
        match self.counting {
            0 => 0.0,
            counting => self.successes as f64 / counting as f64,
        }
    }

    /// The mean quality of successes.
    pub(super) fn mean_quality(&self, formula: &ScoringFormulaSpec) -> f64 {
        match self.successes {
            0 => 0.0,
            successes => self.quality(formula) / successes as f64,
        }
    }
}
