//! What rules do, and how strict that is.

use std::{collections::BTreeSet, sync::Arc};

use tally_types::{
    ProviderName,
    spec::{PolicyEffect, RuleDegrade, RuleEffect, RuleEffectMap, RuleEffectWord},
};

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Records that this is fine.
    Allow,
    /// Records.
    Log,
    /// Replaces kinds of data before the prompt leaves.
    Redact {
        /// Which.
        kinds: Arc<BTreeSet<String>>,
        /// Whether they are put back into the reply.
        restore: bool,
    },
    /// Has a cheaper model serve.
    Degrade(RuleDegrade),
    /// Has another provider serve.
    Reroute(ProviderName),
    /// Refuses until someone approves an exception.
    Review,
    /// Refuses what no registered workload explains.
    Register,
    /// Refuses.
    Deny,
}

// === impl Act ===

impl Act {
    pub(super) fn new(effect: &RuleEffect, restore: bool) -> Self {
        match effect {
            RuleEffect::Word(word) => match word {
                RuleEffectWord::Allow => Self::Allow,
                RuleEffectWord::Deny => Self::Deny,
                RuleEffectWord::Review => Self::Review,
                RuleEffectWord::Degrade => Self::Degrade(RuleDegrade::default()),
                RuleEffectWord::Register => Self::Register,
                RuleEffectWord::Log => Self::Log,
            },
            RuleEffect::Map(RuleEffectMap::Redact(kinds)) => {
                Self::Redact { kinds: Arc::new(kinds.iter().cloned().collect()), restore }
            }
            RuleEffect::Map(RuleEffectMap::Reroute(provider)) => Self::Reroute(provider.clone()),
            RuleEffect::Map(RuleEffectMap::Degrade(how)) => Self::Degrade(how.clone()),
        }
    }

    /// The word that files, headers and explanations use.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Log => "log",
            Self::Redact { .. } => "redact",
            Self::Degrade(_) => "degrade",
            Self::Reroute(_) => "reroute",
            Self::Review => "review",
            Self::Register => "register",
            Self::Deny => "deny",
        }
    }

    /// What it makes of a call on its own.
    pub const fn effect(&self) -> PolicyEffect {
        match self {
            Self::Allow | Self::Log | Self::Redact { .. } => PolicyEffect::Allow,
            Self::Degrade(_) => PolicyEffect::Degrade,
            Self::Reroute(_) => PolicyEffect::Reroute,
            Self::Review => PolicyEffect::Review,
            Self::Register | Self::Deny => PolicyEffect::Deny,
        }
    }

    /// Stricter acts come after milder ones.
    pub(super) const fn strictness(&self) -> u8 {
        match self {
            Self::Allow => 0,
            Self::Log => 1,
            Self::Redact { .. } => 2,
            Self::Degrade(_) => 3,
            Self::Reroute(_) => 4,
            Self::Review => 5,
            Self::Register => 6,
            Self::Deny => 7,
        }
    }

    /// Whether a condition that cannot be evaluated counts as met: what protects does.
    pub(super) const fn is_safe_side(&self) -> bool {
        matches!(self, Self::Redact { .. } | Self::Review | Self::Register | Self::Deny)
    }

    /// In words for people: `redact email, phone`, `reroute to anthropic`.
    pub fn in_words(&self) -> String {
        match self {
            Self::Redact { kinds, .. } => {
                let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
                format!("redact {}", kinds.join(", "))
            }
            Self::Reroute(provider) => format!("reroute to {provider}"),
            Self::Degrade(RuleDegrade { tier: Some(tier), .. }) => format!("degrade to {tier}"),
            Self::Degrade(RuleDegrade { to: Some(model), .. }) => format!("degrade to {model}"),
            other => other.word().to_owned(),
        }
    }
}
