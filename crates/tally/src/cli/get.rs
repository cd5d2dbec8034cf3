//! `tally get`: resources as tables, YAML that can be applied again, or JSON.

use std::str::FromStr as _;

use anyhow::{Context as _, anyhow};
use serde::Serialize;
use serde_json::Value;
use tally_types::{Kind, Resource, TimeZone};

use super::{
    client::Client,
    connection::Connection,
    number, output,
    table::{Align, Table},
};

/// A cell of a table of resources is at most this long.
const CELL_CHARACTERS: usize = 40;

/// Arguments of `tally get`.
#[derive(Debug, clap::Args)]
pub(crate) struct GetArgs {
    /// The kind, such as `budgets`, `Budget` or `cost-center`; without one, all kinds are counted
    #[arg(value_parser = Kind::from_str)]
    kind: Option<Kind>,

    /// The name; without one, all of the kind are shown
    #[arg(requires = "kind")]
    name: Option<String>,

    /// How to print
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

/// How resources are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Table,
    /// As files for `tally apply`
    Yaml,
    /// With versions and status
    Json,
}

/// A resource as files have it.
#[derive(Debug, Serialize)]
struct Document<'a> {
    kind: Kind,
    name: &'a str,
    spec: &'a Value,
}

/// Runs `tally get`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run(args: GetArgs, connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let format = if connection.json { Format::Json } else { args.output };
    let Some(kind) = args.kind else {
        return kinds(&client, format).await;
    };
    match args.name {
        Some(name) => {
            let resource: Resource =
                client.get(&["api", "v1", kind.plural(), name.as_str()], &[]).await?;
            match format {
                Format::Json => output::json(&resource),
                // One resource is read for its content: all of it is shown.
                Format::Table | Format::Yaml => output::out(&yaml(&[resource])?),
            }
        }
        None => {
            let resources: Vec<Resource> = client.list(&["api", "v1", kind.plural()], &[]).await?;
            match format {
                Format::Json => output::json(&resources),
                Format::Yaml => output::out(&yaml(&resources)?),
                Format::Table => output::out(&table(kind, &resources)),
            }
        }
    }
}

/// The time zone of the organisation; UTC before one is applied.
///
/// # Errors
/// Tally refuses or cannot be reached, or names a zone this machine does not know.
pub(crate) async fn organization_zone(client: &Client) -> anyhow::Result<TimeZone> {
    let organizations: Vec<Resource> =
        client.list(&["api", "v1", Kind::Organization.plural()], &[]).await?;
    let name = organizations
        .first()
        .and_then(|organization| organization.spec.get("time_zone"))
        .and_then(Value::as_str)
        .unwrap_or("UTC");
    TimeZone::get(name).with_context(|| {
        format!("this machine does not know the zone `{name}`; give times with their offset")
    })
}

async fn kinds(client: &Client, format: Format) -> anyhow::Result<()> {
    let mut counts = Vec::new();
    // How people want to appear is shown to themselves only, so there is no list of it.
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::ScoreboardChoice) {
        let resources: Vec<serde::de::IgnoredAny> =
            client.list(&["api", "v1", kind.plural()], &[]).await?;
        counts.push((*kind, resources.len()));
    }
    match format {
        Format::Json => {
            let counts: serde_json::Map<String, Value> =
                counts.iter().map(|(kind, count)| (kind.to_string(), (*count).into())).collect();
            output::json(&counts)
        }
        Format::Yaml => {
            Err(anyhow!("name a kind to print as YAML, such as `tally get budgets -o yaml`"))
        }
        Format::Table => output::out(&count_table(&counts)),
    }
}

fn count_table(counts: &[(Kind, usize)]) -> String {
    let mut table =
        Table::new([("Kind", Align::Left), ("Count", Align::Right), ("Shown by", Align::Left)]);
    for (kind, count) in counts {
        let command = format!("tally get {}", kind.plural());
        table.row([kind.to_string(), number::count(*count as i128), command]);
    }
    let mut text = table.render();
    if counts.iter().all(|(_, count)| *count == 0) {
        text.push_str("\n\nNothing is configured yet: `tally apply -f FILE` creates resources.");
    }
    text
}

/// Documents that `tally apply` takes.
fn yaml(resources: &[Resource]) -> anyhow::Result<String> {
    let documents = resources.iter().map(|resource| {
        let (name, spec) = (resource.name.as_str(), &resource.spec);
        serde_saphyr::to_string(&Document { kind: resource.kind, name, spec })
    });
    let documents: Vec<String> = documents.collect::<Result<_, _>>()?;
    Ok(documents.join("---\n"))
}

