//! Makes the shipped price list from LiteLLM's file and says what it left out:
//!
//! ```text
//! pip download litellm==1.109.1 --no-deps && unzip -j litellm-*.whl '*/model_prices_and_context_window_backup.json'
//! cargo run -p tally-pricing --example snapshot -- FILE > crates/tally-pricing/prices/list.json
//! ```
//!
//! The same as `tally prices import --format litellm FILE --providers
//! openai,anthropic,gemini`, without the rest of Tally. When the file is newer,
//! change the source and the day below.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks on its terminal")]

use std::{collections::BTreeMap, env, error::Error, fs};

use tally_pricing::import::{Options, litellm, render};

const SOURCE: &str = "litellm 1.109.1, model_prices_and_context_window";
const AS_OF: &str = "2026-11-20";
const PROVIDERS: [&str; 3] = ["openai", "anthropic", "gemini"];

fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args().nth(1).ok_or("expected the path of LiteLLM's file")?;
    let import = litellm(
        &fs::read_to_string(file)?,
        &Options {
            source: SOURCE.to_owned(),
            as_of: AS_OF.parse()?,
            providers: Some(PROVIDERS.map(str::to_owned).to_vec()),
        },
    )?;
    for (what, remarks) in [("skipped", &import.skipped), ("note", &import.notes)] {
        for remark in remarks {
            eprintln!("{what}: {} {}: {}", remark.provider, remark.model, remark.reason);
        }
    }
    let mut models: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &import.list.entries {
        *models.entry(&entry.provider).or_default() += 1;
    }
    eprintln!("models: {models:?}; skipped: {}", import.skipped.len());
    print!("{}", render(&import.list)?);
    Ok(())
}
