//! Prices: shipped, in force, imported.

use crate::support::{Tally, run, tally};

const LITELLM: &str = r#"{
    "gpt-x": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1.25e-06, "output_cost_per_token": 1e-05},
    "dall-e-x": {"litellm_provider": "openai", "mode": "image_generation", "output_cost_per_image": 0.04}
}"#;

#[test]
fn the_shipped_prices_need_no_server() {
    let done = run(tally().args(["prices", "list", "--shipped", "--search", "haiku"]), "");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stdout.contains("claude-haiku-4-5"), "{done:?}");
    let done = run(tally().args(["prices", "show", "claude-haiku-4-5", "--shipped"]), "");
    assert!(done.stdout.contains("batch") && done.stdout.contains("as of"), "{done:?}");
    let done = run(tally().args(["prices", "show", "claude-nonesuch", "--shipped"]), "");
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("tally prices list --search claude"), "{done:?}");
}

#[test]
fn a_public_list_is_imported_and_in_force() {
    let tally = Tally::start();
    let file = tally.write("prices.json", LITELLM);
    let import = ["prices", "import", &file, "--source", "the list", "--as-of", "2026-05-01"];
    let dry: Vec<&str> = import.iter().copied().chain(["--dry-run"]).collect();
    let said = tally.succeed(&dry);
    assert!(said.contains("imported 1 price (litellm): openai 1"), "{said}");
    assert!(said.contains("left out: 1") && said.contains("openai/dall-e-x"), "{said}");
    assert!(said.contains("dry run, nothing was changed: 1 created"), "{said}");

    let said = tally.succeed(&import);
    assert!(said.contains("+ created    PriceList/litellm"), "{said}");
    let shown = tally.succeed(&["prices", "show", "gpt-x"]);
    for part in ["1.25", "10.00", "the list", "litellm@2026-05-01"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let all = tally.succeed(&["prices", "list", "--provider", "openai"]);
    assert!(all.contains("gpt-x") && all.contains("shipped@"), "{all}");
}

#[test]
fn an_imported_list_can_be_kept_as_a_file() {
    let tally = Tally::start();
    let file = tally.write("prices.json", LITELLM);
    let list = tally.folder.path().join("list.yaml").display().to_string();
    tally.succeed(&[
        "prices",
        "import",
        &file,
        "--source",
        "x",
        "--as-of",
        "2026-05-01",
        "--name",
        "ours",
        "--out",
        &list,
    ]);
    let said = tally.succeed(&["apply", "-f", &list]);
    assert!(said.contains("+ created    PriceList/ours"), "{said}");
}
