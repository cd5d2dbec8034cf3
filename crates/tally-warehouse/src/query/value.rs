//! Measures from sums: exact where they are money or counts.

use tally_types::PicoUsdSum;

use super::{
    Cell, Measure,
    accumulate::{Group, TaskSums},
};
use crate::{facts::Fact, histogram::Histogram};

const BASIS_POINTS: i128 = 10_000;
const TOKENS_AND_CALLS: &[Fact] = &[
    Fact::Calls,
    Fact::InputUncached,
    Fact::CacheRead,
    Fact::CacheWrite5m,
    Fact::CacheWrite1h,
    Fact::Output,
];
const TOKENS: &[Fact] = match TOKENS_AND_CALLS {
    [_, kinds @ ..] => kinds,
    [] => &[],
};

/// The value of a measure for a group.
pub(crate) fn value(measure: Measure, group: &Group) -> Cell {
    use Measure as M;
    let sum = |fact| group.sum(fact);
    let calls = sum(Fact::Calls);
    let per_call = |fact| ratio(sum(fact), calls);
    match measure {
        M::SpendUsd => money(sum(Fact::Spend)),
        M::SpendInternalUsd => money(sum(Fact::SpendInternal)),
        M::Tokens => Cell::Count(tokens(group)),
        M::TokensInputUncached => Cell::Count(sum(Fact::InputUncached)),
        M::TokensCacheRead => Cell::Count(sum(Fact::CacheRead)),
        M::TokensCacheWrite5m => Cell::Count(sum(Fact::CacheWrite5m)),
        M::TokensCacheWrite1h => Cell::Count(sum(Fact::CacheWrite1h)),
        M::TokensOutput => Cell::Count(sum(Fact::Output)),
        M::TokensReasoning => Cell::Count(sum(Fact::Reasoning)),
        M::TokensBudgeted => Cell::Count(tokens(group) - sum(Fact::CacheRead)),
        M::Calls => Cell::Count(calls),
        M::CallsRefused => Cell::Count(sum(Fact::Refused)),
        M::CallsFailed => Cell::Count(sum(Fact::Failed)),
        M::CallsUnpriced => Cell::Count(sum(Fact::Unpriced)),
        M::CallsEstimated => Cell::Count(sum(Fact::Estimated)),
        M::CostPerCallUsd => money_ratio(sum(Fact::Spend), calls - sum(Fact::Unpriced)),
        M::TokensPerCall => ratio(tokens(group), calls),
        M::ErrorRate => per_call(Fact::Failed),
        M::RetryRate => per_call(Fact::Retried),
        M::FallbackRate => {
            let all = [Fact::FallbackError, Fact::FallbackBudget, Fact::FallbackPolicy];
            ratio(all.into_iter().map(sum).sum(), calls)
        }
        M::FallbackErrorRate => per_call(Fact::FallbackError),
        M::FallbackBudgetRate => per_call(Fact::FallbackBudget),
        M::FallbackPolicyRate => per_call(Fact::FallbackPolicy),
        M::CacheHitRate => ratio(sum(Fact::CacheRead), tokens(group) - sum(Fact::Output)),
        M::ActivePeople => Cell::Count(group.people),
        M::ActiveTeams => Cell::Count(group.teams),
        M::Sessions => Cell::Count(group.sessions),
        M::LatencyP50Ms => percentile(group.latency.as_deref(), 0.5),
        M::LatencyP95Ms => percentile(group.latency.as_deref(), 0.95),
        M::LatencyP99Ms => percentile(group.latency.as_deref(), 0.99),
        M::FirstTokenP50Ms => percentile(group.first_token.as_deref(), 0.5),
        M::FirstTokenP95Ms => percentile(group.first_token.as_deref(), 0.95),
        M::FirstTokenP99Ms => percentile(group.first_token.as_deref(), 0.99),
        _ => task_value(measure, &group.tasks),
    }
}

/// The sums that measures are computed from; the number of events always comes first.
pub(crate) fn needed(measures: &[Measure]) -> Vec<Fact> {
    let mut facts = vec![Fact::Events];
    for fact in measures.iter().flat_map(|measure| sums_of(*measure)) {
        if !facts.contains(fact) {
            facts.push(*fact);
        }
    }
    facts
}

