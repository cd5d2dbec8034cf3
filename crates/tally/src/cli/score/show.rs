//! A score taken apart, one's choice, formulas: as people read them.

use std::fmt::Write as _;

use serde_json::Value;

use crate::cli::table::{Align, Table, printable};

/// How a score came about.
pub(super) fn explained(found: &Value) -> String {
    let label = text(found, "/label");
    let Some(explanation) = found.get("explanation").filter(|one| one.is_object()) else {
        return format!(
            "{label} has no task in this season. Scores come from tasks whose outcomes somebody else vouches for."
        );
    };
    let season = text(explanation, "/season/name");
    let formula = text(explanation, "/formula");
    let mut parts =
        vec![format!("{label}, season {season}, by the formula `{formula}`"), places(explanation)];
    parts.extend(types(explanation));
    parts.push(beside(explanation));
    parts.extend(tasks(explanation));
    parts.extend(advice(explanation));
    printable_lines(&parts.join("\n\n"))
}

fn places(explanation: &Value) -> String {
    let mut table = Table::new([
        ("Board", Align::Left),
        ("Rank", Align::Right),
        ("Of", Align::Right),
        ("Score", Align::Right),
        ("To the rank above", Align::Right),
        ("Without a rank, as", Align::Left),
    ]);
    for place in items(explanation, "/places") {
        table.row([
            text(place, "/board"),
            text(place, "/row/rank"),
            text(place, "/ranked"),
            number(place, "/row/score", 1),
            number(place, "/to_rank_above", 1),
            text(place, "/row/unranked").replace('_', " "),
        ]);
    }
    table.render()
}

fn types(explanation: &Value) -> Option<String> {
    let all = items(explanation, "/efficiency/types");
    if all.is_empty() {
        return None;
    }
    let mut table = Table::new([
        ("Task type", Align::Left),
        ("Counting", Align::Right),
        ("Successes", Align::Right),
        ("Cost per success", Align::Right),
        ("Peers' median", Align::Right),
        ("Peers", Align::Right),
        ("Points", Align::Right),
    ]);
    for one in all {
        let task_type = text(one, "/task_type");
        table.row([
            if task_type == "–" { "(none)".to_owned() } else { task_type },
            text(one, "/counting"),
            text(one, "/successes"),
            usd(one, "/cost_per_success"),
            usd(one, "/peers_median"),
            text(one, "/peers"),
            number(one, "/points", 1),
        ]);
    }
    let score = number(explanation, "/efficiency/score", 1);
    Some(format!("Efficiency {score}: cost per successful task\n{}", table.render()))
}

fn beside(explanation: &Value) -> String {
    let mut lines = String::new();
    let _ = writeln!(lines, "Improvement {}", number(explanation, "/improvement/score", 1));
    for one in items(explanation, "/improvement/types") {
        let worse = if one.pointer("/worse") == Some(&Value::Bool(true)) {
            "; quality fell, so it counts for nothing"
        } else {
            ""
        };
        let _ = writeln!(
            lines,
            "  {}: {} now, {} in {}{worse}",
            text(one, "/task_type"),
            usd(one, "/cost_per_success"),
            usd(one, "/basis"),
            text(one, "/season"),
        );
    }
    let knowledge = number(explanation, "/knowledge/score", 1);
    let points = number(explanation, "/knowledge/points", 1);
    let _ = writeln!(lines, "Knowledge {knowledge}, of {points} points");
    for one in items(explanation, "/knowledge/templates") {
        let (name, users) = (text(one, "/template"), text(one, "/users"));
        let _ = writeln!(
            lines,
            "  template {name}: {users} users, {} points",
            number(one, "/points", 1)
        );
    }
    for (what, one) in
        ["stories", "contributions"].iter().flat_map(|kind| shared(explanation, kind))
    {
        let (name, points) = (text(one, "/name"), number(one, "/points", 1));
        let _ = write!(lines, "  {what} {name}: {points} points");
        let why = one.get("worthless").and_then(Value::as_str).map(|why| match why {
            "pair_counted" => "the same person was mentored before".to_owned(),
            "mentoring_ring" => "they mentor each other".to_owned(),
            other => other.replace('_', " "),
        });
        let _ = writeln!(lines, "{}", why.map_or_else(String::new, |why| format!(" ({why})")));
    }
    let compliance = number(explanation, "/compliance/multiplier", 2);
    let _ = write!(lines, "Compliance ×{compliance}: {}", kept(explanation));
    lines
}

/// What was shared, with what it is called.
fn shared<'a>(explanation: &'a Value, kinds: &str) -> impl Iterator<Item = (String, &'a Value)> {
    items(explanation, &format!("/knowledge/{kinds}")).iter().map(|one| {
        let kind = one.get("kind").and_then(Value::as_str).unwrap_or("story");
        (kind.replace('_', " "), one)
    })
}

