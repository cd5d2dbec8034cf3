//! Requests that are done once, however often they are sent: a `POST` with the header
//! `idempotency-key`, by the same caller, within 24 hours.

use axum::{
    body::Body,
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use sha2::{Digest, Sha256};
use tally_ingest::edge::{self, Problem};
use tally_store::{Begun, Kept, Ticket};

use crate::{caller::Caller, operation::Operation, state::Api, store_problem::problem};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const KEY_BYTES_MAX: usize = 255;
/// As large as the largest request, a set of resources; no reply is larger.
const BODY_BYTES_MAX: usize = 32 << 20;

/// Runs an operation, or answers as it was answered before.
pub(crate) async fn run(
    api: &Api,
    operation: &Operation,
    request: Request,
    next: Next,
) -> Response {
    if operation.method != Method::POST || operation.reads || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    match once(api, operation, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn once(
    api: &Api,
    operation: &Operation,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    // Who is not known yet cannot repeat anything.
    let Some(caller) = request.extensions().get::<Caller>().cloned() else {
        return Ok(next.run(request).await);
    };
    let (head, body) = request.into_parts();
    let key = head.headers.get(KEY).map(HeaderValue::as_bytes).unwrap_or_default();
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        let detail = format!("`idempotency-key`: expected 1 to {KEY_BYTES_MAX} characters");
        return Err(Problem::bad_request("idempotency_key_invalid", detail));
    }
    let body = edge::read(body, BODY_BYTES_MAX).await?;
    let key_hash = hash(&[caller.actor().as_bytes(), key]);
    let address = head.uri.to_string();
    // With the key, which is kept nowhere, nobody can guess a password from the hash.
    let request_hash = hash(&[key, head.method.as_str().as_bytes(), address.as_bytes(), &body]);
    let kept = api.state.store.idempotency();
    match kept.begin(&key_hash, &request_hash).await.map_err(problem)? {
        Begun::Fresh(ticket) => {
            let request = Request::from_parts(head, Body::from(body));
            let response = next.run(request).await;
            keep(api, operation, &ticket, response).await
        }
        Begun::Done(kept) => replay(kept),
        Begun::InProgress => {
            let detail = "the request with this idempotency key is under way";
            Err(Problem::new(StatusCode::CONFLICT, "idempotency_in_progress", detail)
                .with_next_step("wait for its reply, or send it again shortly")
                .with_retry_after(1))
        }
        Begun::Mismatch => {
            let detail = "this idempotency key was used for another request";
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)
                .with_next_step("use a new key for a new request"))
        }
    }
}

/// Keeps the reply; a failure of Tally's own, and being too early, may be tried again.
async fn keep(
    api: &Api,
    operation: &Operation,
    ticket: &Ticket,
    response: Response,
) -> Result<Response, Problem> {
    let kept = api.state.store.idempotency();
    let status = response.status();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        kept.forget(ticket).await.map_err(problem)?;
        return Ok(response);
    }
    let (head, body) = response.into_parts();
    let body = edge::read(body, BODY_BYTES_MAX).await?;
    let content_type = head.headers.get(header::CONTENT_TYPE);
    let is_secret = operation.is_secret && head.status.is_success();
    let reply = Kept {
        status: head.status.as_u16(),
        content_type: content_type
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned(),
        body: (!is_secret).then(|| body.to_vec()),
    };
    // What was done stays done even when its reply cannot be kept.
    if let Err(error) = kept.finish(ticket, reply).await {
        tracing::warn!(%error, "a reply is not kept for its idempotency key");
    }
    Ok(Response::from_parts(head, Body::from(body)))
}

fn replay(kept: Kept) -> Result<Response, Problem> {
    let Some(body) = kept.body else {
        let detail = "this was done before; its reply held a secret or was too large to be kept";
        return Err(Problem::new(StatusCode::CONFLICT, "already_done", detail)
            .with_next_step("read what was made; make another secret if this one was lost"));
    };
    let mut response = Response::new(Body::from(body));
    if let Ok(status) = StatusCode::from_u16(kept.status) {
        *response.status_mut() = status;
    }
    let headers = response.headers_mut();
    if let Ok(content_type) = HeaderValue::try_from(kept.content_type)
        && !content_type.is_empty()
    {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// Of parts that cannot run into each other.
fn hash(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hex::encode(hasher.finalize())
}
