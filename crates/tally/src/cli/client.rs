//! Requests to a running Tally, with errors that say what to do.

use std::{error::Error as _, time::Duration};

use anyhow::{Context as _, anyhow};
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    connection::{Connection, KeySource},
    problem::Problem,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A query over years may take its time.
const TIMEOUT: Duration = Duration::from_secs(300);
/// Whoever watches for longer asks again.
const FOLLOW_TIMEOUT: Duration = Duration::from_secs(24 * 3_600);
const PAGE_SIZE: &str = "500";

/// A client of one running Tally.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    key: Option<super::connection::Secret>,
    key_source: KeySource,
}

/// A reply, whatever its status.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its body.
    pub body: String,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
struct Page<T> {
    items: Vec<T>,
    #[serde(default)]
    next: Option<Next>,
}

/// Where the next page starts: after a name, or at an offset.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum Next {
    After(String),
    Offset(u64),
}

// === impl Client ===

impl Client {
    /// A client for the connection; nothing is sent yet.
    ///
    /// # Errors
    /// When the URL is none of HTTP, or TLS cannot be set up.
    pub(crate) fn new(connection: &Connection) -> anyhow::Result<Self> {
        let base = connection.to.clone();
        if base.cannot_be_a_base() || !matches!(base.scheme(), "http" | "https") {
            return Err(anyhow!("`--to {base}` is no address of Tally; expected http://host:port"));
        }
        // Whoever comes second finds it installed, which is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // A redirect would carry the key to where nobody asked it to go.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("tally/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("cannot set up the HTTP client")?;
        let (key, key_source) = connection.key();
        Ok(Self { http, base, key, key_source })
    }

    /// Where Tally listens, without a slash at the end.
    pub(crate) fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The answer to a GET.
    ///
    /// # Errors
    /// No connection, a refusal, or an answer of another shape.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> anyhow::Result<T> {
        let request = self.request(Method::GET, path, query)?;
        self.read(request).await
    }

    /// The answer to a GET, as text.
    ///
    /// # Errors
    /// No connection, or a refusal.
    pub(crate) async fn text(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> anyhow::Result<String> {
        let reply = self.send(self.request(Method::GET, path, query)?).await?;
        self.accepted(reply)
    }

    /// The answer to a POST of JSON.
    ///
    /// # Errors
    /// No connection, a refusal, or an answer of another shape.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        let request = self.request(Method::POST, path, &[])?.json(body);
        self.read(request).await
    }

    /// The answer to a PUT of JSON.
    ///
    /// # Errors
    /// No connection, a refusal, or an answer of another shape.
    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        let request = self.request(Method::PUT, path, &[])?.json(body);
        self.read(request).await
    }

    /// A GET whose answer goes on: server-sent events.
    ///
    /// # Errors
    /// No connection, or a refusal.
    pub(crate) async fn follow(&self, path: &[&str]) -> anyhow::Result<reqwest::Response> {
        let request = self.request(Method::GET, path, &[])?.timeout(FOLLOW_TIMEOUT);
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = answer.text().await.map_err(|error| self.unreachable(&error))?;
        Err(anyhow!(self.refusal(status, &body)))
    }

    /// Writes the answer to a GET as it comes; gives how many bytes it was.
    ///
    /// # Errors
    /// No connection, a refusal, or a file that cannot be written.
    pub(crate) async fn download(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        mut target: impl std::io::Write,
    ) -> anyhow::Result<u64> {
        let request = self.request(Method::GET, path, query)?;
        let mut reply = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = reply.status();
        if !status.is_success() {
            let body = reply.text().await.map_err(|error| self.unreachable(&error))?;
            return Err(anyhow!(self.refusal(status, &body)));
        }
        let mut count = 0;
        while let Some(chunk) = reply.chunk().await.map_err(|error| self.unreachable(&error))? {
            target.write_all(&chunk)?;
            count += chunk.len() as u64;
        }
        target.flush()?;
        Ok(count)
    }

    /// The answer to a POST of JSON with a query string.
    ///
    /// # Errors
    /// No connection, a refusal, or an answer of another shape.
    pub(crate) async fn post_query<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        let request = self.request(Method::POST, path, query)?.json(body);
        self.read(request).await
    }

    /// Every item of a list, page by page.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> anyhow::Result<Vec<T>> {
        let mut items = Vec::new();
        let mut next: Option<Next> = None;
        loop {
            let start = next.as_ref().map(|next| match next {
                Next::After(name) => ("after", name.clone()),
                Next::Offset(count) => ("offset", count.to_string()),
            });
            let mut query = query.to_vec();
            query.push(("limit", PAGE_SIZE));
            query.extend(start.as_ref().map(|(name, value)| (*name, value.as_str())));
            let page: Page<T> = self.get(path, &query).await?;
            items.extend(page.items);
            // A page that starts where the last one did would never end.
            if page.next.is_none() || page.next == next {
                return Ok(items);
            }
            next = page.next;
        }
    }

    /// The reply to a GET, even when it is a refusal.
    ///
    /// # Errors
    /// No connection.
    pub(crate) async fn reply(&self, path: &[&str]) -> anyhow::Result<Reply> {
        self.send(self.request(Method::GET, path, &[])?).await
    }

    fn request(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> anyhow::Result<RequestBuilder> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| anyhow!("`--to {}` cannot have a path", self.base))?
            .pop_if_empty()
            .extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.http.request(method, url);
        Ok(match &self.key {
            Some(key) => request.bearer_auth(key.expose()),
            None => request,
        })
    }

    async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        let reply = self.send(request).await?;
        let body = self.accepted(reply)?;
        serde_json::from_str(&body).with_context(|| {
            format!(
                "{} answered in a shape this version of tally ({}) does not know; is it a Tally of the same version?",
                self.address(),
                env!("CARGO_PKG_VERSION")
            )
        })
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Reply> {
        let reply = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = reply.status();
        let body = reply.text().await.map_err(|error| self.unreachable(&error))?;
        Ok(Reply { status, body })
    }

    fn accepted(&self, reply: Reply) -> anyhow::Result<String> {
        if reply.status.is_success() {
            return Ok(reply.body);
        }
        Err(anyhow!(self.refusal(reply.status, &reply.body)))
    }

    fn unreachable(&self, error: &reqwest::Error) -> anyhow::Error {
        let address = self.address();
        if error.is_connect() {
            return anyhow!(
                "nothing answers at {address} ({})\nnext step: start Tally with `tally serve`, or say where it is with `--to URL` (or TALLY_TO)",
                root_cause(error)
            );
        }
        if error.is_timeout() {
            return anyhow!("{address} did not answer within {} seconds", TIMEOUT.as_secs());
        }
        anyhow!("the connection to {address} failed: {}", root_cause(error))
    }

    /// What a refusal says, and what is missing.
    fn refusal(&self, status: StatusCode, body: &str) -> String {
        let problem = Problem::read(body);
        let said = problem.render(&format!("{} answered {status}", self.address()));
        let next_step = match status {
            // Tally speaks of headers there; a person has options.
            StatusCode::UNAUTHORIZED => Some(self.key_hint()),
            StatusCode::FORBIDDEN => problem.next_step().or_else(|| {
                Some("ask an administrator for a key with the role this needs (`tally key create NAME --role ROLE`)".to_owned())
            }),
            _ => problem.next_step(),
        };
        next_step.map_or_else(|| said.clone(), |step| format!("{said}\nnext step: {step}"))
    }

    fn key_hint(&self) -> String {
        match &self.key_source {
            KeySource::Given => {
                "check the key given with `--key` or TALLY_KEY, or have another made with `tally key create`".to_owned()
            }
            KeySource::File(path) => format!(
                "the key in {} does not open this Tally; name its data folder with `--data`, or give a key with `--key`",
                path.display()
            ),
            KeySource::Missing(what) => format!(
                "{what}; give one with `--key` (or TALLY_KEY), or name the data folder of a local Tally with `--data`"
            ),
        }
    }
}

