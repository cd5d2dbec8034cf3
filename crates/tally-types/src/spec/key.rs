//! Virtual keys.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CallId, EventId, FieldError, KeyScope, Kind, PersonName, Reference, Role, WorkloadName,
    resource::KindSpec, spec::RateLimit,
};

/// A key's secret must hold at least 128 bits: 22 characters of base 62 and more.
pub const SECRET_CHARACTERS_MIN: usize = 22;

/// Where a key's secret is, or what is left of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum KeySecret {
    /// In an environment variable of the running Tally.
    Env {
        /// The variable.
        env: String,
    },
    /// Made by Tally and shown once; only its hash is kept.
    Hashed {
        /// SHA-256 of the secret, in hexadecimal.
        sha256: String,
        /// The first characters, to recognise it by.
        prefix: String,
    },
}

/// Why a key opens nothing for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeySuspension {
    /// Since when; the time of the call, where a rule did it.
    pub at: Timestamp,
    /// Who did it, as the audit trail names them.
    pub by: String,
    /// Why, in a sentence.
    pub reason: String,
    /// The severe rule that was met, as `policy/rule`; none when it was done by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The usage event of the call that met it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventId>,
    /// That call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
}

/// How a suspension ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyReinstatement {
    /// When. What the key did until then does not suspend it again.
    pub at: Timestamp,
    /// Who did it, as the audit trail names them.
    pub by: String,
    /// What was found.
    pub note: String,
}

/// A virtual key: who calls, for which workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeySpec {
    /// The human who uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonName>,
    /// The workload it stands for unless a header names another that it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadName>,
    /// Further workloads that a header may name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workloads: Vec<WorkloadName>,
    /// Roles of a key that is no person's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// What it may be used for, within what its roles allow; empty stands for everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<KeyScope>,
    /// Its secret.
    pub secret: KeySecret,
    /// When it stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether it was withdrawn.
    #[serde(default)]
    pub revoked: bool,
    /// Why it opens nothing for now. Said by `tally key suspend` and by rules that contain; a
    /// file that is silent on it keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<KeySuspension>,
    /// How its last suspension ended. Said by `tally key reinstate` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reinstated: Option<KeyReinstatement>,
    /// How fast its calls may come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
}

/// What makes a secret too weak to accept, if anything.
pub fn weak_secret(secret: &str) -> Option<&'static str> {
    let mut distinct: Vec<char> = secret.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if secret.chars().count() < SECRET_CHARACTERS_MIN {
        return Some("expected at least 22 characters (128 bits); `tally key create` makes one");
    }
    if distinct.len() < 10 {
        return Some("too few different characters for 128 bits; `tally key create` makes one");
    }
    if !secret.chars().all(|c| c.is_ascii_graphic()) {
        return Some("expected printable ASCII without spaces, as it travels in a header");
    }
    None
}

// === impl KeySpec ===

impl KeySpec {
    /// Whether the key was given back at that time or later.
    pub fn was_reinstated_since(&self, at: Timestamp) -> bool {
        self.reinstated.as_ref().is_some_and(|said| said.at >= at)
    }
}

impl KindSpec for KeySpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        RateLimit::check(self.rate_limit.as_ref(), errors);
        if self.person.is_none() && self.workload.is_none() && self.roles.is_empty() {
            errors.push(FieldError::new("person", "expected a `person`, a `workload` or `roles`"));
        }
        if self.person.is_some() && !self.roles.is_empty() {
            errors.push(FieldError::new(
                "roles",
                "a person's key has the person's roles; remove `roles`",
            ));
        }
        if let KeySecret::Hashed { sha256, .. } = &self.secret {
            let is_hash = sha256.len() == 64 && sha256.chars().all(|c| c.is_ascii_hexdigit());
            if !is_hash {
                errors.push(FieldError::new("secret.sha256", "expected 64 hexadecimal digits"));
            }
        }
    }

    fn references(&self, references: &mut Vec<Reference>) {
        if let Some(person) = &self.person {
            references.push(Reference::new("person", Kind::Person, &person.0));
        }
        if let Some(workload) = &self.workload {
            references.push(Reference::new("workload", Kind::Workload, &workload.0));
        }
        for (index, workload) in self.workloads.iter().enumerate() {
            let field = format!("workloads[{index}]");
            references.push(Reference::new(field, Kind::Workload, &workload.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regression_28_weak_master_keys_are_refused() {
        for weak in [
            "sk-1234",
            "admin",
            "",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "1234 5678 90ab cdef ghij klmn",
        ] {
            assert!(weak_secret(weak).is_some(), "{weak}");
        }
        assert_eq!(weak_secret("tally_4fJ2kQz8LmN0pRsTuVwXyZ"), None);
    }
}
