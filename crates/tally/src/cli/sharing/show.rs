//! Templates, stories and contributions, as text.

use serde_json::Value;

use crate::cli::{
    catalog::show::{items, money, value},
    table::{Align, Table},
};

/// What stands at a place, as text.
pub(super) fn text(of: &Value, pointer: &str) -> String {
    value(of.pointer(pointer))
}

fn list<'a>(of: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    of.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// Every template, one a line.
pub(super) fn library(found: &Value) -> String {
    let headings = ["Template", "Version", "Title", "Task type", "Data", "Owner", "State"];
    let mut table = Table::of_text(&headings);
    for item in items(found) {
        let at = |pointer: &str| text(item, pointer);
        let current = match at("/current").as_str() {
            "" => "none approved".to_owned(),
            number => format!("{number} of {}", at("/versions")),
        };
        let state = match (at("/state").as_str(), at("/to_review").as_str()) {
            ("retired", _) => match at("/replaced_by").as_str() {
                "" => "retired".to_owned(),
                other => format!("replaced by {other}"),
            },
            (_, "") => String::new(),
            (_, number) => format!("version {number} waits for a review"),
        };
        let (title, class) = (at("/about/title"), at("/about/data_class"));
        table.row([
            at("/name"),
            current,
            title,
            at("/about/task_type"),
            class,
            at("/owner"),
            state,
        ]);
    }
    table.render()
}

/// One template with its texts, versions and effect.
pub(super) fn template(found: &Value) -> String {
    let at = |pointer: &str| text(found, pointer);
    let mut lines = vec![
        format!("{}: {}", at("/name"), at("/spec/about/title")),
        at("/spec/about/purpose"),
        format!("owner {}, data up to {}", at("/spec/owner"), at("/spec/about/data_class")),
    ];
    for version in list(found, "/spec/versions") {
        let of = |pointer: &str| text(version, pointer);
        let (number, state) = (of("/number"), of("/review/state"));
        let mut head = format!("\nVersion {number} ({state}) by {}", of("/by"));
        // What its author says is new, and what whoever looked at it said.
        for (said, by) in [("/text/note", "/by"), ("/review/note", "/review/by")] {
            if !of(said).is_empty() {
                let by = of(by);
                let by = if by.is_empty() { "Tally" } else { by.as_str() };
                head += &format!("\n{by}: {}", of(said));
            }
        }
        lines.push(head);
        for (word, pointer) in [("system", "/text/system"), ("user", "/text/user")] {
            if !of(pointer).is_empty() {
                lines.push(format!("[{word}]\n{}", of(pointer)));
            }
        }
    }
    for said in list(found, "/spec/evaluations") {
        let of = |pointer: &str| text(said, pointer);
        lines.push(format!("\n{} on version {}: {}", of("/by"), of("/version"), of("/text")));
    }
    if at("/effect/all/tasks") == "0" {
        lines.push("\nNo task of the last 90 days used it.".to_owned());
    } else {
        lines.push(format!("\nUsed by {} others, in 90 days:", at("/effect/reusers")));
        lines.push(effect(found));
    }
    let name = at("/name");
    lines.push(match at("/spec/state").as_str() {
        "retired" => "It is retired.".to_owned(),
        _ => format!("Use it: `tally template render {name}`, and send `x-tally-template: {name}` with the call."),
    });
    lines.join("\n")
}

fn effect(found: &Value) -> String {
    let mut table = Table::new([
        ("Version", Align::Left),
        ("Tasks", Align::Right),
        ("Compared", Align::Right),
        ("Cost", Align::Left),
        ("Tokens", Align::Left),
        ("Time", Align::Left),
        ("Effect", Align::Left),
        ("Saved", Align::Right),
    ]);
    let all = found.pointer("/effect/all");
    for (at, one) in all.into_iter().chain(list(found, "/effect/versions")).enumerate() {
        let version = if at == 0 { "all".to_owned() } else { text(one, "/version") };
        table.row([
            version,
            text(one, "/tasks"),
            text(one, "/compared"),
            ratio(one.get("cost")),
            ratio(one.get("tokens")),
            ratio(one.get("latency")),
            text(one, "/effect"),
            money(one.get("saved_usd")),
        ]);
    }
    table.render()
}

/// `−20 % (−31 to −8)`.
fn ratio(of: Option<&Value>) -> String {
    let at = |field: &str| of?.get(field)?.as_f64();
    let value = at("ratio").or_else(|| at("value"));
    let (Some(value), Some(low), Some(high)) = (value, at("low"), at("high")) else {
        return String::new();
    };
    let percent = |ratio: f64| (ratio - 1.0) * 100.0;
    format!("{:+.0} % ({:+.0} to {:+.0})", percent(value), percent(low), percent(high))
}

