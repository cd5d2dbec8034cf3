//! The real programs, started for the measurement and ended with it.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::client;
use crate::machine::{self, Usage};

const START_MAX: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);
const SHIP_MAX: Duration = Duration::from_secs(20);

/// The virtual key that calls are made with; it opens nothing but this run's Tally.
pub(crate) const TALLY_KEY: &str = "tally_bench_4Zr9QkW2mXc7Vt1Lh8";
/// What the simulator is shown directly.
pub(crate) const DIRECT_KEY: &str = "sk-bench-direct-0123456789";
const PROVIDER_KEY: &str = "sk-bench-through-0123456789";

/// A simulator and a Tally in front of it.
pub(crate) struct Children {
    pub(crate) simulator: Running,
    pub(crate) tally: Running,
    folder: TempDir,
}

/// A program and where it listens; dropping it ends it.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: SocketAddr,
}

// === impl Children ===

impl Children {
    /// Starts both and waits until they answer.
    ///
    /// # Errors
    /// When one cannot be started or ends; says what it wrote last.
    pub(crate) async fn start(
        tally: &Path,
        folder: &Path,
        latency_ms: u64,
        set: &[(String, String)],
    ) -> anyhow::Result<Self> {
        // The programs run in it, so its path must not be relative.
        let folder = tempfile::tempdir_in(folder.canonicalize()?)?;
        let mut simulator = Command::new(tally);
        let sim_address = free_address()?;
        simulator.arg("sim").args(["--listen", &sim_address.to_string()]);
        simulator.args(["--latency-ms", &latency_ms.to_string(), "--calls-kept", "1000"]);
        let simulator = Running::start(simulator, sim_address, folder.path(), "sim").await?;

        let company = folder.path().join("company.yaml");
        std::fs::write(&company, company_yaml(sim_address))?;
        let address = free_address()?;
        let mut serve = Command::new(tally);
        serve.arg("serve").args(["--listen", &address.to_string()]);
        serve.arg("--data").arg(folder.path().join("data")).arg("--apply").arg(&company);
        serve.env("BENCH_TALLY_KEY", TALLY_KEY).env("BENCH_PROVIDER_KEY", PROVIDER_KEY);
        serve.env("TALLY_LOG_FILTER", "warn");
        serve.envs(set.iter().map(|(name, value)| (name, value)));
        let tally = Running::start(serve, address, folder.path(), "serve").await?;
        Ok(Self { simulator, tally, folder })
    }

    /// How many calls Tally has metered by its own count, once it is as many as
    /// expected or some time has passed.
    ///
    /// # Errors
    /// When Tally does not answer the question.
    pub(crate) async fn metered(&self, expected: u64) -> anyhow::Result<u64> {
        let key = std::fs::read_to_string(self.folder.path().join("data/admin.key"))?;
        let question = json!({"measures": ["calls"], "range": "last_24_hours"}).to_string();
        let until = Instant::now() + SHIP_MAX;
        loop {
            let request = Request::post("/api/v1/query")
                .header(header::AUTHORIZATION, format!("Bearer {}", key.trim()))
                .header(header::CONTENT_TYPE, "application/json")
                .body(Full::new(Bytes::from(question.clone())))?;
            let (status, body) = client::once(self.tally.address, request).await?;
            anyhow::ensure!(status == StatusCode::OK, "status {status}");
            let answer: Value = serde_json::from_slice(&body)?;
            let calls = answer.pointer("/total/0").and_then(Value::as_u64).context("no total")?;
            if calls >= expected || Instant::now() >= until {
                return Ok(calls);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

// === impl Running ===

impl Running {
    async fn start(
        mut command: Command,
        address: SocketAddr,
        folder: &Path,
        name: &str,
    ) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        for (variable, _) in std::env::vars_os() {
            // Only what this run sets may configure it.
            if variable.to_string_lossy().starts_with("TALLY_") && !is_set(&command, &variable) {
                command.env_remove(&variable);
            }
        }
        let child = command
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("{}", PathBuf::from(command.get_program()).display()))?;
        let mut running = Self { child, address };
        running.wait_until_it_answers().await.with_context(|| {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            format!("`tally {name}` does not answer on {address}; it said:\n{said}")
        })?;
        Ok(running)
    }

    async fn wait_until_it_answers(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + START_MAX;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}");
            }
            let request = Request::get("/").body(Full::default())?;
            if matches!(client::once(self.address, request).await, Ok((StatusCode::OK, _))) {
                return Ok(());
            }
            if Instant::now() >= until {
                bail!("it had {} s", START_MAX.as_secs());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What it has used so far.
    ///
    /// # Errors
    /// When it has ended.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        machine::usage(self.child.id())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Its data is thrown away, so it need not end well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_set(command: &Command, variable: &std::ffi::OsStr) -> bool {
    command.get_envs().any(|(name, value)| name == variable && value.is_some())
}

/// A port that was free a moment ago.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// A company with four budgets and a policy over every call.
fn company_yaml(simulator: SocketAddr) -> String {
    include_str!("company.yaml").replace("SIMULATOR", &simulator.to_string())
}