/// Everything that the multiplier is made of.
fn kept(explanation: &Value) -> String {
    let share = explanation.pointer("/compliance/unregistered_share").and_then(Value::as_f64);
    let unregistered = share.unwrap_or_default() * 100.0;
    let expired = items(explanation, "/compliance/expired_exceptions").len();
    let violations = text(explanation, "/compliance/violations");
    format!(
        "{violations} violations, {unregistered:.0} % unregistered, {expired} exceptions that ran out"
    )
}

fn tasks(explanation: &Value) -> Option<String> {
    let all = items(explanation, "/tasks");
    if all.is_empty() {
        return None;
    }
    let mut table = Table::new([
        ("What became of tasks", Align::Left),
        ("Tasks", Align::Right),
        ("Such as", Align::Left),
    ]);
    for group in all {
        let shown = items(group, "/tasks").iter().take(3).map(|task| text(task, "/task_id"));
        table.row([
            text(group, "/standing").replace('_', " "),
            text(group, "/count"),
            shown.collect::<Vec<_>>().join(", "),
        ]);
    }
    Some(table.render())
}

fn advice(explanation: &Value) -> Option<String> {
    let all = items(explanation, "/advice");
    if all.is_empty() {
        return None;
    }
    let mut lines = "What would help most".to_owned();
    for one in all {
        let (gain, rank) = (number(one, "/gain", 1), text(one, "/rank"));
        let _ = write!(lines, "\n  +{gain} points (rank {rank}): {}", change(one));
    }
    Some(lines)
}

fn change(advice: &Value) -> String {
    let change = advice.get("change").unwrap_or(&Value::Null);
    match text(change, "/what").as_str() {
        "cheaper_tasks" => {
            let (now, then) = (usd(change, "/now"), usd(change, "/then"));
            format!(
                "tasks of type {} for {then} a success instead of {now}, as the cheapest quarter of the peers",
                text(change, "/task_type")
            )
        }
        "vouching" => {
            format!(
                "let somebody else or a system report the outcomes of {} tasks",
                text(change, "/tasks")
            )
        }
        "more_reuse" => match change.get("template").and_then(Value::as_str) {
            Some(template) => format!("three more people who use the template {template}"),
            None => "a template that three people use".to_owned(),
        },
        "story" => "a savings story that is confirmed".to_owned(),
        "compliance" => "no violations, no expired exceptions, no unregistered spend".to_owned(),
        "more_outcomes" => format!("{} more tasks with an outcome", text(change, "/tasks")),
        other => other.replace('_', " "),
    }
}

/// How somebody appears.
pub(super) fn choice(found: &Value) -> String {
    let how = match text(found, "/shown").as_str() {
        "named" => "You appear by your name.".to_owned(),
        "pseudonym" => match found.get("pseudonym").and_then(Value::as_str) {
            Some(pseudonym) => format!("You appear as {pseudonym}."),
            None => {
                "You appear by a pseudonym that Tally makes up, another one each season.".to_owned()
            }
        },
        _ => "You are on no board of people.".to_owned(),
    };
    let chosen = match found.get("chosen_at").and_then(Value::as_str) {
        Some(at) => format!("You chose so on {}.", at.get(..10).unwrap_or(at)),
        None => "You chose nothing: this is what holds for everybody who did not.".to_owned(),
    };
    // What was just chosen was free when Tally proposed it.
    let own = found.get("pseudonym").and_then(Value::as_str);
    let proposals = items(found, "/proposals").iter().filter_map(Value::as_str);
    let free: Vec<&str> = proposals.filter(|one| Some(*one) != own).collect();
    let mut said = format!(
        "{how} {chosen}\nAnother way: tally score choose named | pseudonym [--pseudonym TEXT] | hidden"
    );
    if !free.is_empty() {
        let _ = write!(said, "\nPseudonyms that are free: {}", free.join(", "));
    }
    printable_lines(&said)
}

/// Every formula, in full.
pub(super) fn formulas(formulas: &[Value]) -> String {
    let one = |formula: &Value| {
        let holds = if formula.get("holds") == Some(&Value::Bool(true)) { " (holds)" } else { "" };
        let spec = formula.get("spec").unwrap_or(&Value::Null);
        let mut text = format!("{}{holds}", text(formula, "/name"));
        numbers(spec, "", &mut text);
        text
    };
    printable_lines(&formulas.iter().map(one).collect::<Vec<_>>().join("\n\n"))
}

fn numbers(value: &Value, path: &str, text: &mut String) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match value {
            Value::Object(_) => numbers(value, &path, text),
            Value::String(said) => {
                let _ = write!(text, "\n  {path}: {said}");
            }
            other => {
                let _ = write!(text, "\n  {path}: {other}");
            }
        }
    }
}

fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => "–".to_owned(),
        Some(other) => other.to_string(),
    }
}

