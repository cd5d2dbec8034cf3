//! Which fields differ between two specs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::check::join;

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldDiff {
    /// Path within the spec, such as `stages[1].at`.
    pub path: String,
    /// The value before; none when the field is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The value after; none when the field is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// The fields that differ, in the order of the new spec, then those that are gone.
pub(crate) fn diff(before: &Value, after: &Value) -> Vec<FieldDiff> {
    let mut found = Vec::new();
    compare(String::new(), Some(before), Some(after), &mut found);
    found
}

fn compare(
    path: String,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<FieldDiff>,
) {
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let gone = old.keys().filter(|key| !new.contains_key(*key));
            for key in new.keys().chain(gone) {
                compare(join(&path, key), old.get(key), new.get(key), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for index in 0..old.len().max(new.len()) {
                compare(format!("{path}[{index}]"), old.get(index), new.get(index), found);
            }
        }
        _ if before == after => {}
        _ => found.push(FieldDiff { path, before: before.cloned(), after: after.cloned() }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_leaves_that_differ_are_named() {
        let before = json!({ "a": 1, "b": { "c": [1, 2], "d": "x" }, "gone": true });
        let after = json!({ "a": 1, "b": { "c": [1, 3, 4], "d": "x" }, "new": null });
        let found: Vec<String> =
            diff(&before, &after).into_iter().map(|field| field.path).collect();
        assert_eq!(found, ["b.c[1]", "b.c[2]", "new", "gone"]);
        assert!(diff(&before, &before).is_empty());
    }
}
