//! `tally serve`: configuration, start in order, stop in order.

use std::{
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, bail};
use axum::{Router, routing::get, serve::ListenerExt};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use sha2::{Digest, Sha256};
use tally_api::{ApiState, SecretMaker, WarehouseSlot};
use tally_gateway::{DataPlane, Estimator, Gateway, Secrets};
use tally_ingest::IngestState;
use tally_journal::{Journal, Running};
use tally_store::{ApplyOptions, Snapshot, Store, documents};
use tally_types::{Clock, IdSource, Kind, Name, NodeId, Role};
use tokio::net::TcpListener;

use crate::{
    cli::Connection,
    clock::{RandomIds, SystemClock},
    config::{Config, LogFormat},
    output,
    secrets::MachineSecrets,
    warehouse_link::WarehouseSink,
};

const ADMIN_KEY: &str = "admin";
const ADMIN_KEY_FILE: &str = "admin.key";
const CALIBRATION_FILE: &str = "calibration.json";
const SNAPSHOT_FILE: &str = "snapshot.json";
const COMPACT_EVERY: Duration = Duration::from_secs(300);

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
}

/// What the server's tasks share.
#[derive(Clone)]
struct Parts {
    gateway: Arc<Gateway>,
    store: Store,
    journal: Journal,
    warehouse: WarehouseSlot,
    clock: Arc<dyn Clock>,
    secrets: Arc<dyn Secrets>,
    data: PathBuf,
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
    server.announce();
    server.serve_until(stop_signal()).await
}

