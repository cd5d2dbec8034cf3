//! Errors in the client's own dialect, with a `tally` object beside.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use tally_types::Dialect;

/// The official clients wait so long at most before they try again, in seconds.
const CLIENTS_WAIT_MAX_S: u32 = 60;

/// Why a call is not served, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status: 400 malformed, 401 bad key, 403 policy, 404 unknown model,
    /// 413 too large, 429 budget, 502/504 upstream, 503 journal.
    pub status: StatusCode,
    /// A short word for programs.
    pub code: &'static str,
    /// A sentence for humans; never holds a secret.
    pub message: String,
    /// What to do about it.
    pub next_step: Option<String>,
    /// When to try again, in seconds.
    pub retry_after_s: Option<u32>,
    /// The budget that binds, if one does.
    pub budget: Option<Box<str>>,
    /// The rule that refuses, as `policy/rule`, and whether a review may let it pass.
    pub rule: Option<Box<RuleNamed>>,
    /// The call's id, once it has one.
    pub request_id: Option<Box<str>>,
}

/// The rule that refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleNamed {
    /// `policy/rule`.
    pub rule: String,
    /// `deny` or `review`.
    pub effect: &'static str,
}

// === impl Refusal ===

impl Refusal {
    /// A refusal with nothing but a reason.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            status,
            code,
            message,
            next_step: None,
            retry_after_s: None,
            budget: None,
            rule: None,
            request_id: None,
        }
    }

    /// The client sent something that cannot be understood.
    pub fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_next_step(mut self, next_step: impl Into<String>) -> Self {
        self.next_step = Some(next_step.into());
        self
    }

    /// Adds when to try again.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(u32::try_from(seconds).unwrap_or(u32::MAX));
        self
    }

    /// Adds the budget that binds.
    #[must_use]
    pub fn with_budget(mut self, budget: impl Into<Box<str>>) -> Self {
        self.budget = Some(budget.into());
        self
    }

    /// Adds the rule that refuses.
    #[must_use]
    pub fn with_rule(mut self, rule: impl Into<String>, effect: &'static str) -> Self {
        self.rule = Some(Box::new(RuleNamed { rule: rule.into(), effect }));
        self
    }

    fn tally_object(&self) -> serde_json::Value {
        let mut object = json!({
            "code": self.code,
            "message": self.message,
            "request_id": self.request_id,
            "next_step": self.next_step,
        });
        if let (Some(budget), Some(fields)) = (&self.budget, object.as_object_mut()) {
            fields.insert("budget".to_owned(), budget.as_ref().into());
        }
        if let (Some(named), Some(fields)) = (&self.rule, object.as_object_mut()) {
            fields.insert("rule".to_owned(), named.rule.as_str().into());
        }
        object
    }

    /// What humans read in the SDK's exception: the reason and the next step.
    fn sentence(&self) -> String {
        match &self.next_step {
            Some(next_step) => format!("{} ({next_step})", self.message),
            None => self.message.clone(),
        }
    }

    /// The error's body in a dialect.
    pub fn body(&self, dialect: Dialect) -> serde_json::Value {
        let kind = kind(dialect, self.status);
        match dialect {
            Dialect::OpenAi => json!({
                "error": { "message": self.sentence(), "type": kind, "param": null, "code": self.code },
                "tally": self.tally_object(),
            }),
            Dialect::Anthropic => json!({
                "type": "error",
                "error": { "type": kind, "message": self.sentence() },
                "request_id": self.request_id,
                "tally": self.tally_object(),
            }),
            Dialect::Gemini => json!({
                "error": { "code": self.status.as_u16(), "message": self.sentence(), "status": kind },
                "tally": self.tally_object(),
            }),
        }
    }

    /// The whole reply in a dialect.
    pub fn into_reply(self, dialect: Dialect) -> Response {
        let mut response = Response::new(Body::from(self.body(dialect).to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            // The official clients would come back within seconds, for nothing.
            if seconds > CLIENTS_WAIT_MAX_S {
                headers.insert("x-should-retry", HeaderValue::from_static("false"));
            }
        }
        let by_rule = self.rule.as_ref().map(|it| format!("{}; rule={}", it.effect, it.rule));
        let by_budget = || self.budget.as_ref().map(|budget| format!("deny; budget={budget}"));
        let decision = by_rule.or_else(by_budget);
        if let Some(decision) = decision.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert("x-tally-decision", decision);
        }
        if let Some(id) = self.request_id.as_ref().and_then(|id| HeaderValue::from_str(id).ok()) {
            headers.insert("x-tally-request-id", id);
        }
        response
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.into_reply(Dialect::OpenAi)
    }
}

/// The dialect's own word for a kind of error.
fn kind(dialect: Dialect, status: StatusCode) -> &'static str {
    match (dialect, status.as_u16()) {
        (Dialect::OpenAi | Dialect::Anthropic, 401) => "authentication_error",
        (Dialect::OpenAi | Dialect::Anthropic, 403) => "permission_error",
        (Dialect::Anthropic, 404) => "not_found_error",
        (Dialect::Anthropic, 413) => "request_too_large",
        (Dialect::OpenAi, 429) => "rate_limit_exceeded",
        (Dialect::Anthropic, 429) => "rate_limit_error",
        (Dialect::Anthropic, 503) => "overloaded_error",
        (Dialect::Anthropic, 500..) => "api_error",
        (Dialect::OpenAi, 500..) => "server_error",
        (Dialect::OpenAi | Dialect::Anthropic, _) => "invalid_request_error",
        (Dialect::Gemini, 401) => "UNAUTHENTICATED",
        (Dialect::Gemini, 403) => "PERMISSION_DENIED",
        (Dialect::Gemini, 404) => "NOT_FOUND",
        (Dialect::Gemini, 429) => "RESOURCE_EXHAUSTED",
        (Dialect::Gemini, 500..) => "UNAVAILABLE",
        (Dialect::Gemini, _) => "INVALID_ARGUMENT",
    }
}

/// The event that tells a streaming client what went wrong.
pub(crate) fn stream_error(dialect: Dialect, refusal: &Refusal) -> Bytes {
    let body = refusal.body(dialect);
    Bytes::from(match dialect {
        Dialect::Anthropic => format!("event: error\ndata: {body}\n\n"),
        Dialect::OpenAi | Dialect::Gemini => format!("data: {body}\n\n"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_has_its_own_shape() {
        let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "key_unknown", "no such key")
            .with_next_step("ask for one");
        let shapes = json!([
            refusal.body(Dialect::OpenAi),
            refusal.body(Dialect::Anthropic),
            refusal.body(Dialect::Gemini),
        ]);
        insta::assert_json_snapshot!(shapes);
    }
}
