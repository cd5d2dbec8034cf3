//! The interface: the files that `make web` built, held in the binary.

use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use rust_embed::{Embed, EmbeddedFile};
use tally_ingest::edge::Problem;

/// In debug builds the files are read when they are asked for, so that a change of the
/// interface needs no build of Tally.
#[derive(Embed)]
#[folder = "../../web/build"]
#[allow_missing = true]
struct Files;

/// The page that every path of the interface starts with.
const PAGE: &str = "index.html";
/// Files whose names hold a hash of what is in them.
const HASHED: &str = "_app/immutable/";
/// First parts of paths that are no pages.
const NO_PAGES: &[&str] =
    &["api", "v1", "v1beta", "ingest", "otlp", "metrics", "healthz", "readyz", "_app"];
/// First parts of pages about something that has a name, in which there may be a dot.
const NAMED_PAGES: &[&str] = &[
    "access",
    "approvals",
    "budgets",
    "calls",
    "catalog",
    "cost-centers",
    "exceptions",
    "people",
    "rate-cards",
    "reconciliation",
    "statements",
    "stories",
    "teams",
    "templates",
];
/// Encodings that files were compressed with when they were built, the best first.
const ENCODINGS: &[(&str, &str)] = &[("br", ".br"), ("gzip", ".gz")];

/// Nothing from elsewhere is loaded, and no other page may frame this one.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Serves the interface on every path that nothing else answers.
pub fn ui() -> Router {
    Router::new().fallback(serve).layer(middleware::map_response(secured))
}

async fn serve(request: Request) -> Response {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return nothing().into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    match Files::get(path).filter(|_| !path.is_empty()) {
        Some(file) => file_reply(path, file, request.headers()),
        None if is_page(path) => page(request.headers()),
        None => nothing().into_response(),
    }
}

fn is_page(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    !NO_PAGES.contains(&first) && (NAMED_PAGES.contains(&first) || !path.contains('.'))
}

fn page(headers: &HeaderMap) -> Response {
    match Files::get(PAGE) {
        Some(file) => file_reply(PAGE, file, headers),
        None => Problem::new(
            StatusCode::NOT_FOUND,
            "ui_not_built",
            "this build of Tally holds no interface; the API and the gateway work",
        )
        .with_next_step("run `make web`, then build Tally again")
        .into_response(),
    }
}

fn nothing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "path_unknown", "there is nothing at this path")
        .with_next_step("the interface is at `/`, the API is described by `/api/openapi.json`")
}

fn file_reply(path: &str, plain: EmbeddedFile, headers: &HeaderMap) -> Response {
    let etag = format!("\"{}\"", hex::encode(plain.metadata.sha256_hash()));
    let is_known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|known| known.split(',').any(|one| one.trim() == etag));
    // The page is changed after its compressed copies are made.
    let (encoding, file) = match path {
        PAGE => (None, plain),
        _ => compressed(path, headers).map_or((None, plain), |(name, file)| (Some(name), file)),
    };
    let mut response = if is_known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        Response::new(Body::from(file.data.into_owned()))
    };
    let caching =
        if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(etag) = HeaderValue::try_from(etag) {
        headers.insert(header::ETAG, etag);
    }
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// The smallest copy of a file that the browser takes.
fn compressed(path: &str, headers: &HeaderMap) -> Option<(&'static str, EmbeddedFile)> {
    let accepted = headers.get(header::ACCEPT_ENCODING)?.to_str().ok()?;
    let accepts = |name: &str| accepted.split(',').any(|one| one.trim() == name);
    ENCODINGS
        .iter()
        .filter(|(name, _)| accepts(name))
        .find_map(|(name, suffix)| Some((*name, Files::get(&format!("{path}{suffix}"))?)))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

async fn secured(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::is_page;

    #[test]
    fn every_page_about_something_with_a_name_opens_whatever_is_in_the_name() {
        let routes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/src/routes");
        let mut pages = 0;
        for folder in std::fs::read_dir(routes).unwrap().flatten() {
            let inner = std::fs::read_dir(folder.path()).into_iter().flatten().flatten();
            let names = inner.filter(|it| it.file_name().to_string_lossy().starts_with('['));
            if names.count() > 0 {
                let path = format!("{}/a.b", folder.file_name().to_string_lossy());
                assert!(is_page(&path), "{path}: add it to NAMED_PAGES");
                pages += 1;
            }
        }
        assert!(pages > 5, "{pages}");
    }
}
