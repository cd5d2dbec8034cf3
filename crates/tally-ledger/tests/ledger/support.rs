//! A company with a store, a warehouse and some calls.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tally_ledger::{Ledger, LedgerError, Month};
use tally_pricing::PriceCatalog;
use tally_store::{
    ApplyOptions, Snapshot, Store,
    documents::{Format, parse_documents},
    sqlite_url,
};
use tally_types::{
    CallId, Environment, EventId, ManualClock, Name, NodeId, Record, Source, Timestamp, UsageEvent,
    Weekday,
    spec::{PeriodSeal, PriceListSpec},
};
use tally_warehouse::{Options, Warehouse};
use uuid::Uuid;

/// Berlin, so that months do not begin at midnight in UTC.
pub(crate) const COMPANY: &str = "
kind: Organization
name: acme
spec: { time_zone: Europe/Berlin, currency: USD }
---
kind: Person
name: ada
spec: { roles: [finops] }
---
kind: Provider
name: anthropic
spec: { dialect: anthropic, base_url: 'http://127.0.0.1:9', data_classes: [internal] }
---
kind: Model
name: opus
spec: { provider: anthropic, tier: frontier }
---
kind: CostCenter
name: cc-hybrid
spec: { owner: ada, chargeback: { model: hybrid, quota_usd: '0.01' } }
---
kind: CostCenter
name: cc-production
spec: { owner: ada, chargeback: { model: production } }
---
kind: CostCenter
name: cc-showback
spec: { owner: ada, chargeback: { model: showback } }
---
kind: RateCard
name: rates-2026
spec:
  from: 2026-01-01
  markup_percent: '7.5'
  negotiated:
    - { cost_center: cc-production, model: opus, meter: output, usd_per_million: '17.123456' }
  reserved:
    - { name: committed, monthly_usd: '0.5', provider: anthropic, idle: proportional }
  shared:
    - { name: gateway, monthly_usd: '0.1', split: even }
  rounding: { mode: half_even }
";

pub(crate) fn prices() -> PriceCatalog {
    let list: PriceListSpec = serde_json::from_value(serde_json::json!({
        "source": "test", "as_of": "2026-01-01", "precedence": 1,
        "entries": [{
            "provider": "anthropic", "model": "opus",
            "rates": [{ "input": "5.000001", "cache_read": "0.500003", "output": "25" }],
        }],
    }))
    .unwrap();
    PriceCatalog::build([("test", &list)])
}

pub(crate) struct Company {
    pub(crate) store: Store,
    pub(crate) warehouse: Warehouse,
    pub(crate) prices: PriceCatalog,
    sequence: AtomicU64,
    _folder: tempfile::TempDir,
}

pub(crate) fn month(text: &str) -> Month {
    text.parse().unwrap()
}

pub(crate) fn event(
    number: u64,
    time: &str,
    center: Option<&str>,
    environment: Environment,
) -> UsageEvent {
    let id = Uuid::from_u128(u128::from(number));
    let mut event = UsageEvent::new(EventId(id), CallId(id), time.parse().unwrap(), Source::Import);
    event.cost_center = center.map(|name| name.parse().unwrap());
    event.team = Some("support".parse().unwrap());
    event.workload = Some("copilot".parse().unwrap());
    event.environment = environment;
    event.provider = Some("anthropic".parse().unwrap());
    event.operation = "messages".to_owned();
    event.model_requested = "opus".to_owned();
    event.model_served = Some("opus".to_owned());
    event.tokens.input_uncached = 101 + number % 7;
    event.tokens.cache_read = 1_000 + number;
    event.tokens.output = 37;
    event
}

impl Company {
    pub(crate) async fn new(now: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(now.parse().unwrap()));
        let url = sqlite_url(&folder.path().join("store.db"));
        let store = Store::open(&url, clock).await.unwrap();
        let options = Options {
            memory_limit_bytes: 256 << 20,
            threads: 1,
            time_zone: tally_types::TimeZone::get("Europe/Berlin").unwrap(),
            week_starts: Weekday::Monday,
        };
        let warehouse = Warehouse::open(&folder.path().join("warehouse.duckdb"), &options).unwrap();
        let company = Self {
            store,
            warehouse,
            prices: prices(),
            sequence: AtomicU64::new(0),
            _folder: folder,
        };
        company.apply(COMPANY).await.unwrap();
        company
    }

    /// What is wrong is found in the file, or by the store.
    pub(crate) async fn apply(&self, text: &str) -> Result<(), String> {
        let documents = parse_documents("company.yaml", text, Format::Yaml)
            .map_err(|errors| format!("{errors:?}"))?;
        let options = ApplyOptions { set: "company".to_owned(), ..ApplyOptions::default() };
        self.store
            .apply("Person/ada", documents, options)
            .await
            .map(|_| ())
            .map_err(|error| error.to_string())
    }

    /// Prices calls and stores them.
    pub(crate) fn write(&self, events: impl IntoIterator<Item = UsageEvent>) {
        let priced = events.into_iter().map(|mut event| {
            self.prices.price_event("anthropic", &["opus"], &mut event);
            event
        });
        self.write_as_they_are(priced);
    }

    pub(crate) fn write_as_they_are(&self, events: impl IntoIterator<Item = UsageEvent>) {
        let batch: Vec<(u64, Record)> = events
            .into_iter()
            .map(|event| {
                let sequence = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
                (sequence, Record::Usage(Box::new(event)))
            })
            .collect();
        self.warehouse.write(NodeId(Uuid::from_u128(7)), &batch).unwrap();
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&Ledger<'_>, &Snapshot) -> T) -> T {
        let snapshot = self.store.snapshot();
        let ledger =
            Ledger { snapshot: &snapshot, prices: &self.prices, warehouse: &self.warehouse };
        work(&ledger, &snapshot)
    }

    /// Closes a month as the API does: the warehouse first, then the store.
    pub(crate) async fn close(&self, text: &str, now: &str) -> Result<(), LedgerError> {
        let at: Timestamp = now.parse().unwrap();
        let closing = self.with(|ledger, _| ledger.close(month(text), at))?;
        let seal = PeriodSeal {
            by: "ada".to_owned(),
            at,
            postings: closing.postings,
            statements: closing.statements,
            adjustments: closing.adjustments,
        };
        let name: Name = text.parse().unwrap();
        self.store.close_period("Person/ada", name, seal).await?;
        Ok(())
    }
}
