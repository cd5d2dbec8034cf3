//! Why a call is decided as it is: every rule that can hold, what it says, and whose words
//! those are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_types::{
    Severity, Timestamp,
    spec::{PolicyCall, PolicyEffect},
};

use super::{
    rule::{Force, Rule, Terms},
    set::{Ask, RuleSet, Voice, matched_by, waiver_of},
    variables::Facts,
};

/// What becomes of a call, rule by rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// What becomes of it.
    pub effect: PolicyEffect,
    /// The rule that decides, as `policy/rule`; none when the call just passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// That rule's sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
    /// Kinds of data that are replaced before the prompt leaves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redact: Vec<String>,
    /// Whether they are put back into the reply.
    #[serde(default)]
    pub restore: bool,
    /// The severe rule that has the key suspended, as `policy/rule`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contain: Option<String>,
    /// The rules that could hold, the strictest that act first.
    pub rules: Vec<RuleExplanation>,
    /// How many rules ask for something that this call is not.
    pub others: usize,
}

/// How a rule stands towards a call.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It holds and acts.
    Acts,
    /// It holds, but an exception waives it.
    Waived,
    /// It holds, but is in shadow mode: recorded only.
    Shadow,
    /// It does not hold.
    Silent,
    /// It is switched off for this part of the company, or in a pilot elsewhere.
    NotInForce,
}

/// One rule, for one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleExplanation {
    /// `policy/rule`.
    pub rule: String,
    /// How it stands.
    pub standing: Standing,
    /// Whether it decides.
    pub decides: bool,
    /// Its condition.
    pub when: String,
    /// What it does, in words.
    pub then: String,
    /// How bad a match is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Its sentence.
    pub says: String,
    /// Why it could not be evaluated; what protects then counts as if it held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What a part of the company says otherwise; everything else is inherited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overridden: Vec<Overridden>,
    /// The exception that waives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// One thing that is not as inherited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Overridden {
    /// By whose words, such as `team support`.
    pub by: String,
    /// `then`, `off`, `severity` or `says`.
    pub field: String,
    /// What the policy says.
    pub inherited: String,
    /// What holds here.
    pub value: String,
}

// === impl RuleSet ===

impl RuleSet {
    /// Why a call is decided as it is.
    pub fn explain(&self, ask: Ask<'_>) -> Explanation {
        let decision = self.decide(ask);
        let deciding = decision.binding.as_ref().map(|it| &*it.rule);
        let facts = Facts::new(ask.call);
        let mut seen = Vec::new();
        for rule in self.index.candidates(ask.call).filter_map(|at| self.rules.get(at)) {
            let explained = self.explain_rule(rule, &facts, ask, deciding);
            seen.push((rule.terms(ask.call).act.strictness(), explained));
        }
        seen.sort_by(|(a, one), (b, other)| {
            let key = |rule: &RuleExplanation| (!rule.decides, rule.standing);
            (key(one), b, &one.rule).cmp(&(key(other), a, &other.rule))
        });
        Explanation {
            effect: decision.effect,
            rule: deciding.map(str::to_owned),
            says: decision.binding.as_ref().map(|it| it.says.to_string()),
            redact: decision.redact.into_iter().collect(),
            restore: decision.restore,
            contain: decision.contain.as_deref().map(str::to_owned),
            others: self.len() - seen.len(),
            rules: seen.into_iter().map(|(_, rule)| rule).collect(),
        }
    }

    fn explain_rule(
        &self,
        rule: &Rule,
        facts: &Facts<'_>,
        ask: Ask<'_>,
        deciding: Option<&str>,
    ) -> RuleExplanation {
        let (voice, error) = self.hear(rule, facts);
        let it = matched_by(rule, ask.call);
        let waiver = waiver_of(&it, ask);
        let standing = match voice {
            Voice::Elsewhere => Standing::NotInForce,
            Voice::Silent => Standing::Silent,
            Voice::Holds if rule.force(ask.call) == Force::Watches => Standing::Shadow,
            Voice::Holds if waiver.is_some() => Standing::Waived,
            Voice::Holds => Standing::Acts,
        };
        let waiver = waiver.filter(|_| standing == Standing::Waived);
        RuleExplanation {
            rule: rule.id.to_string(),
            standing,
            decides: deciding == Some(&*rule.id),
            when: rule.when.clone(),
            then: it.act.in_words(),
            severity: it.severity,
            says: it.says.to_string(),
            error,
            overridden: overridden(rule, ask.call),
            exception: waiver.map(|it| it.exception.clone()),
            until: waiver.map(|it| it.until),
        }
    }
}

/// What is not as inherited, with the last words that made it so.
fn overridden(rule: &Rule, call: &PolicyCall) -> Vec<Overridden> {
    let Some(last) = rule.others.iter().rfind(|other| other.applies(call)) else {
        return Vec::new();
    };
    let (inherited, terms) = (&rule.says, rule.terms(call));
    let severity = |terms: &Terms| terms.severity.map_or("none", Severity::as_str).to_owned();
    let fields = [
        ("off", inherited.off.to_string(), terms.off.to_string()),
        ("then", inherited.act.in_words(), terms.act.in_words()),
        ("severity", severity(inherited), severity(&terms)),
        ("says", inherited.sentence.to_string(), terms.sentence.to_string()),
    ];
    let differing = fields.into_iter().filter(|(_, inherited, value)| inherited != value);
    let overridden = differing.map(|(field, inherited, value)| Overridden {
        by: last.whose(),
        field: field.to_owned(),
        inherited,
        value,
    });
    overridden.collect()
}
