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
        Difference, Ground, Judgement, Logs, Match, Ratio, Share, TASKS_MIN, Verdict, Windows,
        judge, matched, shares,
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
    success: Option<bool>,
    person: Option<PersonName>,
}

/// Tasks that are alike, added up: one by one they would not fit into memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Group {
    tasks: u64,
    cost: Logs,
    cost_usd: PicoUsdSum,
    tokens: Logs,
    latency: Logs,
    success: Share,
    /// Who used a template; nobody where there was none.
    people: BTreeSet<PersonName>,
    teams: BTreeSet<TeamName>,
}

/// What is alike: workload and task type.
type Cell = (Option<WorkloadName>, Option<String>);
/// A template's name and version, as calls named it.
type Used = Option<(String, Option<u32>)>;

/// Tasks of a time, by what is alike and by template.
#[derive(Debug, Clone, Default)]
pub struct Samples(BTreeMap<Cell, BTreeMap<Used, Group>>);

// === impl Sample ===

impl Sample {
    /// None for a task whose cost is not known.
    fn of(task: &TaskFact) -> Option<Self> {
        let cost_usd = task.cost?;
        Some(Self {
            cost: float(cost_usd.pico()),
            cost_usd,
            success: task.outcome.as_ref().map(|outcome| outcome.result == TaskResult::Succeeded),
            person: task.person.clone(),
        })
    }
}

// === impl Group ===

impl Group {
    pub(crate) fn add(&mut self, cost: PicoUsdSum, tokens: u64, success: Option<bool>) {
        self.tasks += 1;
        self.cost.add(float(cost.pico()));
        self.cost_usd = self.cost_usd + cost;
        self.tokens.add(float(i128::from(tokens)));
        self.success.of += u64::from(success.is_some());
        self.success.part += u64::from(success == Some(true));
    }

    pub(crate) fn add_user(&mut self, person: Option<&PersonName>, team: Option<&TeamName>) {
        self.people.extend(person.cloned());
        self.teams.extend(team.cloned());
    }

    /// All but who they were.
    fn join(&mut self, other: &Self) {
        self.tasks += other.tasks;
        self.cost.join(&other.cost);
        self.cost_usd = self.cost_usd + other.cost_usd;
        self.tokens.join(&other.tokens);
        self.latency.join(&other.latency);
        self.success.part += other.success.part;
        self.success.of += other.success.of;
    }
}

// === impl Samples ===

impl Samples {
    /// Takes a task.
    pub fn take(&mut self, task: &TaskFact) {
        let Some(cost) = task.cost else { return };
        let cell = (task.workload.clone(), task.task_type.clone());
        let used = task.template.as_ref().map(split);
        let is_used = used.is_some();
        let group = self.0.entry(cell).or_default().entry(used).or_default();
        let success = task.outcome.as_ref().map(|outcome| outcome.result == TaskResult::Succeeded);
        group.add(cost, task.tokens, success);
        group.latency.add(task.latency_us.map_or(0.0, |us| float(i128::from(us))));
        if is_used {
            group.add_user(task.person.as_ref(), task.team.as_ref());
        }
    }

    /// Takes tasks that are added up already.
    pub(crate) fn take_group(
        &mut self,
        workload: Option<WorkloadName>,
        task_type: Option<String>,
        template: Option<&TemplateName>,
        group: Group,
    ) {
        let cell = self.0.entry((workload, task_type)).or_default();
        cell.insert(template.map(split), group);
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
        let people = self.users(&is_it).flat_map(|group| &group.people);
        let reusers = people.filter(|person| *person != owner).collect::<BTreeSet<_>>().len();
        Measured { all, versions, reusers: count(reusers) }
    }

    fn users<'a>(&'a self, wanted: &'a dyn Fn(&Used) -> bool) -> impl Iterator<Item = &'a Group> {
        let groups = self.0.values().flatten();
        groups.filter(|(used, _)| wanted(used)).map(|(_, group)| group)
    }

    /// Tasks that used `wanted`, beside those that used nothing of the template.
    fn measure(
        &self,
        version: Option<u32>,
        template: &dyn Fn(&Used) -> bool,
        wanted: &dyn Fn(&Used) -> bool,
    ) -> Measurement {
        let mut pairs: Vec<(Group, Group)> = Vec::new();
        for cell in self.0.values() {
            let with = joined(cell.iter().filter(|(used, _)| wanted(used)));
            if with.tasks > 0 {
                pairs.push((with, joined(cell.iter().filter(|(used, _)| !template(used)))));
            }
        }
        let with = joined_all(pairs.iter().map(|(with, _)| with));
        let without = joined_all(pairs.iter().map(|(_, without)| without));
        let is_enough = with.tasks.min(without.tasks) >= count(TASKS_MIN);
        let of = |logs: &dyn Fn(&Group) -> Logs| {
            let pair = |(with, without): &(Group, Group)| Match {
                with: logs(with),
                without: logs(without),
            };
            matched(&pairs.iter().map(pair).collect::<Vec<_>>()).filter(|_| is_enough)
        };
        let cost = of(&|group| group.cost);
        let success = shares(with.success, without.success).filter(|_| is_enough);
        let effect = effect(cost, success);
        let saves = effect == TemplateEffect::Saves;
        let saved = |cost: Ratio| beyond(with.cost_usd, cost.ratio);
        Measurement {
            version,
            tasks: with.tasks,
            compared: without.tasks,
            people: distinct(self.users(wanted).flat_map(|group| &group.people)),
            teams: distinct(self.users(wanted).flat_map(|group| &group.teams)),
            cost_usd: with.cost_usd,
            cost,
            tokens: of(&|group| group.tokens),
            latency: of(&|group| group.latency),
            success,
            effect,
            saved_usd: cost.filter(|_| saves).and_then(saved),
        }
    }
}

fn distinct<T: Ord>(of: impl Iterator<Item = T>) -> u64 {
    count(of.collect::<BTreeSet<_>>().len())
}

fn joined<'a>(groups: impl Iterator<Item = (&'a Used, &'a Group)>) -> Group {
    joined_all(groups.map(|(_, group)| group))
}

fn joined_all<'a>(groups: impl Iterator<Item = &'a Group>) -> Group {
    let mut all = Group::default();
    groups.for_each(|group| all.join(group));
    all
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

/// What something would have cost more, had it not become `ratio` times as dear.
fn beyond(cost: PicoUsdSum, ratio: f64) -> Option<PicoUsdSum> {
    #[expect(clippy::cast_possible_truncation, reason = "a ratio below one, in parts")]
    let parts = (ratio * PARTS).round() as i128;
    #[expect(clippy::cast_possible_truncation, reason = "a constant")]
    let whole = PARTS as i128;
    let more = cost.pico().checked_mul(whole - parts)?.checked_div(parts)?;
    Some(PicoUsdSum::from_pico(more))
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
    let told = || samples.iter().filter_map(|sample| sample.success);
    Share { part: count(told().filter(|it| *it).count()), of: count(told().count()) }
}

fn figures(samples: &[Sample]) -> StoryFigures {
    let Share { part, of } = share_of(samples);
    let cost_usd = samples.iter().fold(PicoUsdSum::default(), |sum, one| sum + one.cost_usd);
    StoryFigures { tasks: count(samples.len()), cost_usd, reported: of, succeeded: part }
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
