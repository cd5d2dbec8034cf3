//! Coming in and going out.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    Extension, Json,
    body::Body,
    extract::{ConnectInfo, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tally_ingest::edge::{self, Problem};
use tally_store::{
    AccountError,
    accounts::{FirstAdmin, TokenHash},
};
use tally_types::{PersonName, spec::PersonSpec};

use super::{
    BODY_BYTES_MAX, SignIn, cookie, csrf,
    password::refuse_weak,
    refusal::{credentials_invalid, refused, too_many_attempts},
    secret::Secret,
};
use crate::{
    caller::Caller,
    me::{self, Me},
    operation::{Access, Operation},
    state::Api,
};

/// Anyone may ask whether Tally is set up; the store is not asked more often than this.
const SET_UP_SEEN_NS: u64 = 5_000_000_000;

/// The address of whoever is connected, where the server tells it.
type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

/// The last answer to whether Tally is set up, and when (monotonic, in nanoseconds).
#[derive(Default)]
pub(super) struct SetUpSeen(Mutex<Option<(u64, bool)>>);

/// How people can sign in.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SignInState {
    methods: Vec<SignInMethod>,
    /// Whether no admin has an account yet: the server's log holds the link to begin.
    needs_set_up: bool,
}

/// A way to sign in.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum SignInMethod {
    /// With name and password.
    Password,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// The person's name or e-mail.
    name: String,
    password: Secret,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FirstAccount {
    /// The token of the link that the server printed.
    token: Secret,
    /// The name of the admin, who is made a person unless there is one of this name.
    name: PersonName,
    /// How people call them.
    #[serde(default)]
    display_name: Option<String>,
    /// Where mail reaches them.
    #[serde(default)]
    email: Option<String>,
    /// 12 to 256 characters.
    password: Secret,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Acceptance {
    /// The token of the link.
    token: Secret,
    /// 12 to 256 characters.
    password: Secret,
}

pub(super) fn operations() -> Vec<Operation> {
    const SIGNED_IN: &str =
        "Who signed in. The cookie `tally_session` stands for them from now on.";
    let password = "four words make a sentence";
    let token = "the-token-of-the-link";
    vec![
        Operation::get("getSignIn", "/api/v1/sign-in", Access::Open, state)
            .about("sign-in", "How to sign in", "Which methods there are, and whether Tally waits for its first admin.")
            .reply::<SignInState>("The methods."),
        Operation::post("signIn", "/api/v1/sign-in", Access::Open, sign_in)
            .about("sign-in", "Sign in", "Repeated failures make the next attempt wait: 429 with `retry-after`.")
            .body::<Credentials>(json!({ "name": "ada", "password": password }))
            .reply::<Me>(SIGNED_IN)
            .secret(),
        Operation::post("setUp", "/api/v1/set-up", Access::Open, set_up)
            .about("sign-in", "Become the first admin", "By the link that the server prints as long as no admin has an account.")
            .body::<FirstAccount>(json!({ "token": token, "name": "ada", "password": password }))
            .reply::<Me>(SIGNED_IN)
            .secret(),
        Operation::post("acceptInvitation", "/api/v1/invitations/accept", Access::Open, accept)
            .about("sign-in", "Accept an invitation", "The link works once. Someone who joined before chooses another password by it, and their sessions end.")
            .body::<Acceptance>(json!({ "token": token, "password": password }))
            .reply::<Me>(SIGNED_IN)
            .secret(),
        Operation::post("signOut", "/api/v1/sign-out", Access::Session, sign_out)
            .about("me", "Sign out", "Ends this session."),
        Operation::post("signOutEverywhere", "/api/v1/sign-out-everywhere", Access::Session, sign_out_everywhere)
            .about("me", "Sign out everywhere", "Ends all my sessions."),
    ]
}

/// `GET /api/v1/sign-in`
async fn state(State(api): State<Arc<Api>>) -> Result<Json<SignInState>, Problem> {
    let needs_set_up = !api.sign_in.is_set_up().await?;
    Ok(Json(SignInState { methods: vec![SignInMethod::Password], needs_set_up }))
}

/// `POST /api/v1/sign-in`
async fn sign_in(
    State(api): State<Arc<Api>>,
    peer: Peer,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    csrf::refuse_cross_site(&headers)?;
    let Credentials { name, password } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let sign_in = &api.sign_in;
    let now_ns = sign_in.clock.monotonic_ns();
    let attempt =
        sign_in.attempts.begin(&name, address(peer), now_ns).map_err(too_many_attempts)?;
    let person = person(&api, &name);
    let credential = match &person {
        Some(person) => sign_in.accounts.credential(person).await.map_err(refused)?,
        None => None,
    };
    let hash = credential.as_ref().map(|credential| credential.password_hash.clone());
    let is_right = sign_in.passwords.verify(password.0, hash).await?;
    let Some(credential) = credential.filter(|_| is_right) else {
        // What was typed may be a password in the wrong field, so only known names are logged.
        let person = person.as_ref().map_or("(unknown)", PersonName::as_str);
        tracing::warn!(person, "a sign-in failed");
        return Err(credentials_invalid());
    };
    let opening = sign_in.opening(&headers);
    let actor = format!("Person/{}", credential.person);
    let opened = sign_in.accounts.sign_in(&actor, &credential, opening.session).await;
    let session = opened.map_err(refused)?;
    sign_in.attempts.succeeded(attempt, now_ns);
    let (cookie, signed_in) = SignIn::let_in(session, &opening.token, &headers)?;
    Ok((cookie, me::of_session(&api, signed_in)).into_response())
}

/// `POST /api/v1/set-up`
async fn set_up(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    csrf::refuse_cross_site(&headers)?;
    let FirstAccount { token, name, display_name, email, password } =
        edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let sign_in = &api.sign_in;
    let token = TokenHash::of(&token.0);
    if !sign_in.accounts.is_set_up_offered(&token).await.map_err(refused)? {
        let is_set_up = sign_in.accounts.is_set_up().await.map_err(refused)?;
        return Err(if is_set_up {
            refused(AccountError::SetUpDone)
        } else {
            set_up_link_invalid()
        });
    }
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let admin =
        FirstAdmin { person: name, display_name: filled(display_name), email: filled(email) };
    let spec = PersonSpec {
        display_name: admin.display_name.clone(),
        email: admin.email.clone(),
        ..PersonSpec::default()
    };
    refuse_weak("password", &password.0, &admin.person, Some(&spec))?;
    let hash = sign_in.passwords.hash(password.0).await?;
    let opening = sign_in.opening(&headers);
    let session = sign_in.accounts.set_up(&token, admin, hash, opening.session).await;
    let session = session.map_err(|error| match error {
        AccountError::InvitationUnknown => set_up_link_invalid(),
        other => refused(other),
    })?;
    sign_in.set_up.forget();
    // The person may be new to the gateway, which knows the roles.
    api.reached_gateway().await;
    let (cookie, signed_in) = SignIn::let_in(session, &opening.token, &headers)?;
    Ok((cookie, me::of_session(&api, signed_in)).into_response())
}

/// `POST /api/v1/invitations/accept`
async fn accept(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    csrf::refuse_cross_site(&headers)?;
    let Acceptance { token, password } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let sign_in = &api.sign_in;
    let token = TokenHash::of(&token.0);
    let invited = sign_in.accounts.invited(&token).await.map_err(refused)?;
    let person = invited.ok_or_else(|| refused(AccountError::InvitationUnknown))?;
    let snapshot = api.state.store.snapshot();
    refuse_weak("password", &password.0, &person, snapshot.people.get(person.as_str()))?;
    let hash = sign_in.passwords.hash(password.0).await?;
    let opening = sign_in.opening(&headers);
    let session = sign_in.accounts.accept(&token, &hash, opening.session).await.map_err(refused)?;
    let (cookie, signed_in) = SignIn::let_in(session, &opening.token, &headers)?;
    Ok((cookie, me::of_session(&api, signed_in)).into_response())
}

/// `POST /api/v1/sign-out`
async fn sign_out(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let session = caller.session()?;
    let (person, id) = (&session.person, session.id.to_string());
    let ended = api.sign_in.accounts.end_session(&caller.actor(), person, &id).await;
    match ended {
        // Another tab was faster.
        Ok(()) | Err(AccountError::SessionUnknown) => Ok(gone(&headers)),
        Err(error) => Err(refused(error)),
    }
}

/// `POST /api/v1/sign-out-everywhere`
async fn sign_out_everywhere(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let person = &caller.session()?.person;
    api.sign_in.accounts.end_sessions(&caller.actor(), person).await.map_err(refused)?;
    Ok(gone(&headers))
}

fn gone(headers: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = cookie::clear(headers) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

fn set_up_link_invalid() -> Problem {
    let detail = AccountError::InvitationUnknown.to_string();
    Problem::new(StatusCode::GONE, "link_invalid", detail)
        .with_next_step("restart Tally: each start prints a link that works for 24 hours")
}

/// Whom a name or an e-mail stands for. One e-mail of several people stands for nobody.
fn person(api: &Api, name: &str) -> Option<PersonName> {
    let snapshot = api.state.store.snapshot();
    let name = name.trim();
    if let Some((name, _)) = snapshot.people.get_key_value(name) {
        return Some(PersonName(name.clone()));
    }
    let has_it = |spec: &PersonSpec| {
        spec.email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(name))
    };
    let mut found = snapshot.people.iter().filter(|(_, spec)| has_it(spec));
    let (person, _) = found.next()?;
    found.next().is_none().then(|| PersonName(person.clone()))
}

pub(super) fn address(peer: Peer) -> Option<IpAddr> {
    peer.map(|Extension(ConnectInfo(address))| address.ip())
}

// === impl SignIn ===

impl SignIn {
    /// Whether some admin has an account, or had one within the last seconds.
    async fn is_set_up(&self) -> Result<bool, Problem> {
        let now = self.clock.monotonic_ns();
        let seen = *self.set_up.0.lock();
        if let Some((at, is_set_up)) = seen
            && now.saturating_sub(at) < SET_UP_SEEN_NS
        {
            return Ok(is_set_up);
        }
        let is_set_up = self.accounts.is_set_up().await.map_err(refused)?;
        *self.set_up.0.lock() = Some((now, is_set_up));
        Ok(is_set_up)
    }
}

// === impl SetUpSeen ===

impl SetUpSeen {
    fn forget(&self) {
        *self.0.lock() = None;
    }
}
