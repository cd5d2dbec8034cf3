//! What templates and savings stories did, measured on tasks.
//!
//! A template's tasks are held against the tasks without it that are otherwise alike: of the same workload and the same
//! task type, in the same time. A story's against tasks that its change did not touch, before and after.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use tally_types::{
    PersonName, PicoUsdSum, TaskFact, TaskResult, TeamName, TemplateName, Timestamp, WorkloadName,
    spec::{
        StoryClaim, StoryEstimate, StoryFigures, StoryResult, StoryTasks, StoryVerdict, StoryWindow,
    },
};

use crate::{
    effect::{
        Difference, Ground, Judgement, Match, Ratio, Share, TASKS_MIN, Verdict, Windows, judge,
        matched, shares,
    },
    score::TemplateEffect,
};

/// Tasks of fewer people than this are not shown as a comparison group: they would tell who they are.
const PEOPLE_MIN: usize = 3;
/// Ratios of money are taken in so many parts.
const PARTS: f64 = 10_000.0;

/// What came of tasks that used something, beside those that did not.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "TemplateMeasurement")]
pub struct Measurement {
    /// The version; null for all of them, and for calls that named none.
    pub version: Option<u32>,
    /// Tasks that used it.
    pub tasks: u64,
    /// Tasks without it that are compared.
    pub compared: u64,
    /// How many people used it.
    pub people: u64,
    /// How many teams did.
    pub teams: u64,
    /// What its tasks cost together.
    pub cost_usd: PicoUsdSum,
    /// Cost per task, with it to without it.
    pub cost: Option<Ratio>,
    /// Tokens per task, with it to without it.
    pub tokens: Option<Ratio>,
    /// Time per task, with it to without it.
    pub latency: Option<Ratio>,
    /// The share that succeeded, with it less without it.
    pub success: Option<Difference>,
    /// What to make of it.
    pub effect: TemplateEffect,
    /// What its tasks would have cost more without it, where it saves.
    pub saved_usd: Option<PicoUsdSum>,
}

/// What a template did.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "TemplateMeasured")]
pub struct Measured {
    /// All versions together.
    pub all: Measurement,
    /// Each one that was used, the newest first.
    pub versions: Vec<Measurement>,
    /// By how many people other than its owner it was used.
    pub reusers: u64,
}

/// One task as it counts here.
#[derive(Debug, Clone)]
struct Sample {
    cost: f64,
    cost_usd: PicoUsdSum,
    tokens: f64,
    latency: f64,
    success: Option<bool>,
    person: Option<PersonName>,
    team: Option<TeamName>,
}

/// What is alike: workload and task type.
type Cell = (Option<WorkloadName>, Option<String>);
/// A template's name and version, as calls named it.
type Used = Option<(String, Option<u32>)>;

/// Tasks of a time, by what is alike and by template.
#[derive(Debug, Clone, Default)]
pub struct Samples(BTreeMap<Cell, BTreeMap<Used, Vec<Sample>>>);

// === impl Sample ===

impl Sample {
    /// None for a task whose cost is not known.
    fn of(task: &TaskFact) -> Option<Self> {
        let cost_usd = task.cost?;
        Some(Self {
            cost: float(cost_usd.pico()),
            cost_usd,
            tokens: float(i128::from(task.tokens)),
            latency: task.latency_us.map_or(0.0, |us| float(i128::from(us))),
            success: task.outcome.as_ref().map(|outcome| outcome.result == TaskResult::Succeeded),
            person: task.person.clone(),
            team: task.team.clone(),
        })
    }
}

// === impl Samples ===

impl Samples {
    /// Takes a task.
    pub fn take(&mut self, task: &TaskFact) {
        let Some(sample) = Sample::of(task) else { return };
        let cell = (task.workload.clone(), task.task_type.clone());
        let used = task.template.as_ref().map(split);
        self.0.entry(cell).or_default().entry(used).or_default().push(sample);
    }

    /// What a template did.
    pub fn measured(&self, template: &str, owner: &PersonName) -> Measured {
        let is_it = |used: &Used| used.as_ref().is_some_and(|(name, _)| name == template);
        let mut numbers: Vec<Option<u32>> = self
            .0
            .values()
            .flat_map(BTreeMap::keys)
            .filter(|used| is_it(used))
            .filter_map(|used| used.as_ref().map(|(_, number)| *number))
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        let of = |number: Option<u32>| {
            self.measure(number, &is_it, &|used| {
                is_it(used) && used.as_ref().is_some_and(|(_, it)| *it == number)
            })
        };
        let versions = numbers.into_iter().rev().map(of).collect();
        let all = self.measure(None, &is_it, &is_it);
        let with = self.0.values().flatten().filter(|(used, _)| is_it(used));
        let people = with.flat_map(|(_, samples)| samples).filter_map(|one| one.person.as_ref());
        let reusers = people.filter(|person| *person != owner).collect::<BTreeSet<_>>().len();
        Measured { all, versions, reusers: count(reusers) }
    }

