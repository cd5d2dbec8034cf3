//! Applying sets of documents.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod support;

use serde_json::json;
use support::{acme, memory, name, pruned, set, trail, yaml};
use tally_store::{
    ApplyOptions, AuditAction, ChangeAction, Snapshot, StoreError, documents::Document,
};
use tally_types::{Kind, ModelName};

fn person(name: &str, text: &str) -> Document {
    Document::new(Kind::Person, support::name(name), json!({ "display_name": text }))
}

async fn refusal(text: &str) -> String {
    let store = memory().await;
    let error = store.apply("ada", yaml(text), set("s")).await.unwrap_err();
    assert_eq!(trail(&store).await, [], "a refused set must leave nothing");
    error.to_string()
}

#[tokio::test]
async fn the_example_company_applies_and_applies_again() {
    let store = memory().await;
    let first = store.apply("ada", acme(), pruned("acme")).await.unwrap();
    assert_eq!(first.count(ChangeAction::Created), 20);
    assert_eq!(first.warnings, [""; 0]);
    assert_eq!(trail(&store).await.len(), 20);

    let again = store.apply("ada", acme(), pruned("acme")).await.unwrap();
    assert_eq!(again.count(ChangeAction::Unchanged), 20);
    assert_eq!(trail(&store).await.len(), 20);

    let snapshot = store.snapshot();
    assert_eq!(snapshot.revision, 20);
    assert_eq!(snapshot.organization_name, Some(name("acme")));
    assert_eq!(snapshot.organization.time_zone, "Europe/Berlin");
    assert_eq!(snapshot.models.len(), 5);
    assert_eq!(snapshot.people.len(), 3);
    let opus = &snapshot.models[&ModelName(name("claude-opus-4-8"))];
    assert_eq!(opus.cheaper.as_ref().unwrap().as_str(), "claude-haiku-4-5");
}

#[tokio::test]
async fn a_dry_run_reports_the_same_and_changes_nothing() {
    let store = memory().await;
    let watch = store.watch();
    let dry = ApplyOptions { dry_run: true, ..pruned("acme") };
    let planned = store.apply("ada", acme(), dry).await.unwrap();
    assert_eq!(trail(&store).await, []);
    assert_eq!(store.get(Kind::Person, &name("ada")).await.unwrap(), None);
    assert_eq!(*store.snapshot(), Snapshot::default());
    assert!(!watch.has_changed().unwrap());
    assert_eq!(store.apply("ada", acme(), pruned("acme")).await.unwrap(), planned);
    assert!(watch.has_changed().unwrap());
}

#[tokio::test]
async fn updates_show_which_fields_differ() {
    let store = memory().await;
    store.apply("ada", acme(), set("acme")).await.unwrap();
    let mut documents = acme();
    documents[17].spec["stages"][1]["at"] = json!(75);
    documents[17].spec["count"] = json!("all");
    let report = store.apply("grace", documents, set("acme")).await.unwrap();
    assert_eq!(report.count(ChangeAction::Updated), 1);
    assert_eq!(report.changes[17].version, 2);
    insta::assert_json_snapshot!(report.changes[17]);
    let entry = trail(&store).await.pop().unwrap();
    assert_eq!((entry.sequence, entry.action, entry.version), (21, AuditAction::Update, 2));
    assert_eq!(entry.actor, "grace");
    assert_eq!(entry.before.unwrap()["stages"][1]["at"], 80);
    assert_eq!(entry.after.unwrap()["stages"][1]["at"], 75);
}

#[tokio::test]
async fn prune_removes_only_what_the_set_owns() {
    let store = memory().await;
    let spec = json!({ "display_name": "by hand" });
    store.create("ada", Kind::Person, name("hand"), spec).await.unwrap();
    store.apply("ada", vec![person("a", "1"), person("b", "1")], set("one")).await.unwrap();
    store.apply("ada", vec![person("c", "1")], set("two")).await.unwrap();

    let report = store.apply("ada", vec![person("a", "1")], pruned("one")).await.unwrap();
    let pruned_names: Vec<_> = report
        .changes
        .iter()
        .filter(|change| change.action == ChangeAction::Pruned)
        .map(|change| change.name.as_str())
        .collect();
    assert_eq!(pruned_names, ["b"]);
    let left: Vec<_> = store.snapshot().people.keys().map(ToString::to_string).collect();
    assert_eq!(left, ["a", "c", "hand"]);
    assert_eq!(trail(&store).await.last().unwrap().action, AuditAction::Prune);
}

