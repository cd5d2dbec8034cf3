//! What people are told: an inbox for each person, and an outbox for mail, webhooks and
//! chat. Both are written in the transaction of what they tell of.

mod delivery;
mod inbox;
mod outbox;
mod stages;

use serde_json::Value;
use sqlx::Row as _;
use tally_types::{Kind, PersonName, Spec, Timestamp};

use crate::{ResourceId, Store, StoreError, change::Change};

pub use delivery::{Channel, DeliveriesPage, Delivery, DeliveryState, Outgoing};
pub use inbox::{Inbox, InboxPage, Notification};
pub use outbox::{ATTEMPTS_MAX, Deliveries, WAITING_MAX};
pub use stages::{StageEvent, StageEvents, StageEventsPage};

pub(crate) use inbox::forget;
pub(crate) use stages::keep_stage;

/// Something to tell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Notice {
    /// Unique: whoever was told this is not told again.
    pub(crate) key: String,
    /// What it is about, for programs: `budget.stage`, `grant.requested`.
    pub(crate) topic: String,
    /// Whom to tell.
    pub(crate) people: Vec<PersonName>,
    /// Whether the budget names webhooks itself.
    pub(crate) to_webhooks: bool,
    /// One line.
    pub(crate) title: String,
    /// A few sentences.
    pub(crate) body: String,
    /// A path of the interface.
    pub(crate) link: String,
    /// The whole of it, for programs.
    pub(crate) data: Value,
}

/// Where notices go besides the inbox, as configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channels {
    /// Whether mail can be sent.
    pub mail: bool,
    /// Webhooks and chat.
    pub outlets: Vec<Outlet>,
}

/// One webhook or one place to chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlet {
    /// Which of the two.
    pub channel: Channel,
    /// Its name in the configuration.
    pub name: String,
    /// Only what a budget's stage sends to `webhook`, instead of everything.
    pub only_named: bool,
}

// === impl Store ===

impl Store {
    /// Says where notices go besides the inbox; only the first word counts.
    pub fn set_channels(&self, channels: Channels) {
        self.keep_channels(channels);
    }

    /// What people were told.
    pub fn inbox(&self) -> Inbox {
        Inbox::new(self.clone())
    }

    /// What is sent out of the house.
    pub fn deliveries(&self) -> Deliveries {
        Deliveries::new(self.clone())
    }

    /// Stages that budgets reached.
    pub fn stage_events(&self) -> StageEvents {
        StageEvents::new(self.clone())
    }
}

/// Writes notices into inboxes and the outbox; those written before are left out.
pub(crate) async fn publish(
    change: &mut Change<'_>,
    channels: &Channels,
    notices: &[Notice],
) -> Result<(), StoreError> {
    let now = change.now();
    for notice in notices {
        for person in &notice.people {
            let Some(address) = address(change, person) else { continue };
            inbox::put(change.connection(), notice, person, now).await?;
            if let Some(address) = address.filter(|_| channels.mail) {
                let mail = outbox::Target::mail(&address);
                outbox::put(change.connection(), notice, &mail, now).await?;
            }
        }
        for outlet in &channels.outlets {
            if outlet.only_named && !notice.to_webhooks {
                continue;
            }
            let target = outbox::Target::outlet(outlet);
            outbox::put(change.connection(), notice, &target, now).await?;
        }
    }
    Ok(())
}

/// A person's mail address, if they have one; none when there is no such person.
#[expect(clippy::option_option, reason = "no person and no address are different things")]
fn address(change: &Change<'_>, person: &PersonName) -> Option<Option<String>> {
    let id = ResourceId::new(Kind::Person, person.0.clone());
    match &change.state().entries.get(&id)?.typed {
        Spec::Person(spec) => Some(spec.email.clone()),
        _ => None,
    }
}

/// The number of the next row; changes stand in line, so nobody else takes it.
async fn next_sequence(
    connection: &mut sqlx::AnyConnection,
    sql: &'static str,
) -> Result<i64, StoreError> {
    let row = sqlx::query(sql).fetch_one(connection).await?;
    Ok(row.try_get::<i64, _>(0)? + 1)
}

fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}
