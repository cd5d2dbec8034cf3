//! Templates, stories and contributions of the company: written, approved and told by its people,
//! asked for as anyone else would.

use anyhow::Context;
use serde_json::{Value, json};
use tally_types::{Date, Name};

use super::{
    company::{BLOATED, SWITCHED},
    http::{self, Tally},
};

/// People who share, and what of the past they speak of.
pub(crate) struct Circle<'a> {
    pub(crate) tally: &'a Tally,
    /// Of FinOps, who sees all usage.
    pub(crate) finops: &'a str,
    /// Of somebody who writes code, and shares what they found.
    pub(crate) author: &'a str,
    /// Of a colleague who looks at it, with their name.
    pub(crate) colleague: (&'a str, &'a Name),
    /// The day before which the history ends.
    pub(crate) today: Date,
    /// How many days it has.
    pub(crate) days: i64,
}

// === impl Circle ===

impl Circle<'_> {
    /// Does it all, unless it was done at an earlier start. What Tally refuses is left out.
    ///
    /// # Errors
    /// When Tally does not say which templates there are.
    pub(crate) async fn work(&self) -> anyhow::Result<()> {
        let path = "/api/v1/templates";
        let found = http::json(self.tally.get(path).bearer_auth(self.finops)).await;
        let found = found.context("which templates there are")?;
        if found.pointer("/items/0").is_some() {
            return Ok(());
        }
        self.templates().await;
        self.stories().await;
        self.contributions().await;
        Ok(())
    }

    async fn post(&self, key: &str, path: &str, body: Value) {
        let path = format!("/api/v1/{path}");
        let request = self.tally.post(&path).bearer_auth(key).json(&body);
        if let Err(error) = http::json(request).await {
            tracing::info!(path, "left out: {error:#}");
        }
    }

    async fn templates(&self) {
        let (colleague, _) = self.colleague;
        self.post(self.finops, "library/starter", json!({})).await;
        let text = |system: &str, note: Option<&str>| {
            json!({
                "system": system,
                "user": "Change: {{change}}\n\nFiles that matter:\n{{files}}",
                "variables": [
                    { "name": "change", "description": "What is to be different, in a sentence" },
                    { "name": "files", "description": "Paths, one a line", "default": "find them" },
                ],
                "note": note,
            })
        };
        let first = "Change only what the task asks for. Read no file twice. Stop and ask when the task needs more than five files.";
        let name = "small-change";
        let new = json!({
            "name": name,
            "about": {
                "title": "A small change, and nothing else",
                "purpose": "Keeps a coding agent to the files that matter: shorter context, fewer turns.",
                "task_type": "code-change", "data_class": "confidential",
                "model": "claude-sonnet-5",
            },
            "text": text(first, None),
        });
        self.post(self.author, "templates", new).await;
        let step = |verb: &str| format!("templates/{name}/{verb}");
        self.post(self.author, &step("submit"), json!({ "version": 1 })).await;
        let yes =
            json!({ "version": 1, "approves": true, "note": "Half the turns in our repository" });
        self.post(colleague, &step("review"), yes).await;
        let found = "Twenty tickets of last week: nineteen as good, eleven of them shorter";
        self.post(colleague, &step("evaluations"), json!({ "version": 1, "text": found })).await;
        let second = format!("{first} Say in one line what you did not check.");
        let version = json!({ "text": text(&second, Some("Says what it did not check")) });
        self.post(self.author, &step("versions"), version).await;
        self.post(self.author, &step("submit"), json!({ "version": 2 })).await;
    }

    /// So many days ago, at ten.
    fn ago(&self, days: i64) -> String {
        let day = self.today.saturating_sub(jiff::Span::new().days(days.clamp(0, 1_000)));
        format!("{day}T10:00:00Z")
    }

    /// One that saved, one that did the opposite, one of which too little is known.
    async fn stories(&self) {
        let half = self.days / 2;
        let bloat = self.days * 9 / 20;
        let window =
            |from: i64, until: i64| json!({ "from": self.ago(from), "until": self.ago(until) });
        let told = [
            (
                "invoices-on-a-smaller-model",
                "Invoices on a smaller model",
                "Amounts and dates are read by the economy tier; what fails twice goes to the old one.",
                json!({ "workload": SWITCHED }),
                window(half + 20, half),
                window(half, half - 20),
            ),
            (
                "longer-articles",
                "Longer articles for better replies",
                "All articles of a topic go into the prompt, so that nothing has to be asked twice.",
                json!({ "workload": BLOATED }),
                window(bloat + 10, bloat),
                window(bloat, bloat - 7),
            ),
            (
                "fewer-rounds-on-suppliers",
                "Fewer rounds on suppliers",
                "Suppliers are looked up in one go instead of four.",
                json!({ "workload": "vendor-risk" }),
                window(4, 2),
                window(2, 1),
            ),
        ];
        for (name, title, changed, subject, before, after) in told {
            let claim = json!({
                "title": title, "changed": changed, "subject": subject, "comparison": {},
                "before": before, "after": after,
            });
            self.post(self.finops, "stories", json!({ "name": name, "claim": claim })).await;
        }
    }

    async fn contributions(&self) {
        let (colleague, colleague_name) = self.colleague;
        let decide = |name: &str| format!("contributions/{name}/decide");
        for (name, shared, confirmed) in [
            (
                "refunds-made-up",
                json!({
                    "kind": "failure_case", "title": "A refund that nobody promised",
                    "text": "Without articles in the prompt the model promised money back. Since then replies are drafted from articles only.",
                }),
                Some("It caught two of ours"),
            ),
            (
                "twenty-tickets",
                json!({
                    "kind": "evaluation", "title": "Twenty tickets to try a prompt on",
                    "text": "Closed tickets of every team, with what a good change looked like: an hour to run, and two prompts were given back since.",
                }),
                None,
            ),
            (
                "first-week-with-agents",
                json!({
                    "kind": "mentoring", "title": "The first week with agents",
                    "text": "Where context goes, when to stop one, and what to hand over.",
                    "mentored": colleague_name,
                }),
                Some("My bill halved"),
            ),
        ] {
            let offer = json!({ "name": name, "shared": shared });
            self.post(self.author, "contributions", offer).await;
            if let Some(note) = confirmed {
                let yes = json!({ "confirms": true, "note": note });
                self.post(colleague, &decide(name), yes).await;
            }
        }
    }
}
