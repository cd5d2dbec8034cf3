//! What a provider answers on its way back to the client.

use std::time::Duration;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tally_types::{CallStatus, FallbackReason, PicoUsd};

use crate::{
    attempt::{Ending, OpenAttempt, Used},
    call::{Call, Candidate},
    redaction::restored,
    refusal::Refusal,
    stream::{MeteredBody, Shown},
    upstream::{self, Failure, ProviderError},
};

impl Call {
    /// The provider's own error, byte for byte.
    pub(crate) fn pass_error(&self, error: ProviderError) -> Response {
        let mut response = Response::new(Body::from(error.body));
        *response.status_mut() = error.status;
        *response.headers_mut() = upstream::reply_headers(&error.headers);
        self.add_headers(response.headers_mut(), None, None);
        response
    }

    pub(crate) async fn judge(
        &self,
        candidate: &Candidate,
        response: reqwest::Response,
    ) -> Failure {
        let upstream = &candidate.route.upstream;
        let status = response.status();
        let headers = response.headers().clone();
        let body = self.read_reply(candidate, response).await.unwrap_or_default();
        let error = ProviderError { status, headers, body };
        upstream::judge(upstream, self.subscription, error, self.gateway.clock.now())
    }

    pub(crate) fn stream(
        &self,
        candidate: &Candidate,
        response: reqwest::Response,
        attempt: OpenAttempt,
        hides_usage: bool,
    ) -> Response {
        let (status, headers) = (response.status(), upstream::reply_headers(response.headers()));
        let idle_max = Duration::from_millis(candidate.route.upstream.spec.timeouts.idle_ms);
        let body = MeteredBody::new(
            self.protocol,
            response,
            attempt,
            Shown { hides_usage, restorations: &self.redacted.restorations },
            idle_max,
            self.call_id.to_string(),
        );
        let mut reply = Response::new(Body::new(body));
        *reply.status_mut() = status;
        *reply.headers_mut() = headers;
        self.add_headers(reply.headers_mut(), Some(candidate), None);
        reply
    }

    pub(crate) async fn whole_reply(
        &self,
        candidate: &Candidate,
        response: reqwest::Response,
        mut attempt: OpenAttempt,
    ) -> Result<Response, Refusal> {
        let (status, headers) = (response.status(), upstream::reply_headers(response.headers()));
        let body = match self.read_reply(candidate, response).await {
            Ok(body) => body,
            Err(refusal) => {
                attempt.finish(&broken(CallStatus::Cut, refusal.code));
                return Err(refusal);
            }
        };
        attempt.heard(&body);
        let Some(observed) = self.protocol.observe(&body) else {
            attempt.finish(&broken(CallStatus::Error, "upstream_malformed"));
            let message = format!(
                "the provider `{}` answered {status} with something other than JSON",
                candidate.route.upstream.provider
            );
            return Err(Refusal::new(StatusCode::BAD_GATEWAY, "upstream_malformed", message)
                .with_next_step(
                    "try again; if it lasts, see what stands between Tally and the provider",
                ));
        };
        let cost = attempt.finish(&Ending {
            status: CallStatus::Ok,
            http_status: Some(status.as_u16()),
            error_code: None,
            used: Used::Reply { observed: &observed, bytes: body.len() as u64 },
        });
        let body = restored(body, self.protocol.reply_zone(), &self.redacted.restorations);
        let mut reply = Response::new(Body::from(body));
        *reply.status_mut() = status;
        *reply.headers_mut() = headers;
        self.add_headers(reply.headers_mut(), Some(candidate), cost);
        Ok(reply)
    }

    /// Reads a whole reply, bounded in size and in silence.
    pub(crate) async fn read_reply(
        &self,
        candidate: &Candidate,
        mut response: reqwest::Response,
    ) -> Result<Bytes, Refusal> {
        let provider = &candidate.route.upstream.provider;
        let idle_max = Duration::from_millis(candidate.route.upstream.spec.timeouts.idle_ms);
        let broke = |code, what: &str| {
            Refusal::new(StatusCode::BAD_GATEWAY, code, format!("the provider `{provider}` {what}"))
        };
        let mut whole = Vec::new();
        loop {
            let next = tokio::time::timeout(idle_max, response.chunk()).await;
            let chunk = match next {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return Ok(Bytes::from(whole)),
                Ok(Err(_)) => return Err(broke("upstream_reply_cut", "broke off its answer")),
                Err(_) => {
                    let mut refusal =
                        broke("upstream_timeout", "stopped in the middle of its answer");
                    refusal.status = StatusCode::GATEWAY_TIMEOUT;
                    return Err(refusal);
                }
            };
            if whole.len() + chunk.len() > self.gateway.options.reply_bytes_max {
                return Err(broke(
                    "upstream_reply_too_large",
                    "answered with more than `gateway.reply_bytes_max`",
                ));
            }
            whole.extend_from_slice(&chunk);
        }
    }

    pub(crate) fn add_headers(
        &self,
        headers: &mut HeaderMap,
        candidate: Option<&Candidate>,
        cost: Option<PicoUsd>,
    ) {
        let mut set = |name: &'static str, text: &str| {
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        set("x-tally-request-id", &self.call_id.to_string());
        if let Some(other) = self.context.template_replaced_by() {
            set("x-tally-template-replaced-by", other);
        }
        if let Some(candidate) = candidate {
            set("x-tally-model", candidate.model.name.as_str());
            let plain = match candidate.fallback {
                Some(FallbackReason::Error) => "fallback",
                _ => "allow",
            };
            let said = [self.policed.told(), self.told.decision.clone()];
            let said: Vec<String> = said.into_iter().flatten().collect();
            let decision = if said.is_empty() { plain.to_owned() } else { said.join(", ") };
            set("x-tally-decision", &decision);
            if let Some(stage) = self.told.stage {
                set("x-tally-stage", &stage.to_string());
            }
            if let Some(remaining) = &self.told.remaining {
                set("x-tally-budget-remaining", remaining);
            }
            if let Some(degraded) = &self.told.degraded {
                set("x-tally-degraded", degraded);
            }
        }
        if let Some(cost) = cost {
            set("x-tally-cost-usd", &cost.to_string());
        }
    }
}

fn broken(status: CallStatus, code: &str) -> Ending<'_> {
    Ending {
        status,
        http_status: Some(StatusCode::BAD_GATEWAY.as_u16()),
        error_code: Some(code),
        used: Used::AsEstimated,
    }
}

pub(crate) fn is_event_stream(headers: &HeaderMap) -> bool {
    headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/event-stream"))
}
