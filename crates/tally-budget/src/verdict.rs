//! What a call asks of its budgets, and what it is told.

use tally_types::{
    BudgetState, CounterId, Timestamp, UsageEvent,
    spec::{BudgetLimit, StageDegrade},
};

/// The most that a call may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// In picodollars at list price; `None` when its price is unknown.
    pub pico_usd: Option<i128>,
    /// Tokens, cache reads apart.
    pub tokens: u64,
    /// Tokens with cache reads.
    pub tokens_all: u64,
}

/// A call that asks to be let through.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The call as it would be sent: who, for what, which model.
    pub event: &'a UsageEvent,
    /// The most it may use.
    pub demand: Demand,
    /// Whether it is served with less already, or cannot be: then only ceilings hold it.
    pub is_degraded: bool,
    /// The time.
    pub now: Timestamp,
}

/// What a call is told.
#[derive(Debug)]
pub enum Verdict {
    /// Reserved in every budget that applies; `Standing` says what to tell the client.
    Allowed(crate::Hold, Standing),
    /// Nothing is reserved: ask again, served with less.
    Degrade(Less),
    /// Nothing is reserved, and the call must not leave.
    Refused(Refused),
}

/// How a call stands with its budgets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The strictest of what its budgets say.
    pub state: BudgetState,
    /// The budget that says so.
    pub binding: Option<CounterId>,
    /// The highest stage that any of its budgets has reached, in percent.
    pub stage: Option<u32>,
    /// Left of the budget with the least left, in percent of its limit, and of which.
    pub remaining: Option<BudgetLimit>,
    /// Whether one of its budgets has a ceiling: then no answer may be longer than reserved.
    pub has_ceiling: bool,
}

/// How to serve a call with less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Less {
    /// The budget that asks for it.
    pub binding: CounterId,
    /// Its stage, in percent.
    pub at: u32,
    /// What each budget that asks for it declares.
    pub how: Vec<StageDegrade>,
}

/// Why a call must not leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The budget that binds.
    pub binding: CounterId,
    /// Why.
    pub by: RefusedBy,
    /// Where 100 % is.
    pub limit: BudgetLimit,
    /// When there is room again, if time alone makes some.
    pub resets_at: Timestamp,
}

/// What refuses a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedBy {
    /// The ceiling: only so much is left below it.
    Ceiling {
        /// What is left, in the limit's unit.
        left: BudgetLimit,
    },
    /// A stage that waits for its approval, and denies until then.
    ApprovalWaits,
    /// An approval that was denied, of a budget that knows no less than denial.
    ApprovalDenied,
    /// The price of the model is unknown, and the budget counts money.
    PriceUnknown,
}

impl Demand {
    pub(crate) fn amount(&self, limit: BudgetLimit, with_cache_reads: bool) -> Option<i128> {
        match limit {
            BudgetLimit::Usd(_) => self.pico_usd,
            BudgetLimit::Tokens(_) if with_cache_reads => Some(self.tokens_all.into()),
            BudgetLimit::Tokens(_) => Some(self.tokens.into()),
            BudgetLimit::Requests(_) => Some(1),
        }
    }

    /// What an event used.
    pub(crate) fn of(event: &UsageEvent) -> Self {
        let tokens = &event.tokens;
        let counted = tokens
            .input_uncached
            .saturating_add(tokens.cache_write_5m)
            .saturating_add(tokens.cache_write_1h)
            .saturating_add(tokens.output);
        Self {
            pico_usd: event.cost_list_usd.map(|cost| cost.pico().into()),
            tokens: counted,
            tokens_all: counted.saturating_add(tokens.cache_read),
        }
    }
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            state: BudgetState::Ok,
            binding: None,
            stage: None,
            remaining: None,
            has_ceiling: false,
        }
    }
}
