//! The company's books: earlier months are closed, the last one that is over is open for
//! review, and an owner disputes it. Done once, by those who would do it, through the API.

use std::collections::BTreeMap;

use anyhow::Context;
use jiff::ToSpan;
use serde_json::{Value, json};
use tally_ledger::Month;
use tally_types::{Date, Role};

use super::{
    company::{Company, Person, secret_of_person},
    http::{self, Tally},
};

const DISPUTE: &str = "The load test in the second week ran with our key, but another department \
                       ordered it. Please move it to whoever ordered it.";
const REMARK: &str = "The nightly summaries are down by a third since we shortened the prompt.";

/// The months that a history of so many days holds whole, the oldest first.
///
/// # Errors
/// At the edge of the calendar.
pub(crate) fn whole_months(today: Date, days: u32) -> anyhow::Result<Vec<Month>> {
    let first_day = today.checked_sub(i64::from(days.saturating_sub(1)).days())?;
    let mut month = Month::of(first_day);
    if month.first() < first_day {
        month = month.next()?;
    }
    let mut months = Vec::new();
    while month.end() <= today {
        months.push(month);
        month = month.next()?;
    }
    Ok(months)
}

/// Closes all of these months but the last, and opens that one for review; nothing where
/// somebody keeps the books already.
///
/// # Errors
/// When Tally refuses a step.
pub(crate) async fn keep(
    tally: &Tally,
    company: &Company,
    keys: &BTreeMap<String, String>,
    months: &[Month],
) -> anyhow::Result<()> {
    let Some((last, earlier)) = months.split_last() else { return Ok(()) };
    let key_of = |person: &Person| keys.get(&secret_of_person(person)).cloned();
    let finops = company.people.iter().find(|person| person.roles.contains(&Role::Finops));
    let finops = finops.and_then(key_of).context("nobody keeps the books")?;
    let kept = http::json(tally.get("/api/v1/periods").bearer_auth(&finops)).await?;
    if kept.get("items").and_then(Value::as_array).is_some_and(|items| !items.is_empty()) {
        return Ok(());
    }
    let step = async |month: &Month, verb: &str, key: &str, body: Value| {
        let request = tally.post(&format!("/api/v1/periods/{month}/{verb}")).bearer_auth(key);
        http::json(request.json(&body)).await.with_context(|| format!("{verb} {month}"))
    };
    for month in earlier {
        step(month, "close", &finops, json!({})).await?;
    }
    step(last, "review", &finops, json!({})).await?;
    let said = [("dispute", DISPUTE), ("comment", REMARK)];
    for ((kind, text), team) in said.into_iter().zip(&company.teams) {
        let owner = company.people.get(team.manager).and_then(key_of);
        let owner = owner.context("a team needs a manager with a key")?;
        let body = json!({ "cost_center": team.plan.cost_center, "kind": kind, "text": text });
        step(last, "comments", &owner, body).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_months_that_are_whole_are_kept() {
        let months = |today: &str, days| {
            let months = whole_months(today.parse().unwrap(), days).unwrap();
            months.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(months("2026-11-22", 90), ["2026-09", "2026-10"]);
        assert_eq!(months("2026-11-22", 21), Vec::<String>::new());
        assert_eq!(months("2026-11-01", 31), Vec::<String>::new());
        assert_eq!(months("2026-11-01", 32), ["2026-10"]);
    }
}
