//! The tasks of a season, gathered in as little memory as their explanation allows.

use std::{collections::HashMap, hash::Hash};

use tally_types::{
    Fingerprint, PersonName, Reporter, TaskFact, TaskOutcome, TaskResult, TeamName, TemplateName,
    Tier, Timestamp, WorkloadName,
};

use crate::score::{board::Season, explanation::TaskStanding};

/// The number of nobody and of nothing.
pub(super) const NONE: u32 = u32::MAX;

/// Things by number.
#[derive(Debug, Clone)]
pub(super) struct Known<T> {
    numbers: HashMap<T, u32>,
    pub(super) all: Vec<T>,
}

/// Gathers the tasks of one season, in any order.
#[derive(Debug, Clone)]
pub struct SeasonTasks {
    pub(super) season: Season,
    pub(super) tasks: Vec<Task>,
    pub(super) people: Known<PersonName>,
    pub(super) teams: Known<TeamName>,
    pub(super) kinds: Known<Option<String>>,
    pub(super) workloads: Known<WorkloadName>,
    pub(super) templates: Known<TemplateName>,
}

/// One task; who, what and where by number.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) person: u32,
    pub(super) team: u32,
    pub(super) kind: u32,
    pub(super) workload: u32,
    pub(super) template: u32,
    pub(super) id: Box<str>,
    /// Of its first call, in microseconds.
    pub(super) at: i64,
    pub(super) calls: u64,
    pub(super) tokens: u64,
    pub(super) prompt_tokens: u64,
    pub(super) cached_tokens: u64,
    /// In picodollars.
    pub(super) cost: Option<i64>,
    pub(super) tier: Option<Tier>,
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) outcome: Option<Came>,
    pub(super) standing: TaskStanding,
}

/// What came of a task.
#[derive(Debug, Clone, Copy)]
pub(super) struct Came {
    pub(super) succeeded: bool,
    pub(super) quality_bp: Option<u16>,
    /// In picodollars.
    pub(super) value: i64,
    pub(super) by: Voucher,
}

/// Who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voucher {
    Unknown,
    System,
    Person(u32),
}

// === impl Known ===

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), all: Vec::new() }
    }
}

impl<T: Clone + Eq + Hash> Known<T> {
    pub(super) fn number(&mut self, item: &T) -> u32 {
        if let Some(number) = self.numbers.get(item) {
            return *number;
        }
        let number = u32::try_from(self.all.len()).unwrap_or(NONE);
        self.all.push(item.clone());
        self.numbers.insert(item.clone(), number);
        number
    }

    fn optional(&mut self, item: Option<&T>) -> u32 {
        item.map_or(NONE, |item| self.number(item))
    }

    pub(super) fn find(&self, item: &T) -> Option<u32> {
        self.numbers.get(item).copied()
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        item(&self.all, number)
    }
}

impl<T: Clone + Eq + Hash + Ord> Known<T> {
    /// Numbers everything anew, in order; gives the new number of each old one.
    fn sort(&mut self) -> Vec<u32> {
        let before = std::mem::take(self);
        let mut sorted = before.all.clone();
        sorted.sort();
        for one in &sorted {
            self.number(one);
        }
        before.all.iter().map(|one| self.find(one).unwrap_or(NONE)).collect()
    }
}

/// What has a number.
pub(super) fn item<T>(all: &[T], number: u32) -> Option<&T> {
    all.get(usize::try_from(number).ok()?)
}

/// What has a number, to change it.
pub(super) fn item_mut<T>(all: &mut [T], number: u32) -> Option<&mut T> {
    all.get_mut(usize::try_from(number).ok()?)
}

// === impl SeasonTasks ===

impl SeasonTasks {
    /// Of a season, without a task yet.
    pub fn new(season: Season) -> Self {
        Self {
            season,
            tasks: Vec::new(),
            people: Known::default(),
            teams: Known::default(),
            kinds: Known::default(),
            workloads: Known::default(),
            templates: Known::default(),
        }
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.tasks.len()
    }

