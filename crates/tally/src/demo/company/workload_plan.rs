//! What a workload is like: who it serves, when, with which calls and which result.

use tally_types::{DataClass, Environment, Tier, WorkloadClass};

use super::{models, teams::Trade};

/// When a workload runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rhythm {
    /// Around the clock, most in the daytime, less at weekends.
    Customers,
    /// In office hours.
    Office,
    /// As a batch before the day begins.
    Night,
    /// When people use it with their own keys.
    People,
}

/// The tokens of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Prompt that stays the same from call to call.
    pub(crate) cached: f64,
    /// Median of the prompt that is new.
    pub(crate) fresh: f64,
    /// Median of the output.
    pub(crate) output: f64,
    /// An agent: the context grows with every call of a session.
    pub(crate) agent: bool,
}

/// What a succeeded task is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Worth {
    /// A ticket without a human, in USD.
    Ticket(f64),
    /// Minutes of work saved.
    Minutes(f64),
    /// A share of the tasks ends in a sale of so many USD.
    Sale(f64, f64),
    /// USD.
    Money(f64),
    /// Nobody has said.
    Unknown,
}

/// A workload as it could be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WorkloadPlan {
    pub(crate) name: &'static str,
    pub(crate) team: &'static str,
    pub(crate) purpose: &'static str,
    pub(crate) rhythm: Rhythm,
    /// Tasks per day for a company of 350; of `People`, see `users`.
    pub(crate) tasks: f64,
    /// Tasks per working day of a person of this trade.
    pub(crate) users: &'static [(Trade, f64)],
    pub(crate) calls: (u64, u64),
    pub(crate) models: &'static [(&'static str, f64)],
    pub(crate) shape: Shape,
    pub(crate) task_types: &'static [(&'static str, f64)],
    pub(crate) value: &'static str,
    pub(crate) success: f64,
    pub(crate) worth: Worth,
    pub(crate) environment: Environment,
    pub(crate) class: WorkloadClass,
    pub(crate) data_class: DataClass,
    pub(crate) latency_p95_ms: u64,
    pub(crate) target_usd: &'static str,
}

// === impl Shape ===

impl Shape {
    pub(crate) const fn chat(cached: f64, fresh: f64, output: f64) -> Self {
        Self { cached, fresh, output, agent: false }
    }

    pub(crate) const fn agent(cached: f64, fresh: f64, output: f64) -> Self {
        Self { cached, fresh, output, agent: true }
    }

    pub(crate) const fn embedding(tokens: f64) -> Self {
        Self { cached: 0.0, fresh: tokens, output: 0.0, agent: false }
    }
}

// === impl WorkloadPlan ===

impl WorkloadPlan {
    /// In production, day to day, with internal data; what else it is, is added.
    pub(crate) const fn new(name: &'static str, team: &'static str, purpose: &'static str) -> Self {
        Self {
            name,
            team,
            purpose,
            rhythm: Rhythm::Office,
            tasks: 0.0,
            users: &[],
            calls: (1, 1),
            models: &[],
            shape: Shape::chat(0.0, 0.0, 0.0),
            task_types: &[],
            value: "productivity",
            success: 0.9,
            worth: Worth::Unknown,
            environment: Environment::Production,
            class: WorkloadClass::Operational,
            data_class: DataClass::Internal,
            latency_p95_ms: 10_000,
            target_usd: "0.10",
        }
    }

    pub(crate) const fn runs(self, rhythm: Rhythm, tasks: f64, calls: (u64, u64)) -> Self {
        Self { rhythm, tasks, calls, ..self }
    }

    pub(crate) const fn used_by(self, users: &'static [(Trade, f64)], calls: (u64, u64)) -> Self {
        Self { rhythm: Rhythm::People, users, calls, ..self }
    }

    pub(crate) const fn asks(self, models: &'static [(&'static str, f64)], shape: Shape) -> Self {
        Self { models, shape, ..self }
    }

    pub(crate) const fn does(
        self,
        task_types: &'static [(&'static str, f64)],
        value: &'static str,
        success: f64,
        worth: Worth,
    ) -> Self {
        Self { task_types, value, success, worth, ..self }
    }

    pub(crate) const fn promises(self, latency_p95_ms: u64, target_usd: &'static str) -> Self {
        Self { latency_p95_ms, target_usd, ..self }
    }

    pub(crate) const fn critical(self) -> Self {
        Self { class: WorkloadClass::Critical, ..self }
    }

    pub(crate) const fn exploring(self) -> Self {
        Self {
            class: WorkloadClass::Exploration,
            environment: Environment::Experimentation,
            ..self
        }
    }

    pub(crate) const fn holding(self, data_class: DataClass) -> Self {
        Self { data_class, ..self }
    }

    /// The dearest tier among its models.
    pub(crate) fn tier(&self) -> Tier {
        let tiers = self.models.iter().filter_map(|(name, _)| models::find(name));
        tiers.map(|model| model.tier).min().unwrap_or(Tier::Economy)
    }
}
