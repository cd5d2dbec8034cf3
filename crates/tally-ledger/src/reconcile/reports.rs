//! Providers' own reports of usage and of costs, as JSON: one page, or an array of all pages.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use tally_types::ProviderName;

use super::{
    Bill, BillError, BillLine,
    amount::{CENTS, DOLLARS, amount},
};

#[derive(Deserialize)]
struct Page<B> {
    data: Vec<B>,
    #[serde(default)]
    has_more: bool,
}

/// A bucket of Anthropic's.
#[derive(Deserialize)]
struct Day<R> {
    starting_at: Timestamp,
    results: Vec<R>,
}

/// A bucket of OpenAI's; the time is in seconds.
#[derive(Deserialize)]
struct Bucket<R> {
    start_time: i64,
    results: Vec<R>,
}

#[derive(Deserialize)]
struct AnthropicUsage {
    model: Option<String>,
    uncached_input_tokens: u64,
    #[serde(default)]
    cache_read_input_tokens: u64,
    #[serde(default)]
    cache_creation: CacheCreation,
    output_tokens: u64,
    #[serde(default)]
    server_tool_use: ServerTools,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ServerTools {
    web_search_requests: u64,
}

#[derive(Deserialize)]
struct AnthropicCost {
    currency: String,
    /// In cents.
    amount: String,
    cost_type: Option<String>,
    token_type: Option<String>,
    model: Option<String>,
}

#[derive(Deserialize)]
struct OpenaiUsage {
    model: Option<String>,
    input_tokens: u64,
    output_tokens: u64,
    #[serde(default)]
    input_cached_tokens: u64,
    #[serde(default)]
    input_cache_write_tokens: u64,
    /// Newer reports have it; else it is what remains.
    input_uncached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct OpenaiCost {
    amount: Amount,
    line_item: Option<String>,
    quantity: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Amount {
    /// A number whose digits are read as they stand: a float would lose some.
    value: Box<RawValue>,
    currency: String,
}

pub(super) fn anthropic_usage(provider: &ProviderName, text: &str) -> Result<Bill, BillError> {
    let days = days(pages::<Day<AnthropicUsage>>(text)?);
    collect(provider, days, |_, row| {
        let model = row.model.ok_or_else(|| ungrouped("model"))?;
        let meters = [
            ("input_uncached", row.uncached_input_tokens),
            ("cache_read", row.cache_read_input_tokens),
            ("cache_write_5m", row.cache_creation.ephemeral_5m_input_tokens),
            ("cache_write_1h", row.cache_creation.ephemeral_1h_input_tokens),
            ("output", row.output_tokens),
            ("tool:web_search", row.server_tool_use.web_search_requests),
        ];
        Ok(counted(&model, meters))
    })
}

pub(super) fn anthropic_cost(provider: &ProviderName, text: &str) -> Result<Bill, BillError> {
    let days = days(pages::<Day<AnthropicCost>>(text)?);
    collect(provider, days, |place, row| {
        in_dollars(place, &row.currency)?;
        let kind = row.token_type.as_deref().or(row.cost_type.as_deref());
        let meter = match kind.ok_or_else(|| ungrouped("description"))? {
            "uncached_input_tokens" => "input_uncached".to_owned(),
            "cache_read_input_tokens" => "cache_read".to_owned(),
            "cache_creation.ephemeral_5m_input_tokens" => "cache_write_5m".to_owned(),
            "cache_creation.ephemeral_1h_input_tokens" => "cache_write_1h".to_owned(),
            "output_tokens" => "output".to_owned(),
            other => format!("tool:{other}"),
        };
        let cost = amount(&row.amount, CENTS)
            .map_err(|message| BillError::new(format!("{place}.amount"), message))?;
        Ok(vec![Item { model: row.model, meter, quantity: None, cost: Some(cost) }])
    })
}

pub(super) fn openai_usage(provider: &ProviderName, text: &str) -> Result<Bill, BillError> {
    let days = buckets(pages::<Bucket<OpenaiUsage>>(text)?)?;
    collect(provider, days, |_, row| {
        let model = row.model.ok_or_else(|| ungrouped("model"))?;
        let cached = row.input_cached_tokens.saturating_add(row.input_cache_write_tokens);
        let uncached =
            row.input_uncached_tokens.unwrap_or_else(|| row.input_tokens.saturating_sub(cached));
        let meters = [
            ("input_uncached", uncached),
            ("cache_read", row.input_cached_tokens),
            ("cache_write_5m", row.input_cache_write_tokens),
            ("output", row.output_tokens),
        ];
        Ok(counted(&model, meters))
    })
}

pub(super) fn openai_costs(provider: &ProviderName, text: &str) -> Result<Bill, BillError> {
    let days = buckets(pages::<Bucket<OpenaiCost>>(text)?)?;
    collect(provider, days, |place, row| {
        in_dollars(place, &row.amount.currency)?;
        let item = row.line_item.ok_or_else(|| ungrouped("line_item"))?;
        let (model, kind) = match item.split_once(", ") {
            Some((model, kind)) => (Some(model.to_owned()), kind.to_owned()),
            None => (None, item),
        };
        let meter = match kind.as_str() {
            "input" | "input_tokens" | "input_uncached_tokens" => "input_uncached".to_owned(),
            "cached input" | "cached_input" | "input_cached_tokens" => "cache_read".to_owned(),
            "input_cache_write_tokens" => "cache_write_5m".to_owned(),
            "output" | "output_tokens" => "output".to_owned(),
            other => format!("tool:{}", other.replace(' ', "_")),
        };
        let cost = amount(row.amount.value.get().trim_matches('"'), DOLLARS)
            .map_err(|message| BillError::new(format!("{place}.amount.value"), message))?;
        // Counts come as 12 or 12.0; others, such as hours, are no count.
        let quantity = row.quantity.and_then(|count| {
            let count = count.get();
            count.strip_suffix(".0").unwrap_or(count).parse().ok()
        });
        Ok(vec![Item { model, meter, quantity, cost: Some(cost) }])
    })
}

/// What a row of a report says of one meter.
struct Item {
    model: Option<String>,
    meter: String,
    quantity: Option<u64>,
    cost: Option<tally_types::PicoUsdSum>,
}

fn counted<const N: usize>(model: &str, meters: [(&str, u64); N]) -> Vec<Item> {
    let used = meters.into_iter().filter(|(_, count)| *count > 0);
    used.map(|(meter, count)| Item {
        model: Some(model.to_owned()),
        meter: meter.to_owned(),
        quantity: Some(count),
        cost: None,
    })
    .collect()
}

fn collect<R>(
    provider: &ProviderName,
    days: Vec<(Date, Vec<R>)>,
    items: impl Fn(&str, R) -> Result<Vec<Item>, BillError>,
) -> Result<Bill, BillError> {
    let dates: Vec<Date> = days.iter().map(|(date, _)| *date).collect();
    let mut lines = Vec::new();
    for (day, (date, rows)) in days.into_iter().enumerate() {
        for (index, row) in rows.into_iter().enumerate() {
            let place = format!("data[{day}].results[{index}]");
            let found = items(&place, row).map_err(|error| match error.place.is_empty() {
                true => BillError::new(place.clone(), error.message),
                false => error,
            })?;
            lines.extend(found.into_iter().map(|item| BillLine {
                date,
                provider: provider.clone(),
                model: item.model,
                meter: item.meter,
                quantity: item.quantity,
                cost_usd: item.cost,
            }));
        }
    }
    Bill::of(provider, dates.into_iter(), lines)
}

fn pages<B: DeserializeOwned>(text: &str) -> Result<Vec<B>, BillError> {
    let refused = |error: serde_json::Error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        BillError::new(place, format!("{error}; expected the provider's report as it came"))
    };
    let pages: Vec<Page<B>> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).map_err(refused)?
    } else {
        vec![serde_json::from_str(text).map_err(refused)?]
    };
    if pages.last().is_some_and(|page| page.has_more) {
        let message =
            "the report has more pages; expected all of them: put them into one JSON array";
        return Err(BillError::new("has_more", message));
    }
    Ok(pages.into_iter().flat_map(|page| page.data).collect())
}

fn days<R>(days: Vec<Day<R>>) -> Vec<(Date, Vec<R>)> {
    let date = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    days.into_iter().map(|day| (date(day.starting_at), day.results)).collect()
}

fn buckets<R>(buckets: Vec<Bucket<R>>) -> Result<Vec<(Date, Vec<R>)>, BillError> {
    let date = |seconds: i64| {
        let at = Timestamp::from_second(seconds);
        at.map(|at| at.to_zoned(TimeZone::UTC).date()).map_err(|_| {
            let message = format!("{seconds} is no time; expected seconds since 1970");
            BillError::new("start_time", message)
        })
    };
    buckets.into_iter().map(|bucket| Ok((date(bucket.start_time)?, bucket.results))).collect()
}

fn in_dollars(place: &str, currency: &str) -> Result<(), BillError> {
    if currency.eq_ignore_ascii_case("usd") {
        return Ok(());
    }
    let message = format!("the currency is `{currency}`; expected USD: convert the bill first");
    Err(BillError::new(place, message))
}

fn ungrouped(by: &str) -> BillError {
    BillError::new("", format!("it names no {by}; expected a report with `group_by[]={by}`"))
}
