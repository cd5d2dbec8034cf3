//! Works-council mode: nobody is singled out, and no group of too few people is.

use http::StatusCode;
use serde_json::{Value, json};
use tally_store::{
    ApplyOptions,
    documents::{Format, parse_documents},
};
use tally_types::{CallId, EventId, NodeId, Record, Source, UsageEvent};
use uuid::Uuid;

use crate::{
    live::Reader,
    scoreboards::rules,
    support::{Company, now},
};

#[tokio::test]
async fn in_works_council_mode_nobody_is_singled_out() {
    let company = Company::new().await;
    company.record_calls();
    let query = |filters: Value, dimensions: Value| {
        json!({ "measures": ["calls"], "range": "last_24_hours", "dimensions": dimensions, "filters": filters })
            .to_string()
    };
    let by_person = query(json!([]), json!(["person"]));
    let one = query(json!([{ "dimension": "person", "op": "eq", "values": ["grace"] }]), json!([]));
    let mine = query(json!([{ "dimension": "person", "op": "eq", "values": ["ada"] }]), json!([]));
    let by_team = query(json!([]), json!(["team"]));
    let ask = |role: &'static str, body: String| {
        let company = &company;
        async move { company.call(role, "POST", "/api/v1/query", &body).await.status.as_u16() }
    };
    assert_eq!(ask("viewer", by_person.clone()).await, 200);

    rules(&company, json!({ "minimum_group": 5, "individuals_seen_by": ["security"] })).await;
    for role in ["viewer", "finops", "admin"] {
        assert_eq!(ask(role, by_person.clone()).await, 403, "{role}");
        assert_eq!(ask(role, one.clone()).await, 403, "{role}");
        assert_eq!(ask(role, by_team.clone()).await, 200, "{role}");
    }
    assert_eq!(ask("security", by_person).await, 200, "the organization says so");
    assert_eq!(ask("ada", mine).await, 200, "one's own");
    let events = company.call("viewer", "GET", "/api/v1/events", "").await.json();
    assert_eq!(events["items"].as_array().unwrap().len(), 5);
    assert!(!events.to_string().contains("grace"), "{events}");
    let own = company.call("ada", "GET", "/api/v1/events", "").await.json();
    assert_eq!(own["items"][0]["person"], "ada");
}

/// Who is in which team: of fewer than three are `law` and `ops`, which are three together.
const TEAMS: [(&str, &str, &[&str]); 4] = [
    ("support", "customer-care", &["ada", "grace", "s1"]),
    ("web", "engineering", &["w1", "w2", "w3", "w4"]),
    ("law", "engineering", &["lena", "lars"]),
    ("ops", "engineering", &["olga"]),
];

/// Everybody has made a call of a dollar today; at least three are a group.
async fn in_groups() -> Company {
    let company = Company::new().await;
    let mut text = String::new();
    for (team, department, people) in TEAMS {
        let manager = people.last().unwrap();
        if team != "support" {
            text += &format!(
                "---\nkind: Team\nname: {team}\nspec: {{ manager: {manager}, department: {department}, cost_center: cc-100-support }}\n"
            );
        }
        for name in people.iter().filter(|name| !["ada", "grace"].contains(name)) {
            text += &format!(
                "---\nkind: Person\nname: {name}\nspec: {{ team: {team}, roles: [developer, manager] }}\n\
                 ---\nkind: Key\nname: k-{name}\nspec: {{ person: {name}, secret: {{ env: KEY_{name} }} }}\n"
            );
        }
    }
    let documents = parse_documents("teams.yaml", &text, Format::Yaml).unwrap();
    let options = ApplyOptions { set: "teams".to_owned(), ..ApplyOptions::default() };
    company.store.apply("setup", documents, options).await.unwrap();
    let calls: Vec<(u64, Record)> =
        (1..).zip(calls()).map(|(at, event)| (at, Record::Usage(Box::new(event)))).collect();
    company.warehouse.write(NodeId(Uuid::from_u128(9)), &calls).unwrap();
    rules(&company, json!({ "minimum_group": 3, "individuals_seen_by": ["auditor"] })).await;
    company
}

