//! A month's run: calls go in, rows of statements and balanced postings come out.
//!
//! Calls come cost center by cost center in the order of their time, so that a quota is used
//! up in an order that anybody can check, and the call that crosses it is split exactly.

mod adjust;
mod overhead;

use std::collections::BTreeMap;

use jiff::{civil::Date, tz::TimeZone};
use tally_pricing::rates::{Card, Rates, Subject};
use tally_types::{
    CostCenterName, Name, PicoUsdSum, TeamName, UsageEvent, WorkloadName,
    spec::{CostCenterSpec, RoundingMode, RoundingPer},
};
use tally_warehouse::{Posted, Posting, PostingEntry};

use crate::{
    ChargeLine, ChargeRow, LedgerError, Meters, Month,
    funding::{self, Funds, Shares},
    money,
    rows::{Gathered, Item, Place, month_text, plain},
    statement::line_key,
};

/// What a run makes, in its order.
#[derive(Debug, Clone, PartialEq)]
pub enum Made {
    /// A row of the statement of its cost center.
    Row(Box<ChargeRow>),
    /// A balanced entry.
    Posting(Posting),
}

/// Takes what a run makes.
pub type Sink<'s> = dyn FnMut(Made) -> Result<(), LedgerError> + 's;

/// By what a run computes.
#[derive(Debug, Clone)]
pub struct Terms<'a> {
    /// The month.
    pub month: Month,
    /// The organisation's time zone.
    pub zone: TimeZone,
    /// The organisation's currency.
    pub currency: &'a str,
    /// Rate cards.
    pub rates: Rates<'a>,
    /// Cost centers that there are.
    pub centers: &'a BTreeMap<Name, CostCenterSpec>,
    /// Takes prices apart.
    pub meters: Meters<'a>,
}

/// What a cost center's month has come to, for the shares that depend on it; picodollars.
#[derive(Debug, Default)]
struct Center {
    /// What its calls of the month cost.
    used: i128,
    /// Of that, what each reserved capacity covers.
    covered: BTreeMap<usize, i128>,
    /// What is charged.
    charged: i128,
    /// Of that, what each line is, where lines are rounded.
    lines: BTreeMap<String, i128>,
}

/// A month that is being computed.
#[derive(Debug)]
pub struct Run<'a> {
    terms: Terms<'a>,
    /// The card of the month's first day, as cards begin with months.
    card: Option<Card<'a>>,
    funds: Funds,
    rows: Gathered,
    /// Whose rows are gathered now.
    current: Option<Option<CostCenterName>>,
    /// How what is charged is rounded.
    rounding: Option<(RoundingMode, RoundingPer)>,
    centers: BTreeMap<Option<CostCenterName>, Center>,
    reversed: BTreeMap<Reversed, (Option<i128>, Shares)>,
}

/// What postings have in common that are taken back in one row: the month, cost center, team
/// and workload.
type Reversed = (u32, Option<CostCenterName>, Option<TeamName>, Option<WorkloadName>);

// === impl Run ===

impl<'a> Run<'a> {
    /// Begins a month; `funds` is what was spent for the calls of closed months.
    pub fn new(terms: Terms<'a>, funds: Funds) -> Self {
        let card = terms.rates.on(terms.month.first());
        let rounding = money::rounding(card, terms.currency);
        let (rows, current, centers, reversed) = Default::default();
        Self { terms, card, funds, rows, current, rounding, centers, reversed }
    }

    /// A call of the month.
    ///
    /// # Errors
    /// An amount is too large, or what the sink says.
    pub fn usage(&mut self, event: &UsageEvent, sink: &mut Sink<'_>) -> Result<(), LedgerError> {
        self.turn_to(event, sink)?;
        let date = self.day(event);
        let month = self.terms.month.number();
        let (items, card) = self.charge(event, month, date);
        let center = self.centers.entry(event.cost_center.clone()).or_default();
        let amount: i128 = items.iter().map(|item| item.amount).sum();
        center.used += amount;
        if let Some(place) = card.and_then(|card| card.covering(&Subject::of(event))) {
            *center.covered.entry(place).or_default() += amount;
        }
        let place = Place {
            line: ChargeLine::Usage,
            corrects: None,
            date,
            rate_card: card.map(|card| card.name),
        };
        self.rows.add(event, place, &items);
        sink(Made::Posting(posting(PostingEntry::Usage, event, month, &items)?))
    }

