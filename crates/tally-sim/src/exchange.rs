//! A call from its request to its reply. Everything about the reply is decided
//! before the first wait, so the ledger knows the call as soon as it is read.

use crate::body::{SimBody, due_after, gzip};
use crate::error::{ApiError, Dialect};
use crate::headers::{self, provider_headers};
use crate::ledger::Outcome;
use crate::meter::Meter;
use crate::prepare::{Answer, Prepared, prepare};
use crate::reply::Render;
use crate::state::Sim;
use crate::steps::{Ending, Step};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};

/// The metered endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Chat,
    Embeddings,
    Messages,
    CountTokens,
}

impl Endpoint {
    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Chat | Self::Embeddings => Dialect::OpenAi,
            Self::Messages | Self::CountTokens => Dialect::Anthropic,
        }
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Embeddings => "/v1/embeddings",
            Self::Messages => "/v1/messages",
            Self::CountTokens => "/v1/messages/count_tokens",
        }
    }
}

/// Requests beyond this many bytes are refused with 413.
const REQUEST_BYTES_MAX: usize = 64 * 1024 * 1024;

const LOAD_BALANCER_PAGE: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n\
    <body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n\
    </body>\r\n</html>\r\n";

pub(crate) async fn exchange(sim: Sim, endpoint: Endpoint, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, REQUEST_BYTES_MAX).await.ok();
    let prepared = prepare(&sim, endpoint, &parts.headers, bytes.as_deref());
    // The request may be large, and the reply may take its time.
    drop((parts, bytes));
    respond(endpoint.dialect(), prepared).await
}

async fn respond(dialect: Dialect, prepared: Prepared) -> Response {
    let Prepared { answer, mut meter, draw, request_id, settings, fault } = prepared;
    let mut wait = settings.latency();
    if let Answer::Whole { output, .. } = &answer {
        wait += due_after(*output, settings.tokens_per_second);
    }
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    let head = provider_headers(dialect, draw, &request_id, settings.latency_ms);
    let ending = Ending::of(fault);
    let compressed = fault == Some(crate::fault::Fault::Gzip);
    match answer {
        Answer::Refused(error) => refuse(dialect, &error, &request_id, head, meter),
        Answer::Html => html_page(meter),
        Answer::Hang => {
            // The meter settles the call when the client gives up.
            std::future::pending::<()>().await;
            html_page(meter)
        }
        Answer::Whole { bytes, output, reasoning } => {
            meter.answered(200);
            meter.sent_whole(output, reasoning);
            whole(head, bytes, compressed, ending, meter)
        }
        Answer::Events { renderer, steps } => {
            meter.answered(200);
            let speed = settings.tokens_per_second;
            stream(head, renderer, steps, speed, compressed, ending, meter)
        }
    }
}

fn refuse(
    dialect: Dialect,
    error: &ApiError,
    request_id: &str,
    mut head: HeaderMap,
    mut meter: Meter,
) -> Response {
    let status = error.status(dialect);
    if let ApiError::RateLimited { retry_after } = error {
        headers::retry_after(&mut head, *retry_after);
    }
    meter.answered(status.as_u16());
    if error.is_the_clients() {
        meter.finish(Outcome::Rejected);
    }
    let bytes = Bytes::from(error.body(dialect, request_id).to_string());
    let mut response = whole(head, bytes, false, Ending::End, meter);
    *response.status_mut() = status;
    response
}

fn html_page(mut meter: Meter) -> Response {
    meter.answered(StatusCode::BAD_GATEWAY.as_u16());
    let bytes = Bytes::from_static(LOAD_BALANCER_PAGE.as_bytes());
    let mut response = whole(HeaderMap::new(), bytes, false, Ending::End, meter);
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}

fn whole(
    mut head: HeaderMap,
    bytes: Bytes,
    compressed: bool,
    ending: Ending,
    meter: Meter,
) -> Response {
    head.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let bytes = match compressed.then(|| gzip(&bytes)) {
        Some(Ok(smaller)) => {
            head.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            Bytes::from(smaller)
        }
        _ => bytes,
    };
    response(head, SimBody::whole(bytes, ending, meter))
}

fn stream(
    mut head: HeaderMap,
    renderer: Box<dyn Render>,
    steps: Vec<Step>,
    tokens_per_second: f64,
    compressed: bool,
    ending: Ending,
    meter: Meter,
) -> Response {
    head.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    head.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if compressed {
        head.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let body = SimBody::events(renderer, steps, tokens_per_second, compressed, ending, meter);
    response(head, body)
}

fn response(head: HeaderMap, body: SimBody) -> Response {
    let mut response = Response::new(Body::new(body));
    *response.headers_mut() = head;
    response
}
