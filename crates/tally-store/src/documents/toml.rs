//! TOML: `[[resource]]` tables.

use serde_json::{Number, Value};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::node::{DEPTH_MAX, Data, Entry, Failure, Lines, Node, Position};

/// A broken file breaks nearly everywhere; the first mistakes are the ones to fix.
const SYNTAX_ERRORS_MAX: usize = 20;

pub(super) fn read(text: &str) -> Vec<Result<Node, Failure>> {
    let lines = Lines::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return errors
            .iter()
            .take(SYNTAX_ERRORS_MAX)
            .map(|error| {
                let at = error.span().map(|span| lines.position(span.start));
                Err(Failure { at, message: error.message().replace('\n', "; ") })
            })
            .collect();
    }
    let mut found = Vec::new();
    for (key, value) in table.get_ref() {
        let at = lines.position(key.span().start);
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("resource", DeValue::Array(items)) => {
                found.extend(items.iter().map(|item| node(&lines, item, 0)));
            }
            ("resource", DeValue::Table(_)) => found.push(node(&lines, value, 0)),
            (key, _) => found.push(Err(unknown_table(at, key))),
        }
    }
    found
}

fn unknown_table(at: Position, key: &str) -> Failure {
    let key: String = key.chars().take(64).collect();
    Failure::new(at, format!("`{key}` is unknown here; expected `[[resource]]` tables"))
}

fn node(lines: &Lines<'_>, value: &Spanned<DeValue<'_>>, depth: usize) -> Result<Node, Failure> {
    let at = lines.position(value.span().start);
    if depth > DEPTH_MAX {
        return Err(Failure::new(at, format!("expected at most {DEPTH_MAX} levels of nesting")));
    }
    let fail = |message: String| Failure::new(at, message);
    let data = match value.get_ref() {
        DeValue::String(text) => Data::text(text).map_err(fail)?,
        DeValue::Boolean(truth) => Data::Scalar(Value::Bool(*truth)),
        DeValue::Datetime(time) => Data::Scalar(Value::String(time.to_string())),
        DeValue::Integer(integer) => {
            let number = i64::from_str_radix(integer.as_str(), integer.radix())
                .map(Number::from)
                .or_else(|_| {
                    u64::from_str_radix(integer.as_str(), integer.radix()).map(Number::from)
                })
                .map_err(|_| fail("expected an integer of at most 64 bits".to_owned()))?;
            Data::Scalar(Value::Number(number))
        }
        DeValue::Float(float) => {
            let number: f64 =
                float.as_str().parse().map_err(|_| fail("expected a number".to_owned()))?;
            Data::float(number).map_err(fail)?
        }
        DeValue::Array(items) => Data::List(
            items.iter().map(|item| node(lines, item, depth + 1)).collect::<Result<_, _>>()?,
        ),
        DeValue::Table(table) => Data::Table(
            table
                .iter()
                .map(|(key, value)| {
                    let at = lines.position(key.span().start);
                    let key = key.get_ref().to_string();
                    Ok(Entry { key, at, value: node(lines, value, depth + 1)? })
                })
                .collect::<Result<_, Failure>>()?,
        ),
    };
    Ok(Node { at, data })
}
