//! Finds personal data and secrets in a prompt, puts placeholders in their place, and
//! puts the values back in a reply.
//!
//! [`Detector`] says where what stands; [`Vault`] names each value once; [`Restorer`]
//! undoes that, in streams too. How well it finds is measured in `docs/redaction.md`.
//!
//! Invariants:
//! - The same value has the same placeholder, whatever else a request holds: it follows
//!   from the value and a secret key.
//! - A placeholder is made of letters, digits, `_` and brackets, so that it may stand in
//!   any JSON string, however deeply escaped.
//! - Neither values nor placeholders' values are ever printed.

mod card;
mod country;
mod detector;
mod email;
mod iban;
mod ip;
mod kind;
mod national;
mod numbers;
mod phone;
mod placeholder;
mod restore;
mod secret;
mod text;
mod unescape;

pub use detector::{Detector, Finding, Pattern, PatternError};
pub use kind::{DataKind, UnknownKind};
pub use placeholder::{RedactionKey, Vault};
pub use restore::{Escaping, Restorations, Restorer};
pub use unescape::{Decoded, NotJson};
