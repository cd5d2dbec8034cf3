//! Local accounts: sign-in, set-up, invitations, sessions.
//!
//! A person signs in with a password and has a session from then on: a token in the
//! cookie `tally_session`, of which the store keeps the hash. Tokens of links are kept
//! the same way. What another method of signing in would add is a further entry of
//! [`door::SignInState`] and an operation that ends in [`SignIn::let_in`].
//!
//! Invariants:
//! - Whether a name has an account cannot be told from a refusal, nor from its time.
//! - No password, token or hash is written to the log or to the audit trail.
//! - There is no password and no token that someone could know beforehand.

mod accounts;
mod attempts;
mod cookie;
mod csrf;
mod door;
mod mine;
mod operator;
mod password;
mod refusal;
mod secret;

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tally_ingest::edge::Problem;
use tally_store::{
    Accounts,
    accounts::{NewSession, Session, TokenHash},
};
use tally_types::{Clock, IdSource, PersonName, Timestamp};
use uuid::Uuid;

use crate::{ApiState, SecretMaker, operation::Operation};

pub use operator::{NewAccountError, create_account, set_up_link};

use attempts::Attempts;
use password::Passwords;
use refusal::refused;

/// The largest body of these operations, in bytes.
const BODY_BYTES_MAX: usize = 16 << 10;

/// Lets people in and knows them again.
pub(crate) struct SignIn {
    accounts: Accounts,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    secrets: Arc<dyn SecretMaker>,
    passwords: Passwords,
    attempts: Attempts,
    set_up: door::SetUpSeen,
}

/// A person who is signed in.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SignedIn {
    pub(crate) id: Uuid,
    pub(crate) person: PersonName,
    pub(crate) csrf_token: String,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
}

/// A session to be opened, and the token for its cookie.
struct Opening {
    session: NewSession,
    token: String,
}

/// Every operation on accounts.
pub(crate) fn operations() -> Vec<Operation> {
    [door::operations(), mine::operations(), accounts::operations()].concat()
}

// === impl SignIn ===

impl SignIn {
    pub(crate) fn new(state: &ApiState) -> Self {
        Self {
            accounts: state.store.accounts(),
            clock: Arc::clone(&state.clock),
            ids: Arc::clone(&state.ids),
            secrets: Arc::clone(&state.secrets),
            passwords: Passwords::new(),
            attempts: Attempts::default(),
            set_up: door::SetUpSeen::default(),
        }
    }

    /// Who the cookie stands for; none without one.
    ///
    /// # Errors
    /// 401 when the session is unknown, ended or expired, or its person may not sign in
    /// any more; 503 when the store does not answer.
    pub(crate) async fn session(&self, headers: &HeaderMap) -> Result<Option<SignedIn>, Problem> {
        let Some(token) = cookie::token(headers) else { return Ok(None) };
        if !cookie::is_plausible(token) {
            return Err(refusal::session_expired());
        }
        let session = self.accounts.session(&TokenHash::of(token)).await.map_err(refused)?;
        session.map(SignedIn::of).transpose()?.ok_or_else(refusal::session_expired).map(Some)
    }

    /// A token that nobody can guess, of 190 bits.
    fn token(&self) -> String {
        operator::token(&*self.secrets)
    }

    fn id(&self) -> String {
        self.ids.uuid(self.clock.now()).to_string()
    }

    fn opening(&self, headers: &HeaderMap) -> Opening {
        let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let token = self.token();
        let session = NewSession {
            id: self.id(),
            token: TokenHash::of(&token),
            csrf_token: self.token(),
            user_agent: agent.unwrap_or_default().to_owned(),
        };
        Opening { session, token }
    }

    /// The cookie for a session that was opened, and who has it.
    fn let_in(
        session: Session,
        token: &str,
        headers: &HeaderMap,
    ) -> Result<([(HeaderName, HeaderValue); 1], SignedIn), Problem> {
        let cookie = cookie::set(token, headers)
            .ok_or_else(|| Problem::internal("writing the cookie", &"a token is no text"))?;
        Ok(([(header::SET_COOKIE, cookie)], SignedIn::of(session)?))
    }
}

// === impl SignedIn ===

impl SignedIn {
    fn of(session: Session) -> Result<Self, Problem> {
        let id = session
            .id
            .parse()
            .map_err(|error: uuid::Error| Problem::internal("reading a session", &error))?;
        let Session { person, csrf_token, created, expires, .. } = session;
        Ok(Self { id, person, csrf_token, created, expires })
    }

    /// Refuses a change that the person did not mean.
    ///
    /// # Errors
    /// 403 without the session's token in `x-tally-csrf`, or when another site sent it.
    pub(crate) fn check_csrf(&self, method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
        csrf::check(method, headers, &self.csrf_token)
    }
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn")
            .field("id", &self.id)
            .field("person", &self.person)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
