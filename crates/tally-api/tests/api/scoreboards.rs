//! Scoreboards: who sees whom, one's own choice, and that no reply about usage names others.

use http::StatusCode;
use serde_json::{Value, json};
use tally_api::openapi_document;
use tally_types::{CallId, EventId, Name, PicoUsd, Record, Source, UsageEvent};

use crate::{
    live::Reader,
    support::{Company, now},
};

const CHOICE: &str = "/api/v1/me/scoreboard-choice";

/// Changes what the organization says of scoreboards.
pub async fn rules(company: &Company, rules: Value) {
    let acme: Name = "acme".parse().unwrap();
    let kind = tally_types::Kind::Organization;
    let found = company.store.require(kind, &acme).await.unwrap();
    let mut spec = found.spec;
    spec["scoreboards"] = rules;
    let path = "/api/v1/organizations/acme";
    let body = json!({ "version": found.version, "spec": spec }).to_string();
    let reply = company.call("admin", "PUT", path, &body).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    // What a caller may see is decided by what the gateway knows.
    for _ in 0..400 {
        let status = company.call("auditor", "GET", "/api/v1/status", "").await.json();
        if status["resources"]["revision"] == status["resources"]["revision_in_effect"] {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("the gateway does not follow the store");
}

/// Calls of somebody who owns nothing and answers for nothing, so that only usage names them.
fn record_somebodys_calls(company: &Company) {
    let calls = (1..=5_u64).map(|number| {
        let id = uuid::Uuid::from_u128(u128::from(number));
        let mut event = UsageEvent::new(EventId(id), CallId(id), now(), Source::Gateway);
        event.person = Some("p-developer".parse().unwrap());
        event.key = Some("k-developer".parse().unwrap());
        event.team = Some("support".parse().unwrap());
        event.workload = Some("support-copilot".parse().unwrap());
        event.task_id = Some(format!("T-{number}"));
        event.operation = "chat".to_owned();
        event.model_requested = "gpt-5".to_owned();
        event.tokens.output = 100;
        event.cost_list_usd = Some("0.001".parse().unwrap());
        (number, Record::Usage(Box::new(event)))
    });
    let node = tally_types::NodeId(uuid::Uuid::from_u128(9));
    company.warehouse.write(node, &calls.collect::<Vec<_>>()).unwrap();
}

#[tokio::test]
async fn people_choose_for_themselves_how_they_appear() {
    let company = Company::new().await;
    let choice = company.call("ada", "GET", CHOICE, "").await.json();
    assert_eq!((&choice["shown"], &choice["by_default"]), (&"hidden".into(), &"opt_in".into()));
    assert_eq!(choice["chosen_at"], Value::Null);
    let proposed = choice["proposals"][0].as_str().unwrap();

    let body = json!({ "shown": "pseudonym", "pseudonym": proposed }).to_string();
    let chosen = company.call("ada", "PUT", CHOICE, &body).await;
    assert_eq!(chosen.status, StatusCode::OK, "{}", chosen.text);
    assert_eq!(chosen.json()["pseudonym"], proposed);
    let overview = company.call("ada", "GET", "/api/v1/scoreboards", "").await.json();
    assert_eq!(overview["shown"], "pseudonym");

    // It is hers now, however it is written; names are nobody's pseudonym.
    for taken in [proposed.to_uppercase().as_str(), "Ada", "grace", "support"] {
        let body = json!({ "shown": "pseudonym", "pseudonym": taken }).to_string();
        let reply = company.call("grace", "PUT", CHOICE, &body).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{taken}: {}", reply.text);
        assert_eq!(reply.code(), "choice_invalid");
    }
    for bad in
        [json!({ "shown": "pseudonym" }), json!({ "shown": "pseudonym", "pseudonym": "<b>" })]
    {
        let reply = company.call("grace", "PUT", CHOICE, &bad.to_string()).await;
        assert_eq!(reply.code(), "choice_invalid", "{bad}");
    }
    // A key of nobody's has nothing to choose.
    assert_eq!(company.call("robot", "GET", CHOICE, "").await.code(), "person_needed");
}

#[tokio::test]
async fn who_is_behind_a_pseudonym_is_in_no_list() {
    let company = Company::new().await;
    let body = json!({ "shown": "pseudonym", "pseudonym": "Amber Heron" }).to_string();
    company.call("ada", "PUT", CHOICE, &body).await;
    let own = company.call("ada", "GET", "/api/v1/scoreboard-choices/ada", "").await;
    assert_eq!(own.json()["spec"]["pseudonym"], "Amber Heron");
    for role in ["admin", "finops", "viewer", "manager", "grace"] {
        let path = "/api/v1/scoreboard-choices/ada";
        assert_eq!(
            company.call(role, "GET", path, "").await.status,
            StatusCode::NOT_FOUND,
            "{role}"
        );
    }
    // Nobody says it for others, by no way.
    let document = json!({ "kind": "ScoreboardChoice", "name": "ada", "spec": { "shown": "named", "at": "2026-11-20T09:12:00Z" } });
    let body = json!({ "set": "x", "documents": [document] }).to_string();
    let reply = company.call("admin", "POST", "/api/v1/apply", &body).await;
    assert!(reply.status.is_client_error(), "{}", reply.text);
}

#[tokio::test]
async fn unknown_boards_and_seasons_are_problems() {
    let company = Company::new().await;
    let company = &company;
    let board = |path: &'static str| async move {
        let reply = company.call("ada", "GET", &format!("/api/v1/scoreboards/{path}"), "").await;
        (reply.status.as_u16(), reply.code())
    };
    assert_eq!(board("nonsense").await, (404, "not_found".to_owned()));
    assert_eq!(board("return?of=people").await, (404, "not_found".to_owned()));
    for bad in ["overall?season=2027-01", "overall?season=x", "overall?limit=0", "overall?of=cats"]
    {
        assert_eq!(board(bad).await, (400, "query_invalid".to_owned()), "{bad}");
    }
    assert_eq!(board("award?quarter=2026-11").await, (400, "query_invalid".to_owned()));
}

/// Operations whose replies name people for another reason than their usage. It only shrinks.
const EXEMPT: &[(&str, &str)] = &[
    ("listPeople", "the directory: who is there, not what they do"),
    ("getPerson", "the directory"),
    ("listKeys", "whose a key is, not what it was used for"),
    ("getKey", "whose a key is"),
];

/// Addresses of what is there, so that replies have something in them.
fn address(path: &str) -> String {
    let kinds = [
        ("/scoreboards/{name}", "/scoreboards/overall?of=people&season=2026-11"),
        ("/people/{name}", "/people/p-developer"),
        ("/keys/{name}", "/keys/k-developer"),
        ("/teams/{name}", "/teams/support"),
        ("/workloads/{name}", "/workloads/support-copilot"),
        ("/cost-centers/{name}", "/cost-centers/cc-100-support"),
        ("{id}", "00000000-0000-0000-0000-000000000004"),
        ("{name}", "nothing"),
        ("{person}", "p-developer"),
    ];
    kinds.iter().fold(path.to_owned(), |path, (from, to)| path.replace(from, to))
}

/// Every `GET` of the document that answers with something that ends.
fn reads() -> Vec<(String, String)> {
    let document = openapi_document();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let Some(operation) = methods.get("get") else { continue };
        let contents = &operation["responses"]["200"]["content"];
        // The live feeds have tests of their own.
        if contents.get("text/event-stream").is_none() {
            all.push((operation["operationId"].as_str().unwrap().to_owned(), address(path)));
        }
    }
    all
}

