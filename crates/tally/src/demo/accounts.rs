//! Accounts for a few people of the company, by invitation, as an administrator would
//! make them. A restart sets the password anew the same way.

use anyhow::Context;
use reqwest::header::{COOKIE, SET_COOKIE};
use serde_json::{Value, json};
use tally_api::SecretMaker;

use super::{
    company::PERSONAS,
    http::{self, Tally},
};

const PASSWORD_GROUPS: usize = 4;
const GROUP_CHARACTERS: usize = 4;

/// A password such as `dGk2-9sLq-7HfX-p0Ry`, new at every start.
pub(crate) fn made_up_password() -> String {
    let secret = tally_api::OsSecrets.secret();
    let random = secret.rsplit('_').next().unwrap_or(&secret);
    let characters: Vec<char> = random.chars().take(PASSWORD_GROUPS * GROUP_CHARACTERS).collect();
    let groups: Vec<String> = characters.chunks(GROUP_CHARACTERS).map(String::from_iter).collect();
    groups.join("-")
}

/// Gives every persona an account with this password; `admin_key` is an administrator's.
///
/// # Errors
/// When Tally refuses one of them.
pub(crate) async fn open_accounts(
    tally: &Tally,
    admin_key: &str,
    password: &str,
) -> anyhow::Result<()> {
    for (person, _) in PERSONAS {
        open_account(tally, admin_key, person, password)
            .await
            .with_context(|| format!("an account for {person}"))?;
    }
    Ok(())
}

async fn open_account(
    tally: &Tally,
    admin_key: &str,
    person: &str,
    password: &str,
) -> anyhow::Result<()> {
    let invite = tally.post("/api/v1/invitations").bearer_auth(admin_key);
    let invitation = http::json(invite.json(&json!({ "person": person }))).await?;
    let link = invitation.get("link").and_then(Value::as_str).unwrap_or_default();
    let token = link.split_once("token=").context("an invitation without a token")?.1;
    let accept = tally.post("/api/v1/invitations/accept");
    let accept = accept.json(&json!({ "token": token, "password": password }));
    let answer = accept.send().await?.error_for_status()?;
    let cookie = answer.headers().get(SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
    let cookie = cookie.and_then(|cookie| cookie.split(';').next()).unwrap_or_default().to_owned();
    let me: Value = serde_json::from_str(&answer.text().await?)?;
    let csrf = me.get("csrf_token").and_then(Value::as_str).unwrap_or_default();
    // Nobody is signed in before they sign in.
    let leave = tally.post("/api/v1/sign-out").header(COOKIE, cookie);
    leave.header("x-tally-csrf", csrf).send().await?.error_for_status()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_long_and_never_the_same() {
        let (one, other) = (made_up_password(), made_up_password());
        assert_ne!(one, other);
        assert_eq!(one.split('-').map(str::len).collect::<Vec<_>>(), [4, 4, 4, 4]);
    }
}