/// Sets up logging once for the process.
pub(crate) fn start_log(config: &Config) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log.filter)
        .with_context(|| format!("`log.filter` is `{}`", config.log.filter))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
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
        make_private_folder(&config.data)?;
        let store = open_store(&config.data, &clock).await?;
        for file in apply {
            apply_file(&store, file).await?;
        }
        ensure_admin(&store, &config.data).await?;

        let (running, recovery) =
            Journal::open(config.journal_options(), NodeId(ids.uuid(clock.now())))?;
        if recovery.settled + recovery.dropped > 0 {
            tracing::info!(
                settled_at_estimate = recovery.settled,
                never_sent = recovery.dropped,
                "calls that an earlier run left open"
            );
        }
        let journal = running.journal();
        let snapshot = store.snapshot();
        let warehouse = WarehouseSlot::default();
        let shipper = start_shipper(&config, &snapshot, &journal, &warehouse)?;

        let plane = build_plane(snapshot, secrets.as_ref())?;
        let learned = std::fs::read_to_string(config.data.join(CALIBRATION_FILE));
        let estimator = Estimator::from_json(&learned.unwrap_or_default());
        let gateway = Gateway::new(
            plane,
            journal.clone(),
            estimator,
            Arc::clone(&clock),
            Arc::clone(&ids),
            config.gateway_options(),
        );
        let data = config.data.clone();
        let parts = Parts { gateway, store, journal, warehouse, clock, secrets, data };
        let router = router(&parts, &ids, metrics);
        let listener = TcpListener::bind(config.listen).await.with_context(|| {
            format!("cannot listen on {}; choose another `--listen`", config.listen)
        })?;
        Ok(Self { config, parts, running, shipper, listener, router })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> anyhow::Result<std::net::SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    fn announce(&self) {
        let Ok(address) = self.address() else { return };
        let key_file = self.config.data.join(ADMIN_KEY_FILE);
        output::line(&format!("Tally listens on http://{address}"));
        output::line(&format!("  OpenAI clients:    OPENAI_BASE_URL=http://{address}/v1"));
        output::line(&format!("  Anthropic clients: ANTHROPIC_BASE_URL=http://{address}"));
        output::line(&format!(
            "  the admin key is in {}; `tally key create` makes others",
            key_file.display()
        ));
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

    /// Serves until the future ends, then lets calls under way end, settles and flushes.
    pub(crate) async fn serve_until(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let watcher = tokio::spawn(follow_changes(self.parts.clone()));
        let keeper = tokio::spawn(keep_house(self.parts.clone()));
        let (stopping, mut stopped) = tokio::sync::watch::channel(false);
        let listener = self.listener.tap_io(|stream| {
            // Small pieces of a stream must not wait for one another.
            let _ = stream.set_nodelay(true);
        });
        let server = axum::serve(listener, self.router).with_graceful_shutdown(async move {
            stop.await;
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
        watcher.abort();
        keeper.abort();
        let parts = self.parts;
        save_calibration(&parts);
        tokio::task::spawn_blocking(move || {
            self.running.close();
            let _ = self.shipper.join();
        })
        .await?;
        parts.store.close().await;
        tracing::info!("stopped; everything is flushed");
        Ok(())
    }
}

fn router(parts: &Parts, ids: &Arc<dyn IdSource>, metrics: PrometheusHandle) -> Router {
    let api = tally_api::router(ApiState {
        gateway: Arc::clone(&parts.gateway),
        store: parts.store.clone(),
        warehouse: parts.warehouse.clone(),
        journal: parts.journal.clone(),
        clock: Arc::clone(&parts.clock),
        ids: Arc::clone(ids),
        secrets: Arc::new(tally_api::OsSecrets),
        metrics,
    });
    let ingest = tally_ingest::router(IngestState {
        gateway: Arc::clone(&parts.gateway),
        journal: parts.journal.clone(),
        clock: Arc::clone(&parts.clock),
    });
    // Coding agents probe the address before their first call.
    let probe = Router::new().route("/", get(|| async { "Tally\n" }));
    parts.gateway.router().merge(ingest).merge(probe).merge(api)
}

async fn open_store(data: &Path, clock: &Arc<dyn Clock>) -> anyhow::Result<Store> {
    let path = data.join("store.db");
    let store = Store::open(&tally_store::sqlite_url(&path), Arc::clone(clock))
        .await
        .with_context(|| format!("the store in {}", path.display()))?;
    Ok(store)
}

async fn apply_file(store: &Store, file: &Path) -> anyhow::Result<()> {
    let Some(format) = documents::Format::from_path(file) else {
        bail!("{}: expected a file that ends in .yaml, .toml or .json", file.display());
    };
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let name = file.display().to_string();
    let parsed = documents::parse_documents(&name, &text, format).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{} mistakes:\n  {}", lines.len(), lines.join("\n  "))
    })?;
    let set =
        file.file_stem().map_or_else(|| name.clone(), |stem| stem.to_string_lossy().into_owned());
    let options =
        ApplyOptions { set, note: Some("at start".to_owned()), ..ApplyOptions::default() };
    let report = store.apply("tally serve --apply", parsed, options).await?;
    for warning in &report.warnings {
        tracing::warn!(file = name, "{warning}");
    }
    Ok(())
}

/// Without a key that may change things nobody could begin.
async fn ensure_admin(store: &Store, data: &Path) -> anyhow::Result<()> {
    let is_admin = |snapshot: &Snapshot| {
        snapshot.keys.values().any(|key| key.roles.contains(&Role::Admin) && !key.revoked)
    };
    if is_admin(&store.snapshot()) {
        return Ok(());
    }
    let secret = tally_api::OsSecrets.secret();
    let spec = serde_json::json!({
        "roles": [Role::Admin],
        "secret": {
            "sha256": hex::encode(Sha256::digest(secret.as_bytes())),
            "prefix": secret.chars().take(10).collect::<String>(),
        },
    });
    let name: Name = ADMIN_KEY.parse()?;
    if store.get(Kind::Key, &name).await?.is_some() {
        bail!(
            "the key `{ADMIN_KEY}` exists but is revoked or has lost its role: no key is left that may change things"
        );
    }
    let path = data.join(ADMIN_KEY_FILE);
    let mut file = std::fs::File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| path.display().to_string())?;
    writeln!(file, "{secret}")?;
    store.create("tally serve", Kind::Key, name, spec).await?;
    output::line(&format!("Admin key (shown once, kept in {}): {secret}", path.display()));
    Ok(())
}

