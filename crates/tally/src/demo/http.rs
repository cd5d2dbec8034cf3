//! The demo's own client: it asks Tally as anyone else would.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, bail};
use serde_json::Value;

/// A call that takes longer than this has gone wrong.
const CALL_MAX: Duration = Duration::from_secs(120);
const READY_STEP: Duration = Duration::from_millis(100);
const READY_STEPS_MAX: u32 = 600;

/// The running Tally; clones share its connections.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    client: reqwest::Client,
    url: String,
}

// === impl Tally ===

impl Tally {
    /// At this address.
    ///
    /// # Errors
    /// When the client cannot be set up.
    pub(crate) fn new(address: SocketAddr) -> anyhow::Result<Self> {
        // A proxy of the environment has no business between a process and itself.
        let client = reqwest::Client::builder().no_proxy().timeout(CALL_MAX).build()?;
        Ok(Self { client, url: format!("http://{address}") })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    pub(crate) fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.url))
    }

    pub(crate) fn put(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.put(format!("{}{path}", self.url))
    }

    /// Waits until Tally is ready, warehouse included.
    ///
    /// # Errors
    /// When it is not after a minute.
    pub(crate) async fn ready(&self) -> anyhow::Result<()> {
        for _ in 0..READY_STEPS_MAX {
            let answer = self.client.get(format!("{}/readyz", self.url)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(READY_STEP).await;
        }
        bail!("Tally is not ready after a minute")
    }
}

/// The JSON of an answer.
///
/// # Errors
/// When it is a refusal, or no JSON.
pub(crate) async fn json(request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
    let answer = request.send().await?;
    let status = answer.status();
    let text = answer.text().await?;
    if !status.is_success() {
        bail!("{status}: {}", text.chars().take(400).collect::<String>());
    }
    serde_json::from_str(&text).context("an answer that is no JSON")
}
