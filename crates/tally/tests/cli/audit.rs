//! The audit log from end to end: a real Tally exports it, another process verifies it,
//! and finds whatever was done to it.

use std::{fs, path::Path};

use crate::support::{Done, Running, Tally, run, tally, wait_until};

/// Verifies in a process that shares nothing with the server.
fn verify(file: &str, arguments: &[&str]) -> Done {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = tally();
    command.current_dir(elsewhere.path()).args(["audit", "verify", file]).args(arguments);
    run(&mut command, "")
}

fn found(tally: &Tally, lines: &[String], arguments: &[&str]) -> String {
    let file = tally.write("changed.ndjson", &(lines.join("\n") + "\n"));
    let done = verify(&file, arguments);
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{}", done.stderr);
    done.stderr
}

fn export(tally: &Tally, name: &str) -> (String, Vec<String>) {
    let path = tally.folder.path().join(name).display().to_string();
    tally.succeed(&["audit", "export", "--out", &path]);
    let lines = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
    (path, lines)
}

#[test]
fn whatever_is_done_to_an_exported_log_is_found() {
    let sim = Running::sim();
    let tally = Tally::with_company(&sim.url);
    let early = tally.folder.path().join("early.txt").display().to_string();
    tally.succeed(&["audit", "checkpoint", "--out", &early]);
    tally.key(&["ada-laptop", "--person", "ada"]);
    let (file, lines) = export(&tally, "log.ndjson");
    let trusted = ["--checkpoint", early.as_str()];
    let whole = verify(&file, &trusted);
    assert_eq!(whole.code, Some(0), "{}", whole.stderr);
    assert!(whole.stdout.contains("is whole") && whole.stdout.contains("1 earlier ones agree"));
    let alone = verify(&file, &[]).stdout;
    assert!(alone.contains("Nothing that you had before vouches"), "{alone}");

    let entry = lines.iter().position(|line| line.contains("ada@acme.test")).unwrap();
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        lines
    };
    let flipped = with(&|lines| lines[entry] = lines[entry].replace("ada@acme", "adb@acme"));
    let said = found(&tally, &flipped, &[]);
    assert!(said.contains(&format!("line {}: entry", entry + 1)) && said.contains("was changed"));
    let dropped = with(&|lines| drop(lines.remove(entry)));
    assert!(found(&tally, &dropped, &[]).contains("is missing"));
    let inserted = with(&|lines| lines.insert(entry, lines[entry].clone()));
    assert!(found(&tally, &inserted, &[]).contains("inserted or reordered"));
    let reordered = with(&|lines| lines.swap(entry, entry - 1));
    assert!(found(&tally, &reordered, &[]).contains("is missing"));
    let cut = with(&|lines| lines.truncate(lines.len() - 2));
    assert!(found(&tally, &cut, &[]).contains("entries were cut off"));
    // Each of so many bytes, all over the file.
    let text = fs::read_to_string(&file).unwrap();
    for place in (7..text.len()).step_by(text.len() / 12) {
        let mut bytes = text.clone().into_bytes();
        bytes[place] ^= 1;
        let path = tally.folder.path().join("flipped.ndjson");
        fs::write(&path, bytes).unwrap();
        let done = verify(&path.display().to_string(), &trusted);
        assert_eq!(done.code, Some(1), "byte {place}: {}", done.stdout);
        assert!(!done.stderr.is_empty());
    }
}

#[test]
fn a_whole_log_made_anew_is_found_by_an_earlier_checkpoint() {
    let sim = Running::sim();
    let honest = Tally::with_company(&sim.url);
    let early = honest.folder.path().join("early.txt").display().to_string();
    honest.succeed(&["audit", "checkpoint", "--out", &early]);
    let key = honest.api("/api/v1/audit/keys")["keys"][0]["key"].as_str().unwrap().to_owned();
    // Another history, signed with the very key of the first.
    let data = tempfile::tempdir().unwrap();
    fs::copy(honest.data().join("audit.key"), data.path().join("audit.key")).unwrap();
    let mut command = tally();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data.path());
    let server = Running::start(&mut command);
    let ask = |arguments: &[&str]| {
        let mut command = tally();
        command.args(arguments).env("TALLY_TO", &server.url).env("TALLY_DATA", data.path());
        run(&mut command, "")
    };
    wait_until("it is ready", || ask(&["status"]).code == Some(0));
    for name in 0..20 {
        ask(&["key", "create", &format!("k{name}"), "--role", "viewer"]);
    }
    let forged = data.path().join("forged.ndjson").display().to_string();
    assert_eq!(ask(&["audit", "export", "--out", &forged]).code, Some(0));
    assert_eq!(verify(&forged, &["--public-key", &key]).code, Some(0), "its signatures are good");
    let done = verify(&forged, &["--checkpoint", &early]);
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains("the log was rewritten since"), "{}", done.stderr);
}

