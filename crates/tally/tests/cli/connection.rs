//! Reaching Tally, and being let in.

use std::net::TcpListener;

use crate::support::{Tally, run, tally};

#[test]
fn when_nothing_listens_it_says_what_to_start() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let done = run(tally().args(["status", "--to", &format!("http://{address}")]), "");
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains(&address.to_string()), "{done:?}");
    assert!(done.stderr.contains("tally serve"), "{done:?}");
}

#[test]
fn a_fresh_tally_is_ready_and_says_what_to_do_first() {
    let tally = Tally::start();
    let status = tally.succeed(&["status"]);
    assert!(status.starts_with(&format!("{} is ready", tally.server.url)), "{status}");
    let query = tally.succeed(&["query"]);
    assert!(query.contains("No calls were metered"), "{query}");
    assert!(query.contains("tally key create"), "{query}");
    let kinds = tally.succeed(&["get"]);
    assert!(kinds.contains("tally get cost-centers"), "{kinds}");
    let catalog = tally.succeed(&["query", "--list"]);
    assert!(catalog.contains("spend_usd"), "{catalog}");
}

#[test]
fn a_missing_key_a_wrong_key_and_a_missing_role_are_told_apart() {
    let tally = Tally::start();
    let mut elsewhere = tally.command(&["get"]);
    let done = run(elsewhere.env("TALLY_DATA", "/nonexistent"), "");
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("/nonexistent/admin.key does not exist"), "{done:?}");

    let wrong = "tally_0123456789abcdefghijkl";
    let done = run(tally.command(&["get"]).env("TALLY_KEY", wrong), "");
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("--key") && !done.stderr.contains(wrong), "{done:?}");

    let viewer = tally.key(&["eyes", "--role", "viewer"]);
    let file = tally.write("x.yaml", "kind: Organization\nname: acme\nspec: { time_zone: UTC }\n");
    let done = run(tally.command(&["apply", "-f", &file]).env("TALLY_KEY", &viewer), "");
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("role") && !done.stderr.contains(&viewer), "{done:?}");
    let done = run(tally.command(&["get", "keys"]).env("TALLY_KEY", &viewer), "");
    assert_eq!(done.code, Some(0), "{done:?}");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let mut child = tally()
        .args(["prices", "list", "--shipped"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert!(output.status.success());
}
