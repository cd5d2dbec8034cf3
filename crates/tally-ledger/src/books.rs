//! The ledger over a store and a warehouse: drafts, closing, what was sealed, previews.

mod bills;
mod close;
mod preview;
mod read;

use std::collections::BTreeMap;

use tally_pricing::{PriceCatalog, rates::Rates};
use tally_store::Snapshot;
use tally_types::{
    TimeZone,
    spec::{PeriodState, SealedAdjustment, StatementSeal},
};
use tally_warehouse::Warehouse;

use crate::{
    ChargeRow, LedgerError, Made, Meters, Month, Run, StatementState, Terms, funding::Funds,
    statement::StatementHead,
};

pub use bills::{Adjusted, BilledDay};
pub use preview::{CardEffect, ChargebackPreview, Preview};

/// Everything that statements are made of. Methods block; call them off the async runtime.
#[derive(Debug, Clone, Copy)]
pub struct Ledger<'a> {
    /// The resources.
    pub snapshot: &'a Snapshot,
    /// The prices.
    pub prices: &'a PriceCatalog,
    /// The calls, and what is kept of closed months.
    pub warehouse: &'a Warehouse,
}

/// What closing a month made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// How many postings.
    pub postings: u64,
    /// What closed statements can be held against.
    pub statements: Vec<StatementSeal>,
    /// What of posted adjustments stands in them.
    pub adjustments: Vec<SealedAdjustment>,
}

/// What came of holding a closed month against its seal.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[schemars(rename = "PeriodVerified")]
pub struct Verified {
    /// The month.
    #[schemars(with = "String")]
    pub period: Month,
    /// How many statements were held against their seals.
    pub statements: usize,
    /// What does not fit; nothing when all is as it was sealed.
    pub differences: Vec<String>,
}

// === impl Ledger ===

impl<'a> Ledger<'a> {
    /// How far a month has come.
    pub fn state(&self, month: Month) -> StatementState {
        match self.period(month).map(|period| period.state) {
            None => StatementState::Draft,
            Some(PeriodState::Review) => StatementState::Review,
            Some(PeriodState::Closed) => StatementState::Closed,
        }
    }

    /// The first and the last month that are closed; those between them are, too.
    pub fn closed(&self) -> Option<(Month, Month)> {
        let closed = self.snapshot.periods.iter();
        let closed = closed.filter(|(_, period)| period.state == PeriodState::Closed);
        let mut months: Vec<Month> =
            closed.filter_map(|(name, _)| name.as_str().parse().ok()).collect();
        months.sort_unstable();
        months.first().copied().zip(months.last().copied())
    }

    /// The period's record, if it has one.
    fn period(&self, month: Month) -> Option<&'a tally_types::spec::PeriodSpec> {
        self.snapshot.periods.get(month.to_string().as_str())
    }

    fn zone(&self) -> TimeZone {
        self.snapshot.organization.zone()
    }

    fn terms(&self, month: Month, rates: Rates<'a>) -> Terms<'a> {
        Terms {
            month,
            zone: self.zone(),
            currency: &self.snapshot.organization.currency,
            rates,
            centers: &self.snapshot.cost_centers,
            meters: Meters { snapshot: self.snapshot, prices: self.prices },
        }
    }

    fn rates(&self) -> Rates<'a> {
        Rates::new(&self.snapshot.rate_cards)
    }

    /// Computes a month; gives what of posted adjustments is in it. Late calls of closed months
    /// are in it if it is the one that follows them.
    fn compute(
        &self,
        month: Month,
        rates: Rates<'a>,
        with_late: bool,
        sink: &mut dyn FnMut(Made) -> Result<(), LedgerError>,
    ) -> Result<Vec<SealedAdjustment>, LedgerError> {
        let zone = self.zone();
        let (from, to) = month.bounds(&zone)?;
        let (from, to) = (from.as_microsecond(), to.as_microsecond());
        let late = match self.closed() {
            Some((first, last)) if with_late && last.next()? == month => Some(first),
            _ => None,
        };
        let mut funds = Funds::default();
        if late.is_some() {
            for spent in self.warehouse.spent_before(month.number())? {
                if let Some(center) = &spent.cost_center {
                    funds.spend(spent.of_period, center, spent.charged, spent.subsidised);
                }
            }
        }
        let mut run = Run::new(self.terms(month, rates), funds);
        if late.is_some() {
            for posted in self.warehouse.outdated(month.number(), to)? {
                run.reverse(&posted, sink)?;
            }
        }
        self.warehouse.metered(from, to, &mut |event| run.usage(event, sink))?;
        if let Some(first) = late {
            let since = first.bounds(&zone)?.0.as_microsecond();
            let closed = (since, from);
            self.warehouse.unposted(month.number(), closed, &mut |event| run.late(event, sink))?;
        }
        let adjusted = self.adjusted(&|open, _| open == month)?;
        adjusted.iter().try_for_each(|it| run.adjust(it, sink))?;
        run.finish(sink)?;
        Ok(adjusted.iter().map(Adjusted::sealed).collect())
    }

    /// The rows of a month's statements: of a closed one what was sealed, else computed.
    ///
    /// # Errors
    /// The warehouse failed, or what `take` says.
    pub fn rows(
        &self,
        month: Month,
        take: &mut dyn FnMut(ChargeRow) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        if self.state(month) == StatementState::Closed {
            return self
                .warehouse
                .kept_rows(month.number(), None, &mut |_, json| take(read::row(month, json)?));
        }
        self.compute(month, self.rates(), true, &mut |made| match made {
            Made::Row(row) => take(*row),
            Made::Posting(_) => Ok(()),
        })?;
        Ok(())
    }

    /// Every statement of a month without its lines.
    ///
    /// # Errors
    /// The warehouse failed.
    pub fn heads(&self, month: Month) -> Result<Vec<StatementHead>, LedgerError> {
        let mut all: BTreeMap<Option<String>, crate::Totals> = BTreeMap::new();
        for name in self.snapshot.cost_centers.keys() {
            all.insert(Some(name.to_string()), crate::Totals::default());
        }
        self.rows(month, &mut |row| {
            let name = row.cost_center.as_ref().map(ToString::to_string);
            all.entry(name).or_default().add(&row);
            Ok(())
        })?;
        let mut heads: Vec<StatementHead> =
            all.into_iter().map(|(name, totals)| self.head(month, name, totals)).collect();
        // What no cost center answers for comes last.
        let is_without = heads.first().is_some_and(|head| head.cost_center.is_none());
        heads.rotate_left(usize::from(is_without));
        Ok(heads)
    }
}
