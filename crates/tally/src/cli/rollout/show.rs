//! Stages, gates and sprints, as text.

use serde_json::Value;

use crate::cli::{
    catalog::show::{items, money, value},
    table::{Align, Table},
};

fn list<'a>(of: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    of.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn is(of: &Value, field: &str) -> bool {
    of.get(field) == Some(&Value::Bool(true))
}

/// Every cost center, one a line.
pub(super) fn rollouts(found: &Value) -> String {
    let mut table = Table::new([
        ("Cost center", Align::Left),
        ("Stage", Align::Left),
        ("Chargeback", Align::Left),
        ("Spend, 30 d", Align::Right),
        ("Next", Align::Left),
        ("Gates", Align::Right),
        ("Does not hold", Align::Left),
    ]);
    for item in items(found) {
        let at = |field: &str| value(item.get(field));
        let gates: Vec<&Value> = list(item, "/gates").collect();
        let open: Vec<String> = gates
            .iter()
            .filter(|gate| !is(gate, "ok"))
            .map(|gate| value(gate.get("gate")).replace('_', " "))
            .collect();
        let mut open = open.join(", ");
        if let Some(at_odds) = item.get("at_odds").and_then(Value::as_str) {
            open = format!("{open} ({at_odds})");
        }
        let held = gates.iter().filter(|gate| is(gate, "ok")).count();
        table.row([
            at("cost_center"),
            at("stage") + if is(item, "overridden") { " (override)" } else { "" },
            at("chargeback"),
            money(item.get("spend_usd")),
            at("next"),
            format!("{held} of {}", gates.len()),
            open,
        ]);
    }
    table.render()
}

/// One cost center with its gates and its steps.
pub(super) fn rollout(found: &Value) -> String {
    let Some(item) = items(found).next() else { return String::new() };
    let at = |field: &str| value(item.get(field));
    let before = match at("next").as_str() {
        "" => "what was asked for before that, as it is now".to_owned(),
        next => format!("before {next}"),
    };
    let mut table = Table::of_text(&["Gate", "Holds", "Measured", "Asked", "Found", "Next step"]);
    for gate in list(item, "/gates") {
        let of = |field: &str| value(gate.get(field));
        let measured = match (of("measured").as_str(), of("asked").as_str()) {
            ("", "") => String::new(),
            ("", _) => "not yet".to_owned(),
            (measured, _) => measured.to_owned(),
        };
        table.row([
            of("gate").replace('_', " "),
            if is(gate, "ok") { "yes" } else { "no" }.to_owned(),
            measured,
            of("asked"),
            of("detail"),
            of("next_step"),
        ]);
    }
    let mut text = format!(
        "{} of {}: stage {}; {before}\n{}",
        at("cost_center"),
        at("owner"),
        at("stage"),
        table.render()
    );
    if let Some(at_odds) = item.get("at_odds").and_then(Value::as_str) {
        text += &format!("\n\n{at_odds}");
    }
    for step in list(item, "/steps") {
        let of = |field: &str| value(step.get(field));
        let overridden = if is(step, "overridden") { ", although gates did not hold" } else { "" };
        let reason = step.get("reason").map(|reason| format!(": {}", value(Some(reason))));
        text += &format!(
            "\n{} {} → {} by {}{overridden}{}",
            of("at"),
            of("from"),
            of("to"),
            of("by"),
            reason.unwrap_or_default()
        );
    }
    text
}

/// The targets of a month, and where to look first.
pub(super) fn sprint(found: &Value) -> String {
    let at = |field: &str| value(found.get(field));
    let state = match at("state").as_str() {
        "" => "no target is set".to_owned(),
        state => state.to_owned(),
    };
    let mut text = format!("Sprint {} ({state})\n", at("month"));
    let mut table = Table::new([
        ("#", Align::Right),
        ("Whose", Align::Left),
        ("Measure", Align::Left),
        ("Baseline", Align::Right),
        ("Target", Align::Right),
        ("Measured", Align::Right),
        ("Verdict", Align::Left),
        ("Owner", Align::Left),
    ]);
    for one in list(found, "/targets") {
        let of = |field: &str| value(one.pointer(&format!("/target/{field}")));
        let scope = one.pointer("/target/scope").and_then(Value::as_object);
        let scope = scope.and_then(|scope| scope.values().find_map(Value::as_str));
        let late = if is(one, "late") { " (set late)" } else { "" };
        table.row([
            of("number"),
            scope.unwrap_or_default().to_owned(),
            of("measure"),
            rounded(one.pointer("/target/baseline")),
            rounded(one.pointer("/target/target")),
            rounded(one.get("value")),
            value(one.get("verdict")).replace('_', " ") + late,
            of("owner"),
        ]);
    }
    if !at("state").is_empty() {
        text += &table.render();
        text.push('\n');
    }
    text += &trouble(found);
    let missing: Vec<String> = list(found, "/not_measured").map(|it| value(Some(it))).collect();
    text + &format!("\nNot measured yet: {}", missing.join("; "))
}

