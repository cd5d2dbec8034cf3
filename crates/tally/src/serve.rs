//! `tally serve`: configuration, start in order, stop in order.

use std::{io::IsTerminal, path::PathBuf, sync::Arc, thread::JoinHandle, time::Duration};

use anyhow::Context;
use axum::{Router, http::StatusCode, routing::get, serve::ListenerExt};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tally_api::{ApiState, BudgetView, LiveFeed, OsSecrets, ScoreKeeper, WarehouseSlot};
use tally_gateway::{Counting, Estimator, Gateway, Secrets};
use tally_ingest::IngestState;
use tally_journal::{Journal, Running};
use tally_prompts::PromptQueue;
use tally_retention::Keeper;
use tally_store::{Snapshot, Store};
use tally_types::{Clock, IdSource, NodeId};
use tokio::net::TcpListener;

use crate::{
    audit::{Decisions, LogKeeper, open_log},
    cli::Connection,
    clock::{RandomIds, SystemClock},
    config::{Config, LogFormat},
    contain::follow_containment,
    guide::follow_budgets,
    notify::Receivers,
    output,
    resources::{ADMIN_KEY_FILE, make_private_folder, open_resources, redaction_key, scoreboards},
    retention::{flush_prompts, open_prompts, purge_in_time},
    secrets::MachineSecrets,
    upkeep::{
        CALIBRATION_FILE, build_plane, follow_changes, keep_budgets, keep_house, keep_standings,
        save_calibration,
    },
    warehouse_link::WarehouseSink,
};

/// How to serve.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArguments {
    /// The configuration file; `tally.toml` here, if there is one.
    #[arg(long, env = "TALLY_CONFIG")]
    config: Option<PathBuf>,
    /// Where to listen; overrides the configuration.
    #[arg(long)]
    listen: Option<std::net::SocketAddr>,
    /// Resources to apply before the first call.
    #[arg(long)]
    apply: Vec<PathBuf>,
}

/// A running Tally.
pub(crate) struct Server {
    config: Config,
    parts: Parts,
    running: Running,
    shipper: JoinHandle<()>,
    listener: TcpListener,
    router: Router,
    receivers: Receivers,
    decisions: Arc<Decisions>,
}

/// What the server's tasks share.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) gateway: Arc<Gateway>,
    /// None when it could not be opened: then the saved snapshot is served.
    pub(crate) store: Option<Store>,
    pub(crate) journal: Journal,
    pub(crate) warehouse: WarehouseSlot,
    pub(crate) live: LiveFeed,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) data: PathBuf,
    /// How budgets stand.
    pub(crate) budgets: Arc<dyn BudgetView>,
    /// Forgets in time; none without a store.
    pub(crate) retention: Option<Arc<Keeper>>,
    /// Where calls leave prompts that are kept.
    pub(crate) prompts: PromptQueue,
    /// The standings of the scoreboards.
    pub(crate) scores: ScoreKeeper,
}

/// Runs until a signal.
pub(crate) async fn run(arguments: ServeArguments, connection: &Connection) -> anyhow::Result<()> {
    let mut config = Config::load(arguments.config.as_deref())?;
    if let Some(listen) = arguments.listen {
        config.listen = listen;
    }
    if let Some(data) = &connection.data {
        config.data.clone_from(data);
    }
    start_log(&config)?;
    let secrets = Arc::new(MachineSecrets::default());
    let server = Server::start(config, secrets, &arguments.apply).await?;
    server.announce().await;
    server.serve_until(stop_signal()).await
}

/// Sets up logging once for the process.
pub(crate) fn start_log(config: &Config) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log.filter)
        .with_context(|| format!("`log.filter` is `{}`", config.log.filter))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.log.format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}

/// Waits for SIGINT or SIGTERM.
pub(crate) async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(interrupt.await),
    }
}

fn open_journal(
    config: &Config,
    node: NodeId,
    counting: &Arc<Counting>,
) -> anyhow::Result<Running> {
    let observer = Arc::clone(counting);
    let (running, recovery) =
        Journal::open_observed(config.journal_options(), node, Some(observer))?;
    if recovery.settled + recovery.dropped > 0 {
        tracing::info!(
            settled_at_estimate = recovery.settled,
            never_sent = recovery.dropped,
            "calls that an earlier run left open"
        );
    }
    Ok(running)
}

// === impl Server ===

