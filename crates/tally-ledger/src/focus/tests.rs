//! What a reader of an export relies on.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use jiff::{civil::date, tz::TimeZone};
use parquet::{
    file::reader::{FileReader as _, SerializedFileReader},
    record::Field,
};
use proptest::prelude::*;
use rust_decimal::Decimal;
use tally_types::{PicoUsdSum, ServiceTier};

use super::{ExchangeRate, FocusError, Format, Issuer, Version, write};
use crate::{ChargeLine, ChargeRow, Payment};

type Line = BTreeMap<String, String>;

fn issuer() -> Issuer {
    Issuer {
        billing_account_id: "acme".to_owned(),
        billing_account_name: "Acme".to_owned(),
        billing_account_type: "Organization".to_owned(),
        sub_account_type: "Cost Center".to_owned(),
        invoice_issuer: "Acme".to_owned(),
        service_name: "AI Platform".to_owned(),
        tag_prefix: "tally/".to_owned(),
        billing_currency: "USD".to_owned(),
        pricing_currency: "USD".to_owned(),
        exchange_rate: None,
        period: "2026-10".parse().unwrap(),
        time_zone: TimeZone::get("Europe/Berlin").unwrap(),
        invoice_of: Arc::new(|cost_center| match cost_center {
            Some(name) => format!("2026-10/{name}"),
            None => "2026-10/unallocated".to_owned(),
        }),
    }
}

fn euros() -> Issuer {
    let rate = ExchangeRate::new(Decimal::new(9_137, 4), date(2026, 10, 31)).unwrap();
    Issuer { billing_currency: "EUR".to_owned(), exchange_rate: Some(rate), ..issuer() }
}

fn usage(meter: &str, quantity: u64, rate_pico: i64) -> ChargeRow {
    let amount = PicoUsdSum::from_pico(i128::from(rate_pico) * i128::from(quantity));
    ChargeRow {
        line: ChargeLine::Usage,
        date: date(2026, 10, 12),
        cost_center: Some("support".parse().unwrap()),
        team: Some("helpdesk".parse().unwrap()),
        workload: Some("copilot".parse().unwrap()),
        workload_class: None,
        environment: None,
        key: Some("copilot-key".parse().unwrap()),
        provider: Some("anthropic".parse().unwrap()),
        model: Some("claude-opus".to_owned()),
        model_family: Some("claude".to_owned()),
        tier: None,
        service_tier: Some(ServiceTier::Standard),
        meter: meter.to_owned(),
        quantity,
        list_rate_pico: Some(rate_pico),
        rate_pico: Some(rate_pico),
        list_usd: Some(amount),
        amount_usd: amount,
        payment: Payment { charged_usd: amount, ..Payment::default() },
        rate_card: None,
        subscription: false,
        corrects: None,
        adjustment: None,
        aggregate: false,
        calls: 1,
    }
}

fn csv_of(rows: Vec<ChargeRow>, issuer: &Issuer, version: Version) -> Vec<Line> {
    let mut file = Vec::new();
    write(rows.into_iter().map(Ok), issuer, version, Format::Csv, &mut file).unwrap();
    let mut reader = csv::Reader::from_reader(file.as_slice());
    reader.deserialize().map(Result::unwrap).collect()
}

fn decimal(line: &Line, column: &str) -> Decimal {
    Decimal::from_str_exact(&line[column]).unwrap_or_else(|error| panic!("{column}: {error}"))
}