fn calls() -> impl Iterator<Item = UsageEvent> {
    let people = TEAMS.iter().flat_map(|(team, department, people)| {
        people.iter().map(move |name| (*team, *department, *name))
    });
    (1_u128..).zip(people).map(|(number, (team, department, name))| {
        let id = Uuid::from_u128(number);
        let time = now() - std::time::Duration::from_secs(60);
        let mut event = UsageEvent::new(EventId(id), CallId(id), time, Source::Gateway);
        event.person = Some(name.parse().unwrap());
        event.team = Some(team.parse().unwrap());
        event.department = Some(department.to_owned());
        event.cost_center = Some("cc-100-support".parse().unwrap());
        event.operation = "chat".to_owned();
        event.provider = Some("openai".parse().unwrap());
        event.model_requested = "gpt-5".to_owned();
        event.model_served = Some("gpt-5".to_owned());
        event.task_id = Some(format!("T-{number}"));
        event.cost_list_usd = Some("1".parse().unwrap());
        event
    })
}

/// Whether a text names a team of too few, or somebody in it.
fn names_small(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.any(|word| ["law", "ops", "lena", "lars", "olga"].contains(&word))
}

/// Calls by what was asked for, or why there is no answer.
async fn counted(
    company: &Company,
    role: &str,
    dimensions: Value,
    filters: Value,
) -> Result<Vec<(String, u64)>, String> {
    let body = json!({
        "measures": ["calls"], "range": "last_24_hours", "dimensions": dimensions, "filters": filters,
    });
    let reply = company.call(role, "POST", "/api/v1/query", &body.to_string()).await;
    if reply.status != StatusCode::OK {
        return Err(reply.code());
    }
    let rows = reply.json()["rows"].as_array().unwrap().clone();
    let mut found: Vec<(String, u64)> = rows
        .iter()
        .map(|row| match row.as_array().unwrap().as_slice() {
            [calls] => (String::new(), calls.as_u64().unwrap()),
            [name, calls, ..] => (name.as_str().unwrap().to_owned(), calls.as_u64().unwrap()),
            [] => panic!("no column"),
        })
        .collect();
    found.sort();
    Ok(found)
}

fn teams(op: &str, values: &[&str]) -> Value {
    json!([{ "dimension": "team", "op": op, "values": values }])
}

#[tokio::test]
async fn no_question_finds_a_group_of_too_few() {
    let company = in_groups().await;
    let named = |rows: &[(&str, u64)]| {
        Ok::<_, String>(
            rows.iter().map(|(name, calls)| ((*name).to_owned(), *calls)).collect::<Vec<_>>(),
        )
    };
    let (by_team, nothing) = (json!(["team"]), json!([]));
    for role in ["viewer", "finops", "admin"] {
        let seen = counted(&company, role, by_team.clone(), nothing.clone()).await;
        assert_eq!(seen, named(&[("support", 3), ("web", 4)]), "{role}");
    }
    let of = async |dimensions: &Value, filters: Value| {
        counted(&company, "viewer", dimensions.clone(), filters).await
    };
    let refused = Err("group_too_small".to_owned());
    assert_eq!(of(&nothing, teams("eq", &["law"])).await, refused);
    assert_eq!(of(&nothing, teams("in", &["law", "ops"])).await, refused);
    // What can be told of what was asked for, and not a call of a small team more.
    assert_eq!(of(&nothing, teams("in", &["law", "web"])).await, named(&[("", 4)]));
    assert_eq!(of(&nothing, teams("not_in", &["web", "support"])).await, named(&[]));
    assert_eq!(of(&nothing, teams("prefix", &["la"])).await, named(&[]));
    // The whole holds everybody, and so does a department that is large enough.
    assert_eq!(of(&nothing, nothing.clone()).await, named(&[("", 10)]));
    let departments = of(&json!(["department"]), nothing.clone()).await;
    assert_eq!(departments, named(&[("customer-care", 3), ("engineering", 7)]));
    // One's own is there; a manager of a small team has no numbers of it.
    assert_eq!(
        counted(&company, "auditor", by_team.clone(), nothing.clone()).await.unwrap().len(),
        4
    );
    let mine = json!([{ "dimension": "person", "op": "eq", "values": ["lena"] }]);
    assert_eq!(counted(&company, "lars", by_team, nothing).await, refused);
    assert_eq!(counted(&company, "lena", json!(["team"]), mine).await, named(&[("law", 1)]));
}