/// Where to look first, one a line.
fn trouble(found: &Value) -> String {
    let mut table = Table::new([
        ("Look at", Align::Left),
        ("Whose", Align::Left),
        ("Amount", Align::Right),
        ("Why", Align::Left),
    ]);
    let name = |of: &Value, field: &str| match value(of.get(field)).as_str() {
        "" => "unattributed".to_owned(),
        name => name.to_owned(),
    };
    let usd = |of: &Value, field: &str| money(of.get(field));
    for one in list(found, "/offenders/dear_tasks") {
        let reference = match one.get("reference").and_then(Value::as_str) {
            Some("slo") => "its SLO",
            _ => "the month before",
        };
        let each = rounded(one.get("cost_per_task_usd"));
        let should = rounded(one.get("reference_usd"));
        let why = format!("${each} a successful task; {reference}: ${should}");
        table.row(["dear tasks".to_owned(), name(one, "workload"), usd(one, "excess_usd"), why]);
    }
    for one in list(found, "/offenders/grown") {
        let why = format!("{} after {}", usd(one, "spend_usd"), usd(one, "before_usd"));
        table.row(["growth".to_owned(), name(one, "workload"), usd(one, "growth_usd"), why]);
    }
    for one in list(found, "/offenders/unattributed") {
        let why = "for no workload".to_owned();
        table.row(["unattributed".to_owned(), name(one, "team"), usd(one, "spend_usd"), why]);
    }
    for one in list(found, "/offenders/uncached") {
        let percent = value(one.get("uncached_percent"));
        let why = format!("{percent} % of its prompt tokens are read by no cache");
        table.row(["uncached".to_owned(), name(one, "workload"), usd(one, "spend_usd"), why]);
    }
    for one in list(found, "/offenders/failed") {
        let why = format!("{} calls failed", value(one.get("calls")));
        table.row(["failed".to_owned(), name(one, "workload"), usd(one, "spend_usd"), why]);
    }
    for one in list(found, "/anomalies") {
        let why = format!("on {}; expected {}", value(one.get("day")), usd(one, "expected_usd"));
        table.row(["anomaly".to_owned(), name(one, "cost_center"), usd(one, "spend_usd"), why]);
    }
    table.render()
}

/// At most four decimals: what is compared is larger than that.
fn rounded(value: Option<&Value>) -> String {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    match text.split_once('.') {
        Some((whole, rest)) => {
            let decimals: String = rest.chars().take(4).collect();
            format!("{whole}.{decimals}")
        }
        None => text.to_owned(),
    }
}

/// What came of a step of a sprint.
pub(super) fn after(month: &str, verb: &str, done: &Value) -> String {
    let targets: Vec<&Value> = list(done, "/spec/targets").collect();
    match (verb, targets.last()) {
        ("targets", Some(target)) => format!(
            "target {} of {month}: from {} to {}, answered for by {}",
            value(target.get("number")),
            rounded(target.get("baseline")),
            rounded(target.get("target")),
            value(target.get("owner")),
        ),
        ("close", _) => {
            let met = targets.iter().filter(|it| it.pointer("/result/met") == Some(&true.into()));
            let counted = targets.iter().filter(|it| it.get("result").is_some());
            format!("{month} is closed: {} of {} targets are met", met.count(), counted.count())
        }
        _ => format!("{month}: done"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_says_which_gates_do_not_hold() {
        let found = json!({ "items": [{
            "cost_center": "cc-100", "stage": "showback", "chargeback": "hybrid",
            "spend_usd": "12.345", "next": "chargeback", "overridden": true,
            "at_odds": "it is in stage showback, but its chargeback model charges already",
            "gates": [
                { "gate": "attributed", "ok": true }, { "gate": "bill_variance", "ok": false },
            ],
        }] });
        let text = rollouts(&found);
        for said in ["showback (override)", "1 of 2", "$12.35", "bill variance (it is in stage"] {
            assert!(text.contains(said), "{said}: {text}");
        }
    }

    #[test]
    fn a_sprint_says_how_its_targets_stand_and_where_to_look() {
        let found = json!({
            "month": "2026-11", "state": "open",
            "targets": [{
                "target": {
                    "number": 1, "scope": { "workload": "copilot" }, "baseline": "0.081234567",
                    "measure": "cost_per_successful_task_usd", "target": "0.06", "owner": "ada",
                },
                "value": "0.07", "verdict": "behind", "late": false,
            }],
            "offenders": {
                "dear_tasks": [{
                    "workload": "copilot", "cost_per_task_usd": "0.07", "reference_usd": "0.05",
                    "reference": "slo", "excess_usd": "21",
                }],
                "unattributed": [{ "team": null, "spend_usd": "3.5" }],
            },
            "anomalies": [{
                "cost_center": "cc-100", "day": "2026-11-03", "spend_usd": "40",
                "expected_usd": "9",
            }],
            "not_measured": ["prompts that are sent twice"],
        });
        let text = sprint(&found);
        for said in [
            "Sprint 2026-11 (open)",
            "0.0812",
            "behind",
            "$0.07 a successful task; its SLO: $0.05",
            "$21.00",
            "on 2026-11-03; expected $9.00",
            "Not measured yet: prompts that are sent twice",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(!text.contains("0.08123"), "four decimals are enough: {text}");
    }
}