/// The wall of stories.
pub(super) fn wall(found: &Value) -> String {
    let headings = ["Story", "Title", "Author", "Verdict", "Cost, net", "Saved"];
    let mut table = Table::of_text(&headings);
    for item in items(found) {
        let at = |pointer: &str| text(item, pointer);
        table.row([
            at("/name"),
            at("/story/claim/title"),
            at("/story/author"),
            format!("{} ({})", at("/story/result/verdict"), plain(&at("/story/result/ground"))),
            ratio(item.pointer("/story/result/net")),
            money(item.pointer("/story/result/saved_usd")),
        ]);
    }
    let at = |field: &str| value(found.get(field));
    format!(
        "{}\n\n{} confirmed, {} unclear, {} refuted; {} saved",
        table.render(),
        at("confirmed"),
        at("unclear"),
        at("refuted"),
        money(found.get("saved_usd"))
    )
}

fn plain(ground: &str) -> String {
    ground.replace('_', " ")
}

/// One story.
pub(super) fn story(found: &Value) -> String {
    let at = |pointer: &str| text(found, pointer);
    let (name, title) = (at("/name"), at("/spec/claim/title"));
    let back = if at("/spec/withdrawn") == "true" { " (taken back)" } else { "" };
    let measured = found.pointer("/spec/result").map(result).unwrap_or_default();
    format!(
        "{name}: {title}{back}\n{}\nby {}\n\n{measured}",
        at("/spec/claim/changed"),
        at("/spec/author")
    )
}

/// What was measured of a story.
pub(super) fn result(found: &Value) -> String {
    let mut table =
        Table::of_text(&["Group", "Tasks before", "after", "Cost before", "after", "Change"]);
    for (group, word, change) in
        [("Its tasks", "subject", "own"), ("Compared with", "comparison", "others")]
    {
        let tasks = |when: &str| text(found, &format!("/{word}_{when}/tasks"));
        let cost = |when: &str| money(found.pointer(&format!("/{word}_{when}/cost_usd")));
        table.row([
            group.to_owned(),
            tasks("before"),
            tasks("after"),
            cost("before"),
            cost("after"),
            ratio(found.get(change)),
        ]);
    }
    let mut said = format!("{}: {}", text(found, "/verdict"), plain(&text(found, "/ground")));
    let net = ratio(found.get("net"));
    if !net.is_empty() {
        said += &format!("; beyond the comparison {net}");
    }
    if found.get("saved_usd").is_some() {
        said += &format!("; saved {}", money(found.get("saved_usd")));
    }
    format!("{}\n\n{said}", table.render())
}

/// Every contribution, one a line.
pub(super) fn contributions(found: &Value) -> String {
    let headings = ["Contribution", "Kind", "Title", "Author", "State", "Decided by"];
    let mut table = Table::of_text(&headings);
    for item in items(found) {
        let at = |pointer: &str| text(item, pointer);
        table.row([
            at("/name"),
            plain(&at("/spec/shared/kind")),
            at("/spec/shared/title"),
            at("/spec/author"),
            at("/spec/state"),
            at("/spec/decided_by"),
        ]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_template_says_how_it_is_used_and_what_was_said_of_it() {
        let version = json!({
            "number": 1, "by": "ada", "text": { "user": "What changed?", "note": null },
            "review": { "state": "approved", "by": "bo", "note": "Half the turns" },
        });
        let mut found = json!({
            "name": "small-change", "effect": { "all": { "tasks": 0, "effect": "unclear" }, "reusers": 0 },
            "spec": {
                "about": { "title": "T", "purpose": "P", "data_class": "internal" }, "owner": "ada",
                "state": "active", "versions": [version],
            },
        });
        let text = template(&found);
        assert!(
            text.contains("Version 1 (approved) by ada\nbo: Half the turns\n[user]\n"),
            "{text}"
        );
        assert!(text.contains("No task of the last 90 days used it."), "{text}");
        assert!(text.ends_with("send `x-tally-template: small-change` with the call."), "{text}");
        found["effect"]["all"]["tasks"] = json!(40);
        found["spec"]["state"] = json!("retired");
        let text = template(&found);
        assert!(text.contains("Used by 0 others") && text.ends_with("It is retired."), "{text}");
    }
}
