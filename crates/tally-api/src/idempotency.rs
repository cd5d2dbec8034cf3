//! Requests that are done once, however often they are sent.

use axum::{extract::Request, middleware::Next, response::Response};

use crate::{operation::Operation, state::Api};

pub(crate) async fn run(
    _api: &Api,
    _operation: &Operation,
    request: Request,
    next: Next,
) -> Response {
    next.run(request).await
}
