//! `tally export`: the books as files for other programs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};

use super::{client::Client, connection::Connection, output};

/// Subcommands of `tally export`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ExportCommand {
    /// Write a month as FOCUS, the open format for cost and usage
    Focus(FocusArgs),
    /// Write a month's calls with all that their price and their statement depend on
    Events(EventsArgs),
    /// Write what came of a month's tasks, and who reported it: with their calls, all that scoreboards depend on
    Outcomes(EventsArgs),
}

/// Arguments of `tally export focus`.
#[derive(Debug, clap::Args)]
// `--version` is that of the format here; `tally --version` says Tally's own.
#[command(disable_version_flag = true)]
pub(crate) struct FocusArgs {
    /// The month, such as 2026-10
    #[arg(long, value_name = "MONTH")]
    period: String,

    /// The version of FOCUS
    #[arg(long, default_value = "1.2", value_parser = ["1.2", "1.4"])]
    version: String,

    /// Where to write it; its ending, .csv or .parquet, says in which format
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Arguments of `tally export events` and of `tally export outcomes`.
#[derive(Debug, clap::Args)]
pub(crate) struct EventsArgs {
    /// The month, such as 2026-10
    #[arg(long, value_name = "MONTH")]
    period: String,

    /// Where to write it; a name that ends in .parquet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs `tally export`.
///
/// # Errors
/// Tally refuses or cannot be reached; the file cannot be written.
pub(crate) async fn run(command: ExportCommand, connection: &Connection) -> anyhow::Result<()> {
    match command {
        ExportCommand::Focus(args) => focus(&args, connection).await,
        ExportCommand::Events(args) => parquet("events", "calls", &args, connection).await,
        ExportCommand::Outcomes(args) => parquet("outcomes", "outcomes", &args, connection).await,
    }
}

async fn focus(args: &FocusArgs, connection: &Connection) -> anyhow::Result<()> {
    let (period, version) = (args.period.as_str(), args.version.as_str());
    let query = [("period", period), ("version", version), ("format", format_of(&args.out)?)];
    let bytes = download("focus", &query, &args.out, connection).await?;
    let path = args.out.display();
    output::out(&format!("Wrote {period} as FOCUS {version} to {path} ({bytes} bytes)."))
}

async fn parquet(
    export: &str,
    what: &str,
    args: &EventsArgs,
    connection: &Connection,
) -> anyhow::Result<()> {
    let path = args.out.display();
    if format_of(&args.out).ok() != Some("parquet") {
        return Err(anyhow!("`--out {path}`: expected a name that ends in .parquet"));
    }
    let query = [("period", args.period.as_str())];
    let bytes = download(export, &query, &args.out, connection).await?;
    output::out(&format!("Wrote the {what} of {} to {path} ({bytes} bytes).", args.period))
}

/// Writes an export to a file, whole or not at all; says how many bytes.
async fn download(
    export: &str,
    query: &[(&str, &str)],
    out: &Path,
    connection: &Connection,
) -> anyhow::Result<u64> {
    let client = Client::new(connection)?;
    // What breaks off must not stand where a whole file is expected.
    let part = part_of(out);
    let file = fs::File::create(&part).with_context(|| part.display().to_string())?;
    let file = std::io::BufWriter::new(file);
    match client.download(&["api", "v1", "exports", export], query, file).await {
        Ok(bytes) => {
            fs::rename(&part, out).with_context(|| out.display().to_string())?;
            Ok(bytes)
        }
        Err(error) => {
            let _ = fs::remove_file(&part);
            Err(error)
        }
    }
}

fn format_of(path: &Path) -> anyhow::Result<&'static str> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => Ok("csv"),
        Some("parquet") => Ok("parquet"),
        _ => Err(anyhow!(
            "`--out {}` says no format; expected a name that ends in .csv or .parquet",
            path.display()
        )),
    }
}

fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_of_the_file_says_the_format() {
        assert_eq!(format_of(Path::new("a/f.csv")).unwrap(), "csv");
        assert_eq!(format_of(Path::new("f.parquet")).unwrap(), "parquet");
        let error = format_of(Path::new("f.xlsx")).unwrap_err().to_string();
        assert!(error.contains(".csv or .parquet"), "{error}");
        assert_eq!(part_of(Path::new("a/f.csv")), Path::new("a/f.csv.part"));
    }
}
