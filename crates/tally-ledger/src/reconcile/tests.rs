//! What a bill is held against, and what is found.

use jiff::civil::{Date, date};
use tally_types::{CallId, EventId, PicoUsd, PicoUsdSum, Source, Timestamp, UsageEvent};

use super::{
    Bill, BillFormat, Metered, ModelNames, Reconciliation, Variance, VarianceKind, compare, read,
};
use tally_pricing::{MeterLine, PriceUnit};

const OPUS: &str = "claude-opus-4-8";
const HAIKU: &str = "claude-haiku-4-5";

fn bill(format: BillFormat, text: &str) -> Bill {
    let provider = "anthropic".parse().unwrap();
    read(format, &provider, text).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(format: BillFormat, text: &str) -> String {
    read(format, &"anthropic".parse().unwrap(), text).unwrap_err().to_string()
}

fn names() -> ModelNames {
    let own = [OPUS, HAIKU].map(|name| (name.to_owned(), name.to_owned()));
    let theirs = ("claude-opus-4-8-20260901".to_owned(), OPUS.to_owned());
    own.into_iter().chain([theirs]).collect()
}

/// A day's calls of both models: two million tokens in, one million out.
fn day(metered: &mut Metered, day: Date) {
    for (model, input, output) in [(OPUS, 5_000_000, 25_000_000), (HAIKU, 1_000_000, 5_000_000)] {
        let id = uuid::Uuid::from_u128(1);
        let mut event =
            UsageEvent::new(EventId(id), CallId(id), Timestamp::UNIX_EPOCH, Source::Gateway);
        event.model_requested = model.to_owned();
        event.cost_list_usd = Some(PicoUsd::ZERO);
        let line = |meter: &'static str, quantity: u64, rate_pico: i64| MeterLine {
            meter: meter.into(),
            quantity,
            rate_pico,
            cost: PicoUsd::from_pico(rate_pico).checked_mul(quantity).unwrap(),
            unit: PriceUnit::MillionTokens,
        };
        let lines = [line("input_uncached", 2_000_000, input), line("output", 1_000_000, output)];
        metered.add(day, &event, Some(&lines));
    }
}

#[test]
fn what_has_no_price_no_parts_or_no_bill_is_counted_as_such() {
    let id = uuid::Uuid::from_u128(1);
    let mut event =
        UsageEvent::new(EventId(id), CallId(id), Timestamp::UNIX_EPOCH, Source::Gateway);
    event.model_requested = OPUS.to_owned();
    event.tokens.output = 1_000_000;
    event.subscription = true;
    let text = "date,model,meter,quantity,cost,currency\n\
                2026-10-01,claude-opus-4-8,output,1000000,25.00,USD\n";
    let bill = bill(BillFormat::Csv, text);
    let kinds = |event: &UsageEvent| {
        let mut metered = Metered::default();
        metered.add(date(2026, 10, 1), event, None);
        let all = compare(&bill, &metered, &names(), &unknown);
        all.variances.iter().map(|one| one.kind).collect::<Vec<_>>()
    };
    // On no bill, so that this bill's line is of calls that went around.
    assert_eq!(kinds(&event), [VarianceKind::MissingTraffic]);
    // The tokens are the same; the bill has a price that Tally does not know.
    event.subscription = false;
    assert_eq!(kinds(&event), [VarianceKind::PriceChange]);
}

fn metered(days: &[i8]) -> Metered {
    let mut metered = Metered::default();
    days.iter().for_each(|it| day(&mut metered, date(2026, 10, *it)));
    metered
}

/// No list has a price.
const fn unknown(_: Date, _: Option<&str>, _: &str) -> Option<i64> {
    None
}

type Found<'a> = (VarianceKind, Date, Option<&'a str>, Option<&'a str>);

fn found(all: &Reconciliation) -> Vec<Found<'_>> {
    let one = |it: &'_ Variance| (it.kind, it.date);
    all.variances
        .iter()
        .map(|it| (one(it).0, one(it).1, it.model.as_deref(), it.meter.as_deref()))
        .collect()
}