    /// A call of a closed month that came late, or came again after [`reverse`](Self::reverse).
    ///
    /// # Errors
    /// As [`usage`](Self::usage).
    pub fn late(&mut self, event: &UsageEvent, sink: &mut Sink<'_>) -> Result<(), LedgerError> {
        self.turn_to(event, sink)?;
        let date = self.day(event);
        let month = Month::of(date).number();
        let (items, card) = self.charge(event, month, date);
        let rate_card = card.map(|card| card.name);
        let place = Place { line: ChargeLine::Correction, corrects: Some(month), date, rate_card };
        self.rows.add(event, place, &items);
        sink(Made::Posting(posting(PostingEntry::Late, event, month, &items)?))
    }

    /// Takes back what was posted of a call that came again; all of them before the first
    /// [`late`](Self::late), so that what they give back can be spent anew.
    ///
    /// # Errors
    /// What the sink says.
    pub fn reverse(&mut self, posted: &Posted, sink: &mut Sink<'_>) -> Result<(), LedgerError> {
        let (charged, central) = (-i128::from(posted.charged), -i128::from(posted.subsidised));
        if let Some(center) = &posted.cost_center {
            self.funds.spend(posted.of_period, center, charged, central);
        }
        let Posted { of_period, cost_center, team, workload, .. } = posted.clone();
        let (list, shares) =
            self.reversed.entry((of_period, cost_center, team, workload)).or_default();
        if let Some(posted) = posted.list {
            *list.get_or_insert_default() -= i128::from(posted);
        }
        shares.charged += charged;
        shares.central += central;
        shares.unallocated -= i128::from(posted.unallocated);
        sink(Made::Posting(Posting {
            entry: PostingEntry::Reversal,
            // What is reversed is the revision before the one that is there now.
            event: Some((posted.event_id, posted.revision.saturating_sub(1))),
            of_period: posted.of_period,
            cost_center: posted.cost_center.clone(),
            team: posted.team.clone(),
            workload: posted.workload.clone(),
            list: posted.list.map(|list| -list),
            amount: -posted.amount,
            charged: -posted.charged,
            subsidised: -posted.subsidised,
            unallocated: -posted.unallocated,
        }))
    }

    /// What the month costs besides its calls, and rounding; the month's end.
    ///
    /// # Errors
    /// As [`usage`](Self::usage).
    pub fn finish(mut self, sink: &mut Sink<'_>) -> Result<(), LedgerError> {
        self.flush(sink)?;
        self.overheads(sink)?;
        self.rounding(sink)
    }

    fn day(&self, event: &UsageEvent) -> Date {
        event.time.to_zoned(self.terms.zone.clone()).date()
    }

    /// Hands the rows of the cost center before over, when another one's calls begin.
    fn turn_to(&mut self, event: &UsageEvent, sink: &mut Sink<'_>) -> Result<(), LedgerError> {
        if self.current.as_ref() != Some(&event.cost_center) {
            self.flush(sink)?;
            self.current = Some(event.cost_center.clone());
        }
        Ok(())
    }

    fn flush(&mut self, sink: &mut Sink<'_>) -> Result<(), LedgerError> {
        self.current = None;
        for (of, (list, shares)) in std::mem::take(&mut self.reversed) {
            let (of_period, cost_center, team, workload) = of;
            let month = Month::of_number(of_period).unwrap_or(self.terms.month);
            let row = ChargeRow {
                cost_center,
                team,
                workload,
                list_usd: list.map(PicoUsdSum::from_pico),
                corrects: Some(month_text(of_period)),
                ..plain(ChargeLine::Correction, month.first(), "call", &shares)
            };
            self.row(row, sink)?;
        }
        self.rows.take().into_iter().try_for_each(|row| self.row(row, sink))
    }