#[test]
fn an_entry_is_proven_and_a_key_turned() {
    let sim = Running::sim();
    let tally = Tally::with_company(&sim.url);
    let key =
        |at: usize| tally.api("/api/v1/audit/keys")["keys"][at]["key"].as_str().unwrap().to_owned();
    let proof = tally.folder.path().join("proof.json").display().to_string();
    tally.succeed(&["audit", "prove", "--entry", "4", "--out", &proof]);
    let done = verify(&proof, &["--public-key", &key(0)]);
    assert!(done.stdout.contains("Entry 4"), "{done:?}");
    tally.succeed(&["audit", "rotate-key"]);
    let (file, _) = export(&tally, "log.ndjson");
    assert_eq!(
        verify(&file, &["--public-key", &key(0)]).code,
        Some(0),
        "the second follows from the first"
    );
    // The same from the exported file alone.
    let offline = |arguments: &[&str]| {
        let mut command = crate::support::tally();
        run(command.args(["audit"]).args(arguments), "")
    };
    offline(&["prove", &file, "--entry", "4", "--out", &proof]);
    assert!(verify(&proof, &["--public-key", &key(0)]).stderr.contains("no signature of a key"));
    assert_eq!(verify(&proof, &["--public-key", &key(1)]).code, Some(0));
    let changed = fs::read_to_string(&proof).unwrap().replace("create", "delete");
    let changed = tally.write("changed.json", &changed);
    assert_eq!(verify(&changed, &["--public-key", &key(1)]).code, Some(1));
    let last = offline(&["checkpoint", &file]).stdout;
    assert!(last.starts_with("tally/") && last.contains("\n\n— tally/"), "{last}");
}

#[test]
fn an_erased_person_is_gone_and_the_log_is_whole() {
    let sim = Running::sim();
    let tally = Tally::with_company(&sim.url);
    let early = tally.folder.path().join("early.txt").display().to_string();
    tally.succeed(&["audit", "checkpoint", "--out", &early]);
    tally.succeed(&["erase", "person", "ada", "--reason", "left the company"]);
    let (file, lines) = export(&tally, "log.ndjson");
    assert!(!lines.join("").contains("ada@acme.test"));
    assert!(!tally.succeed(&["get", "people", "ada", "--json"]).contains("ada@acme.test"));
    let done = verify(&file, &["--checkpoint", &early]);
    assert!(done.stdout.contains("something was erased; their proofs hold"), "{done:?}");
    let list = tally.data().join("erasures.json");
    wait_until("the list is kept", || {
        fs::read_to_string(&list).is_ok_and(|text| text.contains("ada"))
    });
    // A store that still knows her, beside that list: it is brought to forget, too.
    let restored = tempfile::tempdir().unwrap();
    fs::copy(&list, restored.path().join("erasures.json")).unwrap();
    let company = tally.folder.path().join("company.yaml");
    let mut command = crate::support::tally();
    command.args(["serve", "--listen", "127.0.0.1:0", "--apply"]).arg(&company);
    let server = Running::start(command.arg("--data").arg(restored.path()));
    let mut ask = crate::support::tally();
    ask.args(["get", "people", "--json"]).env("TALLY_TO", &server.url);
    let people = run(ask.env("TALLY_DATA", restored.path()), "").stdout;
    assert!(people.contains("grace@acme.test") && !people.contains("ada@acme.test"), "{people}");
}

#[test]
fn checkpoints_are_published_and_refusals_are_in_the_log() {
    let sim = Running::sim();
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().display();
    let tally = Tally::start_with(
        &format!("[audit]\ncheckpoint_s = 1\npublish_file = \"{folder}\"\n"),
        &[],
    );
    let company = crate::support::COMPANY.replace("SIM", &sim.url);
    let file = tally.write("company.yaml", &company);
    tally.succeed(&["apply", "-f", &file]);
    let key = tally.key(&["ada-laptop", "--person", "ada"]);
    assert_eq!(tally.chat(&key, "no-such-model").0, 404);
    wait_until("the refusal is in the log", || {
        let newest = tally.api("/api/v1/audit?limit=3");
        let items = newest["items"].as_array().unwrap().clone();
        items.iter().any(|one| one["action"] == "decisions" && one["after"]["count"] == 1)
    });
    wait_until("a checkpoint of it is published", || published(outside.path()) > 0);
    let (file, _) = export(&tally, "log.ndjson");
    let every: Vec<String> = fs::read_dir(outside.path())
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    for checkpoint in every.iter().filter(|path| path.ends_with(".txt")) {
        assert_eq!(verify(&file, &["--checkpoint", checkpoint]).code, Some(0));
    }
}

fn published(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}
