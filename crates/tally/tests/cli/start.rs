//! How a server starts: with nothing, with mistakes, and with a store that is broken.

use std::fs;

use crate::support::{COMPANY, Running, Tally, run, tally, wait_until};

#[test]
fn a_mistake_in_the_configuration_is_told_before_any_port_is_bound() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tally.toml");
    fs::write(&file, "[journal]\nbyte_max = 5\n").unwrap();
    let data = folder.path().join("data");
    let mut command = tally();
    command.args(["serve", "--config"]).arg(&file).arg("--data").arg(&data);
    let done = run(&mut command, "");
    assert_eq!(done.code, Some(1));
    for word in ["tally.toml", "line 2", "byte_max", "bytes_max"] {
        assert!(done.stderr.contains(word), "`{word}` in: {}", done.stderr);
    }
    assert!(!data.exists(), "nothing was opened");
}

#[test]
fn a_mistake_in_applied_resources_names_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("company.yaml");
    fs::write(&file, "kind: Team\nname: a\nspec: { managr: x }\n").unwrap();
    let mut command = tally();
    command.args(["serve", "--listen", "127.0.0.1:0", "--apply"]).arg(&file);
    command.arg("--data").arg(folder.path().join("data"));
    let done = run(&mut command, "");
    assert_eq!(done.code, Some(1));
    assert!(
        done.stderr.contains("company.yaml:3") && done.stderr.contains("manager"),
        "{}",
        done.stderr
    );
}

#[test]
fn two_servers_do_not_share_a_folder() {
    let tally_one = Tally::start();
    let mut command = tally();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(tally_one.data());
    let done = run(&mut command, "");
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains("another tally"), "{}", done.stderr);
}

#[tokio::test]
async fn calls_are_served_by_the_saved_snapshot_when_the_store_is_broken() {
    let sim = Running::sim();
    let folder = tempfile::tempdir().unwrap();
    let company = folder.path().join("company.yaml");
    let key = "\n---\nkind: Key\nname: ada\nspec: { person: ada, secret: { env: TEST_KEY } }\n";
    fs::write(&company, COMPANY.replace("SIM", &sim.url) + key).unwrap();
    let data = folder.path().join("data");
    let secret = "tally_0123456789abcdefghijkl";
    let serve = || {
        let mut command = tally();
        command.env("TEST_KEY", secret).args(["serve", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(&data);
        command
    };
    let first = Running::start(serve().arg("--apply").arg(&company));
    wait_until("the snapshot is saved", || data.join("snapshot.json").exists());
    drop(first);
    for file in ["store.db", "store.db-wal", "store.db-shm"] {
        let _ = fs::remove_file(data.join(file));
    }
    fs::write(data.join("store.db"), "this is no database, and long enough to be told from one")
        .unwrap();

    let second = Running::start(&mut serve());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let call = client
        .post(format!("{}/v1/chat/completions", second.url))
        .bearer_auth(secret)
        .body(r#"{"model":"gpt-5-mini","messages":[{"role":"user","content":"hello"}]}"#)
        .send()
        .await
        .unwrap();
    assert_eq!(call.status(), 200);
    let api = client
        .get(format!("{}/api/v1/models", second.url))
        .bearer_auth(secret)
        .send()
        .await
        .unwrap();
    assert_eq!(api.status(), 503);
}
