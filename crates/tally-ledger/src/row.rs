//! The finest thing a statement and an export are made of.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_types::{
    CostCenterName, Environment, KeyName, PicoUsdSum, ProviderName, ServiceTier, TeamName, Tier,
    WorkloadClass, WorkloadName,
};

/// What a row is for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ChargeLine {
    /// Calls, by meter.
    Usage,
    /// Reserved capacity that nobody used.
    Idle,
    /// A share of the platform's own cost.
    Shared,
    /// A difference from the provider's bill that was approved.
    Adjustment,
    /// A change of what an earlier, closed period was charged.
    Correction,
    /// What rounding to the currency's smallest unit added or took.
    Rounding,
}

/// Who pays an amount. Together they are the whole amount, to the picodollar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Payment {
    /// The cost center.
    pub charged_usd: PicoUsdSum,
    /// The central budget, on the cost center's behalf.
    pub subsidised_usd: PicoUsdSum,
    /// Nobody yet: no cost center is known, or no rule says who.
    pub unallocated_usd: PicoUsdSum,
}

/// What was used on one day for one purpose, at one rate, and who pays for it.
///
/// `amount_usd` = `rate_usd` × `quantity` where there is a rate, and always the sum of
/// `payment`. The difference between `amount_usd` and `list_usd` is what the rate card made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChargeRow {
    /// What it is for.
    pub line: ChargeLine,
    /// The day, in the organisation's time zone.
    #[schemars(with = "String")]
    pub date: Date,
    /// Who answers for it; none is unallocated.
    pub cost_center: Option<CostCenterName>,
    /// Whose people called.
    pub team: Option<TeamName>,
    /// For which work.
    pub workload: Option<WorkloadName>,
    /// The work's class.
    pub workload_class: Option<WorkloadClass>,
    /// Production or experimentation.
    pub environment: Option<Environment>,
    /// The virtual key.
    pub key: Option<KeyName>,
    /// Who served.
    pub provider: Option<ProviderName>,
    /// The model that served, as Tally names it.
    pub model: Option<String>,
    /// Its family.
    pub model_family: Option<String>,
    /// Its tier.
    pub tier: Option<Tier>,
    /// The provider's processing tier.
    pub service_tier: Option<ServiceTier>,
    /// What was counted: a kind of token (`input_uncached`, `cache_read`, `cache_write_5m`,
    /// `cache_write_1h`, `output`, `reasoning`), `request`, `tool:<name>`; `call` where the price
    /// can no longer be taken apart. Of idle capacity and shared cost, what the rate card calls
    /// it; empty for rounding.
    pub meter: String,
    /// How many of it.
    pub quantity: u64,
    /// The list rate of one, in picodollars.
    pub list_rate_pico: Option<i64>,
    /// The internal rate of one, in picodollars.
    pub rate_pico: Option<i64>,
    /// At list price; none where no list has a price (then nothing can be charged).
    pub list_usd: Option<PicoUsdSum>,
    /// At the internal rate.
    pub amount_usd: PicoUsdSum,
    /// Who pays it.
    pub payment: Payment,
    /// The rate card that made the internal rate.
    pub rate_card: Option<String>,
    /// Covered by a subscription: shown, not billed per call.
    pub subscription: bool,
    /// The closed period that this corrects, such as `2026-10`.
    pub corrects: Option<String>,
    /// The adjustment that was posted, such as `5f0c8d2be1a94c37-2`: the second one of a
    /// reconciliation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjustment: Option<String>,
    /// It is what a provider's bill has beyond the calls: an aggregate, never a call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub aggregate: bool,
    /// How many calls are counted here: each call once, in the row of its first meter, so that
    /// rows add up.
    pub calls: u64,
}
