//! Providers' bills against the calls, and what posted adjustments come to.
//!
//! What is posted stands in the month of its day, or, when that is closed, in the month that is
//! open next. A seal says what of it a closed month has; a later month has only what changed
//! since: of an aggregate, what calls that came later cover.

use std::collections::{BTreeMap, BTreeSet};

use tally_types::{
    CallId, Date, EventId, Name, PicoUsdSum, ProviderName, Source, TimeZone, TokenKind, Tokens,
    UsageEvent,
    spec::{AdjustmentSpec, AdjustmentState, BilledMeter, SealedAdjustment},
};
use uuid::Uuid;

use super::Ledger;
use crate::{
    LedgerError, Month, price_names,
    reconcile::{self, Bill, Gap, Metered, ModelNames, Reconciliation, kind_of},
};

/// What is to be looked up of a day: the meters of a provider's bill.
pub type BilledDay<'b> = (&'b ProviderName, Date, &'b [BilledMeter]);

/// A posted adjustment in the open month that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjusted<'a> {
    /// Its name.
    pub name: &'a Name,
    /// What was decided.
    pub spec: &'a AdjustmentSpec,
    /// The month.
    pub month: Month,
    /// The closed month that it is about, where it is.
    pub corrects: Option<Month>,
    /// What it adds to the month, in picodollars: without what closed months have of it.
    pub amount: i128,
    /// What no call covers, where it is one meter and no closed month has it.
    pub quantity: u64,
}

/// What was metered of a provider, and the names that its models have.
type Seen = BTreeMap<ProviderName, (Metered, ModelNames)>;

// === impl Ledger ===

impl<'a> Ledger<'a> {
    /// Holds a bill against the calls: the same that statements are made of.
    ///
    /// # Errors
    /// The warehouse failed.
    pub fn reconcile(&self, bill: &Bill) -> Result<Reconciliation, LedgerError> {
        let (first, last) = bill.days;
        let days: BTreeSet<Date> =
            first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last).collect();
        let mut seen = self.seen(&days, &BTreeSet::from([&bill.provider]))?;
        let (metered, names) = seen.remove(&bill.provider).unwrap_or_default();
        let rate = |day: Date, model: Option<&str>, meter: &str| {
            self.list_rate(&bill.provider, (day, model, meter), &names)
        };
        Ok(reconcile::compare(bill, &metered, &names, &rate))
    }

    /// What calls leave of aggregates by now, in their order.
    ///
    /// # Errors
    /// The warehouse failed.
    pub fn gaps(&self, billed: &[BilledDay<'_>]) -> Result<Vec<Gap>, LedgerError> {
        let days = billed.iter().map(|(_, day, _)| *day).collect();
        let seen = self.seen(&days, &billed.iter().map(|(provider, ..)| *provider).collect())?;
        let gap = |(provider, day, meters): &BilledDay<'_>| {
            let seen = seen.get(*provider);
            seen.map(|(metered, names)| metered.gap(*day, meters, names)).unwrap_or_default()
        };
        Ok(billed.iter().map(gap).collect())
    }

    /// Posted adjustments in the open months that have them; those that `is_asked` names.
    ///
    /// # Errors
    /// The warehouse failed.
    pub fn adjusted(
        &self,
        is_asked: &dyn Fn(Month, &AdjustmentSpec) -> bool,
    ) -> Result<Vec<Adjusted<'a>>, LedgerError> {
        let sealed = self.sealed_adjustments();
        let mut found = Vec::new();
        for (name, spec) in &self.snapshot.adjustments {
            let (month, corrects) = self.home(spec.date)?;
            if spec.state == AdjustmentState::Posted && is_asked(month, spec) {
                let kept = sealed.get(name).copied().unwrap_or_default();
                let quantity = if kept == 0 { spec.quantity } else { 0 };
                let amount = spec.amount_usd.pico() - kept;
                found.push(Adjusted { name, spec, month, corrects, amount, quantity });
            }
        }
        let aggregates: Vec<&mut Adjusted<'_>> =
            found.iter_mut().filter(|it| !it.spec.aggregate.is_empty()).collect();
        let billed: Vec<BilledDay<'_>> = aggregates
            .iter()
            .map(|it| (&it.spec.provider, it.spec.date, it.spec.aggregate.as_slice()))
            .collect();
        let gaps = if billed.is_empty() { Vec::new() } else { self.gaps(&billed)? };
        for (adjusted, gap) in aggregates.into_iter().zip(gaps) {
            adjusted.amount -= covered(adjusted.spec, gap);
            adjusted.quantity = adjusted.quantity.min(gap.quantity);
        }
        found.retain(|it| it.amount != 0);
        Ok(found)
    }

    /// What closed months have of each adjustment.
    fn sealed_adjustments(&self) -> BTreeMap<&'a Name, i128> {
        let seals = self.snapshot.periods.values().filter_map(|period| period.seal.as_ref());
        let mut sums = BTreeMap::new();
        for SealedAdjustment { adjustment, amount_usd } in seals.flat_map(|it| &it.adjustments) {
            *sums.entry(adjustment).or_default() += amount_usd.pico();
        }
        sums
    }

    /// The month that has what is posted of a day, and the closed one that the day is of.
    fn home(&self, day: Date) -> Result<(Month, Option<Month>), LedgerError> {
        let own = Month::of(day);
        match self.closed() {
            Some((_, last)) if own <= last => Ok((last.next()?, Some(own))),
            _ => Ok((own, None)),
        }
    }

    /// What was metered of some providers on some days.
    fn seen(
        &self,
        days: &BTreeSet<Date>,
        providers: &BTreeSet<&ProviderName>,
    ) -> Result<Seen, LedgerError> {
        let named =
            |name: &&ProviderName| ((*name).clone(), (Metered::default(), self.model_names(name)));
        let mut seen: Seen = providers.iter().map(named).collect();
        let meters = crate::Meters { snapshot: self.snapshot, prices: self.prices };
        for (from_us, to_us) in stretches(days)? {
            self.warehouse.metered(from_us, to_us, &mut |event| {
                let of_provider = event.provider.as_ref().and_then(|name| seen.get_mut(name));
                let Some((metered, names)) = of_provider else { return Ok(()) };
                let day = event.time.to_zoned(TimeZone::UTC).date();
                metered.add(day, event, meters.of(event).as_deref());
                if let (Some(reported), Some(served)) = (&event.model_reported, &event.model_served)
                    && !names.contains_key(reported)
                {
                    names.insert(reported.clone(), served.clone());
                }
                Ok::<_, LedgerError>(())
            })?;
        }
        Ok(seen)
    }

    /// The models that the provider serves, by its name for them and by Tally's.
    fn model_names(&self, provider: &ProviderName) -> ModelNames {
        let mut names = ModelNames::new();
        for (model, spec) in &self.snapshot.models {
            for route in spec.all_routes().into_iter().filter(|route| route.provider == *provider) {
                let upstream = route.upstream_name.unwrap_or_else(|| model.to_string());
                names.insert(upstream, model.to_string());
                names.insert(model.to_string(), model.to_string());
            }
        }
        names
    }

    /// What one token of a kind costs at list price.
    fn list_rate(
        &self,
        provider: &ProviderName,
        (day, model, meter): (Date, Option<&str>, &str),
        names: &ModelNames,
    ) -> Option<i64> {
        let at = day.to_zoned(TimeZone::UTC).ok()?.timestamp();
        let id = Uuid::nil();
        let mut call = UsageEvent::new(EventId(id), CallId(id), at, Source::Import);
        call.provider = Some(provider.clone());
        call.model_reported = model.map(str::to_owned);
        call.model_requested = names.get(model?).cloned().unwrap_or_else(|| model_text(model));
        call.tokens = one(kind_of(meter)?);
        let (listed, models) = price_names(self.snapshot, &call)?;
        let (listed, models): (String, Vec<String>) =
            (listed.to_owned(), models.into_iter().map(str::to_owned).collect());
        let models: Vec<&str> = models.iter().map(String::as_str).collect();
        self.prices.price_event(&listed, &models, &mut call);
        call.cost_list_usd.map(tally_types::PicoUsd::pico)
    }
}