/// Operations whose replies name somebody else than the caller.
async fn naming(company: &Company, role: &str, others: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (id, path) in reads() {
        let reply = company.call(role, "GET", &path, "").await;
        let words: Vec<&str> =
            reply.text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
        // A refusal quotes what was asked for.
        if reply.status.is_success() && others.iter().any(|name| words.contains(name)) {
            found.push(id);
        }
    }
    found
}

#[tokio::test]
async fn no_reply_about_usage_names_somebody_who_may_not_be_seen() {
    let company = Company::new().await;
    record_somebodys_calls(&company);
    record_tasks(&company);
    let exempt: Vec<&str> = EXEMPT.iter().map(|(id, _)| *id).collect();
    let check = |role: &'static str, found: Vec<String>| {
        let wrong: Vec<String> =
            found.into_iter().filter(|id| !exempt.contains(&id.as_str())).collect();
        assert!(wrong.is_empty(), "{role}: {wrong:?} name somebody");
    };
    let others = ["p-developer", "k-developer"];
    check("ada", naming(&company, "ada", &others).await);
    rules(&company, json!({ "people": "pseudonym", "minimum_group": 5 })).await;
    for role in ["ada", "viewer", "manager"] {
        check(role, naming(&company, role, &others).await);
    }
}

#[tokio::test]
async fn whoever_watches_is_told_when_something_changed() {
    let company = Company::new().await;
    // Somebody asked, so that there are standings.
    company.call("viewer", "GET", "/api/v1/scoreboards", "").await;
    let mut reader = Reader::open_at(&company, "ada", "/api/v1/scoreboards/live").await;
    let (name, first) = reader.next().await.unwrap();
    assert_eq!((name.as_str(), first["season"].as_str()), ("standings", Some("2026-11")));
    let body = json!({ "shown": "named" }).to_string();
    company.call("ada", "PUT", CHOICE, &body).await;
    let (_, second) = reader.next().await.unwrap();
    assert!(second["version"].as_u64() > first["version"].as_u64());
    company.live.close();
    assert_eq!(reader.next().await.unwrap().0, "end");
    assert!(reader.next().await.is_none());
}

