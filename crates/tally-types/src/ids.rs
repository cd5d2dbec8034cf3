//! Ids and names, one type per kind, so that they cannot be mixed up.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use uuid::Uuid;

const NAME_BYTES_MAX: usize = 128;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a name: expected 1 to 128 characters of letters, digits and `. _ - @ : / +`, starting with a letter or digit"
)]
pub struct NameError(String);

/// The name of a resource: unique within its kind, cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[schemars(with = "String")]
#[serde(transparent)]
pub struct Name(Arc<str>);

// === impl Name ===

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-@:/+".contains(c);
        let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !starts_well || text.len() > NAME_BYTES_MAX || !text.chars().all(allowed) {
            return Err(NameError(text.chars().take(NAME_BYTES_MAX).collect()));
        }
        Ok(Self(Arc::from(text)))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $type:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        #[schemars(transparent)]
        pub struct $type(pub Name);

        impl $type {
            /// The text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $type {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                text.parse().map(Self)
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                self.0.as_str()
            }
        }
    )*};
}

names! {
    /// The name of a `Person`.
    PersonName,
    /// The name of a `Team`.
    TeamName,
    /// The name of a `CostCenter`.
    CostCenterName,
    /// The name of a `Workload`.
    WorkloadName,
    /// The name of a `Key`.
    KeyName,
    /// The name of a `Provider`.
    ProviderName,
    /// The name of a `Model`.
    ModelName,
    /// The name of a `Budget`.
    BudgetName,
    /// The name of a `Template`.
    TemplateName,
}

macro_rules! uuids {
    ($($(#[$doc:meta])* $type:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        #[schemars(with = "String")]
        pub struct $type(pub Uuid);

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $type {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )*};
}

uuids! {
    /// One usage event or outcome; amendments keep it and raise the revision.
    EventId,
    /// One call as the client sees it; its attempts share it.
    CallId,
    /// One journal, and so one running Tally.
    NodeId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_refuse_what_would_break_a_path_or_a_query() {
        for good in [
            "ada",
            "cc-100-support",
            "claude-opus-4-8[1m]".trim_end_matches("[1m]"),
            "a@b.test",
            "meta/llama:3",
        ] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        for bad in ["", "-x", "a b", "a'b", "a\0", "../x", "ünï", &"x".repeat(129)] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }
}
