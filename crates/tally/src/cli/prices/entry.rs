//! One price as people read it: USD per million tokens.

use std::fmt::Write as _;

use tally_types::{
    RatePerToken, ServiceTier,
    spec::{PriceEntry, RateSet},
};

use super::list::Listed;
use crate::cli::{
    number,
    table::{Align, Table},
};

/// Which of a set's rates.
type RateOf = fn(&RateSet) -> Option<RatePerToken>;

const NOTHING: &str = "–";
const DECIMALS_MIN: usize = 2;

/// A line per model, with the standard tier's prices.
pub(super) fn table(prices: &[Listed]) -> String {
    if prices.is_empty() {
        return "No prices match.".to_owned();
    }
    let mut table = Table::new([
        ("Provider", Align::Left),
        ("Model", Align::Left),
        ("Input", Align::Right),
        ("Cache read", Align::Right),
        ("Cache write", Align::Right),
        ("Output", Align::Right),
        ("More", Align::Left),
        ("Version", Align::Left),
    ]);
    let standard = |entry: &PriceEntry| base(entry).cloned().unwrap_or_default();
    let columns = [
        |set: &RateSet| set.input,
        |set: &RateSet| set.cache_read,
        |set: &RateSet| set.cache_write_5m,
        |set: &RateSet| set.output,
    ];
    let decimals = columns
        .map(|rate| decimals(prices.iter().filter_map(|price| rate(&standard(&price.entry)))));
    for price in prices {
        let set = standard(&price.entry);
        let mut row = vec![price.entry.provider.clone(), price.entry.model.clone()];
        let rates = columns.iter().zip(decimals);
        row.extend(rates.map(|(rate, decimals)| usd(rate(&set), decimals)));
        row.push(more(&price.entry));
        row.push(price.version.clone());
        table.row(row);
    }
    let count = match prices.len() {
        1 => "1 price".to_owned(),
        many => format!("{} prices", number::count(many as i128)),
    };
    format!("{}\n\n{count}, in USD per million tokens", table.render())
}

/// What `tally prices show` adds to the line.
fn more(entry: &PriceEntry) -> String {
    let mut words: Vec<&str> = ServiceTier::ALL
        .iter()
        .filter(|tier| **tier != ServiceTier::Standard)
        .filter(|tier| entry.rates.iter().any(|set| set.service_tier == **tier))
        .map(|tier| tier.as_str())
        .collect();
    let has = [
        (entry.rates.iter().any(|set| set.above_input_tokens > 0), "context steps"),
        (entry.rates.iter().any(|set| set.reasoning.is_some()), "reasoning"),
        (entry.per_request_usd.is_some() || !entry.per_tool_usd.is_empty(), "fees"),
        (!entry.modifiers.is_empty(), "modifiers"),
    ];
    words.extend(has.iter().filter(|(present, _)| *present).map(|(_, word)| *word));
    words.join(", ")
}

/// Everything known about one price.
pub(super) fn details(price: &Listed, source: Option<&str>) -> String {
    let entry = &price.entry;
    let mut text = format!("{} · {}\n\n", entry.provider, entry.model);
    if entry.rates.is_empty() {
        text.push_str("no price per token\n");
    } else {
        let _ = writeln!(text, "{}\n\nUSD per million tokens", rates(entry));
        if entry.rates.iter().any(|set| set.above_input_tokens > 0) {
            text.push_str("A step of more input prices the whole call; what it leaves open is priced as any.\n");
        }
    }
    let mut fact = |name: &str, value: String| {
        let _ = write!(text, "\n{name:<22}{value}");
    };
    if let Some(fee) = entry.per_request_usd {
        fact("fee per call", format!("{fee} USD"));
    }
    for (tool, fee) in &entry.per_tool_usd {
        fact(&format!("fee per {tool}"), format!("{fee} USD"));
    }
    for modifier in &entry.modifiers {
        fact(
            &format!("when {}", modifier.when),
            format!("{} % of the token prices", modifier.percent),
        );
    }
    if let Some(tokens) = entry.context_tokens_max {
        fact("largest prompt", format!("{} tokens", number::count(i128::from(tokens))));
    }
    if let Some(tokens) = entry.output_tokens_max {
        fact("longest answer", format!("{} tokens", number::count(i128::from(tokens))));
    }
    let holds = match (entry.from, entry.until) {
        (None, None) => "without a date".to_owned(),
        (Some(from), None) => format!("from {from}"),
        (None, Some(until)) => format!("until {until}, exclusive"),
        (Some(from), Some(until)) => format!("from {from} until {until}, exclusive"),
    };
    fact("in force", holds);
    if let Some(source) = source {
        fact("source", source.to_owned());
    }
    // A version is `<list>@<as of>`, with the day an entry begins behind it.
    let as_of = price.version.split_once('@').map_or("", |(_, rest)| rest);
    fact("as of", as_of.split('/').next().unwrap_or_default().to_owned());
    fact("list", price.list.clone());
    fact("version on events", price.version.clone());
    text
}

