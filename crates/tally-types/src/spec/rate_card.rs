//! Rate cards: what cost centers pay for what they use.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CostCenterName, Exact, FieldError, Kind, PicoUsd, ProviderName, RatePerToken, Reference,
    resource::KindSpec, vocabulary::vocabulary,
};

vocabulary! {
    /// Who pays for reserved capacity that nobody used.
    IdleSplit {
        /// The cost center that ordered it.
        Owner = "owner",
        /// Every cost center the same.
        Even = "even",
        /// By what each used of it; the central budget where nobody did.
        Proportional = "proportional",
        /// The central budget.
        Central = "central",
    }

    /// Who pays for what the platform itself costs.
    SharedSplit {
        /// Every cost center the same.
        Even = "even",
        /// By what each used; the central budget where nobody did.
        Proportional = "proportional",
        /// Fixed amounts; the central budget pays the rest.
        Fixed = "fixed",
    }

    /// To which side an amount is rounded.
    RoundingMode {
        /// To the nearest; halves away from zero.
        HalfUp = "half_up",
        /// To the nearest; halves to the even neighbour.
        HalfEven = "half_even",
        /// Away from zero.
        Up = "up",
    }

    /// What is rounded.
    RoundingPer {
        /// The sum that is charged.
        Statement = "statement",
        /// Each line of the statement.
        Line = "line",
    }
}

/// Rates for every cost center, from one month until another card begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateCardSpec {
    /// The first day it holds, the first of a month in the organisation's time zone.
    #[schemars(with = "String")]
    pub from: Date,
    /// The first day it no longer holds, the first of a month; until the next card begins
    /// when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
    /// Added to the list price, in percent; negative is a discount.
    #[serde(default)]
    pub markup_percent: Exact,
    /// What holds instead for some; of several that match, the one that names most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub negotiated: Vec<NegotiatedRate>,
    /// Capacity that is paid whether it is used or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reserved: Vec<ReservedCapacity>,
    /// What the platform itself costs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<SharedCost>,
    /// How what is charged is rounded to the currency's smallest unit.
    #[serde(default)]
    pub rounding: Rounding,
    /// The currency of statements; the organisation's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// What a US dollar is worth in that currency, by day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchange_rates: Vec<ExchangeRate>,
}

/// A rate that was agreed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NegotiatedRate {
    /// For this cost center only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_center: Option<CostCenterName>,
    /// For this provider only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderName>,
    /// For this model only, as Tally names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// For this meter only, such as `output` or `tool:web_search`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter: Option<String>,
    /// US dollars per million tokens of that meter, whatever the list asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd_per_million: Option<RatePerToken>,
    /// Instead: added to the list price, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub markup_percent: Option<Exact>,
}

/// A commitment by the month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReservedCapacity {
    /// What to call it.
    pub name: String,
    /// What it costs a month.
    pub monthly_usd: PicoUsd,
    /// It covers calls that this provider served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderName>,
    /// It covers these models only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Who ordered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<CostCenterName>,
    /// Who pays for what nobody used.
    pub idle: IdleSplit,
}

/// What the platform itself costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SharedCost {
    /// What to call it.
    pub name: String,
    /// What it costs a month.
    pub monthly_usd: PicoUsd,
    /// Who pays for it.
    pub split: SharedSplit,
    /// The amounts of `fixed`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fixed: BTreeMap<CostCenterName, PicoUsd>,
}

/// How what is charged is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rounding {
    /// To which side.
    #[serde(default = "half_up")]
    pub mode: RoundingMode,
    /// What.
    #[serde(default = "statement")]
    pub per: RoundingPer,
}

/// What a US dollar is worth from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRate {
    /// The first day it holds.
    #[schemars(with = "String")]
    pub from: Date,
    /// So much of the currency for one US dollar.
    pub per_usd: Exact,
}

const fn half_up() -> RoundingMode {
    RoundingMode::HalfUp
}

const fn statement() -> RoundingPer {
    RoundingPer::Statement
}

impl Default for Rounding {
    fn default() -> Self {
        Self { mode: half_up(), per: statement() }
    }
}

// === impl RateCardSpec ===

impl RateCardSpec {
    /// What a US dollar is worth on a day, by the newest rate that began by then.
    pub fn exchange_on(&self, day: Date) -> Option<&ExchangeRate> {
        let begun = self.exchange_rates.iter().filter(|rate| rate.from <= day);
        begun.max_by_key(|rate| rate.from)
    }

    fn check_negotiated(&self, errors: &mut Vec<FieldError>) {
        let mut seen = BTreeSet::new();
        for (index, rate) in self.negotiated.iter().enumerate() {
            let field = |name: &str| format!("negotiated[{index}]{name}");
            let meter = rate.meter.as_deref();
            match (rate.usd_per_million, rate.markup_percent) {
                (Some(_), None) if meter.is_none_or(|meter| !is_of_tokens(meter)) => {
                    let message = "a price per million tokens is of one kind of token: expected \
                                   input_uncached, cache_read, cache_write_5m, cache_write_1h, \
                                   output or reasoning";
                    errors.push(FieldError::new(field(".meter"), message));
                }
                (Some(price), None) if price.pico() < 0 => {
                    errors
                        .push(FieldError::new(field(".usd_per_million"), "expected zero or more"));
                }
                (None, Some(percent)) => check_percent(percent, field(".markup_percent"), errors),
                (Some(_), None) => {}
                _ => {
                    let message = "expected `usd_per_million` or `markup_percent`, and not both";
                    errors.push(FieldError::new(field(""), message));
                }
            }
            if !seen.insert((&rate.cost_center, &rate.provider, &rate.model, &rate.meter)) {
                let message = "another rate is for the same cost center, provider, model and meter";
                errors.push(FieldError::new(field(""), message));
            }
        }
    }

