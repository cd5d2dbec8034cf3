//! Guardrail rules, as their files hold them; the policy room compiles and decides.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    FieldError, Kind, ModelName, ProviderName, Reference, Role, Severity, TeamName, Tier,
    resource::KindSpec, spec::PolicyTest, vocabulary::vocabulary,
};

/// An id goes into paths, headers and events.
const ID_CHARACTERS_MAX: usize = 64;

vocabulary! {
    /// What a rule does without further words.
    RuleEffectWord {
        /// Say that this is fine; recorded, overrides nothing.
        Allow = "allow",
        /// Refuse.
        Deny = "deny",
        /// Refuse with a link that opens an approval.
        Review = "review",
        /// Serve by the model's declared cheaper one.
        Degrade = "degrade",
        /// Refuse unless a registered workload explains the call.
        Register = "register",
        /// Only record.
        Log = "log",
    }
}

/// What a rule does, with words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleEffectMap {
    /// Replace these kinds of data before the prompt leaves: `email`, `phone`, `iban`,
    /// `credit_card`, `national_id`, `ip_address`, `secret`, or the name of a pattern.
    Redact(Vec<String>),
    /// Send to this provider instead.
    Reroute(ProviderName),
    /// Serve by a cheaper model.
    Degrade(RuleDegrade),
}

/// To which cheaper model.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleDegrade {
    /// The first of the chain of cheaper models that is of this tier, or a cheaper one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// This model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<ModelName>,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RuleEffect {
    /// A word.
    Word(RuleEffectWord),
    /// A word with words.
    Map(RuleEffectMap),
}

vocabulary! {
    /// What happens at once when a severe rule acts.
    Containment {
        /// The key is suspended until an admin or security takes it back.
        SuspendKey = "suspend_key",
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyRule {
    /// What decisions call it, behind the policy's name: `data-classes/no-secrets`.
    pub id: String,
    /// A CEL condition over what is known of the call.
    pub when: String,
    /// What it does.
    pub then: RuleEffect,
    /// How bad a match is; it classifies and decides nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// A sentence for humans.
    pub says: String,
    /// Of a `redact` rule: whether the data is put back into the reply. It is, unless this is
    /// false: who sent it knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<bool>,
    /// Of a severe rule: what happens at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contain: Option<Containment>,
}

/// Whether a policy only watches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Shadow {
    /// `true`: it decides and records for everyone, and acts for no one.
    Everyone(bool),
    /// A pilot: it decides and records for these teams, and is not in force for others.
    Pilot(ShadowPilot),
}

/// The teams of a pilot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShadowPilot {
    /// The teams.
    pub teams: Vec<TeamName>,
}

/// Other words for a part of the company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyOverride {
    /// For whom.
    #[serde(rename = "for")]
    pub whom: OverrideFor,
    /// Which rules, and what is different; what is not said is inherited.
    pub rules: Vec<RuleOverride>,
}

/// For whom rules are overridden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverrideFor {
    /// A team.
    Team(TeamName),
    /// A department.
    Department(String),
    /// Whoever has this role.
    Role(Role),
}

/// What is different about one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleOverride {
    /// The rule.
    pub id: String,
    /// What it does instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<RuleEffect>,
    /// `true`: it does not apply.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off: bool,
    /// How bad a match is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The sentence for humans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
}

/// A kind of data of the company's own that `redact` can name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedactionPattern {
    /// What `redact` and placeholders call it.
    pub name: String,
    /// A regular expression that finds it.
    pub regex: String,
}

/// A short, readable set of rules.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicySpec {
    /// What the policy is for, in a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Whether it only watches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Shadow>,
    /// The rules; all that match apply.
    pub rules: Vec<PolicyRule>,
    /// Other words for parts of the company; where several apply, the later one counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<PolicyOverride>,
    /// Kinds of data of the company's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<RedactionPattern>,
    /// Calls with what this policy alone has to decide; one that fails refuses the policy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<PolicyTest>,
}

// === impl PolicySpec ===

