//! Reconciliation: Tally's numbers against the provider's bill.
//!
//! [`read`] turns a provider's report or a CSV invoice into [`BillLine`]s; [`compare()`] holds
//! them against what was [`Metered`]. docs/reconciliation.md has the formats and the table of
//! variances.
//!
//! Invariants: amounts are integers of picodollars; days are those of UTC, as providers bill.

mod amount;
mod compare;
mod explain;
mod invoice;
mod metered;
mod reports;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_types::{PicoUsdSum, ProviderName};

pub use compare::{Day, ListRate, Reconciliation, Variance, compare};
pub(crate) use metered::kind_of;
pub use metered::{Gap, Metered};
pub use tally_types::spec::VarianceKind;

/// What a bill is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BillFormat {
    /// Anthropic's `GET /v1/organizations/usage_report/messages`.
    AnthropicUsage,
    /// Anthropic's `GET /v1/organizations/cost_report`.
    AnthropicCost,
    /// OpenAI's `GET /v1/organization/usage/completions`.
    OpenaiUsage,
    /// OpenAI's `GET /v1/organization/costs`, grouped by `line_item`.
    OpenaiCosts,
    /// Text with the columns `date,model,meter,quantity,cost,currency`.
    Csv,
}

/// One line of a bill, whatever it was written in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BillLine {
    /// The day, in UTC.
    #[schemars(with = "String")]
    pub date: Date,
    /// Who bills.
    pub provider: ProviderName,
    /// The model as the provider names it; none where a line is of no model.
    pub model: Option<String>,
    /// What was counted, as charges name it.
    pub meter: String,
    /// How many; none in reports of costs alone.
    pub quantity: Option<u64>,
    /// What it costs; none in reports of usage alone.
    pub cost_usd: Option<PicoUsdSum>,
}

/// A bill as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// Who bills.
    pub provider: ProviderName,
    /// The first day it is about, and the last.
    pub days: (Date, Date),
    /// In the order of the bill.
    pub lines: Vec<BillLine>,
}

/// Why a bill is refused: where, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct BillError {
    /// The line and column, or the field.
    pub place: String,
    /// What is there and what was expected.
    pub message: String,
}

/// The names that Tally knows models by: the provider's own, and Tally's for it.
pub type ModelNames = BTreeMap<String, String>;

/// Reads a bill.
///
/// # Errors
/// When it is of another shape, in another currency or not whole.
pub fn read(format: BillFormat, provider: &ProviderName, text: &str) -> Result<Bill, BillError> {
    let bill = match format {
        BillFormat::AnthropicUsage => reports::anthropic_usage(provider, text)?,
        BillFormat::AnthropicCost => reports::anthropic_cost(provider, text)?,
        BillFormat::OpenaiUsage => reports::openai_usage(provider, text)?,
        BillFormat::OpenaiCosts => reports::openai_costs(provider, text)?,
        BillFormat::Csv => invoice::read(provider, text)?,
    };
    Ok(bill)
}

// === impl BillError ===

impl BillError {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }
}

// === impl Bill ===

impl Bill {
    /// Of these days and lines; a bill of no day is none.
    fn of(
        provider: &ProviderName,
        days: impl Iterator<Item = Date> + Clone,
        lines: Vec<BillLine>,
    ) -> Result<Self, BillError> {
        let (Some(first), Some(last)) = (days.clone().min(), days.max()) else {
            return Err(BillError::new("the bill", "it is of no day; expected at least one"));
        };
        Ok(Self { provider: provider.clone(), days: (first, last), lines })
    }
}