    /// Tasks that used `wanted`, beside those that used nothing of the template.
    fn measure(
        &self,
        version: Option<u32>,
        template: &dyn Fn(&Used) -> bool,
        wanted: &dyn Fn(&Used) -> bool,
    ) -> Measurement {
        let mut pairs: Vec<(Vec<&Sample>, Vec<&Sample>)> = Vec::new();
        for cell in self.0.values() {
            let all = |fits: &dyn Fn(&Used) -> bool| -> Vec<&Sample> {
                cell.iter().filter(|(used, _)| fits(used)).flat_map(|(_, list)| list).collect()
            };
            let with = all(wanted);
            if !with.is_empty() {
                pairs.push((with, all(&|used| !template(used))));
            }
        }
        let with: Vec<&Sample> = pairs.iter().flat_map(|(with, _)| with).copied().collect();
        let without: Vec<&Sample> = pairs.iter().flat_map(|(_, not)| not).copied().collect();
        let is_enough = with.len() >= TASKS_MIN && without.len() >= TASKS_MIN;
        let of = |value: &dyn Fn(&Sample) -> f64| ratio(&pairs, value).filter(|_| is_enough);
        let cost = of(&|sample| sample.cost);
        let success = shares(succeeded(&with), succeeded(&without)).filter(|_| is_enough);
        let cost_usd = sum(&with);
        let effect = effect(cost, success);
        let saves = effect == TemplateEffect::Saves;
        Measurement {
            version,
            tasks: count(with.len()),
            compared: count(without.len()),
            people: distinct(with.iter().filter_map(|one| one.person.as_ref())),
            teams: distinct(with.iter().filter_map(|one| one.team.as_ref())),
            cost_usd,
            cost,
            tokens: of(&|sample| sample.tokens),
            latency: of(&|sample| sample.latency),
            success,
            effect,
            saved_usd: cost.filter(|_| saves).and_then(|cost| beyond(cost_usd, cost.ratio)),
        }
    }
}

/// `name@3` as name and number.
fn split(name: &TemplateName) -> (String, Option<u32>) {
    match name.as_str().split_once('@') {
        Some((name, number)) => (name.to_owned(), number.parse().ok()),
        None => (name.as_str().to_owned(), None),
    }
}

/// It saves when its tasks cost less beyond chance, and do not succeed less often.
fn effect(cost: Option<Ratio>, success: Option<Difference>) -> TemplateEffect {
    let fewer_succeed = success.is_some_and(|success| success.high < 0.0);
    match cost {
        Some(cost) if cost.high < 1.0 && !fewer_succeed => TemplateEffect::Saves,
        Some(cost) if cost.low > 1.0 => TemplateEffect::Costs,
        _ => TemplateEffect::Unclear,
    }
}

fn ratio(pairs: &[(Vec<&Sample>, Vec<&Sample>)], value: &dyn Fn(&Sample) -> f64) -> Option<Ratio> {
    let values =
        |samples: &[&Sample]| -> Vec<f64> { samples.iter().map(|sample| value(sample)).collect() };
    let pairs: Vec<(Vec<f64>, Vec<f64>)> =
        pairs.iter().map(|(with, without)| (values(with), values(without))).collect();
    let matches: Vec<Match<'_>> =
        pairs.iter().map(|(with, without)| Match { with, without }).collect();
    matched(&matches)
}

/// What something would have cost more, had it not become `ratio` times as dear.
fn beyond(cost: PicoUsdSum, ratio: f64) -> Option<PicoUsdSum> {
    #[expect(clippy::cast_possible_truncation, reason = "a ratio below one, in parts")]
    let parts = (ratio * PARTS).round() as i128;
    #[expect(clippy::cast_possible_truncation, reason = "a constant")]
    let whole = PARTS as i128;
    let more = cost.pico().checked_mul(whole - parts)?.checked_div(parts)?;
    Some(PicoUsdSum::from_pico(more))
}

fn succeeded(samples: &[&Sample]) -> Share {
    let told = || samples.iter().filter_map(|sample| sample.success);
    Share { part: count(told().filter(|it| *it).count()), of: count(told().count()) }
}

fn sum(samples: &[&Sample]) -> PicoUsdSum {
    samples.iter().fold(PicoUsdSum::default(), |sum, sample| sum + sample.cost_usd)
}

fn distinct<T: Ord>(of: impl Iterator<Item = T>) -> u64 {
    count(of.collect::<BTreeSet<_>>().len())
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "only compared by its logarithm")]
const fn float(value: i128) -> f64 {
    value as f64
}

