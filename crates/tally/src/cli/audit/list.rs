//! `tally audit list`: the entries of the log.

use std::str::FromStr as _;

use tally_store::AuditEntry;
use tally_types::{Kind, Name};

use crate::cli::{
    client::Client,
    connection::Connection,
    output,
    table::{Align, Table},
};

/// Arguments of `tally audit list`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Only of this kind
    #[arg(long, value_parser = Kind::from_str)]
    kind: Option<Kind>,

    /// Only of the resource of this name
    #[arg(long)]
    name: Option<Name>,

    /// How many entries at most
    #[arg(long, value_name = "ENTRIES", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

/// A page of the log.
#[derive(Debug, serde::Deserialize)]
struct Entries {
    items: Vec<AuditEntry>,
}

/// Runs `tally audit list`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(super) async fn run(args: ListArgs, connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let limit = args.limit.to_string();
    let mut query = vec![("limit", limit.as_str())];
    query.extend(args.kind.map(|kind| ("kind", kind.as_str())));
    query.extend(args.name.as_ref().map(|name| ("name", name.as_str())));
    let body: serde_json::Value = client.get(&["api", "v1", "audit"], &query).await?;
    if connection.json {
        return output::json(&body);
    }
    let entries: Entries = serde_json::from_value(body)?;
    output::out(&render(&entries.items))
}

fn render(entries: &[AuditEntry]) -> String {
    if entries.is_empty() {
        return "No changes match.".to_owned();
    }
    let mut table = Table::new([
        ("#", Align::Right),
        ("Time (UTC)", Align::Left),
        ("Who", Align::Left),
        ("What", Align::Left),
        ("Resource", Align::Left),
        ("Version", Align::Right),
        ("Note", Align::Left),
    ]);
    for entry in entries {
        table.row([
            entry.sequence.to_string(),
            entry.time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            entry.actor.clone(),
            entry.action.as_str().replace('_', " "),
            format!("{}/{}", entry.kind, entry.name),
            format!("v{}", entry.version),
            entry.note.clone().unwrap_or_default(),
        ]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_did_what_to_what() {
        let entries: Vec<AuditEntry> = serde_json::from_value(serde_json::json!([
            {"sequence": 12, "time": "2026-05-01T10:00:00.123Z", "actor": "key:ci", "action": "take_over",
             "kind": "Budget", "name": "support-month", "version": 4, "note": "moved to acme.yaml"},
            {"sequence": 9, "time": "2026-05-01T09:00:00Z", "actor": "person:grace", "action": "delete",
             "kind": "Key", "name": "old", "version": 1},
        ]))
        .unwrap();
        insta::assert_snapshot!(render(&entries));
        assert_eq!(render(&[]), "No changes match.");
    }
}