/// The innermost reason: the outer ones only say that a request failed.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut said = error.to_string();
    while let Some(inner) = cause {
        said = inner.to_string();
        cause = inner.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(key: Option<&str>) -> Client {
        let connection = Connection {
            to: "http://127.0.0.1:9".parse().unwrap(),
            key: key.map(|key| key.parse().unwrap()),
            data: Some("/nonexistent".into()),
            json: false,
        };
        Client::new(&connection).unwrap()
    }

    #[test]
    fn names_cannot_leave_their_place_in_a_path() {
        let request = client(None)
            .request(Method::GET, &["api", "v1", "models", "meta/llama:3?x"], &[("after", "a&b")])
            .unwrap()
            .build()
            .unwrap();
        assert_eq!(
            request.url().as_str(),
            "http://127.0.0.1:9/api/v1/models/meta%2Fllama:3%3Fx?after=a%26b"
        );
    }

    #[test]
    fn a_missing_key_and_a_wrong_key_are_told_apart() {
        let missing = client(None).refusal(StatusCode::UNAUTHORIZED, "");
        assert!(missing.contains("/nonexistent/admin.key does not exist"), "{missing}");
        let wrong = client(Some("tally_wrong")).refusal(StatusCode::UNAUTHORIZED, "");
        assert!(wrong.contains("TALLY_KEY") && !wrong.contains("tally_wrong"), "{wrong}");
    }

    #[tokio::test]
    async fn when_nothing_listens_the_error_says_what_to_start() {
        let error = client(None).reply(&["healthz"]).await.unwrap_err().to_string();
        assert!(error.contains("http://127.0.0.1:9") && error.contains("`tally serve`"), "{error}");
    }
}