impl Server {
    /// Opens everything, in the order in which one thing needs another; the port last.
    pub(crate) async fn start(
        config: Config,
        secrets: Arc<dyn Secrets>,
        apply: &[PathBuf],
    ) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let ids: Arc<dyn IdSource> = Arc::new(RandomIds);
        let metrics = PrometheusBuilder::new().install_recorder().context("metrics")?;
        let receivers = Receivers::new(&config.notify, secrets.as_ref())?;
        make_private_folder(&config.data)?;
        let (store, snapshot) = open_resources(&config.data, &clock, apply).await?;
        if let Some(store) = &store {
            store.set_channels(receivers.channels());
            open_log(store, &config.data).await?;
        }

        let (budgets, counting) = tally_gateway::budgets_of(&snapshot, &clock);
        let running = open_journal(&config, NodeId(ids.uuid(clock.now())), &counting)?;
        let journal = running.journal();
        let warehouse = WarehouseSlot::default();
        let live = LiveFeed::default();
        let decisions = Arc::new(Decisions::default());
        let sink = warehouse_sink(&config, &snapshot, &warehouse, &live, (&clock, &decisions));
        let shipper = start_shipper(&journal, sink)?;

        let plane = build_plane(snapshot, secrets.as_ref())?;
        let learned = std::fs::read_to_string(config.data.join(CALIBRATION_FILE));
        let estimator = Estimator::from_json(&learned.unwrap_or_default());
        let (retention, prompts) = open_prompts(&config.data, store.as_ref(), &clock)?;
        let gateway = Gateway::new(
            plane,
            journal.clone(),
            &counting,
            estimator,
            Arc::clone(&clock),
            Arc::clone(&ids),
            config.gateway_options(redaction_key(&config.data)?, prompts.clone()),
        );
        let scores = scoreboards(&config.data)?;
        let data = config.data.clone();
        let parts = Parts {
            scores,
            gateway,
            store,
            journal,
            warehouse,
            live,
            clock,
            secrets,
            data,
            budgets,
            retention,
            prompts,
        };
        let router = router(&parts, &ids, metrics);
        let listener = TcpListener::bind(config.listen).await.with_context(|| {
            format!("cannot listen on {}; choose another `--listen`", config.listen)
        })?;
        Ok(Self { config, parts, running, shipper, listener, router, receivers, decisions })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> anyhow::Result<std::net::SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    async fn announce(&self) {
        let Ok(address) = self.address() else { return };
        let key_file = self.config.data.join(ADMIN_KEY_FILE);
        output::line(&format!("Tally listens on http://{address}"));
        output::line(&format!("  OpenAI clients:    OPENAI_BASE_URL=http://{address}/v1"));
        output::line(&format!("  Anthropic clients: ANTHROPIC_BASE_URL=http://{address}"));
        output::line(&format!(
            "  the admin key is in {}; `tally key create` makes others",
            key_file.display()
        ));
        self.announce_set_up(address).await;
        let models = self.parts.gateway.plane().snapshot().models.len();
        if models == 0 {
            output::line(
                "  no model is registered yet: `tally apply -f FILE` adds providers and models",
            );
        }
        for problem in self.parts.gateway.plane().problems() {
            output::line(&format!("  not usable: {problem}"));
        }
    }

    /// Until someone can sign in as an admin, each start offers a way in.
    async fn announce_set_up(&self, address: std::net::SocketAddr) {
        let Some(store) = &self.parts.store else { return };
        match tally_api::set_up_link(store, &OsSecrets).await {
            Ok(Some(path)) => {
                output::line(&format!("  set up the first admin: http://{address}{path}"));
                output::line("    (opens once, within 24 hours; each start prints another)");
            }
            Ok(None) => output::line(&format!("  sign in: http://{address}/sign-in")),
            Err(error) => tracing::warn!(%error, "no set-up link"),
        }
    }

    fn log_keeper(&self, store: Store) -> LogKeeper {
        let (clock, config) = (Arc::clone(&self.parts.clock), self.config.audit.clone());
        LogKeeper::new(store, clock, config, Arc::clone(&self.decisions), &self.parts.data)
    }

