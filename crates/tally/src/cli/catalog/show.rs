//! The catalog, the inventory and readiness, as text.

use serde_json::Value;
use tally_types::PicoUsdSum;

use crate::cli::{
    number,
    table::{Align, Table},
};

/// Every workload, one a line, and what holds of all.
pub(super) fn catalog(all: &Value) -> String {
    let mut table = Table::new([
        ("Workload", Align::Left),
        ("State", Align::Left),
        ("Owner", Align::Left),
        ("Tier", Align::Left),
        ("Funding", Align::Left),
        ("Spend, 30 d", Align::Right),
        ("Health", Align::Left),
        ("There", Align::Right),
        ("Missing", Align::Left),
    ]);
    for item in items(all) {
        let at = |pointer: &str| value(item.pointer(pointer));
        let state = at("/spec/state");
        let missing = item.pointer("/completeness/missing").and_then(Value::as_array);
        let mut missing: Vec<String> =
            missing.into_iter().flatten().map(|field| value(Some(field))).collect();
        if item.get("review_overdue") == Some(&Value::Bool(true)) {
            missing.push("(review overdue)".to_owned());
        }
        table.row([
            at("/name"),
            if state.is_empty() { "registered".to_owned() } else { state },
            at("/spec/owner"),
            at("/spec/tier"),
            at("/spec/funding"),
            money(item.pointer("/used/spend_usd")),
            at("/health"),
            format!("{} %", at("/completeness/percent")),
            missing.join(", "),
        ]);
    }
    let at = |pointer: &str| value(all.pointer(pointer));
    format!(
        "{}\n\n{} workloads, {} of them complete; {} % of what is asked for is there; {} that no workload explains",
        table.render(),
        at("/total/workloads"),
        at("/total/complete"),
        at("/total/percent"),
        money(all.pointer("/total/unexplained/spend_usd")),
    )
}

/// What is not explained, one group a line, and tools without telemetry.
pub(super) fn inventory(found: &Value) -> String {
    let mut table = Table::new([
        ("Key", Align::Left),
        ("Application", Align::Left),
        ("User agent", Align::Left),
        ("Models", Align::Left),
        ("Tokens, 30 d", Align::Right),
        ("Spend", Align::Right),
        ("Likely owner", Align::Left),
        ("Suggested name", Align::Left),
    ]);
    for item in items(found) {
        let at = |pointer: &str| value(item.pointer(pointer));
        let models = item.get("models").and_then(Value::as_array).into_iter().flatten();
        let models: Vec<String> = models.map(|model| value(model.get("model"))).collect();
        let tokens = item.get("tokens").and_then(Value::as_u64).unwrap_or(0);
        table.row([
            at("/key"),
            at("/application"),
            at("/user_agent"),
            models.join(", "),
            number::count(i128::from(tokens)),
            money(item.get("spend_usd")),
            at("/likely_owner"),
            at("/suggested_name"),
        ]);
    }
    let mut text = match items(found).next() {
        Some(_) => table.render(),
        None => "Every call of the last 30 days is explained by a workload.".to_owned(),
    };
    let tools: Vec<String> = found
        .get("tools")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|tool| {
            let at = |field: &str| value(tool.get(field));
            format!("{} ({}, {})", at("name"), at("vendor"), at("owner"))
        })
        .collect();
    if !tools.is_empty() {
        text.push_str(&format!("\n\nWithout telemetry: {}", tools.join(", ")));
    }
    text
}

/// The checklists of teams.
pub(super) fn readiness(found: &Value) -> String {
    let mut table = Table::of_text(&["Team", "Item", "Met", "Found", "Next step"]);
    for team in items(found) {
        let lines = team.get("items").and_then(Value::as_array).into_iter().flatten();
        for line in lines {
            let at = |field: &str| value(line.get(field));
            let met = line.get("ok") == Some(&Value::Bool(true));
            table.row([
                value(team.get("team")),
                at("item").replace('_', " "),
                if met { "yes" } else { "no" }.to_owned(),
                at("detail"),
                at("next_step"),
            ]);
        }
    }
    table.render()
}

/// The items of a page.
pub(in crate::cli) fn items(page: &Value) -> impl Iterator<Item = &Value> {
    page.get("items").and_then(Value::as_array).into_iter().flatten()
}

/// A value as text; nothing for null.
pub(in crate::cli) fn value(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// An amount with cents; nothing for null.
pub(in crate::cli) fn money(value: Option<&Value>) -> String {
    let usd = value.and_then(|usd| serde_json::from_value::<PicoUsdSum>(usd.clone()).ok());
    usd.map_or_else(String::new, |usd| format!("${}", number::money(usd, 2)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_catalog_says_what_is_missing() {
        let all = json!({
            "items": [{
                "name": "copilot", "health": "ok", "review_overdue": true,
                "spec": { "owner": "ada", "tier": "frontier", "funding": "charged" },
                "used": { "spend_usd": "12.345" },
                "completeness": { "percent": 87, "missing": ["criticality"] },
            }],
            "total": { "workloads": 1, "complete": 0, "percent": 87,
                "unexplained": { "spend_usd": "3" } },
        });
        insta::assert_snapshot!(catalog(&all), @r"
        Workload  State       Owner  Tier      Funding  Spend, 30 d  Health  There  Missing
        ─────────────────────────────────────────────────────────────────────────────────────────────────────────
        copilot   registered  ada    frontier  charged       $12.35  ok       87 %  criticality, (review overdue)

        1 workloads, 0 of them complete; 87 % of what is asked for is there; $3.00 that no workload explains
        ");
    }

    #[test]
    fn the_inventory_says_whose_it_may_be() {
        let found = json!({
            "items": [{
                "key": "ada-laptop", "application": "curl\u{1b}[2J", "tokens": 120_000,
                "spend_usd": "4.2", "likely_owner": "ada", "suggested_name": "curl",
                "models": [{ "model": "gpt-5" }],
            }],
            "tools": [{ "name": "scribe", "vendor": "Scribe Inc.", "owner": "lin" }],
        });
        insta::assert_snapshot!(inventory(&found), @r"
        Key         Application  User agent  Models  Tokens, 30 d  Spend  Likely owner  Suggested name
        ──────────────────────────────────────────────────────────────────────────────────────────────
        ada-laptop  curl�[2J                 gpt-5        120,000  $4.20  ada           curl

        Without telemetry: scribe (Scribe Inc., lin)
        ");
        assert!(inventory(&json!({ "items": [] })).starts_with("Every call"));
    }
}
