//! A gateway to try things on.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tally_gateway::{DataPlane, Estimator, Gateway, Options, Secrets, budgets_of};
use tally_journal::{Journal, Running, Sink, SinkError};
use tally_sim::{RunningSim, ServedQuery, SimOptions};
use tally_store::Snapshot;
use tally_types::{
    Clock, IdSource, NodeId, Record, SequentialIds, Timestamp, UsageEvent, spec::SecretSource,
};

pub(crate) const KEY: &str = "tally_ada_0123456789abcdefghij";
pub(crate) const SUPPORT_KEY: &str = "tally_sup_0123456789abcdefghij";
pub(crate) const REVOKED_KEY: &str = "tally_rev_0123456789abcdefghij";
pub(crate) const EXPIRED_KEY: &str = "tally_exp_0123456789abcdefghij";

pub(crate) struct Bed {
    pub(crate) address: SocketAddr,
    pub(crate) sim: RunningSim,
    pub(crate) http: reqwest::Client,
    pub(crate) journal: Journal,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) clock: Arc<dyn Clock>,
    held: Arc<Mutex<Vec<Record>>>,
    running: Option<Running>,
    /// The node's id, and where others come from.
    ids: (NodeId, Arc<SequentialIds>),
    folder: tempfile::TempDir,
}

pub(crate) struct Secretless;

impl Secrets for Secretless {
    fn read(&self, source: &SecretSource) -> Result<String, String> {
        match source {
            SecretSource::Env(name) => Ok(name.clone()),
            SecretSource::File(_) => Err("no files here".to_owned()),
        }
    }
}

struct RealClock(Instant);

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic_ns(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap()
    }
}

struct HeldSink {
    held: Arc<Mutex<Vec<Record>>>,
    last: u64,
}

impl Sink for HeldSink {
    fn last_sequence(&mut self, _node: NodeId) -> Result<u64, SinkError> {
        Ok(self.last)
    }

    fn write(&mut self, _node: NodeId, rows: &[(u64, Record)]) -> Result<(), SinkError> {
        self.held.lock().unwrap().extend(rows.iter().map(|(_, record)| record.clone()));
        self.last = rows.last().unwrap().0;
        Ok(())
    }
}

/// The resources; `patch` may change them before they are read.
fn snapshot(sim: &str, patch: impl FnOnce(&mut Value)) -> Snapshot {
    let anthropic = json!({ "dialect": "anthropic", "base_url": sim, "api_key": { "env": "anthropic-key" }, "retries_max": 2 });
    let openai = json!({ "dialect": "openai", "base_url": format!("{sim}/v1"), "api_key": { "env": "openai-key" }, "retries_max": 2 });
    let mut resources = json!({
        "providers": { "anthropic": anthropic, "openai": openai },
        "models": {
            "claude-opus-4-8": { "provider": "anthropic", "tier": "frontier", "cheaper": "claude-haiku-4-5" },
            "claude-haiku-4-5": { "provider": "anthropic", "tier": "economy" },
            "gpt-5": { "provider": "openai", "tier": "frontier", "cheaper": "gpt-5-mini", "aliases": ["best"] },
            "gpt-5-mini": { "provider": "openai", "tier": "economy" },
            "gpt-4o-mini": { "provider": "openai", "tier": "economy" },
            "text-embedding-3-small": { "provider": "openai", "tier": "economy" },
            "house-model": { "provider": "openai", "tier": "economy" },
        },
        "cost_centers": { "cc-100": { "owner": "grace" } },
        "teams": { "support": { "manager": "grace", "department": "care", "cost_center": "cc-100" } },
        "people": { "ada": { "team": "support", "roles": ["developer"] }, "grace": { "team": "support" } },
        "workloads": { "copilot": {
            "purpose": "drafts", "owner": "grace", "cost_center": "cc-100", "budget_code": "S",
            "environment": "production", "class": "operational", "tier": "frontier",
            "data_class": "confidential", "fallback": { "model": "cheaper" }, "slo": {},
        } },
        "keys": {
            "ada-laptop": { "person": "ada", "secret": { "env": KEY } },
            "copilot-prod": { "workload": "copilot", "secret": { "env": SUPPORT_KEY } },
            "old": { "person": "ada", "secret": { "env": REVOKED_KEY }, "revoked": true },
            "over": { "person": "ada", "secret": { "env": EXPIRED_KEY }, "expires_at": "2020-01-01T00:00:00Z" },
        },
    });
    patch(&mut resources);
    serde_json::from_value(resources).unwrap()
}

