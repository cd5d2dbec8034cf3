//! Running the binary: as a server on a free port, and as a command that asks it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A provider, two models, and who uses them; the provider's address is filled in.
pub(crate) const COMPANY: &str = r#"
kind: Organization
name: acme
spec: { time_zone: Europe/Berlin, currency: USD, week_starts: monday }
---
kind: Provider
name: openai
spec: { dialect: openai, base_url: "SIM/v1", api_key: { env: OPENAI_API_KEY }, data_classes: [public, internal] }
---
kind: Model
name: gpt-5
spec: { provider: openai, tier: frontier, cheaper: gpt-5-mini }
---
kind: Model
name: gpt-5-mini
spec: { provider: openai, tier: economy }
---
kind: CostCenter
name: cc-support
spec: { owner: grace, chargeback: { model: showback } }
---
kind: Team
name: support
spec: { manager: grace, department: customer-care, cost_center: cc-support }
---
kind: Person
name: ada
spec: { display_name: Ada, email: ada@acme.test, team: support, roles: [developer] }
---
kind: Person
name: grace
spec: { display_name: Grace, email: grace@acme.test, team: support, roles: [manager] }
"#;

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A server of the binary under test; dropping it ends it.
pub(crate) struct Running {
    child: Child,
    /// Where it listens, as a URL.
    pub(crate) url: String,
}

/// A running Tally and its folder.
pub(crate) struct Tally {
    pub(crate) server: Running,
    pub(crate) folder: tempfile::TempDir,
}

/// The binary with an environment that no other test or person shares.
pub(crate) fn tally() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tally"));
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TALLY_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command.env("OPENAI_API_KEY", "sk-sim-key").stdin(Stdio::null());
    command
}

/// Runs a command to its end with this on its standard input.
pub(crate) fn run(command: &mut Command, input: &str) -> Done {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Done {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Waits for something that is bound to happen, up to half a minute.
pub(crate) fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    for _ in 0..300 {
        if happened() {
            return;
        }
        #[expect(clippy::disallowed_methods, reason = "this thread has nothing else to do")]
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("waited in vain until {what}");
}

// === impl Running ===

impl Running {
    /// Starts a server and waits until it says where it listens.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, url) = line.split_once("listens on ")?;
            Some(url.trim().to_owned())
        });
        // What it prints later must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        let url = url.unwrap_or_else(|| panic!("{command:?} ended early: {:?}", child.wait()));
        Self { child, url }
    }

    /// Starts a simulator.
    pub(crate) fn sim() -> Self {
        Self::start(tally().args(["sim", "--listen", "127.0.0.1:0"]))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

// === impl Tally ===

impl Tally {
    /// Starts a Tally with nothing configured and waits until it is ready.
    pub(crate) fn start() -> Self {
        Self::start_with("", &[])
    }

    /// The same with a configuration and variables.
    pub(crate) fn start_with(configuration: &str, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::write(folder.path().join("tally.toml"), configuration).unwrap();
        let mut command = tally();
        command.current_dir(folder.path()).envs(variables.iter().copied());
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        let tally = Self { server: Running::start(&mut command), folder };
        // It serves calls at once; the warehouse opens a moment later.
        wait_until("it is ready", || tally.run(&["status"]).code == Some(0));
        tally
    }

    /// Starts a Tally with [`COMPANY`] in front of a provider.
    pub(crate) fn with_company(provider: &str) -> Self {
        let tally = Self::start();
        let file = tally.write("company.yaml", &COMPANY.replace("SIM", provider));
        tally.succeed(&["apply", "-f", &file]);
        tally
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Writes a file beside the data and gives its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// A command that asks this Tally with the administrator's key.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_with(arguments, &self.data())
    }

    fn command_with(&self, arguments: &[&str], data: &Path) -> Command {
        let mut command = tally();
        command.args(arguments).env("TALLY_TO", &self.server.url).env("TALLY_DATA", data);
        command
    }

    /// Runs a command.
    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        run(&mut self.command(arguments), "")
    }

    /// Runs a command that must succeed and gives what it printed.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        assert_eq!(done.code, Some(0), "{arguments:?}: {done:?}");
        done.stdout
    }

    /// Runs a command that must fail and gives what it said.
    pub(crate) fn fail(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        assert_eq!(done.code, Some(1), "{arguments:?}: {done:?}");
        assert_eq!(done.stdout, "", "{arguments:?}");
        done.stderr
    }

    /// Runs a command that prints JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        serde_json::from_str(&self.succeed(&arguments)).unwrap()
    }

    /// Makes a key and gives its secret.
    pub(crate) fn key(&self, arguments: &[&str]) -> String {
        let arguments: Vec<&str> = ["key", "create"].iter().chain(arguments).copied().collect();
        self.json(&arguments)["secret"].as_str().unwrap().to_owned()
    }

    /// What the API answers the administrator at a path.
    pub(crate) fn api(&self, path: &str) -> serde_json::Value {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let key = fs::read_to_string(self.data().join("admin.key")).unwrap();
        runtime.block_on(async {
            let request = reqwest::Client::new().get(format!("{}{path}", self.server.url));
            request.bearer_auth(key.trim()).send().await.unwrap().json().await.unwrap()
        })
    }

    /// Sends a chat completion with a key; gives the status and the body.
    pub(crate) fn chat(&self, key: &str, model: &str) -> (u16, serde_json::Value) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let body = serde_json::json!({
            "model": model, "messages": [{"role": "user", "content": "Say hello."}],
        });
        runtime.block_on(async {
            let response = reqwest::Client::new()
                .post(format!("{}/v1/chat/completions", self.server.url))
                .bearer_auth(key)
                .json(&body)
                .send()
                .await
                .unwrap();
            (response.status().as_u16(), response.json().await.unwrap())
        })
    }
}
