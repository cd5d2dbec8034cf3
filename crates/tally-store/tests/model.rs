//! Random changes against a naive model.
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

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use support::{memory, name, trail};
use tally_store::{ApplyOptions, ListOptions, Store, StoreError, documents::Document};
use tally_types::Kind;

/// People refer to teams and teams to people, so that every kind of refusal comes up.
const NAMES: [&str; 3] = ["a", "b", "c"];
const SETS: [&str; 2] = ["one", "two"];

type Key = (Kind, usize);

#[derive(Debug, Clone)]
enum Step {
    Create(Key, Option<usize>),
    Update(Key, Option<usize>, i64),
    Delete(Key, Option<i64>),
    Apply { documents: Vec<(Key, Option<usize>)>, set: usize, prune: bool, dry_run: bool },
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    version: i64,
    target: Option<usize>,
    set: Option<usize>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    rows: BTreeMap<Key, Row>,
    entries: usize,
}

fn other(kind: Kind) -> Kind {
    if kind == Kind::Team { Kind::Person } else { Kind::Team }
}

fn spec((kind, _): Key, target: Option<usize>) -> Value {
    let field = if kind == Kind::Team { "manager" } else { "team" };
    target.map_or(json!({}), |target| json!({ field: NAMES[target] }))
}

impl Model {
    fn consistent(&self) -> bool {
        self.rows.iter().all(|((kind, _), row)| {
            row.target.is_none_or(|target| self.rows.contains_key(&(other(*kind), target)))
        })
    }

    /// What the step leads to; none when it must be refused.
    fn after(&self, step: &Step) -> Option<Self> {
        let mut next = self.clone();
        match step {
            Step::Create(key, target) => {
                if next.rows.contains_key(key) {
                    return None;
                }
                next.rows.insert(*key, Row { version: 1, target: *target, set: None });
                next.entries += 1;
            }
            Step::Update(key, target, version) => {
                let row = next.rows.get_mut(key).filter(|row| row.version == *version)?;
                if row.target != *target {
                    *row = Row { version: version + 1, target: *target, set: row.set };
                    next.entries += 1;
                }
            }
            Step::Delete(key, version) => {
                let row = next.rows.remove(key)?;
                if version.is_some_and(|version| version != row.version) {
                    return None;
                }
                next.entries += 1;
                // What refers to itself through others still counts as used.
            }
            Step::Apply { documents, set, prune, dry_run } => {
                for (index, (key, target)) in documents.iter().enumerate() {
                    if documents[..index].iter().any(|(earlier, _)| earlier == key) {
                        return None;
                    }
                    let before = next.rows.get(key).cloned();
                    let version = match &before {
                        Some(row) if row.target == *target => row.version,
                        Some(row) => row.version + 1,
                        None => 1,
                    };
                    let row = Row { version, target: *target, set: Some(*set) };
                    next.entries += usize::from(before.as_ref() != Some(&row));
                    next.rows.insert(*key, row);
                }
                let count = next.rows.len();
                let kept = |key: &Key| documents.iter().any(|(other, _)| other == key);
                next.rows.retain(|key, row| !*prune || row.set != Some(*set) || kept(key));
                next.entries += count - next.rows.len();
                if *dry_run {
                    return next.consistent().then(|| self.clone());
                }
            }
        }
        next.consistent().then_some(next)
    }
}

async fn run(store: &Store, step: &Step) -> Result<(), StoreError> {
    match step.clone() {
        Step::Create(key, target) => {
            store.create("p", key.0, name(NAMES[key.1]), spec(key, target)).await.map(drop)
        }
        Step::Update(key, target, version) => {
            let spec = spec(key, target);
            store.update("p", key.0, name(NAMES[key.1]), spec, version).await.map(drop)
        }
        Step::Delete(key, version) => store.delete("p", key.0, name(NAMES[key.1]), version).await,
        Step::Apply { documents, set, prune, dry_run } => {
            let documents = documents
                .into_iter()
                .map(|(key, target)| Document::new(key.0, name(NAMES[key.1]), spec(key, target)))
                .collect();
            let set = SETS[set].to_owned();
            let options = ApplyOptions { set, prune, dry_run, note: None };
            store.apply("p", documents, options).await.map(drop)
        }
    }
}

async fn stored(store: &Store) -> Model {
    let mut model = Model { entries: trail(store).await.len(), ..Model::default() };
    for kind in [Kind::Team, Kind::Person] {
        for item in store.list(kind, ListOptions::default()).await.unwrap().items {
            let position = |text: &str, all: &[&str]| all.iter().position(|name| *name == text);
            let target = item.spec.as_object().unwrap().values().next();
            let target = target.and_then(|value| position(value.as_str().unwrap(), &NAMES));
            let set = item.applied_by.and_then(|set| position(&set, &SETS));
            let key = (kind, position(item.name.as_str(), &NAMES).unwrap());
            model.rows.insert(key, Row { version: item.version, target, set });
        }
    }
    model
}

fn key() -> impl Strategy<Value = Key> {
    (prop_oneof![Just(Kind::Team), Just(Kind::Person)], 0..NAMES.len())
}

fn target() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![3 => Just(None), 2 => (0..NAMES.len()).prop_map(Some)]
}

fn step() -> impl Strategy<Value = Step> {
    let version = prop_oneof![Just(None), (1..4_i64).prop_map(Some)];
    prop_oneof![
        (key(), target()).prop_map(|(key, target)| Step::Create(key, target)),
        (key(), target(), 1..4_i64).prop_map(|(key, target, v)| Step::Update(key, target, v)),
        (key(), version).prop_map(|(key, version)| Step::Delete(key, version)),
        (vec((key(), target()), 0..4), 0..SETS.len(), any::<bool>(), any::<bool>()).prop_map(
            |(documents, set, prune, dry_run)| Step::Apply { documents, set, prune, dry_run }
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_a_map_would(steps in vec(step(), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = memory().await;
            let mut model = Model::default();
            for step in steps {
                let expected = model.after(&step);
                let done = run(&store, &step).await;
                assert_eq!(done.is_ok(), expected.is_some(), "{step:?}: {done:?}");
                model = expected.unwrap_or(model);
                assert_eq!(stored(&store).await, model, "{step:?}");
                let snapshot = store.snapshot();
                assert_eq!(snapshot.teams.len() + snapshot.people.len(), model.rows.len());
                assert_eq!(usize::try_from(snapshot.revision).unwrap(), model.entries);
            }
        });
    }
}
