//! `tally prices import`: public price lists become price lists of ours.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, anyhow};
use serde_json::json;
use tally_pricing::import::{Format, Import, Options, Skipped, detect, import, render};
use tally_store::documents::Document;
use tally_types::{Date, Kind, Name};

use super::{Client, Connection, output};
use crate::cli::{
    apply::{self, ApplyRequest},
    number,
    table::printable,
};

const TICK: Duration = Duration::from_millis(100);
/// So many models are named per reason; `--json` names all.
const EXAMPLES: usize = 3;

/// Arguments of `tally prices import`.
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// The file: LiteLLM's model_prices_and_context_window.json or the API of models.dev
    file: PathBuf,

    /// The file's format, `litellm` or `models-dev`; told from its shape when absent
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,

    /// Only these providers, by their names in the file
    #[arg(long, value_name = "PROVIDERS", value_delimiter = ',')]
    providers: Vec<String>,

    /// Where the prices come from, for those who ask later
    #[arg(long, value_name = "TEXT")]
    source: String,

    /// The day they were read, such as 2026-05-01
    #[arg(long, value_name = "DATE")]
    as_of: Date,

    /// The name of the price list; by default that of the format
    #[arg(long, value_name = "NAME")]
    name: Option<Name>,

    /// Of several lists that price a model, the one with the higher precedence counts
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    precedence: i32,

    /// Write the list to this file (for `tally apply -f`) instead of applying it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Show what would change and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs `tally prices import`.
///
/// # Errors
/// The file is no price list, or Tally refuses or cannot be reached.
pub(super) async fn run(args: ImportArgs, connection: &Connection) -> anyhow::Result<()> {
    // Drawn only on a terminal, and only when reading takes long enough to be seen.
    let progress = indicatif::ProgressBar::new_spinner();
    progress.enable_steady_tick(TICK);
    progress.set_message(format!("reading {}", args.file.display()));
    let read = read(&args);
    progress.finish_and_clear();
    let (format, imported) = read?;
    let name = args.name.clone().map_or_else(|| format.as_str().parse(), Ok)?;
    let summary = summary(&imported, format);
    let spec = serde_json::to_value(&imported.list)?;
    let document = Document::new(Kind::PriceList, name, spec);
    if let Some(path) = &args.out {
        if !args.dry_run {
            write(path, &document, &imported)?;
        }
        let done = if args.dry_run { "dry run, would write" } else { "wrote" };
        let path = path.display();
        return finish(connection, &imported, format!("{summary}\n{done} {path}"), &json!(null));
    }
    let client = Client::new(connection)?;
    let set = format!("prices-{}", document.name);
    let note = format!("prices import: {}", args.source);
    let request = ApplyRequest {
        set: &set,
        prune: false,
        dry_run: args.dry_run,
        note: Some(&note),
        documents: std::slice::from_ref(&document),
    };
    let report = apply::send(&client, &request).await?;
    let changes = apply::render(&report, args.dry_run, output::Paint::of_stdout());
    finish(
        connection,
        &imported,
        format!("{summary}\n\n{changes}"),
        &serde_json::to_value(&report)?,
    )
}

fn read(args: &ImportArgs) -> anyhow::Result<(Format, Import)> {
    let path = args.file.display();
    let text = fs::read_to_string(&args.file).with_context(|| format!("cannot read {path}"))?;
    let format = args.format.or_else(|| detect(&text)).ok_or_else(|| {
        anyhow!("{path} is neither LiteLLM's price file nor the API of models.dev; say which with `--format`")
    })?;
    let providers = Some(args.providers.clone()).filter(|providers| !providers.is_empty());
    let options = Options { source: args.source.clone(), as_of: args.as_of, providers };
    let mut imported =
        import(format, &text, &options).with_context(|| format!("cannot import {path}"))?;
    imported.list.precedence = args.precedence;
    if imported.list.entries.is_empty() {
        return Err(anyhow!(
            "{path} has no price that can be imported\n{}",
            summary(&imported, format)
        ));
    }
    Ok((format, imported))
}

/// As a file that `tally apply` takes, one price per line so that versions compare well.
fn write(path: &std::path::Path, document: &Document, imported: &Import) -> anyhow::Result<()> {
    let shown = path.display();
    let name = serde_json::to_string(&document.name)?;
    let list = render(&imported.list)?;
    // JSON is YAML as well, so that any of the endings but TOML's reads it back.
    match tally_store::documents::Format::from_path(path) {
        Some(tally_store::documents::Format::Json | tally_store::documents::Format::Yaml) => {}
        _ => {
            return Err(anyhow!(
                "`--out {shown}` must end in .json or .yaml, so that `tally apply` reads it"
            ));
        }
    }
    let text = format!("{{\"kind\":\"PriceList\",\"name\":{name},\"spec\":{}}}\n", list.trim_end());
    fs::write(path, text).with_context(|| format!("cannot write {shown}"))
}

