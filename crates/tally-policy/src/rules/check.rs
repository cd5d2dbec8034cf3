//! What is wrong with a policy, found before it runs.

use tally_types::{
    Timestamp,
    spec::{PolicySpec, PolicyTest, RuleEffect, RuleEffectMap},
};

use super::{
    condition::Condition,
    set::{Ask, RuleSet},
};
use crate::{
    redact::{DataKind, Pattern, PatternError},
    words::or_meant,
};

/// Something wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleProblem {
    /// Path of the field within the spec, such as `rules[1].when`.
    pub field: String,
    /// Where in the field's text, in characters; none for the field as a whole.
    pub offset: Option<usize>,
    /// What was expected.
    pub message: String,
}

/// Everything that is wrong with a policy beyond its shape: conditions that cannot be read or
/// can never be meant, kinds of data that nobody knows, and tests of its own that fail.
pub fn check(spec: &PolicySpec) -> Vec<RuleProblem> {
    let mut problems = Vec::new();
    for (index, rule) in spec.rules.iter().enumerate() {
        if let Err(mistakes) = Condition::compile(&rule.when) {
            problems.extend(mistakes.into_iter().map(|mistake| RuleProblem {
                field: format!("rules[{index}].when"),
                offset: Some(mistake.offset),
                message: mistake.message,
            }));
        }
        check_kinds(spec, &rule.then, &format!("rules[{index}].then.redact"), &mut problems);
    }
    for (index, it) in spec.overrides.iter().enumerate() {
        for (at, rule) in it.rules.iter().enumerate() {
            let Some(then) = &rule.then else { continue };
            let field = format!("overrides[{index}].rules[{at}].then.redact");
            check_kinds(spec, then, &field, &mut problems);
        }
    }
    for (index, pattern) in spec.patterns.iter().enumerate() {
        let Err(error) = Pattern::new(&pattern.name, &pattern.regex) else { continue };
        let (field, message) = match error {
            PatternError::Name(_) => ("name", error.to_string()),
            // The last line says what is wrong; those before it draw where.
            PatternError::Regex(reason) => {
                let reason = reason.lines().last().unwrap_or("unreadable").trim().to_owned();
                ("regex", format!("not a regular expression: {reason}"))
            }
            PatternError::MatchesNothing => ("regex", error.to_string()),
        };
        let field = format!("patterns[{index}].{field}");
        problems.push(RuleProblem { field, offset: None, message });
    }
    // A policy that cannot be read has no answer to compare.
    if problems.is_empty() {
        problems.extend(run_tests(spec));
    }
    problems
}

fn check_kinds(
    spec: &PolicySpec,
    effect: &RuleEffect,
    field: &str,
    problems: &mut Vec<RuleProblem>,
) {
    let RuleEffect::Map(RuleEffectMap::Redact(kinds)) = effect else { return };
    let own = spec.patterns.iter().map(|pattern| pattern.name.as_str());
    let built_in = DataKind::BUILT_IN;
    let known: Vec<&str> = built_in.iter().map(DataKind::as_str).chain(own).collect();
    for (index, kind) in kinds.iter().enumerate() {
        if !known.contains(&kind.as_str()) {
            let meant = or_meant(kind, &known);
            problems.push(RuleProblem {
                field: format!("{field}[{index}]"),
                offset: None,
                message: format!("`{kind}` is no kind of data that redaction knows{meant}"),
            });
        }
    }
}

/// Tries a policy, alone, on the calls that stand beside it.
fn run_tests(spec: &PolicySpec) -> Vec<RuleProblem> {
    if spec.tests.is_empty() {
        return Vec::new();
    }
    // A test is about what the rules say, whether they are only watched yet or not.
    let acting = PolicySpec { shadow: None, ..spec.clone() };
    let rules = RuleSet::compile([("", &acting)]);
    let failing = spec.tests.iter().enumerate().filter_map(|(index, test)| {
        let wrong = differs(&rules, test)?;
        let message = format!("the test `{}` fails: {wrong}", test.name);
        Some(RuleProblem { field: format!("tests[{index}]"), offset: None, message })
    });
    failing.collect()
}

/// How the decision differs from what the test expects.
fn differs(rules: &RuleSet, test: &PolicyTest) -> Option<String> {
    let ask = Ask { call: &test.call, waivers: &[], now: Timestamp::UNIX_EPOCH };
    let decision = rules.decide(ask);
    // The policy stands alone and has no name here.
    let own = |rule: &str| format!("`{}`", rule.trim_start_matches('/'));
    let decided =
        decision.binding.as_ref().map_or_else(|| "no rule".to_owned(), |it| own(&it.rule));
    let why = match decision.errors.first() {
        Some(error) => format!(" ({} could not be evaluated: {})", own(&error.rule), error.message),
        None => String::new(),
    };
    if let Some(effect) = test.expect.effect.filter(|effect| *effect != decision.effect) {
        return Some(format!("expected {effect}, found {} by {decided}{why}", decision.effect));
    }
    if let Some(rule) = &test.expect.rule {
        let id = format!("/{rule}");
        let is_matched = decision.matched.iter().any(|it| *it.rule == *id);
        // A rule that only allows or records decides nothing, but is seen.
        let decides = decision.binding.as_ref().is_none_or(|it| *it.rule == *id);
        if !(is_matched && decides) {
            return Some(format!("expected the rule `{rule}`, found {decided}{why}"));
        }
    }
    if let Some(kinds) = &test.expect.redact {
        let found: Vec<&str> = decision.redact.iter().map(String::as_str).collect();
        let mut wanted: Vec<&str> = kinds.iter().map(String::as_str).collect();
        wanted.sort_unstable();
        if wanted != found {
            let shown = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
            return Some(format!("expected {} redacted, found {shown}{why}", wanted.join(", ")));
        }
    }
    None
}