#[tokio::test]
async fn neither_calls_nor_the_live_feed_nor_files_tell_of_a_group_of_too_few() {
    let company = in_groups().await;
    let listed = company.call("viewer", "GET", "/api/v1/events", "").await;
    assert_eq!(listed.json()["items"].as_array().unwrap().len(), 10);
    assert!(!names_small(&listed.text) && listed.text.contains("\"web\""), "{}", listed.text);
    // The tenth call is olga's.
    for path in ["events", "calls"] {
        let path = format!("/api/v1/{path}/{}", Uuid::from_u128(10));
        let one = company.call("viewer", "GET", &path, "").await;
        assert!(one.status.is_success() && !names_small(&one.text), "{}", one.text);
        assert!(names_small(&company.call("auditor", "GET", &path, "").await.text));
    }
    for path in [
        "showback",
        "statements/2026-11:cc-100-support",
        "statements/2026-11:cc-100-support?format=csv",
        "exports/focus?period=2026-11",
    ] {
        let books = company.call("finops", "GET", &format!("/api/v1/{path}"), "").await;
        assert!(books.status.is_success(), "{path}: {}", books.text);
        assert!(!names_small(&books.text) && books.text.contains("web"), "{path}: {}", books.text);
        let whole = company.call("auditor", "GET", &format!("/api/v1/{path}"), "").await;
        assert!(names_small(&whole.text), "{path}: {}", whole.text);
    }
    for what in ["events", "outcomes"] {
        let path = format!("/api/v1/exports/{what}?period=2026-11");
        let refused = (403, "group_too_small".to_owned());
        for role in ["admin", "finops"] {
            assert_eq!(company.status(role, "GET", &path, "").await, refused, "{what}");
        }
        assert_eq!(company.status("auditor", "GET", &path, "").await.0, 200, "{what}");
    }
    let law = "?filters=%5B%7B%22dimension%22%3A%22team%22%2C%22op%22%3A%22eq%22%2C%22values%22%3A%5B%22law%22%5D%7D%5D";
    for (role, query) in [("viewer", law), ("lars", "")] {
        let path = format!("/api/v1/live{query}");
        assert_eq!(company.status(role, "GET", &path, "").await.0, 403, "{role}");
    }
    let mut feed = Reader::open_at(&company, "viewer", "/api/v1/live").await;
    let rows: Vec<(u64, Record)> =
        (1..).zip(calls()).map(|(at, event)| (at, Record::Usage(Box::new(event)))).collect();
    company.live.announce(now(), &rows);
    let (_, seen) = feed.next().await.unwrap();
    assert_eq!(seen["calls"], 10);
    assert!(!names_small(&seen.to_string()), "{seen}");
}

