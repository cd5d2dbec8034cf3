//! How the interface's files are served, built or not.

use axum::body::Body;
use http::{Request, StatusCode};
use tower::ServiceExt as _;

async fn get(method: &str, path: &str) -> (StatusCode, http::HeaderMap) {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let response = tally_api::ui().oneshot(request).await.unwrap();
    (response.status(), response.headers().clone())
}

#[tokio::test]
async fn what_is_no_page_is_never_answered_with_the_page() {
    for path in [
        "/api/v1/nothing",
        "/v1/nothing",
        "/_app/immutable/gone.0123.js",
        "/ingest/v1/nothing",
        "/assets/gone.css",
        "/../../Cargo.toml",
        "/..%2f..%2fCargo.toml",
        "/%2e%2e/%2e%2e/Cargo.toml",
        "/index.html/../../package.json",
    ] {
        let (status, headers) = get("GET", path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(headers["content-type"], "application/problem+json", "{path}");
    }
    assert_eq!(get("POST", "/overview").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_name_with_a_dot_is_a_page_and_no_file() {
    // Built or not, the answers are alike; only one of the two may be about a missing file.
    let (overview, _) = get("GET", "/overview").await;
    for path in ["/people/ada.lovelace", "/teams/r.and.d"] {
        assert_eq!(get("GET", path).await.0, overview, "{path}");
    }
}

#[tokio::test]
async fn nothing_from_elsewhere_may_run_in_or_around_the_page() {
    let (_, headers) = get("GET", "/overview?f=team%3Aeq%3Ax").await;
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"));
    assert_eq!(headers["x-content-type-options"], "nosniff");
}
