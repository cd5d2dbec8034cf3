//! What every door that speaks HTTP shares: who calls, how a body is read, how a
//! refusal looks.

mod body;
mod caller;
mod problem;

pub(crate) use body::malformed;
pub use body::{json, read};
pub use caller::Caller;
pub use problem::{FLAWS_MAX, Flaw, Problem};

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

/// Adds the headers that every reply carries: nothing is guessed, nothing is cached.
pub async fn secured(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer to a method that a path does not know.
pub async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this path does not know this method",
    )
    .with_next_step("see the header `allow` for the methods it knows")
}
