//! Budgets beside the journal and the resources: what they mean comes from the one, what they
//! count from the other.

use std::sync::Arc;

use tally_budget::{Budgets, Checkpoint, Definitions, RolesByName, SavedCounter};
use tally_journal::{Counters, Observer};
use tally_store::Snapshot;
use tally_types::{BudgetName, Calendar, Clock, EventId, KeyName, PersonName, Record};

use crate::contain::{self, Contained};

/// What the resources say of budgets.
pub(crate) fn definitions(snapshot: &Snapshot) -> Definitions {
    let organization = &snapshot.organization;
    let people = snapshot.people.iter();
    let keys = snapshot.keys.iter().filter(|(_, key)| key.person.is_none());
    Definitions {
        calendar: Calendar {
            zone: organization.zone(),
            week_starts: organization.week_starts,
            fiscal_year_starts: organization.fiscal_year_starts,
        },
        organization: snapshot.organization_name.clone(),
        roles: RolesByName {
            people: people
                .map(|(name, person)| (PersonName(name.clone()), person.roles.clone()))
                .collect(),
            keys: keys.map(|(name, key)| (KeyName(name.clone()), key.roles.clone())).collect(),
        },
        budgets: snapshot
            .budgets
            .iter()
            .map(|(name, spec)| (BudgetName(name.clone()), spec.clone()))
            .collect(),
        grants: snapshot.grants.values().cloned().collect(),
    }
}

/// The budgets of these resources, and who has them count what the journal commits.
pub fn budgets_of(snapshot: &Snapshot, clock: &Arc<dyn Clock>) -> (Arc<Budgets>, Arc<Counting>) {
    let budgets = Budgets::new(definitions(snapshot), clock.now());
    let counting = Counting {
        budgets: Arc::clone(&budgets),
        clock: Arc::clone(clock),
        contained: Arc::default(),
    };
    (budgets, Arc::new(counting))
}

/// Has budgets count what the journal commits, and learns from it which keys were suspended.
pub struct Counting {
    pub(crate) budgets: Arc<Budgets>,
    clock: Arc<dyn Clock>,
    pub(crate) contained: Arc<Contained>,
}

// === impl Counting ===

impl Observer for Counting {
    fn restore(&self, kept: Counters) {
        let (contained, counters): (Vec<_>, Vec<_>) =
            kept.states.into_iter().partition(|(id, _)| id == contain::COUNTER);
        contained.iter().for_each(|(_, state)| self.contained.restore(state));
        let counters = counters.into_iter().map(|(id, state)| SavedCounter { id, state });
        let checkpoint = Checkpoint { sequence: kept.sequence, counters: counters.collect() };
        let left_out = self.budgets.restore(&checkpoint, self.clock.now());
        if left_out > 0 {
            tracing::info!(
                left_out,
                "kept counters of budgets that are gone or mean another thing"
            );
        }
    }

    fn committed(&self, sequence: u64, record: &Record) {
        match record {
            Record::Usage(event) => {
                // Before it counts, so that whatever is kept up to this row knows of it.
                self.contained.committed(event);
                self.budgets.commit(sequence, event, self.clock.now());
            }
            Record::Outcome(_) => self.budgets.skip(sequence),
        }
    }

    fn skipped(&self, sequence: u64) {
        self.budgets.skip(sequence);
    }

    fn vanished(&self, event_id: EventId) {
        self.budgets.release(event_id);
    }
}
