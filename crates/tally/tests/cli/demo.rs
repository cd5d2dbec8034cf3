//! The demo's company: its history, its live traffic, who may sign in, and a restart.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::{run, tally, wait_until};

/// A running demo; dropping it kills it.
struct Demo {
    child: Child,
    url: String,
    password: String,
}

// === impl Demo ===

impl Demo {
    /// Starts one and waits until it has said how to sign in.
    fn start(folder: &Path) -> Self {
        let mut child = demo(folder).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut after = |words: &str| {
            let line = lines.find(|line| line.contains(words));
            line.unwrap_or_else(|| panic!("it ended before it said `{words}`"))
        };
        let url = after("listens on ").split_once("listens on ").unwrap().1.to_owned();
        let password = after("ingrid.larsen").split_whitespace().last().unwrap().to_owned();
        // What it prints later must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url, password }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A small company's demo in this folder, on free ports.
fn demo(folder: &Path) -> Command {
    let mut command = tally();
    command
        .args(["demo", "--people", "12", "--days", "7", "--rate", "8"])
        .args(["--listen", "127.0.0.1:0", "--sim-listen", "127.0.0.1:0", "--demo-data"])
        .arg(folder);
    command
}

/// Asks the metrics layer with the administrator's key.
fn query(url: &str, folder: &Path, query: &Value) -> Value {
    let key = std::fs::read_to_string(folder.join("admin.key")).unwrap();
    let ask = async {
        let request = reqwest::Client::new()
            .post(format!("{url}/api/v1/query"))
            .bearer_auth(key.trim())
            .json(query);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{query}");
        answer.json().await.unwrap()
    };
    block_on(ask)
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// The rows of an answer, as (first dimension, first measure).
fn rows(answer: &Value) -> Vec<(String, Value)> {
    let row = |row: &Value| (row[0].as_str().unwrap_or_default().to_owned(), row[1].clone());
    answer["rows"].as_array().unwrap().iter().map(row).collect()
}

fn calls_from(url: &str, folder: &Path, source: &str) -> u64 {
    let by_source =
        json!({ "measures": ["calls"], "dimensions": ["source"], "range": "last_30_days" });
    let answer = query(url, folder, &by_source);
    let found = rows(&answer).into_iter().find(|(name, _)| name == source);
    found.and_then(|(_, calls)| calls.as_u64()).unwrap_or(0)
}

/// Money as picodollars: a decimal string with at most twelve decimals.
fn pico(money: &Value) -> i128 {
    let text = money.as_str().unwrap();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<12}").parse().unwrap()
}

#[test]
fn the_company_has_a_past_and_a_present_and_a_restart_changes_neither() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let first = Demo::start(&data);
    let history = calls_from(&first.url, &data, "simulated");
    assert!(history > 300, "{history} calls in a week");
    wait_until("people and workloads call", || calls_from(&first.url, &data, "gateway") > 4);
    wait_until("what came of their tasks is known", || {
        let tasks = json!({
            "measures": ["tasks_succeeded"], "range": "today",
            "filters": [{ "dimension": "source", "op": "eq", "values": ["gateway"] }],
        });
        query(&first.url, &data, &tasks)["total"][0].as_u64() > Some(0)
    });
    let by_team =
        json!({ "measures": ["spend_usd"], "dimensions": ["team"], "range": "last_30_days" });
    let answer = query(&first.url, &data, &by_team);
    let teams = rows(&answer);
    assert!(teams.iter().any(|(team, _)| team == "unattributed"), "{teams:?}");
    let sum: i128 = teams.iter().map(|(_, spend)| pico(spend)).sum();
    assert!(sum > 0);
    assert_eq!(sum, pico(&answer["total"][1]), "{answer}");
    drop(first);

    let second = Demo::start(&data);
    assert_eq!(calls_from(&second.url, &data, "simulated"), history);
    drop(second);
    let mut other = demo(&data);
    other.args(["--seed", "8"]);
    let refused = run(&mut other, "");
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("--seed 7 --people 12"), "{}", refused.stderr);
}

#[test]
fn people_sign_in_with_the_password_of_this_start_only() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let mut passwords: Vec<String> = Vec::new();
    for _ in 0..2 {
        let running = Demo::start(&data);
        let password = running.password.clone();
        assert!(password.len() >= 16);
        let names = ["maya.chen", "jonas.weber", "amara.okafor", "luca.rossi", "ingrid.larsen"];
        let roles = names.map(|name| sign_in(&running.url, name, &password).1["roles"][0].clone());
        assert_eq!(json!(roles), json!(["admin", "finops", "manager", "developer", "viewer"]));
        for old in &passwords {
            assert_eq!(sign_in(&running.url, "luca.rossi", old).0, 401);
        }
        passwords.push(password);
    }
}

fn sign_in(url: &str, name: &str, password: &str) -> (u16, Value) {
    block_on(async {
        let answer = reqwest::Client::new()
            .post(format!("{url}/api/v1/sign-in"))
            .json(&json!({ "name": name, "password": password }))
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    })
}

#[test]
fn it_ends_by_itself_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = demo(&folder.path().join("demo"));
    command.args(["--seconds", "1"]);
    let done = run(&mut command, "");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stdout.contains("1 seconds are over"), "{done:?}");
}
