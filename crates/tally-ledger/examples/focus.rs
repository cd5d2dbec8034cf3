//! Writes a FOCUS file with every kind of row that there is, for the official validator and
//! other readers: `cargo run -p tally-ledger --example focus -- 1.2 out.csv [EUR=0.9137]`.

use std::{fs::File, process::ExitCode, sync::Arc};

use jiff::{
    ToSpan as _,
    civil::{Date, date},
    tz::TimeZone,
};
use tally_ledger::{
    ChargeLine, ChargeRow, Payment,
    focus::{self, ExchangeRate, Format, Issuer, RowError},
};
use tally_types::{PicoUsdSum, ServiceTier};

const USAGE: &str = "expected: VERSION FILE.csv|FILE.parquet [CURRENCY=RATE]";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the only way an example speaks")]
fn tell(text: &str) {
    eprintln!("{text}");
}

fn run() -> Result<(), RowError> {
    let mut arguments = std::env::args().skip(1);
    let version = arguments.next().ok_or(USAGE)?.parse()?;
    let path = arguments.next().ok_or(USAGE)?;
    let format = if path.ends_with(".parquet") { Format::Parquet } else { Format::Csv };
    let issuer = issuer(arguments.next().as_deref())?;
    let rows = rows()?.into_iter().map(Ok);
    focus::write(rows, &issuer, version, format, File::create(path)?)?;
    Ok(())
}

fn issuer(currency: Option<&str>) -> Result<Issuer, RowError> {
    let (currency, rate) = match currency {
        Some(text) => {
            let (currency, rate) = text.split_once('=').ok_or(USAGE)?;
            let rate = ExchangeRate::new(rate.parse()?, date(2026, 10, 31));
            (currency, Some(rate.ok_or("expected a positive rate")?))
        }
        None => ("USD", None),
    };
    Ok(Issuer {
        billing_account_id: "acme".to_owned(),
        billing_account_name: "Acme".to_owned(),
        billing_account_type: "Organization".to_owned(),
        sub_account_type: "Cost Center".to_owned(),
        invoice_issuer: "Acme".to_owned(),
        service_name: "AI Platform".to_owned(),
        tag_prefix: "tally/".to_owned(),
        billing_currency: currency.to_owned(),
        pricing_currency: "USD".to_owned(),
        exchange_rate: rate,
        period: "2026-10".parse()?,
        time_zone: TimeZone::get("Europe/Berlin")?,
        invoice_of: Arc::new(|payer| match payer {
            Some(name) => format!("2026-10/{name}"),
            None => "2026-10/unallocated".to_owned(),
        }),
    })
}

/// Each day a call of each meter, and one of each thing that is no plain call.
fn rows() -> Result<Vec<ChargeRow>, RowError> {
    let mut rows = Vec::new();
    for day in 0..31_i64 {
        let date = date(2026, 10, 1).checked_add(day.days())?;
        let meters = [
            ("input_uncached", 3_000_000),
            ("cache_read", 300_000),
            ("cache_write_5m", 3_750_000),
            ("cache_write_1h", 6_000_000),
            ("output", 15_000_000),
            ("reasoning", 15_000_001),
            ("tool:web_search", 10_000_000_000),
            ("request", 5_000_000_000),
        ];
        for (index, (meter, rate)) in (1_u64..).zip(meters) {
            rows.push(usage(date, meter, 1_234_567 * index + day.unsigned_abs(), rate)?);
        }
    }
    rows.extend(special(date(2026, 10, 31))?);
    Ok(rows)
}

fn special(date: Date) -> Result<Vec<ChargeRow>, RowError> {
    let pico = PicoUsdSum::from_pico;
    let plain = usage(date, "output", 10, 1_000)?;
    let split = Payment {
        charged_usd: pico(6_000),
        subsidised_usd: pico(3_000),
        unallocated_usd: pico(1_000),
    };
    let whole = ChargeRow { list_rate_pico: None, rate_pico: None, ..plain.clone() };
    let marked_up = Payment { charged_usd: pico(11_500), ..Payment::default() };
    let given_back = Payment { charged_usd: pico(-4_000), ..Payment::default() };
    let fee = ChargeRow {
        meter: String::new(),
        quantity: 0,
        provider: None,
        model: None,
        list_usd: None,
        ..whole.clone()
    };
    let of = |line: ChargeLine| ChargeRow { line, ..fee.clone() };
    Ok(vec![
        ChargeRow { payment: split, ..plain.clone() },
        ChargeRow {
            cost_center: None,
            payment: Payment { unallocated_usd: plain.amount_usd, ..Payment::default() },
            ..plain.clone()
        },
        ChargeRow {
            rate_pico: Some(1_150),
            amount_usd: pico(11_500),
            payment: marked_up,
            rate_card: Some("standard".to_owned()),
            ..plain.clone()
        },
        ChargeRow {
            subscription: true,
            rate_pico: Some(0),
            amount_usd: pico(0),
            payment: Payment::default(),
            ..plain.clone()
        },
        ChargeRow {
            line: ChargeLine::Correction,
            corrects: Some("2026-09".to_owned()),
            amount_usd: pico(-4_000),
            list_usd: Some(pico(-4_000)),
            payment: given_back,
            ..whole.clone()
        },
        ChargeRow {
            list_usd: None,
            amount_usd: pico(0),
            payment: Payment::default(),
            model: Some("a \"new\", unlisted model".to_owned()),
            ..whole.clone()
        },
        ChargeRow { meter: "call".to_owned(), quantity: 3, ..whole },
        of(ChargeLine::Idle),
        of(ChargeLine::Shared),
        of(ChargeLine::Adjustment),
        of(ChargeLine::Rounding),
    ])
}

fn usage(date: Date, meter: &str, quantity: u64, rate: i64) -> Result<ChargeRow, RowError> {
    let amount = PicoUsdSum::from_pico(i128::from(rate) * i128::from(quantity));
    Ok(ChargeRow {
        line: ChargeLine::Usage,
        date,
        cost_center: Some("support".parse()?),
        team: Some("helpdesk".parse()?),
        workload: Some("copilot".parse()?),
        workload_class: None,
        environment: None,
        key: Some("copilot-key".parse()?),
        provider: Some("anthropic".parse()?),
        model: Some("claude-opus".to_owned()),
        model_family: Some("claude".to_owned()),
        tier: None,
        service_tier: Some(ServiceTier::Standard),
        meter: meter.to_owned(),
        quantity,
        list_rate_pico: Some(rate),
        rate_pico: Some(rate),
        list_usd: Some(amount),
        amount_usd: amount,
        payment: Payment { charged_usd: amount, ..Payment::default() },
        rate_card: None,
        subscription: false,
        corrects: None,
        adjustment: None,
        aggregate: false,
        calls: 1,
    })
}
