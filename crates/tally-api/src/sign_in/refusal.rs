//! What went wrong with an account, as HTTP says it.

use http::StatusCode;
use tally_ingest::edge::Problem;
use tally_store::{AccountError, StoreError};

use crate::store_problem;

/// The problem that stands for an account's error; internals go to the log only.
pub(super) fn refused(error: AccountError) -> Problem {
    let detail = error.to_string();
    let conflict = |code| Problem::new(StatusCode::CONFLICT, code, detail.clone());
    match error {
        AccountError::NoAccount(_) => {
            Problem::new(StatusCode::NOT_FOUND, "account_missing", detail)
                .with_next_step("invite them with `POST /api/v1/invitations`")
        }
        AccountError::HasAccount(_) => {
            conflict("account_exists").with_next_step("they sign in with their password")
        }
        AccountError::Disabled(_) => {
            Problem::new(StatusCode::FORBIDDEN, "account_disabled", detail)
                .with_next_step("ask an admin to enable it")
        }
        AccountError::PasswordChanged => credentials_invalid(),
        AccountError::InvitationUnknown => Problem::new(StatusCode::GONE, "link_invalid", detail)
            .with_next_step("ask an admin for another one"),
        AccountError::TooManyInvitations(_) => {
            conflict("invitations_full").with_next_step("withdraw those that are not needed")
        }
        AccountError::SetUpDone => conflict("set_up_done")
            .with_next_step("sign in; who has no account yet asks an admin for an invitation"),
        AccountError::SessionUnknown => Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
            .with_next_step("list the open ones with `GET /api/v1/me/sessions`"),
        AccountError::Store(StoreError::Backend(reason)) => {
            tracing::error!(reason, "the store does not answer");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "store_unavailable",
                "the store does not answer, so nobody can be let in",
            )
            .with_next_step("try again shortly; calls are served and metered meanwhile")
            .with_retry_after(5)
        }
        AccountError::Store(error) => store_problem::problem(error),
        _ => Problem::internal("the account", &detail),
    }
}

/// The same whether the name or the password is wrong.
pub(super) fn credentials_invalid() -> Problem {
    let detail = "no account has this name and password";
    Problem::new(StatusCode::UNAUTHORIZED, "credentials_invalid", detail)
        .with_next_step("check both; an admin can make a link to choose another password")
}

pub(super) fn session_expired() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "session_expired", "this session has ended")
        .with_next_step("sign in again")
}

pub(super) fn too_many_attempts(wait_s: u64) -> Problem {
    let detail = format!("too many attempts failed; the next one is possible in {wait_s} s");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", detail)
        .with_next_step("wait, then try again; an admin can make a link to choose another password")
        .with_retry_after(wait_s)
}
