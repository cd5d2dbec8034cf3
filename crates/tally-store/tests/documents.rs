//! Files of resources: what is read, and what mistakes are called.
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

use std::path::Path;

use serde_json::json;
use support::ACME;
use tally_store::documents::{DOCUMENTS_MAX, FILE_BYTES_MAX, Format, parse_documents};
use tally_types::Kind;

fn errors_in(text: &str, format: Format) -> String {
    let errors = parse_documents("acme.yaml", text, format).unwrap_err();
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn errors(text: &str) -> String {
    errors_in(text, Format::Yaml)
}

#[test]
fn the_example_company_is_read_as_it_stands() {
    let documents = parse_documents("acme.yaml", ACME, Format::Yaml).unwrap();
    assert_eq!(documents.len(), 20);
    assert_eq!(documents[0].kind, Kind::Organization);
    assert_eq!(documents[0].line, 3);
    assert_eq!(documents[9].spec["chargeback"]["until"], "2027-06-30");
    assert_eq!(documents[14].spec["slo"]["cost_per_successful_task_usd"], "0.05");
}

#[test]
fn all_formats_say_the_same() {
    let yaml = "kind: Team\nname: a\nspec: { manager: ada }\n--- # next\nkind: cost-centers\nname: b\nspec:\n  owner: ada\n  chargeback: { model: subsidy, until: 2027-06-30 }\n";
    let toml = "[[resource]]\nkind = 'Team'\nname = 'a'\nspec = { manager = 'ada' }\n[[resource]]\nkind = 'CostCenter'\nname = 'b'\n[resource.spec]\nowner = 'ada'\nchargeback = { model = 'subsidy', until = 2027-06-30 }\n";
    let json = json!([
        { "kind": "Team", "name": "a", "spec": { "manager": "ada" } },
        { "kind": "CostCenter", "name": "b",
          "spec": { "owner": "ada", "chargeback": { "model": "subsidy", "until": "2027-06-30" } } },
    ]);
    let read = |text: &str, format| {
        let documents = parse_documents("f", text, format).unwrap();
        documents.into_iter().map(|d| (d.kind, d.name, d.spec)).collect::<Vec<_>>()
    };
    let expected = read(yaml, Format::Yaml);
    assert_eq!(read(toml, Format::Toml), expected);
    assert_eq!(read(&json.to_string(), Format::Json), expected);
    assert_eq!(read(&json[0].to_string(), Format::Json)[..], expected[..1]);
}

#[test]
fn mistakes_name_line_field_and_what_was_meant() {
    let text = "\
kind: Budget
name: support-month
spec:
  owner: grace
  scope: { team: support }
  limit: { usd: \"2000\" }
  window: { calendar: month }
  stages:
    - { at: 70, notify: [owner] }
    - att: 80
      approval: [finops]
---
kind: Budgett
name: b
spec: {}
---
kind: Provider
name: openai
spec: { dialect: openia, base_url: \"http://x\" }
---
kind: Provider
nam: gemini
spec: { dialect: gemini, base_url: \"ftp://x\", retries_max: 99 }
---
kind: Budget
name: c
spec: { owner: grace, scope: {}, limit: { usdd: 1 }, window: { calendar: month } }
---
kind: Person
name: 12
---
kind: Person
name: ada
spec: { display_name: 12, roles: [developer] }
---
kind: Person
name: { a: b
---
kind: Team
name: not allowed
---
kind: CostCenter
name: cc
---
- a list
---
kind: Policy
name: p
spec: { rules: [{ id: a, when: 'true', then: denny, says: x }] }
";
    insta::assert_snapshot!(errors(text));
}

#[test]
fn mistakes_in_toml_and_json_have_lines_too() {
    let toml = "[[resource]]\nkind = 'Team'\nname = 'a'\n[resource.spec]\nmanagr = 'ada'\n[other]\nx = 1\n";
    let broken = "[[resource]]\nkind = \n";
    let json = "[\n {\"kind\": \"Team\",\n  \"name\": \"a\",\n  \"spec\": {\"managr\": \"ada\"}},\n {\"kind\": \"Team\", \"kind\": \"Team\"}\n]";
    let cut = "[{\"kind\": \"Team\",";
    let all = [
        errors_in(toml, Format::Toml),
        errors_in(broken, Format::Toml),
        errors_in(json, Format::Json),
        errors_in(cut, Format::Json),
    ];
    insta::assert_snapshot!(all.join("\n--\n"));
}

#[test]
fn the_same_name_twice_is_refused_with_both_lines() {
    let text = "kind: Team\nname: a\nspec: {}\n---\nkind: Team\nname: a\nspec: {}\n";
    insta::assert_snapshot!(errors(text), @"acme.yaml:5: Team/a: stands twice; the first is on line 1, this one on line 5");
    let key = "kind: Team\nname: a\nname: b\n";
    insta::assert_snapshot!(errors(key));
}

#[test]
fn separators_comments_and_directives_make_no_documents() {
    let text = "\u{feff}%YAML 1.2\n---\n# nothing\n---\n---\nkind: Team\nname: a\n...\n# end\nkind: Team\nname: b\nspec:\n";
    let documents = parse_documents("f", text, Format::Yaml).unwrap();
    let lines: Vec<usize> = documents.iter().map(|document| document.line).collect();
    assert_eq!(lines, [6, 10]);
    assert_eq!(parse_documents("f", "", Format::Yaml).unwrap(), []);
    assert_eq!(parse_documents("f", "", Format::Toml).unwrap(), []);
    assert!(parse_documents("f", "", Format::Json).is_err());
}

#[test]
fn hostile_files_are_refused_without_harm() {
    let mut bomb = "a: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{},", level - 1).repeat(10);
        bomb += &format!("b{level}: &a{level} [{before}]\n");
    }
    let wide = format!("a: &a {}\nb: [{}]\n", "x".repeat(1_000_000), "*a,".repeat(100_000));
    let deep = 200_000;
    let cases = [
        (bomb, Format::Yaml),
        (wide, Format::Yaml),
        ("[".repeat(deep), Format::Yaml),
        ("{a: ".repeat(deep), Format::Yaml),
        ("- ".repeat(deep), Format::Yaml),
        ("- ".repeat(30), Format::Yaml),
        (format!("{}{}", "[".repeat(30), "]".repeat(30)), Format::Yaml),
        (format!("{}1{}", "{a: ".repeat(30), "}".repeat(30)), Format::Yaml),
        ("kind: Team\nname: \"a\0b\"\n".to_owned(), Format::Yaml),
        ("kind: Team\nname: a\nspec: *nothing\n".to_owned(), Format::Yaml),
        ("kind: &a [*a]\n".to_owned(), Format::Yaml),
        ("? [a]\n: b\n".to_owned(), Format::Yaml),
        ("kind: Team\nname: a\nspec: { department: .inf }\n".to_owned(), Format::Yaml),
        ("[".repeat(deep), Format::Json),
        (format!("{}{}", "[".repeat(deep), "]".repeat(deep)), Format::Json),
        (format!("{}1{}", "{\"a\":".repeat(deep), "}".repeat(deep)), Format::Json),
        (r#"{"kind":"Team","name":"\ud800","spec":{}}"#.to_owned(), Format::Json),
        (r#"{"kind":"Team","name":"a\u0000","spec":{}}"#.to_owned(), Format::Json),
        (format!("resource = {}", "[".repeat(deep)), Format::Toml),
        (format!("{}a = 1", "a.".repeat(deep)), Format::Toml),
        (format!("[{}a]", "a.".repeat(deep)), Format::Toml),
        ("[[resource]]\nkind = 99999999999999999999999\n".to_owned(), Format::Toml),
        ("---\nx\n".repeat(DOCUMENTS_MAX + 1), Format::Yaml),
        (" ".repeat(FILE_BYTES_MAX + 1), Format::Yaml),
    ];
    for (index, (text, format)) in cases.into_iter().enumerate() {
        let errors = parse_documents("f", &text, format).expect_err(&format!("case {index}"));
        let longest = errors.iter().map(|error| error.to_string().len()).max();
        assert!(longest < Some(2_000), "case {index} has a message of {longest:?} bytes");
    }
}

#[test]
fn formats_are_told_by_extension() {
    assert_eq!(Format::from_path(Path::new("a/b.YML")), Some(Format::Yaml));
    assert_eq!(Format::from_path(Path::new("b.toml")), Some(Format::Toml));
    assert_eq!(Format::from_path(Path::new("b.json")), Some(Format::Json));
    assert_eq!(Format::from_path(Path::new("b.txt")), None);
    assert_eq!(Format::from_path(Path::new("yaml")), None);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[-a-z\\[\\]{}:,&*#'\"|>!%?. \n\t0-9=]{0,120}") {
        for format in [Format::Yaml, Format::Toml, Format::Json] {
            let _ = parse_documents("f", &text, format);
        }
    }
}

#[test]
fn a_broken_condition_is_named_with_its_line_and_column_however_it_is_written() {
    let yaml = r#"kind: Policy
name: p
spec:
  rules:
    - id: quoted
      when: 'registered && data_clas == "internal"'
      then: deny
      says: x
    - { id: inline, when: "team == \"a\" && environment == \"prod\"", then: deny, says: x }
    - id: folded
      when: >-
        registered &&
          provider.zero_retentoin
      then: deny
      says: x
    - id: block
      when: |
        registered
          && token_estimate == "much"
      then: deny
      says: x
    - id: plain
      when: registered &&
      then: deny
      says: x
    - id: kinds
      when: 'true'
      then: { redact: [emial] }
      says: x
"#;
    insta::assert_snapshot!(errors(yaml));
    let toml = "[[resource]]\nkind = 'Policy'\nname = 'p'\n[[resource.spec.rules]]\nid = 'a'\nwhen = \"team == \\\"a\\\" && x\"\nthen = 'deny'\nsays = 'x'\n";
    insta::assert_snapshot!(errors_in(toml, Format::Toml));
}

#[test]
fn a_policy_whose_own_test_fails_is_refused() {
    let yaml = r#"kind: Policy
name: p
spec:
  rules:
    - { id: no, when: 'team == "a"', then: deny, says: x }
  tests:
    - { name: fine, call: { team: a }, expect: { effect: deny, rule: no } }
    - { name: not so, call: { team: b }, expect: { effect: deny } }
"#;
    insta::assert_snapshot!(errors(yaml));
}