fn finish(
    connection: &Connection,
    imported: &Import,
    text: String,
    report: &serde_json::Value,
) -> anyhow::Result<()> {
    if !connection.json {
        return output::out(&text);
    }
    let remarks = |remarks: &[Skipped]| -> Vec<serde_json::Value> {
        let remark = |remark: &Skipped| json!({"provider": remark.provider, "model": remark.model, "reason": remark.reason});
        remarks.iter().map(remark).collect()
    };
    output::json(&json!({
        "imported": imported.list.entries.len(),
        "skipped": remarks(&imported.skipped),
        "notes": remarks(&imported.notes),
        "report": report,
    }))
}

/// How many were imported, and why others were not.
fn summary(imported: &Import, format: Format) -> String {
    let mut per_provider: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &imported.list.entries {
        *per_provider.entry(&entry.provider).or_default() += 1;
    }
    let mut text = match imported.list.entries.len() {
        1 => format!("imported 1 price ({format})"),
        many => format!("imported {} prices ({format})", number::count(many as i128)),
    };
    if !per_provider.is_empty() {
        let parts: Vec<String> =
            per_provider.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let _ = write!(text, ": {}", printable(&parts.join(", ")));
    }
    remarks(&mut text, "left out", &imported.skipped);
    remarks(&mut text, "to know", &imported.notes);
    text
}

fn remarks(text: &mut String, heading: &str, remarks: &[Skipped]) {
    if remarks.is_empty() {
        return;
    }
    let mut by_reason: BTreeMap<&str, Vec<&Skipped>> = BTreeMap::new();
    for remark in remarks {
        by_reason.entry(&remark.reason).or_default().push(remark);
    }
    let mut reasons: Vec<_> = by_reason.into_iter().collect();
    reasons.sort_by_key(|(_, remarks)| std::cmp::Reverse(remarks.len()));
    let _ = write!(text, "\n{heading}: {}", number::count(remarks.len() as i128));
    for (reason, remarks) in reasons {
        let mut names: Vec<String> = remarks
            .iter()
            .take(EXAMPLES)
            .map(|remark| format!("{}/{}", remark.provider, remark.model))
            .collect();
        if remarks.len() > EXAMPLES {
            names.push(format!("{} more", remarks.len() - EXAMPLES));
        }
        let line = format!("{:>6}  {reason} ({})", remarks.len(), names.join(", "));
        let _ = write!(text, "\n{}", printable(&line));
    }
}

#[cfg(test)]
mod tests {
    use tally_store::documents::{Format as FileFormat, parse_documents};

    use super::*;

    const LITELLM: &str = r#"{
        "sample_spec": {"litellm_provider": "x"},
        "gpt-x": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1.25e-06, "output_cost_per_token": 1e-05},
        "claude-x": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05},
        "dall-e-x": {"litellm_provider": "openai", "mode": "image_generation", "output_cost_per_image": 0.04}
    }"#;

    fn args(folder: &std::path::Path) -> ImportArgs {
        let file = folder.join("prices.json");
        fs::write(&file, LITELLM).unwrap();
        ImportArgs {
            file,
            format: None,
            providers: Vec::new(),
            source: "litellm".into(),
            as_of: "2026-05-01".parse().unwrap(),
            name: None,
            precedence: 10,
            out: None,
            dry_run: false,
        }
    }

    #[test]
    fn the_summary_counts_and_gives_reasons() {
        let folder = tempfile::tempdir().unwrap();
        let (format, imported) = read(&args(folder.path())).unwrap();
        let text = summary(&imported, format);
        assert!(text.starts_with("imported 2 prices (litellm): anthropic 1, openai 1"), "{text}");
        assert!(text.contains("left out: 1") && text.contains("openai/dall-e-x"), "{text}");
    }

    #[test]
    fn what_it_writes_can_be_applied() {
        let folder = tempfile::tempdir().unwrap();
        let (_, imported) = read(&args(folder.path())).unwrap();
        let spec = serde_json::to_value(&imported.list).unwrap();
        let document = Document::new(Kind::PriceList, "litellm".parse().unwrap(), spec.clone());
        for (name, format) in [("out.json", FileFormat::Json), ("out.yaml", FileFormat::Yaml)] {
            let path = folder.path().join(name);
            write(&path, &document, &imported).unwrap();
            let text = fs::read_to_string(path).unwrap();
            let back = parse_documents(name, &text, format).unwrap();
            assert_eq!(back[0].spec, spec, "{name}");
        }
        assert!(write(&folder.path().join("out.txt"), &document, &imported).is_err());
    }

    #[test]
    fn a_file_of_another_kind_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let args = args(folder.path());
        fs::write(&args.file, "{}").unwrap();
        let error = read(&args).unwrap_err().to_string();
        assert!(error.contains("--format"), "{error}");
    }
}
