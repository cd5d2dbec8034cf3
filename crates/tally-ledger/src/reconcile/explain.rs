//! Why a line that both sides have differs.

use tally_types::{PicoUsdSum, spec::VarianceKind};

use super::metered::Sum;

/// What a line may differ by and still be called rounded: a cent.
const ROUNDING_PICO: i128 = 10_000_000_000;
/// What providers' rates are multiples of: $0.01 per million tokens, in picodollars.
const RATE_STEP_PICO: i128 = 10_000;
/// Within which part of a step a rate is called round: by chance one in a hundred is.
const ROUND_PART: i128 = 200;

/// Why a line that both sides have differs, if it does.
pub(super) fn explain(billed: Sum, metered: Sum) -> Option<(VarianceKind, String)> {
    let counted = metered.quantity.unwrap_or_default();
    let difference = billed.cost.zip(metered.cost).map(|(b, m)| b.pico().saturating_sub(m.pico()));
    let is_rounding =
        difference.is_some_and(|it| it.unsigned_abs() <= ROUNDING_PICO.unsigned_abs());
    match billed.quantity {
        Some(quantity) if quantity != counted => {
            let kind = if quantity > counted {
                VarianceKind::MissingTraffic
            } else {
                VarianceKind::MissingInBill
            };
            Some((kind, format!("{quantity} billed, {counted} metered")))
        }
        _ if billed.cost.is_none() || difference == Some(0) => None,
        _ if is_rounding => Some((VarianceKind::Rounding, "less than a cent".to_owned())),
        Some(_) if metered.cost.is_none() => {
            Some((VarianceKind::PriceChange, "Tally knows no price for it".to_owned()))
        }
        Some(_) => Some((VarianceKind::PriceChange, "as many, at another rate".to_owned())),
        None => Some(explain_costs(billed.cost?.pico(), counted, difference?)),
    }
}

/// Of costs alone: whoever changes a price bills a round rate of what was metered, and
/// traffic that was missed makes none.
fn explain_costs(billed: i128, counted: u64, difference: i128) -> (VarianceKind, String) {
    let counted = i128::from(counted);
    let step = counted.saturating_mul(RATE_STEP_PICO);
    let off = if step == 0 { billed } else { billed.rem_euclid(step) };
    let off = off.min(step.saturating_sub(off));
    if step > 0 && off <= step / ROUND_PART {
        let rate = (billed + step / 2).div_euclid(step) * RATE_STEP_PICO;
        let rate = PicoUsdSum::from_pico(rate * 1_000_000);
        return (
            VarianceKind::PriceChange,
            format!("it is {rate} USD per million of what was metered"),
        );
    }
    if difference > 0 {
        return (VarianceKind::MissingTraffic, "more is billed than was metered".to_owned());
    }
    (VarianceKind::MissingInBill, "less is billed than was metered".to_owned())
}
