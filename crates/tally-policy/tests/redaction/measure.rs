//! The measurement, the promises it has to keep, and the table in `docs/redaction.md`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::{Path, PathBuf},
};

use tally_policy::redact::{DataKind, Detector, Finding};

use crate::{
    negatives::{FILES, files},
    texts::{SEED, Sample, TEXTS, corpus},
    values::KINDS,
};

const BEGIN: &str =
    "<!-- measured: UPDATE_REDACTION=1 cargo nextest run -p tally-policy measured -->";
const END: &str = "<!-- /measured -->";

#[derive(Default, Clone, Copy)]
struct Score {
    known: usize,
    found: usize,
    told: usize,
    right: usize,
}

impl Score {
    fn recall(self) -> f64 {
        self.found as f64 / self.known as f64
    }

    fn precision(self) -> f64 {
        self.right as f64 / self.told as f64
    }
}

fn everything() -> Detector {
    Detector::new(&BTreeSet::from(DataKind::BUILT_IN), &[])
}

/// Every value that counts as found is covered whole, by a finding of its own kind.
fn scores(corpus: &[Sample]) -> BTreeMap<&'static str, Score> {
    let detector = everything();
    let mut scores: BTreeMap<&'static str, Score> = BTreeMap::new();
    for sample in corpus {
        let findings = detector.find(&sample.text);
        for (kind, range) in &sample.known {
            let covers = |it: &Finding| {
                it.kind.as_str() == *kind
                    && it.range.start <= range.start
                    && it.range.end >= range.end
            };
            let is_found = findings.iter().any(covers);
            let score = scores.entry(kind).or_default();
            score.known += 1;
            score.found += usize::from(is_found);
            if !is_found && shows_misses() {
                eprintln!("missed {kind}: {:?} in {:?}", &sample.text[range.clone()], sample.text);
            }
        }
        for finding in &findings {
            let kind = KINDS.into_iter().find(|kind| *kind == finding.kind.as_str()).unwrap();
            let overlaps = sample.known.iter().any(|(known, range)| {
                *known == kind && finding.range.start < range.end && range.start < finding.range.end
            });
            let score = scores.entry(kind).or_default();
            score.told += 1;
            score.right += usize::from(overlaps);
            if !overlaps && shows_misses() {
                eprintln!(
                    "wrong {kind}: {:?} in {:?}",
                    &sample.text[finding.range.clone()],
                    sample.text
                );
            }
        }
    }
    scores
}

fn shows_misses() -> bool {
    std::env::var_os("SHOW_MISSES").is_some()
}

#[test]
fn what_is_promised_is_found() {
    // Others than the documented one: nothing was ever adjusted to those.
    for seed in [SEED, 1, 2] {
        keeps_its_promises(&corpus(seed));
    }
}

fn keeps_its_promises(corpus: &[Sample]) {
    let languages: BTreeSet<&str> = corpus.iter().map(|sample| sample.language).collect();
    assert!(corpus.len() >= 2_000 && languages.len() >= 5);
    let scores = scores(corpus);
    for kind in ["credit_card", "iban", "email", "secret"] {
        let recall = scores[kind].recall();
        assert!(recall >= 0.98, "{kind}: {recall:.4}");
    }
    for (kind, score) in &scores {
        assert!(score.known >= 500 && score.recall() >= 0.95, "{kind}: {:.4}", score.recall());
        assert!(score.precision() >= 0.98, "{kind}: {:.4}", score.precision());
    }
}

fn is_clean(detector: &Detector, name: &str, text: &str) -> bool {
    let findings = detector.find(text);
    if shows_misses() {
        for finding in &findings {
            eprintln!("{name}: {} {:?}", finding.kind, &text[finding.range.clone()]);
        }
    }
    findings.is_empty()
}

fn clean_by_kind() -> BTreeMap<&'static str, (usize, usize)> {
    let detector = everything();
    let mut clean = BTreeMap::<&'static str, (usize, usize)>::new();
    for file in files() {
        let count = clean.entry(file.kind).or_default();
        count.0 += usize::from(is_clean(&detector, file.kind, &file.text));
        count.1 += 1;
    }
    clean
}

