//! Counts what came of calls, and ends what nobody ended.

use std::sync::Arc;

use tally_types::{CallStatus, EventId, Timestamp, UsageEvent};

use crate::{Demand, state::State};

impl State {
    pub(crate) fn commit(&mut self, event: &UsageEvent, now: Timestamp) {
        let reservation = self.reservations.remove(&event.event_id);
        if let Some(reservation) = &reservation {
            self.give_back(reservation);
        }
        if event.status == CallStatus::Refused {
            return;
        }
        let used = Demand::of(event);
        let held = |number: u32| {
            let lines = reservation.as_ref()?.lines.iter();
            lines.clone().find(|line| line.counter == number).map(|line| line.amount)
        };
        let mut call = None;
        // What was reserved is counted where it was, whatever was changed meanwhile; a call
        // that reserved nothing counts where it belongs now.
        let counted: Vec<(u32, u32)> = match &reservation {
            Some(reservation) => {
                reservation.lines.iter().map(|line| (line.slot, line.counter)).collect()
            }
            // A counter that this call makes begins in the window of the call.
            None => self.applying(event, event.time.min(now)),
        };
        let sequence = self.sequence;
        for (slot, number) in counted {
            let Some((slot, counter)) = self.at(slot, number, now) else { continue };
            let definition = &slot.definition;
            let amount = used.amount(definition.spec.limit, definition.counts_cache_reads());
            // Its price turned out to be unknown: it is taken to be what it could be at worst.
            let amount = amount.or_else(|| held(number)).unwrap_or(0);
            counter.remember(sequence, event.time, amount);
            if counter.count(definition, event, amount) {
                let limit = counter.limit(definition, now);
                counter.rearm(limit);
                counter.mark_reached(definition, limit, Some(event), now);
            }
            let call = call.get_or_insert_with(|| Arc::new(event.clone()));
            counter.last_call = Some(Arc::clone(call));
        }
    }

    pub(crate) fn expire(&mut self, now: Timestamp) -> usize {
        let ended: Vec<EventId> = self
            .reservations
            .iter()
            .filter(|(_, reservation)| reservation.ends_at <= now)
            .map(|(event_id, _)| *event_id)
            .collect();
        for event_id in &ended {
            self.release(*event_id);
        }
        self.settle_definitions(now);
        self.warn_ahead(now);
        ended.len()
    }
}
