//! What an apply did, for people: a line per resource, its changed fields below it.

use std::fmt::Write as _;

use serde_json::Value;
use tally_store::{ApplyReport, Change, ChangeAction, FieldDiff};

use crate::cli::{
    output::{Colour, Paint},
    table::printable,
};

/// A value of a changed field is shown up to this many characters.
const VALUE_CHARACTERS: usize = 80;

/// The report as text.
pub(crate) fn render(report: &ApplyReport, dry_run: bool, paint: Paint) -> String {
    let ids: Vec<String> =
        report.changes.iter().map(|change| format!("{}/{}", change.kind, change.name)).collect();
    let width = ids.iter().map(String::len).max().unwrap_or_default();
    let mut text = String::new();
    for (change, id) in report.changes.iter().zip(&ids) {
        let (sign, word, colour) = look(change.action);
        let action = paint.text(colour, &format!("{sign} {word:<9}"));
        let _ = writeln!(text, "{action}  {id:<width$}  {}", version(change));
        for field in &change.diff {
            let _ = writeln!(text, "{:13}{}", "", difference(field, paint));
        }
    }
    for warning in &report.warnings {
        let _ = writeln!(text, "{} {}", paint.text(Colour::Yellow, "warning:"), printable(warning));
    }
    text.push_str(&summary(report, dry_run));
    text
}

const fn look(action: ChangeAction) -> (char, &'static str, Colour) {
    match action {
        ChangeAction::Created => ('+', "created", Colour::Green),
        ChangeAction::Updated => ('~', "updated", Colour::Yellow),
        ChangeAction::Unchanged => ('=', "unchanged", Colour::Dim),
        ChangeAction::Pruned => ('-', "pruned", Colour::Red),
    }
}

fn version(change: &Change) -> String {
    match change.action {
        ChangeAction::Updated => format!("v{} → v{}", change.version - 1, change.version),
        _ => format!("v{}", change.version),
    }
}

fn difference(field: &FieldDiff, paint: Paint) -> String {
    let path = printable(&field.path);
    match (&field.before, &field.after) {
        (Some(before), Some(after)) => format!(
            "{path}: {} → {}",
            paint.text(Colour::Red, &short(before)),
            paint.text(Colour::Green, &short(after))
        ),
        (None, Some(after)) => {
            format!("{path}: added {}", paint.text(Colour::Green, &short(after)))
        }
        (before, None) => {
            let before = before.as_ref().map(short).unwrap_or_default();
            format!("{path}: removed {}", paint.text(Colour::Red, &before))
        }
    }
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => printable(text),
        other => other.to_string(),
    };
    if text.chars().count() <= VALUE_CHARACTERS {
        return text;
    }
    let start: String = text.chars().take(VALUE_CHARACTERS - 1).collect();
    format!("{start}…")
}

fn summary(report: &ApplyReport, dry_run: bool) -> String {
    let counts = [
        (ChangeAction::Created, "created"),
        (ChangeAction::Updated, "updated"),
        (ChangeAction::Unchanged, "unchanged"),
        (ChangeAction::Pruned, "pruned"),
    ];
    let parts: Vec<String> = counts
        .iter()
        .map(|(action, word)| (report.count(*action), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let what = if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") };
    if dry_run { format!("dry run, nothing was changed: {what}") } else { what }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report() -> ApplyReport {
        serde_json::from_value(json!({
            "changes": [
                {"kind": "Team", "name": "support", "action": "created", "version": 1},
                {"kind": "Budget", "name": "support-month", "action": "updated", "version": 4, "diff": [
                    {"path": "limit.usd", "before": "100", "after": "250"},
                    {"path": "stages[1]", "after": {"at": 80}},
                    {"path": "note", "before": "x".repeat(100)},
                ]},
                {"kind": "Person", "name": "ada", "action": "unchanged", "version": 2},
                {"kind": "Key", "name": "old", "action": "pruned", "version": 7},
            ],
            "warnings": ["Person/ada was made by hand and now belongs to `acme`"],
        }))
        .unwrap()
    }

    #[test]
    fn changed_fields_stand_below_their_resource() {
        insta::assert_snapshot!(render(&report(), false, Paint::Off));
    }

    #[test]
    fn a_dry_run_says_so_and_colour_adds_nothing_but_colour() {
        let plain = render(&report(), true, Paint::Off);
        assert!(
            plain.ends_with(
                "dry run, nothing was changed: 1 created, 1 updated, 1 unchanged, 1 pruned"
            ),
            "{plain}"
        );
        let mut coloured = render(&report(), true, Paint::On);
        assert!(coloured.contains("\u{1b}[32m"));
        for code in ["\u{1b}[32m", "\u{1b}[33m", "\u{1b}[31m", "\u{1b}[2m", "\u{1b}[0m"] {
            coloured = coloured.replace(code, "");
        }
        assert_eq!(coloured, plain);
    }
}
