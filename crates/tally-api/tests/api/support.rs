//! A company with a key for every role, behind the router.

use std::sync::Arc;

use axum::{Router, body::Body};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use tally_api::{ApiState, BudgetView, LiveFeed, OsSecrets, ScoreKeeper, WarehouseSlot, router};
use tally_gateway::{DataPlane, Estimator, Gateway, Secrets, budgets_of};
use tally_journal::Journal;
use tally_pricing::PriceCatalog;
use tally_prompts::{PromptKey, PromptStore};
use tally_retention::Keeper;
use tally_store::{
    ApplyOptions, Store,
    documents::{Format, parse_documents},
    log::KeyKeeper,
    sqlite_url,
};
use tally_types::{
    BudgetUse, CallId, Clock, CounterId, EventId, ManualClock, NodeId, PersonName, PicoUsd, Record,
    SequentialIds, Source, StageReached, TimeZone, Timestamp, UsageEvent, Weekday,
    spec::SecretSource,
};
use tally_warehouse::Warehouse;
use tower::ServiceExt as _;
use uuid::Uuid;

const ACME: &str = include_str!("../../../tally-store/tests/acme.yaml");

pub const ROLES: [&str; 7] =
    ["admin", "finops", "security", "auditor", "viewer", "manager", "developer"];

/// Reads a secret that follows from the variable's name.
#[derive(Clone, Copy)]
pub struct TestSecrets;

impl Secrets for TestSecrets {
    fn read(&self, source: &SecretSource) -> Result<String, String> {
        match source {
            SecretSource::Env(name) => Ok(secret_of(name)),
            SecretSource::File(path) => Err(format!("no file {path}")),
        }
    }
}

fn secret_of(variable: &str) -> String {
    format!("tally_{variable}_0123456789abcdef")
}

/// The secret of the key of a person with only this role.
pub fn key(role: &str) -> String {
    secret_of(&format!("KEY_{role}"))
}

/// Keeps no keys: nothing is started again.
struct NoDrawer;

impl KeyKeeper for NoDrawer {
    fn keep(&self, _key: &tally_audit::SigningKey) -> Result<(), String> {
        Ok(())
    }
}

/// Two counters, always the same.
struct FewBudgets;

impl BudgetView for FewBudgets {
    fn use_of(&self, id: &CounterId, now: Timestamp) -> Option<BudgetUse> {
        self.counters(now).into_iter().find(|one| one.counter == *id)
    }

    fn above(&self, id: &CounterId, now: Timestamp) -> Option<BudgetUse> {
        self.counters(now).into_iter().find(|one| one.counter != *id)
    }

    fn reached(&self) -> Vec<StageReached> {
        Vec::new()
    }

    fn acknowledge(&self, _reached: &[StageReached]) {}

    fn counters(&self, _now: Timestamp) -> Vec<BudgetUse> {
        let counter = |id: Value, unit: &str, limit: Value, settled: Value| {
            let none = if unit == "usd" { json!("0") } else { json!(0) };
            serde_json::from_value(json!({
                "counter": id, "window_start": "2026-10-31T23:00:00Z",
                "window_end": "2026-11-30T23:00:00Z", "limit": { unit: limit },
                "limit_declared": { unit: limit }, "carried": { unit: none },
                "granted": { unit: none }, "settled": { unit: settled }, "reserved": { unit: none },
                "overage": { unit: none }, "state": "ok", "stages": [],
            }))
            .unwrap()
        };
        vec![
            counter(json!({ "budget": "support-month" }), "usd", json!("2000"), json!("1612.4")),
            counter(
                json!({ "budget": "each-person-day", "each": "ada" }),
                "tokens",
                json!(2_000_000),
                json!(7),
            ),
        ]
    }
}

pub struct Company {
    pub router: Router,
    pub warehouse: Arc<Warehouse>,
    pub slot: WarehouseSlot,
    pub live: LiveFeed,
    pub store: Store,
    pub clock: Arc<ManualClock>,
    pub prompts: Arc<PromptStore>,
    _journal: tally_journal::Running,
    pub folder: tempfile::TempDir,
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
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text);
        self.json()["code"].as_str().unwrap().to_owned()
    }
}

pub fn now() -> Timestamp {
    "2026-11-15T12:00:00Z".parse().unwrap()
}

