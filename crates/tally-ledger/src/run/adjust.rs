//! Posted adjustments in the month that has them.

use tally_warehouse::PostingEntry;

use super::{Run, Sink};
use crate::{
    Adjusted, ChargeLine, ChargeRow, LedgerError,
    funding::{self, Shares, Spending},
    rows::{month_text, plain},
};

impl Run<'_> {
    /// A posted adjustment; before the month's end. Who pays for production pays for it; no
    /// quota counts it.
    ///
    /// # Errors
    /// As [`usage`](Self::usage).
    pub fn adjust(
        &mut self,
        adjusted: &Adjusted<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<(), LedgerError> {
        self.flush(sink)?;
        let Adjusted { spec, amount, .. } = *adjusted;
        let shares = match &spec.cost_center {
            None => Shares { unallocated: amount, ..Shares::default() },
            Some(name) => {
                let center = self.terms.centers.get(name.as_str());
                let day = spec.date.max(self.terms.month.first());
                funding::of_overhead(center, day).shares(amount, Spending::default())
            }
        };
        let meter = spec.meter.as_deref().unwrap_or_default();
        let row = ChargeRow {
            cost_center: spec.cost_center.clone(),
            provider: Some(spec.provider.clone()),
            // A line of a bill that is of no model has an empty one.
            model: spec.model.clone().filter(|model| !model.is_empty()),
            quantity: adjusted.quantity,
            corrects: adjusted.corrects.map(|month| month_text(month.number())),
            adjustment: Some(adjusted.name.to_string()),
            aggregate: !spec.aggregate.is_empty(),
            ..plain(ChargeLine::Adjustment, spec.date, meter, &shares)
        };
        let month = adjusted.corrects.unwrap_or(self.terms.month);
        self.besides_calls(row, (PostingEntry::Adjustment, month), sink)
    }
}