fn number(value: &Value, pointer: &str, decimals: usize) -> String {
    let number = value.pointer(pointer).and_then(Value::as_f64);
    number.map_or_else(|| "–".to_owned(), |number| format!("{number:.decimals$}"))
}

fn usd(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer).and_then(Value::as_f64) {
        None => "–".to_owned(),
        // Embeddings cost next to nothing, which is not nothing.
        Some(number) if number > 0.0 && number < 0.0001 => format!("${number:.1e}"),
        Some(number) => format!("${number:.4}"),
    }
}

/// Text from elsewhere must not steer the terminal; lines stay lines.
fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_score_is_taken_apart_down_to_tasks() {
        let found = json!({
            "label": "Ada", "explanation": {
                "season": { "name": "2026-11" }, "formula": "standard",
                "places": [{
                    "board": "overall", "ranked": 42, "to_rank_above": 1.25,
                    "row": { "rank": 7, "score": 61.3, "unranked": null },
                }],
                "efficiency": { "score": 71.2, "types": [{
                    "task_type": "summarise", "counting": 40, "successes": 36,
                    "cost_per_success": 0.0123, "peers_median": 0.02, "peers": 9, "points": 12.5,
                }] },
                "improvement": { "score": null, "types": [] },
                "knowledge": { "score": 12.9, "points": 2.0, "templates": [
                    { "template": "summary", "users": 2, "points": 2.0 },
                ], "stories": [{ "name": "shorter", "points": 10.0, "worthless": null }],
                "contributions": [
                    { "name": "refunds", "kind": "mentoring", "points": 0.0, "worthless": "pair_counted" },
                ] },
                "compliance": {
                    "multiplier": 0.94, "violations": 1, "unregistered_share": 0.2,
                    "expired_exceptions": [],
                },
                "tasks": [
                    { "standing": "counts", "count": 40, "tasks": [{ "task_id": "T-1" }] },
                    { "standing": "self_reported", "count": 3, "tasks": [] },
                ],
                "advice": [{ "change": { "what": "vouching", "tasks": 3 }, "gain": 2.1, "rank": 5 }],
            },
        });
        let text = explained(&found);
        for said in [
            "Ada, season 2026-11, by the formula `standard`",
            "Efficiency 71.2: cost per successful task",
            "template summary: 2 users, 2.0 points",
            "story shorter: 10.0 points",
            "mentoring refunds: 0.0 points (the same person was mentored before)",
            "Compliance ×0.94: 1 violations, 20 % unregistered, 0 exceptions that ran out",
            "+2.1 points (rank 5): let somebody else or a system report the outcomes of 3 tasks",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        let line = |label: &str| text.lines().find(|line| line.starts_with(label)).unwrap();
        assert!(line("summarise").contains("$0.0123"), "{text}");
        assert!(line("self reported").contains('3'), "{text}");
        let none = json!({ "label": "Lin", "explanation": null });
        assert!(explained(&none).starts_with("Lin has no task in this season."));
    }

    #[test]
    fn a_choice_says_whose_it_was() {
        let found = json!({ "shown": "hidden", "chosen_at": null, "proposals": ["Quiet Otter 7"] });
        assert!(choice(&found).contains("You chose nothing"));
        let found = json!({
            "shown": "pseudonym", "pseudonym": "Amber Heron", "chosen_at": "2026-11-20T09:12:00Z",
            "proposals": [],
        });
        assert!(
            choice(&found).starts_with("You appear as Amber Heron. You chose so on 2026-11-20.\n")
        );
    }

    #[test]
    fn what_was_just_chosen_is_not_free() {
        let found = json!({
            "shown": "pseudonym", "pseudonym": "Amber Heron", "chosen_at": "2026-11-20T09:12:00Z",
            "proposals": ["Amber Heron", "Quiet Otter 7"],
        });
        let text = choice(&found);
        assert!(text.ends_with("Pseudonyms that are free: Quiet Otter 7"), "{text}");
    }

    #[test]
    fn next_to_nothing_is_not_nothing() {
        let costs = json!({ "small": 0.000_012_3, "none": 0.0, "some": 0.0271 });
        assert_eq!(usd(&costs, "/small"), "$1.2e-5");
        assert_eq!(
            (usd(&costs, "/none"), usd(&costs, "/some")),
            ("$0.0000".into(), "$0.0271".into())
        );
    }

    #[test]
    fn a_formula_is_shown_in_full() {
        let formula = json!({
            "name": "standard", "holds": true,
            "spec": { "reason": "The first one.", "weights": { "efficiency": 0.5 }, "minimum_tasks": 20 },
        });
        let text = formulas(&[formula]);
        assert!(text.starts_with("standard (holds)\n"), "{text}");
        for said in ["  reason: The first one.", "  weights.efficiency: 0.5", "  minimum_tasks: 20"]
        {
            assert!(text.lines().any(|line| line == said), "{said}: {text}");
        }
    }
}