fn sums_of(measure: Measure) -> &'static [Fact] {
    use Fact as F;
    use Measure as M;
    match measure {
        M::SpendUsd => &[F::Spend, F::Unpriced],
        M::SpendInternalUsd => &[F::SpendInternal, F::InternalUnpriced],
        M::Tokens | M::TokensBudgeted | M::CacheHitRate => TOKENS,
        M::TokensInputUncached => &[F::InputUncached],
        M::TokensCacheRead => &[F::CacheRead],
        M::TokensCacheWrite5m => &[F::CacheWrite5m],
        M::TokensCacheWrite1h => &[F::CacheWrite1h],
        M::TokensOutput => &[F::Output],
        M::TokensReasoning => &[F::Reasoning],
        M::Calls => &[F::Calls],
        M::CallsRefused => &[F::Refused],
        M::CallsFailed => &[F::Failed],
        M::CallsUnpriced => &[F::Unpriced],
        M::CallsEstimated => &[F::Estimated],
        M::CostPerCallUsd => &[F::Spend, F::Calls, F::Unpriced],
        M::TokensPerCall => TOKENS_AND_CALLS,
        M::ErrorRate => &[F::Failed, F::Calls],
        M::RetryRate => &[F::Retried, F::Calls],
        M::FallbackRate => &[F::FallbackError, F::FallbackBudget, F::FallbackPolicy, F::Calls],
        M::FallbackErrorRate => &[F::FallbackError, F::Calls],
        M::FallbackBudgetRate => &[F::FallbackBudget, F::Calls],
        M::FallbackPolicyRate => &[F::FallbackPolicy, F::Calls],
        // Histograms, distinct values and tasks are not computed from sums.
        _ => &[],
    }
}

fn task_value(measure: Measure, tasks: &TaskSums) -> Cell {
    use Measure as M;
    match measure {
        M::Tasks => Cell::Count(tasks.tasks),
        M::TasksSucceeded => Cell::Count(tasks.succeeded),
        M::TasksFailed => Cell::Count(tasks.failed),
        M::TasksUnknown => Cell::Count(tasks.tasks - tasks.known()),
        M::CostPerSuccessfulTaskUsd => money_ratio(tasks.known_cost, tasks.succeeded),
        M::TokensPerTask => ratio(tasks.tokens, tasks.tasks),
        M::TokensPerSuccessfulTask => ratio(tasks.known_tokens, tasks.succeeded),
        M::EscalationRate => ratio(tasks.escalated, tasks.known()),
        M::ValueUsd => money(tasks.value),
        M::ValuePerTokenUsd => money_ratio(tasks.value, tasks.known_tokens),
        M::ValuePerUsd => ratio(tasks.value, tasks.known_cost),
        M::QualityMean => ratio(tasks.quality_bp, tasks.with_quality * BASIS_POINTS),
        _ => Cell::Null,
    }
}

fn tokens(group: &Group) -> i128 {
    TOKENS.iter().map(|kind| group.sum(*kind)).sum()
}

fn money(pico: i128) -> Cell {
    Cell::Money(PicoUsdSum::from_pico(pico))
}

/// Money divided, rounded half away from zero to a whole picodollar.
fn money_ratio(pico: i128, count: i128) -> Cell {
    if count == 0 {
        return Cell::Null;
    }
    let (quotient, rest) = (pico / count, pico % count);
    let up = i128::from(rest.abs() * 2 >= count.abs()) * rest.signum() * count.signum();
    money(quotient + up)
}

#[expect(clippy::cast_precision_loss, reason = "rates and means are for reading, not for booking")]
fn ratio(part: i128, whole: i128) -> Cell {
    if whole == 0 { Cell::Null } else { Cell::Number(part as f64 / whole as f64) }
}

fn percentile(histogram: Option<&Histogram>, share: f64) -> Cell {
    histogram.and_then(|h| h.percentile_ms(share)).map_or(Cell::Null, Cell::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_divides_exactly_and_never_by_zero() {
        assert_eq!(money_ratio(10, 4), money(3));
        assert_eq!(money_ratio(-10, 4), money(-3));
        assert_eq!(money_ratio(9, 4), money(2));
        assert_eq!(money_ratio(1, 0), Cell::Null);
        assert_eq!(ratio(0, 0), Cell::Null);
    }
}
