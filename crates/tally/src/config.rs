//! `tally.toml`, overridden by `TALLY_*`. A mistake names file, line, key and what
//! was expected, and is found before any port is bound.

mod audit;
mod notify;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use tally_journal::Durability;
use tally_policy::redact::RedactionKey;

pub(crate) use audit::Audit;
pub(crate) use notify::{About, Notify, Security, Smtp, check_url};

/// Everything that can be configured, with its defaults.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Where clients, the API and later the UI are served.
    pub(crate) listen: SocketAddr,
    /// The folder that holds all data.
    pub(crate) data: PathBuf,
    /// How long calls under way may take to end when Tally stops, in seconds.
    pub(crate) drain_s: u64,
    pub(crate) log: Log,
    pub(crate) gateway: Gateway,
    pub(crate) journal: Journal,
    pub(crate) warehouse: Warehouse,
    pub(crate) notify: Notify,
    pub(crate) audit: Audit,
}

/// What is logged, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// Such as `info` or `tally_gateway=debug,info`.
    pub(crate) filter: String,
    /// `text` or `json`.
    pub(crate) format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// See [`tally_gateway::Options`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Gateway {
    pub(crate) request_bytes_max: usize,
    pub(crate) reply_bytes_max: usize,
    pub(crate) retry_wait_first_ms: u64,
    pub(crate) retry_wait_max_ms: u64,
}

/// See [`tally_journal::Options`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Journal {
    pub(crate) bytes_max: u64,
    pub(crate) open_intents_max: u32,
    pub(crate) queued_records_max: u32,
    pub(crate) flush_ms: u64,
    pub(crate) ship_ms: u64,
    pub(crate) durability: DurabilityWord,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DurabilityWord {
    Relaxed,
    Strict,
}

/// DuckDB's share of the machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Warehouse {
    pub(crate) memory_bytes_max: u64,
    pub(crate) threads: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data: PathBuf::from("./tally-data"),
            drain_s: 20,
            log: Log::default(),
            gateway: Gateway::default(),
            journal: Journal::default(),
            warehouse: Warehouse::default(),
            notify: Notify::default(),
            audit: Audit::default(),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: LogFormat::Text }
    }
}

impl Default for Gateway {
    fn default() -> Self {
        let options = tally_gateway::Options::default();
        Self {
            request_bytes_max: options.request_bytes_max,
            reply_bytes_max: options.reply_bytes_max,
            retry_wait_first_ms: milliseconds(options.retry_wait_first),
            retry_wait_max_ms: milliseconds(options.retry_wait_max),
        }
    }
}

impl Default for Journal {
    fn default() -> Self {
        let options = tally_journal::Options::new("");
        Self {
            bytes_max: options.bytes_max,
            open_intents_max: options.open_intents_max,
            queued_records_max: options.queued_records_max,
            flush_ms: milliseconds(options.flush_every),
            ship_ms: milliseconds(options.ship_every),
            durability: DurabilityWord::Relaxed,
        }
    }
}

impl Default for Warehouse {
    fn default() -> Self {
        Self { memory_bytes_max: 2 << 30, threads: 2 }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

// === impl Config ===

impl Config {
    /// Reads the file (the default one may be absent) and the environment.
    pub(crate) fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let path = file.unwrap_or(Path::new("tally.toml"));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                String::new()
            }
            Err(error) => bail!("{}: {error}", path.display()),
        };
        // Read once on its own, so that a mistake in the file is told with its line.
        toml::from_str::<Self>(&text)
            .map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
        let mut table: toml::Table = toml::from_str(&text)?;
        let defaults = toml::Table::try_from(Self::default())?;
        overlay(&mut table, &defaults, "TALLY", &|name| std::env::var(name).ok())?;
        let config = Self::deserialize(table).context("in the environment (TALLY_*)")?;
        config.check()
    }

    fn check(self) -> anyhow::Result<Self> {
        let limits = [
            ("gateway.request_bytes_max", self.gateway.request_bytes_max as u64, 1_024),
            ("gateway.reply_bytes_max", self.gateway.reply_bytes_max as u64, 1_024),
            ("journal.bytes_max", self.journal.bytes_max, 1 << 20),
            ("journal.open_intents_max", u64::from(self.journal.open_intents_max), 1),
            ("journal.queued_records_max", u64::from(self.journal.queued_records_max), 1),
            ("journal.flush_ms", self.journal.flush_ms, 1),
            ("warehouse.memory_bytes_max", self.warehouse.memory_bytes_max, 64 << 20),
            ("warehouse.threads", self.warehouse.threads as u64, 1),
        ];
        for (key, value, least) in limits {
            if value < least {
                bail!("`{key}` is {value}; expected at least {least}");
            }
        }
        self.notify.check()?;
        self.audit.check()?;
        Ok(self)
    }

    pub(crate) fn gateway_options(
        &self,
        redaction_key: RedactionKey,
        prompts: tally_prompts::PromptQueue,
    ) -> tally_gateway::Options {
        tally_gateway::Options {
            request_bytes_max: self.gateway.request_bytes_max,
            reply_bytes_max: self.gateway.reply_bytes_max,
            retry_wait_first: Duration::from_millis(self.gateway.retry_wait_first_ms),
            retry_wait_max: Duration::from_millis(self.gateway.retry_wait_max_ms),
            redaction_key: Some(redaction_key),
            prompts: Some(prompts),
        }
    }

    pub(crate) fn journal_options(&self) -> tally_journal::Options {
        let mut options = tally_journal::Options::new(self.data.join("journal"));
        options.bytes_max = self.journal.bytes_max;
        options.open_intents_max = self.journal.open_intents_max;
        options.queued_records_max = self.journal.queued_records_max;
        options.flush_every = Duration::from_millis(self.journal.flush_ms);
        options.ship_every = Duration::from_millis(self.journal.ship_ms);
        options.durability = match self.journal.durability {
            DurabilityWord::Relaxed => Durability::Relaxed,
            DurabilityWord::Strict => Durability::Strict,
        };
        options
    }
}

