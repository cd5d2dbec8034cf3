//! What was asked for, as text: grants, exceptions, access requests.

use std::fmt::Write as _;

use serde_json::Value;
use tally_store::approvals::Request;
use tally_types::{
    Resource, Timestamp,
    spec::{GrantNeed, GrantState},
};

use crate::cli::table::{Table, printable};

fn spec<T: Request>(asked: &Resource) -> anyhow::Result<T> {
    Ok(T::deserialize(&asked.spec)?)
}

/// Who has to approve, role by role.
pub(crate) fn asked(needs: &[GrantNeed]) -> String {
    let one = |need: &GrantNeed| {
        let names: Vec<&str> = need.people.iter().map(|name| name.as_str()).collect();
        format!("{} ({})", names.join(" or "), need.role.as_str().replace('_', " "))
    };
    needs.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// How it stands after something was said.
pub(crate) fn standing<T: Request>(grant: &Resource) -> anyhow::Result<String> {
    let spec = spec::<T>(grant)?;
    let (what, until) = (spec.wanted(), spec.until());
    let name = &grant.name;
    Ok(match spec.state() {
        GrantState::Pending => format!(
            "`{name}` waits: {what}\nto approve: {}\n`tally {} show {name}` tells how it goes",
            asked(spec.needs()),
            command::<T>()
        ),
        GrantState::Approved if spec.is_emergency() => {
            format!("`{name}` holds until {until}, and is to be reviewed: {what}")
        }
        GrantState::Approved => format!("`{name}` holds until {until}: {what}"),
        state => format!("`{name}` is {state}: {what}"),
    })
}

/// One a line.
pub(crate) fn table<T: Request>(grants: &[Resource], now: Timestamp) -> anyhow::Result<String> {
    if grants.is_empty() {
        let command = command::<T>();
        return Ok(format!("No {command}s match; `tally {command} request` asks for one."));
    }
    let heading = capital(command::<T>());
    let mut table = Table::of_text(&[&heading, "What", "Asked by", "Waits for", "Until", "State"]);
    for grant in grants {
        let spec = spec::<T>(grant)?;
        let is_over = now >= spec.until();
        let state = match spec.state() {
            GrantState::Pending | GrantState::Approved if is_over => "expired".to_owned(),
            GrantState::Approved if spec.is_emergency() => "approved (emergency)".to_owned(),
            state => state.to_string(),
        };
        let waits = spec.state() == GrantState::Pending && !is_over;
        table.row([
            grant.name.to_string(),
            spec.wanted(),
            spec.requested_by().map_or_else(|| "tally".to_owned(), ToString::to_string),
            if waits { asked(spec.needs()) } else { String::new() },
            spec.until().strftime("%Y-%m-%d %H:%MZ").to_string(),
            state,
        ]);
    }
    Ok(table.render())
}

/// It and its minutes.
pub(crate) fn minutes<T: Request>(grant: &Resource, trail: &Value) -> anyhow::Result<String> {
    let mut text = standing::<T>(grant)?;
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

/// The word of the command line: `grant`, `exception`, `access`.
fn command<T: Request>() -> &'static str {
    T::WORD.split('_').next().unwrap_or(T::WORD)
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tally_types::spec::GrantSpec;

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
            table::<GrantSpec>(&[grant("pending"), grant("denied")], now).unwrap(),
            minutes::<GrantSpec>(&grant("approved"), &trail).unwrap(),
            standing::<GrantSpec>(&grant("pending")).unwrap(),
        ];
        let shown = shown.join("\n\n");
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
        insta::assert_snapshot!(shown);
    }
}
