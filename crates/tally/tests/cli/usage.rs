//! From a call to the answer of who used what.

use crate::support::{Running, Tally, wait_until};

#[test]
fn a_call_is_answered_for_by_person_team_and_model() {
    let sim = Running::sim();
    let tally = Tally::with_company(&sim.url);
    let key = tally.key(&["ada-laptop", "--person", "ada"]);
    for model in ["gpt-5", "gpt-5", "gpt-5-mini"] {
        let (status, body) = tally.chat(&key, model);
        assert_eq!(status, 200, "{body}");
    }
    wait_until("the warehouse has the calls", || {
        tally.json(&["query", "-m", "calls", "--by", "team"])["total"][1] == 3
    });

    let models = tally.succeed(&["query"]);
    assert!(models.contains("Calls") && models.contains("Spend (USD)"), "{models}");
    let line = |name: &str| models.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    assert_eq!(line("gpt-5 ").unwrap().split_whitespace().nth(1), Some("2"), "{models}");
    assert_eq!(line("total").unwrap().split_whitespace().nth(1), Some("3"), "{models}");
    assert!(models.contains("Europe/Berlin"), "{models}");

    let teams = tally.succeed(&["query", "teams", "--last", "7d", "--compare", "previous_period"]);
    assert!(teams.contains("support") && teams.contains("compared with"), "{teams}");
    for question in ["models", "apps", "people", "tasks", "latency", "calls"] {
        let text = tally.succeed(&["query", question]);
        assert!(text.contains("last 24 hours:"), "{question}: {text}");
    }

    let csv = tally.succeed(&[
        "query",
        "-m",
        "calls",
        "--by",
        "person,model",
        "--where",
        "model!=gpt-5",
        "--csv",
    ]);
    assert_eq!(csv, "person,model,calls\r\nada,gpt-5-mini,1\r\n");
    let none = tally.succeed(&["query", "--where", "team=sales"]);
    assert!(none.starts_with("No calls match these conditions."), "{none}");
    let day =
        tally.succeed(&["query", "-m", "calls", "--from", "2020-01-01", "--to-time", "2020-01-02"]);
    assert!(day.contains("2020-01-01 00:00 to 2020-01-02 00:00 (Europe/Berlin)"), "{day}");
}

#[test]
fn outcomes_are_reported_and_refused_for_a_workload_that_is_not_registered() {
    let sim = Running::sim();
    let tally = Tally::with_company(&sim.url);
    let said = tally.succeed(&[
        "outcome",
        "report",
        "--task",
        "t-1",
        "--result",
        "succeeded",
        "--quality",
        "0.9",
    ]);
    assert_eq!(said, "task `t-1`: succeeded is recorded\n");
    let said = tally.fail(&[
        "outcome",
        "report",
        "--task",
        "t-1",
        "--result",
        "failed",
        "--workload",
        "bot",
    ]);
    assert!(said.contains("`bot` is not registered"), "{said}");
    let done = tally.run(&["outcome", "report", "--task", "t-1", "--result", "maybe"]);
    assert_eq!(done.code, Some(2), "{done:?}");
}
