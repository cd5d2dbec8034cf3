//! Invoices as CSV, for providers without a report.

use jiff::civil::Date;
use tally_types::ProviderName;

use super::{
    Bill, BillError, BillLine,
    amount::{DOLLARS, amount},
};

const COLUMNS: [&str; 6] = ["date", "model", "meter", "quantity", "cost", "currency"];
const CURRENCY: &str = "USD";

pub(super) fn read(provider: &ProviderName, text: &str) -> Result<Bill, BillError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| BillError::new("line 1", error.to_string()))?;
    if !header.iter().map(str::trim).eq(COLUMNS) {
        let found: Vec<&str> = header.iter().collect();
        let message = format!(
            "the columns are `{}`; expected `{}`, separated by commas",
            found.join(","),
            COLUMNS.join(",")
        );
        return Err(BillError::new("line 1", message));
    }
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| BillError::new("the file", error.to_string()))?;
        lines.push(line(provider, &record)?);
    }
    let days: Vec<Date> = lines.iter().map(|line| line.date).collect();
    Bill::of(provider, days.into_iter(), lines)
}

fn line(provider: &ProviderName, record: &csv::StringRecord) -> Result<BillLine, BillError> {
    let number = record.position().map_or(0, csv::Position::line);
    let refused = |column: &str, message: String| {
        BillError::new(format!("line {number}, column `{column}`"), message)
    };
    let cells: Vec<&str> = record.iter().map(str::trim).collect();
    let [date, model, meter, quantity, cost, currency] = cells.as_slice() else {
        let message = format!(
            "it has {} cells; expected {} (an amount has a point, no comma)",
            cells.len(),
            COLUMNS.len()
        );
        return Err(BillError::new(format!("line {number}"), message));
    };
    if meter.is_empty() {
        return Err(refused("meter", "it is empty; expected one such as `output`".to_owned()));
    }
    if *currency != CURRENCY {
        let message = format!("`{currency}`; expected {CURRENCY}: convert the invoice first");
        return Err(refused("currency", message));
    }
    let day = || format!("`{date}` is no day; expected one such as 2026-10-31");
    let count = || format!("`{quantity}` is no count; expected digits alone, or nothing");
    Ok(BillLine {
        date: date.parse().map_err(|_| refused("date", day()))?,
        provider: provider.clone(),
        model: Some(*model).filter(|model| !model.is_empty()).map(str::to_owned),
        meter: (*meter).to_owned(),
        quantity: Some(*quantity)
            .filter(|text| !text.is_empty())
            .map(|text| text.parse().map_err(|_| refused("quantity", count())))
            .transpose()?,
        cost_usd: Some(amount(cost, DOLLARS).map_err(|message| refused("cost", message))?),
    })
}
