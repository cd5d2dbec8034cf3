//! Webhooks, signed as <https://www.standardwebhooks.com> says, and Slack-compatible chat.

use std::{error::Error as _, time::Duration};

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{RequestBuilder, StatusCode, Url};
use ring::hmac;
use serde_json::json;
use tally_types::Clock as _;

use super::{Failure, Letter};
use crate::clock::SystemClock;

const CONNECT_MAX: Duration = Duration::from_secs(5);
const REPLY_MAX: Duration = Duration::from_secs(10);
/// What comes before a secret that is written in base64.
const SECRET_PREFIX: &str = "whsec_";
/// Slack's longest heading.
const HEADING_CHARACTERS_MAX: usize = 150;

pub(super) struct Webhook {
    http: reqwest::Client,
    url: Url,
    key: hmac::Key,
    clock: SystemClock,
}

pub(super) struct Slack {
    http: reqwest::Client,
    url: Url,
}

fn client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder()
        .connect_timeout(CONNECT_MAX)
        .timeout(REPLY_MAX)
        // What is signed for one receiver is no other's.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("tally/", env!("CARGO_PKG_VERSION")))
        .build()?)
}

async fn post(request: RequestBuilder) -> Result<(), Failure> {
    let reply = request.send().await.map_err(|error| {
        // The address may be a secret.
        let error = error.without_url();
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        Failure::passing(format!("{error}{cause}"))
    })?;
    match reply.status() {
        status if status.is_success() => Ok(()),
        StatusCode::GONE => Err(Failure::for_good("answered 410: it wants no more")),
        status => Err(Failure::passing(format!("answered {status}"))),
    }
}

/// The key of a secret: what its base64 stands for, or the text itself.
fn key(secret: &str) -> anyhow::Result<hmac::Key> {
    let encoded = secret.strip_prefix(SECRET_PREFIX);
    let decoded = encoded.map(|encoded| STANDARD.decode(encoded)).transpose();
    let decoded = decoded.context("after `whsec_`, expected a secret in base64")?;
    let secret = decoded.unwrap_or_else(|| secret.as_bytes().to_vec());
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &secret))
}

/// `v1,` and the HMAC-SHA-256 of `id.timestamp.body`, in base64.
fn signature(key: &hmac::Key, id: &str, timestamp: i64, body: &str) -> String {
    let tag = hmac::sign(key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag))
}

// === impl Webhook ===

impl Webhook {
    pub(super) fn new(url: &str, secret: &str) -> anyhow::Result<Self> {
        let key = key(secret)?;
        Ok(Self { http: client()?, url: url.parse()?, key, clock: SystemClock::new() })
    }

    pub(super) async fn send(&self, letter: &Letter<'_>) -> Result<(), Failure> {
        let body = json!({
            "type": letter.topic,
            "timestamp": letter.outgoing.at,
            "data": {
                "title": letter.title, "body": letter.body, "link": letter.link,
                "about": letter.outgoing.notice.get("data"),
            },
        })
        .to_string();
        // When it is sent, not when it was written: receivers refuse what is old.
        let timestamp = self.clock.now().as_second();
        let signature = signature(&self.key, &letter.id, timestamp, &body);
        post(
            self.http
                .post(self.url.clone())
                .header("content-type", "application/json")
                .header("webhook-id", &letter.id)
                .header("webhook-timestamp", timestamp)
                .header("webhook-signature", signature)
                .body(body),
        )
        .await
    }
}

// === impl Slack ===

impl Slack {
    pub(super) fn new(url: &str) -> anyhow::Result<Self> {
        Ok(Self { http: client()?, url: url.parse()? })
    }

    pub(super) async fn send(&self, letter: &Letter<'_>) -> Result<(), Failure> {
        post(self.http.post(self.url.clone()).json(&message(letter))).await
    }
}

fn message(letter: &Letter<'_>) -> serde_json::Value {
    let heading: String = letter.title.chars().take(HEADING_CHARACTERS_MAX).collect();
    let text = format!("{}\n<{}|Open in Tally>", escaped(letter.body), letter.link);
    json!({
        "text": escaped(letter.title),
        "blocks": [
            { "type": "header", "text": { "type": "plain_text", "text": heading } },
            { "type": "section", "text": { "type": "mrkdwn", "text": text } },
        ],
    })
}

/// Nobody's words become a mention or a link.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_standard() {
        // The example of the specification.
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        assert_eq!(
            signature(&key, id, 1_614_265_330, "{\"test\": 2432232314}"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert!(super::key("whsec_not base64").is_err());
    }

    #[test]
    fn nobodys_words_become_a_mention() {
        assert_eq!(escaped("<!channel> & co"), "&lt;!channel&gt; &amp; co");
    }
}
