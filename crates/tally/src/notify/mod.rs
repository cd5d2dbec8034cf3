//! Sends what waits in the outbox: by mail, to webhooks, to chat. Each receiver has a
//! task of its own, so a dead one holds up nobody else.

mod mail;
mod post;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use tally_gateway::Secrets;
use tally_store::{
    Store,
    notices::{Channel, Channels, Outgoing, Outlet},
};
use tally_types::spec::SecretSource;

use crate::config::{About, Notify, check_url};

/// How often a receiver's task looks for something to send.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const TIDY_EVERY: Duration = Duration::from_secs(3_600);
/// Sent between two looks.
const AT_ONCE: u32 = 32;
/// Any attempt ends by then.
const ATTEMPT_MAX: Duration = Duration::from_secs(30);

/// Everything that can be sent to.
pub(crate) struct Receivers {
    all: Vec<Receiver>,
    base_url: String,
}

struct Receiver {
    channel: Channel,
    name: String,
    only_named: bool,
    by: Carrier,
}

enum Carrier {
    Mail(mail::Mail),
    Webhook(post::Webhook),
    Slack(post::Slack),
}

/// Why an attempt failed.
#[derive(Debug)]
struct Failure {
    reason: String,
    /// No further attempt can succeed.
    for_good: bool,
}

// === impl Receivers ===

impl Receivers {
    /// Sets up every receiver; what is missing is told before anything starts.
    pub(crate) fn new(config: &Notify, secrets: &dyn Secrets) -> anyhow::Result<Self> {
        let read = |what: String, variable: &str| {
            secrets
                .read(&SecretSource::Env(variable.to_owned()))
                .map_err(|error| anyhow::anyhow!("`{what}`: {error}"))
        };
        let mut all = Vec::new();
        if let Some(smtp) = &config.smtp {
            let password = smtp.password_env.as_ref();
            let password = password
                .map(|variable| read("notify.smtp.password_env".to_owned(), variable))
                .transpose()?;
            let by = Carrier::Mail(mail::Mail::new(smtp, password).context("`notify.smtp`")?);
            all.push(Receiver {
                channel: Channel::Email,
                name: String::new(),
                only_named: false,
                by,
            });
        }
        for webhook in &config.webhooks {
            let what = format!("notify.webhooks `{}`: secret_env", webhook.name);
            let secret = read(what, &webhook.secret_env)?;
            let by = Carrier::Webhook(
                post::Webhook::new(&webhook.url, &secret).with_context(|| webhook.name.clone())?,
            );
            let only_named = webhook.about == About::Named;
            all.push(Receiver {
                channel: Channel::Webhook,
                name: webhook.name.clone(),
                only_named,
                by,
            });
        }
        for slack in &config.slack {
            let what = format!("notify.slack `{}`: url_env", slack.name);
            let url = read(what.clone(), &slack.url_env)?;
            // The address itself is the secret: it is not repeated.
            let is_url = check_url(&what, &url).is_ok();
            anyhow::ensure!(is_url, "`{what}`: {} holds no address of HTTP", slack.url_env);
            let by = Carrier::Slack(post::Slack::new(&url)?);
            let only_named = slack.about == About::Named;
            all.push(Receiver {
                channel: Channel::Slack,
                name: slack.name.clone(),
                only_named,
                by,
            });
        }
        let base_url = config.base_url.trim_end_matches('/').to_owned();
        Ok(Self { all, base_url })
    }

    /// What the store has to know of them.
    pub(crate) fn channels(&self) -> Channels {
        let is_mail = |receiver: &&Receiver| receiver.channel == Channel::Email;
        let outlet = |receiver: &Receiver| Outlet {
            channel: receiver.channel,
            name: receiver.name.clone(),
            only_named: receiver.only_named,
        };
        Channels {
            mail: self.all.iter().any(|receiver| is_mail(&receiver)),
            outlets: self.all.iter().filter(|one| !is_mail(one)).map(outlet).collect(),
        }
    }

    /// Sends for ever; ends with the task that it runs in.
    pub(crate) async fn send(self, store: Store) {
        let mut tasks = tokio::task::JoinSet::new();
        let base_url: Arc<str> = self.base_url.into();
        for receiver in self.all {
            tasks.spawn(serve(store.clone(), receiver, Arc::clone(&base_url)));
        }
        loop {
            if let Err(error) = store.deliveries().tidy().await {
                tracing::warn!(%error, "the outbox is not tidied");
            }
            tokio::time::sleep(TIDY_EVERY).await;
        }
    }
}

async fn serve(store: Store, receiver: Receiver, base_url: Arc<str>) {
    let outbox = store.deliveries();
    loop {
        match outbox.due(receiver.channel, &receiver.name, AT_ONCE).await {
            Ok(due) if due.is_empty() => tokio::time::sleep(LOOK_EVERY).await,
            Ok(due) => {
                for outgoing in due {
                    attempt(&store, &receiver, &base_url, &outgoing).await;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the outbox cannot be read");
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }
}

async fn attempt(store: &Store, receiver: &Receiver, base_url: &str, outgoing: &Outgoing) {
    let letter = Letter::new(outgoing, base_url);
    let sent = tokio::time::timeout(ATTEMPT_MAX, receiver.by.carry(&letter)).await;
    let sent = sent.unwrap_or_else(|_| {
        Err(Failure::passing(format!("no answer within {} seconds", ATTEMPT_MAX.as_secs())))
    });
    let outbox = store.deliveries();
    let kept = match sent {
        Ok(()) => outbox.delivered(outgoing.id).await,
        Err(Failure { reason, for_good }) => {
            let channel = receiver.channel.as_str();
            tracing::warn!(
                channel,
                to = outgoing.to,
                reason,
                for_good,
                "a notice is not delivered"
            );
            outbox.failed(outgoing.id, &reason, for_good).await
        }
    };
    if let Err(error) = kept {
        // It is sent again with the same id, by which a receiver knows it.
        tracing::warn!(%error, id = outgoing.id, "what became of a delivery is not kept");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A notice, as receivers get it.
struct Letter<'a> {
    /// The same at every attempt, and in no other installation.
    id: String,
    outgoing: &'a Outgoing,
    title: &'a str,
    body: &'a str,
    topic: &'a str,
    link: String,
}

// === impl Letter ===

impl<'a> Letter<'a> {
    fn new(outgoing: &'a Outgoing, base_url: &str) -> Self {
        let text = |name: &str| {
            outgoing.notice.get(name).and_then(serde_json::Value::as_str).unwrap_or_default()
        };
        Self {
            id: format!("tally_{}_{}", outgoing.at.as_millisecond(), outgoing.id),
            outgoing,
            title: text("title"),
            body: text("body"),
            topic: text("topic"),
            link: format!("{base_url}{}", text("link")),
        }
    }
}

// === impl Carrier ===

impl Carrier {
    async fn carry(&self, letter: &Letter<'_>) -> Result<(), Failure> {
        match self {
            Self::Mail(mail) => mail.send(letter).await,
            Self::Webhook(webhook) => webhook.send(letter).await,
            Self::Slack(slack) => slack.send(letter).await,
        }
    }
}

// === impl Failure ===

impl Failure {
    fn passing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), for_good: false }
    }

    fn for_good(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), for_good: true }
    }
}
