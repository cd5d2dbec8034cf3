//! LiteLLM's `model_prices_and_context_window.json`, USD per token.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use tally_types::{
    PicoUsd,
    spec::{PriceEntry, PriceModifier},
};

use super::{
    Draft, Format, Import, ImportError, Options,
    fields::{Fields, is_null, percent, usd},
    litellm_rates::{Book, is_rate},
};

/// An example of the format within the file, not a model.
const SAMPLE: &str = "sample_spec";
/// What answers in tokens; the other modes are priced by image, second, page or query.
const TOKEN_MODES: [&str; 4] = ["chat", "completion", "embedding", "responses"];
/// Prices that hold only for some hours, or by a scheme of their own.
const OTHER_SCHEMES: [&str; 2] = ["tiered_pricing", "off_peak_pricing"];
/// Tiers that are priced but have no service tier here.
const OTHER_TIERS: [&str; 3] = ["_ultrafast", "_decisions", "_balanced"];
const REGIONAL_PREFIX: &str = "regional_processing_uplift_multiplier_";

/// Imports LiteLLM's file.
///
/// - A model's name loses its provider's prefix (`gemini/gemini-2.5-pro`).
/// - `cache_creation_input_token_cost` is the write that lives five minutes,
///   `…_above_1hr` the one that lives an hour or longer; `…_above_12hr` stands
///   in for it where no `…_above_1hr` exists (OpenAI's long-lived writes).
/// - `…_batches`, `…_flex` and `…_priority` are service tiers,
///   `…_above_200k_tokens` and the like are context steps; both combine. Prices
///   of other tiers are left out and noted.
/// - `search_context_cost_per_query` is the fee of `web_search`: the medium
///   size's, with a note where sizes differ.
/// - `us` and `fast` of `provider_specific_entry` are the modifiers
///   `inference_geo:us` and `speed:fast`; a regional uplift for `eu` is
///   `inference_geo:eu`.
/// - Left out with a reason: modes priced by other things than tokens, schemes
///   that change with the hour, models that cost nothing (the file writes 0 for
///   what it does not know), prices that are no whole number of picodollars.
///
/// Everything else in the file is ignored.
///
/// # Errors
/// When it is not JSON of that format, or has not every provider asked for.
pub fn litellm(json: &str, options: &Options) -> Result<Import, ImportError> {
    let file = Fields::read(json)?;
    let mut draft = Draft::new(options);
    let mut by_name: BTreeMap<(String, String), PriceEntry> = BTreeMap::new();
    for (key, value) in file.iter().filter(|(key, _)| *key != SAMPLE) {
        let Some(fields) = Fields::of(value) else { continue };
        let Some(provider) = fields.text("litellm_provider") else { continue };
        if !draft.wants(&provider) {
            continue;
        }
        let model = key
            .strip_prefix(provider.as_str())
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(key);
        match entry(&provider, model, &fields, &mut draft) {
            Ok(entry) => add(&mut by_name, entry, &mut draft),
            Err(reason) => draft.skip(&provider, model, reason),
        }
    }
    draft.entries = by_name.into_values().collect();
    draft.finish(Format::LiteLlm)
}

pub(super) fn is_model(fields: &Fields<'_>) -> bool {
    fields.get("litellm_provider").is_some()
}

/// Some models stand in the file with and without the prefix.
fn add(
    by_name: &mut BTreeMap<(String, String), PriceEntry>,
    entry: PriceEntry,
    draft: &mut Draft<'_>,
) {
    let name = (entry.provider.clone(), entry.model.clone());
    if let Some(first) = by_name.get(&name) {
        let same_prices = PriceEntry {
            context_tokens_max: first.context_tokens_max,
            output_tokens_max: first.output_tokens_max,
            ..entry.clone()
        } == *first;
        if !same_prices {
            draft.note(&name.0, &name.1, "listed twice with different prices; the first counts");
        }
        return;
    }
    draft.note_zeros(&entry);
    by_name.insert(name, entry);
}

fn entry(
    provider: &str,
    model: &str,
    fields: &Fields<'_>,
    draft: &mut Draft<'_>,
) -> Result<PriceEntry, String> {
    if let Some(mode) = fields.text("mode").filter(|mode| !TOKEN_MODES.contains(&mode.as_str())) {
        return Err(format!("mode `{mode}` is not priced by tokens"));
    }
    if let Some(scheme) = OTHER_SCHEMES.iter().find(|scheme| fields.get(scheme).is_some()) {
        return Err(format!("priced by `{scheme}`, which is not imported"));
    }
    let mut book = Book::default();
    let mut per_request_usd = None;
    for (name, value) in fields.iter().filter(|(_, value)| !is_null(value)) {
        if name == "input_cost_per_request" {
            per_request_usd = Some(usd(name, value)?);
        } else if is_rate(name) {
            book.add(name, value)?;
        }
    }
    let rates = book.into_sets()?;
    let (per_tool_usd, search_note) = tools(fields)?;
    let modifiers = modifiers(fields)?;
    let other_tier =
        OTHER_TIERS.iter().find(|tier| fields.iter().any(|(n, _)| n.ends_with(**tier)));
    let tier_note = other_tier.map(|tier| format!("prices of `…{tier}` are left out"));
    for note in search_note.into_iter().chain(tier_note) {
        draft.note(provider, model, note);
    }
    Ok(PriceEntry {
        provider: provider.to_owned(),
        model: model.to_owned(),
        from: None,
        until: None,
        rates,
        per_request_usd,
        per_tool_usd,
        modifiers,
        context_tokens_max: fields.count("max_input_tokens"),
        output_tokens_max: fields.count("max_output_tokens"),
    })
}

/// The fees of tools, and a note where the file states more than one fee can hold.
fn tools(fields: &Fields<'_>) -> Result<(BTreeMap<String, PicoUsd>, Option<String>), String> {
    let name = "search_context_cost_per_query";
    let Some(sizes) = fields.object(name) else { return Ok(Default::default()) };
    let fee = |size: &str| -> Result<Option<PicoUsd>, String> {
        let field = format!("search_context_size_{size}");
        sizes.get(&field).map(|value| usd(&field, value)).transpose()
    };
    let (low, medium, high) = (fee("low")?, fee("medium")?, fee("high")?);
    let Some(medium) = medium else { return Ok(Default::default()) };
    let differs = [low, high].into_iter().flatten().any(|fee| fee != medium);
    let note = differs.then(|| "`web_search` differs by context size; medium counts".to_owned());
    Ok((BTreeMap::from([("web_search".to_owned(), medium)]), note))
}

fn modifiers(fields: &Fields<'_>) -> Result<Vec<PriceModifier>, String> {
    let mut found: BTreeMap<String, u32> = BTreeMap::new();
    let mut add = |when: String, name: &str, value: &RawValue| -> Result<(), String> {
        found.insert(when, percent(name, value)?);
        Ok(())
    };
    for (name, value) in fields.iter().filter(|(_, value)| !is_null(value)) {
        if let Some(region) = name.strip_prefix(REGIONAL_PREFIX) {
            add(format!("inference_geo:{region}"), name, value)?;
        }
    }
    if let Some(special) = fields.object("provider_specific_entry") {
        for (name, when) in [("us", "inference_geo:us"), ("fast", "speed:fast")] {
            if let Some(value) = special.get(name) {
                add(when.to_owned(), name, value)?;
            }
        }
    }
    Ok(found.into_iter().map(|(when, percent)| PriceModifier { when, percent }).collect())
}