#[test]
fn three_planted_differences_are_exactly_these_three_variances() {
    // Of the costs alone, as Anthropic reports them: a day that Tally did not see, another
    // price of one meter on one day, a model that nobody registered.
    let bill = bill(BillFormat::AnthropicCost, include_str!("data/anthropic_cost.json"));
    let all = compare(&bill, &metered(&[1, 2, 4]), &names(), &unknown);
    assert_eq!(
        found(&all),
        [
            (VarianceKind::PriceChange, date(2026, 10, 2), Some(OPUS), Some("output")),
            (VarianceKind::MissingTraffic, date(2026, 10, 3), None, None),
            (VarianceKind::UnknownModel, date(2026, 10, 4), Some("claude-nova-1"), None),
        ],
        "{:#?}",
        all.variances
    );
    let differences: Vec<String> =
        all.variances.iter().map(|it| it.difference_usd.unwrap().to_string()).collect();
    assert_eq!(differences, ["5", "42", "7.77"]);
    // What is proposed makes the books agree with the bill, and is nobody's until approved.
    let proposed: i128 = all.variances.iter().map(|it| it.proposed_usd.unwrap().pico()).sum();
    assert_eq!(all.metered_usd.pico() + proposed, all.billed_usd.unwrap().pico());
}

#[test]
fn usage_is_compared_by_count_and_the_gap_is_what_calls_do_not_cover() {
    let bill = bill(BillFormat::AnthropicUsage, include_str!("data/anthropic_usage.json"));
    let list = |_: Date, model: Option<&str>, meter: &str| {
        (model == Some("claude-opus-4-8-20260901") || model == Some(OPUS))
            .then(|| if meter == "output" { Some(25_000_000) } else { None })
            .flatten()
    };
    let all = compare(&bill, &metered(&[1]), &names(), &list);
    assert_eq!(
        found(&all),
        [
            (VarianceKind::MissingTraffic, date(2026, 10, 1), Some(OPUS), Some("output")),
            (VarianceKind::UnmeteredSource, date(2026, 10, 1), Some(OPUS), Some("tool:web_search")),
        ]
    );
    assert_eq!(all.variances[0].gap_quantity, Some(500_000));
    assert_eq!(all.variances[1].gap_quantity, Some(3));
    assert_eq!(all.billed_usd, None, "a report of usage has no costs");
    // What calls do not cover is worth its list price; of what no list has, nothing is proposed.
    let proposed: Vec<_> = all.variances.iter().map(|it| it.proposed_usd).collect();
    assert_eq!(proposed, [Some(PicoUsdSum::from_pico(12_500_000_000_000)), None]);
}

#[test]
fn an_aggregate_is_only_what_calls_leave() {
    let text = "date,model,meter,quantity,cost,currency\n\
                2026-10-01,claude-opus-4-8,output,3000000,75.00,USD\n\
                2026-10-01,,tool:storage,,4.00,USD\n";
    let bill = bill(BillFormat::Csv, text);
    let gaps = |days: &[i8]| {
        let all = compare(&bill, &metered(&[]), &names(), &unknown);
        assert_eq!(all.variances[0].proposed_usd, Some(PicoUsdSum::from_pico(79_000_000_000_000)));
        let gap = metered(days).gap(date(2026, 10, 1), &all.variances[0].aggregate, &names());
        (gap.quantity, PicoUsdSum::from_pico(gap.pico).to_string())
    };
    assert_eq!(gaps(&[]), (3_000_000, "79".to_owned()));
    // A call of a million, then more than was billed: what is left is what has no call.
    assert_eq!(gaps(&[1]), (2_000_000, "54".to_owned()));
    assert_eq!(gaps(&[1, 1, 1, 1]), (0, "4".to_owned()));
    assert_eq!(gaps(&[2]), (3_000_000, "79".to_owned()));
}

#[test]
fn openai_reports_become_the_same_lines() {
    let usage = bill(BillFormat::OpenaiUsage, include_str!("data/openai_usage.json"));
    let lines: Vec<_> =
        usage.lines.iter().map(|line| (line.meter.as_str(), line.quantity.unwrap())).collect();
    assert_eq!(
        lines,
        [("input_uncached", 600), ("cache_read", 300), ("cache_write_5m", 100), ("output", 50)]
    );
    let costs = bill(BillFormat::OpenaiCosts, include_str!("data/openai_costs.json"));
    assert_eq!(costs.days, (date(2026, 10, 1), date(2026, 10, 2)));
    let lines: Vec<_> = costs
        .lines
        .iter()
        .map(|line| {
            (line.model.as_deref(), line.meter.as_str(), line.cost_usd.unwrap().to_string())
        })
        .collect();
    assert_eq!(
        lines,
        [
            (Some("gpt-5"), "input_uncached", "0.06".to_owned()),
            (Some("gpt-5"), "output", "0.000000000001".to_owned()),
            (None, "tool:web_search_tool_calls", "12.5".to_owned()),
        ]
    );
}

