//! A charge as rows of a file: the charge itself, and who pays it instead of the payer.

use jiff::{Timestamp, civil::Date};
use serde_json::{Map, Value as Json};
use tally_types::PicoUsdSum;

use super::{
    FocusError, Issuer,
    column::Column::{
        BilledCost, BillingAccountId, BillingAccountName, BillingAccountType, BillingCurrency,
        BillingPeriodEnd, BillingPeriodStart, ChargeCategory, ChargeClass, ChargeDescription,
        ChargeFrequency, ChargePeriodEnd, ChargePeriodStart, ConsumedQuantity, ConsumedUnit,
        ContractedCost, ContractedUnitPrice, EffectiveCost, HostProviderName, InvoiceId,
        InvoiceIssuerName, ListCost, ListUnitPrice, PricingCategory, PricingCurrency,
        PricingCurrencyContractedUnitPrice, PricingCurrencyEffectiveCost,
        PricingCurrencyListUnitPrice, PricingQuantity, PricingUnit, ProviderName, PublisherName,
        ResourceId, ResourceName, ResourceType, ServiceCategory, ServiceName, ServiceProviderName,
        ServiceSubcategory, SkuId, SkuMeter, SkuPriceDetails, SkuPriceId, SubAccountId,
        SubAccountName, SubAccountType, Tags,
    },
    decimal::Exact,
    record::Record,
    unit::Unit,
};
use crate::{ChargeLine, ChargeRow};

/// The decimals of a picodollar.
pub(super) const PICO_SCALE: u32 = 12;

/// What all rows of a file share.
pub(super) struct Sheet<'a> {
    issuer: &'a Issuer,
    exchange: Exact,
    common: Record,
}

/// How a row's costs come of its quantity: exactly, or not at all.
struct Pricing {
    quantity: Exact,
    unit: String,
    /// In the pricing currency.
    list: Exact,
    contracted: Exact,
    /// What tells this price from others of the same SKU.
    id: String,
}

// === impl Sheet ===

impl<'a> Sheet<'a> {
    pub(super) fn new(issuer: &'a Issuer) -> Result<Self, FocusError> {
        let mut common = Record::new();
        common.text(BillingAccountId, &issuer.billing_account_id);
        common.text(BillingAccountName, &issuer.billing_account_name);
        common.text(BillingAccountType, &issuer.billing_account_type);
        common.text(BillingCurrency, &issuer.billing_currency);
        common.text(PricingCurrency, &issuer.pricing_currency);
        common.time(BillingPeriodStart, midnight(issuer, issuer.period.first())?);
        common.time(BillingPeriodEnd, midnight(issuer, issuer.period.end())?);
        common.text(InvoiceIssuerName, &issuer.invoice_issuer);
        // Whoever bills the cost centers is who they have the service from. The rule "billed
        // by a third party, so nothing is billed here" would otherwise void every row.
        common.text(ProviderName, &issuer.invoice_issuer);
        common.text(ServiceProviderName, &issuer.invoice_issuer);
        common.text(ServiceCategory, "AI and Machine Learning");
        common.text(ServiceSubcategory, "Generative AI");
        Ok(Self { issuer, exchange: issuer.rate(), common })
    }

    /// The rows of a charge. Their `BilledCost`s add up to what it charges on each statement.
    pub(super) fn records(&self, row: &ChargeRow) -> Result<Vec<Record>, FocusError> {
        let payment = row.payment;
        let paid = payment.charged_usd + payment.subsidised_usd + payment.unallocated_usd;
        if paid != row.amount_usd {
            return Err(FocusError::Unbalanced {
                meter: row.meter.clone(),
                date: row.date,
                amount: row.amount_usd,
                paid,
            });
        }
        let nothing = PicoUsdSum::default();
        let is_nobodys = row.cost_center.is_none()
            || (payment.unallocated_usd != nothing && payment.unallocated_usd == row.amount_usd);
        let payer = row.cost_center.as_ref().filter(|_| !is_nobodys);
        let mut who = self.who(row)?;
        who.text(InvoiceId, (self.issuer.invoice_of)(payer));

        let mut records = vec![self.charge(row, who.clone())?];
        if payment.subsidised_usd != nothing {
            let text = "Paid centrally";
            records.push(self.transfer(
                row,
                &who,
                "Credit",
                text,
                negated(payment.subsidised_usd),
            )?);
        }
        if payment.unallocated_usd != nothing && !is_nobodys {
            let amount = payment.unallocated_usd;
            let text = "Kept apart until it is known who pays";
            records.push(self.transfer(row, &who, "Adjustment", text, negated(amount))?);
            who.text(InvoiceId, (self.issuer.invoice_of)(None));
            records.push(self.transfer(row, &who, "Adjustment", text, amount)?);
        }
        Ok(records)
    }