#[tokio::test]
async fn another_set_takes_over_with_a_warning() {
    let store = memory().await;
    store.create("ada", Kind::Person, name("h"), json!({})).await.unwrap();
    store.apply("ada", vec![person("a", "1"), person("b", "1")], set("one")).await.unwrap();
    let documents =
        vec![person("a", "1"), person("b", "2"), Document::new(Kind::Person, name("h"), json!({}))];
    let report = store.apply("ada", documents, set("two")).await.unwrap();
    insta::assert_snapshot!(report.warnings.join("\n"), @r"
    Person/a belonged to the set `one` and now belongs to `two`
    Person/b belonged to the set `one` and now belongs to `two`
    Person/h was made by hand and now belongs to `two`
    ");
    assert_eq!(report.changes[0].action, ChangeAction::Unchanged);
    assert_eq!(report.changes[0].version, 1);
    let taken = store.get(Kind::Person, &name("a")).await.unwrap().unwrap();
    assert_eq!((taken.applied_by.as_deref(), taken.version), (Some("two"), 1));
    let entry = &trail(&store).await[3];
    assert_eq!(entry.action, AuditAction::TakeOver);
    assert_eq!(entry.before, Some(json!({ "applied_by": "one" })));
    // The old set no longer owns them.
    let report = store.apply("ada", vec![], pruned("one")).await.unwrap();
    assert_eq!(report.changes, []);
}

#[tokio::test]
async fn dangling_references_are_refused_with_a_suggestion() {
    let text = "kind: Person\nname: grace\n---\nkind: Team\nname: t\nspec: { manager: grase, cost_center: none }\n";
    insta::assert_snapshot!(refusal(text).await, @r"
    test.yaml:4: Team/t: manager: Person `grase` does not exist; did you mean `grace`?
    test.yaml:4: Team/t: cost_center: CostCenter `none` does not exist
    ");
}

#[tokio::test]
async fn pruning_what_others_need_is_refused() {
    let store = memory().await;
    store.apply("ada", vec![person("grace", "1")], set("people")).await.unwrap();
    store
        .apply("ada", yaml("kind: Team\nname: t\nspec: { manager: grace }"), set("teams"))
        .await
        .unwrap();
    let error = store.apply("ada", vec![], pruned("people")).await.unwrap_err();
    insta::assert_snapshot!(error, @"Team/t: manager: Person `grace` would be gone");
    assert!(matches!(error, StoreError::Dangling(_)));
}

#[tokio::test]
async fn chains_of_cheaper_models_must_end() {
    let text = "kind: Provider\nname: p\nspec: { dialect: openai, base_url: \"http://x\" }\n---\n\
        kind: Model\nname: a\nspec: { provider: p, tier: economy, cheaper: b }\n---\n\
        kind: Model\nname: b\nspec: { provider: p, tier: economy, cheaper: c }\n---\n\
        kind: Model\nname: c\nspec: { provider: p, tier: economy, cheaper: b }\n---\n\
        kind: Model\nname: d\nspec: { provider: p, tier: economy, cheaper: d }\n";
    insta::assert_snapshot!(refusal(text).await);
}

#[tokio::test]
async fn a_word_means_one_model_and_a_company_is_one() {
    let text = "kind: Provider\nname: p\nspec: { dialect: openai, base_url: \"http://x\" }\n---\n\
        kind: Model\nname: a\nspec: { provider: p, tier: economy, aliases: [x, b] }\n---\n\
        kind: Model\nname: b\nspec: { provider: p, tier: economy, aliases: [x, b] }\n---\n\
        kind: Organization\nname: one\n---\nkind: Organization\nname: two\n";
    insta::assert_snapshot!(refusal(text).await);
}

#[tokio::test]
async fn wrong_specs_and_duplicates_across_files_are_refused() {
    let mut documents = vec![person("a", "1"), person("a", "2")];
    documents[0].file = "one.yaml".to_owned();
    documents[0].line = 3;
    documents[1].file = "two.yaml".to_owned();
    documents[1].line = 7;
    let store = memory().await;
    let error = store.apply("ada", documents, set("s")).await.unwrap_err();
    insta::assert_snapshot!(error, @"two.yaml:7: Person/a: stands twice; the first is on one.yaml:3, this one on line 7");
    let wrong = Document::new(Kind::Person, name("a"), json!({ "emial": "x" }));
    let error = store.apply("ada", vec![wrong], set("s")).await.unwrap_err();
    insta::assert_snapshot!(error, @"Person/a: emial: unknown field; did you mean `email`?");
    let error = store.apply("ada", vec![], set(" ")).await.unwrap_err();
    insta::assert_snapshot!(error, @"expected a name for the file set");
}
