//! Checks one spec and says what is wrong in words a person can act on.

use serde::de::DeserializeOwned;
use serde_json::Value;
use tally_types::{Kind, Spec, SpecError, spec};

use crate::suggest::closest;

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpecProblem {
    /// Path within the spec; empty for the spec itself.
    pub(crate) field: String,
    pub(crate) message: String,
    pub(crate) suggestion: Option<String>,
    /// Where in the field's text, in characters, where that is known.
    pub(crate) offset: Option<usize>,
}

/// Reads and checks a spec that is to be stored: also what a policy's rules say. What is
/// stored already was checked so by the Tally that stored it.
///
/// # Errors
/// Everything that is wrong, or the first mistake in the shape.
pub(crate) fn check_new(kind: Kind, value: &Value) -> Result<Spec, Vec<SpecProblem>> {
    let spec = check_spec(kind, value)?;
    let Spec::Policy(policy) = &spec else { return Ok(spec) };
    let problems = tally_policy::rules::check(policy).into_iter().map(|problem| SpecProblem {
        field: problem.field,
        message: problem.message,
        suggestion: None,
        offset: problem.offset,
    });
    let problems: Vec<SpecProblem> = problems.collect();
    if problems.is_empty() { Ok(spec) } else { Err(problems) }
}

/// Reads and checks a spec.
///
/// # Errors
/// Every value that is wrong, or the first mistake in the shape.
pub(crate) fn check_spec(kind: Kind, value: &Value) -> Result<Spec, Vec<SpecProblem>> {
    Spec::parse(kind, value).map_err(|error| match error {
        SpecError::Fields(fields) => fields
            .into_iter()
            .map(|field| SpecProblem {
                field: field.field,
                message: field.message,
                suggestion: None,
                offset: None,
            })
            .collect(),
        // The fast path keeps no paths; only a mistake is worth reading twice.
        SpecError::Shape(message) => {
            let (path, message) = first_mistake(kind, value).unwrap_or((String::new(), message));
            vec![explain(kind, value, path, &message)]
        }
    })
}

fn first_mistake(kind: Kind, value: &Value) -> Option<(String, String)> {
    match kind {
        Kind::Organization => attempt::<spec::OrganizationSpec>(value),
        Kind::Provider => attempt::<spec::ProviderSpec>(value),
        Kind::Model => attempt::<spec::ModelSpec>(value),
        Kind::PriceList => attempt::<spec::PriceListSpec>(value),
        Kind::CostCenter => attempt::<spec::CostCenterSpec>(value),
        Kind::Team => attempt::<spec::TeamSpec>(value),
        Kind::Person => attempt::<spec::PersonSpec>(value),
        Kind::Workload => attempt::<spec::WorkloadSpec>(value),
        Kind::Key => attempt::<spec::KeySpec>(value),
        Kind::Budget => attempt::<spec::BudgetSpec>(value),
        Kind::Grant => attempt::<spec::GrantSpec>(value),
        Kind::Exception => attempt::<spec::ExceptionSpec>(value),
        Kind::AccessRequest => attempt::<spec::AccessRequestSpec>(value),
        Kind::Policy => attempt::<spec::PolicySpec>(value),
        Kind::Baseline => attempt::<spec::BaselineSpec>(value),
        Kind::RateCard => attempt::<spec::RateCardSpec>(value),
        Kind::Period => attempt::<spec::PeriodSpec>(value),
        Kind::Adjustment => attempt::<spec::AdjustmentSpec>(value),
        Kind::Rollout => attempt::<spec::RolloutSpec>(value),
        Kind::Sprint => attempt::<spec::SprintSpec>(value),
        Kind::QuarterlyReview => attempt::<spec::QuarterlyReviewSpec>(value),
        Kind::ScoreboardChoice => attempt::<spec::ScoreboardChoiceSpec>(value),
        Kind::ScoringFormula => attempt::<spec::ScoringFormulaSpec>(value),
        Kind::Template => attempt::<spec::TemplateSpec>(value),
        Kind::Story => attempt::<spec::StorySpec>(value),
        Kind::Contribution => attempt::<spec::ContributionSpec>(value),
    }
}

fn attempt<T: DeserializeOwned>(value: &Value) -> Option<(String, String)> {
    let error = serde_path_to_error::deserialize::<_, T>(value).err()?;
    let path = error.path().to_string();
    Some((if path == "." { String::new() } else { path }, error.inner().to_string()))
}

/// Turns serde's message into field, what was expected, and what was probably meant.
fn explain(kind: Kind, value: &Value, path: String, message: &str) -> SpecProblem {
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let expected = words.get(1..).unwrap_or_default();
    let first = words.first().copied().unwrap_or_default();
    if message.starts_with("unknown field") {
        let suggestion = closest(first, expected.iter().copied());
        let message = match &suggestion {
            Some(_) => "unknown field".to_owned(),
            None => format!("unknown field; expected {}", one_of(expected)),
        };
        let field = if ends_with_key(&path, first) { path } else { join(&path, first) };
        return SpecProblem { field, message, suggestion, offset: None };
    }
    if message.starts_with("unknown variant") {
        let message = format!("`{}` is unknown; expected {}", short(first), one_of(expected));
        return SpecProblem {
            field: path,
            message,
            suggestion: closest(first, expected.iter().copied()),
            offset: None,
        };
    }
    if message.starts_with("missing field") {
        let message = "required, but missing".to_owned();
        return SpecProblem { field: join(&path, first), message, suggestion: None, offset: None };
    }
    if message.starts_with("data did not match any variant") {
        return no_variant(kind, value, path);
    }
    let quoted = message.starts_with("invalid type: integer")
        || message.starts_with("invalid type: floating")
        || message.starts_with("invalid type: boolean");
    let hint = if quoted && message.ends_with("a string") { " (put it in quotes)" } else { "" };
    let message = format!("{}{hint}", short(message));
    SpecProblem { field: path, message, suggestion: None, offset: None }
}

