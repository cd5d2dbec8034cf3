//! `tally key`: virtual keys.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tally_types::{KeyScope, Kind, Name, PersonName, Resource, Role, Timestamp, WorkloadName};

use super::{client::Client, connection::Connection, now, output, query::seconds, table::Table};

/// Subcommands of `tally key`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key; its secret is shown once
    Create(CreateArgs),
    /// Show every key
    List,
    /// Give a key a new secret; the old one stops working
    Rotate {
        /// The key
        name: Name,
    },
    /// Withdraw a key
    Revoke {
        /// The key
        name: Name,
    },
    /// Suspend a key until security or an admin reinstates it
    Suspend {
        /// The key
        name: Name,

        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Give a suspended key back
    Reinstate {
        /// The key
        name: Name,

        /// What was found
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
}

/// Arguments of `tally key create`.
#[derive(Debug, clap::Args)]
pub(crate) struct CreateArgs {
    /// What to call it
    name: Name,

    /// The person who uses it; it has that person's roles
    #[arg(long, value_name = "PERSON", conflicts_with = "roles", required_unless_present_any = ["workload", "roles"])]
    person: Option<PersonName>,

    /// The workload it stands for
    #[arg(long, value_name = "WORKLOAD")]
    workload: Option<WorkloadName>,

    /// A role of a key that is no person's; repeat it for several
    #[arg(long = "role", value_name = "ROLE", value_delimiter = ',')]
    roles: Vec<Role>,

    /// What it may be used for: gateway, ingest, read or write; everything without any
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    scopes: Vec<KeyScope>,

    /// When it stops working: after 30d, 12h, 6w, or at an RFC 3339 time
    #[arg(long, value_name = "WHEN")]
    expires: Option<Expiry>,
}

/// When a key stops working.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// So many seconds from now.
    After(i64),
    /// Then.
    At(Timestamp),
}

/// What the API answers when it makes a secret.
#[derive(Debug, Serialize, Deserialize)]
struct NewSecret {
    resource: Resource,
    secret: String,
    /// Whether the gateway knows it already; if not, within seconds.
    #[serde(default = "yes")]
    in_effect: bool,
}

/// What the API answers when it revokes, suspends or reinstates a key.
#[derive(Debug, Deserialize)]
struct Changed {
    #[serde(default = "yes")]
    in_effect: bool,
    #[serde(default)]
    note: Option<String>,
}

const fn yes() -> bool {
    true
}

/// The part of a key's spec that a request may hold: the secret is the server's to make.
#[derive(Debug, Serialize)]
struct KeyRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<PersonName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workload: Option<WorkloadName>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<Role>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<KeyScope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

/// Runs `tally key`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run(command: KeyCommand, connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let keys = ["api", "v1", Kind::Key.plural()];
    let verb = |name: &Name, verb: &'static str| {
        keys.iter()
            .map(ToString::to_string)
            .chain([name.to_string(), verb.to_owned()])
            .collect::<Vec<_>>()
    };
    match command {
        KeyCommand::Create(args) => {
            let name = args.name.clone();
            let body = json!({ "name": name, "spec": args.request(now())? });
            let made: NewSecret = client.post(&keys, &body).await?;
            show_secret(&made, "made", &client, connection.json)
        }
        KeyCommand::List => {
            let resources: Vec<Resource> = client.list(&keys, &[]).await?;
            if connection.json {
                return output::json(&resources);
            }
            output::out(&list(&resources, now()))
        }
        KeyCommand::Rotate { name } => {
            let path = verb(&name, "rotate");
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let made: NewSecret = client.post(&path, &json!({})).await?;
            show_secret(
                &made,
                "given a new secret; the old one no longer works",
                &client,
                connection.json,
            )
        }
        KeyCommand::Revoke { name } => {
            let what = "is revoked: calls with it are refused";
            change(&client, connection.json, (&name, "revoke"), &json!({}), what).await
        }
        KeyCommand::Suspend { name, reason } => {
            let body = json!({ "reason": reason });
            let what = "is suspended: calls with it are refused";
            change(&client, connection.json, (&name, "suspend"), &body, what).await
        }
        KeyCommand::Reinstate { name, note } => {
            let body = json!({ "note": note });
            let what = "is reinstated: calls with it pass again";
            change(&client, connection.json, (&name, "reinstate"), &body, what).await
        }
    }
}