/// Tasks that a story speaks of, as they come in.
#[derive(Debug)]
pub struct StoryMeasure<'a> {
    claim: &'a StoryClaim,
    author: &'a PersonName,
    subject: [Vec<Sample>; 2],
    others: [Vec<Sample>; 2],
}

// === impl StoryMeasure ===

impl<'a> StoryMeasure<'a> {
    /// Nothing measured yet.
    pub const fn new(claim: &'a StoryClaim, author: &'a PersonName) -> Self {
        const NONE: [Vec<Sample>; 2] = [Vec::new(), Vec::new()];
        Self { claim, author, subject: NONE, others: NONE }
    }

    /// Takes a task.
    pub fn take(&mut self, task: &TaskFact) {
        let is_in =
            |window: StoryWindow| window.from <= task.first_call && task.first_call < window.until;
        let at = match (is_in(self.claim.before), is_in(self.claim.after)) {
            (true, _) => 0,
            (_, true) => 1,
            _ => return,
        };
        let group = match () {
            () if fits(&self.claim.subject, task, self.author) => &mut self.subject,
            () if fits(&self.claim.comparison, task, self.author) => &mut self.others,
            () => return,
        };
        if let (Some(list), Some(sample)) = (group.get_mut(at), Sample::of(task)) {
            list.push(sample);
        }
    }

    /// What became of the story.
    pub fn result(mut self, at: Timestamp) -> StoryResult {
        let people: BTreeSet<&PersonName> =
            self.others.iter().flatten().filter_map(|one| one.person.as_ref()).collect();
        if (1..PEOPLE_MIN).contains(&people.len()) {
            self.others = [Vec::new(), Vec::new()];
        }
        let ([before, after], [others_before, others_after]) = (&self.subject, &self.others);
        let costs =
            |samples: &[Sample]| -> Vec<f64> { samples.iter().map(|sample| sample.cost).collect() };
        let lists = [before, after, others_before, others_after].map(|list| costs(list));
        let [own_before, own_after, comparison_before, comparison_after] = &lists;
        let success = shares(share_of(after), share_of(before));
        let judged = judge(
            Windows { before: own_before, after: own_after },
            Windows { before: comparison_before, after: comparison_after },
            success,
        );
        let figures_after = figures(after);
        story_result(
            judged,
            at,
            [figures(before), figures_after, figures(others_before), figures(others_after)],
        )
    }
}

fn fits(wanted: &StoryTasks, task: &TaskFact, author: &PersonName) -> bool {
    let StoryTasks { workload, task_type, team, mine } = wanted;
    (workload.is_none() || *workload == task.workload)
        && (task_type.is_none() || *task_type == task.task_type)
        && (team.is_none() || *team == task.team)
        && (!mine || task.person.as_ref() == Some(author))
}

fn share_of(samples: &[Sample]) -> Share {
    succeeded(&samples.iter().collect::<Vec<_>>())
}

fn figures(samples: &[Sample]) -> StoryFigures {
    let Share { part, of } = share_of(samples);
    let all: Vec<&Sample> = samples.iter().collect();
    StoryFigures { tasks: count(all.len()), cost_usd: sum(&all), reported: of, succeeded: part }
}

fn story_result(judged: Judgement, at: Timestamp, figures: [StoryFigures; 4]) -> StoryResult {
    let [subject_before, subject_after, comparison_before, comparison_after] = figures;
    let verdict = match judged.verdict {
        Verdict::Confirmed => StoryVerdict::Confirmed,
        Verdict::Unclear => StoryVerdict::Unclear,
        Verdict::Refuted => StoryVerdict::Refuted,
    };
    let estimate = |ratio: Option<Ratio>| {
        ratio.map(|Ratio { ratio: value, low, high }| StoryEstimate { value, low, high })
    };
    let is_confirmed = verdict == StoryVerdict::Confirmed;
    let net = judged.net.filter(|_| is_confirmed);
    StoryResult {
        at,
        verdict,
        ground: ground(judged.ground).to_owned(),
        own: estimate(judged.own),
        others: estimate(judged.others),
        net: estimate(judged.net),
        success: judged.success.map(|Difference { difference: value, low, high }| StoryEstimate {
            value,
            low,
            high,
        }),
        saved_usd: net.and_then(|net| beyond(subject_after.cost_usd, net.ratio)),
        subject_before,
        subject_after,
        comparison_before,
        comparison_after,
    }
}

const fn ground(of: Ground) -> &'static str {
    match of {
        Ground::Saved => "saved",
        Ground::TooFewTasks => "too_few_tasks",
        Ground::OthersSavedToo => "others_saved_too",
        Ground::WithinChance => "within_chance",
        Ground::FewerSucceed => "fewer_succeed",
        Ground::NoChange => "no_change",
        Ground::Dearer => "dearer",
    }
}

#[cfg(test)]
mod tests;
