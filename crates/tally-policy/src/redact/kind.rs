//! The kinds of data that redaction knows.

use std::{fmt, str::FromStr};

/// The longest name of a custom kind: placeholders carry it.
const NAME_BYTES_MAX: usize = 32;

/// A kind of data that is not to leave.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataKind {
    /// E-mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
    /// Bank accounts.
    Iban,
    /// Payment cards.
    CreditCard,
    /// Identity, tax and social security numbers of people.
    NationalId,
    /// Addresses of machines.
    IpAddress,
    /// API keys, tokens, passwords, private keys.
    Secret,
    /// What a policy's own pattern of that name finds.
    Custom(Box<str>),
}

/// A word that can be no kind's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected one of `email`, `phone`, `iban`, `credit_card`, `national_id`, `ip_address`, `secret`, or the name of a pattern: at most {NAME_BYTES_MAX} small letters, digits, `-` and `_`"
)]
pub struct UnknownKind;

// === impl DataKind ===

impl DataKind {
    /// Every kind that needs no pattern.
    pub const BUILT_IN: [Self; 7] = [
        Self::Email,
        Self::Phone,
        Self::Iban,
        Self::CreditCard,
        Self::NationalId,
        Self::IpAddress,
        Self::Secret,
    ];

    /// Its name in policies and on events.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Iban => "iban",
            Self::CreditCard => "credit_card",
            Self::NationalId => "national_id",
            Self::IpAddress => "ip_address",
            Self::Secret => "secret",
            Self::Custom(name) => name,
        }
    }

    /// Of two findings that overlap, the one with the lower number stands: patterns that
    /// somebody wrote down first, then by how unmistakable a kind's form is.
    pub(super) fn precedence(&self) -> u8 {
        match self {
            Self::Custom(_) => 0,
            Self::Secret => 1,
            Self::Iban => 2,
            Self::CreditCard => 3,
            Self::Email => 4,
            Self::NationalId => 5,
            Self::IpAddress => 6,
            Self::Phone => 7,
        }
    }
}

impl fmt::Display for DataKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for DataKind {
    type Err = UnknownKind;

    fn from_str(word: &str) -> Result<Self, UnknownKind> {
        if let Some(kind) = Self::BUILT_IN.iter().find(|kind| kind.as_str() == word) {
            return Ok(kind.clone());
        }
        let is_part = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
        };
        let is_name = word.len() <= NAME_BYTES_MAX
            && word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.bytes().all(is_part);
        if is_name { Ok(Self::Custom(word.into())) } else { Err(UnknownKind) }
    }
}
