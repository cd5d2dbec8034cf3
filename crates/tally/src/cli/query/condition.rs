//! `--where`: one condition on a dimension.

use std::str::FromStr;

use tally_warehouse::query::{Dimension, Filter, FilterOp};

/// A condition as typed: `team=support`, `model!=gpt-5`, `user_agent~claude-cli`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition(pub Filter);

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let operator = text.find(['=', '~']).ok_or_else(|| {
            format!("`{text}` is no condition; expected dim=value, dim!=value or dim~prefix")
        })?;
        let (left, right) = text.split_at(operator);
        let is_prefix = right.starts_with('~');
        // Both operators are one byte long.
        let value = right.get(1..).unwrap_or_default().trim();
        let negated = !is_prefix && left.ends_with('!');
        let dimension: Dimension = left.strip_suffix('!').unwrap_or(left).trim().parse()?;
        if value.is_empty() {
            return Err(format!(
                "the condition on `{dimension}` needs a value; `unattributed` stands for what is not known"
            ));
        }
        if is_prefix {
            let values = vec![value.to_owned()];
            return Ok(Self(Filter { dimension, op: FilterOp::Prefix, values }));
        }
        let values: Vec<String> = value.split(',').map(|part| part.trim().to_owned()).collect();
        let op = match (values.len(), negated) {
            (1, false) => FilterOp::Eq,
            (1, true) => FilterOp::Ne,
            (_, false) => FilterOp::In,
            (_, true) => FilterOp::NotIn,
        };
        Ok(Self(Filter { dimension, op, values }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        match text.parse::<Condition>() {
            Ok(Condition(filter)) => serde_json::to_string(&filter).unwrap(),
            Err(error) => error,
        }
    }

    #[test]
    fn conditions_become_filters() {
        for (text, filter) in [
            ("team=support", r#"{"dimension":"team","op":"eq","values":["support"]}"#),
            ("team != support", r#"{"dimension":"team","op":"ne","values":["support"]}"#),
            ("team=a, b", r#"{"dimension":"team","op":"in","values":["a","b"]}"#),
            ("team!=a,b", r#"{"dimension":"team","op":"not_in","values":["a","b"]}"#),
            ("user_agent~a,b", r#"{"dimension":"user_agent","op":"prefix","values":["a,b"]}"#),
            ("tag:k=a=b", r#"{"dimension":"tag:k","op":"eq","values":["a=b"]}"#),
        ] {
            assert_eq!(parsed(text), filter);
        }
    }

    #[test]
    fn mistakes_say_what_was_expected() {
        for (text, expected) in [
            ("team", "expected dim=value"),
            ("team=", "needs a value"),
            ("taem=x", "did you mean team"),
            ("team>x", "expected dim=value"),
        ] {
            assert!(parsed(text).contains(expected), "{}", parsed(text));
        }
    }
}
