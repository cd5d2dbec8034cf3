//! Statements on paper: Markdown, a page to print, CSV.

use std::fmt::Write as _;

use tally_types::PicoUsdSum;

use crate::{ChargeLine, ChargeRow, Statement, StatementLine, StatementState};

/// The columns of [`csv_line`], in their order; new ones are only ever added at the end.
pub const CSV_COLUMNS: &[&str] = &[
    "line",
    "date",
    "cost_center",
    "team",
    "workload",
    "workload_class",
    "environment",
    "key",
    "provider",
    "model",
    "model_family",
    "tier",
    "service_tier",
    "meter",
    "quantity",
    "list_rate_pico",
    "rate_pico",
    "list_usd",
    "amount_usd",
    "charged_usd",
    "subsidised_usd",
    "unallocated_usd",
    "rate_card",
    "subscription",
    "corrects",
    "calls",
    "adjustment",
    "aggregate",
];

/// An amount of US dollars with cents, for sentences.
pub fn usd(amount: PicoUsdSum) -> String {
    const CENT: i128 = 10_000_000_000;
    let cents = crate::rounded(amount.pico(), CENT, tally_types::spec::RoundingMode::HalfUp);
    let sign = if cents < 0 { "-" } else { "" };
    let (whole, rest) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    let digits = whole.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}${grouped}.{rest:02}")
}

/// What a line is for, in a few words.
pub fn title(line: &StatementLine) -> String {
    let name = line.name.as_deref().unwrap_or_default();
    match line.line {
        ChargeLine::Usage | ChargeLine::Correction => {
            let work = line.workload.as_ref().map_or("no workload", |name| name.as_str());
            let team = line.team.as_ref().map_or("no team", |name| name.as_str());
            let model = line.model.as_deref().unwrap_or("calls");
            let environment = line.environment.map_or("", |it| it.as_str());
            let mut text = format!("{work} · {team} · {model}");
            if !environment.is_empty() {
                let _ = write!(text, " · {environment}");
            }
            if line.subscription {
                text.push_str(" · subscription");
            }
            match &line.corrects {
                Some(month) => format!("Correction of {month}: {text}"),
                None => text,
            }
        }
        ChargeLine::Idle => format!("Idle capacity: {name}"),
        ChargeLine::Shared => format!("Shared cost: {name}"),
        ChargeLine::Adjustment => adjustment(line),
        ChargeLine::Rounding => "Rounding".to_owned(),
    }
}

/// Whose bill differs in what; an aggregate is marked as such.
fn adjustment(line: &StatementLine) -> String {
    let what = [line.model.as_deref(), line.name.as_deref().filter(|name| !name.is_empty())];
    let what: Vec<&str> = what.into_iter().flatten().collect();
    let what = if what.is_empty() { "a whole day".to_owned() } else { what.join(" · ") };
    let bill = line.provider.as_ref().map_or("the provider's", |name| name.as_str());
    let mark = if line.aggregate { "aggregate, " } else { "" };
    let corrects = line.corrects.as_ref().map(|month| format!(" (of {month})"));
    let number = line.adjustment.as_deref().unwrap_or("no number");
    format!(
        "Adjustment to the bill of {bill}: {what} ({mark}{number}){}",
        corrects.unwrap_or_default()
    )
}

fn heading(statement: &Statement) -> String {
    let head = &statement.head;
    let whose = head.cost_center.as_ref().map_or("no cost center", |name| name.as_str());
    format!("Statement {} · {whose}", head.period)
}

/// The facts above the lines, a pair each.
fn facts(statement: &Statement) -> Vec<(&'static str, String)> {
    let (head, totals) = (&statement.head, &statement.head.totals);
    let state = match head.state {
        StatementState::Draft => "draft",
        StatementState::Review => "open for review",
        StatementState::Closed => "closed",
    };
    let mut facts = vec![
        ("State", state.to_owned()),
        ("Owner", head.owner.clone().unwrap_or_else(|| "nobody".to_owned())),
        ("Chargeback", head.chargeback.clone().unwrap_or_else(|| "none".to_owned())),
        ("Rate card", head.rate_card.clone().unwrap_or_else(|| "list price".to_owned())),
        ("Calls", totals.calls.to_string()),
        ("Metered at list price", usd(totals.list_usd)),
        ("Difference by the rate card", usd(totals.rate_difference_usd)),
        ("Charged", usd(totals.charged_usd)),
        ("Paid centrally", usd(totals.subsidised_usd)),
        ("Unallocated", usd(totals.unallocated_usd)),
        ("To pay", format!("{} {}", head.billed.charged, head.billed.currency)),
    ];
    if let Some(per_usd) = head.billed.per_usd {
        let since = head.billed.per_usd_since.map(|day| format!(" since {day}"));
        facts.push((
            "One US dollar is",
            format!("{per_usd} {}{}", head.billed.currency, since.unwrap_or_default()),
        ));
    }
    if let Some(seal) = &head.seal {
        facts.push(("Seal (SHA-256)", seal.sha256.clone()));
    }
    facts
}

