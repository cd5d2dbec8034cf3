//! What was sent to whom by which way, and what became of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tally_types::Timestamp;

/// By which way.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Mail by SMTP.
    Email,
    /// A signed `POST`.
    Webhook,
    /// A `POST` that Slack and its like understand.
    Slack,
}

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It will be tried, for the first time or again.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// It was given up; it can be sent again by hand.
    Failed,
}

/// What was sent to whom, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Delivery {
    /// Its id.
    pub id: String,
    /// When there was something to tell.
    pub at: Timestamp,
    /// By which way.
    pub channel: Channel,
    /// An address, or the receiver's name in the configuration.
    pub to: String,
    /// One line.
    pub title: String,
    /// How far it has come.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: i64,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When the receiver took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
}

/// Some deliveries, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct DeliveriesPage {
    /// The deliveries.
    pub items: Vec<Delivery>,
    /// The `after` of the next page; null on the last one.
    pub next: Option<String>,
}

/// What is to be sent now.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// The same at every attempt, so that a receiver knows what it has seen.
    pub id: i64,
    /// An address, or the receiver's name in the configuration.
    pub to: String,
    /// When there was something to tell.
    pub at: Timestamp,
    /// `topic`, `title`, `body`, `link`, `data`.
    pub notice: Value,
}

/// Words in the database and the API.
macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $type {
            /// The word used everywhere.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(format!("`{text}` is unknown; expected one of {}", [$($word),*].join(", "))),
                }
            }
        }
    };
}

words!(Channel { Email = "email", Webhook = "webhook", Slack = "slack" });
words!(DeliveryState { Waiting = "waiting", Delivered = "delivered", Failed = "failed" });
