//! Cost centers on their way, a sprint with targets and results, and a quarter's review: what
//! FinOps of the company did so far, asked for as anyone else would.

use anyhow::Context;
use serde_json::{Value, json};
use tally_types::Date;

use super::{
    company::SWITCHED,
    http::{self, Tally},
};

const WHY: &str = "Agreed with its owner: what is open is mended by the end of the quarter";

/// FinOps at work.
pub(crate) struct Desk<'a> {
    pub(crate) tally: &'a Tally,
    /// The key of somebody with the role.
    pub(crate) key: &'a str,
    pub(crate) today: Date,
}

// === impl Desk ===

impl Desk<'_> {
    /// Does it all, unless it was done at an earlier start. What Tally refuses, such as a target
    /// of a company whose history is too short to measure a baseline, is left out.
    ///
    /// # Errors
    /// When Tally does not say how far cost centers have come.
    pub(crate) async fn work(&self) -> anyhow::Result<()> {
        let found =
            self.get("/api/v1/rollout/stages").await.context("how far cost centers have come")?;
        let all: Vec<Value> =
            found.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let moved = |item: &Value| item.get("since").is_some_and(|since| !since.is_null());
        if all.iter().any(moved) {
            return Ok(());
        }
        self.take_on(&all).await;
        self.sprint().await;
        self.review().await;
        Ok(())
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        http::json(self.tally.get(path).bearer_auth(self.key)).await
    }

    /// Whether it was done.
    async fn post(&self, path: &str, body: &Value) -> bool {
        let done = http::json(self.tally.post(path).bearer_auth(self.key).json(body)).await;
        if let Err(error) = &done {
            tracing::info!(path, "left out: {error:#}");
        }
        done.is_ok()
    }

    /// Of those whose model charges half are charged, and one more is about to be; those that
    /// are shown what they use are shown it; the others are still being found out about.
    async fn take_on(&self, all: &[Value]) {
        let of = |models: &[&str]| -> Vec<String> {
            let is_of = |item: &&Value| {
                let model = item.get("chargeback").and_then(Value::as_str);
                model.is_some_and(|model| models.contains(&model))
            };
            let names = all.iter().filter(is_of).filter_map(|item| item.get("cost_center"));
            names.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let (shown, charging) = (of(&["showback"]), of(&["production", "hybrid", "quota"]));
        let charged = charging.len() / 2;
        for name in shown.iter().chain(charging.iter().take(charged + 1)) {
            self.go(name, "showback").await;
        }
        for name in charging.iter().take(charged) {
            self.go(name, "chargeback").await;
        }
    }

    /// Where gates do not hold, with a reason.
    async fn go(&self, cost_center: &str, to: &str) {
        let path = format!("/api/v1/rollouts/{cost_center}/move");
        if !self.post(&path, &json!({ "to": to })).await {
            self.post(&path, &json!({ "to": to, "override": true, "reason": WHY })).await;
        }
    }

    /// Of the month before, closed with its results; and of the one that goes on.
    async fn sprint(&self) {
        let first = self.today.first_of_month();
        let before = first.saturating_sub(jiff::Span::new().months(1));
        for (month, is_over) in [(before, true), (first, false)] {
            let month = month.strftime("%Y-%m").to_string();
            let page = self.get(&format!("/api/v1/rollout/sprint?month={month}")).await;
            let page = page.unwrap_or_default();
            let switched = json!({
                "scope": { "workload": SWITCHED }, "measure": "cost_per_successful_task_usd",
                "reduce_percent": "20", "note": "The standard tier is good enough for it",
            });
            let mut any = self.target(&month, switched).await;
            for (list, measure, percent, note) in [
                (
                    "dear_tasks",
                    "cost_per_successful_task_usd",
                    "15",
                    "A shorter history in the prompt",
                ),
                ("grown", "spend_usd", "10", "The standard tier where it is good enough"),
                ("uncached", "uncached_percent", "25", "The unchanging part of the prompt first"),
            ] {
                let workload = page.pointer(&format!("/offenders/{list}/0/workload"));
                let Some(workload) = workload.and_then(Value::as_str) else { continue };
                let target = json!({
                    "scope": { "workload": workload }, "measure": measure,
                    "reduce_percent": percent, "note": note,
                });
                any |= self.target(&month, target).await;
            }
            if any && is_over {
                let note = json!({ "note": "Caching goes on into the next month" });
                self.post(&format!("/api/v1/sprints/{month}/close"), &note).await;
            }
        }
    }

    /// Against the month before; of a company whose history is shorter, against two weeks.
    async fn target(&self, month: &str, mut target: Value) -> bool {
        let path = format!("/api/v1/sprints/{month}/targets");
        if self.post(&path, &target).await {
            return true;
        }
        let day = |days: i64| {
            let day = self.today.saturating_sub(jiff::Span::new().days(days));
            format!("{day}T00:00:00Z")
        };
        if let Some(fields) = target.as_object_mut() {
            fields.insert("baseline".to_owned(), json!({ "from": day(15), "to": day(1) }));
        }
        month == self.today.strftime("%Y-%m").to_string() && self.post(&path, &target).await
    }

    /// Of the quarter before, closed; and of the one that goes on.
    async fn review(&self) {
        let quarter = |day: Date| format!("{:04}-Q{}", day.year(), (day.month() + 2) / 3);
        let before = self.today.saturating_sub(jiff::Span::new().months(3));
        let (before, now) = (quarter(before), quarter(self.today));
        for (quarter, subject, text) in [
            (&before, "rate_cards", "The markup stays at 4 %: it covers what the platform costs"),
            (&before, "policies", "Rules that were met by nobody in two quarters are taken out"),
            (&now, "rollout", "Finance and operations are charged from the new year on"),
        ] {
            let path = format!("/api/v1/quarterly-reviews/{quarter}/decisions");
            self.post(&path, &json!({ "subject": subject, "text": text })).await;
        }
        let closing = json!({
            "attendees": ["jonas.weber", "maya.chen"], "note": "Next time with procurement",
        });
        self.post(&format!("/api/v1/quarterly-reviews/{before}/close"), &closing).await;
    }
}