/// serde only says that none of several shapes fits; the schema says which there are.
fn no_variant(kind: Kind, value: &Value, path: String) -> SpecProblem {
    let schema = kind.schema().to_value();
    let (mut words, mut keys) = (Vec::new(), Vec::new());
    if let Some(part) = schema_at(&schema, &path) {
        collect(&schema, part, 0, &mut words, &mut keys);
    }
    let expected = match (words.is_empty(), keys.is_empty()) {
        (true, true) => "another shape".to_owned(),
        (false, true) => one_of(&words),
        (true, false) => format!("a table with {}", one_of(&keys)),
        (false, false) => format!("{}, or a table with {}", one_of(&words), one_of(&keys)),
    };
    let suggestion = match value_at(value, &path) {
        Some(Value::String(word)) => closest(word, words.iter().copied()),
        Some(Value::Object(table)) => table
            .keys()
            .find(|key| !keys.contains(&key.as_str()))
            .and_then(|key| closest(key, keys.iter().copied())),
        _ => None,
    };
    SpecProblem { field: path, message: format!("expected {expected}"), suggestion, offset: None }
}

fn schema_at<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    steps(path).try_fold(root, |part, step| {
        let part = resolve(root, part)?;
        match step {
            Step::Key(key) => part.get("properties")?.get(key),
            Step::Index(_) => part.get("items"),
        }
    })
}

pub(crate) fn value_at<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    steps(path).try_fold(root, |part, step| match step {
        Step::Key(key) => part.get(key),
        Step::Index(index) => part.get(index),
    })
}

fn resolve<'a>(root: &'a Value, part: &'a Value) -> Option<&'a Value> {
    match part.get("$ref").and_then(Value::as_str) {
        Some(reference) => root.pointer(reference.strip_prefix('#')?),
        None => Some(part),
    }
}

/// The words and table keys that a schema with alternatives accepts.
fn collect<'a>(
    root: &'a Value,
    part: &'a Value,
    depth: usize,
    words: &mut Vec<&'a str>,
    keys: &mut Vec<&'a str>,
) {
    const DEPTH_MAX: usize = 8;
    let Some(part) = resolve(root, part).filter(|_| depth < DEPTH_MAX) else { return };
    let arrays = |name: &str| part.get(name).and_then(Value::as_array).into_iter().flatten();
    words.extend(arrays("enum").chain(part.get("const")).filter_map(Value::as_str));
    keys.extend(
        part.get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str()),
    );
    for alternative in arrays("anyOf").chain(arrays("oneOf")) {
        collect(root, alternative, depth + 1, words, keys);
    }
}

/// One step of a path such as `stages[1].at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// The steps of a path such as `stages[1].at`.
pub(crate) fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    path.split(['.', '[']).filter(|part| !part.is_empty()).map(|part| {
        let index = part.strip_suffix(']').and_then(|digits| digits.parse().ok());
        index.map_or(Step::Key(part), Step::Index)
    })
}

pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn ends_with_key(path: &str, key: &str) -> bool {
    steps(path).last() == Some(Step::Key(key))
}

fn one_of(words: &[&str]) -> String {
    match words {
        [] => "nothing here".to_owned(),
        [word] => format!("`{word}`"),
        _ => {
            let all: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            format!("one of {}", all.join(", "))
        }
    }
}

/// Messages quote values; a value may be a whole novel.
fn short(text: &str) -> String {
    const CHARACTERS_MAX: usize = 300;
    if text.chars().nth(CHARACTERS_MAX).is_none() {
        return text.to_owned();
    }
    text.chars().take(CHARACTERS_MAX).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn first(kind: Kind, value: &Value) -> String {
        let problems = check_spec(kind, value).unwrap_err();
        format!("{}: {} {:?}", problems[0].field, problems[0].message, problems[0].suggestion)
    }

    #[test]
    fn untagged_shapes_are_explained_by_the_schema() {
        let policy = |then: Value| json!({ "rules": [{ "id": "a", "when": "true", "then": then, "says": "x" }] });
        insta::assert_snapshot!(first(Kind::Policy, &policy(json!("denny"))), @r#"rules[0].then: expected one of `allow`, `deny`, `review`, `degrade`, `register`, `log`, or a table with one of `redact`, `reroute`, `degrade` Some("deny")"#);
        insta::assert_snapshot!(first(Kind::Policy, &policy(json!({ "redactt": [] }))), @r#"rules[0].then: expected one of `allow`, `deny`, `review`, `degrade`, `register`, `log`, or a table with one of `redact`, `reroute`, `degrade` Some("redact")"#);
        insta::assert_snapshot!(first(Kind::Key, &json!({ "person": "ada", "secret": { "envv": "X" } })), @r#"secret: expected a table with one of `env`, `sha256`, `prefix` Some("env")"#);
    }
}
