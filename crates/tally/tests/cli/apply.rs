//! Configuration as code.

use crate::support::{COMPANY, Tally, run};

const PROVIDER: &str = "http://127.0.0.1:9";

#[test]
fn files_are_applied_once_and_show_what_changes() {
    let tally = Tally::start();
    let text = COMPANY.replace("SIM", PROVIDER);
    let file = tally.write("company.yaml", &text);

    let dry = tally.succeed(&["apply", "-f", &file, "--dry-run"]);
    assert!(dry.contains("+ created    Team/support"), "{dry}");
    assert!(dry.contains("dry run, nothing was changed: 8 created"), "{dry}");
    assert_eq!(tally.json(&["get", "teams"]), serde_json::json!([]));

    let first = tally.succeed(&["apply", "-f", &file, "--note", "first"]);
    assert!(first.ends_with("8 created\n"), "{first}");
    let again = tally.succeed(&["apply", "-f", &file]);
    assert!(again.ends_with("8 unchanged\n"), "{again}");

    let file = tally.write("company.yaml", &text.replace("customer-care", "sales"));
    let changed = tally.succeed(&["apply", "-f", &file]);
    assert!(changed.contains("~ updated    Team/support"), "{changed}");
    assert!(changed.contains("department: customer-care → sales"), "{changed}");

    let audit = tally.succeed(&["audit", "list", "--kind", "team", "--name", "support"]);
    let actions: Vec<&str> = audit.lines().skip(2).collect();
    assert_eq!(actions.len(), 2, "{audit}");
    assert!(actions[0].contains("update") && actions[1].contains("create"), "{audit}");
    assert!(actions[1].ends_with("first"), "{audit}");
}

#[test]
fn what_get_prints_as_yaml_changes_nothing_when_applied() {
    let tally = Tally::with_company(PROVIDER);
    for kind in ["organizations", "Provider", "model", "cost-center", "teams", "people"] {
        let yaml = tally.succeed(&["get", kind, "-o", "yaml"]);
        let done = run(&mut tally.command(&["apply", "-f", "-", "--set", "company"]), &yaml);
        assert_eq!(done.code, Some(0), "{done:?}\n{yaml}");
        assert!(done.stdout.contains(" unchanged\n"), "{done:?}");
        assert!(!done.stdout.contains("updated"), "{done:?}");
    }
    let one = tally.succeed(&["get", "team", "support"]);
    assert!(one.starts_with("kind: Team\nname: support\n"), "{one}");
    let table = tally.succeed(&["get", "teams"]);
    assert!(table.lines().nth(2).unwrap().starts_with("support "), "{table}");
}

#[test]
fn prune_deletes_only_what_the_set_created() {
    let tally = Tally::with_company(PROVIDER);
    let text = "kind: CostCenter\nname: cc-extra\nspec: { owner: grace, chargeback: { model: showback } }\n";
    let file = tally.write("extra.yaml", text);
    tally.succeed(&["apply", "-f", &file]);
    let done = run(&mut tally.command(&["apply", "-f", "-", "--set", "extra", "--prune"]), "");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stdout.contains("- pruned     CostCenter/cc-extra"), "{done:?}");
    assert!(done.stdout.ends_with("1 pruned\n"), "{done:?}");
}

#[test]
fn every_mistake_is_named_with_file_and_line() {
    let tally = Tally::start();
    let file = tally.write(
        "bad.yaml",
        "kind: Tema\nname: a\nspec: {}\n---\nkind: Model\nname: m\nspec: { provider: p, tier: fronteer }\n",
    );
    let said = tally.fail(&["apply", "-f", &file]);
    assert!(said.contains("bad.yaml:1:") && said.contains("did you mean `Team`"), "{said}");
    assert!(said.contains("bad.yaml:7:") && said.contains("tier"), "{said}");
    assert!(said.contains("2 mistakes; nothing was applied"), "{said}");

    // What only the server can know names its place as well.
    let file = tally.write(
        "dangling.yaml",
        "kind: Model\nname: m\nspec: { provider: nobody, tier: economy }\n",
    );
    let said = tally.fail(&["apply", "-f", &file]);
    assert!(said.contains("dangling.yaml:1") && said.contains("nobody"), "{said}");
    assert!(said.contains("next step:"), "{said}");
}

#[test]
fn what_does_not_exist_is_said_with_what_was_probably_meant() {
    let tally = Tally::with_company(PROVIDER);
    let said = tally.fail(&["get", "team", "suport"]);
    assert!(said.contains("did you mean `support`"), "{said}");
    let done = tally.run(&["get", "widgets"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.contains("CostCenter"), "{done:?}");
}