#[test]
fn where_nothing_is_nothing_is_found() {
    let clean = clean_by_kind();
    let (left_alone, all) = clean.values().fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
    assert!(all == FILES && all >= 500);
    assert!(left_alone as f64 / all as f64 >= 0.98, "{left_alone} of {all}");
}

/// Real files: this workspace's own sources and documentation. What tests and examples
/// hold on purpose is told by its place (test files) or its name (reserved domains).
#[test]
fn the_workspaces_own_files_are_left_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let mut paths = Vec::new();
    collect(&root.join("crates"), &mut paths);
    collect(&root.join("docs"), &mut paths);
    collect(&root.join("web/src"), &mut paths);
    let kinds = DataKind::BUILT_IN.into_iter().filter(|kind| *kind != DataKind::Email);
    let detector = Detector::new(&kinds.collect(), &[]);
    let mut clean = 0;
    for path in &paths {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        // What stands behind it are the file's own tests.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        clean += usize::from(is_clean(&detector, &path.display().to_string(), text));
    }
    eprintln!("{clean} of {} files", paths.len());
    assert!(paths.len() > 100, "{}", paths.len());
    assert!(clean as f64 / paths.len() as f64 >= 0.98, "{clean} of {}", paths.len());
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let skipped =
        ["tests", "target", "node_modules", "redact", "redaction", "demo", "prices", "snapshots"];
    let kept = ["rs", "md", "ts", "svelte", "sql", "json", "css"];
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !skipped.contains(&name) {
            collect(&path, paths);
        } else if path
            .extension()
            .is_some_and(|end| kept.contains(&end.to_str().unwrap_or_default()))
            && !name.contains("test")
            && name != "redaction.md"
        {
            paths.push(path);
        }
    }
}

fn table() -> String {
    let corpus = corpus(SEED);
    let mut table = format!(
        "{TEXTS} texts in 8 languages:\n\n| kind | values | recall | precision |\n|---|---|---|---|\n"
    );
    for (kind, score) in scores(&corpus) {
        let (recall, precision) = (score.recall(), score.precision());
        writeln!(table, "| `{kind}` | {} | {recall:.4} | {precision:.4} |", score.known).unwrap();
    }
    table.push_str("\nFiles that hold nothing, and in how many of them nothing was found:\n\n| files | | left alone |\n|---|---|---|\n");
    let mut sum = (0, 0);
    for (kind, (clean, all)) in clean_by_kind() {
        sum = (sum.0 + clean, sum.1 + all);
        writeln!(table, "| {kind} | {all} | {clean} |").unwrap();
    }
    let share = sum.0 as f64 / sum.1 as f64;
    writeln!(table, "| all | {} | {} ({share:.4}) |", sum.1, sum.0).unwrap();
    table
}

#[test]
fn the_measured_numbers_are_those_in_the_documentation() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/redaction.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (front, rest) = text.split_once(BEGIN).expect("the place of the table");
    let (stands, back) = rest.split_once(END).unwrap();
    let measured = format!("\n{}", table());
    if std::env::var_os("UPDATE_REDACTION").is_some() {
        std::fs::write(&path, format!("{front}{BEGIN}{measured}{END}{back}")).unwrap();
        return;
    }
    assert_eq!(stands, measured, "stale: {BEGIN}");
}

/// The corpus as JSON lines, to measure other detectors on.
#[test]
fn the_corpus_can_be_written_down() {
    let Some(path) = std::env::var_os("EXPORT_CORPUS") else { return };
    let mut lines = String::new();
    for sample in corpus(SEED) {
        let known: Vec<_> =
            sample.known.iter().map(|(kind, range)| (kind, range.start, range.end)).collect();
        let line = serde_json::json!({ "text": sample.text, "known": known });
        writeln!(lines, "{line}").unwrap();
    }
    for file in files() {
        writeln!(lines, "{}", serde_json::json!({ "text": file.text, "none": file.kind })).unwrap();
    }
    std::fs::write(path, lines).unwrap();
}