fn rates(entry: &PriceEntry) -> String {
    let columns: [(&str, RateOf); 6] = [
        ("Input", |set| set.input),
        ("Cache read", |set| set.cache_read),
        ("Write 5 min", |set| set.cache_write_5m),
        ("Write 1 h", |set| set.cache_write_1h),
        ("Output", |set| set.output),
        ("Reasoning", |set| set.reasoning),
    ];
    let headings = [("Tier", Align::Left), ("Input tokens", Align::Left)];
    let mut table = Table::new(
        headings.into_iter().chain(columns.iter().map(|(name, _)| (*name, Align::Right))),
    );
    let mut sets: Vec<&RateSet> = entry.rates.iter().collect();
    sets.sort_by_key(|set| (set.service_tier, set.above_input_tokens));
    for set in sets {
        let step = match set.above_input_tokens {
            0 => "any".to_owned(),
            above => format!("above {}", number::count(i128::from(above))),
        };
        let mut row = vec![set.service_tier.to_string(), step];
        row.extend(columns.iter().map(|(_, rate)| {
            let column = entry.rates.iter().filter_map(rate);
            usd(rate(set), decimals(column))
        }));
        table.row(row);
    }
    table.render()
}

fn base(entry: &PriceEntry) -> Option<&RateSet> {
    let is_base =
        |set: &&RateSet| set.service_tier == ServiceTier::Standard && set.above_input_tokens == 0;
    entry.rates.iter().find(is_base)
}

/// Prices are exact: a column has the decimals of its longest.
fn decimals(rates: impl Iterator<Item = RatePerToken>) -> usize {
    let of =
        |rate: RatePerToken| rate.to_string().split_once('.').map_or(0, |(_, part)| part.len());
    rates.map(of).max().unwrap_or_default().max(DECIMALS_MIN)
}

fn usd(rate: Option<RatePerToken>, decimals: usize) -> String {
    let Some(rate) = rate else {
        return NOTHING.to_owned();
    };
    let text = rate.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    format!("{whole}.{fraction:0<decimals$}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn price() -> Listed {
        serde_json::from_value(json!({
            "list": "negotiated", "version": "negotiated@2026-05-01/2026-06-01",
            "provider": "anthropic", "model": "claude-sonnet-4-5", "from": "2026-06-01",
            "rates": [
                {"service_tier": "batch", "input": "1.5", "output": "7.5"},
                {"above_input_tokens": 200_000, "input": "6", "output": "22.5"},
                {"input": "3", "cache_read": "0.0375", "cache_write_5m": "3.75", "cache_write_1h": "6", "output": "15"},
            ],
            "per_tool_usd": {"web_search": "0.01"},
            "modifiers": [{"when": "inference_geo:us", "percent": 110}],
            "context_tokens_max": 1_000_000, "output_tokens_max": 64000,
        }))
        .unwrap()
    }

    #[test]
    fn a_line_per_model() {
        insta::assert_snapshot!(table(&[price()]));
        assert_eq!(table(&[]), "No prices match.");
    }

    #[test]
    fn everything_about_one() {
        insta::assert_snapshot!(details(&price(), Some("contract 17")));
    }
}