    /// Who, when, for what: the same for all rows of a charge.
    fn who(&self, row: &ChargeRow) -> Result<Record, FocusError> {
        let issuer = self.issuer;
        let mut record = self.common.clone();
        record.time(ChargePeriodStart, midnight(issuer, row.date)?);
        let next = row.date.tomorrow().map_err(|error| FocusError::Day(row.date, error))?;
        record.time(ChargePeriodEnd, midnight(issuer, next)?);
        if row.corrects.is_some() || row.line == ChargeLine::Correction {
            record.text(ChargeClass, "Correction");
        }
        let provider = row.provider.as_ref().map(ToString::to_string);
        record.text(PublisherName, provider.as_deref().unwrap_or(&issuer.invoice_issuer));
        record.text(ServiceName, provider.as_deref().unwrap_or(&issuer.service_name));
        if let Some(provider) = provider {
            record.text(HostProviderName, provider);
        }
        if let Some(cost_center) = &row.cost_center {
            record.text(SubAccountId, cost_center.as_str());
            record.text(SubAccountName, cost_center.as_str());
            record.text(SubAccountType, &issuer.sub_account_type);
        }
        let resource = row.workload.as_ref().map(|name| ("Workload", name.to_string()));
        let key = || row.key.as_ref().map(|name| ("Key", name.to_string()));
        if let Some((kind, name)) = resource.or_else(key) {
            record.text(ResourceId, format!("{}/{name}", kind.to_lowercase()));
            record.text(ResourceName, name);
            record.text(ResourceType, kind);
        }
        record.text(Tags, self.tags(row));
        Ok(record)
    }