/// A statement as Markdown.
pub fn markdown(statement: &Statement) -> String {
    let mut text = format!("# {}\n\n", heading(statement));
    for (name, value) in facts(statement) {
        let _ = writeln!(text, "- {name}: {}", escaped(&value));
    }
    text.push_str("\n| What | Calls | Tokens | List | Amount | Charged | Paid centrally | Unallocated |\n|---|---:|---:|---:|---:|---:|---:|---:|\n");
    for line in &statement.lines {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            escaped(&title(line)),
            line.calls,
            line.tokens,
            line.list_usd.map_or_else(|| "unknown".to_owned(), usd),
            usd(line.amount_usd),
            usd(line.payment.charged_usd),
            usd(line.payment.subsidised_usd),
            usd(line.payment.unallocated_usd),
        );
    }
    for (heading, sentences) in
        [("What to do about it", &statement.advice), ("Notes", &statement.notes)]
    {
        if !sentences.is_empty() {
            let _ = write!(text, "\n## {heading}\n\n");
            for sentence in sentences {
                let _ = writeln!(text, "- {sentence}");
            }
        }
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// A statement as a page to print, which needs nothing else: no script, no other file.
pub fn html(statement: &Statement) -> String {
    const STYLE: &str = "body{font:14px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
         padding:0 1rem;color:#111;background:#fff}table{border-collapse:collapse;width:100%}\
         th,td{padding:.3rem .5rem;border-bottom:1px solid #ccc;text-align:right;\
         vertical-align:top}th:first-child,td:first-child{text-align:left}\
         dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:#555}\
         dd{margin:0;overflow-wrap:anywhere}@media print{body{margin:0}}";
    let title_text = html_escaped(&heading(statement));
    let mut text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title_text}</title>\
         <style>{STYLE}</style></head><body><h1>{title_text}</h1><dl>"
    );
    for (name, value) in facts(statement) {
        let _ = write!(text, "<dt>{name}</dt><dd>{}</dd>", html_escaped(&value));
    }
    text.push_str("</dl><table><thead><tr><th scope=\"col\">What</th><th scope=\"col\">Calls</th><th scope=\"col\">List</th><th scope=\"col\">Amount</th><th scope=\"col\">Charged</th><th scope=\"col\">Paid centrally</th><th scope=\"col\">Unallocated</th></tr></thead><tbody>");
    for line in &statement.lines {
        let _ = write!(
            text,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            html_escaped(&title(line)),
            line.calls,
            line.list_usd.map_or_else(|| "unknown".to_owned(), usd),
            usd(line.amount_usd),
            usd(line.payment.charged_usd),
            usd(line.payment.subsidised_usd),
            usd(line.payment.unallocated_usd),
        );
    }
    text.push_str("</tbody></table>");
    for (heading, sentences) in
        [("What to do about it", &statement.advice), ("Notes", &statement.notes)]
    {
        if !sentences.is_empty() {
            let _ = write!(text, "<h2>{heading}</h2><ul>");
            for sentence in sentences {
                let _ = write!(text, "<li>{}</li>", html_escaped(sentence));
            }
            text.push_str("</ul>");
        }
    }
    text.push_str("</body></html>\n");
    text
}

fn html_escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A row as a line of a table (RFC 4180), without its end.
pub fn csv_line(row: &ChargeRow) -> String {
    // The row's own JSON names its words; its payment is flattened.
    let json = serde_json::to_value(row).unwrap_or_default();
    let value = |column: &str| json.get(column).or_else(|| json.get("payment")?.get(column));
    let cells = CSV_COLUMNS.iter().map(|column| tally_warehouse::csv_cell(value(column)));
    cells.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_in_sentences_have_cents_and_groups() {
        let pico = |pico: i128| usd(PicoUsdSum::from_pico(pico));
        assert_eq!(pico(1_234_567_895_000_000_000), "$1,234,567.90");
        assert_eq!(pico(-5_000_000_000), "-$0.01");
        assert_eq!(pico(0), "$0.00");
    }
}
