//! Other people's accounts, and invitations.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tally_ingest::edge::{self, Problem};
use tally_store::{
    AccountError,
    accounts::{Invitation, NewInvitation, TokenHash},
};
use tally_types::{PersonName, Role, Timestamp};
use uuid::Uuid;

use super::{BODY_BYTES_MAX, refusal::refused};
use crate::{
    access::ADMINS,
    caller::Caller,
    operation::{Access, Operation},
    params::{self, Page, PathParams},
    state::Api,
};

const PAGE: u32 = 100;
const PAGE_MAX: u32 = 1_000;
const OVERSEERS: &[Role] = &[Role::Admin, Role::Security, Role::Auditor];

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// How many at most, 1 to 1,000; by default 100.
    limit: Option<u32>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// A person, and whether they can sign in.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Account")]
struct AccountLine {
    person: PersonName,
    /// When they chose their first password; null before they did.
    joined: Option<Timestamp>,
    /// When they last signed in.
    last_sign_in: Option<Timestamp>,
    /// How many sessions are open.
    sessions: u64,
    /// Whether an admin keeps them from signing in.
    disabled: bool,
}

/// An open invitation.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Invitation")]
struct InvitationLine {
    id: String,
    person: PersonName,
    created: Timestamp,
    expires: Timestamp,
    /// Who made it, as the audit trail names them.
    created_by: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewLink {
    /// Whom it lets in: a person who exists.
    person: PersonName,
}

/// An invitation and its link, for the only time.
#[derive(Serialize, JsonSchema)]
struct MadeLink {
    id: String,
    person: PersonName,
    expires: Timestamp,
    /// The path, to be put behind Tally's address; shown once. It works once.
    link: String,
}

pub(super) fn operations() -> Vec<Operation> {
    let admins = Access::Roles(ADMINS);
    vec![
        Operation::get("listAccounts", "/api/v1/accounts", Access::Roles(OVERSEERS), list)
            .about("accounts", "Who can sign in", "Everyone, whether they joined or not, by name.")
            .query::<ListQuery>()
            .reply::<Page<AccountLine>>("People and their accounts."),
        Operation::post("disableAccount", "/api/v1/accounts/{name}/disable", admins, disable)
            .about("accounts", "Keep someone from signing in", "Their sessions end. Their keys stay as they are."),
        Operation::post("enableAccount", "/api/v1/accounts/{name}/enable", admins, enable)
            .about("accounts", "Let someone sign in again", "With the password they had."),
        Operation::post("signOutAccount", "/api/v1/accounts/{name}/sign-out", admins, sign_out)
            .about("accounts", "End someone's sessions", "They may sign in again."),
        Operation::get("listInvitations", "/api/v1/invitations", admins, invitations)
            .about("accounts", "Open invitations", "Links that were not used yet.")
            .query::<ListQuery>()
            .reply::<Page<InvitationLine>>("The open ones."),
        Operation::post("createInvitation", "/api/v1/invitations", admins, invite)
            .about("accounts", "Invite someone", "Makes a link by which a person chooses a password, the first one or another. It replaces the one before.")
            .body::<NewLink>(json!({ "person": "ada" }))
            .reply::<MadeLink>("The link, for the only time.")
            .creates()
            .secret(),
        Operation::delete("deleteInvitation", "/api/v1/invitations/{id}", admins, withdraw)
            .about("accounts", "Withdraw an invitation", "Its link opens nothing from now on."),
    ]
}

/// `GET /api/v1/accounts`
async fn list(
    State(api): State<Arc<Api>>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Page<AccountLine>>, Problem> {
    let query = params::query(query)?;
    let after: Option<PersonName> = params::parsed("after", query.after.as_deref())?;
    let limit = params::limit(query.limit, PAGE, PAGE_MAX)?;
    let page = api.sign_in.accounts.list(after.as_ref(), limit).await.map_err(refused)?;
    let items = page.items.into_iter().map(|member| {
        let account = member.account.as_ref();
        AccountLine {
            person: member.person,
            joined: account.map(|account| account.joined),
            last_sign_in: account.and_then(|account| account.last_sign_in),
            sessions: member.sessions,
            disabled: account.is_some_and(|account| account.disabled.is_some()),
        }
    });
    let next = page.next.map(|person| person.to_string());
    Ok(Json(Page { items: items.collect(), next }))
}

/// `POST /api/v1/accounts/{name}/disable`
async fn disable(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
) -> Result<StatusCode, Problem> {
    let person = PersonName(path.name()?);
    // So that at least the admin who does it is left.
    if caller.person.as_ref() == Some(&person) {
        let detail = "this is your own account";
        return Err(Problem::new(StatusCode::CONFLICT, "own_account", detail)
            .with_next_step("ask another admin to disable it"));
    }
    api.sign_in.accounts.disable(&caller.actor(), &person).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/accounts/{name}/enable`
async fn enable(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
) -> Result<StatusCode, Problem> {
    let person = PersonName(path.name()?);
    api.sign_in.accounts.enable(&caller.actor(), &person).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/accounts/{name}/sign-out`
async fn sign_out(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
) -> Result<StatusCode, Problem> {
    let person = PersonName(path.name()?);
    api.sign_in.accounts.end_sessions(&caller.actor(), &person).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/v1/invitations`
async fn invitations(
    State(api): State<Arc<Api>>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Page<InvitationLine>>, Problem> {
    let query = params::query(query)?;
    let limit = params::limit(query.limit, PAGE, PAGE_MAX)?;
    let accounts = &api.sign_in.accounts;
    let page = accounts.invitations(query.after.as_deref(), limit).await.map_err(refused)?;
    let items = page.items.into_iter().map(|open| {
        let Invitation { id, person, created, created_by, expires } = open;
        InvitationLine { id, person, created, expires, created_by }
    });
    Ok(Json(Page { items: items.collect(), next: page.next }))
}

/// `POST /api/v1/invitations`
async fn invite(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<(StatusCode, Json<MadeLink>), Problem> {
    let NewLink { person } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let token = api.sign_in.token();
    let link = NewInvitation { id: api.sign_in.id(), token: TokenHash::of(&token) };
    let made = api.sign_in.accounts.invite(&caller.actor(), &person, link).await;
    let Invitation { id, person, expires, .. } = made.map_err(refused)?;
    let link = format!("/join#token={token}");
    Ok((StatusCode::CREATED, Json(MadeLink { id, person, expires, link })))
}

/// `DELETE /api/v1/invitations/{id}`
async fn withdraw(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
) -> Result<StatusCode, Problem> {
    let id = path.id::<Uuid>()?.to_string();
    let withdrawn = api.sign_in.accounts.withdraw_invitation(&caller.actor(), &id).await;
    withdrawn.map_err(|error| match error {
        AccountError::InvitationUnknown => {
            let detail = "there is no such open invitation";
            Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
                .with_next_step("list the open ones with `GET /api/v1/invitations`")
        }
        other => refused(other),
    })?;
    Ok(StatusCode::NO_CONTENT)
}
