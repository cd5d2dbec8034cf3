//! Rate limits: calls and tokens in a minute, for any number of subjects at once.
//!
//! Each subject has two buckets that hold one minute's worth and refill without
//! pause. A call is admitted by all of its subjects or charged to none. Everything
//! is counted in whole units (one token is as many units as a minute has
//! nanoseconds, so that a limit of `n` refills `n` units per nanosecond): nothing
//! is rounded but the seconds a caller is told to wait.
//!
//! - A call that needs more tokens than a minute has is admitted when its bucket is
//!   full, and leaves a debt that later calls wait for: else it would wait for ever.
//! - What was estimated and not used comes back when the call ends; what was used
//!   beyond the estimate is owed.
//! - A clock that steps back refills nothing and takes nothing away.

use std::{array, collections::HashMap};

use parking_lot::Mutex;
use tally_types::{KeyName, ModelName, PersonName, WorkloadName, spec::RateLimit};

/// Units of one call or token: nanoseconds in a minute.
const UNITS: u128 = 60_000_000_000;
const NS_PER_S: u128 = 1_000_000_000;
/// Fewer subjects than these are never looked through for idle ones.
const SUBJECTS_KEPT: usize = 1_024;
/// Subjects that a ticket holds without allocating.
const SUBJECTS_INLINE: usize = 6;

/// Whose rate is limited.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A virtual key.
    Key(KeyName),
    /// A person, over all of their keys.
    Person(PersonName),
    /// A workload.
    Workload(WorkloadName),
    /// A model, whoever calls it.
    Model(ModelName),
}

/// Which of a subject's limits was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Calls in a minute.
    Requests,
    /// Tokens in a minute.
    Tokens,
}

/// A call that came too early, and who has to wait longest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{subject} has reached its limit of {limit} per minute; try again in {retry_after_s} s")]
pub struct Limited {
    /// Whose limit.
    pub subject: Subject,
    /// Which of its limits.
    pub limit: Limit,
    /// From then on the same call is admitted, unless another one came first.
    pub retry_after_ns: u64,
    /// The same in whole seconds, rounded up: what `retry-after` says.
    pub retry_after_s: u64,
}

/// What an admitted call was charged; [`Rates::settle`] corrects it.
#[must_use = "without `settle`, the call's estimate stands for what it used"]
#[derive(Debug)]
pub struct Ticket {
    tokens: u64,
    inline: [Option<Charged>; SUBJECTS_INLINE],
    more: Vec<Charged>,
}

/// The rates of all subjects that called lately.
#[derive(Debug, Default)]
pub struct Rates {
    state: Mutex<State>,
}

#[derive(Debug)]
struct Charged {
    subject: Subject,
    tokens_per_minute: u64,
}

#[derive(Debug, Default)]
struct State {
    subjects: HashMap<Subject, Buckets>,
    /// The latest time ever seen: earlier ones count as this.
    latest_ns: u64,
    /// How many subjects there may be before idle ones are looked for.
    look_at: usize,
}

#[derive(Debug, Default)]
struct Buckets {
    /// What is used is as of then.
    at_ns: u64,
    requests: Bucket,
    tokens: Bucket,
}

/// One limit of one subject.
#[derive(Debug, Default)]
struct Bucket {
    /// Units taken and not refilled yet; more than a minute's worth is a debt.
    used: u128,
    /// As last declared; none is taken by a subject without this limit.
    per_minute: u64,
}

// === impl Rates ===

impl Rates {
    /// Charges a call to every subject, or to none and says who has to wait longest.
    ///
    /// `now_ns` comes from a clock of which only differences count. Of a subject that
    /// stands twice, the first demand counts.
    ///
    /// # Errors
    /// When a subject's calls or tokens of this minute are used up.
    pub fn admit(
        &self,
        now_ns: u64,
        demands: &[(Subject, RateLimit)],
        tokens_estimate: u64,
    ) -> Result<Ticket, Limited> {
        let mut state = self.state.lock();
        let now_ns = state.latest_ns.max(now_ns);
        state.latest_ns = now_ns;
        let mut longest: Option<(u128, &Subject, Limit)> = None;
        for (index, (subject, limit)) in demands.iter().enumerate() {
            if is_repeated(demands, index) {
                continue;
            }
            let Some(buckets) = state.subjects.get_mut(subject) else { continue };
            buckets.refill(now_ns, limit);
            for (limit, wait) in buckets.waits(limit, tokens_estimate) {
                if wait > longest.map_or(0, |(longest, ..)| longest) {
                    longest = Some((wait, subject, limit));
                }
            }
        }
        if let Some((wait_ns, subject, limit)) = longest {
            return Err(Limited::new(subject.clone(), limit, wait_ns));
        }
        let mut ticket = Ticket::new(tokens_estimate);
        for (index, (subject, limit)) in demands.iter().enumerate() {
            if !is_repeated(demands, index) {
                state.charge(now_ns, subject, limit, tokens_estimate);
                ticket.push(subject, limit);
            }
        }
        Ok(ticket)
    }

    /// Corrects a call's tokens, once they are known.
    pub fn settle(&self, ticket: Ticket, tokens_real: u64) {
        let mut state = self.state.lock();
        let estimated = ticket.tokens;
        for charged in ticket.inline.into_iter().flatten().chain(ticket.more) {
            if charged.tokens_per_minute == 0 {
                continue;
            }
            match state.subjects.get_mut(&charged.subject) {
                Some(buckets) => buckets.tokens.correct(estimated, tokens_real),
                // Forgotten, so all of the estimate has been refilled since.
                None => state.owe(charged, tokens_real.saturating_sub(estimated)),
            }
        }
    }

    /// How many subjects are remembered.
    pub fn subjects(&self) -> usize {
        self.state.lock().subjects.len()
    }
}

