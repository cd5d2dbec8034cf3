//! `tally policy`: what is wrong with policies, and what they would do.

use std::fmt::Write as _;

use anyhow::{Context as _, anyhow};
use serde_json::{Map, Value};
use tally_policy::rules::{PolicyAnswer, PolicyQuestion, STARTER, Standing};
use tally_store::{Snapshot, documents::Document};
use tally_types::{
    DataClass, KeyName, Kind, ModelName, PersonName, ProviderName, WorkloadName, spec::PolicySpec,
};

use super::{apply::files, client::Client, connection::Connection, now, output};

/// Commands of `tally policy`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PolicyCommand {
    /// Say what is wrong with policy files, by line and column; asks no running Tally
    Check(FilesArgs),
    /// Run the tests that stand beside the rules
    Test(FilesArgs),
    /// Say what would happen to a call, and which rule decides
    Explain(ExplainArgs),
    /// Print the starter pack: what is allowed, what needs review, what is prohibited
    Starter,
}

/// Which files.
#[derive(Debug, clap::Args)]
pub(crate) struct FilesArgs {
    /// Files, folders, or - for standard input
    #[arg(value_name = "PATH", required = true)]
    files: Vec<String>,
}

/// Which call.
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// Ask these files instead of a running Tally; they hold the people and models, too
    #[arg(short, long = "file", value_name = "PATH")]
    files: Vec<String>,
    /// Who calls
    #[arg(long, value_name = "NAME")]
    person: Option<PersonName>,
    /// With which key; `--key` is the key to ask with
    #[arg(long, value_name = "KEY_NAME")]
    for_key: Option<KeyName>,
    /// For which workload
    #[arg(long, value_name = "NAME")]
    workload: Option<WorkloadName>,
    /// Which model
    #[arg(long, value_name = "NAME")]
    model: Option<ModelName>,
    /// Which provider; by default the model's first
    #[arg(long, value_name = "NAME")]
    provider: Option<ProviderName>,
    /// public, internal, confidential or restricted
    #[arg(long, value_name = "CLASS")]
    data_class: Option<DataClass>,
    /// What kind of task
    #[arg(long, value_name = "TYPE")]
    task_type: Option<String>,
    /// chat, messages, embeddings or count_tokens
    #[arg(long, value_name = "OPERATION")]
    operation: Option<String>,
    /// Which application
    #[arg(long, value_name = "NAME")]
    application: Option<String>,
    /// How long the prompt is
    #[arg(long, value_name = "TOKENS")]
    token_estimate: Option<u64>,
    /// The highest stage that a budget has reached, in per cent
    #[arg(long, value_name = "PERCENT")]
    budget_stage: Option<u32>,
    /// Images or files stand in the prompt
    #[arg(long)]
    images: bool,
    /// The model may call tools
    #[arg(long)]
    tools: bool,
}

/// Runs `tally policy`.
///
/// # Errors
/// The files hold mistakes or tests that fail, or Tally refuses or cannot be reached.
pub(crate) async fn run(command: PolicyCommand, connection: &Connection) -> anyhow::Result<()> {
    match command {
        PolicyCommand::Check(args) => output::out(&checked(&files::read_all(&args.files)?)?),
        PolicyCommand::Test(args) => output::out(&tested(&files::read_all(&args.files)?)?),
        PolicyCommand::Explain(args) => explain(args, connection).await,
        PolicyCommand::Starter => {
            let texts: Vec<&str> = STARTER.iter().map(|file| file.text).collect();
            output::out(&texts.join("---\n"))
        }
    }
}

async fn explain(args: ExplainArgs, connection: &Connection) -> anyhow::Result<()> {
    let (files, question) = args.split();
    let answer: PolicyAnswer = if files.is_empty() {
        let client = Client::new(connection)?;
        client.post(&["api", "v1", "policies", "explain"], &question).await?
    } else {
        let snapshot = snapshot(&files::read_all(&files)?)?;
        tally_gateway::explain_policies(&snapshot, &question, now()).map_err(|it| anyhow!(it))?
    };
    if connection.json {
        return output::json(&answer);
    }
    output::out(&render(&answer))
}

// === impl ExplainArgs ===

impl ExplainArgs {
    fn split(self) -> (Vec<String>, PolicyQuestion) {
        let question = PolicyQuestion {
            person: self.person,
            key: self.for_key,
            workload: self.workload,
            model: self.model,
            provider: self.provider,
            data_class: self.data_class,
            task_type: self.task_type,
            operation: self.operation,
            application: self.application,
            token_estimate: self.token_estimate,
            budget_stage: self.budget_stage,
            images: self.images,
            tools: self.tools,
        };
        (self.files, question)
    }
}

fn policies(documents: &[Document]) -> anyhow::Result<Vec<(&Document, PolicySpec)>> {
    let all = documents.iter().filter(|document| document.kind == Kind::Policy);
    let found: Result<Vec<_>, _> =
        all.map(|it| Ok((it, serde_json::from_value(it.spec.clone())?))).collect();
    let found = found.map_err(|error: serde_json::Error| anyhow!("a policy: {error}"))?;
    if found.is_empty() { Err(anyhow!("there is no policy in these files")) } else { Ok(found) }
}