impl KindSpec for PolicySpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        for (index, rule) in self.rules.iter().enumerate() {
            rule.check(&format!("rules[{index}]"), errors);
            if self.rules.iter().take(index).any(|earlier| earlier.id == rule.id) {
                let message = format!("`{}` stands twice; expected another id", rule.id);
                errors.push(FieldError::new(format!("rules[{index}].id"), message));
            }
        }
        for (index, pattern) in self.patterns.iter().enumerate() {
            let field = format!("patterns[{index}].name");
            check_id(&pattern.name, &field, errors);
            if self.patterns.iter().take(index).any(|earlier| earlier.name == pattern.name) {
                let message = format!("`{}` stands twice; expected another name", pattern.name);
                errors.push(FieldError::new(field, message));
            }
        }
        for (index, it) in self.overrides.iter().enumerate() {
            for (at, rule) in it.rules.iter().enumerate() {
                rule.check(&format!("overrides[{index}].rules[{at}]"), &self.rules, errors);
            }
        }
    }

    fn references(&self, references: &mut Vec<Reference>) {
        for (index, rule) in self.rules.iter().enumerate() {
            rule.then.references(&format!("rules[{index}].then"), references);
        }
        if let Some(Shadow::Pilot(pilot)) = &self.shadow {
            for (index, team) in pilot.teams.iter().enumerate() {
                let field = format!("shadow.teams[{index}]");
                references.push(Reference::new(field, Kind::Team, &team.0));
            }
        }
        for (index, it) in self.overrides.iter().enumerate() {
            if let OverrideFor::Team(team) = &it.whom {
                let field = format!("overrides[{index}].for.team");
                references.push(Reference::new(field, Kind::Team, &team.0));
            }
            for (at, rule) in it.rules.iter().enumerate() {
                if let Some(then) = &rule.then {
                    then.references(&format!("overrides[{index}].rules[{at}].then"), references);
                }
            }
        }
    }
}

// === impl PolicyRule ===

impl PolicyRule {
    fn check(&self, at: &str, errors: &mut Vec<FieldError>) {
        check_id(&self.id, &format!("{at}.id"), errors);
        for (name, text) in [("when", &self.when), ("says", &self.says)] {
            if text.trim().is_empty() {
                errors.push(FieldError::new(format!("{at}.{name}"), "expected some text"));
            }
        }
        self.then.check(&format!("{at}.then"), errors);
        if self.restore.is_some() && !matches!(self.then, RuleEffect::Map(RuleEffectMap::Redact(_)))
        {
            let message = "only a rule whose `then` is `redact` has something to restore";
            errors.push(FieldError::new(format!("{at}.restore"), message));
        }
        if self.contain.is_some() && self.severity != Some(Severity::Severe) {
            let message = "only a rule with `severity: severe` contains";
            errors.push(FieldError::new(format!("{at}.contain"), message));
        }
    }
}

// === impl RuleEffect ===

impl RuleEffect {
    fn check(&self, at: &str, errors: &mut Vec<FieldError>) {
        match self {
            Self::Map(RuleEffectMap::Redact(kinds)) if kinds.is_empty() => {
                let message = "expected at least one kind of data";
                errors.push(FieldError::new(format!("{at}.redact"), message));
            }
            Self::Map(RuleEffectMap::Degrade(how)) if how.tier.is_some() == how.to.is_some() => {
                let message = "expected either `tier` or `to`";
                errors.push(FieldError::new(format!("{at}.degrade"), message));
            }
            _ => {}
        }
    }

    fn references(&self, at: &str, references: &mut Vec<Reference>) {
        match self {
            Self::Map(RuleEffectMap::Reroute(provider)) => {
                let field = format!("{at}.reroute");
                references.push(Reference::new(field, Kind::Provider, &provider.0));
            }
            Self::Map(RuleEffectMap::Degrade(RuleDegrade { to: Some(model), .. })) => {
                let field = format!("{at}.degrade.to");
                references.push(Reference::new(field, Kind::Model, &model.0));
            }
            _ => {}
        }
    }
}

// === impl RuleOverride ===

impl RuleOverride {
    fn check(&self, at: &str, rules: &[PolicyRule], errors: &mut Vec<FieldError>) {
        if !rules.iter().any(|rule| rule.id == self.id) {
            let ids: Vec<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
            let message =
                format!("this policy has no rule `{}`; it has {}", self.id, ids.join(", "));
            errors.push(FieldError::new(format!("{at}.id"), message));
        }
        let says_nothing = self.then.is_none() && self.severity.is_none() && self.says.is_none();
        if says_nothing && !self.off {
            let message = "expected `then`, `off`, `severity` or `says`";
            errors.push(FieldError::new(at, message));
        }
        if let Some(then) = &self.then {
            then.check(&format!("{at}.then"), errors);
        }
    }
}

fn check_id(id: &str, field: &str, errors: &mut Vec<FieldError>) {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.is_empty() || id.len() > ID_CHARACTERS_MAX || !id.chars().all(is_plain) {
        let message = format!(
            "expected 1 to {ID_CHARACTERS_MAX} letters, digits, hyphens, underscores or dots"
        );
        errors.push(FieldError::new(field, message));
    }
}