#[test]
fn a_row_is_what_the_reference_says() {
    let line = csv_of(vec![usage("input_uncached", 8_000_000, 300_000)], &issuer(), Version::V1_2)
        .remove(0);
    for (column, value) in [
        ("ConsumedQuantity", "8000000.0"),
        ("ConsumedUnit", "Tokens"),
        ("PricingQuantity", "8.0"),
        ("PricingUnit", "1000000 Tokens"),
        ("ListUnitPrice", "0.3"),
        ("ListCost", "2.4"),
        ("BilledCost", "2.4"),
        ("SkuMeter", "Input Tokens"),
        ("SkuId", "anthropic/claude-opus/input_uncached"),
        ("SkuPriceId", "anthropic/claude-opus/input_uncached/standard/0.3"),
        ("ServiceCategory", "AI and Machine Learning"),
        ("ServiceSubcategory", "Generative AI"),
        ("ChargeCategory", "Usage"),
        ("ChargeClass", ""),
        ("SubAccountId", "support"),
        ("InvoiceId", "2026-10/support"),
        ("PublisherName", "anthropic"),
        ("ResourceId", "workload/copilot"),
        ("CommitmentDiscountStatus", ""),
        // Days and months are those of the organisation.
        ("ChargePeriodStart", "2026-10-11T22:00:00Z"),
        ("ChargePeriodEnd", "2026-10-12T22:00:00Z"),
        ("BillingPeriodStart", "2026-09-30T22:00:00Z"),
        ("BillingPeriodEnd", "2026-10-31T23:00:00Z"),
    ] {
        assert_eq!(line[column], value, "{column}");
    }
    assert_eq!(line.len(), 57);
    assert!(line["SkuPriceDetails"].contains(r#""x_TokenDirection":"Input""#));
    assert!(line["Tags"].contains(r#""tally/ConsumerId":"copilot""#));
}

/// Number 30 of the list of what users of other gateways suffer from.
#[test]
fn regression_30_units_and_currencies_follow_what_was_metered_and_who_bills() {
    let rows = vec![
        usage("output", 1_000, 15_000_000),
        usage("tool:web_search", 3, 10_000_000_000),
        usage("request", 2, 5_000_000_000),
    ];
    let units = |line: &Line| {
        ["ConsumedUnit", "PricingUnit", "SkuMeter"].map(|column| line[column].clone())
    };
    let lines = csv_of(rows.clone(), &euros(), Version::V1_2);
    assert_eq!(units(&lines[0]), ["Tokens", "1000000 Tokens", "Output Tokens"]);
    assert_eq!(units(&lines[1]), ["Tool Requests", "Tool Requests", "Web Search Requests"]);
    assert_eq!(units(&lines[2]), ["Requests", "Requests", "Requests"]);
    for line in &lines {
        assert_eq!([&line["BillingCurrency"], &line["PricingCurrency"]], ["EUR", "USD"]);
        let in_dollars = decimal(line, "PricingCurrencyListUnitPrice");
        assert_eq!(decimal(line, "ListUnitPrice"), in_dollars * Decimal::new(9_137, 4));
    }
    assert_eq!(lines[1]["ListCost"], "0.027411");
    assert_eq!(lines[1]["PricingCurrencyEffectiveCost"], "0.03");
    assert_eq!(csv_of(rows, &issuer(), Version::V1_2)[1]["BillingCurrency"], "USD");
}

#[test]
fn billed_costs_of_a_statement_are_what_it_charges() {
    let pico = PicoUsdSum::from_pico;
    let mut split = usage("output", 10, 1_000);
    split.payment = Payment {
        charged_usd: pico(6_000),
        subsidised_usd: pico(3_000),
        unallocated_usd: pico(1_000),
    };
    let mut subsidised = usage("output", 7, 1_000);
    subsidised.payment = Payment { subsidised_usd: pico(7_000), ..Payment::default() };
    let mut nobodys = usage("output", 5, 1_000);
    nobodys.cost_center = None;
    nobodys.payment = Payment { unallocated_usd: pico(5_000), ..Payment::default() };
    let lines = csv_of(vec![split, subsidised, nobodys], &issuer(), Version::V1_4);
    let mut billed: BTreeMap<&str, Decimal> = BTreeMap::new();
    for line in &lines {
        *billed.entry(line["InvoiceId"].as_str()).or_default() += decimal(line, "BilledCost");
    }
    assert_eq!(billed["2026-10/support"], Decimal::new(6, 9));
    assert_eq!(billed["2026-10/unallocated"], Decimal::new(6, 9));
    // The usage is all there, whoever pays.
    let used = lines.iter().filter(|line| line["ChargeCategory"] == "Usage");
    assert_eq!(used.map(|line| decimal(line, "ListCost")).sum::<Decimal>(), Decimal::new(22, 9));
    assert_eq!(lines.iter().filter(|line| line["ChargeCategory"] == "Credit").count(), 2);
}

#[test]
fn a_charge_that_is_not_wholly_paid_for_is_no_row() {
    let mut row = usage("output", 10, 1_000);
    row.payment = Payment::default();
    let file = write([Ok(row)].into_iter(), &issuer(), Version::V1_2, Format::Csv, Vec::new());
    assert!(matches!(file, Err(FocusError::Unbalanced { .. })), "{file:?}");
}

#[test]
fn a_correction_says_what_it_is_and_of_which_month() {
    let amount = PicoUsdSum::from_pico(-4_000);
    let row = ChargeRow {
        line: ChargeLine::Correction,
        date: date(2026, 9, 30),
        corrects: Some("2026-09".to_owned()),
        amount_usd: amount,
        list_usd: Some(amount),
        payment: Payment { charged_usd: amount, ..Payment::default() },
        ..usage("output", 4, 1_000)
    };
    let line = csv_of(vec![row], &issuer(), Version::V1_2).remove(0);
    assert_eq!(line["ChargeClass"], "Correction");
    assert_eq!(line["BilledCost"], "-0.000000004");
    assert!(line["ChargeDescription"].contains("2026-09"), "{}", line["ChargeDescription"]);
    // The price of something given back is not negative: there is none.
    assert_eq!(line["ListUnitPrice"], "");
    assert_eq!(line["BillingPeriodStart"], "2026-09-30T22:00:00Z");
}

#[test]
fn what_is_no_usage_has_no_price() {
    for (line, frequency) in [(ChargeLine::Shared, "Recurring"), (ChargeLine::Rounding, "One-Time")]
    {
        let row = ChargeRow {
            line,
            provider: None,
            model: None,
            rate_pico: None,
            list_rate_pico: None,
            list_usd: None,
            ..usage("", 0, 0)
        };
        let row = ChargeRow {
            amount_usd: PicoUsdSum::from_pico(9),
            payment: Payment { charged_usd: PicoUsdSum::from_pico(9), ..Payment::default() },
            ..row
        };
        let line = csv_of(vec![row], &issuer(), Version::V1_2).remove(0);
        assert_eq!(line["ChargeCategory"], "Adjustment");
        assert_eq!(line["ChargeFrequency"], frequency);
        assert_eq!(
            [&line["SkuId"], &line["ConsumedQuantity"], &line["ListUnitPrice"]],
            ["", "", ""]
        );
        assert_eq!(line["ServiceName"], "AI Platform");
    }
}

#[test]
fn a_price_that_cannot_be_taken_apart_is_that_of_all_calls_together() {
    let mut row = usage("call", 3, 0);
    (row.rate_pico, row.list_rate_pico) = (None, None);
    row.list_usd = Some(PicoUsdSum::from_pico(10));
    row.amount_usd = PicoUsdSum::from_pico(10);
    row.payment.charged_usd = PicoUsdSum::from_pico(10);
    let line = csv_of(vec![row], &issuer(), Version::V1_2).remove(0);
    assert_eq!(line["ConsumedQuantity"], "3.0");
    assert_eq!([&line["PricingQuantity"], &line["PricingUnit"]], ["1.0", "3 Calls"]);
    assert_eq!([&line["ListUnitPrice"], &line["ListCost"]], ["0.00000000001", "0.00000000001"]);
}

#[test]
fn an_unknown_price_is_said_to_be_unknown() {
    let mut row = usage("output", 3, 0);
    (row.rate_pico, row.list_rate_pico, row.list_usd) = (None, None, None);
    let line = csv_of(vec![row], &issuer(), Version::V1_2).remove(0);
    assert!(line["SkuPriceDetails"].contains(r#""x_ListPriceKnown":false"#));
}

#[test]
fn both_formats_hold_the_same() {
    let mut rows: Vec<ChargeRow> =
        (1..250).map(|n| usage("cache_read", n, 1_000 + i64::from(n % 7 == 0))).collect();
    rows[3].payment = Payment { subsidised_usd: rows[3].amount_usd, ..Payment::default() };
    for version in [Version::V1_2, Version::V1_4] {
        let lines = csv_of(rows.clone(), &euros(), version);
        let mut file = Vec::new();
        let written =
            write(rows.clone().into_iter().map(Ok), &euros(), version, Format::Parquet, &mut file)
                .unwrap();
        assert_eq!(written.rows, lines.len() as u64);
        let reader = SerializedFileReader::new(Bytes::from(file)).unwrap();
        assert!(reader.num_row_groups() > 1, "rows leave before all are there");
        let schema = reader.metadata().file_metadata().schema_descr();
        let names: Vec<_> =
            schema.columns().iter().map(|column| column.name().to_owned()).collect();
        assert_eq!(names, version.columns().collect::<Vec<_>>());
        for (row, line) in reader.get_row_iter(None).unwrap().zip(&lines) {
            for (name, field) in row.unwrap().get_column_iter() {
                let text = &line[name];
                match field {
                    Field::Null => assert_eq!(text, "", "{name}"),
                    Field::Str(value) => assert_eq!(value, text, "{name}"),
                    Field::Decimal(value) => {
                        let bytes: [u8; 16] = value.data().try_into().unwrap();
                        let scale = u32::try_from(value.scale()).unwrap();
                        let units = i128::from_be_bytes(bytes);
                        assert_eq!(super::decimal::Exact::new(units, scale).to_string(), *text);
                    }
                    Field::TimestampMicros(us) => {
                        let time: jiff::Timestamp = text.parse().unwrap();
                        assert_eq!(time.as_microsecond(), *us, "{name}");
                    }
                    other => panic!("{name}: {other:?}"),
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn every_price_times_its_quantity_is_its_cost(
        meter in prop::sample::select(vec!["output", "cache_read", "tool:web_search", "request"]),
        quantity in 0_u64..2_000_000_000,
        list in 0_i64..200_000_000,
        own in 0_i64..200_000_000,
        keeps_rates in any::<bool>(),
    ) {
        let mut row = usage(meter, quantity, own);
        row.list_rate_pico = Some(list);
        row.list_usd = Some(PicoUsdSum::from_pico(i128::from(list) * i128::from(quantity)));
        if !keeps_rates {
            (row.rate_pico, row.list_rate_pico) = (None, None);
        }
        let exact = |line: &Line, column: &str| -> (i128, usize) {
            let (whole, fraction) = line[column].split_once('.').unwrap();
            (format!("{whole}{fraction}").parse().unwrap(), fraction.len())
        };
        for line in csv_of(vec![row], &euros(), Version::V1_2) {
            for (price, cost) in
                [("ListUnitPrice", "ListCost"), ("ContractedUnitPrice", "ContractedCost")]
            {
                let (price, quantity, cost) =
                    (exact(&line, price), exact(&line, "PricingQuantity"), exact(&line, cost));
                let scale = u32::try_from(price.1 + quantity.1).unwrap();
                let cost_scale = u32::try_from(cost.1).unwrap();
                let common = scale.max(cost_scale);
                prop_assert_eq!(
                    price.0 * quantity.0 * 10_i128.pow(common - scale),
                    cost.0 * 10_i128.pow(common - cost_scale)
                );
            }
        }
    }
}