fn make_private_folder(path: &Path) -> anyhow::Result<()> {
    let is_new = !path.exists();
    std::fs::create_dir_all(path).with_context(|| path.display().to_string())?;
    if is_new {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn start_shipper(
    config: &Config,
    snapshot: &Snapshot,
    journal: &Journal,
    slot: &WarehouseSlot,
) -> anyhow::Result<JoinHandle<()>> {
    let options = tally_warehouse::Options {
        memory_limit_bytes: config.warehouse.memory_bytes_max,
        threads: config.warehouse.threads,
        time_zone: snapshot.organization.zone(),
        week_starts: snapshot.organization.week_starts,
    };
    let path = config.data.join("warehouse.duckdb");
    let sink = WarehouseSink::new(path, options, slot.clone());
    let shipper = journal.shipper(sink);
    Ok(std::thread::Builder::new().name("shipper".to_owned()).spawn(move || shipper.run())?)
}

fn build_plane(snapshot: Arc<Snapshot>, secrets: &dyn Secrets) -> anyhow::Result<DataPlane> {
    DataPlane::build(snapshot, secrets).map_err(|error| anyhow::anyhow!(error))
}

/// Swaps the data plane whenever a resource changes, and keeps the snapshot on disk.
async fn follow_changes(parts: Parts) {
    let mut changes = parts.store.watch();
    let mut zone = parts.store.snapshot().organization.clone();
    loop {
        let snapshot = Arc::clone(&changes.borrow_and_update());
        match build_plane(Arc::clone(&snapshot), parts.secrets.as_ref()) {
            Ok(plane) => {
                for problem in plane.problems() {
                    tracing::warn!("not usable: {problem}");
                }
                parts.gateway.replace_plane(plane);
            }
            Err(error) => {
                tracing::error!(%error, "the change is not in force: calls go on with what was before")
            }
        }
        let path = parts.data.join(SNAPSHOT_FILE);
        let saved = Arc::clone(&snapshot);
        let save = tokio::task::spawn_blocking(move || saved.save(&path)).await;
        if let Ok(Err(error)) = save {
            tracing::warn!(%error, "the snapshot is not saved");
        }
        if zone != snapshot.organization && follow_zone(&parts, &snapshot).await {
            zone = snapshot.organization.clone();
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Days are precomputed in the organisation's zone; another zone means other days.
async fn follow_zone(parts: &Parts, snapshot: &Snapshot) -> bool {
    let Some(warehouse) = parts.warehouse.get() else { return false };
    let organization = snapshot.organization.clone();
    let rebuilt = tokio::task::spawn_blocking(move || {
        warehouse.set_time_zone(organization.zone(), organization.week_starts)
    });
    match rebuilt.await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::error!(%error, "the days of the new time zone are not computed yet");
            false
        }
        Err(_) => false,
    }
}

/// Compacts rollups, keeps what was learned.
async fn keep_house(parts: Parts) {
    loop {
        tokio::time::sleep(COMPACT_EVERY).await;
        save_calibration(&parts);
        let Some(warehouse) = parts.warehouse.get() else { continue };
        let now = parts.clock.now();
        let compacted = tokio::task::spawn_blocking(move || warehouse.compact(now)).await;
        if let Ok(Err(error)) = compacted {
            tracing::warn!(%error, "rollups are not compacted; answers stay right, but slower");
        }
    }
}

fn save_calibration(parts: &Parts) {
    let path = parts.data.join(CALIBRATION_FILE);
    if let Err(error) = std::fs::write(&path, parts.gateway.estimator().to_json()) {
        tracing::warn!(%error, file = %path.display(), "what was learned about tokens is not saved");
    }
}