    fn tags(&self, row: &ChargeRow) -> String {
        let mut tags = Map::new();
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                tags.insert(format!("{}{name}", self.issuer.tag_prefix), Json::from(value));
            }
        };
        add("ConsumerId", row.workload.as_ref().map(ToString::to_string));
        add("PrincipalId", row.team.as_ref().map(ToString::to_string));
        add("CredentialId", row.key.as_ref().map(ToString::to_string));
        add("Environment", row.environment.map(|it| it.to_string()));
        add("WorkloadClass", row.workload_class.map(|it| it.to_string()));
        add("Corrects", row.corrects.clone());
        add("Adjustment", row.adjustment.clone());
        add("Aggregate", row.aggregate.then(|| "true".to_owned()));
        Json::Object(tags).to_string()
    }

    /// The charge itself.
    fn charge(&self, row: &ChargeRow, mut record: Record) -> Result<Record, FocusError> {
        record.text(ChargeDescription, description(row));
        let is_usage =
            matches!(row.line, ChargeLine::Usage | ChargeLine::Correction) && !row.meter.is_empty();
        if !is_usage {
            record.text(ChargeCategory, "Adjustment");
            record.text(ChargeFrequency, frequency(row.line));
            return self.costs(row, record, row.amount_usd, row.amount_usd);
        }
        record.text(ChargeCategory, "Usage");
        record.text(ChargeFrequency, "Usage-Based");
        // Of a price that no list states, what is charged is all there is to say.
        let list = row.list_usd.unwrap_or(row.amount_usd);
        let unit = Unit::of(&row.meter);
        let pricing = Pricing::of(row, &unit, list);
        let is_correction = row.line == ChargeLine::Correction;
        if is_correction && !pricing.is_by_rate() {
            // What a correction of several things corrects has no one price.
            record.text(PricingCategory, "Other");
        } else {
            self.priced(row, &mut record, &unit, &pricing)?;
        }
        self.costs(row, record, list, row.amount_usd)
    }

    fn priced(
        &self,
        row: &ChargeRow,
        record: &mut Record,
        unit: &Unit,
        pricing: &Pricing,
    ) -> Result<(), FocusError> {
        record.decimal(ConsumedQuantity, Exact::new(i128::from(row.quantity), 0));
        record.text(ConsumedUnit, unit.consumed);
        record.decimal(PricingQuantity, pricing.quantity);
        record.text(PricingUnit, &pricing.unit);
        record.text(PricingCategory, if row.subscription { "Other" } else { "Standard" });
        record.decimal(PricingCurrencyListUnitPrice, pricing.list);
        record.decimal(PricingCurrencyContractedUnitPrice, pricing.contracted);
        record.decimal(ListUnitPrice, self.billed(row, pricing.list)?);
        record.decimal(ContractedUnitPrice, self.billed(row, pricing.contracted)?);
        let known = |name: Option<String>| name.unwrap_or_else(|| "unknown".to_owned());
        let sku = format!(
            "{}/{}/{}",
            known(row.provider.as_ref().map(ToString::to_string)),
            known(row.model.clone()),
            row.meter
        );
        let tier = known(row.service_tier.map(|tier| tier.to_string()));
        record.text(SkuPriceId, format!("{sku}/{tier}/{}", pricing.id));
        record.text(SkuId, sku);
        record.text(SkuMeter, &unit.meter);
        record.text(SkuPriceDetails, details(row, unit));
        Ok(())
    }

    /// A row that moves an amount from the payer, or to nobody.
    fn transfer(
        &self,
        row: &ChargeRow,
        who: &Record,
        category: &str,
        text: &str,
        amount: PicoUsdSum,
    ) -> Result<Record, FocusError> {
        let mut record = who.clone();
        record.text(ChargeCategory, category);
        record.text(ChargeFrequency, "Usage-Based");
        record.text(ChargeDescription, format!("{text}: {}", description(row)));
        self.costs(row, record, amount, amount)
    }

    fn costs(
        &self,
        row: &ChargeRow,
        mut record: Record,
        list: PicoUsdSum,
        amount: PicoUsdSum,
    ) -> Result<Record, FocusError> {
        let billed = self.billed(row, exact(amount))?;
        record.decimal(ListCost, self.billed(row, exact(list))?);
        record.decimal(PricingCurrencyEffectiveCost, exact(amount));
        for column in [ContractedCost, EffectiveCost, BilledCost] {
            record.decimal(column, billed);
        }
        Ok(record)
    }

    /// An amount of the pricing currency in the billing currency.
    fn billed(&self, row: &ChargeRow, amount: Exact) -> Result<Exact, FocusError> {
        // 38 digits are what a decimal of a Parquet file has.
        let fits = |billed: &Exact| {
            let units = billed.at_scale(self.issuer.decimals());
            units.is_some_and(|units| units.unsigned_abs() < 10_u128.pow(38))
        };
        amount
            .times(self.exchange)
            .filter(fits)
            .ok_or_else(|| FocusError::TooLarge { meter: row.meter.clone(), date: row.date })
    }
}

// === impl Pricing ===

