//! `[notify]`: where people are told of things besides the inbox. Secrets are named by
//! their variable, never written down.

use std::collections::BTreeSet;

use anyhow::bail;
use reqwest::Url;
use serde::{Deserialize, Serialize};

/// Mail, webhooks, chat.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Notify {
    /// Where people reach the interface, for links: `https://tally.acme.test`.
    pub(crate) base_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) smtp: Option<Smtp>,
    pub(crate) webhooks: Vec<Webhook>,
    pub(crate) slack: Vec<Slack>,
}

/// The server that takes mail.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Smtp {
    pub(crate) host: String,
    #[serde(default = "submission")]
    pub(crate) port: u16,
    #[serde(default)]
    pub(crate) security: Security,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// The variable that holds the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) password_env: Option<String>,
    /// Such as `Tally <tally@acme.test>`.
    pub(crate) from: String,
}

/// How the connection to the mail server is kept private.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Security {
    /// It begins in the open and is encrypted before anything is said.
    #[default]
    Starttls,
    /// It is encrypted from the first byte.
    Tls,
    /// Not at all.
    None,
}

/// Which notices an outlet gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum About {
    /// All of them.
    #[default]
    Everything,
    /// Only those of stages that name `webhook`.
    Named,
}

/// A receiver of signed messages.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    pub(crate) name: String,
    pub(crate) url: String,
    /// The variable that holds the secret for signatures.
    pub(crate) secret_env: String,
    #[serde(default)]
    pub(crate) about: About,
}

/// A place to chat; its address is a secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Slack {
    pub(crate) name: String,
    /// The variable that holds the address.
    pub(crate) url_env: String,
    #[serde(default)]
    pub(crate) about: About,
}

const fn submission() -> u16 {
    587
}

// === impl Notify ===

impl Notify {
    /// Whether anything leaves the house.
    fn is_used(&self) -> bool {
        self.smtp.is_some() || !self.webhooks.is_empty() || !self.slack.is_empty()
    }

    /// What can be said without looking at secrets.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if self.is_used() || !self.base_url.is_empty() {
            check_url("notify.base_url", &self.base_url)?;
        }
        if let Some(smtp) = &self.smtp {
            smtp.check()?;
        }
        for webhook in &self.webhooks {
            check_url(&format!("notify.webhooks `{}`: url", webhook.name), &webhook.url)?;
        }
        unique("notify.webhooks", self.webhooks.iter().map(|webhook| &webhook.name))?;
        unique("notify.slack", self.slack.iter().map(|slack| &slack.name))
    }
}

// === impl Smtp ===

impl Smtp {
    fn check(&self) -> anyhow::Result<()> {
        if self.from.parse::<lettre::message::Mailbox>().is_err() {
            bail!(
                "`notify.smtp.from` is `{}`; expected an address such as `Tally <tally@acme.test>`",
                self.from
            );
        }
        if self.user.is_some() != self.password_env.is_some() {
            bail!("`notify.smtp`: expected both `user` and `password_env`, or neither");
        }
        let is_here = matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if self.user.is_some() && self.security == Security::None && !is_here {
            bail!(
                "`notify.smtp.security` is `none`: a password would cross the network unprotected; expected `starttls` or `tls`"
            );
        }
        Ok(())
    }
}

/// An address of HTTP.
pub(crate) fn check_url(what: &str, text: &str) -> anyhow::Result<Url> {
    let url = text.parse::<Url>().ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some(url) = url else {
        bail!("`{what}` is `{text}`; expected an address such as `https://tally.acme.test`");
    };
    Ok(url)
}

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a String>) -> anyhow::Result<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.trim().is_empty() {
            bail!("`{what}`: expected a name for each");
        }
        if !seen.insert(name) {
            bail!("`{what}`: `{name}` is there twice; expected each name once");
        }
    }
    Ok(())
}
