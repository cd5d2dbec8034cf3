//! Grants as text.

use std::fmt::Write as _;

use serde_json::Value;
use tally_types::{
    Resource, Timestamp,
    spec::{BudgetLimit, GrantAsk, GrantSpec, GrantState},
};

use crate::cli::{
    number,
    table::{Table, printable},
};

fn spec(grant: &Resource) -> anyhow::Result<GrantSpec> {
    Ok(serde_json::from_value(grant.spec.clone())?)
}

/// `250 USD`, `2,000,000 tokens`, `100 calls`.
pub(super) fn amount(limit: BudgetLimit) -> String {
    match limit {
        BudgetLimit::Usd(usd) => format!("{usd} USD"),
        BudgetLimit::Tokens(count) => format!("{} tokens", number::count(i128::from(count))),
        BudgetLimit::Requests(count) => format!("{} calls", number::count(i128::from(count))),
    }
}

/// What is asked for.
pub(super) fn wanted(grant: &GrantSpec) -> String {
    match grant.ask {
        GrantAsk::Increase(more) => format!("{} more on {}", amount(more), grant.counter),
        GrantAsk::PassStage(at) => format!("{} going on past {at} %", grant.counter),
    }
}

/// Who has to approve, role by role.
pub(super) fn asked(grant: &GrantSpec) -> String {
    let one = |need: &tally_types::spec::GrantNeed| {
        let names: Vec<&str> = need.people.iter().map(|name| name.as_str()).collect();
        format!("{} ({})", names.join(" or "), need.role.as_str().replace('_', " "))
    };
    grant.needs.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// How a grant stands after something was said.
pub(super) fn standing(grant: &Resource) -> anyhow::Result<String> {
    let spec = spec(grant)?;
    let what = wanted(&spec);
    let name = &grant.name;
    Ok(match spec.state {
        GrantState::Pending => format!(
            "`{name}` waits: {what}\nto approve: {}\n`tally grant show {name}` tells how it goes",
            asked(&spec)
        ),
        GrantState::Approved if spec.emergency => {
            format!("`{name}` holds until {}, and is to be reviewed: {what}", spec.until)
        }
        GrantState::Approved => format!("`{name}` holds until {}: {what}", spec.until),
        state => format!("`{name}` is {state}: {what}"),
    })
}

/// Grants, one a line.
pub(super) fn table(grants: &[Resource], now: Timestamp) -> anyhow::Result<String> {
    if grants.is_empty() {
        return Ok("No grants match; `tally grant request` asks for one.".to_owned());
    }
    let mut table = Table::of_text(&["Grant", "What", "Asked by", "Waits for", "Until", "State"]);
    for grant in grants {
        let spec = spec(grant)?;
        let is_over = now >= spec.until;
        let state = match spec.state {
            GrantState::Pending | GrantState::Approved if is_over => "expired".to_owned(),
            GrantState::Approved if spec.emergency => "approved (emergency)".to_owned(),
            state => state.to_string(),
        };
        let waits = spec.state == GrantState::Pending && !is_over;
        table.row([
            grant.name.to_string(),
            wanted(&spec),
            spec.requested_by.as_ref().map_or_else(|| "tally".to_owned(), ToString::to_string),
            if waits { asked(&spec) } else { String::new() },
            spec.until.strftime("%Y-%m-%d %H:%MZ").to_string(),
            state,
        ]);
    }
    Ok(table.render())
}

/// A grant and its minutes.
pub(super) fn minutes(grant: &Resource, trail: &Value) -> anyhow::Result<String> {
    let mut text = standing(grant)?;
    text.push_str("\n\n");
    let lines = trail.get("items").and_then(Value::as_array).into_iter().flatten();
    for line in lines {
        let field = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default();
        let at = field("at").parse::<Timestamp>();
        let at = at.map(|at| at.strftime("%Y-%m-%d %H:%MZ").to_string()).unwrap_or_default();
        let note = Some(field("note")).filter(|note| !note.is_empty());
        let note = note.map(|note| format!(" (“{note}”)")).unwrap_or_default();
        let said = printable(&format!("{at}  {} {}{note}", field("by"), field("what")));
        writeln!(text, "{said}")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn grant(state: &str) -> Resource {
        serde_json::from_value(json!({
            "kind": "Grant", "name": "support-month-2026-11-20-ada", "version": 2,
            "created_at": "2026-11-20T09:12:00Z", "updated_at": "2026-11-20T09:12:00Z",
            "spec": {
                "counter": { "budget": "support-month" }, "ask": { "increase": { "usd": "250" } },
                "until": "2026-11-30T17:00:00Z", "reason": "Recall", "requested_by": "ada",
                "requested_at": "2026-11-20T09:12:00Z",
                "needs": [{ "role": "workload_owner", "people": ["grace", "lin"] }], "state": state,
            },
        }))
        .unwrap()
    }

    #[test]
    fn a_grant_in_words() {
        let now = "2026-11-21T00:00:00Z".parse().unwrap();
        let trail = json!({ "items": [
            { "at": "2026-11-20T09:12:00Z", "by": "ada", "what": "asked for 250 USD more", "note": "Recall" },
            { "at": "2026-11-20T09:30:00Z", "by": "grace", "what": "approved it\u{1b}[2J as workload owner" },
        ] });
        let shown = [
            table(&[grant("pending"), grant("denied")], now).unwrap(),
            minutes(&grant("approved"), &trail).unwrap(),
            standing(&grant("pending")).unwrap(),
        ];
        let shown = shown.join("\n\n");
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
        insta::assert_snapshot!(shown);
    }
}
