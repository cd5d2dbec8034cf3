//! One attempt at one provider: what is sent, and what a failure means.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use tally_journal::SentMarker;
use tally_types::{Dialect, Timestamp};

use crate::{
    plane::{Route, Upstream},
    refusal::Refusal,
};

/// Headers that belong to one connection, to Tally, or to the credentials it replaces.
const NOT_FORWARDED: [&str; 18] = [
    "host",
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "proxy-authenticate",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "accept-encoding",
    "expect",
    "cookie",
    "forwarded",
    "x-forwarded-for",
    "x-real-ip",
];
const CREDENTIALS: [&str; 3] = ["authorization", "x-api-key", "x-goog-api-key"];
const NOT_RETURNED: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "content-encoding",
    "set-cookie",
];

/// What is sent, the same for every attempt but for the credentials.
pub(crate) struct Outgoing<'a> {
    pub(crate) path: &'static str,
    pub(crate) query: Option<&'a str>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) subscription: bool,
}

/// Why an attempt has no reply to pass on.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) refusal: Refusal,
    /// The provider's own error, to be passed on if nothing else works.
    pub(crate) reply: Option<ProviderError>,
    /// Whether the provider may have billed the attempt.
    pub(crate) maybe_billed: bool,
    /// Whether the same provider may be asked again, and how long it wants to be left alone.
    pub(crate) repeat: Option<Option<Duration>>,
    pub(crate) timed_out: bool,
}

/// An error as the provider put it.
#[derive(Debug)]
pub(crate) struct ProviderError {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A body that marks its call as sent when its first byte is asked for.
pub(crate) struct MarkedBody {
    bytes: Option<Bytes>,
    marker: Option<SentMarker>,
    sent: Arc<AtomicBool>,
}

// === impl MarkedBody ===

impl MarkedBody {
    pub(crate) fn new(bytes: Bytes, marker: Option<SentMarker>, sent: Arc<AtomicBool>) -> Self {
        Self { bytes: Some(bytes), marker, sent }
    }
}

impl Body for MarkedBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let Some(bytes) = self.bytes.take() else { return Poll::Ready(None) };
        if let Some(marker) = self.marker.take()
            && let Err(error) = marker.mark()
        {
            return Poll::Ready(Some(Err(error)));
        }
        self.sent.store(true, Ordering::Release);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

// === impl Failure ===

impl Failure {
    fn new(status: StatusCode, code: &'static str, message: String) -> Self {
        Self {
            refusal: Refusal::new(status, code, message),
            reply: None,
            maybe_billed: false,
            repeat: None,
            timed_out: false,
        }
    }

    /// The journal's mark, not the provider, failed: nothing was sent.
    fn connection(upstream: &Upstream, error: &reqwest::Error, sent: bool) -> Self {
        let (code, what) = if sent {
            ("upstream_connection_lost", "broke the connection before it answered")
        } else {
            ("upstream_unreachable", "cannot be reached")
        };
        tracing::warn!(provider = %upstream.provider, error = %error.clone_without_url(), "upstream");
        let message = format!("the provider `{}` {what}", upstream.provider);
        let mut failure = Self::new(StatusCode::BAD_GATEWAY, code, message);
        failure.refusal = failure
            .refusal
            .with_next_step("try again; if it lasts, see the provider's status page");
        failure.maybe_billed = sent;
        failure.repeat = Some(None);
        failure
    }

    fn timeout(upstream: &Upstream) -> Self {
        let waited_ms = upstream.spec.timeouts.first_byte_ms;
        let message =
            format!("the provider `{}` did not answer within {waited_ms} ms", upstream.provider);
        let mut failure = Self::new(StatusCode::GATEWAY_TIMEOUT, "upstream_timeout", message);
        failure.refusal = failure.refusal.with_next_step(
            "stream the answer, ask for less, or raise the provider's `timeouts.first_byte_ms`",
        );
        failure.maybe_billed = true;
        failure.timed_out = true;
        failure
    }
}

trait WithoutUrl {
    fn clone_without_url(&self) -> String;
}

impl WithoutUrl for reqwest::Error {
    /// The whole chain of causes; the address could hold a secret in its query.
    fn clone_without_url(&self) -> String {
        let mut text = String::new();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(&error.to_string());
            cause = error.source();
            if cause.is_some() {
                text.push_str(": ");
            }
        }
        text
    }
}

