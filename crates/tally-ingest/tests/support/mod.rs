//! A company with keys, behind the doors.

use std::{sync::Arc, thread};

use axum::{Router, body::Body};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tally_gateway::{DataPlane, Estimator, Gateway, Secrets, budgets_of};
use tally_ingest::{IngestState, router};
use tally_journal::{Journal, Sink, SinkError};
use tally_store::{
    ApplyOptions, Store,
    documents::{Format, parse_documents},
    sqlite_url,
};
use tally_types::{
    Clock, ManualClock, NodeId, Record, SequentialIds, TimeZone, Timestamp, UsageEvent, Weekday,
    spec::SecretSource,
};
use tally_warehouse::{EventFilter, NamedRange, Query, Range, Warehouse};
use tower::ServiceExt as _;
use uuid::Uuid;

const ACME: &str = include_str!("../../../tally-store/tests/acme.yaml");

struct TestSecrets;

impl Secrets for TestSecrets {
    fn read(&self, source: &SecretSource) -> Result<String, String> {
        match source {
            SecretSource::Env(name) => Ok(format!("tally_{name}_0123456789abcdef")),
            SecretSource::File(path) => Err(format!("no file {path}")),
        }
    }
}

/// The secret of a key.
pub fn key(who: &str) -> String {
    format!("tally_TALLY_KEY_{}_0123456789abcdef", who.to_uppercase())
}

pub fn now() -> Timestamp {
    "2026-11-15T12:00:00Z".parse().unwrap()
}

pub struct Company {
    pub router: Router,
    pub journal: Journal,
    pub warehouse: Arc<Warehouse>,
    _running: tally_journal::Running,
    _folder: tempfile::TempDir,
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_else(|| panic!("{}", self.text)).to_owned()
    }
}

struct WarehouseSink(Arc<Warehouse>);

impl Sink for WarehouseSink {
    fn last_sequence(&mut self, node: NodeId) -> Result<u64, SinkError> {
        Ok(self.0.last_sequence(node)?)
    }

    fn write(&mut self, node: NodeId, rows: &[(u64, Record)]) -> Result<(), SinkError> {
        self.0.write(node, rows)?;
        Ok(())
    }
}

impl Company {
    pub async fn new() -> Self {
        let company = Self::with_journal_bytes(4 << 30).await;
        let shipper = company.journal.shipper(WarehouseSink(Arc::clone(&company.warehouse)));
        thread::spawn(move || shipper.run());
        company
    }

    /// Nothing is shipped, so that the journal fills up.
    pub async fn with_journal_bytes(bytes_max: u64) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(now()));
        let url = sqlite_url(&folder.path().join("tally.db"));
        let store = Store::open(&url, clock.clone()).await.unwrap();
        fill(&store).await;
        let mut options = tally_journal::Options::new(folder.path().join("journal"));
        options.bytes_max = bytes_max;
        let shared: Arc<dyn Clock> = clock.clone();
        let (_, counting) = budgets_of(&store.snapshot(), &shared);
        let node = NodeId(Uuid::from_u128(1));
        let (running, _) = Journal::open_observed(options, node, Some(counting.clone())).unwrap();
        let journal = running.journal();
        let warehouse = Arc::new(Warehouse::open_in_memory(&warehouse_options()).unwrap());
        let gateway = Gateway::new(
            DataPlane::build(store.snapshot(), &TestSecrets).unwrap(),
            journal.clone(),
            &counting,
            Estimator::default(),
            clock.clone(),
            Arc::new(SequentialIds::default()),
            tally_gateway::Options::default(),
        );
        let router = router(IngestState { gateway, journal: journal.clone(), clock });
        Self { router, journal, warehouse, _running: running, _folder: folder }
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        assert_eq!(parts.headers["x-content-type-options"], "nosniff");
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Reply { status: parts.status, headers: parts.headers, text }
    }

    pub async fn post(&self, who: &str, path: &str, body: &str) -> Reply {
        let mut request = Request::post(path);
        if !who.is_empty() {
            request = request.header("authorization", format!("Bearer {}", key(who)));
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// Posts one event and gives back the newest in the warehouse.
    pub async fn event_of(&self, who: &str, body: &str) -> UsageEvent {
        let before = self.events();
        let reply = self.post(who, "/ingest/v1/events", body).await;
        assert_eq!(reply.json()["accepted"], 1, "{}", reply.text);
        self.journal.shipped().await;
        let is_new = |event: &UsageEvent| before.iter().all(|old| old.event_id != event.event_id);
        self.events().into_iter().find(is_new).unwrap()
    }

    fn events(&self) -> Vec<UsageEvent> {
        let range = Range::Named(NamedRange::ThisYear);
        let filter = EventFilter { range, filters: Vec::new(), after: None, limit: 100 };
        self.warehouse.events(&filter, now()).unwrap()
    }

    pub fn totals(&self, measures: &[&str]) -> Value {
        let query = json!({ "measures": measures, "range": "this_year" });
        let query: Query = serde_json::from_value(query).unwrap();
        json!(self.warehouse.query(&query, now()).unwrap().total)
    }
}

fn warehouse_options() -> tally_warehouse::Options {
    tally_warehouse::Options {
        memory_limit_bytes: 256 << 20,
        threads: 1,
        time_zone: TimeZone::UTC,
        week_starts: Weekday::Monday,
    }
}

async fn fill(store: &Store) {
    let text = format!(
        "{ACME}---\nkind: Person\nname: root\nspec: {{ roles: [admin] }}\n\
         ---\nkind: Key\nname: root-key\nspec: {{ person: root, secret: {{ env: TALLY_KEY_ADMIN }} }}\n"
    );
    let documents = parse_documents("acme.yaml", &text, Format::Yaml).unwrap();
    let options = ApplyOptions { set: "acme".to_owned(), ..ApplyOptions::default() };
    store.apply("setup", documents, options).await.unwrap();
}