impl Bed {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}, Options::default()).await
    }

    pub(crate) async fn with(patch: impl FnOnce(&mut Value), options: Options) -> Self {
        let ids = Arc::new(SequentialIds::default());
        let node = NodeId(ids.uuid(Timestamp::UNIX_EPOCH));
        Self::on(tempfile::tempdir().unwrap(), (node, ids), patch, options).await
    }

    /// What a start finds after this one was killed now: a copy of what is on the disk.
    pub(crate) async fn killed_and_started(&self, patch: impl FnOnce(&mut Value)) -> Self {
        let copy = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        Self::on(copy, self.ids.clone(), patch, Options::default()).await
    }

    /// Changes the resources, as the store would have it.
    pub(crate) fn change(&self, patch: impl FnOnce(&mut Value)) {
        let snapshot = Arc::new(snapshot(&self.sim.url(), patch));
        self.gateway.replace_plane(DataPlane::build(snapshot, &Secretless).unwrap());
    }

    async fn on(
        folder: tempfile::TempDir,
        (node, ids): (NodeId, Arc<SequentialIds>),
        patch: impl FnOnce(&mut Value),
        mut options: Options,
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        options.retry_wait_first = Duration::from_millis(5);
        let sim = RunningSim::start(&SimOptions::default()).await.unwrap();
        let mut journal_options = tally_journal::Options::new(folder.path());
        journal_options.ship_every = Duration::from_millis(1);
        let snapshot = Arc::new(snapshot(&sim.url(), patch));
        let clock: Arc<dyn Clock> = Arc::new(RealClock(Instant::now()));
        let (_, counting) = budgets_of(&snapshot, &clock);
        let (running, _) =
            Journal::open_observed(journal_options, node, Some(counting.clone())).unwrap();
        let journal = running.journal();
        let held = Arc::default();
        let shipper = journal.shipper(HeldSink { held: Arc::clone(&held), last: 0 });
        std::thread::spawn(move || shipper.run());
        let plane = DataPlane::build(snapshot, &Secretless).unwrap();
        let gateway = Gateway::new(
            plane,
            journal.clone(),
            &counting,
            Estimator::default(),
            Arc::clone(&clock),
            ids.clone(),
            options,
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = gateway.router();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            sim,
            http: reqwest::Client::new(),
            journal,
            gateway,
            clock,
            held,
            running: Some(running),
            ids: (node, ids),
            folder,
        }
    }

    pub(crate) fn post(&self, path: &str, key: &str, body: &Value) -> reqwest::RequestBuilder {
        self.http
            .post(format!("http://{}{path}", self.address))
            .header("x-api-key", key)
            .header("anthropic-version", "2023-06-01")
            .json(body)
    }

    /// The events so far, oldest first, once there are that many and no call is under way.
    pub(crate) async fn events(&self, count: usize) -> Vec<UsageEvent> {
        for _ in 0..2_000 {
            let events = self.shipped();
            if events.len() >= count && self.journal.stats().open_intents == 0 {
                assert_eq!(events.len(), count, "{events:#?}");
                return events;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("expected {count} events, found {:#?}", self.shipped());
    }

    fn shipped(&self) -> Vec<UsageEvent> {
        let held = self.held.lock().unwrap();
        let usage = held.iter().filter_map(|record| match record {
            Record::Usage(event) => Some((**event).clone()),
            Record::Outcome(_) => None,
        });
        usage.collect()
    }

    /// What the provider says it served.
    pub(crate) fn served(&self) -> Value {
        serde_json::to_value(self.sim.sim.served(ServedQuery::default())).unwrap()
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.close();
        }
    }
}

pub(crate) fn chat(model: &str, text: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": text }] })
}

pub(crate) fn message(model: &str, text: &str) -> Value {
    json!({ "model": model, "max_tokens": 4000, "messages": [{ "role": "user", "content": text }] })
}

pub(crate) fn streamed(mut body: Value) -> Value {
    body["stream"] = true.into();
    body
}