/// Says a verb to a key, and what came of it.
async fn change(
    client: &Client,
    json: bool,
    (name, verb): (&Name, &str),
    body: &serde_json::Value,
    what: &str,
) -> anyhow::Result<()> {
    let path = ["api", "v1", Kind::Key.plural(), name.as_str(), verb];
    let answer: serde_json::Value = client.post(&path, body).await?;
    if json {
        return output::json(&answer);
    }
    let Changed { in_effect, note } = serde_json::from_value(answer)?;
    let when = if in_effect { "from now on" } else { "within seconds" };
    let note = note.map(|note| format!("\nnote: {note}")).unwrap_or_default();
    output::out(&format!("key `{name}` {what} {when}{note}"))
}

fn show_secret(made: &NewSecret, what: &str, client: &Client, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(made);
    }
    output::out(&secret_text(made, what, client.address()))
}

fn secret_text(made: &NewSecret, what: &str, address: &str) -> String {
    let NewSecret { resource, secret, in_effect } = made;
    let mut text = format!(
        "key `{}` was {what}\n\n    {secret}\n\nThis is the only time it is shown: Tally keeps a hash of it.\n",
        resource.name
    );
    if !in_effect {
        text.push_str("It works within seconds.\n");
    }
    let roles = resource.spec.get("roles").and_then(|roles| roles.as_array());
    let is_for_calls = resource.spec.get("person").is_some_and(|person| !person.is_null())
        || resource.spec.get("workload").is_some_and(|workload| !workload.is_null());
    if is_for_calls {
        text.push_str(&format!(
            "\nOpenAI SDKs:\n    export OPENAI_BASE_URL={address}/v1\n    export OPENAI_API_KEY={secret}\n\
             \nAnthropic SDKs and Claude Code:\n    export ANTHROPIC_BASE_URL={address}\n    export ANTHROPIC_API_KEY={secret}\n"
        ));
    }
    if roles.is_some_and(|roles| !roles.is_empty()) {
        text.push_str(&format!(
            "\nThe command line:\n    export TALLY_TO={address}\n    export TALLY_KEY={secret}\n"
        ));
    }
    text
}

fn list(resources: &[Resource], now: Timestamp) -> String {
    if resources.is_empty() {
        return "There are no keys yet: `tally key create NAME --person PERSON` makes one."
            .to_owned();
    }
    let mut table =
        Table::of_text(&["Key", "Person", "Workload", "Roles", "Secret", "Expires", "State"]);
    for resource in resources {
        let text = |name: &str| {
            resource.spec.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
        };
        let roles = resource.spec.get("roles").and_then(|roles| roles.as_array());
        let roles: Vec<&str> =
            roles.into_iter().flatten().filter_map(|role| role.as_str()).collect();
        let expires: Option<Timestamp> = text("expires_at").parse().ok();
        let is_revoked = resource.spec.get("revoked").and_then(serde_json::Value::as_bool);
        let state = match expires {
            _ if is_revoked == Some(true) => "revoked",
            _ if resource.spec.get("suspended").is_some() => "suspended",
            Some(expires) if expires <= now => "expired",
            _ => "active",
        };
        table.row([
            resource.name.to_string(),
            text("person"),
            text("workload"),
            roles.join(", "),
            secret_hint(resource.spec.get("secret")),
            expires.map(|time| time.strftime("%Y-%m-%d %H:%MZ").to_string()).unwrap_or_default(),
            state.to_owned(),
        ]);
    }
    table.render()
}

