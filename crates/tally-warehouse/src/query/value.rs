//! Measures from sums: exact where they are money or counts.

use tally_types::PicoUsdSum;

use super::{
    Cell, Measure, Unit,
    accumulate::{Group, TaskSums},
};
use crate::{facts::Fact, histogram::Histogram, rollup::TaskNumber};

const BASIS_POINTS: i128 = 10_000;
const TOKENS: &[Fact] =
    &[Fact::InputUncached, Fact::CacheRead, Fact::CacheWrite5m, Fact::CacheWrite1h, Fact::Output];
const PROMPT: &[Fact] =
    &[Fact::InputUncached, Fact::CacheRead, Fact::CacheWrite5m, Fact::CacheWrite1h];
const BUDGETED: &[Fact] =
    &[Fact::InputUncached, Fact::CacheWrite5m, Fact::CacheWrite1h, Fact::Output];
const FALLBACKS: &[Fact] = &[Fact::FallbackError, Fact::FallbackBudget, Fact::FallbackPolicy];

/// A measure made of sums: some of them added up, and divided by others if there are any.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Formula {
    of: &'static [Fact],
    per: Option<Divisor>,
}

#[derive(Debug, Clone, Copy)]
enum Divisor {
    Calls,
    PricedCalls,
    Sum(&'static [Fact]),
}

/// How a measure is made of sums; none if it is made of something else.
pub(crate) fn formula(measure: Measure) -> Option<Formula> {
    use Divisor as D;
    use Fact as F;
    use Measure as M;
    let (of, per): (&[Fact], _) = match measure {
        M::SpendUsd => (&[F::Spend], None),
        M::SpendInternalUsd => (&[F::SpendInternal], None),
        M::Tokens => (TOKENS, None),
        M::TokensInputUncached => (&[F::InputUncached], None),
        M::TokensCacheRead => (&[F::CacheRead], None),
        M::TokensCacheWrite5m => (&[F::CacheWrite5m], None),
        M::TokensCacheWrite1h => (&[F::CacheWrite1h], None),
        M::TokensOutput => (&[F::Output], None),
        M::TokensReasoning => (&[F::Reasoning], None),
        M::TokensBudgeted => (BUDGETED, None),
        M::Calls => (&[F::Calls], None),
        M::CallsRefused => (&[F::Refused], None),
        M::CallsFailed => (&[F::Failed], None),
        M::CallsUnpriced => (&[F::Unpriced], None),
        M::PolicyViolations => (&[F::PolicyViolations], None),
        M::CallsEstimated => (&[F::Estimated], None),
        M::CostPerCallUsd => (&[F::Spend], Some(D::PricedCalls)),
        M::TokensPerCall => (TOKENS, Some(D::Calls)),
        M::ErrorRate => (&[F::Failed], Some(D::Calls)),
        M::RetryRate => (&[F::Retried], Some(D::Calls)),
        M::FallbackRate => (FALLBACKS, Some(D::Calls)),
        M::FallbackErrorRate => (&[F::FallbackError], Some(D::Calls)),
        M::FallbackBudgetRate => (&[F::FallbackBudget], Some(D::Calls)),
        M::FallbackPolicyRate => (&[F::FallbackPolicy], Some(D::Calls)),
        M::CacheHitRate => (&[F::CacheRead], Some(D::Sum(PROMPT))),
        _ => return None,
    };
    Some(Formula { of, per })
}

/// The value of a measure for a group.
pub(crate) fn value(measure: Measure, group: &Group) -> Cell {
    use Measure as M;
    if let Some(formula) = formula(measure) {
        return formula.value(measure.info().unit, group);
    }
    match measure {
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
    for measure in measures {
        // How many calls have no price is warned of.
        let unpriced = match measure {
            Measure::SpendUsd => Some(Fact::Unpriced),
            Measure::SpendInternalUsd => Some(Fact::InternalUnpriced),
            _ => None,
        };
        let sums = formula(*measure).into_iter().flat_map(|formula| formula.facts());
        for fact in sums.chain(unpriced) {
            if !facts.contains(&fact) {
                facts.push(fact);
            }
        }
    }
    facts
}

// === impl Formula ===

impl Formula {
    /// The sums it is made of.
    pub(crate) fn facts(self) -> impl Iterator<Item = Fact> {
        let divisor: &[Fact] = match self.per {
            None => &[],
            Some(Divisor::Calls) => &[Fact::Calls],
            Some(Divisor::PricedCalls) => &[Fact::Calls, Fact::Unpriced],
            Some(Divisor::Sum(facts)) => facts,
        };
        self.of.iter().chain(divisor).copied()
    }

    fn value(self, unit: Unit, group: &Group) -> Cell {
        let sum = |facts: &[Fact]| facts.iter().map(|fact| group.sum(*fact)).sum::<i128>();
        let of = sum(self.of);
        let per = match self.per {
            None if unit == Unit::Usd => return money(of),
            None => return Cell::Count(of),
            Some(Divisor::Calls) => group.sum(Fact::Calls),
            Some(Divisor::PricedCalls) => group.sum(Fact::Calls) - group.sum(Fact::Unpriced),
            Some(Divisor::Sum(facts)) => sum(facts),
        };
        if unit == Unit::Usd { money_ratio(of, per) } else { ratio(of, per) }
    }

    /// SQL: its value for ordering, from the columns of the sums.
    pub(crate) fn sql(self, column: impl Fn(Fact) -> String) -> String {
        let sum =
            |facts: &[Fact]| facts.iter().map(|fact| column(*fact)).collect::<Vec<_>>().join(" + ");
        let of = sum(self.of);
        let per = match self.per {
            None => return format!("({of})"),
            Some(Divisor::Calls) => column(Fact::Calls),
            Some(Divisor::PricedCalls) => {
                format!("{} - {}", column(Fact::Calls), column(Fact::Unpriced))
            }
            Some(Divisor::Sum(facts)) => sum(facts),
        };
        format!("(({of})::DOUBLE / nullif({per}, 0)::DOUBLE)")
    }
}

fn task_value(measure: Measure, tasks: &TaskSums) -> Cell {
    use Measure as M;
    use TaskNumber as N;
    let of = |number| tasks.get(number);
    match measure {
        M::Tasks => Cell::Count(of(N::Tasks)),
        M::TasksSucceeded => Cell::Count(of(N::Succeeded)),
        M::TasksFailed => Cell::Count(of(N::Failed)),
        M::TasksUnknown => Cell::Count(tasks.unknown()),
        M::CostPerSuccessfulTaskUsd => money_ratio(of(N::KnownCost), of(N::Succeeded)),
        M::TokensPerTask => ratio(of(N::Tokens), of(N::Tasks)),
        M::TokensPerSuccessfulTask => ratio(of(N::KnownTokens), of(N::Succeeded)),
        M::EscalationRate => ratio(of(N::Escalated), tasks.known()),
        M::ValueUsd => money(of(N::Value)),
        M::ValuePerTokenUsd => money_ratio(of(N::Value), of(N::KnownTokens)),
        M::ValuePerUsd => ratio(of(N::Value), of(N::KnownCost)),
        M::QualityMean => ratio(of(N::QualityBp), of(N::WithQuality) * BASIS_POINTS),
        _ => Cell::Null,
    }
}

/// The numbers that measures of tasks are computed from; the number of tasks always comes first.
pub(crate) fn needed_of_tasks(measures: &[Measure]) -> Vec<TaskNumber> {
    let mut numbers = vec![TaskNumber::Tasks];
    for number in measures.iter().flat_map(|measure| numbers_of(*measure)) {
        if !numbers.contains(number) {
            numbers.push(*number);
        }
    }
    numbers
}

fn numbers_of(measure: Measure) -> &'static [TaskNumber] {
    use Measure as M;
    use TaskNumber as N;
    match measure {
        M::TasksSucceeded => &[N::Succeeded],
        M::TasksFailed => &[N::Failed],
        M::TasksUnknown => &[N::Succeeded, N::Failed],
        // The unknown and unpriced are warned of.
        M::CostPerSuccessfulTaskUsd => &[N::Succeeded, N::Failed, N::KnownCost, N::KnownUnpriced],
        M::TokensPerTask => &[N::Tokens],
        M::TokensPerSuccessfulTask => &[N::Succeeded, N::KnownTokens],
        M::EscalationRate => &[N::Escalated, N::Succeeded, N::Failed],
        M::ValueUsd => &[N::Value],
        M::ValuePerTokenUsd => &[N::Value, N::KnownTokens],
        M::ValuePerUsd => &[N::Value, N::KnownCost, N::KnownUnpriced, N::Succeeded, N::Failed],
        M::QualityMean => &[N::QualityBp, N::WithQuality],
        _ => &[],
    }
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
