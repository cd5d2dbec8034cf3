//! The company's past: usage events and outcomes, the same for the same seed and end.

mod calendar;
mod call;
mod incidents;
mod load;
mod people;
mod services;
mod task;
#[cfg(test)]
mod tests;

use tally_pricing::PriceCatalog;
use tally_types::{Date, Record, Timestamp};

use self::{calendar::Calendar, call::Scene, incidents::Incidents};
use super::{chance::Chance, company::Company};

pub(crate) use load::load;

/// What is drawn: for whom, on which day.
const PERSON: u64 = 10;
const SERVICE: u64 = 11;
const IDLING: u64 = 12;

/// A past of so many days.
#[derive(Debug)]
pub(crate) struct History<'a> {
    company: &'a Company,
    seed: u64,
    calendar: Calendar,
    incidents: Incidents,
    prices: PriceCatalog,
}

// === impl History ===

impl<'a> History<'a> {
    /// The past of a company up to a time.
    ///
    /// # Errors
    /// When the shipped price list is broken or the time lies outside the calendar.
    pub(crate) fn new(
        company: &'a Company,
        seed: u64,
        days: u32,
        until: Timestamp,
    ) -> anyhow::Result<Self> {
        let calendar = Calendar::new(until, days);
        let incidents = Incidents::new(&calendar)?;
        let prices = PriceCatalog::with_shipped([])?;
        Ok(Self { company, seed, calendar, incidents, prices })
    }

    pub(crate) fn days(&self) -> u32 {
        self.calendar.days
    }

    /// The company's date at its end.
    pub(crate) fn today(&self) -> Date {
        self.calendar.today()
    }

    /// Everything that began on a day, in the order of time.
    ///
    /// # Errors
    /// When the day lies outside the calendar.
    pub(crate) fn day(&self, index: u32) -> anyhow::Result<Vec<Record>> {
        let day = self.calendar.day(index)?;
        let Self { company, incidents, prices, .. } = self;
        let scene = Scene { company, incidents, prices };
        let mut records = Vec::new();
        let chance = |what, who: usize| {
            let who = u64::try_from(who).unwrap_or(0);
            Chance::new(self.seed, &[what, u64::from(index), who])
        };
        for (who, person) in company.people.iter().enumerate() {
            people::day(&scene, &mut chance(PERSON, who), person, &day, &mut records);
        }
        for (which, workload) in company.workloads.iter().enumerate() {
            services::day(&scene, &mut chance(SERVICE, which), workload, &day, &mut records);
        }
        people::idling(&scene, &mut chance(IDLING, 0), &day, &mut records);
        records.retain(|record| time_of(record) < self.calendar.until);
        records.sort_by_key(time_of);
        Ok(records)
    }
}

fn time_of(record: &Record) -> Timestamp {
    match record {
        Record::Usage(event) => event.time,
        Record::Outcome(outcome) => outcome.time,
    }
}
