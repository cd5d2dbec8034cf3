//! That a request which changes something was meant by the person, and not made by
//! another site in their browser.

use http::{HeaderMap, Method, StatusCode};
use subtle::ConstantTimeEq as _;
use tally_ingest::edge::Problem;

const TOKEN_HEADER: &str = "x-tally-csrf";

/// Refuses a change that lacks the session's token, or that another site made.
pub(super) fn check(method: &Method, headers: &HeaderMap, token: &str) -> Result<(), Problem> {
    if method == Method::GET || method == Method::HEAD {
        return Ok(());
    }
    refuse_cross_site(headers)?;
    let shown = headers.get(TOKEN_HEADER).map(|value| value.as_bytes()).unwrap_or_default();
    if bool::from(shown.ct_eq(token.as_bytes())) {
        return Ok(());
    }
    let detail = if shown.is_empty() {
        "a session's change needs the header `x-tally-csrf`"
    } else {
        "the header `x-tally-csrf` holds another session's token"
    };
    Err(Problem::new(StatusCode::FORBIDDEN, "csrf_missing", detail)
        .with_next_step("send the `csrf_token` of `GET /api/v1/me` in it, or reload the page"))
}

/// Refuses what a page of another site, or of a sibling domain, made a browser send.
/// Programs send neither header and pass.
pub(super) fn refuse_cross_site(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let is_foreign = match (text("sec-fetch-site"), text("origin")) {
        // Only the browser can write this one; `none` is a person's own doing.
        (Some(site), _) => site != "same-origin" && site != "none",
        // It is not sent over plain HTTP to another machine.
        (None, Some(origin)) => {
            let own = [text("host"), text("x-forwarded-host")];
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_none_or(|host| !own.into_iter().flatten().any(|own| is_same(own, host)))
        }
        (None, None) => false,
    };
    if !is_foreign {
        return Ok(());
    }
    let detail = "another site's page sent this request";
    Err(Problem::new(StatusCode::FORBIDDEN, "cross_site", detail)
        .with_next_step("do it on Tally's own page; a proxy in front must pass `host` on"))
}

/// Whether two hosts are one; a port that the scheme implies may be left out.
fn is_same(one: &str, other: &str) -> bool {
    let plain = |host: &str| {
        let host = host.trim().to_ascii_lowercase();
        let bare = host.strip_suffix(":443").or_else(|| host.strip_suffix(":80"));
        bare.unwrap_or(&host).to_owned()
    };
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn code(method: &Method, pairs: &[(&'static str, &'static str)]) -> &'static str {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        check(method, &headers, "right").map_or_else(|problem| problem.code, |()| "ok")
    }

    #[test]
    fn changes_need_the_token_and_reading_does_not() {
        for method in [Method::GET, Method::HEAD] {
            assert_eq!(code(&method, &[]), "ok");
        }
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
            assert_eq!(code(&method, &[]), "csrf_missing");
            assert_eq!(code(&method, &[("x-tally-csrf", "wrong")]), "csrf_missing");
            assert_eq!(code(&method, &[("x-tally-csrf", "right")]), "ok");
        }
    }

    #[test]
    fn other_sites_are_refused_even_with_the_token() {
        let token = ("x-tally-csrf", "right");
        let host = ("host", "tally.acme.test:8080");
        for (expected, pairs) in [
            ("ok", &[("sec-fetch-site", "same-origin")][..]),
            ("ok", &[("sec-fetch-site", "none")]),
            ("cross_site", &[("sec-fetch-site", "cross-site")]),
            ("cross_site", &[("sec-fetch-site", "same-site")]),
            ("ok", &[("origin", "http://tally.acme.test:8080")]),
            ("cross_site", &[("origin", "http://tally.acme.test")]),
            ("cross_site", &[("origin", "https://evil.test")]),
            ("cross_site", &[("origin", "http://tally.acme.test:8080.evil.test")]),
            ("cross_site", &[("origin", "null")]),
            ("ok", &[("origin", "https://t.test"), ("x-forwarded-host", "t.test:443")]),
        ] {
            let pairs: Vec<_> = pairs.iter().copied().chain([token, host]).collect();
            assert_eq!(code(&Method::POST, &pairs), expected, "{pairs:?}");
        }
    }
}