impl Pricing {
    /// By the rates where they make the amounts; else all of it at its one price.
    fn of(row: &ChargeRow, unit: &Unit, list: PicoUsdSum) -> Self {
        let quantity = i128::from(row.quantity);
        let makes = |rate: Option<i64>, amount: PicoUsdSum| {
            rate.filter(|rate| {
                *rate >= 0 && i128::from(*rate).checked_mul(quantity) == Some(amount.pico())
            })
        };
        let contracted = makes(row.rate_pico, row.amount_usd)
            .or_else(|| makes(row.list_rate_pico, row.amount_usd));
        let listed = makes(row.list_rate_pico, list)
            .or_else(|| row.list_usd.is_none().then_some(contracted).flatten());
        let by_block = PICO_SCALE - unit.priced_by;
        if let (Some(contracted), Some(listed)) = (contracted, listed) {
            let list = Exact::new(i128::from(listed), by_block);
            return Self {
                quantity: Exact::new(quantity, unit.priced_by),
                unit: unit.pricing_unit(),
                list,
                contracted: Exact::new(i128::from(contracted), by_block),
                id: list.to_string(),
            };
        }
        let unit = match row.quantity {
            0 | 1 => unit.consumed.to_owned(),
            many => format!("{many} {}", unit.consumed),
        };
        Self {
            quantity: Exact::ONE,
            unit,
            list: exact(list),
            contracted: exact(row.amount_usd),
            id: WHOLE.to_owned(),
        }
    }

    fn is_by_rate(&self) -> bool {
        self.id != WHOLE
    }
}

/// Stands for the price of a charge that has no rate.
const WHOLE: &str = "whole";

fn details(row: &ChargeRow, unit: &Unit) -> String {
    let mut details = Map::new();
    let mut add = |name: &str, value: Option<Json>| {
        if let Some(value) = value {
            // FOCUS keeps the plain names for those it will define itself.
            details.insert(format!("x_{name}"), value);
        }
    };
    add("ModelId", row.model.clone().map(Json::from));
    add("ModelFamily", row.model_family.clone().map(Json::from));
    add("ModelTier", row.tier.map(|tier| Json::from(tier.to_string())));
    add("ServiceTier", row.service_tier.map(|tier| Json::from(tier.to_string())));
    if let Some(tokens) = unit.tokens {
        add("TokenDirection", Some(Json::from(tokens.direction)));
        add("TokenCacheAction", tokens.cache_action.map(Json::from));
        add("TokenCacheLifetime", tokens.cache_lifetime.map(Json::from));
    }
    add("RateCard", row.rate_card.clone().map(Json::from));
    add("Subscription", row.subscription.then_some(Json::Bool(true)));
    add("ListPriceKnown", row.list_usd.is_none().then_some(Json::Bool(false)));
    Json::Object(details).to_string()
}

fn description(row: &ChargeRow) -> String {
    let what = match row.line {
        ChargeLine::Idle => "Reserved capacity that nobody used".to_owned(),
        ChargeLine::Shared => "A share of the platform's own cost".to_owned(),
        ChargeLine::Adjustment if row.aggregate => {
            "Billed by the provider and covered by no call (an aggregate)".to_owned()
        }
        ChargeLine::Adjustment => "A difference from the provider's bill".to_owned(),
        ChargeLine::Rounding => "Rounding to the currency's smallest unit".to_owned(),
        ChargeLine::Correction if row.meter.is_empty() => "A correction".to_owned(),
        ChargeLine::Usage | ChargeLine::Correction => Unit::of(&row.meter).meter,
    };
    let of = row.model.as_ref().map(|model| format!(" of {model}")).unwrap_or_default();
    let at = row.provider.as_ref().map(|provider| format!(" at {provider}")).unwrap_or_default();
    let corrects = row.corrects.as_ref().map(|month| format!(", corrects {month}"));
    format!("{what}{of}{at}{}", corrects.unwrap_or_default())
}

const fn frequency(line: ChargeLine) -> &'static str {
    match line {
        ChargeLine::Idle | ChargeLine::Shared => "Recurring",
        _ => "One-Time",
    }
}

fn exact(amount: PicoUsdSum) -> Exact {
    Exact::new(amount.pico(), PICO_SCALE)
}

fn negated(amount: PicoUsdSum) -> PicoUsdSum {
    PicoUsdSum::from_pico(amount.pico().saturating_neg())
}

/// The first instant of a day.
fn midnight(issuer: &Issuer, day: Date) -> Result<Timestamp, FocusError> {
    let zoned = day.to_zoned(issuer.time_zone.clone());
    zoned.map(|zoned| zoned.timestamp()).map_err(|error| FocusError::Day(day, error))
}