fn table(kind: Kind, resources: &[Resource]) -> String {
    if resources.is_empty() {
        return format!("There are no {}; `tally apply -f FILE` creates resources.", kind.plural());
    }
    let fields = columns(kind);
    let headings = ["name", "version"].iter().chain(fields).chain(&["set", "updated"]);
    let mut table =
        Table::new(headings.map(|heading| {
            (*heading, if *heading == "version" { Align::Right } else { Align::Left })
        }));
    for resource in resources {
        let mut row = vec![resource.name.to_string(), resource.version.to_string()];
        row.extend(fields.iter().map(|field| summary(resource.spec.get(field))));
        row.push(resource.applied_by.clone().unwrap_or_default());
        row.push(resource.updated_at.strftime("%Y-%m-%d %H:%MZ").to_string());
        table.row(row);
    }
    table.render()
}

/// The fields of a spec that tell resources of the kind apart.
const fn columns(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Organization => &["time_zone", "currency", "week_starts"],
        Kind::Provider => &["dialect", "base_url", "data_classes"],
        Kind::Model => &["provider", "tier", "cheaper"],
        Kind::PriceList => &["source", "as_of", "precedence", "entries"],
        Kind::CostCenter => &["owner", "chargeback"],
        Kind::Team => &["manager", "department", "cost_center"],
        Kind::Person => &["display_name", "team", "roles"],
        Kind::Workload => &["owner", "cost_center", "environment", "class", "tier", "data_class"],
        Kind::Key => &["person", "workload", "roles", "expires_at", "revoked"],
        Kind::Budget => &["scope", "limit", "window", "owner"],
        Kind::Grant => &["counter", "ask", "state", "requested_by", "until"],
        Kind::Exception => &["rule", "scope", "state", "requested_by", "until"],
        Kind::AccessRequest => &["what", "state", "requested_by", "until"],
        Kind::Baseline => &["workload", "from", "until", "spend_usd", "signed_by"],
        Kind::RateCard => &["from", "until", "markup_percent", "negotiated", "currency"],
        Kind::Period => &["state", "opened_by", "comments"],
        Kind::Adjustment => &["date", "variance", "amount_usd", "state", "cost_center"],
        Kind::Rollout => &["stage", "steps"],
        Kind::Sprint => &["state", "targets", "closed_by"],
        Kind::QuarterlyReview => &["state", "decisions", "closed_by"],
        Kind::ScoreboardChoice => &["shown", "pseudonym", "at"],
        Kind::ScoringFormula => &["from", "reason"],
        Kind::Policy => &["rules"],
        Kind::Template => &["owner", "state", "versions", "replaced_by"],
        Kind::Story => &["author", "at"],
        Kind::Contribution => &["author", "state", "decided_by"],
    }
}

/// A value in one short line.
fn summary(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        Some(Value::Array(items)) => number::count(items.len() as i128),
        Some(Value::Object(fields)) => {
            let parts =
                fields.iter().map(|(name, value)| format!("{name}: {}", summary(Some(value))));
            parts.collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    };
    if text.chars().count() <= CELL_CHARACTERS {
        return text;
    }
    let short: String = text.chars().take(CELL_CHARACTERS - 1).collect();
    format!("{}…", short.trim_end())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tally_store::documents::{Format as FileFormat, parse_documents};

    use super::*;

    fn resource(kind: &str, name: &str, spec: &Value) -> Resource {
        serde_json::from_value(json!({
            "kind": kind, "name": name, "version": 3, "spec": spec, "applied_by": "acme",
            "created_at": "2026-05-01T10:00:00Z", "updated_at": "2026-05-02T10:00:00Z",
        }))
        .unwrap()
    }

    #[test]
    fn yaml_can_be_applied_again() {
        let specs = [
            (
                "Organization",
                "acme",
                json!({"time_zone": "Europe/Berlin", "currency": "USD", "week_starts": "monday"}),
            ),
            (
                "Person",
                "no",
                json!({"display_name": "yes: #1 \"quoted\" – ünï", "roles": ["developer"]}),
            ),
            (
                "PriceList",
                "1e3",
                json!({"source": "multi\nline", "as_of": "2026-05-01", "entries": [
                {"provider": "p", "model": "m", "rates": [{"input": "0.0375", "output": "1"}]}]}),
            ),
        ];
        let resources: Vec<Resource> =
            specs.iter().map(|(kind, name, spec)| resource(kind, name, spec)).collect();
        let text = yaml(&resources).unwrap();
        let documents = parse_documents("x.yaml", &text, FileFormat::Yaml)
            .unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
        let back: Vec<_> =
            documents.iter().map(|document| (document.name.as_str(), &document.spec)).collect();
        let sent: Vec<_> = specs.iter().map(|(_, name, spec)| (*name, spec)).collect();
        assert_eq!(back, sent);
    }

    #[test]
    fn a_kind_is_shown_by_what_tells_its_resources_apart() {
        let budget = resource(
            "Budget",
            "support-month",
            &json!({"scope": {"team": "support"}, "limit": {"usd": "100"}, "window": {"calendar": "month"}, "owner": "grace"}),
        );
        insta::assert_snapshot!(table(Kind::Budget, &[budget]));
    }

    #[test]
    fn nothing_says_how_to_create_something() {
        assert!(table(Kind::Team, &[]).contains("tally apply"));
        assert!(count_table(&[(Kind::Team, 0)]).contains("tally apply"));
    }
}
