//! The life of a key.

use crate::support::{Running, Tally};

#[test]
fn a_key_is_made_used_rotated_and_revoked() {
    let sim = Running::sim();
    let tally = Tally::with_company(&sim.url);
    let text =
        tally.succeed(&["key", "create", "ada-laptop", "--person", "ada", "--expires", "30d"]);
    assert!(text.contains("the only time"), "{text}");
    assert!(text.contains(&format!("export OPENAI_BASE_URL={}/v1", tally.server.url)), "{text}");
    let secret = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("export OPENAI_API_KEY="))
        .unwrap()
        .to_owned();
    assert_eq!(tally.chat(&secret, "gpt-5").0, 200);

    let list = tally.succeed(&["key", "list"]);
    assert!(!list.contains(&secret), "{list}");
    let line = list.lines().find(|line| line.starts_with("ada-laptop")).unwrap();
    assert!(line.contains("ada") && line.ends_with("active"), "{line}");

    let rotated =
        tally.json(&["key", "rotate", "ada-laptop"])["secret"].as_str().unwrap().to_owned();
    assert_ne!(rotated, secret);
    assert_eq!(tally.chat(&rotated, "gpt-5").0, 200);
    assert_eq!(tally.chat(&secret, "gpt-5").0, 401);

    let said = tally.succeed(&["key", "revoke", "ada-laptop"]);
    assert!(said.contains("revoked"), "{said}");
    assert_eq!(tally.chat(&rotated, "gpt-5").0, 401);
    let list = tally.succeed(&["key", "list"]);
    assert!(list.lines().any(|line| line.ends_with("revoked")), "{list}");
}

#[test]
fn a_key_needs_someone_or_something_it_is_for() {
    let tally = Tally::with_company("http://127.0.0.1:9");
    let done = tally.run(&["key", "create", "nobodys"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.contains("--person"), "{done:?}");
    let said = tally.fail(&["key", "create", "x", "--person", "nobody"]);
    assert!(said.contains("nobody"), "{said}");
    tally.key(&["twice", "--person", "ada"]);
    let said = tally.fail(&["key", "create", "twice", "--person", "ada"]);
    assert!(said.contains("exists already"), "{said}");
}
