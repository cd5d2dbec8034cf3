//! Every change leaves an entry in the audit trail: for each operation of the document
//! that says it is audited, it is done here and its entries are counted.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tally_api::{OsSecrets, openapi_document};

use tally_types::Clock as _;

use crate::{
    retention::set_periods,
    sign_in::{OTHER, PASSWORD, browser::Browser},
    support::{Company, Reply},
};

/// There is one organisation, and it is there: it is updated only.
const IMPOSSIBLE: &[&str] = &["createOrganization", "deleteOrganization"];

/// The operations that must leave an entry, with the example of their body.
fn audited() -> Vec<(String, String, String, Value)> {
    let document = openapi_document();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if operation["x-tally-audited"] == true {
                let id = operation["operationId"].as_str().unwrap().to_owned();
                let body =
                    operation["requestBody"]["content"]["application/json"]["example"].clone();
                all.push((id, method.to_uppercase(), path.clone(), body));
            }
        }
    }
    all
}

/// How many entries there are.
async fn entries(company: &Company) -> u64 {
    let newest = company.call("admin", "GET", "/api/v1/audit?limit=1", "").await.json();
    newest["items"][0]["sequence"].as_u64().unwrap()
}

/// Something that differs from the example, and is as valid.
fn changed(kind_path: &str, spec: &Value) -> Value {
    let mut spec = spec.clone();
    let (field, value) = match kind_path {
        "organizations" => ("currency", json!("CHF")),
        "providers" => ("base_url", json!("https://other.acme.test")),
        "models" => ("tier", json!("standard")),
        "price-lists" => ("source", json!("another contract")),
        "cost-centers" => ("owner", json!("grace")),
        "teams" => ("department", json!("elsewhere")),
        "people" => ("display_name", json!("Another")),
        "workloads" => ("purpose", json!("Another purpose")),
        "keys" => ("revoked", json!(true)),
        "budgets" => ("owner", json!("grace")),
        "rate-cards" => ("markup_percent", json!("5")),
        "scoring-formulas" => ("reason", json!("Another reason")),
        "policies" => {
            spec["rules"][0]["says"] = json!("Another sentence.");
            return spec;
        }
        other => panic!("no change of {other} yet"),
    };
    spec[field] = value;
    spec
}

#[tokio::test]
async fn every_change_leaves_exactly_one_entry() {
    let company = Company::new().await;
    let all = audited();
    let mut done = BTreeSet::new();
    // Kinds in the order in which they refer to each other: those of the document.
    for (id, _, path, body) in all.iter().filter(|(_, method, ..)| method == "POST") {
        if !id.starts_with("create")
            || IMPOSSIBLE.contains(&id.as_str())
            || id == "createInvitation"
            || ["createGrant", "createException", "createAccessRequest"].contains(&id.as_str())
        {
            continue;
        }
        let kind = path.rsplit('/').next().unwrap();
        let mut body = body.clone();
        body["name"] = json!("audited");
        let before = entries(&company).await;
        let reply = company.call("admin", "POST", path, &body.to_string()).await;
        assert_eq!(reply.status, 201, "{id}: {}", reply.text);
        assert_eq!(entries(&company).await, before + 1, "{id}");
        done.insert(id.clone());
        let word = id.strip_prefix("create").unwrap();
        change_and_delete(&company, kind, word, &mut done).await;
    }
    others(&company, &mut done).await;
    for kind in ASKED {
        asked(&company, kind, &mut done).await;
    }
    workloads(&company, &mut done).await;
    months(&company, &mut done).await;
    bills(&company, &mut done).await;
    rollout(&company, &mut done).await;
    let shown = json!({ "shown": "named" }).to_string();
    let id = "putMyScoreboardChoice";
    one(&company, id, "PUT", "/api/v1/me/scoreboard-choice", &shown).await;
    done.insert(id.to_owned());
    sharing(&company, &mut done).await;
    accounts(&mut done).await;
    one(&company, "rotateAuditKey", "POST", "/api/v1/audit/keys", "").await;
    retention(&company, &mut done).await;
    let why = json!({ "reason": "left" }).to_string();
    let erase = "/api/v1/people/p-viewer/erase";
    // Their resource and their key.
    let before = entries(&company).await;
    assert!(company.call("admin", "POST", erase, &why).await.status.is_success());
    assert_eq!(entries(&company).await, before + 2);
    done.extend(["rotateAuditKey".to_owned(), "erasePerson".to_owned()]);
    let expected: BTreeSet<String> = all
        .into_iter()
        .map(|(id, ..)| id)
        .filter(|id| !IMPOSSIBLE.contains(&id.as_str()))
        .collect();
    assert_eq!(done, expected);
}

