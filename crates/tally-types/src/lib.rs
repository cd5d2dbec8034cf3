//! The vocabulary every room of Tally shares: money, tokens, ids, time, usage
//! events, outcomes and the specs of the resource kinds.
//!
//! Invariant: this crate does no I/O and never reads a clock.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod budget;
mod event;
mod exact;
mod ids;
mod money;
mod outcome;
mod record;
mod resource;
pub mod spec;
mod task;
mod time;
mod tokens;
mod vocabulary;
mod window;

pub use budget::{BudgetState, BudgetUse, CounterId, StageReached, StageUse};
pub use event::{
    BillingModifier, CONTAINED_TAG, CallStatus, CountQuality, FallbackReason, PolicyDecision,
    Source, UsageEvent,
};
pub use exact::{Exact, ExactError};
pub use ids::{
    BudgetName, CallId, CostCenterName, EventId, KeyName, ModelName, Name, NameError, NodeId,
    PersonName, ProviderName, TeamName, TemplateName, WorkloadName,
};
pub use money::{MoneyError, PicoUsd, PicoUsdSum, RatePerToken};
pub use outcome::{Outcome, Reporter, TaskResult};
pub use record::Record;
pub use resource::{FieldError, Kind, Reference, Resource, Spec, SpecError, UnknownKind};
pub use task::{Fingerprint, TaskFact, TaskOutcome};
pub use time::{Clock, IdSource, ManualClock, SequentialIds};
pub use tokens::{TokenKind, Tokens};
pub use vocabulary::{
    DataClass, Dialect, Environment, KeyScope, Role, ServiceTier, Severity, Tier, WorkloadClass,
};
pub use window::{Calendar, CalendarUnit, Weekday, Window, WindowError};

pub use jiff::{Timestamp, civil::Date, tz::TimeZone};
