//! What a rate card would have made of a month.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_pricing::rates::Rates;
use tally_types::{
    CostCenterName, Name, PicoUsdSum,
    spec::{Chargeback, RateCardSpec},
};

use crate::{Ledger, LedgerError, Made, Month, Totals};

/// What a rate card would have made of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RateCardPreview")]
pub struct Preview {
    /// The month.
    #[schemars(with = "String")]
    pub period: Month,
    /// By cost center; the last one is what none answers for.
    pub effects: Vec<CardEffect>,
    /// All together.
    pub total: CardEffect,
}

/// What it would have made for one cost center.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RateCardEffect")]
pub struct CardEffect {
    /// Whose; null is what no cost center answers for, and the total.
    pub cost_center: Option<CostCenterName>,
    /// At list price.
    pub list_usd: PicoUsdSum,
    /// At the rates that held.
    pub amount_before_usd: PicoUsdSum,
    /// At those of the card.
    pub amount_after_usd: PicoUsdSum,
    /// What was charged.
    pub charged_before_usd: PicoUsdSum,
    /// What would have been.
    pub charged_after_usd: PicoUsdSum,
}

/// What another chargeback model would have made of a cost center's month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChargebackPreview {
    /// The month.
    #[schemars(with = "String")]
    pub period: Month,
    /// As it is.
    pub before: Totals,
    /// As it would have been.
    pub after: Totals,
}

impl Ledger<'_> {
    /// What a card would have made of a month, as if it had held then. Corrections of closed
    /// months are not in it.
    ///
    /// # Errors
    /// The warehouse failed.
    pub fn preview(
        &self,
        month: Month,
        name: &Name,
        card: &RateCardSpec,
    ) -> Result<Preview, LedgerError> {
        let mut card = card.clone();
        // The first exchange rate holds for the time before it, too: the month may be earlier.
        if let Some(rate) = card.exchange_rates.iter_mut().min_by_key(|rate| rate.from) {
            rate.from = rate.from.min(month.first());
        }
        (card.from, card.until) = (month.first(), None);
        let before = self.totals(month, self.rates())?;
        let borrowed = Ledger { ..*self };
        let after = borrowed.totals(month, Rates::new([(name, &card)]))?;
        let mut effects: BTreeMap<Option<String>, CardEffect> = BTreeMap::new();
        for (name, totals) in before {
            let effect = effects.entry(name).or_default();
            effect.list_usd = totals.list_usd;
            effect.amount_before_usd = totals.amount_usd;
            effect.charged_before_usd = totals.charged_usd;
        }
        for (name, totals) in after {
            let effect = effects.entry(name).or_default();
            effect.list_usd = totals.list_usd;
            effect.amount_after_usd = totals.amount_usd;
            effect.charged_after_usd = totals.charged_usd;
        }
        let mut total = CardEffect::default();
        let mut list = Vec::new();
        for (name, mut effect) in effects {
            effect.cost_center = name.and_then(|name| name.parse().ok());
            total.add(&effect);
            list.push(effect);
        }
        let is_without = list.first().is_some_and(|it: &CardEffect| it.cost_center.is_none());
        list.rotate_left(usize::from(is_without));
        Ok(Preview { period: month, effects: list, total })
    }

    /// What another chargeback model would have made of a cost center's month, as if it had held
    /// then. Corrections of closed months are not in it.
    ///
    /// # Errors
    /// The warehouse failed.
    pub fn preview_chargeback(
        &self,
        month: Month,
        name: &CostCenterName,
        chargeback: &Chargeback,
    ) -> Result<ChargebackPreview, LedgerError> {
        let mut changed = self.snapshot.clone();
        if let Some(spec) = changed.cost_centers.get_mut(name.as_str()) {
            let since_ever = Chargeback { from: None, history: Vec::new(), ..chargeback.clone() };
            spec.chargeback = Some(since_ever);
        }
        let there = Ledger { snapshot: &changed, prices: self.prices, warehouse: self.warehouse };
        let of = |all: BTreeMap<Option<String>, Totals>| {
            all.get(&Some(name.to_string())).copied().unwrap_or_default()
        };
        Ok(ChargebackPreview {
            period: month,
            before: of(self.totals(month, self.rates())?),
            after: of(there.totals(month, there.rates())?),
        })
    }

    fn totals<'r>(
        &'r self,
        month: Month,
        rates: Rates<'r>,
    ) -> Result<BTreeMap<Option<String>, Totals>, LedgerError> {
        let here: Ledger<'r> = *self;
        let mut totals: BTreeMap<Option<String>, Totals> = BTreeMap::new();
        here.compute(month, rates, false, &mut |made| {
            if let Made::Row(row) = made {
                let name = row.cost_center.as_ref().map(ToString::to_string);
                totals.entry(name).or_default().add(&row);
            }
            Ok(())
        })?;
        Ok(totals)
    }
}

// === impl CardEffect ===

impl CardEffect {
    fn add(&mut self, other: &Self) {
        self.list_usd = self.list_usd + other.list_usd;
        self.amount_before_usd = self.amount_before_usd + other.amount_before_usd;
        self.amount_after_usd = self.amount_after_usd + other.amount_after_usd;
        self.charged_before_usd = self.charged_before_usd + other.charged_before_usd;
        self.charged_after_usd = self.charged_after_usd + other.charged_after_usd;
    }
}
