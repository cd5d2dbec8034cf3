//! `tally statement months`.

use serde::Deserialize;
use tally_ledger::StatementState;
use tally_types::PicoUsdSum;

use super::{count, state};
use crate::cli::{
    number,
    table::{Align, Table},
};

#[derive(Deserialize)]
pub(super) struct Months {
    items: Vec<Month>,
}

#[derive(Deserialize)]
struct Month {
    period: String,
    state: StatementState,
    metered_usd: PicoUsdSum,
    calls: u64,
    open_disputes: usize,
    sealed: Option<Sealed>,
}

#[derive(Deserialize)]
struct Sealed {
    charged_usd: PicoUsdSum,
    subsidised_usd: PicoUsdSum,
    unallocated_usd: PicoUsdSum,
}

/// A line for each month; what is not sealed has no sums yet.
pub(super) fn render(found: &Months) -> String {
    let columns = [("month", Align::Left), ("state", Align::Left)];
    let numbers = ["calls", "metered", "charged", "central", "unallocated", "disputes"];
    let numbers = numbers.map(|name| (name, Align::Right));
    let mut table = Table::new(columns.into_iter().chain(numbers));
    for month in &found.items {
        let sealed = month.sealed.as_ref();
        let sum = |of: fn(&Sealed) -> PicoUsdSum| {
            sealed.map_or_else(|| "-".to_owned(), |sealed| number::money(of(sealed), 2))
        };
        table.row([
            month.period.clone(),
            state(month.state).to_owned(),
            count(month.calls),
            number::money(month.metered_usd, 2),
            sum(|sealed| sealed.charged_usd),
            sum(|sealed| sealed.subsidised_usd),
            sum(|sealed| sealed.unallocated_usd),
            month.open_disputes.to_string(),
        ]);
    }
    format!("amounts in US dollars, what was sealed of closed months\n{}", table.render())
}
