//! Who bills, whom, in which currency: all that a file says which no charge knows.

use std::{fmt, sync::Arc};

use jiff::{civil::Date, tz::TimeZone};
use rust_decimal::Decimal;
use tally_types::CostCenterName;

use super::decimal::Exact;
use crate::Month;

/// The id of the statement that a cost center's charges stand on; that of none is where
/// what nobody pays yet is kept.
pub type InvoiceOf = Arc<dyn Fn(Option<&CostCenterName>) -> String + Send + Sync>;

/// How much of the billing currency one unit of the pricing currency is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeRate {
    rate: Decimal,
    /// The day it was fixed.
    pub date: Date,
}

/// Who bills, whom, in which currency.
#[derive(Clone)]
pub struct Issuer {
    /// The company's account: what all statements together are for.
    pub billing_account_id: String,
    /// Its display name.
    pub billing_account_name: String,
    /// What kind of account that is, such as `Organization`.
    pub billing_account_type: String,
    /// What a sub-account, the payer of a statement, is called, such as `Cost Center`.
    pub sub_account_type: String,
    /// Who issues the statements.
    pub invoice_issuer: String,
    /// What of theirs is billed where no provider served, such as a platform's own cost.
    pub service_name: String,
    /// Under what tags of Tally's own begin.
    pub tag_prefix: String,
    /// The currency of the statements (ISO 4217).
    pub billing_currency: String,
    /// The currency that calls are priced in (ISO 4217).
    pub pricing_currency: String,
    /// From the pricing to the billing currency; none where they are the same.
    pub exchange_rate: Option<ExchangeRate>,
    /// The month.
    pub period: Month,
    /// Whose days and months these are.
    pub time_zone: TimeZone,
    /// Where a charge stands.
    pub invoice_of: InvoiceOf,
}

// === impl ExchangeRate ===

impl ExchangeRate {
    /// From a positive decimal of at most ten decimals; nothing else.
    pub fn new(rate: Decimal, date: Date) -> Option<Self> {
        let rate = rate.normalize();
        (rate.is_sign_positive() && !rate.is_zero() && rate.scale() <= 10)
            .then_some(Self { rate, date })
    }
}

// === impl Issuer ===

impl Issuer {
    /// The exchange rate as an exact number: one where there is none.
    pub(super) fn rate(&self) -> Exact {
        self.exchange_rate.map_or(Exact::ONE, |exchange| {
            Exact::new(exchange.rate.mantissa(), exchange.rate.scale())
        })
    }

    /// How many decimals an amount in the billing currency can have.
    pub(super) fn decimals(&self) -> u32 {
        super::charge::PICO_SCALE + self.exchange_rate.map_or(0, |exchange| exchange.rate.scale())
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("billing_account_id", &self.billing_account_id)
            .field("invoice_issuer", &self.invoice_issuer)
            .field("billing_currency", &self.billing_currency)
            .field("period", &self.period)
            .finish_non_exhaustive()
    }
}
