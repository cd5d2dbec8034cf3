//! What is asked for and approved, on the command line: the same words for grants, exceptions
//! and access requests.

pub(crate) mod show;

use std::str::FromStr;

use anyhow::Context as _;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tally_store::approvals::Request;
use tally_types::{Name, Resource, Timestamp, spec::GrantState};

use super::{client::Client, now, output, query::seconds};

/// What everybody says to what was asked for.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Said {
    /// Approve what waits for you, or for whom you are the delegate of
    Approve(SayArgs),
    /// Deny it; a reason is needed
    Deny(SayArgs),
    /// End it before its time; a reason is needed
    Revoke(SayArgs),
    /// Take your own request back
    Withdraw {
        /// Its name
        name: Name,
    },
    /// Show what was asked for
    List(ListArgs),
    /// Show one and its minutes
    Show {
        /// Its name
        name: Name,
    },
}

/// What is said to one.
#[derive(Debug, clap::Args)]
pub(crate) struct SayArgs {
    /// Its name
    name: Name,

    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Which to list.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Only those that you may decide on now
    #[arg(long)]
    to_decide: bool,

    /// Only those that you asked for
    #[arg(long)]
    mine: bool,

    /// Only in this state: pending, approved, denied, revoked, withdrawn or expired
    #[arg(long, value_name = "STATE")]
    state: Option<GrantState>,
}

/// When it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// So many seconds from now.
    After(i64),
    /// Then.
    At(Timestamp),
}

/// Says it.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run<T: Request>(said: Said, client: &Client, json: bool) -> anyhow::Result<()> {
    match said {
        Said::Approve(args) => say::<T>(client, "approve", args, json).await,
        Said::Deny(args) => say::<T>(client, "deny", args, json).await,
        Said::Revoke(args) => say::<T>(client, "revoke", args, json).await,
        Said::Withdraw { name } => {
            say::<T>(client, "withdraw", SayArgs { name, reason: None }, json).await
        }
        Said::List(args) => list::<T>(client, &args, json).await,
        Said::Show { name } => show::<T>(client, &name, json).await,
    }
}

/// Asks for it, or shows what would come of it.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn ask<T: Request>(
    client: &Client,
    body: &Value,
    dry_run: bool,
    json: bool,
) -> anyhow::Result<()> {
    let path = path::<T>();
    if !dry_run {
        let asked: Resource = client.post(&path, body).await?;
        let text = || show::standing::<T>(&asked);
        return if json { output::json(&asked) } else { output::out(&text()?) };
    }
    let preview: Value = client.post_query(&path, &[("dry_run", "true")], body).await?;
    if json {
        return output::json(&preview);
    }
    let asked = T::deserialize(preview.get(T::WORD).context("Tally answered something else")?)?;
    let mut text = format!(
        "would ask: {}\nuntil:     {}\napproved by: {}\n",
        asked.wanted(),
        asked.until(),
        show::asked(asked.needs())
    );
    if let Some(repeats) = preview.get("repeats").and_then(Value::as_str) {
        text.push_str(&format!("repeats `{repeats}`: an architecture review is needed first\n"));
    }
    text.push_str("nothing was stored; leave out `--dry-run` to ask");
    output::out(&text)
}

pub(crate) fn path<T: Request>() -> [&'static str; 3] {
    ["api", "v1", T::KIND.plural()]
}

async fn say<T: Request>(
    client: &Client,
    verb: &str,
    args: SayArgs,
    json: bool,
) -> anyhow::Result<()> {
    let body = args.reason.map_or_else(|| json!({}), |reason| json!({ "reason": reason }));
    post::<T>(client, &args.name, verb, &body, json).await
}

/// Says something to one, and tells how it stands then.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn post<T: Request>(
    client: &Client,
    name: &Name,
    verb: &str,
    body: &Value,
    json: bool,
) -> anyhow::Result<()> {
    let path = [path::<T>().as_slice(), &[name.as_str(), verb]].concat();
    let asked: Resource = client.post(&path, body).await?;
    if json {
        return output::json(&asked);
    }
    output::out(&show::standing::<T>(&asked)?)
}

async fn list<T: Request>(client: &Client, args: &ListArgs, json: bool) -> anyhow::Result<()> {
    let mut query = Vec::new();
    query.extend(args.to_decide.then_some(("to_decide", "true")));
    query.extend(args.mine.then_some(("mine", "true")));
    query.extend(args.state.map(|state| ("state", state.as_str())));
    let all: Vec<Resource> = client.list(&path::<T>(), &query).await?;
    if json {
        return output::json(&all);
    }
    output::out(&show::table::<T>(&all, now())?)
}

async fn show<T: Request>(client: &Client, name: &Name, json: bool) -> anyhow::Result<()> {
    let one = [path::<T>().as_slice(), &[name.as_str()]].concat();
    let asked: Resource = client.get(&one, &[]).await?;
    let trail: Value = client.get(&[one.as_slice(), &["trail"]].concat(), &[]).await?;
    if json {
        return output::json(&json!({ T::WORD: asked, "trail": trail.get("items") }));
    }
    output::out(&show::minutes::<T>(&asked, &trail)?)
}

// === impl Until ===

impl FromStr for Until {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            || format!("`{text}` is no time; expected such as +3d, +12h or 2026-11-30T17:00Z");
        if let Some(length) = text.strip_prefix('+') {
            return seconds(length).map(Self::After).map_err(|_| expected());
        }
        text.parse().map(Self::At).map_err(|_| expected())
    }
}

impl Until {
    /// The time it stands for.
    ///
    /// # Errors
    /// It lies outside the calendar.
    pub(crate) fn at(self, now: Timestamp) -> anyhow::Result<Timestamp> {
        match self {
            Self::At(time) => Ok(time),
            Self::After(seconds) => now
                .checked_add(SignedDuration::from_secs(seconds))
                .context("`--until` lies outside the calendar"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_ahead_or_given() {
        assert_eq!("+3d".parse(), Ok(Until::After(3 * 86_400)));
        let at = "2026-11-30T17:00:00Z".parse().unwrap();
        assert_eq!("2026-11-30T17:00Z".parse(), Ok(Until::At(at)));
        assert!("3d".parse::<Until>().unwrap_err().contains("+3d"));
    }
}
