//! What went wrong, or got better, in the company's past: each can be seen on a chart.

use jiff::ToSpan;
use tally_types::Timestamp;

use super::calendar::Calendar;
use crate::demo::company::{ANTHROPIC, Company, Model};
use tally_types::Tier;

/// A stretch of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    from: Timestamp,
    to: Timestamp,
}

/// Everything out of the ordinary.
#[derive(Debug, Default)]
pub(crate) struct Incidents {
    /// The larger models of one provider fail for three hours of a working day.
    pub(crate) outage: Option<Stretch>,
    /// Agents of one team are left running from Friday evening to Monday morning.
    pub(crate) idling: Option<Stretch>,
    /// A change of a prompt makes one workload's calls longer, until it is taken back.
    pub(crate) bloat: Option<Stretch>,
    /// From here on one workload uses a cheaper model.
    pub(crate) switched_at: Option<Timestamp>,
}

// === impl Stretch ===

impl Stretch {
    pub(crate) fn holds(&self, time: Timestamp) -> bool {
        (self.from..self.to).contains(&time)
    }
}

// === impl Incidents ===

impl Incidents {
    /// Spread over the history; those that a short one has no room for are left out.
    ///
    /// # Errors
    /// At the edge of the representable calendar.
    pub(crate) fn new(calendar: &Calendar) -> anyhow::Result<Self> {
        let days = calendar.days;
        let mut incidents = Self::default();
        if days >= 5 {
            let day = Calendar::working_day_before(calendar.days_ago(days.div_ceil(3))?);
            incidents.outage =
                Some(Stretch { from: calendar.at(day, 13)?, to: calendar.at(day, 16)? });
        }
        if days >= 14 {
            let mut friday = calendar.days_ago((days / 9).max(4))?;
            while friday.weekday() != jiff::civil::Weekday::Friday {
                friday = friday.yesterday()?;
            }
            let monday = friday.checked_add(3.days())?;
            incidents.idling =
                Some(Stretch { from: calendar.at(friday, 19)?, to: calendar.at(monday, 7)? });
        }
        if days >= 20 {
            let from = calendar.days_ago(days * 9 / 20)?;
            let to = from.checked_add(7.days())?;
            incidents.bloat =
                Some(Stretch { from: calendar.at(from, 9)?, to: calendar.at(to, 15)? });
        }
        if days >= 10 {
            incidents.switched_at = Some(calendar.at(calendar.days_ago(days / 2)?, 10)?);
        }
        Ok(incidents)
    }

    /// How many agents idle: one, and another for each hundred people.
    pub(crate) fn idle_agents(company: &Company) -> usize {
        1 + company.people.len() / 100
    }

    /// Whether calls of a model suffer at a time.
    pub(crate) fn is_out(&self, model: &Model, time: Timestamp) -> bool {
        let suffers = model.plan.provider == ANTHROPIC && model.tier() != Tier::Economy;
        suffers && self.outage.is_some_and(|outage| outage.holds(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_lies_within_the_history() {
        for days in [1, 3, 5, 10, 14, 20, 30, 90, 400] {
            let until: Timestamp = "2026-11-22T04:00:00Z".parse().unwrap();
            let calendar = Calendar::new(until, days);
            let incidents = Incidents::new(&calendar).unwrap();
            let first = calendar.day(0).unwrap().midnight;
            for stretch in
                [incidents.outage, incidents.idling, incidents.bloat].into_iter().flatten()
            {
                assert!(stretch.from < stretch.to && stretch.to < until, "{days}: {stretch:?}");
                assert!(days < 14 || stretch.from > first, "{days}: {stretch:?}");
            }
            assert_eq!(incidents.idling.is_some(), days >= 14);
        }
    }
}