/// Sends one attempt and waits for the head of the answer.
pub(crate) async fn send(
    route: &Route,
    outgoing: &Outgoing<'_>,
    body: MarkedBody,
) -> Result<reqwest::Response, Failure> {
    let upstream = &route.upstream;
    let sent = Arc::clone(&body.sent);
    let mut address = format!("{}{}", upstream.base_url, outgoing.path);
    if let Some(query) = outgoing.query {
        address.push('?');
        address.push_str(query);
    }
    let request = upstream
        .client
        .request(Method::POST, address)
        .headers(request_headers(upstream, outgoing))
        .body(reqwest::Body::wrap(body))
        .send();
    let wait = Duration::from_millis(upstream.spec.timeouts.first_byte_ms);
    match tokio::time::timeout(wait, request).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(Failure::connection(upstream, &error, sent.load(Ordering::Acquire))),
        Err(_) => Err(Failure::timeout(upstream)),
    }
}

fn request_headers(upstream: &Upstream, outgoing: &Outgoing<'_>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(outgoing.headers.len() + 4);
    for (name, value) in outgoing.headers {
        let word = name.as_str();
        let is_credential = CREDENTIALS.contains(&word) && !outgoing.subscription;
        if !is_credential && !NOT_FORWARDED.contains(&word) && !word.starts_with("x-tally-") {
            headers.append(name.clone(), value.clone());
        }
    }
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some((name, value)) = credential(upstream).filter(|_| !outgoing.subscription) {
        headers.insert(name, value);
    }
    headers
}

fn credential(upstream: &Upstream) -> Option<(HeaderName, HeaderValue)> {
    let secret = upstream.api_key.as_deref()?;
    let (name, text) = match upstream.spec.dialect {
        Dialect::OpenAi => (header::AUTHORIZATION, format!("Bearer {secret}")),
        Dialect::Anthropic => (HeaderName::from_static("x-api-key"), secret.to_owned()),
        Dialect::Gemini => (HeaderName::from_static("x-goog-api-key"), secret.to_owned()),
    };
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

/// The provider's headers that a client may rely on.
pub(crate) fn reply_headers(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(headers.len() + 5);
    for (name, value) in headers {
        if !NOT_RETURNED.contains(&name.as_str()) {
            kept.append(name.clone(), value.clone());
        }
    }
    kept
}

/// What a status other than success means.
pub(crate) fn judge(
    upstream: &Upstream,
    subscription: bool,
    error: ProviderError,
    now: Timestamp,
) -> Failure {
    let status = error.status;
    let provider = &upstream.provider;
    if matches!(status.as_u16(), 401 | 403) && !subscription {
        let message = format!("the provider `{provider}` refused Tally's own key ({status})");
        let mut failure = Failure::new(StatusCode::BAD_GATEWAY, "upstream_refused_key", message);
        failure.refusal = failure.refusal.with_next_step(
            "ask the platform team to check the provider's `api_key`; your Tally key is fine",
        );
        return failure;
    }
    let told_not_to = error.headers.get("x-should-retry").is_some_and(|value| value == "false");
    let is_passing = matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504 | 529);
    let message = format!("the provider `{provider}` answered {status}");
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&error.body).is_ok();
    let wrapped = if status.is_server_error() { StatusCode::BAD_GATEWAY } else { status };
    let mut failure = Failure::new(wrapped, "upstream_error", message);
    failure.repeat = (is_passing && !told_not_to).then(|| retry_after(&error.headers, now));
    failure.refusal.retry_after_s = failure
        .repeat
        .flatten()
        .map(|wait| u32::try_from(wait.as_secs().max(1)).unwrap_or(u32::MAX));
    failure.reply = is_json.then_some(error);
    failure
}

/// How long the provider wants to be left alone.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    if let Some(ms) = text("retry-after-ms").and_then(|text| text.parse().ok()) {
        return Some(Duration::from_millis(ms));
    }
    let value = text("retry-after")?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Duration::try_from(date.duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_providers_wish_is_read_in_each_of_its_forms() {
        let now: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
        for (name, value, wait_ms) in [
            ("retry-after", "2", 2_000),
            ("retry-after-ms", "150", 150),
            ("retry-after", "Sun, 22 Nov 2026 00:00:05 GMT", 5_000),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            assert_eq!(retry_after(&headers, now), Some(Duration::from_millis(wait_ms)));
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