    /// Those that had begun before a moment: what the season was then.
    #[must_use]
    pub fn before(&self, moment: Timestamp) -> Self {
        let until = moment.as_microsecond();
        Self {
            season: self.season.clone(),
            tasks: self.tasks.iter().filter(|task| task.at < until).cloned().collect(),
            people: self.people.clone(),
            teams: self.teams.clone(),
            kinds: self.kinds.clone(),
            workloads: self.workloads.clone(),
            templates: self.templates.clone(),
        }
    }

    /// Takes a task, unless it belongs to another season.
    pub fn take(&mut self, fact: &TaskFact) {
        if fact.first_call < self.season.from || fact.first_call >= self.season.until {
            return;
        }
        let task = Task {
            person: self.people.optional(fact.person.as_ref()),
            team: self.teams.optional(fact.team.as_ref()),
            kind: self.kinds.number(&fact.task_type),
            workload: self.workloads.optional(fact.workload.as_ref()),
            template: self.templates.optional(fact.template.as_ref().map(without_version).as_ref()),
            id: fact.task_id.as_str().into(),
            at: fact.first_call.as_microsecond(),
            calls: fact.calls,
            tokens: fact.tokens,
            prompt_tokens: fact.prompt_tokens,
            cached_tokens: fact.cache_read_tokens,
            // More than nine million dollars for one task are a mistake somewhere else.
            cost: fact.cost.map(|cost| i64::try_from(cost.pico()).unwrap_or(i64::MAX)),
            tier: fact.tier,
            fingerprint: fact.prompt_fingerprint,
            outcome: fact.outcome.as_ref().map(|outcome| self.came(outcome)),
            standing: TaskStanding::NoOutcome,
        };
        self.tasks.push(task);
    }

    fn came(&mut self, outcome: &TaskOutcome) -> Came {
        Came {
            succeeded: outcome.result == TaskResult::Succeeded,
            quality_bp: outcome.quality_bp,
            value: outcome.value.map_or(0, |value| value.pico()),
            by: match &outcome.reported_by {
                None => Voucher::Unknown,
                Some(Reporter::Key(_)) => Voucher::System,
                Some(Reporter::Person(name)) => Voucher::Person(self.people.number(name)),
            },
        }
    }

    /// Person by person, each one's tasks in the order of their time; nobody's come last. Numbers of types follow
    /// their names, so that sums do not depend on the order in which tasks came.
    pub(super) fn sort(&mut self) {
        let kinds = self.kinds.sort();
        for task in &mut self.tasks {
            task.kind = item(&kinds, task.kind).copied().unwrap_or(NONE);
        }
        let workloads = &self.workloads;
        self.tasks.sort_unstable_by(|one, other| {
            let by_time = (one.person, one.at).cmp(&(other.person, other.at));
            by_time
                .then_with(|| workloads.get(one.workload).cmp(&workloads.get(other.workload)))
                .then_with(|| one.id.cmp(&other.id))
        });
    }
}

/// `summary@3` is a version of `summary`.
fn without_version(template: &TemplateName) -> TemplateName {
    let name = match template.as_str().rsplit_once('@') {
        Some((name, version)) if version.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => return template.clone(),
    };
    name.parse().map_or_else(|_| template.clone(), TemplateName)
}

// === impl Task ===

impl Task {
    /// Whether its cost counts.
    pub(super) const fn is_credited(&self) -> bool {
        matches!(
            self.standing,
            TaskStanding::Counts
                | TaskStanding::Failed
                | TaskStanding::Repeated
                | TaskStanding::TooManyADay
        )
    }

    /// Whether its result counts.
    pub(super) const fn is_counting(&self) -> bool {
        matches!(self.standing, TaskStanding::Counts | TaskStanding::Failed)
    }

    /// When its first call began.
    pub(super) fn time(&self) -> Timestamp {
        Timestamp::from_microsecond(self.at).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}