/// What a secret may be recognised by.
fn secret_hint(secret: Option<&serde_json::Value>) -> String {
    let text = |name: &str| secret?.get(name)?.as_str();
    match (text("prefix"), text("env")) {
        (Some(prefix), _) => format!("{prefix}…"),
        (None, Some(variable)) => format!("${variable}"),
        (None, None) => String::new(),
    }
}

// === impl CreateArgs ===

impl CreateArgs {
    fn request(self, now: Timestamp) -> anyhow::Result<KeyRequest> {
        let expires_at = self.expires.map(|expires| expires.instant(now)).transpose()?;
        let Self { person, workload, roles, scopes, .. } = self;
        Ok(KeyRequest { person, workload, roles, scopes, expires_at })
    }
}

// === impl Expiry ===

impl Expiry {
    fn instant(self, now: Timestamp) -> anyhow::Result<Timestamp> {
        let instant = match self {
            Self::At(instant) => instant,
            Self::After(seconds) => now.checked_add(jiff::SignedDuration::from_secs(seconds))?,
        };
        anyhow::ensure!(instant > now, "`--expires {instant}` is in the past");
        Ok(instant)
    }
}

impl FromStr for Expiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(instant) = text.parse() {
            return Ok(Self::At(instant));
        }
        seconds(text).map(Self::After).map_err(|_| {
            format!("`{text}` is no time; expected such as 30d, 12h or 2026-12-31T00:00:00Z")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, spec: &serde_json::Value) -> Resource {
        serde_json::from_value(json!({
            "kind": "Key", "name": name, "version": 1, "spec": spec,
            "created_at": "2026-05-01T10:00:00Z", "updated_at": "2026-05-01T10:00:00Z",
        }))
        .unwrap()
    }

    #[test]
    fn a_new_secret_comes_with_what_to_do_with_it() {
        let resource = key("ada-laptop", &json!({"person": "ada"}));
        let made = NewSecret { resource, secret: "tally_s3cret".into(), in_effect: true };
        insta::assert_snapshot!(secret_text(&made, "made", "http://127.0.0.1:8080"));
        let resource = key("ci", &json!({"roles": ["admin"]}));
        let made = NewSecret { resource, secret: "tally_s3cret".into(), in_effect: true };
        let text = secret_text(&made, "made", "http://127.0.0.1:8080");
        assert!(text.contains("TALLY_KEY") && !text.contains("OPENAI"), "{text}");
    }

    #[test]
    fn keys_are_listed_without_what_could_be_used() {
        let now = "2026-05-10T00:00:00Z".parse().unwrap();
        let hashed = json!({"sha256": "a".repeat(64), "prefix": "tally_4f"});
        let text = list(
            &[
                key("ada-laptop", &json!({"person": "ada", "secret": hashed})),
                key(
                    "ci",
                    &json!({"roles": ["viewer", "finops"], "secret": {"env": "CI_KEY"}, "revoked": true}),
                ),
                key(
                    "old",
                    &json!({"workload": "bot", "secret": hashed, "expires_at": "2026-05-01T00:00:00Z"}),
                ),
                key(
                    "stopped",
                    &json!({"person": "ada", "secret": hashed, "suspended": {
                        "at": "2026-05-01T00:00:00Z", "by": "tally gateway", "reason": "No."
                    }}),
                ),
            ],
            now,
        );
        assert!(!text.contains("aaaa"));
        insta::assert_snapshot!(text);
    }

    #[test]
    fn keys_expire_in_the_future() {
        let now: Timestamp = "2026-05-10T00:00:00Z".parse().unwrap();
        let at = |text: &str| text.parse::<Expiry>().unwrap().instant(now).map(|at| at.to_string());
        assert_eq!(at("30d").unwrap(), "2026-06-09T00:00:00Z");
        assert!(at("2026-01-01T00:00:00Z").unwrap_err().to_string().contains("in the past"));
        assert!("soon".parse::<Expiry>().is_err());
    }
}
