//! Violations from the warehouse, with what people said of them, from the store.

use std::sync::Arc;

use tally_ingest::edge::Problem;
use tally_store::Acknowledgement;
use tally_types::{EventId, Severity, UsageEvent};
use tally_warehouse::{EVENTS_MAX, EventCursor, EventFilter, Field, Filter, Range};

use crate::{query::ask, state::Api, store_problem::problem};

/// So many pages of the warehouse are looked through at most for those that are wanted.
const PAGES_MAX: usize = 10;

/// A violation, and whoever looked at it.
pub(super) type Seen = (UsageEvent, Option<Acknowledgement>);

/// Those that are wanted, newest first, and where to go on, if there may be more.
pub(super) async fn scan(
    api: &Arc<Api>,
    mut filter: EventFilter,
    wanted: Option<bool>,
) -> Result<(Vec<Seen>, Option<EventCursor>), Problem> {
    let limit = filter.limit;
    if wanted.is_some() {
        filter.limit = EVENTS_MAX;
    }
    let mut found = Vec::new();
    for _ in 0..PAGES_MAX {
        let (asked, now) = (filter.clone(), api.state.clock.now());
        let events = ask(api, move |warehouse| warehouse.events(&asked, now)).await?;
        let is_last = events.len() < filter.limit;
        let ids: Vec<EventId> = events.iter().map(|event| event.event_id).collect();
        let mut said = api.state.store.acknowledgements().of(&ids).await.map_err(problem)?;
        for event in events {
            let at = EventCursor { time: event.time, event_id: event.event_id };
            filter.after = Some(at);
            let said = said.remove(&event.event_id);
            if wanted.is_none_or(|wanted| wanted == said.is_some()) {
                found.push((event, said));
            }
            if found.len() == limit {
                return Ok((found, Some(at)));
            }
        }
        if is_last {
            return Ok((found, None));
        }
    }
    Ok((found, filter.after))
}

/// How many severe ones of a range nobody has looked at; up to ten thousand are looked through.
pub(crate) async fn open_severe(api: &Arc<Api>, range: Range) -> Result<u64, Problem> {
    let filters = vec![
        Filter::eq(Field::Violation, "true"),
        Filter::eq(Field::PolicySeverity, Severity::Severe.as_str()),
    ];
    let filter = EventFilter { range, filters, after: None, limit: usize::MAX };
    let (open, _) = scan(api, filter, Some(false)).await?;
    Ok(u64::try_from(open.len()).unwrap_or(u64::MAX))
}
