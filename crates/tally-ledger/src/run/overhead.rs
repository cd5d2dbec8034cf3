//! What a month costs besides its calls: idle capacity, the platform itself, rounding.

use tally_types::{
    CostCenterName, PicoUsdSum,
    spec::{IdleSplit, RoundingPer, SharedSplit},
};
use tally_warehouse::{Posting, PostingEntry};

use super::{Made, Run, Sink, fits};
use crate::{
    ChargeLine, ChargeRow, LedgerError, Month,
    funding::{self, Shares, Spending},
    money,
    rows::plain,
    split,
};

/// Shares of an amount by cost center; the one without is the central budget's.
type Division = Vec<(Option<CostCenterName>, i128)>;

impl Run<'_> {
    /// Idle capacity and shared cost, by the card that holds.
    pub(super) fn overheads(&mut self, sink: &mut Sink<'_>) -> Result<(), LedgerError> {
        let Some(card) = self.card else { return Ok(()) };
        for (place, reserved) in card.spec.reserved.iter().enumerate() {
            let covered = |center: &super::Center| center.covered.get(&place).copied().unwrap_or(0);
            let used: i128 = self.centers.values().map(covered).sum();
            let idle = (i128::from(reserved.monthly_usd.pico()) - used).max(0);
            let division = match reserved.idle {
                IdleSplit::Central => central(idle),
                IdleSplit::Owner => vec![(reserved.owner.clone(), idle)],
                IdleSplit::Even => self.evenly(idle),
                IdleSplit::Proportional => self.by(idle, covered),
            };
            self.overhead(ChargeLine::Idle, &reserved.name, division, sink)?;
        }
        for shared in &card.spec.shared {
            let amount = i128::from(shared.monthly_usd.pico());
            let division = match shared.split {
                SharedSplit::Even => self.evenly(amount),
                SharedSplit::Proportional => self.by(amount, |center| center.used),
                SharedSplit::Fixed => {
                    let fixed = shared.fixed.iter();
                    let mut division: Division = fixed
                        .map(|(name, amount)| (Some(name.clone()), i128::from(amount.pico())))
                        .collect();
                    let given: i128 = division.iter().map(|(_, amount)| amount).sum();
                    division.push((None, amount - given));
                    division
                }
            };
            self.overhead(ChargeLine::Shared, &shared.name, division, sink)?;
        }
        Ok(())
    }

    /// Among the cost centers that there are.
    fn evenly(&self, amount: i128) -> Division {
        let names = self.terms.centers.keys();
        let shares = split::evenly(amount, names.len());
        let Some(shares) = shares else { return central(amount) };
        names.map(|name| Some(CostCenterName(name.clone()))).zip(shares).collect()
    }

    /// By what each has of something; what calls without a cost center have is the central
    /// budget's.
    fn by(&self, amount: i128, of: impl Fn(&super::Center) -> i128) -> Division {
        let weights: Vec<i128> = self.centers.values().map(of).collect();
        let Some(shares) = split::by_weight(amount, &weights) else { return central(amount) };
        self.centers.keys().cloned().zip(shares).collect()
    }

    fn overhead(
        &mut self,
        line: ChargeLine,
        name: &str,
        division: Division,
        sink: &mut Sink<'_>,
    ) -> Result<(), LedgerError> {
        let first = self.terms.month.first();
        for (center, amount) in division.into_iter().filter(|(_, amount)| *amount != 0) {
            let spec = center.as_ref().and_then(|it| self.terms.centers.get(it.as_str()));
            let shares = match &center {
                None => Shares { central: amount, ..Shares::default() },
                Some(_) => funding::of_overhead(spec, first).shares(amount, Spending::default()),
            };
            let row = ChargeRow {
                cost_center: center,
                rate_card: self.card.map(|card| card.name.to_string()),
                ..plain(line, first, name, &shares)
            };
            let month = self.terms.month;
            self.besides_calls(row, (PostingEntry::Overhead, month), sink)?;
        }
        Ok(())
    }

    /// What rounding adds to what each cost center is charged, or takes.
    pub(super) fn rounding(mut self, sink: &mut Sink<'_>) -> Result<(), LedgerError> {
        let Some((mode, per)) = self.rounding else { return Ok(()) };
        let mut rounding: Division = Vec::new();
        for (name, center) in &self.centers {
            if name.is_none() {
                continue;
            }
            let amount = match per {
                RoundingPer::Statement => money::rounding_of(center.charged, mode),
                RoundingPer::Line => {
                    center.lines.values().map(|line| money::rounding_of(*line, mode)).sum()
                }
            };
            rounding.push((name.clone(), amount));
        }
        let last = self.terms.month.last();
        for (cost_center, amount) in rounding.into_iter().filter(|(_, amount)| *amount != 0) {
            let shares = Shares { charged: amount, ..Shares::default() };
            let rate_card = self.card.map(|card| card.name.to_string());
            let row = plain(ChargeLine::Rounding, last, "", &shares);
            let row = ChargeRow { cost_center, rate_card, ..row };
            let month = self.terms.month;
            self.besides_calls(row, (PostingEntry::Overhead, month), sink)?;
        }
        Ok(())
    }

    /// A row that is no call, with its posting.
    pub(super) fn besides_calls(
        &mut self,
        row: ChargeRow,
        (entry, of): (PostingEntry, Month),
        sink: &mut Sink<'_>,
    ) -> Result<(), LedgerError> {
        let amount = |sum: PicoUsdSum| fits(sum.pico());
        let posting = Posting {
            entry,
            event: None,
            of_period: of.number(),
            cost_center: row.cost_center.clone(),
            team: None,
            workload: None,
            list: Some(0),
            amount: amount(row.amount_usd)?,
            charged: amount(row.payment.charged_usd)?,
            subsidised: amount(row.payment.subsidised_usd)?,
            unallocated: amount(row.payment.unallocated_usd)?,
        };
        self.row(row, sink)?;
        sink(Made::Posting(posting))
    }
}

fn central(amount: i128) -> Division {
    vec![(None, amount)]
}