    fn check_amounts(&self, errors: &mut Vec<FieldError>) {
        for (index, reserved) in self.reserved.iter().enumerate() {
            let field = |name: &str| format!("reserved[{index}].{name}");
            if reserved.monthly_usd < PicoUsd::ZERO {
                errors.push(FieldError::new(field("monthly_usd"), "expected zero or more"));
            }
            if reserved.idle == IdleSplit::Owner && reserved.owner.is_none() {
                let message = "required, as the owner pays for what nobody used";
                errors.push(FieldError::new(field("owner"), message));
            }
        }
        for (index, shared) in self.shared.iter().enumerate() {
            let field = |name: &str| format!("shared[{index}].{name}");
            let fixed = shared.fixed.values().map(|amount| i128::from(amount.pico()));
            if shared.monthly_usd < PicoUsd::ZERO || fixed.clone().any(|amount| amount < 0) {
                errors.push(FieldError::new(field("monthly_usd"), "expected zero or more"));
            }
            if fixed.sum::<i128>() > i128::from(shared.monthly_usd.pico()) {
                let message = "the fixed amounts are more than `monthly_usd`";
                errors.push(FieldError::new(field("fixed"), message));
            }
            if shared.fixed.is_empty() == (shared.split == SharedSplit::Fixed) {
                let message = "expected amounts by cost center with `split: fixed`, and only there";
                errors.push(FieldError::new(field("fixed"), message));
            }
        }
    }

    fn check_currency(&self, errors: &mut Vec<FieldError>) {
        let is_code =
            |code: &String| code.len() == 3 && code.chars().all(|c| c.is_ascii_uppercase());
        if self.currency.as_ref().is_some_and(|code| !is_code(code)) {
            errors.push(FieldError::new("currency", "expected an ISO 4217 code such as `EUR`"));
        }
        // Without a currency of its own, a card with rates is in the organization's.
        let is_foreign = match self.currency.as_deref() {
            Some(code) => code != "USD",
            None => !self.exchange_rates.is_empty(),
        };
        if is_foreign && self.exchange_on(self.from).is_none() {
            let message = format!("expected one that holds on {}, the card's first day", self.from);
            errors.push(FieldError::new("exchange_rates", message));
        }
        if self.exchange_rates.iter().any(|rate| rate.per_usd.pico() <= 0) {
            errors.push(FieldError::new("exchange_rates", "expected rates of more than zero"));
        }
        let days: BTreeSet<Date> = self.exchange_rates.iter().map(|rate| rate.from).collect();
        if days.len() != self.exchange_rates.len() {
            errors.push(FieldError::new("exchange_rates", "two rates begin on the same day"));
        }
    }
}

/// Whether a meter counts tokens.
fn is_of_tokens(meter: &str) -> bool {
    const METERS: [&str; 6] =
        ["input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"];
    METERS.contains(&meter)
}

fn check_percent(percent: Exact, field: String, errors: &mut Vec<FieldError>) {
    const PERCENT_MIN: i128 = -100;
    const PERCENT_MAX: i128 = 10_000;
    if !(PERCENT_MIN * Exact::ONE..=PERCENT_MAX * Exact::ONE).contains(&percent.pico()) {
        errors.push(FieldError::new(field, "expected -100 to 10,000 percent"));
    }
}

impl KindSpec for RateCardSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        for (field, day) in [("from", Some(self.from)), ("until", self.until)] {
            if day.is_some_and(|day| day.day() != 1) {
                let message = "expected the first of a month: statements are by the month";
                errors.push(FieldError::new(field, message));
            }
        }
        if self.until.is_some_and(|until| until <= self.from) {
            errors.push(FieldError::new("until", "expected a day after `from`"));
        }
        check_percent(self.markup_percent, "markup_percent".to_owned(), errors);
        self.check_negotiated(errors);
        self.check_amounts(errors);
        self.check_currency(errors);
    }

    fn references(&self, references: &mut Vec<Reference>) {
        for (index, rate) in self.negotiated.iter().enumerate() {
            if let Some(name) = &rate.cost_center {
                let field = format!("negotiated[{index}].cost_center");
                references.push(Reference::new(field, Kind::CostCenter, &name.0));
            }
        }
        for (index, reserved) in self.reserved.iter().enumerate() {
            if let Some(name) = &reserved.owner {
                let field = format!("reserved[{index}].owner");
                references.push(Reference::new(field, Kind::CostCenter, &name.0));
            }
        }
        for (index, shared) in self.shared.iter().enumerate() {
            for name in shared.fixed.keys() {
                let field = format!("shared[{index}].fixed.{name}");
                references.push(Reference::new(field, Kind::CostCenter, &name.0));
            }
        }
    }
}
