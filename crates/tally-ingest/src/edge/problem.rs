//! Refusals as problem details (RFC 9457), with what to do next.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;
use tally_gateway::Refusal;

/// A problem names at most so many flaws.
pub const FLAWS_MAX: usize = 1_000;

/// Why something was not done, and what to do about it; never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// A short word for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub detail: String,
    /// What to do about it.
    pub next_step: Option<String>,
    /// What exactly is wrong, where several things can be.
    pub errors: Vec<Flaw>,
    /// When to try again, in seconds.
    pub retry_after_s: Option<u64>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Flaw {
    /// The resource at fault, as `Kind/name`, when there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Where it was written, as `file:line`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The field, such as `stages[1].at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What was expected.
    pub message: String,
    /// What was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

// === impl Problem ===

impl Problem {
    /// A problem with nothing but a reason.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            next_step: None,
            errors: Vec::new(),
            retry_after_s: None,
        }
    }

    /// 400: what was sent cannot be understood.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 500; the reason goes to the log, as it may name internals.
    pub fn internal(what: &'static str, error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "{what} failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", format!("{what} failed"))
            .with_next_step("try again; if it persists, an admin finds the reason in Tally's log")
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
        self.retry_after_s = Some(seconds);
        self
    }

    /// Adds what exactly is wrong, at most [`FLAWS_MAX`] of it.
    #[must_use]
    pub fn with_errors(mut self, errors: impl IntoIterator<Item = Flaw>) -> Self {
        self.errors = errors.into_iter().take(FLAWS_MAX).collect();
        self
    }

    fn body(&self) -> serde_json::Value {
        json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code,
            "next_step": self.next_step,
            "errors": self.errors,
        })
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self {
            next_step: refusal.next_step,
            retry_after_s: refusal.retry_after_s.map(u64::from),
            ..Self::new(refusal.status, refusal.code, refusal.message)
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body().to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"tally\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

// === impl Flaw ===

impl Flaw {
    /// What is wrong with a field; an empty field is the whole.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        let field = Some(field.into()).filter(|field| !field.is_empty());
        Self { field, message: message.into(), ..Self::default() }
    }
}
