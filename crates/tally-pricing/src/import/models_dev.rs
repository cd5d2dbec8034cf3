//! models.dev: `{provider: {models: {model: {cost, limit}}}}`, USD per million tokens.

use std::collections::BTreeMap;

use tally_types::{
    RatePerToken,
    spec::{PriceEntry, RateSet},
};

use super::{
    Draft, Format, Import, ImportError, Options,
    fields::{Fields, usd_per_million},
};

const STEP_FIELD: &str = "context_over_200k";
const STEP_TOKENS: u64 = 200_000;

/// Imports the API file of models.dev.
///
/// `cache_write` is the write that lives five minutes. The file does not state
/// what one hour costs, nor service tiers, nor fees: those stay unknown. Models
/// without a price, and those that cost nothing (free or part of a
/// subscription: no list price), are left out. Google is `google` there.
///
/// # Errors
/// When it is not JSON of that format, or has not every provider asked for.
pub fn models_dev(json: &str, options: &Options) -> Result<Import, ImportError> {
    let file = Fields::read(json)?;
    let mut draft = Draft::new(options);
    for (name, value) in file.iter() {
        let Some(fields) = Fields::of(value) else { continue };
        let Some(models) = fields.object("models") else { continue };
        if !draft.wants(name) {
            continue;
        }
        for (model, value) in models.iter() {
            let fields = Fields::of(value).ok_or_else(|| "expected an object".to_owned());
            match fields.and_then(|fields| entry(name, model, &fields)) {
                Ok(entry) => {
                    draft.note_zeros(&entry);
                    draft.entries.push(entry);
                }
                Err(reason) => draft.skip(name, model, reason),
            }
        }
    }
    draft.finish(Format::ModelsDev)
}

pub(super) fn is_provider(fields: &Fields<'_>) -> bool {
    fields.object("models").is_some()
}

fn entry(provider: &str, model: &str, fields: &Fields<'_>) -> Result<PriceEntry, String> {
    let cost = fields.object("cost").ok_or("no price")?;
    let base = rates(&cost, 0)?;
    let Some(input) = base.input else { return Err("no price per token".to_owned()) };
    if input.pico() == 0 && base.output.is_none_or(|output| output.pico() == 0) {
        return Err("costs nothing: free, or part of a subscription".to_owned());
    }
    let mut sets = vec![base];
    if let Some(value) = cost.get(STEP_FIELD) {
        let step = Fields::of(value).ok_or(format!("`{STEP_FIELD}`: expected an object"))?;
        sets.push(rates(&step, STEP_TOKENS)?);
    }
    let limit = fields.object("limit");
    let count = |name| limit.as_ref().and_then(|limit| limit.count(name));
    Ok(PriceEntry {
        provider: provider.to_owned(),
        model: model.to_owned(),
        from: None,
        until: None,
        rates: sets,
        per_request_usd: None,
        per_tool_usd: BTreeMap::new(),
        modifiers: Vec::new(),
        context_tokens_max: count("context"),
        output_tokens_max: count("output"),
    })
}

fn rates(cost: &Fields<'_>, above_input_tokens: u64) -> Result<RateSet, String> {
    let rate = |name: &str| -> Result<Option<RatePerToken>, String> {
        cost.get(name).map(|value| usd_per_million(name, value)).transpose()
    };
    let output = rate("output")?;
    Ok(RateSet {
        above_input_tokens,
        input: rate("input")?,
        cache_read: rate("cache_read")?,
        cache_write_5m: rate("cache_write")?,
        output,
        reasoning: rate("reasoning")?.filter(|reasoning| Some(*reasoning) != output),
        ..RateSet::default()
    })
}
