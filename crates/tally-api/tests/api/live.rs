//! The live feed: who sees what, and how it ends.

use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tally_types::{Record, Source, UsageEvent};
use tower::ServiceExt as _;

use crate::support::{Company, key, now};

/// A reader of the feed.
pub struct Reader {
    body: Body,
    text: String,
}

impl Reader {
    async fn open(company: &Company, role: &str, query: &str) -> Self {
        Self::open_at(company, role, &format!("/api/v1/live{query}")).await
    }

    pub async fn open_at(company: &Company, role: &str, path: &str) -> Self {
        let request = Request::builder()
            .uri(path)
            .header("authorization", format!("Bearer {}", key(role)))
            .body(Body::empty())
            .unwrap();
        let response = company.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next event as its name and data; none when the stream is over.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    message.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
                };
                let event = field("event: ").zip(field("data: "));
                self.text = rest.to_owned();
                if let Some((name, data)) = event {
                    return Some((name, serde_json::from_str(&data).unwrap()));
                }
                continue;
            }
            let frame = tokio::time::timeout(Duration::from_secs(20), self.body.frame());
            let frame = frame.await.expect("an event")?.unwrap();
            self.text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
        }
    }
}

fn usage(number: u64, person: &str, team: &str) -> (u64, Record) {
    let id = uuid::Uuid::from_u128(u128::from(number));
    let mut event =
        UsageEvent::new(tally_types::EventId(id), tally_types::CallId(id), now(), Source::Gateway);
    event.person = Some(person.parse().unwrap());
    event.team = Some(team.parse().unwrap());
    event.tokens.output = 10;
    event.cost_list_usd = Some("0.5".parse().unwrap());
    (number, Record::Usage(Box::new(event)))
}

#[tokio::test]
async fn readers_see_what_they_may_see() {
    let company = Company::new().await;
    let mut all = Reader::open(&company, "viewer", "").await;
    let mut own = Reader::open(&company, "ada", "").await;
    let filters = "%5B%7B%22dimension%22%3A%22person%22%2C%22op%22%3A%22eq%22%2C%22values%22%3A%5B%22grace%22%5D%7D%5D";
    let mut filtered = Reader::open(&company, "viewer", &format!("?filters={filters}")).await;
    let rows = [usage(1, "ada", "support"), usage(2, "grace", "support"), usage(3, "lin", "labs")];
    company.live.announce(now(), &rows);

    let (name, data) = all.next().await.unwrap();
    assert_eq!(name, "calls");
    assert_eq!((&data["calls"], &data["tokens"]), (&3.into(), &30.into()));
    assert_eq!(data["spend_usd"], "1.5");
    assert_eq!(data["items"][0]["person"], "lin", "the newest first");
    for (reader, person) in [(&mut own, "ada"), (&mut filtered, "grace")] {
        let (_, data) = reader.next().await.unwrap();
        assert_eq!((&data["calls"], &data["items"][0]["person"]), (&1.into(), &person.into()));
        assert!(!data.to_string().contains("lin"));
    }
}

#[tokio::test]
async fn a_flood_is_counted_whole_and_shown_in_part() {
    let company = Company::new().await;
    let mut reader = Reader::open(&company, "viewer", "").await;
    let rows: Vec<_> = (0..500).map(|number| usage(number, "ada", "support")).collect();
    company.live.announce(now(), &rows);
    let (_, data) = reader.next().await.unwrap();
    assert_eq!((&data["calls"], &data["omitted"]), (&500.into(), &450.into()));
    assert_eq!(data["items"].as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn a_slow_reader_is_told_what_it_missed() {
    let company = Company::new().await;
    let mut reader = Reader::open(&company, "viewer", "").await;
    for number in 0..100 {
        company.live.announce(now(), &[usage(number, "ada", "support")]);
    }
    let (name, data) = reader.next().await.unwrap();
    assert_eq!((name.as_str(), &data["batches"]), ("lagged", &36.into()));
    assert_eq!(reader.next().await.unwrap().0, "calls");
}

#[tokio::test]
async fn the_feed_ends_when_the_server_stops() {
    let company = Company::new().await;
    let mut reader = Reader::open(&company, "viewer", "").await;
    company.live.close();
    let (name, data) = reader.next().await.unwrap();
    assert_eq!((name.as_str(), &data["code"]), ("end", &"stopping".into()));
    assert_eq!(reader.next().await, None);
}

#[tokio::test]
async fn wrong_filters_are_refused_before_anything_is_streamed() {
    let company = Company::new().await;
    for filters in ["x", "%5B%7B%22dimension%22%3A%22colour%22%2C%22op%22%3A%22is_null%22%7D%5D"] {
        let path = format!("/api/v1/live?filters={filters}");
        let reply = company.call("viewer", "GET", &path, "").await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (StatusCode::BAD_REQUEST, "query_invalid")
        );
    }
}

#[tokio::test]
async fn a_reader_who_lost_a_role_no_longer_sees_by_it() {
    let company = Company::new().await;
    let mut reader = Reader::open(&company, "viewer", "").await;
    let person = "/api/v1/people/p-viewer";
    let change = r#"{"version":1,"spec":{"roles":["developer"]}}"#;
    assert_eq!(company.call("admin", "PUT", person, change).await.status, StatusCode::OK);
    company.live.announce(now(), &[usage(1, "ada", "support"), usage(2, "p-viewer", "support")]);
    let (_, data) = reader.next().await.unwrap();
    assert_eq!((&data["calls"], &data["items"][0]["person"]), (&1.into(), &"p-viewer".into()));
}
