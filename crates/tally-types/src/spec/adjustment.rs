//! A difference from a provider's bill that somebody decided about.

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CostCenterName, FieldError, PicoUsdSum, ProviderName, resource::KindSpec,
    vocabulary::vocabulary,
};

vocabulary! {
    /// Why a bill differs.
    VarianceKind {
        /// Billed, but Tally saw none of it, or less.
        MissingTraffic = "missing_traffic",
        /// Metered, but not on the bill, or less of it.
        MissingInBill = "missing_in_bill",
        /// As much of it, at another rate.
        PriceChange = "price_change",
        /// Less than a cent.
        Rounding = "rounding",
        /// Of a meter that no call of these days has.
        UnmeteredSource = "unmetered_source",
        /// Of a model that Tally does not know.
        UnknownModel = "unknown_model",
    }

    /// How far an adjustment has come; before that it is proposed.
    AdjustmentState {
        /// A second person said yes; it is in no statement yet.
        Approved = "approved",
        /// A second person said no.
        Rejected = "rejected",
        /// It stands in statements.
        Posted = "posted",
    }
}

/// A difference from a provider's bill, named by the reconciliation that found it and its number
/// in there, such as `5f0c8d2be1a94c37-2`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdjustmentSpec {
    /// The reconciliation.
    pub reconciliation: String,
    /// The number of the variance in there: 1, 2, 3…
    pub number: u32,
    /// Who bills.
    pub provider: ProviderName,
    /// The day, in UTC.
    #[schemars(with = "String")]
    pub date: Date,
    /// The model; none where it is a whole day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The meter; none where it is several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter: Option<String>,
    /// Why the bill differs.
    pub variance: VarianceKind,
    /// What it adds to the books, or takes from them.
    pub amount_usd: PicoUsdSum,
    /// What no call covers, where the bill counts.
    #[serde(default)]
    pub quantity: u64,
    /// Of an aggregate, what is billed, meter by meter: calls that are imported later take from
    /// it what they cover. Empty of other adjustments, which stay as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aggregate: Vec<BilledMeter>,
    /// What calls did not cover of that when the bill was imported.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub gap_usd: PicoUsdSum,
    /// Who answers for it; none is unallocated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_center: Option<CostCenterName>,
    /// How far it has come.
    pub state: AdjustmentState,
    /// Who decided; never who imported the bill.
    pub decided_by: String,
    /// When.
    pub decided_at: Timestamp,
    /// Why.
    pub reason: String,
    /// Who posted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posted_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posted_at: Option<Timestamp>,
}

/// What a bill has of one meter of one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BilledMeter {
    /// The model, as the provider or Tally names it; none where a line is of no model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The meter.
    pub meter: String,
    /// How many; none in reports of costs alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
    /// What it costs; at list price in reports of usage alone.
    pub usd: PicoUsdSum,
}

fn is_nothing(amount: &PicoUsdSum) -> bool {
    amount.pico() == 0
}

/// It refers to nothing: it outlives what it speaks of.
impl KindSpec for AdjustmentSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        if is_nothing(&self.amount_usd) {
            errors.push(FieldError::new("amount_usd", "expected an amount other than 0"));
        }
        // What one posting can hold.
        if i64::try_from(self.amount_usd.pico()).is_err() {
            errors.push(FieldError::new("amount_usd", "expected at most 9,223,372 US dollars"));
        }
        let is_posted = self.state == AdjustmentState::Posted;
        if is_posted != self.posted_at.is_some() || is_posted != self.posted_by.is_some() {
            let said = "expected with `state: posted`, and only there";
            errors.push(FieldError::new("posted_at", said));
        }
    }
}
