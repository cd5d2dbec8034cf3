//! Credentials in, and the headers that each provider's replies carry.

use crate::error::{ApiError, Dialect};
use crate::random::{Draw, Rng, Stream, word};
use http::header::{AUTHORIZATION, HeaderName, RETRY_AFTER};
use http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};

/// Whose call it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) hash: u64,
    pub(crate) last_four: String,
}

/// Shorter keys are taken for a mistake.
const KEY_LEN_MIN: usize = 6;

/// Reads the key. Anthropic's dialect also takes a bearer token, as agents that
/// are signed in with a subscription send one.
pub(crate) fn credential(headers: &HeaderMap, dialect: Dialect) -> Result<Credential, ApiError> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = || text(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let key = match dialect {
        Dialect::OpenAi => bearer(),
        Dialect::Anthropic => text(HeaderName::from_static("x-api-key")).or_else(bearer),
    };
    let key = key.map(str::trim).filter(|key| !key.is_empty()).ok_or(ApiError::MissingKey)?;
    let plausible = key.len() >= KEY_LEN_MIN && key.bytes().all(|byte| byte.is_ascii_graphic());
    if !plausible || key.contains("invalid") {
        return Err(ApiError::BadKey);
    }
    let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    let last_four = key.get(key.len() - 4..).unwrap_or_default().to_owned();
    Ok(Credential { hash: word(&digest, 0), last_four })
}

/// The request id of a reply.
pub(crate) fn request_id(draw: Draw, dialect: Dialect) -> String {
    let mut rng = draw.stream(Stream::RequestId);
    match dialect {
        Dialect::OpenAi => format!("req_{:016x}{:016x}", rng.next_u64(), rng.next_u64()),
        Dialect::Anthropic => format!("req_011C{}", rng.base62(20)),
    }
}

/// The second at which a reply claims to be created: some time in 2026, decided
/// by the request like everything else.
pub(crate) fn created(draw: Draw) -> u64 {
    const NEW_YEAR_2026: u64 = 1_767_225_600;
    const RANGE: u64 = 300 * 24 * 60 * 60;
    NEW_YEAR_2026 + draw.stream(Stream::Created).below(RANGE)
}

/// The provider's headers of a reply.
pub(crate) fn provider_headers(
    dialect: Dialect,
    draw: Draw,
    request_id: &str,
    latency_ms: u64,
) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    let mut rng = draw.stream(Stream::RequestId);
    match dialect {
        Dialect::OpenAi => openai_headers(&mut headers, &mut rng, request_id, latency_ms),
        Dialect::Anthropic => {
            anthropic_headers(&mut headers, &mut rng, request_id, created(draw));
        }
    }
    headers
}

pub(crate) fn retry_after(headers: &mut HeaderMap, seconds: u64) {
    headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
}

fn openai_headers(headers: &mut HeaderMap, rng: &mut Rng, request_id: &str, latency_ms: u64) {
    put(headers, "x-request-id", request_id);
    put(headers, "openai-organization", "tally-sim");
    headers.insert("openai-processing-ms", HeaderValue::from(latency_ms + rng.between(5, 60)));
    put(headers, "openai-version", "2020-10-01");
    put(headers, "x-ratelimit-limit-requests", "10000");
    put(headers, "x-ratelimit-limit-tokens", "30000000");
    headers.insert("x-ratelimit-remaining-requests", HeaderValue::from(rng.between(9_000, 9_999)));
    let tokens = rng.between(29_000_000, 29_999_999);
    headers.insert("x-ratelimit-remaining-tokens", HeaderValue::from(tokens));
    put(headers, "x-ratelimit-reset-requests", "6ms");
    put(headers, "x-ratelimit-reset-tokens", "12ms");
}

fn anthropic_headers(headers: &mut HeaderMap, rng: &mut Rng, request_id: &str, created: u64) {
    put(headers, "request-id", request_id);
    put(headers, "anthropic-organization-id", "00000000-0000-4000-8000-0000746c7973");
    let reset = i64::try_from(created + 60)
        .ok()
        .and_then(|second| jiff::Timestamp::from_second(second).ok())
        .unwrap_or_default()
        .to_string();
    put(headers, "anthropic-ratelimit-requests-limit", "4000");
    let requests = HeaderValue::from(rng.between(3_000, 3_999));
    headers.insert("anthropic-ratelimit-requests-remaining", requests);
    put(headers, "anthropic-ratelimit-requests-reset", &reset);
    put(headers, "anthropic-ratelimit-tokens-limit", "480000");
    let tokens = HeaderValue::from(rng.between(300_000, 479_000));
    headers.insert("anthropic-ratelimit-tokens-remaining", tokens);
    put(headers, "anthropic-ratelimit-tokens-reset", &reset);
}

/// The values are all made here and always fit a header.
fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
