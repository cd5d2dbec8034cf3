//! One rule of one policy, compiled, with what parts of the company say otherwise.

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

use cel::Env;
use tally_types::{
    Severity,
    spec::{Containment, OverrideFor, PolicyCall, PolicyRule, PolicySpec, Shadow},
};

use super::{act::Act, condition::Condition, variables::Facts};

/// A rule, ready.
#[derive(Debug)]
pub(super) struct Rule {
    /// `policy/rule`.
    pub(super) id: Arc<str>,
    pub(super) when: String,
    /// Or why it cannot be read.
    pub(super) condition: Result<Condition, String>,
    pub(super) says: Terms,
    pub(super) others: Vec<Other>,
    shadow: ShadowOf,
}

/// What a rule does, how bad a match is, and the sentence for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) act: Act,
    pub(super) severity: Option<Severity>,
    pub(super) sentence: Arc<str>,
    pub(super) contain: Option<Containment>,
    pub(super) off: bool,
}

/// Other terms for a part of the company.
#[derive(Debug)]
pub(super) struct Other {
    pub(super) whom: OverrideFor,
    act: Option<Act>,
    off: bool,
    severity: Option<Severity>,
    sentence: Option<Arc<str>>,
}

#[derive(Debug)]
enum ShadowOf {
    No,
    Everyone,
    Pilot(BTreeSet<String>),
}

/// How a rule stands towards a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Force {
    /// It acts.
    Acts,
    /// It only watches.
    Watches,
    /// It is in a pilot that the call is no part of.
    Elsewhere,
}

// === impl Rule ===

impl Rule {
    pub(super) fn new(policy: &str, spec: &PolicySpec, rule: &PolicyRule) -> Self {
        let condition = Condition::compile(&rule.when).map_err(|mistakes| {
            let first = mistakes.into_iter().next();
            first.map_or_else(String::new, |mistake| mistake.message)
        });
        let others = spec.overrides.iter().flat_map(|it| {
            it.rules.iter().filter(|other| other.id == rule.id).map(|other| Other {
                whom: it.whom.clone(),
                act: other.then.as_ref().map(|then| Act::new(then, rule.restore.unwrap_or(true))),
                off: other.off,
                severity: other.severity,
                sentence: other.says.as_deref().map(Into::into),
            })
        });
        Self {
            id: format!("{policy}/{}", rule.id).into(),
            when: rule.when.clone(),
            condition,
            says: Terms {
                act: Act::new(&rule.then, rule.restore.unwrap_or(true)),
                severity: rule.severity,
                sentence: rule.says.as_str().into(),
                contain: rule.contain,
                off: false,
            },
            others: others.collect(),
            shadow: ShadowOf::new(spec.shadow.as_ref()),
        }
    }

    pub(super) fn force(&self, call: &PolicyCall) -> Force {
        match &self.shadow {
            ShadowOf::No => Force::Acts,
            ShadowOf::Everyone => Force::Watches,
            ShadowOf::Pilot(teams) if teams.contains(&call.team) => Force::Watches,
            ShadowOf::Pilot(_) => Force::Elsewhere,
        }
    }

    /// The terms for a call: inherited, but for what its part of the company says otherwise.
    pub(super) fn terms(&self, call: &PolicyCall) -> Cow<'_, Terms> {
        let mut terms = Cow::Borrowed(&self.says);
        for other in self.others.iter().filter(|other| other.applies(call)) {
            let terms = terms.to_mut();
            terms.off |= other.off;
            terms.severity = other.severity.or(terms.severity);
            if let Some(act) = &other.act {
                terms.act = act.clone();
                // What comes later says it anew.
                terms.off = other.off;
            }
            if let Some(sentence) = &other.sentence {
                terms.sentence = Arc::clone(sentence);
            }
        }
        terms
    }

    pub(super) fn holds(&self, facts: &Facts<'_>, env: &Arc<Env>) -> Result<bool, String> {
        match &self.condition {
            Ok(condition) => condition.holds(facts, env),
            Err(problem) => Err(format!("its condition cannot be read: {problem}")),
        }
    }
}

// === impl Other ===

impl Other {
    pub(super) fn applies(&self, call: &PolicyCall) -> bool {
        match &self.whom {
            OverrideFor::Team(team) => team.as_str() == call.team,
            OverrideFor::Department(department) => *department == call.department,
            OverrideFor::Role(role) => call.roles.contains(role),
        }
    }

    /// Whose words these are.
    pub(super) fn whose(&self) -> String {
        match &self.whom {
            OverrideFor::Team(team) => format!("team {team}"),
            OverrideFor::Department(department) => format!("department {department}"),
            OverrideFor::Role(role) => format!("role {role}"),
        }
    }
}

// === impl ShadowOf ===

impl ShadowOf {
    fn new(shadow: Option<&Shadow>) -> Self {
        match shadow {
            None | Some(Shadow::Everyone(false)) => Self::No,
            Some(Shadow::Everyone(true)) => Self::Everyone,
            Some(Shadow::Pilot(pilot)) => {
                Self::Pilot(pilot.teams.iter().map(ToString::to_string).collect())
            }
        }
    }
}