/// People with tasks of one type whose outcomes a system vouches for; whoever comes first is
/// cheapest.
const COMPETITORS: [&str; 5] = ["ada", "grace", "lin", "p-developer", "p-manager"];

fn record_tasks(company: &Company) {
    let mut rows = Vec::new();
    for (place, name) in (0_i64..).zip(COMPETITORS) {
        for number in 0..25_u64 {
            let sequence = u64::try_from(rows.len()).unwrap() + 100;
            let id = uuid::Uuid::from_u128(1_000 + u128::from(sequence));
            let time = now() - std::time::Duration::from_secs(3_600 * (number + 1));
            let mut event = UsageEvent::new(EventId(id), CallId(id), time, Source::Gateway);
            event.person = Some(name.parse().unwrap());
            event.team = Some("support".parse().unwrap());
            event.workload = Some("support-copilot".parse().unwrap());
            event.task_type = Some("summarise".to_owned());
            event.task_id = Some(format!("T-{name}-{number}"));
            event.operation = "chat".to_owned();
            event.model_requested = "gpt-5".to_owned();
            event.tokens.output = 100;
            event.cost_list_usd = Some(PicoUsd::from_pico(1_000_000_000 * (place + 1)));
            rows.push((sequence, Record::Usage(Box::new(event.clone()))));
            let outcome = json!({
                "outcome_id": uuid::Uuid::from_u128(9_000 + u128::from(sequence)), "time": time,
                "workload": "support-copilot", "task_id": event.task_id, "result": "succeeded",
                "reported_by": "key:tracker",
            });
            let outcome = Record::Outcome(serde_json::from_value(outcome).unwrap());
            rows.push((sequence + 1, outcome));
        }
    }
    let node = tally_types::NodeId(uuid::Uuid::from_u128(9));
    company.warehouse.write(node, &rows).unwrap();
}

async fn board(company: &Company, role: &str, query: &str) -> Value {
    let path = format!("/api/v1/scoreboards/overall?of=people{query}");
    company.call(role, "GET", &path, "").await.json()
}