#[test]
fn an_invoice_that_agrees_has_no_variance_and_a_cent_is_rounding() {
    let text = include_str!("data/invoice.csv");
    let all = compare(&bill(BillFormat::Csv, text), &metered(&[1]), &names(), &unknown);
    assert_eq!(found(&all), []);
    let rounded = text.replace(",25.00,", ",25.004,");
    let all = compare(&bill(BillFormat::Csv, &rounded), &metered(&[1]), &names(), &unknown);
    assert_eq!(
        found(&all),
        [(VarianceKind::Rounding, date(2026, 10, 1), Some(OPUS), Some("output"))]
    );
    let dearer = text.replace(",25.00,", ",30.00,");
    let all = compare(&bill(BillFormat::Csv, &dearer), &metered(&[1]), &names(), &unknown);
    assert_eq!(found(&all)[0].0, VarianceKind::PriceChange);
    assert_eq!(all.variances[0].difference_usd, Some(PicoUsdSum::from_pico(5_000_000_000_000)));
}

#[test]
fn a_day_that_the_bill_leaves_out_is_said() {
    let text = include_str!("data/invoice.csv");
    let third = text.lines().nth(1).unwrap().replace("2026-10-01", "2026-10-03");
    let all = compare(
        &bill(BillFormat::Csv, &format!("{text}{third}\n")),
        &metered(&[1, 2, 3]),
        &names(),
        &unknown,
    );
    assert!(found(&all).contains(&(VarianceKind::MissingInBill, date(2026, 10, 2), None, None)));
}

#[test]
fn what_is_no_bill_is_refused_with_its_place_and_what_was_expected() {
    let header = "date,model,meter,quantity,cost,currency\n";
    for (row, said) in [
        ("2026-10-01,m,output,10,\"1,50\",USD", "line 2, column `cost`"),
        ("2026-10-01,m,output,10,1,50,USD", "line 2: it has 7 cells; expected 6"),
        ("2026-10-01,m,output,10,1.50,EUR", "line 2, column `currency`: `EUR`; expected USD"),
        ("01.10.2026,m,output,10,1.50,USD", "line 2, column `date`"),
        ("2026-10-01,m,output,1.5,1.50,USD", "line 2, column `quantity`"),
        ("2026-10-01,m,,10,1.50,USD", "line 2, column `meter`"),
        ("", "it is of no day"),
    ] {
        let error = refused(BillFormat::Csv, &format!("{header}{row}\n"));
        assert!(error.contains(said), "{error}");
    }
    let error = refused(BillFormat::Csv, "Datum;Modell;Betrag\n1;2;3\n");
    assert!(error.contains("expected `date,model,meter,quantity,cost,currency`"), "{error}");

    let cost = include_str!("data/anthropic_cost.json");
    let euros = refused(BillFormat::AnthropicCost, &cost.replacen("USD", "EUR", 1));
    assert!(euros.starts_with("data[0].results[0]: the currency is `EUR`"), "{euros}");
    let comma = refused(BillFormat::AnthropicCost, &cost.replacen("\"1000.00\"", "\"1000,00\"", 1));
    assert!(comma.starts_with("data[0].results[0].amount: `1000,00`"), "{comma}");
    let more = refused(
        BillFormat::AnthropicCost,
        &cost.replace("\"has_more\": false", "\"has_more\": true"),
    );
    assert!(more.starts_with("has_more:"), "{more}");
    let cut = refused(BillFormat::AnthropicCost, &cost[..cost.len() / 2]);
    assert!(cut.starts_with("line "), "{cut}");
    let other = refused(BillFormat::OpenaiCosts, cost);
    assert!(other.contains("expected the provider's report"), "{other}");
}
