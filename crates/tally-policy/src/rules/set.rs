//! All rules of all policies, ready to decide.

use std::{collections::BTreeSet, sync::Arc};

use cel::Env;
use tally_types::{
    Timestamp,
    spec::{PolicyCall, PolicySpec, RedactionPattern},
};

use super::{
    act::Act,
    decision::{Decision, Matched, RuleError, Waived, Waiver},
    index::Index,
    rule::{Force, Rule},
    variables::{Facts, Variable},
};

/// Every rule of every policy, compiled and indexed.
pub struct RuleSet {
    pub(super) rules: Vec<Rule>,
    pub(super) index: Index,
    pub(super) env: Arc<Env>,
    reads: BTreeSet<Variable>,
    patterns: Vec<RedactionPattern>,
}

/// A call to be decided.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// What is known of it.
    pub call: &'a PolicyCall,
    /// Exceptions that were approved.
    pub waivers: &'a [Waiver],
    /// When.
    pub now: Timestamp,
}

/// What a rule has to say about a call.
pub(super) enum Voice {
    /// It does not hold.
    Silent,
    /// It holds, or counts as if it did.
    Holds,
    /// It is in a pilot elsewhere, or switched off for this part of the company.
    Elsewhere,
}

// === impl RuleSet ===

impl RuleSet {
    /// Makes policies ready. A rule whose condition cannot be read, which [`check`] would have
    /// found, counts as one that cannot be evaluated.
    ///
    /// [`check`]: super::check()
    pub fn compile<'a>(policies: impl IntoIterator<Item = (&'a str, &'a PolicySpec)>) -> Self {
        let mut rules = Vec::new();
        let mut patterns: Vec<RedactionPattern> = Vec::new();
        for (name, spec) in policies {
            rules.extend(spec.rules.iter().map(|rule| Rule::new(name, spec, rule)));
            patterns.extend(spec.patterns.iter().cloned());
        }
        patterns.sort_by(|a, b| (&a.name, &a.regex).cmp(&(&b.name, &b.regex)));
        patterns.dedup();
        let conditions = rules.iter().filter_map(|rule| rule.condition.as_ref().ok());
        let reads = conditions.flat_map(|it| it.reads.iter().copied()).collect();
        Self { index: Index::new(&rules), rules, env: Arc::new(Env::stdlib()), reads, patterns }
    }

    /// Rules whose condition cannot be read, each with why.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        self.rules.iter().filter_map(|rule| {
            let problem = rule.condition.as_ref().err()?;
            Some(format!("rule {}: {problem}", rule.id))
        })
    }

    /// Whether there is nothing to decide.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether a rule asks how far the budgets are used.
    pub fn reads_budget_stage(&self) -> bool {
        self.reads.contains(&Variable::BudgetStage)
    }

    /// Whether a rule asks for the time.
    pub fn reads_time(&self) -> bool {
        self.reads.contains(&Variable::Time)
    }

    /// Whether a decision may differ between the models and providers that may serve a call.
    pub fn reads_candidate(&self) -> bool {
        self.reads.iter().any(|variable| variable.is_of_candidate())
    }

    /// The company's own kinds of data, of all policies.
    pub fn patterns(&self) -> &[RedactionPattern] {
        &self.patterns
    }

    /// What becomes of a call.
    pub fn decide(&self, ask: Ask<'_>) -> Decision {
        let facts = Facts::new(ask.call);
        let (mut matched, mut shadow) = (Vec::new(), Vec::new());
        let (mut waived, mut errors) = (Vec::new(), Vec::new());
        for rule in self.index.candidates(ask.call).filter_map(|at| self.rules.get(at)) {
            let (voice, error) = self.hear(rule, &facts);
            errors.extend(error.map(|message| RuleError { rule: Arc::clone(&rule.id), message }));
            if !matches!(voice, Voice::Holds) {
                continue;
            }
            let it = matched_by(rule, ask.call);
            if rule.force(ask.call) == Force::Watches {
                shadow.push(it);
            } else if let Some(waiver) = waiver_of(&it, ask) {
                let (exception, until) = (waiver.exception.clone(), waiver.until);
                waived.push(Waived { matched: it, exception, until });
            } else {
                matched.push(it);
            }
        }
        Decision::combine(matched, shadow, waived, errors)
    }

    /// Whether a rule holds for a call, and what could not be evaluated.
    pub(super) fn hear(&self, rule: &Rule, facts: &Facts<'_>) -> (Voice, Option<String>) {
        let call = facts.call();
        if rule.force(call) == Force::Elsewhere {
            return (Voice::Elsewhere, None);
        }
        let terms = rule.terms(call);
        if terms.off {
            return (Voice::Elsewhere, None);
        }
        if terms.act == Act::Register && call.is_registered() {
            return (Voice::Silent, None);
        }
        match rule.holds(facts, &self.env) {
            Ok(true) => (Voice::Holds, None),
            Ok(false) => (Voice::Silent, None),
            // What protects errs on the side that protects.
            Err(error) if terms.act.is_safe_side() => (Voice::Holds, Some(error)),
            Err(error) => (Voice::Silent, Some(error)),
        }
    }
}

pub(super) fn matched_by(rule: &Rule, call: &PolicyCall) -> Matched {
    let terms = rule.terms(call);
    Matched {
        rule: Arc::clone(&rule.id),
        act: terms.act.clone(),
        severity: terms.severity,
        says: Arc::clone(&terms.sentence),
        contain: terms.contain,
    }
}

/// The exception that waives a rule; the one that ends last.
pub(super) fn waiver_of<'a>(matched: &Matched, ask: Ask<'a>) -> Option<&'a Waiver> {
    let covering = ask.waivers.iter().filter(|it| it.covers(&matched.rule, ask.call, ask.now));
    covering.max_by_key(|waiver| waiver.until)
}
