//! Who gets in where.

use std::fmt::Write as _;

use http::StatusCode;

use crate::support::{Company, ROLES};

/// Every route as method, template, an address of it, and a body that is valid.
const ROUTES: &[(&str, &str, &str, &str)] = &[
    ("GET", "/metrics", "/metrics", ""),
    ("POST", "/api/v1/apply", "/api/v1/apply", r#"{"set":"s","dry_run":true,"documents":[]}"#),
    ("GET", "/api/v1/audit", "/api/v1/audit", ""),
    ("GET", "/api/v1/events", "/api/v1/events", ""),
    ("GET", "/api/v1/events/{id}", "/api/v1/events/00000000-0000-0000-0000-000000000001", ""),
    ("GET", "/api/v1/prices", "/api/v1/prices", ""),
    ("POST", "/api/v1/query", "/api/v1/query", r#"{"measures":["calls"],"range":"today"}"#),
    ("GET", "/api/v1/query/catalog", "/api/v1/query/catalog", ""),
    ("GET", "/api/v1/status", "/api/v1/status", ""),
    ("POST", "/api/v1/keys/{name}/revoke", "/api/v1/keys/nothing/revoke", ""),
    ("POST", "/api/v1/keys/{name}/rotate", "/api/v1/keys/nothing/rotate", ""),
    ("GET", "/api/v1/{kinds}", "/api/v1/teams", ""),
    ("POST", "/api/v1/{kinds}", "/api/v1/teams", r#"{"name":"support","spec":{}}"#),
    ("GET", "/api/v1/{kinds}/{name}", "/api/v1/keys/k-admin", ""),
    ("PUT", "/api/v1/{kinds}/{name}", "/api/v1/people/ada", r#"{"version":99,"spec":{}}"#),
    ("DELETE", "/api/v1/{kinds}/{name}", "/api/v1/teams/support?version=99", ""),
    // What finops may change.
    ("POST", "/api/v1/{kinds}", "/api/v1/budgets", r#"{"name":"support-month","spec":{}}"#),
    ("PUT", "/api/v1/{kinds}/{name}", "/api/v1/price-lists/x", r#"{"version":1,"spec":{}}"#),
    ("DELETE", "/api/v1/{kinds}/{name}", "/api/v1/budgets/support-month?version=99", ""),
];

#[tokio::test]
async fn every_route_and_role() {
    let company = Company::new().await;
    company.record_calls();
    let mut table = String::new();
    for (method, template, path, body) in ROUTES {
        let _ = write!(table, "{method:6} {path:58} {template:28}");
        for role in ROLES {
            let reply = company.call(role, method, path, body).await;
            let allowed = match reply.status {
                StatusCode::FORBIDDEN => {
                    assert_eq!(reply.code(), "role_missing");
                    "-"
                }
                // Past the guard, whatever comes of it there.
                StatusCode::OK | StatusCode::NOT_FOUND | StatusCode::CONFLICT => role,
                other => panic!("{role} {method} {path}: {other} {}", reply.text),
            };
            let _ = write!(table, " {allowed}");
        }
        table.push('\n');
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn nothing_but_health_answers_without_a_key() {
    let company = Company::new().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(company.call("", "GET", path, "").await.status, StatusCode::OK, "{path}");
        assert_eq!(company.call("", "HEAD", path, "").await.status, StatusCode::OK, "{path}");
    }
    let others = [
        ("GET", "/api"),
        ("GET", "/api/"),
        ("GET", "/api/v1/nonsense"),
        ("GET", "/api/v2/teams"),
        ("GET", "/api/v1/teams/support/verb"),
        ("PATCH", "/api/v1/teams"),
        ("POST", "/healthz"),
        ("OPTIONS", "/api/v1/teams"),
        ("HEAD", "/api/v1/teams"),
        ("GET", "/api/v1/teams/%ff"),
    ];
    let routes = ROUTES.iter().map(|(method, _, path, _)| (*method, *path));
    for (method, path) in routes.chain(others) {
        let reply = company.call("", method, path, "").await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        assert_eq!(reply.headers["www-authenticate"], "Bearer realm=\"tally\"");
    }
    let reply = company.call_with("tally_wrong", "GET", "/api/v1/teams", "").await;
    insta::assert_json_snapshot!(reply.json());
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_key_without_a_role_or_with_no_person_sees_nothing() {
    let company = Company::new().await;
    for (method, _, path, body) in ROUTES {
        let reply = company.call("nobody", method, path, body).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{method} {path}");
    }
    // A developer's service has no usage of its own; and `unattributed` as a filter
    // would mean everyone who is not known.
    for role in ["robot", "unattributed"] {
        for (method, path, body) in [
            ("POST", "/api/v1/query", r#"{"measures":["calls"],"range":"today"}"#),
            ("GET", "/api/v1/events", ""),
        ] {
            let reply = company.call(role, method, path, body).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{role} {method} {path}");
        }
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let company = Company::new().await;
    for path in ["/api", "/api/", "/api/v1/nonsense", "/api/v2/x", "/api/v1/teams/support/verb"] {
        let reply = company.call("admin", "GET", path, "").await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::NOT_FOUND, "path_unknown"));
    }
    let reply = company.call("admin", "PATCH", "/api/v1/teams/support", "").await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(reply.headers["allow"], "GET, PUT, DELETE");
    assert!(reply.headers.contains_key("x-tally-request-id"));
}

#[tokio::test]
async fn readiness_tells_what_is_missing_and_nothing_else() {
    let company = Company::new().await;
    insta::assert_json_snapshot!(company.call("", "GET", "/readyz", "").await.json());
    company.slot.empty();
    let reply = company.call("", "GET", "/readyz", "").await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.json()["warehouse"], "unavailable");
    assert_eq!(company.call("", "GET", "/healthz", "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn operators_see_the_state_of_the_parts() {
    let company = Company::new().await;
    let status = company.call("auditor", "GET", "/api/v1/status", "").await.json();
    assert_eq!(status["warehouse"], "open");
    assert_eq!(status["resources"]["revision"], status["resources"]["revision_in_effect"]);
    let metrics = company.call("viewer", "GET", "/metrics", "").await;
    assert!(metrics.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
}
