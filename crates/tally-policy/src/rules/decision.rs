//! What becomes of a call once every rule has spoken.

use std::{cmp::Reverse, collections::BTreeSet, sync::Arc};

use tally_types::{
    ProviderName, Severity, Timestamp,
    spec::{Containment, PolicyCall, PolicyEffect, RuleDegrade},
};

use super::act::Act;

/// What becomes of a call, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The strictest effect of the rules that act.
    pub effect: PolicyEffect,
    /// The rule that decided; none when none did more than allow or record.
    pub binding: Option<Matched>,
    /// Kinds of data to replace before the prompt leaves.
    pub redact: BTreeSet<String>,
    /// Whether they are put back into the reply: only if every rule that redacts says so.
    pub restore: bool,
    /// The provider to send to instead.
    pub reroute: Option<ProviderName>,
    /// The cheaper model to serve by.
    pub degrade: Option<RuleDegrade>,
    /// The severe rule that asks for the key to be suspended.
    pub contain: Option<Arc<str>>,
    /// The rules that act, the strictest first.
    pub matched: Vec<Matched>,
    /// The rules that would act, were they not in shadow mode.
    pub shadow: Vec<Matched>,
    /// The rules that an exception waives.
    pub waived: Vec<Waived>,
    /// Rules that could not be evaluated, whether that counts as a match or not.
    pub errors: Vec<RuleError>,
}

/// A rule that holds for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// `policy/rule`.
    pub rule: Arc<str>,
    /// What it does.
    pub act: Act,
    /// How bad a match is.
    pub severity: Option<Severity>,
    /// The sentence for humans.
    pub says: Arc<str>,
    /// What happens at once.
    pub contain: Option<Containment>,
}

/// A rule that an exception waives for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waived {
    /// The rule as it would have acted.
    pub matched: Matched,
    /// The exception.
    pub exception: String,
    /// Until when.
    pub until: Timestamp,
}

/// A rule that could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// `policy/rule`.
    pub rule: Arc<str>,
    /// Why.
    pub message: String,
}

/// An approved exception: a rule that does not act for someone, for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The exception's name.
    pub exception: String,
    /// `policy/rule`.
    pub rule: String,
    /// For calls of this person.
    pub person: Option<String>,
    /// For calls of this team.
    pub team: Option<String>,
    /// For calls of this workload.
    pub workload: Option<String>,
    /// For calls with this key.
    pub key: Option<String>,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

// === impl Waiver ===

impl Waiver {
    /// Whether it holds for the call: everything it names does, and it names something.
    pub(super) fn covers(&self, rule: &str, call: &PolicyCall, now: Timestamp) -> bool {
        let workload = call.workload.as_ref().map_or("", |it| it.name.as_str());
        let scope = [
            (&self.person, call.person.as_str()),
            (&self.team, call.team.as_str()),
            (&self.workload, workload),
            (&self.key, call.key.as_str()),
        ];
        self.rule == rule
            && self.from <= now
            && now < self.until
            && scope.iter().any(|(wanted, _)| wanted.is_some())
            && scope.iter().all(|(wanted, has)| wanted.as_deref().is_none_or(|it| it == *has))
    }
}

// === impl Matched ===

impl Matched {
    /// The strictest first; among equals the most severe, then by name.
    /// Whether it has the key suspended: a severe one that says so. Where other words make it
    /// milder, it does not.
    pub fn contains(&self) -> bool {
        self.contain.is_some() && self.severity == Some(Severity::Severe)
    }

    fn order(&self) -> (Reverse<u8>, Reverse<Option<Severity>>, Arc<str>) {
        (Reverse(self.act.strictness()), Reverse(self.severity), Arc::clone(&self.rule))
    }
}

// === impl Decision ===

impl Decision {
    /// What follows from the rules that hold.
    pub(super) fn combine(
        mut matched: Vec<Matched>,
        mut shadow: Vec<Matched>,
        waived: Vec<Waived>,
        errors: Vec<RuleError>,
    ) -> Self {
        matched.sort_by_cached_key(Matched::order);
        shadow.sort_by_cached_key(Matched::order);
        let binding = matched.first();
        let binding = binding.filter(|it| it.act.strictness() > Act::Log.strictness()).cloned();
        let mut decision = Self {
            effect: binding.as_ref().map_or(PolicyEffect::Allow, |it| it.act.effect()),
            binding,
            redact: BTreeSet::new(),
            restore: false,
            reroute: None,
            degrade: None,
            contain: None,
            matched: Vec::new(),
            shadow,
            waived,
            errors,
        };
        let mut restores: Option<bool> = None;
        for it in &matched {
            match &it.act {
                Act::Redact { kinds, restore } => {
                    decision.redact.extend(kinds.iter().cloned());
                    restores = Some(restores.unwrap_or(true) && *restore);
                }
                Act::Reroute(provider) => {
                    decision.reroute.get_or_insert_with(|| provider.clone());
                }
                Act::Degrade(how) => {
                    // A cheaper tier is stricter; what names none is the mildest.
                    let is_stricter =
                        decision.degrade.as_ref().is_none_or(|known| how.tier > known.tier);
                    if is_stricter {
                        decision.degrade = Some(how.clone());
                    }
                }
                _ => {}
            }
            if it.contains() && decision.contain.is_none() {
                decision.contain = Some(Arc::clone(&it.rule));
            }
        }
        decision.restore = restores.unwrap_or(false);
        decision.matched = matched;
        decision
    }

    /// The worst severity of the rules that act.
    pub fn severity(&self) -> Option<Severity> {
        self.matched.iter().filter_map(|it| it.severity).max()
    }

    /// Whether the call is refused.
    pub fn refuses(&self) -> bool {
        matches!(self.effect, PolicyEffect::Deny | PolicyEffect::Review)
    }
}
