//! Where the charges of a month come from.

use std::{
    collections::VecDeque,
    sync::{Arc, mpsc::sync_channel},
};

use tally_gateway::DataPlane;
use tally_ingest::edge::Problem;
use tally_ledger::{
    AtList, ChargeRow, Ledger, LedgerError, Month, PricedMeter,
    focus::{ChargeRows, RowError},
    reconcile::ModelNames,
};
use tally_types::{Date, TimeZone, Timestamp, UsageEvent};
use tally_warehouse::{EVENTS_MAX, EventCursor, EventFilter, QueryError, Range, Warehouse};

use crate::{calls::explain, state::Api};

/// How many rows are read before they are written.
const ROWS_AHEAD_MAX: usize = 1_024;
/// How much time is looked through at once: an hour of calls is found fast.
const STEP_SECONDS: i64 = 3_600;

/// The charges of a month's statements, as they are computed or were sealed. They are read as
/// the file is written, a few ahead of it.
///
/// # Errors
/// 503 while the warehouse is not open.
pub(super) fn of_month(
    api: &Api,
    month: Month,
) -> Result<impl ChargeRows + Send + 'static, Problem> {
    let (plane, snapshot) = (api.state.gateway.plane(), api.state.store.snapshot());
    let warehouse = api.state.warehouse.require()?;
    let (sender, receiver) = sync_channel::<Result<ChargeRow, RowError>>(ROWS_AHEAD_MAX);
    tokio::task::spawn_blocking(move || {
        let ledger = Ledger { snapshot: &snapshot, prices: plane.prices(), warehouse: &warehouse };
        let gone = |_| LedgerError::Refused("the reader has gone".to_owned());
        let read = ledger.rows(month, &mut |row| sender.send(Ok(row)).map_err(gone));
        if let Err(error) = read {
            let _ = sender.send(Err(Box::new(error)));
        }
    });
    Ok(receiver.into_iter())
}

/// Days of a time zone, from one to before another.
#[derive(Debug, Clone)]
pub(crate) struct Days {
    next: Date,
    end: Date,
    zone: TimeZone,
}

/// Metered calls at list price, a day at a time.
pub(crate) struct MeteredDays {
    warehouse: Arc<Warehouse>,
    plane: Arc<DataPlane>,
    days: Days,
    ready: VecDeque<ChargeRow>,
    names: ModelNames,
}

// === impl Days ===

impl Days {
    pub(crate) const fn new(first: Date, end: Date, zone: TimeZone) -> Self {
        Self { next: first, end, zone }
    }

    /// The next day with its first instant and the first after it.
    fn take(&mut self) -> Option<Result<(Date, Timestamp, Timestamp), RowError>> {
        let day = self.next;
        if day >= self.end {
            return None;
        }
        let bounds = || -> Result<_, RowError> {
            let after = day.tomorrow()?;
            let begin = day.to_zoned(self.zone.clone())?.timestamp();
            Ok((after, begin, after.to_zoned(self.zone.clone())?.timestamp()))
        };
        match bounds() {
            Ok((after, begin, end)) => {
                self.next = after;
                Some(Ok((day, begin, end)))
            }
            Err(error) => {
                self.next = self.end;
                Some(Err(error))
            }
        }
    }
}

// === impl MeteredDays ===

impl MeteredDays {
    pub(crate) fn new(warehouse: Arc<Warehouse>, plane: Arc<DataPlane>, days: Days) -> Self {
        Self { warehouse, plane, days, ready: VecDeque::new(), names: ModelNames::new() }
    }

    /// What the provider called the models of the calls seen so far, and what Tally calls them.
    pub(crate) fn into_names(self) -> ModelNames {
        self.names
    }

    fn day(&mut self, date: Date, begin: Timestamp, end: Timestamp) -> Result<AtList, QueryError> {
        let mut day = AtList::new(date);
        let (plane, names) = (&self.plane, &mut self.names);
        each_event(&self.warehouse, begin, end, |event| {
            day.add(event, priced(plane, event).as_deref());
            if let (Some(reported), Some(served)) = (&event.model_reported, &event.model_served)
                && !names.contains_key(reported)
            {
                names.insert(reported.clone(), served.clone());
            }
        })?;
        Ok(day)
    }
}

impl Iterator for MeteredDays {
    type Item = Result<ChargeRow, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            let day = match self.days.take()? {
                Ok((date, begin, end)) => self.day(date, begin, end),
                Err(error) => return Some(Err(error)),
            };
            match day {
                Ok(day) => self.ready.extend(day.into_rows()),
                Err(error) => {
                    self.days.next = self.days.end;
                    return Some(Err(Box::new(error)));
                }
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

/// Every event from one instant to before another.
fn each_event(
    warehouse: &Warehouse,
    begin: Timestamp,
    end: Timestamp,
    mut look: impl FnMut(&UsageEvent),
) -> Result<(), QueryError> {
    let mut from = begin;
    while from < end {
        let to = end.min(from + std::time::Duration::from_secs(STEP_SECONDS.unsigned_abs()));
        let range = Range::Between { from, to };
        let mut filter = EventFilter { range, filters: Vec::new(), after: None, limit: EVENTS_MAX };
        loop {
            let page = warehouse.events(&filter, end)?;
            page.iter().for_each(&mut look);
            let last = page.last().filter(|_| page.len() == EVENTS_MAX);
            let Some(last) = last else { break };
            filter.after = Some(EventCursor { time: last.time, event_id: last.event_id });
        }
        from = to;
    }
    Ok(())
}

/// The price of an event, taken apart.
fn priced(plane: &DataPlane, event: &UsageEvent) -> Option<Vec<PricedMeter>> {
    let price = explain(plane, event)?;
    let line = |line: tally_pricing::PriceLine| {
        let quantity = i64::try_from(line.quantity).ok()?;
        // What a line costs is its rate × its quantity, so nothing is left over.
        let rate_pico = line.cost_usd.pico().checked_div(quantity)?;
        Some(PricedMeter { meter: line.what, quantity: line.quantity, rate_pico })
    };
    price.lines.into_iter().map(line).collect()
}
