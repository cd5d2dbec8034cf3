//! The cookie of a session.

use http::{HeaderMap, HeaderValue, header};
use tally_store::accounts::SESSION_LIFE_S;

const NAME: &str = "tally_session";
/// Longer ones are not ours.
const TOKEN_BYTES_MAX: usize = 128;

/// The token in the cookie, if there is one.
pub(super) fn token(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == NAME && !value.is_empty())
        .map(|(_, value)| value)
}

/// Whether something is short enough to be a token.
pub(super) fn is_plausible(token: &str) -> bool {
    token.len() <= TOKEN_BYTES_MAX
}

/// Sets the cookie for as long as a session may live.
pub(super) fn set(token: &str, headers: &HeaderMap) -> Option<HeaderValue> {
    cookie(token, SESSION_LIFE_S, headers)
}

/// Removes the cookie.
pub(super) fn clear(headers: &HeaderMap) -> Option<HeaderValue> {
    cookie("", 0, headers)
}

fn cookie(value: &str, life_s: i64, headers: &HeaderMap) -> Option<HeaderValue> {
    let secure = if came_by_https(headers) { "; Secure" } else { "" };
    let text =
        format!("{NAME}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={life_s}{secure}");
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Tally itself speaks HTTP; a proxy in front of it that speaks HTTPS says so, and so
/// does the browser, which names the page's origin in what it posts.
fn came_by_https(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let forwarded = text("x-forwarded-proto").and_then(|list| list.split(',').next());
    forwarded.is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"))
        || text("origin").is_some_and(|origin| origin.starts_with("https://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_token_is_found_among_other_cookies() {
        for (cookies, expected) in [
            ("tally_session=abc", Some("abc")),
            ("a=b; tally_session=abc; c=d", Some("abc")),
            ("not_tally_session=abc; tally_session_2=abc", None),
            ("tally_session=; x=tally_session", None),
            ("tally_session", None),
            ("", None),
        ] {
            assert_eq!(token(&headers(&[("cookie", cookies)])), expected, "{cookies}");
        }
        assert_eq!(token(&headers(&[("cookie", "a=b"), ("cookie", "tally_session=x")])), Some("x"));
        assert_eq!(token(&HeaderMap::new()), None);
    }

    #[test]
    fn the_cookie_is_secure_where_the_page_is() {
        let shown = |pairs: &[_]| {
            let value = set("abc", &headers(pairs)).unwrap();
            assert!(value.is_sensitive());
            value.to_str().unwrap().to_owned()
        };
        let plain = "tally_session=abc; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000";
        assert_eq!(shown(&[]), plain);
        assert_eq!(shown(&[("origin", "http://localhost:8080")]), plain);
        for https in [("x-forwarded-proto", "https, http"), ("origin", "https://tally.acme.test")] {
            assert_eq!(shown(&[https]), format!("{plain}; Secure"));
        }
        let cleared = clear(&HeaderMap::new()).unwrap();
        assert!(cleared.to_str().unwrap().starts_with("tally_session=; Path=/;"));
        assert!(cleared.to_str().unwrap().contains("Max-Age=0"));
        assert!(set("a\nb", &HeaderMap::new()).is_none());
    }
}
