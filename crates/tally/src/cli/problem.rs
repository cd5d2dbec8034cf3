//! What Tally says when it refuses (RFC 9457), as a person reads it.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

/// The body of a refusal; every field may be missing, as a proxy may have answered.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    title: Option<String>,
    detail: Option<String>,
    errors: Vec<Value>,
    /// What the doors for usage and outcomes did not take.
    rejected: Vec<Value>,
    next_step: Option<String>,
}

/// A body that is no problem document is shown up to this many characters.
const BODY_SHOWN: usize = 300;

// === impl Problem ===

impl Problem {
    /// From the body of a reply.
    pub(crate) fn read(body: &str) -> Self {
        match serde_json::from_str::<Value>(body) {
            // Dialect errors carry it in `tally` or `error`, the API at the top.
            Ok(Value::Object(fields)) => {
                let inner = ["tally", "error"].into_iter().find_map(|name| fields.get(name));
                let inner =
                    inner.filter(|value| value.is_object() && !fields.contains_key("detail"));
                let mut problem: Self =
                    Self::deserialize(inner.unwrap_or(&Value::Object(fields.clone())))
                        .unwrap_or_default();
                let message = inner.and_then(|inner| inner.get("message")).and_then(Value::as_str);
                problem.detail = problem.detail.or_else(|| message.map(str::to_owned));
                problem
            }
            _ if body.trim().is_empty() => Self::default(),
            _ => Self {
                detail: Some(body.trim().chars().take(BODY_SHOWN).collect()),
                ..Self::default()
            },
        }
    }

    /// Detail and each error; `fallback` stands in for a missing detail.
    pub(crate) fn render(&self, fallback: &str) -> String {
        let detail = self.detail.as_deref().or(self.title.as_deref()).unwrap_or(fallback);
        let mut text = detail.to_owned();
        // The detail of several errors often is their list: say it once.
        let errors = self.errors.iter().chain(&self.rejected);
        for error in errors.map(sentence).filter(|error| !detail.contains(error)) {
            let _ = write!(text, "\n  {error}");
        }
        text
    }

    /// What it says to do.
    pub(crate) fn next_step(self) -> Option<String> {
        self.next_step
    }
}

/// One error as `acme.yaml:12: Budget/x: limit: expected …; did you mean …?`.
fn sentence(error: &Value) -> String {
    let Value::Object(fields) = error else {
        return error.as_str().map_or_else(|| error.to_string(), str::to_owned);
    };
    let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    let file = text("file").filter(|file| !file.is_empty());
    let line = fields.get("line").and_then(Value::as_u64);
    let origin = text("origin").or_else(|| match (file, line) {
        (Some(file), Some(line)) => Some(format!("{file}:{line}")),
        (file, _) => file,
    });
    let resource = text("resource").or_else(|| {
        let id = fields.get("resource")?;
        Some(format!("{}/{}", id.get("kind")?.as_str()?, id.get("name")?.as_str()?))
    });
    let message = text("message").or_else(|| text("detail")).unwrap_or_else(|| error.to_string());
    let meant = text("suggestion").map(|word| format!("; did you mean `{word}`?"));
    let parts: Vec<String> =
        [origin, resource, text("field"), Some(message)].into_iter().flatten().collect();
    format!("{}{}", parts.join(": "), meant.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_and_the_next_step_are_shown() {
        let body = r#"{"title":"Invalid","status":422,"detail":"2 resources are invalid","errors":[
            {"resource":{"kind":"Budget","name":"support"},"origin":"acme.yaml:12","field":"stages[1].att","message":"unknown field","suggestion":"at"},
            "the set has no name"],"next_step":"fix the file and apply it again"}"#;
        let problem = Problem::read(body);
        insta::assert_snapshot!(problem.render("?"), @r"
        2 resources are invalid
          acme.yaml:12: Budget/support: stages[1].att: unknown field; did you mean `at`?
          the set has no name
        ");
        assert_eq!(problem.next_step().as_deref(), Some("fix the file and apply it again"));
    }

    #[test]
    fn items_that_were_not_taken_are_shown() {
        let body = r#"{"accepted":0,"duplicates":0,"rejected":[{"index":0,"message":"`task_id`: too long"}]}"#;
        assert_eq!(Problem::read(body).render("HTTP 422"), "HTTP 422\n  `task_id`: too long");
    }

    #[test]
    fn bodies_of_others_are_shown_in_short() {
        assert_eq!(Problem::read("").render("HTTP 502"), "HTTP 502");
        assert_eq!(Problem::read("<html>bad gateway").render("x"), "<html>bad gateway");
        assert_eq!(Problem::read("[1]").render("x"), "[1]");
        let dialect = r#"{"error":{"message":"no such key","type":"authentication_error"}}"#;
        assert_eq!(Problem::read(dialect).render("x"), "no such key");
    }
}