    /// Serves until the future ends, then lets calls under way end, settles and flushes.
    pub(crate) async fn serve_until(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let watcher = self
            .parts
            .store
            .clone()
            .map(|store| tokio::spawn(follow_changes(self.parts.clone(), store)));
        let keeper = tokio::spawn(keep_house(self.parts.clone()));
        let counter = tokio::spawn(keep_budgets(self.parts.clone()));
        let log = self.parts.store.clone().map(|store| Arc::new(self.log_keeper(store)));
        let guides = self.parts.store.clone().zip(log.clone()).map(|(store, log)| {
            let budgets = Arc::clone(&self.parts.budgets);
            let mut guides = tokio::task::JoinSet::new();
            guides.spawn(follow_budgets(store.clone(), budgets));
            let gateway = Arc::clone(&self.parts.gateway);
            guides.spawn(follow_containment(store.clone(), gateway));
            let log = Arc::clone(&log);
            guides.spawn(async move { log.keep().await });
            guides.spawn(purge_in_time(self.parts.clone()));
            guides.spawn(keep_standings(self.parts.clone(), store.clone()));
            guides.spawn(self.receivers.send(store));
            guides
        });
        let (stopping, mut stopped) = tokio::sync::watch::channel(false);
        let listener = self.listener.tap_io(|stream| {
            // Small pieces of a stream must not wait for one another.
            let _ = stream.set_nodelay(true);
        });
        let live = self.parts.live.clone();
        let service = self.router.into_make_service_with_connect_info::<std::net::SocketAddr>();
        let server = axum::serve(listener, service).with_graceful_shutdown(async move {
            stop.await;
            // Else the readers of the live feed would hold the server.
            live.close();
            let _ = stopping.send(true);
        });
        let drain_max = Duration::from_secs(self.config.drain_s);
        tokio::select! {
            result = server.into_future() => result?,
            () = async {
                let _ = stopped.wait_for(|stopped| *stopped).await;
                tokio::time::sleep(drain_max).await;
            } => tracing::warn!(?drain_max, "calls still under way are settled at their estimate"),
        }
        if let Some(watcher) = watcher {
            watcher.abort();
        }
        keeper.abort();
        counter.abort();
        drop(guides);
        let parts = self.parts;
        save_calibration(&parts);
        flush_prompts(&parts).await;
        // What was counted since the last look; a start would count it again from the rows.
        if let Err(error) = parts.gateway.keep_budgets(0).await {
            tracing::warn!(%error, "the budgets' counters are counted anew at the next start");
        }
        tokio::task::spawn_blocking(move || {
            self.running.close();
            let _ = self.shipper.join();
        })
        .await?;
        // What the shipper brought last is in it.
        if let Some(log) = log {
            log.finish().await;
        }
        if let Some(store) = parts.store {
            store.close().await;
        }
        tracing::info!("stopped; everything is flushed");
        Ok(())
    }
}

fn router(parts: &Parts, ids: &Arc<dyn IdSource>, metrics: PrometheusHandle) -> Router {
    let ingest = tally_ingest::router(IngestState {
        gateway: Arc::clone(&parts.gateway),
        journal: parts.journal.clone(),
        clock: Arc::clone(&parts.clock),
    });
    let data_plane = parts.gateway.router().merge(ingest);
    let (Some(store), Some(retention)) = (parts.store.clone(), parts.retention.clone()) else {
        return data_plane.merge(without_store());
    };
    let api = tally_api::router(ApiState {
        gateway: Arc::clone(&parts.gateway),
        store,
        warehouse: parts.warehouse.clone(),
        live: parts.live.clone(),
        journal: parts.journal.clone(),
        clock: Arc::clone(&parts.clock),
        ids: Arc::clone(ids),
        secrets: Arc::new(OsSecrets),
        budgets: Arc::clone(&parts.budgets),
        retention,
        metrics,
        scores: parts.scores.clone(),
    });
    data_plane.merge(api).merge(tally_api::ui())
}

/// Calls are served and metered; everything else says why it is not.
fn without_store() -> Router {
    let refusal = || async {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "the store cannot be opened; calls are served and metered\n",
        )
    };
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(refusal))
        .fallback(refusal)
}

fn warehouse_sink(
    config: &Config,
    snapshot: &Snapshot,
    slot: &WarehouseSlot,
    live: &LiveFeed,
    (clock, decisions): (&Arc<dyn Clock>, &Arc<Decisions>),
) -> WarehouseSink {
    let options = tally_warehouse::Options {
        memory_limit_bytes: config.warehouse.memory_bytes_max,
        threads: config.warehouse.threads,
        time_zone: snapshot.organization.zone(),
        week_starts: snapshot.organization.week_starts,
    };
    let path = config.data.join("warehouse.duckdb");
    WarehouseSink::new(
        path,
        options,
        slot.clone(),
        live.clone(),
        Arc::clone(clock),
        Arc::clone(decisions),
    )
}

fn start_shipper(journal: &Journal, sink: WarehouseSink) -> anyhow::Result<JoinHandle<()>> {
    let shipper = journal.shipper(sink);
    Ok(std::thread::Builder::new().name("shipper".to_owned()).spawn(move || shipper.run())?)
}