impl Company {
    pub async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(now()));
        let ids = Arc::new(SequentialIds::default());
        let url = sqlite_url(&folder.path().join("tally.db"));
        let store = Store::open(&url, clock.clone()).await.unwrap();
        fill(&store).await;
        store.log().sign_with(Vec::new(), Arc::new(NoDrawer)).await.unwrap();
        let options = tally_journal::Options::new(folder.path().join("journal"));
        let shared: Arc<dyn Clock> = clock.clone();
        let (_, counting) = budgets_of(&store.snapshot(), &shared);
        let node = NodeId(Uuid::from_u128(1));
        let (running, _) = Journal::open_observed(options, node, Some(counting.clone())).unwrap();
        let warehouse = warehouse(&folder);
        let slot = WarehouseSlot::new();
        slot.fill(Arc::clone(&warehouse));
        let plane = DataPlane::build(store.snapshot(), &TestSecrets).unwrap();
        let gateway = Gateway::new(
            plane,
            running.journal(),
            &counting,
            Estimator::default(),
            clock.clone(),
            ids.clone(),
            tally_gateway::Options::default(),
        );
        follow(&store, &gateway);
        let live = LiveFeed::default();
        let key = PromptKey::open(&folder.path().join("prompts.key")).unwrap();
        let prompts = PromptStore::open(&folder.path().join("prompts.db"), key).unwrap();
        let prompts = Arc::new(prompts);
        let retention = Keeper::new(store.clone(), Arc::clone(&prompts), clock.clone());
        let router = router(ApiState {
            gateway,
            store: store.clone(),
            warehouse: slot.clone(),
            live: live.clone(),
            journal: running.journal(),
            clock: clock.clone(),
            ids,
            secrets: Arc::new(OsSecrets),
            budgets: Arc::new(FewBudgets),
            retention: Arc::new(retention),
            scores: ScoreKeeper::new(b"of a test"),
            metrics: PrometheusBuilder::new().build_recorder().handle(),
        });
        Self { router, warehouse, slot, live, store, clock, prompts, _journal: running, folder }
    }

    /// The prices that hold for the company.
    pub fn prices(&self) -> PriceCatalog {
        PriceCatalog::with_shipped([]).unwrap()
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(parts.headers["x-content-type-options"], "nosniff");
        assert_eq!(parts.headers["cache-control"], "no-store");
        Reply { status: parts.status, headers: parts.headers, text }
    }

    /// With the key of a role, or none.
    pub async fn call(&self, role: &str, method: &str, path: &str, body: &str) -> Reply {
        let secret = if role.is_empty() { String::new() } else { key(role) };
        self.call_with(&secret, method, path, body).await
    }

    /// The status and, of a problem, its code; the body of a stream is not waited for.
    pub async fn status(&self, role: &str, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut request = Request::builder().method(method).uri(path);
        if !role.is_empty() {
            request = request.header("authorization", format!("Bearer {}", key(role)));
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        if !status.is_client_error() && !status.is_server_error() {
            return (status.as_u16(), String::new());
        }
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let problem: Value = serde_json::from_slice(&bytes).unwrap();
        (status.as_u16(), problem["code"].as_str().unwrap().to_owned())
    }

    pub async fn call_with(&self, secret: &str, method: &str, path: &str, body: &str) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if !secret.is_empty() {
            request = request.header("authorization", format!("Bearer {secret}"));
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// Stores calls of two people: three of ada's, two of grace's; only of the last it is
    /// known for which team.
    pub fn record_calls(&self) {
        let batch: Vec<(u64, Record)> = (1..=5_u64)
            .map(|number| {
                let id = Uuid::from_u128(u128::from(number));
                let time = now() - std::time::Duration::from_secs(60 * number);
                let mut event = UsageEvent::new(EventId(id), CallId(id), time, Source::Gateway);
                let person = if number <= 3 { "ada" } else { "grace" };
                event.person = Some(person.parse::<PersonName>().unwrap());
                event.team = (number == 1).then(|| "support".parse().unwrap());
                event.operation = "chat".to_owned();
                event.model_requested = "gpt-5".to_owned();
                event.tokens.output = 100;
                event.cost_list_usd = Some(PicoUsd::from_pico(1_000_000_000));
                (number, Record::Usage(Box::new(event)))
            })
            .collect();
        self.warehouse.write(NodeId(Uuid::from_u128(9)), &batch).unwrap();
    }
}

/// As the binary does: the gateway follows the store.
fn follow(store: &Store, gateway: &Arc<Gateway>) {
    let (mut changes, gateway) = (store.watch(), Arc::clone(gateway));
    tokio::spawn(async move {
        while changes.changed().await.is_ok() {
            let snapshot = changes.borrow_and_update().clone();
            gateway.replace_plane(DataPlane::build(snapshot, &TestSecrets).unwrap());
        }
    });
}

fn warehouse(folder: &tempfile::TempDir) -> Arc<Warehouse> {
    let options = tally_warehouse::Options {
        memory_limit_bytes: 256 << 20,
        threads: 1,
        time_zone: TimeZone::UTC,
        week_starts: Weekday::Monday,
    };
    Arc::new(Warehouse::open(&folder.path().join("warehouse.duckdb"), &options).unwrap())
}

async fn fill(store: &Store) {
    let mut text = ACME.to_owned();
    for role in ROLES {
        text.push_str(&format!(
            "---\nkind: Person\nname: p-{role}\nspec: {{ roles: [{role}] }}\n\
             ---\nkind: Key\nname: k-{role}\nspec: {{ person: p-{role}, secret: {{ env: KEY_{role} }} }}\n"
        ));
    }
    text.push_str(
        "---\nkind: Key\nname: k-ada\nspec: { person: ada, secret: { env: KEY_ada } }\n\
         ---\nkind: Key\nname: k-grace\nspec: { person: grace, secret: { env: KEY_grace } }\n\
         ---\nkind: Key\nname: k-robot\nspec: { roles: [developer], secret: { env: KEY_robot } }\n\
         ---\nkind: Key\nname: k-nobody\nspec: { workload: support-copilot, secret: { env: KEY_nobody } }\n\
         ---\nkind: Person\nname: unattributed\nspec: { roles: [developer] }\n\
         ---\nkind: Key\nname: k-unattributed\nspec: { person: unattributed, secret: { env: KEY_unattributed } }\n",
    );
    let documents = parse_documents("acme.yaml", &text, Format::Yaml).unwrap();
    let options = ApplyOptions { set: "acme".to_owned(), ..ApplyOptions::default() };
    store.apply("setup", documents, options).await.unwrap();
}
