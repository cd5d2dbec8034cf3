//! Bodies: bounded in size and time, with errors that say where.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::{Flaw, Problem};

/// How long a body may take to arrive, so that a slow sender holds no memory for ever.
const ARRIVAL_MAX: Duration = Duration::from_secs(60);

/// Reads a body of at most so many bytes.
///
/// # Errors
/// 413 when it is larger, 408 when it takes over a minute, 400 when it breaks off.
pub async fn read(body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    let collected = tokio::time::timeout(ARRIVAL_MAX, Limited::new(body, bytes_max).collect());
    let collected = collected.await.map_err(|_| {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "body_slow", "the body took over a minute")
            .with_next_step("send smaller batches")
    })?;
    match collected {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => {
            let detail = format!("the body is larger than {bytes_max} bytes");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
                .with_next_step("send it in smaller pieces"))
        }
        Err(_) => Err(Problem::bad_request("body_incomplete", "the body broke off")),
    }
}

/// Reads JSON, whatever its content type says.
///
/// # Errors
/// 400 with the position when it is no JSON, 422 with the field when it has another
/// shape than expected.
pub fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { String::new() } else { path };
        refusal(field, error.inner())
    })?;
    deserializer.end().map_err(|error| refusal(String::new(), &error))?;
    Ok(value)
}

fn refusal(field: String, error: &serde_json::Error) -> Problem {
    match error.classify() {
        Category::Data => {
            let detail = "the body does not have the expected shape";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "shape_invalid", detail)
                .with_errors([Flaw::new(field, error.to_string())])
                .with_next_step("correct the field named in `errors`")
        }
        Category::Syntax | Category::Eof | Category::Io => malformed(error),
    }
}

/// The refusal of a body that is no JSON.
pub(crate) fn malformed(error: &serde_json::Error) -> Problem {
    Problem::bad_request("json_malformed", format!("the body is no JSON: {error}"))
        .with_next_step("correct it at the place named")
}