fn is_repeated(demands: &[(Subject, RateLimit)], index: usize) -> bool {
    let Some((subject, _)) = demands.get(index) else { return false };
    demands.iter().take(index).any(|(earlier, _)| earlier == subject)
}

// === impl State ===

impl State {
    fn charge(&mut self, now_ns: u64, subject: &Subject, limit: &RateLimit, tokens: u64) {
        if let Some(buckets) = self.subjects.get_mut(subject) {
            buckets.charge(tokens);
            return;
        }
        self.forget_idle(now_ns);
        let mut buckets = Buckets { at_ns: now_ns, ..Buckets::default() };
        buckets.refill(now_ns, limit);
        buckets.charge(tokens);
        self.subjects.insert(subject.clone(), buckets);
    }

    /// A debt of a subject that was idle in the meantime; refilled from now on.
    fn owe(&mut self, charged: Charged, tokens: u64) {
        if tokens == 0 {
            return;
        }
        let tokens =
            Bucket { used: u128::from(tokens) * UNITS, per_minute: charged.tokens_per_minute };
        let buckets = Buckets { at_ns: self.latest_ns, requests: Bucket::default(), tokens };
        self.subjects.insert(charged.subject, buckets);
    }

    /// Forgets whose buckets are full, each time their number has doubled: what is
    /// left called within the last minute or is in debt.
    fn forget_idle(&mut self, now_ns: u64) {
        if self.subjects.len() < self.look_at.max(SUBJECTS_KEPT) {
            return;
        }
        self.subjects.retain(|_, buckets| !buckets.is_idle(now_ns));
        self.look_at = self.subjects.len().saturating_mul(2);
    }
}

// === impl Buckets ===

impl Buckets {
    /// Moves to `now_ns`, and to the limits as they are declared now.
    fn refill(&mut self, now_ns: u64, limit: &RateLimit) {
        let passed_ns = now_ns.saturating_sub(self.at_ns);
        self.at_ns = now_ns;
        self.requests.refill(passed_ns, limit.requests_per_minute.map_or(0, at_least_one));
        self.tokens.refill(passed_ns, limit.tokens_per_minute.map_or(0, at_least_one));
    }

    fn waits(&self, limit: &RateLimit, tokens: u64) -> [(Limit, u128); 2] {
        debug_assert_eq!(self.requests.per_minute == 0, limit.requests_per_minute.is_none());
        [(Limit::Requests, self.requests.wait_ns(1)), (Limit::Tokens, self.tokens.wait_ns(tokens))]
    }

    fn charge(&mut self, tokens: u64) {
        self.requests.charge(1);
        self.tokens.charge(tokens);
    }

    fn is_idle(&self, now_ns: u64) -> bool {
        let passed_ns = u128::from(now_ns.saturating_sub(self.at_ns));
        [&self.requests, &self.tokens]
            .iter()
            .all(|bucket| bucket.used <= passed_ns * u128::from(bucket.per_minute))
    }
}

/// A limit of zero would block for ever; it is refused where it is declared.
fn at_least_one(limit: impl Into<u64>) -> u64 {
    limit.into().max(1)
}

// === impl Bucket ===

impl Bucket {
    fn refill(&mut self, passed_ns: u64, per_minute: u64) {
        // What passed was refilled at the pace declared until now.
        let refilled = u128::from(passed_ns) * u128::from(self.per_minute);
        self.used = self.used.saturating_sub(refilled);
        self.per_minute = per_minute;
        if per_minute == 0 {
            self.used = 0;
        }
    }

    /// Nanoseconds until so much fits; 0 when it does.
    fn wait_ns(&self, count: u64) -> u128 {
        if self.per_minute == 0 || count == 0 {
            return 0;
        }
        let free_after = self.per_minute.saturating_sub(count);
        self.used
            .saturating_sub(u128::from(free_after) * UNITS)
            .div_ceil(u128::from(self.per_minute))
    }

    fn charge(&mut self, count: u64) {
        if self.per_minute > 0 {
            self.used = self.used.saturating_add(u128::from(count) * UNITS);
        }
    }

    fn correct(&mut self, estimated: u64, real: u64) {
        let more = u128::from(real.saturating_sub(estimated)) * UNITS;
        let less = u128::from(estimated.saturating_sub(real)) * UNITS;
        if self.per_minute > 0 {
            self.used = self.used.saturating_add(more).saturating_sub(less);
        }
    }
}

// === impl Limited ===

impl Limited {
    fn new(subject: Subject, limit: Limit, wait_ns: u128) -> Self {
        let whole = |value: u128| u64::try_from(value).unwrap_or(u64::MAX);
        Self {
            subject,
            limit,
            retry_after_ns: whole(wait_ns),
            retry_after_s: whole(wait_ns.div_ceil(NS_PER_S)),
        }
    }
}

// === impl Ticket ===

impl Ticket {
    fn new(tokens: u64) -> Self {
        Self { tokens, inline: array::from_fn(|_| None), more: Vec::new() }
    }

    fn push(&mut self, subject: &Subject, limit: &RateLimit) {
        let tokens_per_minute = limit.tokens_per_minute.map_or(0, at_least_one);
        let charged = Charged { subject: subject.clone(), tokens_per_minute };
        match self.inline.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(charged),
            None => self.more.push(charged),
        }
    }
}

// === impl Subject, Limit ===

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(name) => write!(f, "key `{name}`"),
            Self::Person(name) => write!(f, "person `{name}`"),
            Self::Workload(name) => write!(f, "workload `{name}`"),
            Self::Model(name) => write!(f, "model `{name}`"),
        }
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Requests => "calls",
            Self::Tokens => "tokens",
        })
    }
}

#[cfg(test)]
#[path = "rates_tests.rs"]
mod tests;
