//! The catalog, the inventory, readiness and the agenda, as people see them.

use http::StatusCode;
use serde_json::{Value, json};
use tally_types::{CallId, EventId, NodeId, PicoUsd, Record, Source, UsageEvent};
use uuid::Uuid;

use crate::support::{Company, Reply, now};

/// Calls an hour ago: of the workload, and of a script that nobody knows.
fn record(company: &Company, workload: Option<&str>, application: &str, count: u64, first: u64) {
    let batch: Vec<(u64, Record)> = (first..first + count)
        .map(|number| {
            let id = Uuid::from_u128(u128::from(number));
            let time = now() - std::time::Duration::from_secs(3_600);
            let mut event = UsageEvent::new(EventId(id), CallId(id), time, Source::Gateway);
            event.person = Some("ada".parse().unwrap());
            event.team = Some("support".parse().unwrap());
            event.key = Some("ada-laptop".parse().unwrap());
            event.workload = workload.map(|name| name.parse().unwrap());
            event.application = Some(application.to_owned());
            event.user_agent = Some(format!("{application}/1.0"));
            event.operation = "chat".to_owned();
            event.model_requested = "gpt-5".to_owned();
            event.model_served = Some("gpt-5".parse().unwrap());
            event.tokens.output = 100;
            event.latency_us = Some(5_000_000);
            event.cost_list_usd = Some(PicoUsd::from_pico(1_000_000_000_000));
            (number, Record::Usage(Box::new(event)))
        })
        .collect();
    company.warehouse.write(NodeId(Uuid::from_u128(9)), &batch).unwrap();
}

async fn get(company: &Company, role: &str, path: &str) -> Value {
    let reply = company.call(role, "GET", &format!("/api/v1/{path}"), "").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.json()
}

async fn post(company: &Company, role: &str, path: &str, body: Value) -> Reply {
    company.call(role, "POST", &format!("/api/v1/{path}"), &body.to_string()).await
}

fn entry<'a>(catalog: &'a Value, name: &str) -> &'a Value {
    catalog["items"].as_array().unwrap().iter().find(|item| item["name"] == name).unwrap()
}

#[tokio::test]
async fn the_catalog_shows_spend_health_and_what_is_missing() {
    let company = Company::new().await;
    record(&company, Some("support-copilot"), "copilot", 3, 1);
    record(&company, None, "curl", 2, 4);
    let catalog = get(&company, "finops", "catalog").await;
    let copilot = entry(&catalog, "support-copilot");
    assert_eq!(copilot["used"]["spend_usd"], "3");
    assert_eq!(copilot["health"], "slow", "its SLO is 4 s: {copilot}");
    assert_eq!(copilot["keys"], json!(["k-nobody", "support-copilot-prod"]));
    // It is in the frontier tier, and nobody said why.
    assert_eq!(
        copilot["completeness"]["missing"],
        json!(["criticality", "funding", "tier_rationale"])
    );
    assert_eq!(copilot["review_overdue"], true);
    assert_eq!(catalog["total"]["unexplained"]["spend_usd"], "2");
    // Developers see the catalog, with what they used themselves.
    let other = get(&company, "developer", "catalog").await;
    assert_eq!(entry(&other, "support-copilot")["used"]["calls"], 0);
}

#[tokio::test]
async fn what_was_found_is_registered_approved_and_retired() {
    let company = Company::new().await;
    record(&company, None, "curl", 2, 1);
    let found = get(&company, "finops", "inventory").await;
    let row = &found["items"][0];
    assert_eq!(row["likely_owner"], "ada");
    assert_eq!(row["models"], json!([{ "model": "gpt-5", "tokens": 200, "spend_usd": "2" }]));
    assert_eq!((&row["suggested_name"], &row["tokens"]), (&json!("curl"), &json!(200)));

    let register = json!({
        "name": "triage", "key": row["key"], "application": row["application"],
        "user_agent": row["user_agent"],
    });
    let refused = post(&company, "ada", "inventory/register", register.clone()).await;
    assert_eq!(refused.code(), "role_missing");
    let made = post(&company, "finops", "inventory/register", register.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let spec = &made.json()["spec"];
    assert_eq!((&spec["owner"], &spec["tier"]), (&json!("ada"), &json!("frontier")));
    assert_eq!(
        (&spec["cost_center"], &spec["state"]),
        (&json!("cc-100-support"), &json!("discovered"))
    );
    assert_eq!(get(&company, "admin", "keys/ada-laptop").await["spec"]["workload"], "triage");
    // The calls of before are nobody's; the row says that the next ones are explained.
    let found = get(&company, "finops", "inventory").await;
    assert_eq!(found["items"][0]["registered_as"], "triage");
    let twice = post(&company, "finops", "inventory/register", register).await;
    assert_eq!(twice.code(), "already_exists");

    let approve = |role: &'static str| {
        let company = &company;
        async move { post(company, role, "workloads/triage/approve", json!({})).await }
    };
    assert_eq!(approve("ada").await.code(), "role_missing");
    assert_eq!(approve("finops").await.json()["spec"]["state"], "approved");
    // Owners retire their own; nobody else without a role does.
    assert_eq!(
        post(&company, "developer", "workloads/triage/retire", json!({})).await.code(),
        "not_found"
    );
    let retired = post(&company, "ada", "workloads/triage/retire", json!({ "note": "over" })).await;
    assert_eq!(retired.json()["spec"]["state"], "retired");
    assert_eq!(approve("finops").await.code(), "already_decided");
    let trail = get(&company, "admin", "audit?kind=workloads&name=triage").await;
    let actions: Vec<_> =
        trail["items"].as_array().unwrap().iter().map(|one| &one["action"]).collect();
    assert_eq!(actions, ["retire", "approve", "create"]);
}