/// Puts `TALLY_GATEWAY_REQUEST_BYTES_MAX` and the like over what the file says; the
/// defaults tell which keys there are and of which type.
fn overlay(
    table: &mut toml::Table,
    defaults: &toml::Table,
    prefix: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> anyhow::Result<()> {
    for (key, default) in defaults {
        let name = format!("{prefix}_{}", key.to_ascii_uppercase());
        if let toml::Value::Table(inner_defaults) = default {
            let inner =
                table.entry(key.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let toml::Value::Table(inner) = inner {
                overlay(inner, inner_defaults, &name, variable)?;
            }
            continue;
        }
        let Some(text) = variable(&name) else { continue };
        let value = match default {
            toml::Value::Integer(_) => text
                .replace('_', "")
                .parse()
                .map(toml::Value::Integer)
                .map_err(|_| anyhow::anyhow!("{name}=`{text}`: expected a whole number"))?,
            toml::Value::Boolean(_) => text
                .parse()
                .map(toml::Value::Boolean)
                .map_err(|_| anyhow::anyhow!("{name}=`{text}`: expected `true` or `false`"))?,
            _ => toml::Value::String(text),
        };
        table.insert(key.clone(), value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tally.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(Some(&path)).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_mistake_names_file_line_key_and_what_was_expected() {
        for (text, wanted) in [
            ("listen = 7\n", vec!["tally.toml", "line 1", "socket"]),
            ("\n[journal]\nbyte_max = 1\n", vec!["line 3", "byte_max", "bytes_max"]),
            ("[journal]\nbytes_max = 5\n", vec!["journal.bytes_max", "at least"]),
            ("[log]\nformat = \"xml\"\n", vec!["line 2", "text", "json"]),
            ("[notify.smtp]\nhost = \"mx\"\n", vec!["line 1", "from"]),
            (
                "[notify.smtp]\nhost = \"mx\"\nfrom = \"t@a.test\"\n",
                vec!["notify.base_url", "expected"],
            ),
            (
                "[notify]\nbase_url = \"http://t\"\n[notify.smtp]\nhost = \"mx\"\nfrom = \"t@a.test\"\nsecurity = \"none\"\nuser = \"u\"\npassword_env = \"P\"\n",
                vec!["notify.smtp.security", "starttls"],
            ),
            (
                "[notify]\nbase_url = \"http://t\"\n[[notify.webhooks]]\nname = \"ops\"\nurl = \"ftp://x\"\nsecret_env = \"S\"\n",
                vec!["notify.webhooks `ops`: url", "expected"],
            ),
            ("[[notify.webhooks]]\nname = \"ops\"\nsecret = \"S\"\n", vec!["line 3", "secret_env"]),
        ] {
            let error = load(text).unwrap_err();
            for word in wanted {
                assert!(error.contains(word), "`{word}` in: {error}");
            }
        }
    }

    #[test]
    fn the_environment_comes_last() {
        let defaults = toml::Table::try_from(Config::default()).unwrap();
        let mut table = toml::Table::new();
        let variable = |name: &str| match name {
            "TALLY_LISTEN" => Some("127.0.0.1:9".to_owned()),
            "TALLY_JOURNAL_BYTES_MAX" => Some("2_000_000".to_owned()),
            _ => None,
        };
        overlay(&mut table, &defaults, "TALLY", &variable).unwrap();
        let config = Config::deserialize(table).unwrap();
        assert_eq!(config.listen.port(), 9);
        assert_eq!(config.journal.bytes_max, 2_000_000);
        let wrong = |name: &str| (name == "TALLY_JOURNAL_BYTES_MAX").then(|| "many".to_owned());
        let error = overlay(&mut toml::Table::new(), &defaults, "TALLY", &wrong).unwrap_err();
        assert!(error.to_string().contains("TALLY_JOURNAL_BYTES_MAX"), "{error}");
    }
}
