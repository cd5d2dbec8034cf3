//! Groups of an answer while its parts are added up.

use std::collections::HashMap;

use crate::{
    facts::{self, Fact},
    histogram::Histogram,
};

/// More groups than this are refused.
pub(crate) const GROUPS_MAX: usize = 200_000;

/// Which group: the dimensions' values and the bucket of time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct Key {
    pub(crate) dimensions: Vec<Option<String>>,
    pub(crate) bucket: Option<i64>,
}

/// The sums over the tasks of a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TaskSums {
    pub(crate) tasks: i128,
    pub(crate) succeeded: i128,
    pub(crate) failed: i128,
    pub(crate) escalated: i128,
    pub(crate) value: i128,
    pub(crate) quality_bp: i128,
    pub(crate) with_quality: i128,
    pub(crate) tokens: i128,
    pub(crate) known_tokens: i128,
    pub(crate) known_cost: i128,
    pub(crate) known_unpriced: i128,
}

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
    /// From the columns in the order of the fields.
    pub(crate) fn from_columns(values: &[i128]) -> Self {
        let at = |index: usize| values.get(index).copied().unwrap_or(0);
        Self {
            tasks: at(0),
            succeeded: at(1),
            failed: at(2),
            escalated: at(3),
            value: at(4),
            quality_bp: at(5),
            with_quality: at(6),
            tokens: at(7),
            known_tokens: at(8),
            known_cost: at(9),
            known_unpriced: at(10),
        }
    }

    /// Tasks whose outcome is known.
    pub(crate) fn known(&self) -> i128 {
        self.succeeded + self.failed
    }
}