#[tokio::test]
async fn a_board_shows_people_as_they_chose_and_finds_nobody_by_their_name() {
    let company = Company::new().await;
    record_tasks(&company);
    rules(&company, json!({ "people": "pseudonym" })).await;
    for (who, choice) in
        [("ada", json!({ "shown": "named" })), ("grace", json!({ "shown": "hidden" }))]
    {
        company.call(who, "PUT", CHOICE, &choice.to_string()).await;
    }
    let seen = board(&company, "viewer", "").await;
    let rows = seen["rows"].as_array().unwrap();
    assert_eq!((rows.len(), &seen["ranked"], &seen["hidden"]), (4, &5.into(), &1.into()), "{seen}");
    assert_eq!((&rows[0]["person"], &rows[0]["rank"]), (&"ada".into(), &1.into()));
    for row in &rows[1..] {
        assert_eq!(
            (&row["person"], &row["team"], &row["volume"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
    }
    for name in ["grace", "lin", "Lin", "p-developer"] {
        assert!(!seen.to_string().contains(&format!("\"{name}\"")), "{name}: {seen}");
        assert_eq!(board(&company, "viewer", &format!("&search={name}")).await["rows"], json!([]));
    }
    let pseudonym = rows[1]["label"].as_str().unwrap().replace(' ', "%20");
    let found = board(&company, "viewer", &format!("&search={pseudonym}")).await;
    assert_eq!(found["rows"].as_array().unwrap().len(), 1);
    // Whoever is hidden sees themselves, and where they stand.
    let own = board(&company, "grace", "&limit=1").await;
    assert_eq!((&own["mine"]["rank"], &own["mine"]["is_me"]), (&2.into(), &true.into()));
    assert_eq!(own["rows"].as_array().unwrap().len(), 1);
    let around = board(&company, "grace", "&limit=2&around=me").await;
    assert!(around["rows"].as_array().unwrap().iter().any(|row| row["is_me"] == true), "{around}");
}

#[tokio::test]
async fn a_board_of_one_task_type_shows_people_by_their_names_only() {
    let company = Company::new().await;
    record_tasks(&company);
    rules(&company, json!({ "people": "pseudonym" })).await;
    company.call("ada", "PUT", CHOICE, &json!({ "shown": "named" }).to_string()).await;
    let overview = company.call("viewer", "GET", "/api/v1/scoreboards", "").await.json();
    let types = json!([{ "task_type": "summarise", "people": 5, "teams": 1 }]);
    assert_eq!(overview["task_types_of_people"], types, "{overview}");
    assert_eq!(overview["task_types_of_teams"], json!([]), "one team is too few to be compared");

    let ask = |role: &'static str, path: &'static str| {
        let company = &company;
        async move { company.call(role, "GET", &format!("/api/v1/scoreboards/{path}"), "").await }
    };
    let path = "efficiency?of=people&task_type=summarise";
    let seen = ask("viewer", path).await.json();
    let rows = seen["rows"].as_array().unwrap();
    assert_eq!((rows.len(), &seen["ranked"], &seen["hidden"]), (1, &5.into(), &4.into()), "{seen}");
    assert_eq!((&rows[0]["person"], &rows[0]["rank"]), (&"ada".into(), &1.into()));
    assert_eq!(
        (&rows[0]["volume"]["credited"], &seen["task_type"]),
        (&25.into(), &"summarise".into())
    );
    let own = ask("grace", path).await.json();
    assert_eq!((&own["mine"]["rank"], &own["listed"]), (&2.into(), &2.into()), "{own}");

    for (path, status, code) in [
        ("efficiency?of=people&task_type=nothing", 404, "not_found"),
        ("efficiency?of=people&task_type=", 404, "not_found"),
        ("efficiency?of=teams&task_type=summarise", 404, "not_found"),
        ("overall?of=people&task_type=summarise", 400, "query_invalid"),
    ] {
        let reply = ask("viewer", path).await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (status, code), "{path}");
    }
    // In works-council mode a type of few people is nobody's business.
    rules(&company, json!({ "people": "named", "minimum_group": 6 })).await;
    let overview = company.call("ada", "GET", "/api/v1/scoreboards", "").await.json();
    assert_eq!(overview["task_types_of_people"], json!([]), "{overview}");
    assert_eq!(ask("ada", path).await.status, 404);
}

#[tokio::test]
async fn a_score_is_taken_apart_for_whose_it_is() {
    let company = Company::new().await;
    record_tasks(&company);
    let mine = company.call("grace", "GET", "/api/v1/scoreboards/explain", "").await.json();
    let explanation = &mine["explanation"];
    assert_eq!((&mine["name"], &mine["is_me"]), (&"grace".into(), &true.into()), "{mine}");
    let overall = &explanation["places"][0];
    assert_eq!((&overall["board"], &overall["row"]["rank"]), (&"overall".into(), &2.into()));
    assert_eq!(explanation["efficiency"]["types"][0]["task_type"], "summarise");
    assert_eq!(explanation["tasks"][0]["count"], 25);
    assert!(explanation["advice"].as_array().unwrap().len() <= 2);
    assert_eq!(board(&company, "grace", "").await["mine"]["score"], overall["row"]["score"]);
    // Of others it is not there, whether they exist or not.
    for name in ["ada", "nobody-there"] {
        let path = format!("/api/v1/scoreboards/explain?name={name}");
        assert_eq!(company.call("grace", "GET", &path, "").await.status, 404, "{name}");
    }
    // A team's is for everybody, without its tasks.
    let path = "/api/v1/scoreboards/explain?of=teams&name=support";
    let team = company.call("viewer", "GET", path, "").await.json();
    assert_eq!((&team["lists_tasks"], &team["label"]), (&false.into(), &"support".into()));
    assert_eq!(team["explanation"]["tasks"][0]["count"], 125);
    assert!(!team.to_string().contains("T-ada"), "{team}");

    rules(&company, json!({ "people": "named", "individuals_seen_by": ["security"] })).await;
    let path = "/api/v1/scoreboards/explain?name=ada";
    assert_eq!(company.call("security", "GET", path, "").await.json()["label"], "Ada");
    assert_eq!(company.call("admin", "GET", path, "").await.status, 404);
    // Six are too many for a team of five.
    rules(&company, json!({ "minimum_group": 6 })).await;
    let teams = company.call("viewer", "GET", "/api/v1/scoreboards/overall", "").await.json();
    assert_eq!((&teams["rows"], &teams["hidden"]), (&json!([]), &1.into()), "{teams}");
    let path = "/api/v1/scoreboards/explain?of=teams&name=support";
    assert_eq!(company.call("viewer", "GET", path, "").await.status, 404);
}
