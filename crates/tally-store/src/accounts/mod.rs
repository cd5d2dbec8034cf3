//! Accounts of people: passwords, invitations, sessions.
//!
//! A `Person` is a resource; that they may sign in is an account beside it. [`Accounts`]
//! is every way to read and change them, each change with its audit entry in one
//! transaction. Deleting the person ends their account, sessions and invitations.
//!
//! Only hashes come in: of a password as the caller makes it, of a token as
//! [`TokenHash`] makes it.

mod account;
mod error;
mod invitation;
mod rows;
mod session;
mod set_up;
mod types;

use sqlx::AnyConnection;
use tally_types::{Kind, Name, PersonName, Timestamp};

use crate::{Store, StoreError, change::Change};

pub use error::AccountError;
pub use types::{
    Account, AccountsPage, Credential, FirstAdmin, Invitation, InvitationsPage, Member,
    NewInvitation, NewSession, Session, TokenHash,
};

/// An invitation is good for 7 days.
pub const INVITATION_LIFE_S: i64 = 7 * DAY_S;
/// The link for the first admin is good for 24 hours.
pub const SET_UP_LIFE_S: i64 = DAY_S;
/// A session ends after 30 days, however much it is used.
pub const SESSION_LIFE_S: i64 = 30 * DAY_S;
/// A session that is not used for 7 days ends.
pub const SESSION_IDLE_S: i64 = 7 * DAY_S;
/// A person has at most so many sessions; a further one ends the oldest.
pub const SESSIONS_PER_PERSON_MAX: u32 = 50;
/// At most so many invitations are open.
pub const INVITATIONS_MAX: i64 = 10_000;
/// A session's use is written down at most once in so many seconds.
const TOUCH_S: i64 = 60;
const DAY_S: i64 = 24 * 3_600;

/// The accounts of people; see [`Store::accounts`].
#[derive(Debug, Clone)]
pub struct Accounts {
    store: Store,
}

// === impl Store ===

impl Store {
    /// The accounts of people.
    pub fn accounts(&self) -> Accounts {
        Accounts { store: self.clone() }
    }
}

/// Ends everything that a deleted person could come in with.
pub(crate) async fn forget(
    connection: &mut AnyConnection,
    person: &Name,
) -> Result<(), StoreError> {
    for sql in [
        "delete from account where person = $1",
        "delete from invitation where person = $1",
        "delete from session where person = $1",
    ] {
        sqlx::query(sql).bind(person.as_str()).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Fails when there is no such person.
fn require_person(change: &Change<'_>, person: &PersonName) -> Result<(), AccountError> {
    let state = change.state();
    let id = crate::ResourceId::new(Kind::Person, person.0.clone());
    if state.entries.contains_key(&id) { Ok(()) } else { Err(state.not_found(&id).into()) }
}

fn ms_after(time: Timestamp, seconds: i64) -> i64 {
    time.as_millisecond().saturating_add(seconds.saturating_mul(1_000))
}
