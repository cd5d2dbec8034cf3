//! What the simulator served: the truth that a meter in front of it is checked
//! against. The newest calls are kept one by one, the totals cover all of them.

use crate::usage::Usage;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Received, not yet answered to the end.
    InFlight,
    /// Answered to the end.
    Complete,
    /// The client went away first.
    AbortedByClient,
    /// The simulator aborted the connection in the middle.
    Cut,
    /// Any other fault that kept the client from a proper answer.
    Fault,
    /// The request was at fault: 4xx.
    Rejected,
}

/// One call that reached the simulator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Counts up by one per call, from 1, also across resets.
    pub sequence: u64,
    /// The path without its query.
    pub path: String,
    /// The last four characters of the key.
    pub credential: String,
    /// The model asked for; empty when the request could not be read.
    pub model: String,
    /// The request id in the reply's headers.
    pub request_id: String,
    /// The id in the reply's body; empty when it has none.
    pub response_id: String,
    /// The `xyz` of a `marker:xyz` in the last user message.
    pub marker: Option<String>,
    /// The status sent; `None` while there is none.
    pub status: Option<u16>,
    /// True when the client asked for a stream.
    pub stream: bool,
    /// What the provider would bill so far: for a stream that broke off, the
    /// output up to that point.
    pub usage: Usage,
    /// Output tokens written before the end, hidden reasoning included; for
    /// whole replies all of the output.
    pub output_tokens_streamed: u64,
    /// Output tokens of the whole reply, had nothing gone wrong.
    pub output_tokens_planned: u64,
    /// How the call ended.
    pub outcome: Outcome,
    /// The fault that struck the call.
    pub fault: Option<String>,
}

/// Sums over calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Calls received.
    pub calls: u64,
    /// Of these, not yet answered.
    pub in_flight: u64,
    /// Answered to the end.
    pub complete: u64,
    /// Left by the client.
    pub aborted_by_client: u64,
    /// Aborted in the middle.
    pub cut: u64,
    /// Failed in another way.
    pub fault: u64,
    /// Refused with 4xx.
    pub rejected: u64,
    /// Tokens by kind.
    #[serde(flatten)]
    pub usage: Usage,
    /// Output tokens written.
    pub output_tokens_streamed: u64,
}

impl Totals {
    fn slot(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::InFlight => &mut self.in_flight,
            Outcome::Complete => &mut self.complete,
            Outcome::AbortedByClient => &mut self.aborted_by_client,
            Outcome::Cut => &mut self.cut,
            Outcome::Fault => &mut self.fault,
            Outcome::Rejected => &mut self.rejected,
        }
    }

    fn receive(&mut self, input: Usage) {
        self.calls += 1;
        self.in_flight += 1;
        self.usage += input;
    }

    fn settle(&mut self, end: &Settlement) {
        self.in_flight = self.in_flight.saturating_sub(1);
        *self.slot(end.outcome) += 1;
        self.usage.output += end.output;
        self.usage.reasoning += end.reasoning;
        self.output_tokens_streamed += end.output;
    }
}

/// The answer of `GET /sim/served`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// Sums over every call since the start or the last reset.
    pub total: Totals,
    /// The same by model.
    pub totals: BTreeMap<String, Totals>,
    /// Calls in order, as far as asked for and still kept.
    pub calls: Vec<CallRecord>,
    /// The newest call's sequence; 0 before the first.
    pub last_sequence: u64,
    /// Calls that are in the totals and no longer kept one by one.
    pub calls_dropped: u64,
}

/// Which calls to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ServedQuery {
    /// Only calls with a higher sequence.
    pub since: u64,
    /// No calls at all.
    pub totals_only: bool,
    /// At most this many calls, the oldest first.
    pub limit: Option<usize>,
}

/// What is known of a call when it ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settlement {
    pub(crate) outcome: Outcome,
    pub(crate) status: Option<u16>,
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
}

/// Models beyond this many are summed under [`OTHER_MODELS`].
const MODELS_MAX: usize = 10_000;
const OTHER_MODELS: &str = "(other)";

#[derive(Debug)]
pub(crate) struct Ledger {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Changes with every reset, so that a call from before it is not settled after it.
    epoch: u64,
    last_sequence: u64,
    calls: VecDeque<CallRecord>,
    calls_kept: usize,
    dropped: u64,
    total: Totals,
    models: BTreeMap<String, Totals>,
}

impl Ledger {
    pub(crate) fn new(calls_kept: usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                epoch: 0,
                last_sequence: 0,
                calls: VecDeque::new(),
                calls_kept,
                dropped: 0,
                total: Totals::default(),
                models: BTreeMap::new(),
            }),
        }
    }

    /// Records a call as received; its sequence is set here. The entry settles it.
    pub(crate) fn receive(self: &Arc<Self>, mut record: CallRecord) -> Entry {
        let mut inner = self.inner.lock();
        inner.last_sequence += 1;
        record.sequence = inner.last_sequence;
        let entry = Entry {
            ledger: Arc::clone(self),
            epoch: inner.epoch,
            sequence: record.sequence,
            model: record.model.clone(),
        };
        inner.total.receive(record.usage);
        inner.model(&record.model).receive(record.usage);
        inner.calls.push_back(record);
        while inner.calls.len() > inner.calls_kept {
            inner.calls.pop_front();
            inner.dropped += 1;
        }
        entry
    }

    pub(crate) fn served(&self, query: ServedQuery) -> Served {
        let inner = self.inner.lock();
        let limit = if query.totals_only { 0 } else { query.limit.unwrap_or(usize::MAX) };
        let first = inner.calls.partition_point(|call| call.sequence <= query.since);
        Served {
            total: inner.total,
            totals: inner.models.clone(),
            calls: inner.calls.iter().skip(first).take(limit).cloned().collect(),
            last_sequence: inner.last_sequence,
            calls_dropped: inner.dropped,
        }
    }

    pub(crate) fn reset(&self) {
        let mut inner = self.inner.lock();
        inner.epoch += 1;
        inner.calls.clear();
        inner.models.clear();
        inner.dropped = 0;
        inner.total = Totals::default();
    }
}

impl Inner {
    fn model(&mut self, model: &str) -> &mut Totals {
        let known = self.models.contains_key(model) || self.models.len() < MODELS_MAX;
        let name = if known { model } else { OTHER_MODELS };
        self.models.entry(name.to_owned()).or_default()
    }

    fn settle(&mut self, entry: &Entry, end: &Settlement) {
        if self.epoch != entry.epoch {
            return;
        }
        self.total.settle(end);
        self.model(&entry.model).settle(end);
        let at = self.calls.binary_search_by_key(&entry.sequence, |call| call.sequence);
        if let Some(call) = at.ok().and_then(|at| self.calls.get_mut(at)) {
            call.outcome = end.outcome;
            call.status = end.status;
            call.usage.output = end.output;
            call.usage.reasoning = end.reasoning;
            call.output_tokens_streamed = end.output;
        }
    }
}

/// A received call that waits for its settlement.
#[derive(Debug)]
pub(crate) struct Entry {
    ledger: Arc<Ledger>,
    epoch: u64,
    sequence: u64,
    model: String,
}

impl Entry {
    pub(crate) fn settle(self, end: &Settlement) {
        self.ledger.inner.lock().settle(&self, end);
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
