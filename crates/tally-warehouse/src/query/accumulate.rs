//! Groups of an answer while its parts are added up.

use std::collections::HashMap;

use crate::{
    facts::{self, Fact},
    histogram::Histogram,
    rollup::{self, TaskNumber},
};

/// More groups than this are refused.
pub(crate) const GROUPS_MAX: usize = 200_000;

/// Which group: the dimensions' values and the bucket of time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct Key {
    pub(crate) dimensions: Vec<Option<String>>,
    pub(crate) bucket: Option<i64>,
}

/// The numbers of the tasks of a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TaskSums([i128; rollup::TASK_NUMBERS]);

/// Everything measures are computed from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Group {
    pub(crate) sums: [i128; facts::COUNT],
    pub(crate) latency: Option<Box<Histogram>>,
    pub(crate) first_token: Option<Box<Histogram>>,
    pub(crate) people: i128,
    pub(crate) teams: i128,
    pub(crate) sessions: i128,
    pub(crate) tasks: TaskSums,
}

/// All groups of an answer.
pub(crate) type Groups = HashMap<Key, Group>;

// === impl Group ===

impl Group {
    /// One of the sums.
    pub(crate) fn sum(&self, fact: Fact) -> i128 {
        self.sums.get(fact as usize).copied().unwrap_or(0)
    }

    /// Adds to one of the sums.
    pub(crate) fn add_to(&mut self, fact: Fact, more: i128) {
        if let Some(sum) = self.sums.get_mut(fact as usize) {
            *sum += more;
        }
    }

    /// Adds the parts that can be added: sums and histograms, never distinct
    /// counts or tasks.
    pub(crate) fn add(&mut self, other: &Self) {
        for (sum, more) in self.sums.iter_mut().zip(other.sums) {
            *sum += more;
        }
        merge(&mut self.latency, other.latency.as_deref());
        merge(&mut self.first_token, other.first_token.as_deref());
    }
}

fn merge(into: &mut Option<Box<Histogram>>, from: Option<&Histogram>) {
    if let Some(from) = from {
        into.get_or_insert_default().merge(from);
    }
}

impl TaskSums {
    /// One of the numbers.
    pub(crate) fn get(&self, number: TaskNumber) -> i128 {
        self.0.get(number as usize).copied().unwrap_or(0)
    }

    /// Adds to one of the numbers.
    pub(crate) fn add(&mut self, number: TaskNumber, more: i128) {
        if let Some(slot) = self.0.get_mut(number as usize) {
            *slot += more;
        }
    }

    /// Adds the numbers that belong to calls, which are the sum of the groups'.
    pub(crate) fn add_calls(&mut self, other: &Self) {
        for number in TaskNumber::ALL.iter().filter(|number| !number.once()) {
            self.add(*number, other.get(*number));
        }
    }

    /// Tasks whose outcome is known.
    pub(crate) fn known(&self) -> i128 {
        self.get(TaskNumber::Succeeded) + self.get(TaskNumber::Failed)
    }

    /// Tasks whose outcome is not known.
    pub(crate) fn unknown(&self) -> i128 {
        self.get(TaskNumber::Tasks) - self.known()
    }
}