#[tokio::test]
async fn nobody_approves_their_own_workload_and_files_keep_its_state() {
    let company = Company::new().await;
    let spec = json!({
        "owner": "p-finops", "cost_center": "cc-900-innovation", "environment": "experimentation",
        "class": "exploration", "tier": "economy", "data_class": "internal",
    });
    let documents = json!({ "set": "s", "documents": [
        { "kind": "Workload", "name": "theirs", "spec": spec },
    ] });
    post(&company, "admin", "apply", documents.clone()).await;
    let own = post(&company, "finops", "workloads/theirs/approve", json!({})).await;
    assert_eq!(own.code(), "own_request");
    let done = post(&company, "security", "workloads/theirs/approve", json!({})).await;
    assert_eq!(done.json()["spec"]["state"], "approved");
    let again = post(&company, "admin", "apply", documents).await;
    assert_eq!(again.json()["changes"][0]["action"], "unchanged", "{}", again.text);
    assert_eq!(get(&company, "admin", "workloads/theirs").await["spec"]["state"], "approved");
}

#[tokio::test]
async fn who_keeps_the_catalog_corrects_it_but_changes_no_state_in_passing() {
    let company = Company::new().await;
    let path = "/api/v1/workloads/support-copilot";
    let mut read = get(&company, "finops", "workloads/support-copilot").await;
    read["spec"]["funding"] = json!("charged");
    let changed = |role: &'static str, body: Value| {
        let company = &company;
        let body = json!({ "version": body["version"], "spec": body["spec"] }).to_string();
        async move { company.call(role, "PUT", path, &body).await }
    };
    assert_eq!(changed("grace", read.clone()).await.code(), "role_missing");
    let kept = changed("finops", read).await;
    assert_eq!(kept.status, StatusCode::OK, "{}", kept.text);
    let mut next = kept.json();
    // Who reads kept prompts does not say of which work they are kept.
    next["spec"]["keep_prompts"] = json!(true);
    assert_eq!(changed("finops", next.clone()).await.code(), "role_missing");
    next["spec"]["keep_prompts"] = json!(false);
    next["spec"]["state"] = json!("approved");
    assert_eq!(changed("finops", next.clone()).await.code(), "state_by_verb");
    assert_eq!(changed("admin", next).await.json()["spec"]["state"], "approved");
}

