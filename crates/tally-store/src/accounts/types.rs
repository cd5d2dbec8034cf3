//! What accounts are made of.

use std::fmt;

use sha2::{Digest, Sha256};
use tally_types::{PersonName, Timestamp};

/// What is kept of a token that nobody can guess: its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenHash(String);

/// Whether and since when a person may sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// When they chose their first password.
    pub joined: Timestamp,
    /// When the password was last chosen.
    pub changed: Timestamp,
    /// When they last signed in with it.
    pub last_sign_in: Option<Timestamp>,
    /// Since when they may not sign in; none when they may.
    pub disabled: Option<Timestamp>,
}

/// A person and their account, if they joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub person: PersonName,
    /// Their account; none before they joined.
    pub account: Option<Account>,
    /// How many sessions are open.
    pub sessions: u64,
}

/// Some people, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountsPage {
    /// The people.
    pub items: Vec<Member>,
    /// Where the next page starts after; none when this is the last.
    pub next: Option<PersonName>,
}

/// What a password is verified against.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Whose.
    pub person: PersonName,
    /// The hash, as it was handed in.
    pub password_hash: String,
    /// Whether the person may not sign in.
    pub is_disabled: bool,
}

/// A link to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvitation {
    /// Its id, which is no secret.
    pub id: String,
    /// The hash of the token in the link.
    pub token: TokenHash,
}

/// An open link by which a person joins, or chooses another password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id, which is no secret.
    pub id: String,
    /// Whom it lets in.
    pub person: PersonName,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// Until when it works.
    pub expires: Timestamp,
}

/// Some open invitations, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InvitationsPage {
    /// The invitations.
    pub items: Vec<Invitation>,
    /// Where the next page starts after; none when this is the last.
    pub next: Option<String>,
}

/// A session to be opened.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Its id, which is no secret.
    pub id: String,
    /// The hash of the token in the cookie.
    pub token: TokenHash,
    /// What a page of this session proves itself with.
    pub csrf_token: String,
    /// The browser, as it calls itself; the first 300 characters are kept.
    pub user_agent: String,
}

/// An open session.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id, which is no secret.
    pub id: String,
    /// Whose.
    pub person: PersonName,
    /// What a page of this session proves itself with.
    pub csrf_token: String,
    /// When the person signed in.
    pub created: Timestamp,
    /// When it was last used, give or take a minute.
    pub last_seen: Timestamp,
    /// When it ends unless it is used before; use moves it, up to 30 days after `created`.
    pub expires: Timestamp,
    /// The browser, as it calls itself.
    pub user_agent: String,
}

/// Who sets Tally up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstAdmin {
    /// The person: made when there is none of that name.
    pub person: PersonName,
    /// How people call them.
    pub display_name: Option<String>,
    /// Where mail reaches them.
    pub email: Option<String>,
}

// === impl TokenHash ===

impl TokenHash {
    /// The hash of a token.
    pub fn of(token: &str) -> Self {
        Self(hex::encode(Sha256::digest(token.as_bytes())))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

// === secrets stay out of logs ===

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("person", &self.person)
            .field("is_disabled", &self.is_disabled)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NewSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSession").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id)
            .field("person", &self.person)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