    fn row(&mut self, row: ChargeRow, sink: &mut Sink<'_>) -> Result<(), LedgerError> {
        let center = self.centers.entry(row.cost_center.clone()).or_default();
        let charged = row.payment.charged_usd.pico();
        center.charged += charged;
        if let Some((_, RoundingPer::Line)) = self.rounding {
            *center.lines.entry(line_key(&row)).or_default() += charged;
        }
        sink(Made::Row(Box::new(row)))
    }

    /// What a call's meters cost and who pays for each. What is not charged before a meter's
    /// turn is left for the next.
    fn charge(
        &mut self,
        event: &UsageEvent,
        month: u32,
        day: Date,
    ) -> (Vec<Item>, Option<Card<'a>>) {
        let card = self.terms.rates.on(day);
        let mut items = self.items(event, card);
        let amount: i128 = items.iter().map(|item| item.amount).sum();
        let name = event.cost_center.as_ref();
        let spec = name.and_then(|name| self.terms.centers.get(name.as_str()));
        let before = name.map(|name| self.funds.of(month, name)).unwrap_or_default();
        let shares = funding::of_call(spec, event.environment, day).shares(amount, before);
        if let Some(name) = name {
            self.funds.spend(month, name, shares.charged, shares.central);
        }
        // Within a call, a meter's cost goes to the side that comes first until that is full.
        let (mut central, mut unallocated) = (shares.central, shares.unallocated);
        for item in &mut items {
            let of_central = central.min(item.amount);
            let of_nobody = unallocated.min(item.amount - of_central);
            central -= of_central;
            unallocated -= of_nobody;
            item.shares = Shares {
                charged: item.amount - of_central - of_nobody,
                central: of_central,
                unallocated: of_nobody,
            };
        }
        (items, card)
    }

    fn items(&self, event: &UsageEvent, card: Option<Card<'a>>) -> Vec<Item> {
        let subject = Subject::of(event);
        // A subscription is paid for elsewhere: what it used is shown, at no rate.
        let rate = |meter: &str, list: i64| match card {
            _ if event.subscription => 0,
            Some(card) => card.rate(&subject, meter, list),
            None => list,
        };
        let Some(cost) = event.cost_list_usd else {
            return vec![whole(None, 0)];
        };
        let lines = self.terms.meters.of(event).filter(|lines| !lines.is_empty());
        let Some(lines) = lines else {
            return vec![whole(Some(cost.pico()), rate("call", cost.pico()))];
        };
        let item = |line: tally_pricing::MeterLine| {
            let internal = rate(&line.meter, line.rate_pico);
            Item {
                quantity: line.quantity,
                list_rate: Some(line.rate_pico),
                rate: Some(internal),
                list: Some(i128::from(line.cost.pico())),
                amount: i128::from(internal) * i128::from(line.quantity),
                meter: line.meter,
                shares: Shares::default(),
            }
        };
        lines.into_iter().map(item).collect()
    }
}

/// A call whose price is not known, or cannot be taken apart any more.
fn whole(list: Option<i64>, rate: i64) -> Item {
    Item {
        meter: "call".into(),
        quantity: 1,
        list_rate: list,
        rate: list.map(|_| rate),
        list: list.map(i128::from),
        amount: list.map_or(0, |_| i128::from(rate)),
        shares: Shares::default(),
    }
}

fn posting(
    entry: PostingEntry,
    event: &UsageEvent,
    of_period: u32,
    items: &[Item],
) -> Result<Posting, LedgerError> {
    let sum = |of: fn(&Item) -> i128| fits(items.iter().map(of).sum());
    Ok(Posting {
        entry,
        event: Some((event.event_id, event.revision)),
        of_period,
        cost_center: event.cost_center.clone(),
        team: event.team.clone(),
        workload: event.workload.clone(),
        list: event.cost_list_usd.map(tally_types::PicoUsd::pico),
        amount: sum(|item| item.amount)?,
        charged: sum(|item| item.shares.charged)?,
        subsidised: sum(|item| item.shares.central)?,
        unallocated: sum(|item| item.shares.unallocated)?,
    })
}

/// As a posting holds it.
fn fits(pico: i128) -> Result<i64, LedgerError> {
    i64::try_from(pico).map_err(|_| LedgerError::TooLarge(pico))
}