#[tokio::test]
async fn the_choice_of_a_tier_is_looked_at_again() {
    let company = Company::new().await;
    let path = "workloads/support-copilot/review";
    let until = |day: &str| json!({ "review_by": day });
    // It is grace's, and nobody ever said why.
    assert_eq!(post(&company, "ada", path, until("2027-02-01")).await.code(), "not_found");
    let unsaid = post(&company, "grace", path, until("2027-02-01")).await;
    assert_eq!(unsaid.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", unsaid.text);
    for wrong in ["2026-11-15", "2028-01-01"] {
        assert_eq!(post(&company, "grace", path, until(wrong)).await.code(), "request_invalid");
    }
    let why = json!({ "review_by": "2027-02-01", "reason": "It misses a fifth" });
    let kept = post(&company, "grace", path, why).await.json();
    assert_eq!(
        kept["spec"]["tier_rationale"],
        json!({ "reason": "It misses a fifth", "review_by": "2027-02-01" })
    );
    let later = post(&company, "finops", path, until("2027-06-01")).await.json();
    assert_eq!(later["spec"]["tier_rationale"]["reason"], "It misses a fifth");
    let catalog = get(&company, "finops", "catalog").await;
    assert_eq!(entry(&catalog, "support-copilot")["review_overdue"], false);
}

#[tokio::test]
async fn tools_are_entered_by_hand() {
    let company = Company::new().await;
    let tool = json!({ "name": "scribe", "spec": {
        "owner": "ada", "metered": false, "vendor": "Scribe Inc.", "monthly_cost_usd": "400",
        "environment": "production",
    } });
    let made = post(&company, "finops", "inventory/register", tool).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let found = get(&company, "finops", "inventory").await;
    assert_eq!(
        found["tools"],
        json!([{ "name": "scribe", "owner": "ada", "vendor": "Scribe Inc.", "monthly_cost_usd": "400" }])
    );
    assert_eq!(entry(&get(&company, "finops", "catalog").await, "scribe")["health"], "unmetered");
}

#[tokio::test]
async fn a_baseline_is_frozen_with_who_and_when() {
    let company = Company::new().await;
    record(&company, Some("support-copilot"), "copilot", 3, 1);
    let path = "workloads/support-copilot/baseline";
    let range = json!({ "from": "2026-11-01T00:00:00Z", "to": "2026-11-15T12:00:00Z" });
    let ahead = json!({ "from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z" });
    assert_eq!(post(&company, "finops", path, ahead).await.code(), "request_invalid");
    assert_eq!(post(&company, "ada", path, range.clone()).await.code(), "not_found");
    let made = post(&company, "grace", path, range).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let made = made.json();
    assert_eq!(
        (&made["kind"], &made["name"]),
        (&json!("Baseline"), &json!("support-copilot-2026-11-15"))
    );
    assert_eq!((&made["spec"]["spend_usd"], &made["spec"]["calls"]), (&json!("3"), &json!(3)));
    assert_eq!(made["spec"]["signed_by"], "grace");
    let catalog = get(&company, "finops", "catalog").await;
    assert_eq!(entry(&catalog, "support-copilot")["baseline"], made["name"]);
    let reply = company.call("admin", "DELETE", "/api/v1/baselines/support-copilot-2026-11-15", "");
    assert_eq!(reply.await.status, StatusCode::METHOD_NOT_ALLOWED, "it is frozen");
}

#[tokio::test]
async fn readiness_is_measured_for_each_team() {
    let company = Company::new().await;
    record(&company, Some("support-copilot"), "copilot", 9, 1);
    record(&company, None, "curl", 1, 10);
    let all = get(&company, "finops", "readiness").await;
    let team = &all["items"][0];
    let lines: Vec<String> = team["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            let text = |field: &str| line[field].as_str().unwrap().to_owned();
            format!("{} {}: {}", line["ok"], text("item"), text("detail"))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    false access_approvals: 3 of 3 keys never end, and nobody approved them
    true usage_tagging: 90 % of the spend of 30 days is for a workload
    true quotas: the budget each-person-day holds for it
    true fallback_paths: 1 workloads, and each declares a fallback
    true audit_log: it is written, and 3 people have the role to review it
    false incident_response: grace has no delegate
    ");
    let own = get(&company, "ada", "readiness").await;
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    assert!(get(&company, "developer", "readiness").await["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn the_agenda_of_a_month_is_a_page_and_a_document() {
    let company = Company::new().await;
    let rule = "data-classes/restricted-needs-zero-retention";
    let ask = |until: &str| json!({ "rule": rule, "scope": { "person": "ada" }, "until": until, "reason": "The *audit*\nneeds it" });
    post(&company, "ada", "exceptions", ask("2026-11-20T12:00:00Z")).await;
    post(&company, "ada", "exceptions", ask("2026-12-10T12:00:00Z")).await;
    let agenda = get(&company, "manager", "governance/agenda?month=2026-11").await;
    let names = |list: &str| -> Vec<String> {
        let all = agenda[list].as_array().unwrap().iter();
        all.map(|one| one["until"].as_str().unwrap()[..10].to_owned()).collect()
    };
    assert_eq!(names("open"), ["2026-11-20", "2026-12-10"]);
    assert_eq!(names("repeated"), ["2026-12-10"]);
    assert_eq!(agenda["policy_changes"][0]["action"], "create");
    assert_eq!(agenda["overdue_reviews"][0]["workload"], "support-copilot");
    let path = "/api/v1/governance/agenda?month=2026-11&format=markdown";
    let document = company.call("manager", "GET", path, "").await;
    assert_eq!(document.headers["content-type"], "text/markdown; charset=utf-8");
    insta::assert_snapshot!(document.text, @r"
    # Governance meeting: 2026-11

    acme

    ## Open exceptions

    - [ ] data-classes-restricted-needs-zero-retention-2026-11-15-ada: a waiver of data-classes/restricted-needs-zero-retention for ada, asked for by ada, pending until 20 Nov 2026 13:00 CET. Reason: The \*audit\* needs it
    - [ ] data-classes-restricted-needs-zero-retention-2026-11-15-ada-2: a waiver of data-classes/restricted-needs-zero-retention for ada, asked for by ada, pending until 10 Dec 2026 13:00 CET. Reason: The \*audit\* needs it (repeats data-classes-restricted-needs-zero-retention-2026-11-15-ada)

    ## Exceptions that ended

    None.

    ## Repeated exceptions

    - [ ] data-classes-restricted-needs-zero-retention-2026-11-15-ada-2: a waiver of data-classes/restricted-needs-zero-retention for ada, asked for by ada, pending until 10 Dec 2026 13:00 CET. Reason: The \*audit\* needs it (repeats data-classes-restricted-needs-zero-retention-2026-11-15-ada)

    ## Violations, by rule

    None.

    ## Changes of policies

    - [ ] data-classes: create by setup on 15 Nov 2026 13:00 CET

    ## Model choices to look at

    - [ ] support-copilot (grace): frontier tier, and nobody said why
    ");
    let wrong = company.call("manager", "GET", "/api/v1/governance/agenda?month=11", "").await;
    assert_eq!(wrong.code(), "query_invalid");
    let other = get(&company, "manager", "governance/agenda?month=2026-09").await;
    assert_eq!(other["open"], json!([]));
}
