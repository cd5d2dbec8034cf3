//! The starter pack through the real gateway: every data class, provider and kind of caller,
//! with and without an exception. What comes of it is the table in `docs/policies-table.md`.
//!
//! `UPDATE_DOCS=1` writes the table.

use std::{collections::BTreeMap, fmt::Write as _, path::Path, sync::Arc};

use serde_json::{Value, json};
use tally_gateway::DataPlane;
use tally_policy::rules::STARTER;
use tally_store::documents::{Format, parse_documents};
use tally_types::{Name, spec::ExceptionSpec};

use crate::bed::{Bed, KEY, Secretless, message};

const CLASSES: [&str; 4] = ["public", "internal", "confidential", "restricted"];
/// Provider, its model, the classes it is approved for, zero retention.
const PROVIDERS: [(&str, &str, usize, bool); 5] = [
    ("consumer", "consumer-chat", 0, false),
    ("usual", "usual-small", 2, false),
    ("trusted", "trusted-small", 3, false),
    ("archive", "archive-large", 4, false),
    ("vault", "vault-small", 4, true),
];
const NEWS_KEY: &str = "tally_new_0123456789abcdefghij";
const LAB_KEY: &str = "tally_lab_0123456789abcdefghij";
/// Who calls, with which key, as what, and what their exception is for.
const CALLERS: [(&str, &str, &str, &str); 3] = [
    (
        "a laptop",
        KEY,
        "experimentation, not registered",
        "prohibited/confidential-needs-a-workload",
    ),
    (
        "newsletter",
        NEWS_KEY,
        "production, registered",
        "prohibited/restricted-needs-zero-retention",
    ),
    (
        "lab",
        LAB_KEY,
        "experimentation, registered for economy",
        "needs-review/above-the-registered-tier",
    ),
];

/// What the starter pack means, said once more in another language.
fn expected(caller: usize, class: usize, provider: usize, excepted: bool) -> (u16, String) {
    let (_, _, approved, keeps_nothing) = PROVIDERS[provider];
    let deny = |rule: &str| (403, format!("deny; rule=prohibited/{rule}"));
    if approved == 0 {
        return deny("consumer-endpoints");
    }
    if class == 3 && !keeps_nothing && !(caller == 1 && excepted) {
        return deny("restricted-needs-zero-retention");
    }
    if class >= approved {
        return deny("no-class-beyond-approval");
    }
    if class >= 2 && caller == 0 && !excepted {
        return deny("confidential-needs-a-workload");
    }
    if caller == 2 && provider == 3 && !excepted {
        return (403, "review; rule=needs-review/above-the-registered-tier".to_owned());
    }
    let what = if class >= 2 { "personal-data" } else { "secrets" };
    (200, format!("redact; rule=allowed/redact-{what}"))
}

fn resources(resources: &mut Value) {
    let base = resources["providers"]["anthropic"].clone();
    for (name, model, approved, keeps_nothing) in PROVIDERS {
        let mut provider = base.clone();
        provider["data_classes"] = json!(CLASSES[..approved]);
        provider["zero_retention"] = keeps_nothing.into();
        resources["providers"][name] = provider;
        let is_large = name == "archive";
        resources["models"][model] = json!({
            "routes": [{ "provider": name, "upstream_name": if is_large { "claude-opus-4-8" } else { "claude-haiku-4-5" } }],
            "tier": if is_large { "frontier" } else { "economy" },
        });
    }
    let workload = |environment: &str, tier: &str| {
        json!({
            "purpose": "p", "owner": "grace", "cost_center": "cc-100", "budget_code": "S", "slo": {},
            "environment": environment, "class": "operational", "tier": tier, "data_class": "public",
        })
    };
    resources["workloads"]["newsletter"] = workload("production", "frontier");
    resources["workloads"]["lab"] = workload("experimentation", "economy");
    resources["keys"]["news-prod"] =
        json!({ "workload": "newsletter", "secret": { "env": NEWS_KEY } });
    resources["keys"]["lab-key"] = json!({ "workload": "lab", "secret": { "env": LAB_KEY } });
    for file in STARTER {
        for document in parse_documents(file.name, file.text, Format::Yaml).unwrap() {
            resources["policies"][document.name.as_str()] = document.spec;
        }
    }
}

fn exceptions() -> BTreeMap<Name, ExceptionSpec> {
    let exception = |(number, (name, _, _, rule)): (usize, &(&str, &str, &str, &str))| {
        let scope = match *name {
            "a laptop" => json!({ "person": "ada" }),
            name => json!({ "workload": name }),
        };
        let spec = json!({
            "rule": rule, "scope": scope, "reason": "a pilot", "state": "approved", "needs": [],
            "requested_by": "ada", "requested_at": "2020-01-01T00:00:00Z",
            "from": "2020-01-01T00:00:00Z", "until": "2120-01-01T00:00:00Z",
        });
        (format!("exception-{number}").parse().unwrap(), serde_json::from_value(spec).unwrap())
    };
    CALLERS.iter().enumerate().map(exception).collect()
}

#[tokio::test]
async fn the_documented_decision_and_rule_for_120_calls() {
    let bed = Bed::with(resources, tally_gateway::Options::default()).await;
    let mut table = String::from(
        "| caller | exception | data class | provider | reply | decision |\n|---|---|---|---|---|---|\n",
    );
    let mut count = 0;
    for excepted in [false, true] {
        if excepted {
            let mut snapshot = bed.gateway.plane().snapshot().as_ref().clone();
            snapshot.exceptions = exceptions();
            let plane = DataPlane::build(Arc::new(snapshot), &Secretless).unwrap();
            bed.gateway.replace_plane(plane);
        }
        for (who, (caller, key, kind, exception)) in CALLERS.iter().enumerate() {
            for (class_at, class) in CLASSES.iter().enumerate() {
                for (at, (provider, model, _, _)) in PROVIDERS.iter().enumerate() {
                    let asked = bed.post("/v1/messages", key, &message(model, "hi"));
                    let reply = asked.header("x-tally-data-class", *class).send().await.unwrap();
                    let status = reply.status().as_u16();
                    let decision = reply.headers()["x-tally-decision"].to_str().unwrap().to_owned();
                    let row = format!("{caller}, {class}, {provider}, exception: {excepted}");
                    assert_eq!(
                        (status, decision.clone()),
                        expected(who, class_at, at, excepted),
                        "{row}"
                    );
                    if status == 403 {
                        let body: Value = reply.json().await.unwrap();
                        let rule = body["tally"]["rule"].as_str().unwrap();
                        assert!(decision.ends_with(&format!("rule={rule}")), "{row}");
                    }
                    count += 1;
                    let exception = if excepted { exception } else { "none" };
                    let _ = writeln!(
                        table,
                        "| {caller} ({kind}) | {exception} | {class} | {provider} | {status} | {decision} |"
                    );
                }
            }
        }
    }
    assert_eq!(count, 120);
    assert_eq!(bed.events(count).await.len(), count);
    documented(&table);
}

fn documented(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policies-table.md");
    let (begin, end) = ("<!-- begin -->\n", "<!-- end -->\n");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(begin).unwrap();
    let (inside, after) = rest.split_once(end).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{table}{end}{after}")).unwrap();
        return;
    }
    assert!(inside == table, "docs/policies-table.md is stale; UPDATE_DOCS=1 writes it");
}
