//! What is left of a season that is over: what improvement is held against.

use std::{collections::HashMap, sync::Arc};

use tally_types::{Name, spec::ScoringFormulaSpec};

use crate::score::{
    input::Rules,
    settle::{Settled, Who},
    sums::{Sums, TypeSums},
    tasks::SeasonTasks,
};

/// A season before the one that is scored.
#[derive(Debug)]
pub struct PastSeason {
    name: String,
    /// Numbers of task types.
    kinds: HashMap<Option<String>, u32>,
    people: HashMap<Name, PastTypes>,
    teams: HashMap<Name, PastTypes>,
}

/// Few for each, by the number of the type: a large company's seasons are kept.
type PastTypes = Box<[(u32, PastType)]>;

/// A task type of which somebody had enough.
#[derive(Debug, Clone, Copy)]
struct PastType {
    /// What a whole quality cost, in picodollars.
    cost: f64,
    /// The peers' median of it.
    median: Option<f64>,
    mean_quality: f64,
    success_share: f64,
}

/// What one type is held against.
#[derive(Debug, Clone)]
pub(super) struct Basis<'a> {
    pub(super) kind: u32,
    /// What a whole quality cost, in picodollars.
    pub(super) cost: f64,
    pub(super) season: &'a str,
    pub(super) is_median: bool,
    /// Quality or successes fell since.
    pub(super) worse: bool,
}

// === impl PastSeason ===

impl PastSeason {
    /// Of all tasks of a season.
    pub fn new(tasks: SeasonTasks, rules: &Rules) -> Self {
        let settled = Settled::new(tasks, rules);
        let kinds = (0..).zip(&settled.known.kinds.all);
        let mut past = Self {
            name: settled.known.season.name.clone(),
            kinds: kinds.map(|(number, kind)| (kind.clone(), number)).collect(),
            people: HashMap::new(),
            teams: HashMap::new(),
        };
        for who in settled.all() {
            let (Some(sums), Some(name)) = (settled.sums(who), settled.name(who)) else { continue };
            let types = past_types(&settled, who, sums, &rules.formula);
            if !types.is_empty() {
                past.of_mut(who).insert(name.clone(), types);
            }
        }
        past
    }

    fn of_mut(&mut self, who: Who) -> &mut HashMap<Name, PastTypes> {
        match who {
            Who::Person(_) => &mut self.people,
            Who::Team(_) => &mut self.teams,
        }
    }

    fn find(&self, who: Who, name: &Name, kind: &Option<String>) -> Option<(&str, PastType)> {
        let of = match who {
            Who::Person(_) => &self.people,
            Who::Team(_) => &self.teams,
        };
        let kind = self.kinds.get(kind)?;
        let (_, past) = of.get(name)?.iter().find(|(number, _)| number == kind)?;
        Some((&self.name, *past))
    }
}

fn past_types(settled: &Settled, who: Who, sums: &Sums, formula: &ScoringFormulaSpec) -> PastTypes {
    let past = sums.types.iter().filter_map(|(kind, of_type)| {
        let cost = of_type.cost_per_success(formula).filter(|cost| *cost > 0.0)?;
        let is_enough = of_type.counting >= u64::from(formula.minimum_tasks);
        let past = PastType {
            cost,
            median: settled.median(who, *kind, formula),
            mean_quality: of_type.mean_quality(formula),
            success_share: of_type.success_share(),
        };
        is_enough.then_some((*kind, past))
    });
    past.collect()
}

/// What somebody's types are held against: the best of the seasons before, the newest of which comes first.
pub(super) fn bases<'a>(
    settled: &Settled,
    who: Who,
    sums: &Sums,
    pasts: &'a [Arc<PastSeason>],
    formula: &ScoringFormulaSpec,
) -> Vec<Basis<'a>> {
    /// Less than this is chance.
    const MATERIAL: f64 = 0.02;
    let Some(name) = settled.name(who) else { return Vec::new() };
    let enough =
        sums.types.iter().filter(|(_, now)| now.counting >= u64::from(formula.minimum_tasks));
    let basis = |(kind, now): (&u32, &TypeSums)| {
        let type_name = settled.known.kinds.get(*kind)?;
        let found = || pasts.iter().filter_map(|past| past.find(who, name, type_name));
        let (season, best) =
            found().min_by(|(_, one), (_, other)| one.cost.total_cmp(&other.cost))?;
        // One season alone may have been made a bad one; without peers nobody can tell.
        let ceiling = match found().count() {
            1 => best.median?,
            _ => f64::INFINITY,
        };
        let worse = now.mean_quality(formula) < best.mean_quality - MATERIAL
            || now.success_share() < best.success_share - MATERIAL;
        let is_median = ceiling < best.cost;
        Some(Basis { kind: *kind, cost: best.cost.min(ceiling), season, is_median, worse })
    };
    enough.filter_map(basis).collect()
}
