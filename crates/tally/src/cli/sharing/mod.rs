//! `tally template`: prompts that people share. `tally story`: what they saved, as Tally measured
//! it. `tally contribution`: what else they share.

mod contribution;
mod show;
mod story;

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};
use tally_store::sharing::StarterTemplate;
use tally_types::{Name, TemplateName};

use super::{client::Client, connection::Connection, output};

pub(crate) use contribution::{ContributionCommand, run_contribution};
pub(crate) use story::{StoryCommand, run_story};

/// Subcommands of `tally template`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum TemplateCommand {
    /// List templates, or search them
    List {
        /// Words that all stand in the name, title, purpose or text
        #[arg(value_name = "WORD")]
        search: Vec<String>,

        /// Only for this kind of task
        #[arg(long, value_name = "TYPE")]
        task_type: Option<String>,

        /// Only those with a version that you may approve
        #[arg(long)]
        to_review: bool,
    },
    /// Show a template: its texts and versions, and what it did
    Show {
        /// The template
        template: Name,
    },
    /// Fill a template in; prints the request's messages as JSON
    Render {
        /// The template
        template: Name,

        /// What to fill in; may be repeated
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
        values: Vec<(String, String)>,

        /// Which version; by default the last that was approved
        #[arg(id = "number", long = "number", value_name = "NUMBER")]
        version: Option<u32>,

        /// For which API: openai or anthropic
        #[arg(long = "for", default_value = "openai", value_parser = ["openai", "anthropic"])]
        dialect: String,
    },
    /// Write a template: a YAML file with `about` and `text`
    New {
        /// Its name
        template: Name,

        /// The file; `tally template starter --print` shows what stands in one
        #[arg(long, short, value_name = "FILE")]
        file: PathBuf,
    },
    /// Write another version: a YAML file with `text`, and with `about` where that changes
    Version {
        /// The template
        template: Name,

        /// The file
        #[arg(long, short, value_name = "FILE")]
        file: PathBuf,
    },
    /// Ask somebody else to look at a version
    Submit {
        /// The template
        template: Name,

        /// The version; by default the last draft
        #[arg(id = "number", value_name = "VERSION")]
        version: Option<u32>,
    },
    /// Approve a version that somebody else wrote
    Approve {
        /// The template
        template: Name,

        /// The version; by default the last that was submitted
        #[arg(id = "number", value_name = "VERSION")]
        version: Option<u32>,

        /// What is to be said
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,

        /// Give it back to its author instead, with a note
        #[arg(long, requires = "note")]
        give_back: bool,
    },
    /// Say how a version did when you tried it
    Evaluate {
        /// The template
        template: Name,

        /// The version; by default the last that was approved
        #[arg(id = "number", value_name = "VERSION")]
        version: Option<u32>,

        /// What was tried, and how it went
        #[arg(long, value_name = "TEXT")]
        text: String,
    },
    /// Retire a template; calls that name it are told what takes its place
    Retire {
        /// The template
        template: Name,

        /// What takes its place
        #[arg(long, value_name = "TEMPLATE")]
        replaced_by: Option<TemplateName>,

        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Take over the templates that come with Tally
    Starter {
        /// Print one of them as a file to begin with, instead
        #[arg(long)]
        print: bool,
    },
    /// Write the templates of YAML files: lists of `name`, `about`, `text`
    Import {
        /// The files
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// Runs `tally template`.
///
/// # Errors
/// Tally refuses or cannot be reached, or a file cannot be read.
pub(crate) async fn run(command: TemplateCommand, connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    match command {
        TemplateCommand::List { search, task_type, to_review } => {
            let search = search.join(" ");
            let mut query = vec![("search", search.as_str())];
            query.extend(task_type.as_deref().map(|of| ("task_type", of)));
            query.extend(to_review.then_some(("to_review", "true")));
            let found: Value = client.get(&["api", "v1", "library"], &query).await?;
            output::shown(connection.json, found, |found: Value| show::library(&found))
        }
        TemplateCommand::Show { template } => {
            let path = ["api", "v1", "templates", template.as_str()];
            let mut found: Value = client.get(&path, &[]).await?;
            let [api, v1, templates, name] = path;
            let effect: Value = client.get(&[api, v1, templates, name, "effect"], &[]).await?;
            if let Some(fields) = found.as_object_mut() {
                fields.insert("effect".to_owned(), effect);
            }
            output::shown(connection.json, found, |found: Value| show::template(&found))
        }
        TemplateCommand::Render { template, values, version, dialect } => {
            let variables: BTreeMap<String, String> = values.into_iter().collect();
            let body = json!({ "variables": variables, "version": version });
            let done = step(&client, "templates", &template, "render", &body).await?;
            if connection.json {
                return output::json(&done);
            }
            for (field, why) in
                [("data_class", "data up to"), ("template", "send x-tally-template:")]
            {
                output::note(&format!("{why} {}", show::text(&done, &format!("/{field}"))));
            }
            output::json(done.get(&dialect).unwrap_or(&Value::Null))
        }
        TemplateCommand::Import { files } => import(&client, connection, &files).await,
        TemplateCommand::Starter { print } => starter(&client, connection, print).await,
        TemplateCommand::New { template, file } => {
            let mut body: Value = read(&file)?;
            if let Some(fields) = body.as_object_mut() {
                fields.insert("name".to_owned(), json!(template));
            }
            let made: Value = client.post(&["api", "v1", "templates"], &body).await?;
            output::shown(connection.json, made, |_: Value| {
                format!("{template} is written; next: tally template submit {template}")
            })
        }
        other => change(&client, connection, other).await,
    }
}

/// A step of one template.
async fn change(
    client: &Client,
    connection: &Connection,
    command: TemplateCommand,
) -> anyhow::Result<()> {
    let (template, verb, body, said) = match command {
        TemplateCommand::Version { template, file } => {
            (template, "versions", read(&file)?, "has another version, a draft".to_owned())
        }
        TemplateCommand::Submit { template, version } => {
            let version = version_in(client, &template, version, "draft").await?;
            let said = format!("version {version} waits for somebody else to approve it");
            (template, "submit", json!({ "version": version }), said)
        }
        TemplateCommand::Approve { template, version, note, give_back } => {
            let version = version_in(client, &template, version, "submitted").await?;
            let body = json!({ "version": version, "approves": !give_back, "note": note });
            let what = if give_back { "given back" } else { "approved" };
            (template, "review", body, format!("version {version} is {what}"))
        }
        TemplateCommand::Evaluate { template, version, text } => {
            let version = version_in(client, &template, version, "approved").await?;
            let body = json!({ "version": version, "text": text });
            (template, "evaluations", body, "the evaluation is kept".to_owned())
        }
        TemplateCommand::Retire { template, replaced_by, reason } => {
            let body = json!({ "replaced_by": replaced_by, "reason": reason });
            (template, "retire", body, "is retired".to_owned())
        }
        _ => return Ok(()),
    };
    let done = step(client, "templates", &template, verb, &body).await?;
    output::shown(connection.json, done, |_: Value| format!("{template}: {said}"))
}

/// The version that was named, or the last one in a state.
async fn version_in(
    client: &Client,
    template: &Name,
    named: Option<u32>,
    state: &str,
) -> anyhow::Result<u32> {
    if let Some(version) = named {
        return Ok(version);
    }
    let path = ["api", "v1", "templates", template.as_str()];
    let found: Value = client.get(&path, &[]).await?;
    last_in(&found, state).with_context(|| {
        format!(
            "no version of `{template}` is {state}; `tally template show {template}` lists them"
        )
    })
}

fn last_in(template: &Value, state: &str) -> Option<u32> {
    let versions = template.pointer("/spec/versions")?.as_array()?;
    let is_in =
        |version: &&Value| version.pointer("/review/state").and_then(Value::as_str) == Some(state);
    let last = versions.iter().rev().find(is_in)?;
    u32::try_from(last.get("number")?.as_u64()?).ok()
}

/// A step of something shared.
async fn step(
    client: &Client,
    kinds: &str,
    name: &Name,
    verb: &str,
    body: &Value,
) -> anyhow::Result<Value> {
    client.post(&["api", "v1", kinds, name.as_str(), verb], body).await
}

/// A YAML file as JSON.
fn read<T: serde::de::DeserializeOwned>(file: &PathBuf) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{}", file.display()))?;
    serde_saphyr::from_str(&text).with_context(|| format!("{}", file.display()))
}

async fn starter(client: &Client, connection: &Connection, print: bool) -> anyhow::Result<()> {
    if print {
        let all = tally_store::sharing::starter()?;
        let first = all.first().context("there is no starter template")?;
        let file = json!({ "about": first.about, "text": first.text });
        return output::out(&serde_saphyr::to_string(&file)?);
    }
    let done: Value = client.post(&["api", "v1", "library", "starter"], &json!({})).await?;
    output::shown(connection.json, done, |done: Value| {
        let many = |field: &str| done.get(field).and_then(Value::as_array).map_or(0, Vec::len);
        format!("{} templates taken over, {} were there", many("created"), many("kept"))
    })
}

async fn import(client: &Client, connection: &Connection, files: &[PathBuf]) -> anyhow::Result<()> {
    let mut made = Vec::new();
    for file in files {
        let all: Vec<StarterTemplate> = read(file)?;
        for StarterTemplate { name, about, text } in all {
            let body = json!({ "name": name, "about": about, "text": text });
            let path = ["api", "v1", "templates"];
            let _: Value = client.post(&path, &body).await.with_context(|| name.to_string())?;
            made.push(name.to_string());
        }
    }
    output::shown(connection.json, json!({ "created": made }), |_: Value| {
        format!("written, as drafts: {}", made.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_number_the_last_version_in_the_state_is_meant() {
        let version =
            |number: u32, state: &str| json!({ "number": number, "review": { "state": state } });
        let versions = [
            version(1, "approved"),
            version(2, "approved"),
            version(3, "submitted"),
            version(4, "draft"),
        ];
        let template = json!({ "spec": { "versions": versions } });
        let last = |state| last_in(&template, state);
        assert_eq!(
            (last("draft"), last("submitted"), last("approved")),
            (Some(4), Some(3), Some(2))
        );
        assert_eq!(last_in(&json!({ "spec": { "versions": [] } }), "draft"), None);
    }
}