async fn change_and_delete(company: &Company, kind: &str, word: &str, done: &mut BTreeSet<String>) {
    let path = format!("/api/v1/{kind}/audited");
    let read = company.call("admin", "GET", &path, "").await.json();
    let change = json!({ "version": 1, "spec": changed(kind, &read["spec"]) });
    let before = entries(company).await;
    let reply = company.call("admin", "PUT", &path, &change.to_string()).await;
    assert_eq!(reply.status, 200, "{kind}: {}", reply.text);
    let reply = company.call("admin", "DELETE", &format!("{path}?version=2"), "").await;
    assert_eq!(reply.status, 204, "{kind}: {}", reply.text);
    assert_eq!(entries(company).await, before + 2, "{kind}");
    let trail = format!("/api/v1/audit?name=audited&kind={kind}&limit=2");
    let trail = company.call("admin", "GET", &trail, "").await.json();
    assert_eq!(trail["items"][0]["action"], "delete");
    assert_eq!(trail["items"][1]["actor"], "Person/p-admin via Key/k-admin");
    done.extend([format!("update{word}"), format!("delete{word}")]);
}

/// What is no plain create, update, delete.
async fn others(company: &Company, done: &mut BTreeSet<String>) {
    let key = json!({ "name": "turned", "spec": { "roles": ["viewer"] } }).to_string();
    company.call("admin", "POST", "/api/v1/keys", &key).await;
    let organization = company.call("admin", "GET", "/api/v1/organizations/acme", "").await.json();
    let spec = changed("organizations", &organization["spec"]);
    let version = &organization["version"];
    let set =
        json!({ "set": "s", "documents": [{ "kind": "Team", "name": "applied", "spec": {} }] });
    for (id, method, path, body) in [
        ("rotateKey", "POST", "/api/v1/keys/turned/rotate", Value::Null),
        ("suspendKey", "POST", "/api/v1/keys/turned/suspend", json!({ "reason": "Lost" })),
        ("reinstateKey", "POST", "/api/v1/keys/turned/reinstate", json!({ "note": "Found" })),
        ("revokeKey", "POST", "/api/v1/keys/turned/revoke", Value::Null),
        (
            "updateOrganization",
            "PUT",
            "/api/v1/organizations/acme",
            json!({ "version": version, "spec": spec }),
        ),
        ("applyResources", "POST", "/api/v1/apply", set),
        ("createInvitation", "POST", "/api/v1/invitations", json!({ "person": "ada" })),
    ] {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        one(company, id, method, path, &body).await;
        done.insert(id.to_owned());
    }
    let violation = crate::policies::record_violation(company);
    let path = format!("/api/v1/violations/{violation}/acknowledge");
    let note = json!({ "note": "Known" }).to_string();
    one(company, "acknowledgeViolation", "POST", &path, &note).await;
    done.insert("acknowledgeViolation".to_owned());
    let open = company.call("admin", "GET", "/api/v1/invitations", "").await.json();
    let invitation = open["items"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/invitations/{invitation}");
    one(company, "deleteInvitation", "DELETE", &path, "").await;
    done.insert("deleteInvitation".to_owned());
}

/// A kind that is asked for: its words, what is asked, and who decides.
struct Asked {
    word: &'static str,
    path: &'static str,
    body: fn() -> Value,
    decides: &'static str,
}

const ASKED: [&Asked; 3] = [
    &Asked {
        word: "Grant",
        path: "grants",
        body: || json!({ "counter": { "budget": "support-month" }, "increase": { "usd": "1" } }),
        decides: "grace",
    },
    &Asked {
        word: "Exception",
        path: "exceptions",
        body: || {
            let rule = "data-classes/restricted-needs-zero-retention";
            json!({ "rule": rule, "scope": { "person": "ada" } })
        },
        decides: "security",
    },
    &Asked {
        word: "AccessRequest",
        path: "access-requests",
        body: || json!({ "what": { "key": {} } }),
        decides: "grace",
    },
];

/// What is said to what was asked for, each time to one of its own.
async fn asked(company: &Company, kind: &Asked, done: &mut BTreeSet<String>) {
    let why = json!({ "reason": "because" }).to_string();
    let Asked { word, path, body, decides } = kind;
    for (verb, role) in
        [("approve", *decides), ("deny", decides), ("revoke", decides), ("withdraw", "ada")]
    {
        let mut body = body();
        body["until"] = json!("2026-11-30T17:00:00Z");
        body["reason"] = json!(verb);
        let before = entries(company).await;
        let made = company.call("ada", "POST", &format!("/api/v1/{path}"), &body.to_string()).await;
        assert_eq!((made.status.as_u16(), entries(company).await), (201, before + 1));
        let name = made.json()["name"].as_str().unwrap().to_owned();
        let path = |verb: &str| format!("/api/v1/{path}/{name}/{verb}");
        if *word == "Exception" {
            // The second and later ones repeat the first.
            let note = json!({ "note": "Fine" }).to_string();
            let review = path("architecture-review");
            one(company, "reviewException", "POST", &review, &note).await;
            done.insert("reviewException".to_owned());
        }
        if verb == "revoke" {
            company.call(decides, "POST", &path("approve"), "").await;
        }
        let before = entries(company).await;
        let body = if verb == "withdraw" { "" } else { why.as_str() };
        let reply = company.call(role, "POST", &path(verb), body).await;
        assert!(reply.status.is_success(), "{verb}: {}", reply.text);
        assert_eq!(entries(company).await, before + 1, "{verb}");
        done.insert(format!("{verb}{word}"));
    }
    done.insert(format!("create{word}"));
}

/// What is said to workloads; registering one with a key changes two resources.
async fn workloads(company: &Company, done: &mut BTreeSet<String>) {
    let spec = json!({ "owner": "ada" });
    let new = json!({ "name": "found", "spec": spec });
    one(company, "registerFromInventory", "POST", "/api/v1/inventory/register", &new.to_string())
        .await;
    let mut with_key = new.clone();
    with_key["name"] = json!("found-too");
    with_key["key"] = json!("ada-laptop");
    let before = entries(company).await;
    let path = "/api/v1/inventory/register";
    let reply = company.call("admin", "POST", path, &with_key.to_string()).await;
    assert_eq!(
        (reply.status.as_u16(), entries(company).await),
        (201, before + 2),
        "{}",
        reply.text
    );
    let range = json!({ "from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z" });
    let review = json!({ "review_by": "2027-02-01", "reason": "The economy tier misses a fifth" });
    for (id, verb, body) in [
        ("approveWorkload", "approve", String::new()),
        ("freezeBaseline", "baseline", range.to_string()),
        ("reviewWorkload", "review", review.to_string()),
        ("retireWorkload", "retire", String::new()),
    ] {
        one(company, id, "POST", &format!("/api/v1/workloads/found/{verb}"), &body).await;
        done.insert(id.to_owned());
    }
    done.insert("registerFromInventory".to_owned());
}

/// What is done to a month of statements.
async fn months(company: &Company, done: &mut BTreeSet<String>) {
    let comment = json!({
        "cost_center": "cc-100-support", "kind": "dispute", "text": "not ours",
    });
    let said = json!({ "comment": 1, "text": "it is" });
    for (id, verb, body) in [
        ("openReview", "review", String::new()),
        ("commentOnStatement", "comments", comment.to_string()),
        ("answerComment", "answer", said.to_string()),
        ("settleDispute", "settle", said.to_string()),
        ("closePeriod", "close", String::new()),
    ] {
        one(company, id, "POST", &format!("/api/v1/periods/2026-10/{verb}"), &body).await;
        done.insert(id.to_owned());
    }
}

/// A bill of a day that nobody metered, and what a second person says of it.
async fn bills(company: &Company, done: &mut BTreeSet<String>) {
    let all = "/api/v1/reconciliations";
    let text = "date,model,meter,quantity,cost,currency\n2026-10-20,,support,,42.00,USD\n";
    let bill = json!({ "provider": "anthropic", "format": "csv", "text": text });
    let before = entries(company).await;
    let imported = company.call("finops", "POST", all, &bill.to_string()).await;
    assert_eq!(entries(company).await, before + 1, "{}", imported.text);
    let id = imported.json()["reconciliation"]["id"].as_str().unwrap().to_owned();
    let why = json!({ "reason": "the support plan" });
    for (operation, verb, body) in [
        ("rejectAdjustments", "reject", json!({ "numbers": [1], "reason": "not ours" })),
        ("approveAdjustments", "approve", json!({ "numbers": [1], "reason": why["reason"] })),
        ("postAdjustments", "post", json!({})),
    ] {
        one(company, operation, "POST", &format!("{all}/{id}/{verb}"), &body.to_string()).await;
        done.insert(operation.to_owned());
    }
    done.insert("importBill".to_owned());
}

/// A stage, a sprint and a review.
async fn rollout(company: &Company, done: &mut BTreeSet<String>) {
    crate::rollout::record(company, Some("support-copilot"), &["2026-10-01T08:00:00Z"], 1);
    let go = json!({ "to": "showback", "override": true, "reason": "agreed" });
    let target = json!({
        "scope": { "workload": "support-copilot" }, "measure": "spend_usd",
        "reduce_percent": "20",
        "baseline": { "from": "2026-10-01T00:00:00Z", "to": "2026-10-02T00:00:00Z" },
    });
    let decision = json!({ "subject": "other", "text": "It stays" });
    let drop = json!({ "target": 1, "reason": "over" });
    for (id, path, body) in [
        ("moveRollout", "rollouts/cc-100-support/move", go),
        ("setTarget", "sprints/2026-10/targets", target),
        ("withdrawTarget", "sprints/2026-10/withdraw", drop),
        ("closeSprint", "sprints/2026-10/close", json!({})),
        ("recordDecision", "quarterly-reviews/2026-Q4/decisions", decision),
        ("closeReview", "quarterly-reviews/2026-Q4/close", json!({})),
    ] {
        one(company, id, "POST", &format!("/api/v1/{path}"), &body.to_string()).await;
        done.insert(id.to_owned());
    }
}

/// A template with a version, a story, a contribution.
async fn sharing(company: &Company, done: &mut BTreeSet<String>) {
    let all = audited();
    let example = |id: &str| all.iter().find(|(one, ..)| one == id).unwrap().3.to_string();
    let names = tally_store::sharing::starter().unwrap().len();
    let before = entries(company).await;
    let reply = company.call("admin", "POST", "/api/v1/library/starter", "").await;
    assert!(reply.status.is_success(), "{}", reply.text);
    assert_eq!(entries(company).await, before + u64::try_from(names).unwrap());
    done.insert("importStarter".to_owned());
    for (id, role, path) in [
        ("newTemplate", "developer", "templates"),
        ("addTemplateVersion", "developer", "templates/ticket-summary/versions"),
        ("submitTemplateVersion", "developer", "templates/ticket-summary/submit"),
        ("reviewTemplateVersion", "admin", "templates/ticket-summary/review"),
        ("evaluateTemplate", "admin", "templates/ticket-summary/evaluations"),
        ("retireTemplate", "developer", "templates/ticket-summary/retire"),
        ("tellStory", "admin", "stories"),
        ("measureStory", "admin", "stories/shorter-history/measure"),
        ("withdrawStory", "admin", "stories/shorter-history/withdraw"),
        ("offerContribution", "developer", "contributions"),
        ("decideContribution", "admin", "contributions/refunds-made-up/decide"),
    ] {
        // What is measured at the same moment is the same, and leaves nothing.
        company.clock.advance(std::time::Duration::from_secs(1));
        let body = if id == "measureStory" { String::new() } else { example(id) };
        let before = entries(company).await;
        let reply = company.call(role, "POST", &format!("/api/v1/{path}"), &body).await;
        assert!(reply.status.is_success(), "{id}: {}", reply.text);
        assert_eq!(entries(company).await, before + 1, "{id}");
        done.insert(id.to_owned());
    }
}

async fn one(company: &Company, id: &str, method: &str, path: &str, body: &str) {
    let before = entries(company).await;
    let reply = company.call("admin", method, path, body).await;
    assert!(reply.status.is_success(), "{id}: {}", reply.text);
    assert_eq!(entries(company).await, before + 1, "{id}");
}

/// A purge of something, and a look at a kept prompt.
async fn retention(company: &Company, done: &mut BTreeSet<String>) {
    company.record_calls();
    company.clock.advance(std::time::Duration::from_secs(3 * 24 * 3_600));
    set_periods(company, json!({ "internal": { "personal_days": 1 } })).await;
    one(company, "runRetention", "POST", "/api/v1/retention/run", "").await;
    let id = tally_types::EventId(uuid::Uuid::from_u128(1));
    company
        .prompts
        .write(&[tally_prompts::Prompt {
            event_id: id,
            call_id: tally_types::CallId(id.0),
            time: company.clock.now(),
            class: tally_types::DataClass::Internal,
            person: None,
            request: bytes::Bytes::new(),
            reply: bytes::Bytes::new(),
        }])
        .unwrap();
    let before = entries(company).await;
    let why = json!({ "reason": "looking into it" }).to_string();
    let path = format!("/api/v1/events/{id}/prompt");
    assert!(company.call("security", "POST", &path, &why).await.status.is_success());
    assert_eq!(entries(company).await, before + 1);
    done.extend(["runRetention".to_owned(), "readKeptPrompt".to_owned()]);
}

/// What people do with their accounts, by the cookie of a session.
async fn accounts(done: &mut BTreeSet<String>) {
    let company = Company::new().await;
    let link = tally_api::set_up_link(&company.store, &OsSecrets).await.unwrap().unwrap();
    let token = link.strip_prefix("/set-up#token=").unwrap();
    let mut root = Browser::new(&company);
    let first = json!({ "token": token, "name": "root", "password": PASSWORD });
    let before = entries(&company).await;
    assert!(root.enter("/api/v1/set-up", first).await.status.is_success());
    let trail = company.call("admin", "GET", "/api/v1/audit?name=root", "").await.json();
    let actions: Vec<_> =
        trail["items"].as_array().unwrap().iter().map(|one| &one["action"]).collect();
    // The person is made, has an account and comes in: each is an entry.
    assert_eq!(actions, ["sign_in", "set_up", "create"]);
    assert_eq!(entries(&company).await, before + 3);
    done.insert("setUp".to_owned());

    let invitation = json!({ "person": "ada" });
    let made = root.send("POST", "/api/v1/invitations", Some(invitation)).await.json();
    let token = made["link"].as_str().unwrap().strip_prefix("/join#token=").unwrap().to_owned();
    let mut ada = Browser::new(&company);
    let accept = json!({ "token": token, "password": PASSWORD });
    // One for joining, one for coming in.
    let before = entries(&company).await;
    assert!(ada.enter("/api/v1/invitations/accept", accept).await.status.is_success());
    assert_eq!(entries(&company).await, before + 2);
    done.insert("acceptInvitation".to_owned());
    let mut second = Browser::new(&company);
    by(&company, "signIn", done, second.sign_in("ada", PASSWORD)).await;
    let session = format!("/api/v1/me/sessions/{}", second.me["session"]["id"].as_str().unwrap());
    by(&company, "endSession", done, ada.send("DELETE", &session, None)).await;
    let change = json!({ "current": PASSWORD, "new": OTHER });
    by(&company, "setPassword", done, ada.send("POST", "/api/v1/me/password", Some(change))).await;
    by(&company, "signOut", done, ada.send("POST", "/api/v1/sign-out", None)).await;
    ada.sign_in("ada", OTHER).await;
    let everywhere = "/api/v1/sign-out-everywhere";
    by(&company, "signOutEverywhere", done, ada.send("POST", everywhere, None)).await;
    ada.sign_in("ada", OTHER).await;
    for (id, verb) in
        [("signOutAccount", "sign-out"), ("disableAccount", "disable"), ("enableAccount", "enable")]
    {
        let path = format!("/api/v1/accounts/ada/{verb}");
        by(&company, id, done, root.send("POST", &path, None)).await;
    }
}

async fn by(
    company: &Company,
    id: &str,
    done: &mut BTreeSet<String>,
    act: impl Future<Output = Reply>,
) {
    let before = entries(company).await;
    let reply = act.await;
    assert!(reply.status.is_success(), "{id}: {}", reply.text);
    assert_eq!(entries(company).await, before + 1, "{id}");
    done.insert(id.to_owned());
}