#[tokio::test]
async fn neither_a_budget_nor_an_outcome_says_who_it_was() {
    let company = in_groups().await;
    let outcome = json!({
        "outcome_id": Uuid::from_u128(77), "time": now(), "task_id": "T-4", "result": "succeeded",
        "reported_by": "person:grace",
    });
    let outcome = Record::Outcome(serde_json::from_value(outcome).unwrap());
    company.warehouse.write(NodeId(Uuid::from_u128(9)), &[(100, outcome)]).unwrap();
    let call = format!("/api/v1/calls/{}", Uuid::from_u128(4));
    let reporter = async |role: &str| {
        company.call(role, "GET", &call, "").await.json()["task"]["outcome"]["reported_by"].clone()
    };
    assert_eq!(reporter("auditor").await, "person:grace");
    assert_eq!(reporter("viewer").await, Value::Null);

    let budget = "kind: Budget\nname: ada-month\nspec: { owner: lin, scope: { person: ada }, limit: { usd: \"9\" }, window: { calendar: month } }\n";
    let documents = parse_documents("budget.yaml", budget, Format::Yaml).unwrap();
    let options = ApplyOptions { set: "budget".to_owned(), ..ApplyOptions::default() };
    company.store.apply("setup", documents, options).await.unwrap();
    // Support has three people.
    rules(&company, json!({ "minimum_group": 4, "individuals_seen_by": ["auditor"] })).await;
    let listed = async |role: &str| {
        let uses = company.call(role, "GET", "/api/v1/budget-use", "").await.json();
        let items = uses["items"].as_array().unwrap().clone();
        let names = items.iter().map(|it| it["counter"]["budget"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(listed("auditor").await, ["ada-month", "support-month"]);
    assert_eq!(listed("ada").await, ["ada-month"]);
    for role in ["viewer", "finops", "admin", "grace"] {
        assert!(listed(role).await.is_empty(), "{role}");
    }
    for (role, budget, status) in [
        ("finops", "ada-month", 404),
        ("finops", "support-month", 404),
        ("auditor", "ada-month", 200),
        ("ada", "ada-month", 200),
        // Whoever spends from it may see how it stands.
        ("ada", "support-month", 200),
    ] {
        let path = format!("/api/v1/budgets/{budget}/use");
        assert_eq!(company.status(role, "GET", &path, "").await.0, status, "{role} {budget}");
    }
}

#[tokio::test]
async fn a_sprint_tells_nothing_of_a_team_of_too_few() {
    let company = in_groups().await;
    let target = |team: &str| {
        json!({
            "scope": { "team": team }, "measure": "unattributed_usd", "reduce_percent": "10",
            "baseline": { "from": now() - std::time::Duration::from_secs(3_600), "to": now() }, "owner": "lin",
        })
        .to_string()
    };
    let month = now().to_string()[..7].to_owned();
    let path = format!("/api/v1/sprints/{month}/targets");
    let refused = (403, "group_too_small".to_owned());
    assert_eq!(company.status("finops", "POST", &path, &target("law")).await, refused);
    assert_eq!(company.status("finops", "POST", &path, &target("web")).await.0, 200);
    rules(&company, json!({ "minimum_group": 1 })).await;
    assert_eq!(company.status("finops", "POST", &path, &target("law")).await.0, 200);

    let teams = async |role: &str| {
        let page = company.call(role, "GET", "/api/v1/rollout/sprint", "").await.json();
        let named = |items: &Value, at: &str| -> Vec<String> {
            let items = items.as_array().unwrap().iter();
            items.filter_map(|it| Some(it.pointer(at)?.as_str()?.to_owned())).collect()
        };
        (
            named(&page["offenders"]["unattributed"], "/team"),
            named(&page["targets"], "/target/scope/team"),
        )
    };
    let (unattributed, targets) = teams("finops").await;
    assert!(unattributed.contains(&"law".to_owned()), "{unattributed:?}");
    assert_eq!(targets, ["web", "law"]);
    rules(&company, json!({ "minimum_group": 3, "individuals_seen_by": ["auditor"] })).await;
    let (unattributed, targets) = teams("finops").await;
    assert!(!names_small(&unattributed.join(" ")), "{unattributed:?}");
    assert_eq!(targets, ["web"]);
    assert_eq!(teams("auditor").await.1, ["web", "law"]);
}