fn checked(documents: &[Document]) -> anyhow::Result<String> {
    let policies = policies(documents)?;
    let rules: usize = policies.iter().map(|(_, spec)| spec.rules.len()).sum();
    let tests: usize = policies.iter().map(|(_, spec)| spec.tests.len()).sum();
    Ok(format!("{} policies, {rules} rules, {tests} tests: nothing is wrong", policies.len()))
}

/// Reading the files ran the tests: here all of them hold.
fn tested(documents: &[Document]) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut count = 0;
    for (document, spec) in policies(documents)? {
        for test in &spec.tests {
            let _ = writeln!(text, "ok  {}: {}", document.name, test.name);
            count += 1;
        }
    }
    let _ = write!(text, "{count} tests hold");
    Ok(text)
}

/// The resources of files as a running Tally would have them.
fn snapshot(documents: &[Document]) -> anyhow::Result<Snapshot> {
    let mut all = Map::new();
    for document in documents {
        if document.kind == Kind::Organization {
            all.insert("organization".to_owned(), document.spec.clone());
            continue;
        }
        let field = document.kind.plural().replace('-', "_");
        let kind = all.entry(field).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(kind) = kind {
            kind.insert(document.name.to_string(), document.spec.clone());
        }
    }
    serde_json::from_value(Value::Object(all)).context("the files do not fit together")
}

fn render(answer: &PolicyAnswer) -> String {
    let told = &answer.explanation;
    let mut text = told.effect.to_string();
    if let Some(rule) = &told.rule {
        let _ = write!(text, ", decided by {rule}");
    }
    if let Some(says) = &told.says {
        let _ = write!(text, "\n  {says}");
    }
    if !told.redact.is_empty() {
        let back = if told.restore { ", and put back into the reply" } else { "" };
        let _ = write!(text, "\nredacted: {}{back}", told.redact.join(", "));
    }
    if let Some(rule) = &told.contain {
        let _ = write!(text, "\nthe key is suspended at once, by {rule}");
    }
    for rule in &told.rules {
        let word = match rule.standing {
            Standing::Acts => "holds",
            Standing::Waived => "waived",
            Standing::Shadow => "shadow",
            Standing::Silent => "-",
            Standing::NotInForce => "off",
        };
        let severity = rule.severity.map_or("", tally_types::Severity::as_str);
        let _ = write!(text, "\n\n{word:<7} {} → {} {severity}", rule.rule, rule.then);
        let _ = write!(text, "\n        when {}\n        {}", rule.when, rule.says);
        if let Some(error) = &rule.error {
            let _ = write!(text, "\n        could not be evaluated: {error}");
        }
        for it in &rule.overridden {
            let (by, field) = (&it.by, &it.field);
            let _ =
                write!(text, "\n        {by}: {field} is {}, inherited {}", it.value, it.inherited);
        }
        if let (Some(exception), Some(until)) = (&rule.exception, rule.until) {
            let _ = write!(text, "\n        by the exception {exception} until {until}");
        }
    }
    if told.others > 0 {
        let _ = write!(text, "\n\n{} other rules ask for something else", told.others);
    }
    text
}

#[cfg(test)]
mod tests {
    use tally_store::documents::{Format, parse_documents};

    use super::*;

    const ACME: &str = include_str!("../../../tally-store/tests/acme.yaml");

    #[test]
    fn the_starter_pack_is_one_file_that_can_be_applied_and_whose_tests_hold() {
        let texts: Vec<&str> = STARTER.iter().map(|file| file.text).collect();
        let documents = parse_documents("starter", &texts.join("---\n"), Format::Yaml).unwrap();
        assert_eq!(
            checked(&documents).unwrap(),
            "3 policies, 12 rules, 12 tests: nothing is wrong"
        );
        assert!(tested(&documents).unwrap().ends_with("12 tests hold"));
    }

    #[test]
    fn files_are_explained_without_a_running_tally() {
        let documents = parse_documents("acme.yaml", ACME, Format::Yaml).unwrap();
        let question = PolicyQuestion {
            person: Some("ada".parse().unwrap()),
            model: Some("gpt-5".parse().unwrap()),
            data_class: Some(DataClass::Confidential),
            ..PolicyQuestion::default()
        };
        let snapshot = snapshot(&documents).unwrap();
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let answer = tally_gateway::explain_policies(&snapshot, &question, now).unwrap();
        assert_eq!(answer.call.team, "support");
        let text = render(&answer);
        let begins =
            "deny, decided by data-classes/no-class-beyond-approval\n  This provider is not";
        assert!(text.starts_with(begins), "{text}");
        assert!(text.contains("redacted: credit_card, email"), "{text}");
        let nobody = PolicyQuestion { person: Some("adda".parse().unwrap()), ..question };
        let error = tally_gateway::explain_policies(&snapshot, &nobody, now).unwrap_err();
        assert_eq!(error, "there is no person `adda`");
    }
}