fn model_text(model: Option<&str>) -> String {
    model.unwrap_or_default().to_owned()
}

/// One token of a kind.
fn one(kind: TokenKind) -> Tokens {
    let mut tokens = Tokens::default();
    *match kind {
        TokenKind::InputUncached => &mut tokens.input_uncached,
        TokenKind::CacheRead => &mut tokens.cache_read,
        TokenKind::CacheWrite5m => &mut tokens.cache_write_5m,
        TokenKind::CacheWrite1h => &mut tokens.cache_write_1h,
        TokenKind::Output => &mut tokens.output,
    } = 1;
    tokens
}

/// What calls that came since cover of an aggregate: never more than it is.
fn covered(spec: &AdjustmentSpec, gap: Gap) -> i128 {
    (spec.gap_usd.pico() - gap.pico).clamp(0, spec.amount_usd.pico().max(0))
}

/// Days in UTC that follow each other, as stretches of microseconds.
fn stretches(days: &BTreeSet<Date>) -> Result<Vec<(i64, i64)>, LedgerError> {
    let midnight =
        |day: Date| day.to_zoned(TimeZone::UTC).map(|at| at.timestamp().as_microsecond());
    let mut stretches: Vec<(i64, i64)> = Vec::new();
    for day in days {
        let (from, to) = (midnight(*day)?, midnight(day.tomorrow()?)?);
        match stretches.last_mut() {
            Some(last) if last.1 == from => last.1 = to,
            _ => stretches.push((from, to)),
        }
    }
    Ok(stretches)
}

// === impl Adjusted ===

impl Adjusted<'_> {
    /// As the month's seal names it.
    pub(crate) fn sealed(&self) -> SealedAdjustment {
        SealedAdjustment {
            adjustment: self.name.clone(),
            amount_usd: PicoUsdSum::from_pico(self.amount),
        }
    }
}
