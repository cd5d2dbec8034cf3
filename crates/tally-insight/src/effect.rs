//! What a change did to a number of tasks.
//!
//! Costs, tokens and latencies are compared by the ratio of their geometric means: they are skewed, their logarithms
//! hardly are. Intervals are of 88 %, by Welch's approximation: that makes both mistakes as rare as they can both be
//! (6 %), to miss a saving of a fifth in 200 tasks and to confirm one that is none.
//!
//! A story is held against tasks that the change did not touch, in the same two windows (difference in differences): what
//! became cheaper for everybody, as by a lower price, is not the change's merit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Fewer tasks than this in a group tell nothing.
pub const TASKS_MIN: usize = 20;
/// An interval leaves so much out on either side.
const TAIL: f64 = 0.06;
/// A saving that is surely smaller than this is none.
const MATERIAL: f64 = 0.05;
/// A group within a comparison needs two values, or it has no spread.
const VALUES_MIN: u64 = 2;

/// A ratio of geometric means: 0.8 is a fifth less.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ratio {
    /// The likeliest value.
    pub ratio: f64,
    /// The lower end of the interval of 88 %.
    pub low: f64,
    /// The upper end of the interval of 88 %.
    pub high: f64,
}

/// A difference of shares: −0.1 is ten points less.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The likeliest value.
    pub difference: f64,
    /// The lower end of the interval of 88 %.
    pub low: f64,
    /// The upper end of the interval of 88 %.
    pub high: f64,
}

/// Tasks of a group before and after a change: one positive number each. Others are left out.
#[derive(Debug, Clone, Copy)]
pub struct Windows<'a> {
    /// Before.
    pub before: &'a [f64],
    /// After.
    pub after: &'a [f64],
}

/// Positive numbers, of which nothing but the mean and spread of their logarithms is kept: a large
/// company has millions of them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Logs {
    count: u64,
    mean: f64,
    /// The sum of squared distances from the mean.
    squares: f64,
}

/// Tasks that are alike but for what is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Match {
    /// With it.
    pub with: Logs,
    /// Without it.
    pub without: Logs,
}

/// How many of how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// So many…
    pub part: u64,
    /// …of so many.
    pub of: u64,
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It saved, beyond chance and beyond what others saved, too.
    Confirmed,
    /// It cannot be told.
    Unclear,
    /// It did not save.
    Refuted,
}

/// Why a verdict is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// Cheaper than the comparison group by more than chance.
    Saved,
    /// A group has fewer than 20 tasks in a window.
    TooFewTasks,
    /// It became cheaper, and so did the comparison group.
    OthersSavedToo,
    /// The interval holds savings and none.
    WithinChance,
    /// Cheaper, but fewer tasks succeed.
    FewerSucceed,
    /// Costs as before.
    NoChange,
    /// Dearer than the comparison group by more than chance.
    Dearer,
}

/// A story held against its comparison group.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judgement {
    /// What became of it.
    pub verdict: Verdict,
    /// Why.
    pub ground: Ground,
    /// Its own tasks, after to before.
    pub own: Option<Ratio>,
    /// The comparison group, after to before.
    pub others: Option<Ratio>,
    /// Its own change beyond that of the comparison group.
    pub net: Option<Ratio>,
    /// The share of its own tasks that succeeded, after less before.
    pub success: Option<Difference>,
}

/// The mean of logarithms, with what it may be off by.
#[derive(Debug, Clone, Copy)]
struct Mean {
    value: f64,
    /// Of the mean, not of the values.
    variance: f64,
    freedom: f64,
}

/// How after relates to before.
pub fn change(windows: Windows<'_>) -> Option<Ratio> {
    let [after, before] = [windows.after, windows.before].map(Logs::of);
    ratio(&[(1.0, after.mean()?), (-1.0, before.mean()?)])
}

/// How a group changed beyond what its comparison group did.
pub fn difference(subject: Windows<'_>, comparison: Windows<'_>) -> Option<Ratio> {
    let mean = |values| Logs::of(values).mean();
    ratio(&[
        (1.0, mean(subject.after)?),
        (-1.0, mean(subject.before)?),
        (-1.0, mean(comparison.after)?),
        (1.0, mean(comparison.before)?),
    ])
}

/// How tasks with something relate to those without, compared within each match only and weighed by how
/// many tasks have it. Matches without two tasks on both sides say nothing.
pub fn matched(matches: &[Match]) -> Option<Ratio> {
    let both: Vec<_> = matches
        .iter()
        .filter_map(|one| Some((one.with.mean()?, one.without.mean()?, one.with.count)))
        .collect();
    let total: u64 = both.iter().map(|(_, _, count)| count).sum();
    let terms: Vec<_> = both
        .iter()
        .flat_map(|(with, without, count)| {
            let weight = number(*count) / number(total);
            [(weight, *with), (-weight, *without)]
        })
        .collect();
    ratio(&terms)
}

/// How one share differs from another, after Agresti and Caffo: honest for few tasks and for shares near 0 and 1.
pub fn shares(with: Share, without: Share) -> Option<Difference> {
    if with.of == 0 || without.of == 0 {
        return None;
    }
    let [(with, with_variance), (without, without_variance)] = [with, without].map(|share| {
        #[expect(clippy::cast_precision_loss, reason = "numbers of tasks are far below 2⁵³")]
        let (part, of) = (share.part as f64 + 1.0, share.of as f64 + 2.0);
        let share = part / of;
        (share, share * (1.0 - share) / of)
    });
    // So close to the normal distribution that more freedom would not be seen.
    let reach = quantile(1e6)? * (with_variance + without_variance).sqrt();
    let difference = with - without;
    Some(Difference { difference, low: difference - reach, high: difference + reach })
}

/// Holds a story's costs against its comparison group.
pub fn judge(
    subject: Windows<'_>,
    comparison: Windows<'_>,
    success: Option<Difference>,
) -> Judgement {
    let (own, others) = (change(subject), change(comparison));
    let net = difference(subject, comparison);
    let groups = [subject.before, subject.after, comparison.before, comparison.after];
    let has_enough = groups.iter().all(|tasks| positive(tasks) >= TASKS_MIN);
    let (verdict, ground) = match (own, net) {
        (Some(own), Some(net)) if has_enough => weigh(own, net, success),
        _ => (Verdict::Unclear, Ground::TooFewTasks),
    };
    Judgement { verdict, ground, own, others, net, success }
}

fn weigh(own: Ratio, net: Ratio, success: Option<Difference>) -> (Verdict, Ground) {
    let fewer_succeed = success.is_some_and(|success| success.high < 0.0);
    let saved_alone = own.high < 1.0;
    if net.high < 1.0 {
        return match fewer_succeed {
            true => (Verdict::Unclear, Ground::FewerSucceed),
            false => (Verdict::Confirmed, Ground::Saved),
        };
    }
    if saved_alone {
        // Without this comparison it would have passed for a saving.
        return (Verdict::Unclear, Ground::OthersSavedToo);
    }
    if net.low > 1.0 {
        return (Verdict::Refuted, Ground::Dearer);
    }
    if net.low > 1.0 - MATERIAL {
        return (Verdict::Refuted, Ground::NoChange);
    }
    (Verdict::Unclear, Ground::WithinChance)
}

/// The ratio that a sum of weighed means of logarithms stands for.
fn ratio(terms: &[(f64, Mean)]) -> Option<Ratio> {
    if terms.is_empty() {
        return None;
    }
    let value: f64 = terms.iter().map(|(weight, mean)| weight * mean.value).sum();
    let parts = || terms.iter().map(|(weight, mean)| (weight * weight * mean.variance, mean));
    let variance: f64 = parts().map(|(part, _)| part).sum();
    let spread: f64 = parts().map(|(part, mean)| part * part / mean.freedom).sum();
    let reach = match spread > 0.0 {
        true => quantile(variance * variance / spread)? * variance.sqrt(),
        // Values that are all the same leave nothing to chance.
        false => 0.0,
    };
    Some(Ratio { ratio: value.exp(), low: (value - reach).exp(), high: (value + reach).exp() })
}

fn quantile(freedom: f64) -> Option<f64> {
    Some(StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(1.0 - TAIL))
}

fn positive(values: &[f64]) -> usize {
    values.iter().filter(|value| **value > 0.0).count()
}

#[expect(clippy::cast_precision_loss, reason = "numbers of tasks are far below 2⁵³")]
const fn number(count: u64) -> f64 {
    count as f64
}

// === impl Logs ===

impl Logs {
    fn of(values: &[f64]) -> Self {
        let mut logs = Self::default();
        values.iter().for_each(|value| logs.add(*value));
        logs
    }

    /// One more; what is not positive is left out.
    pub fn add(&mut self, value: f64) {
        if value > 0.0 {
            let log = value.ln();
            self.count += 1;
            let apart = log - self.mean;
            self.mean += apart / number(self.count);
            self.squares += apart * (log - self.mean);
        }
    }

    /// Those of another, too.
    pub fn join(&mut self, other: &Self) {
        if other.count > 0 {
            let (own, others) = (number(self.count), number(other.count));
            let (all, apart) = (own + others, other.mean - self.mean);
            self.mean += apart * others / all;
            self.squares += other.squares + apart * apart * own * others / all;
            self.count += other.count;
        }
    }

    fn mean(&self) -> Option<Mean> {
        if self.count < VALUES_MIN {
            return None;
        }
        let (count, freedom) = (number(self.count), number(self.count - 1));
        Some(Mean { value: self.mean, variance: self.squares / freedom / count, freedom })
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};
    use rand_distr::{Distribution, LogNormal};

    use super::*;

    const TASKS: usize = 200;
    const SEEDS: u64 = 100;

    fn costs(random: &mut StdRng, factor: f64) -> Vec<f64> {
        let spread = LogNormal::new(0.0, 0.5).unwrap();
        (0..TASKS).map(|_| factor * spread.sample(random)).collect()
    }

    /// How many of 100 stories get a verdict, whose own tasks cost `own` times as much afterwards and the others'
    /// `others` times.
    fn judged(own: f64, others: f64, verdict: Verdict) -> usize {
        let is_so = |seed: &u64| {
            let mut random = StdRng::seed_from_u64(*seed);
            let [before, after, others_before, others_after] =
                [1.0, own, 3.0, 3.0 * others].map(|factor| costs(&mut random, factor));
            let subject = Windows { before: &before, after: &after };
            let comparison = Windows { before: &others_before, after: &others_after };
            judge(subject, comparison, None).verdict == verdict
        };
        (0..SEEDS).filter(is_so).count()
    }

    #[test]
    fn a_true_saving_of_a_fifth_is_confirmed() {
        let right = judged(0.8, 1.0, Verdict::Confirmed);
        assert!(right >= 90, "{right} of {SEEDS}");
    }

    #[test]
    fn a_story_without_a_saving_is_not_confirmed() {
        let wrong = judged(1.0, 1.0, Verdict::Confirmed);
        assert!(wrong <= 10, "{wrong} of {SEEDS}");
    }

    #[test]
    fn a_general_drop_of_prices_makes_it_unclear() {
        let right = judged(0.8, 0.8, Verdict::Unclear);
        assert!(right >= 90, "{right} of {SEEDS}");
    }

    #[test]
    fn what_became_dearer_is_refuted() {
        let right = judged(1.3, 1.0, Verdict::Refuted);
        assert!(right >= 90, "{right} of {SEEDS}");
    }

    #[test]
    fn cheaper_at_the_price_of_success_is_no_saving() {
        let mut random = StdRng::seed_from_u64(7);
        let [before, after, others] = [1.0, 0.5, 1.0].map(|factor| costs(&mut random, factor));
        let others = Windows { before: &others, after: &others };
        let fewer = shares(Share { part: 120, of: 200 }, Share { part: 180, of: 200 });
        let judgement = judge(Windows { before: &before, after: &after }, others, fewer);
        assert_eq!((judgement.verdict, judgement.ground), (Verdict::Unclear, Ground::FewerSucceed));
    }

    #[test]
    fn few_tasks_tell_nothing() {
        let few = Windows { before: &[10.0; 19], after: &[1.0; 19] };
        let many = Windows { before: &[10.0; 50], after: &[10.0; 50] };
        for (subject, comparison) in [(few, many), (many, few)] {
            let judgement = judge(subject, comparison, None);
            assert_eq!(judgement.ground, Ground::TooFewTasks);
        }
        // Tasks that cost nothing cannot be compared by ratios, and are none.
        let free = Windows { before: &[0.0; 50], after: &[0.0; 50] };
        assert_eq!(judge(free, many, None).ground, Ground::TooFewTasks);
    }

    #[test]
    fn matches_are_compared_within_themselves() {
        // Easy tasks are done with it, hard ones without: all in all it looks like a tenth of the cost.
        let of = |with: &[f64], without: &[f64]| Match {
            with: Logs::of(with),
            without: Logs::of(without),
        };
        let easy = of(&[0.8; 90], &[1.0; 10]);
        let hard = of(&[8.0; 10], &[10.0; 90]);
        let ratio = matched(&[easy, hard]).unwrap();
        assert!((ratio.ratio - 0.8).abs() < 1e-12, "{ratio:?}");
        assert!(matched(&[of(&[1.0], &[2.0, 3.0])]).is_none());
    }

    #[test]
    fn logarithms_are_added_up_in_whatever_parts() {
        let mut random = StdRng::seed_from_u64(3);
        let all = costs(&mut random, 1e12);
        let (whole, mut parts) = (Logs::of(&all), Logs::default());
        for part in all.chunks(37) {
            parts.join(&Logs::of(part));
        }
        parts.join(&Logs::of(&[0.0, -1.0]));
        let logs: Vec<f64> = all.iter().map(|value| value.ln()).collect();
        let mean = logs.iter().sum::<f64>() / TASKS as f64;
        let squares: f64 = logs.iter().map(|log| (log - mean).powi(2)).sum();
        for found in [whole, parts] {
            assert_eq!(found.count, TASKS as u64);
            assert!((found.mean - mean).abs() < 1e-12, "{found:?}");
            assert!((found.squares - squares).abs() < 1e-9, "{found:?}");
        }
    }

    #[test]
    fn values_without_spread_have_an_interval_without_width() {
        let ratio = change(Windows { before: &[2.0; 5], after: &[1.0; 5] }).unwrap();
        assert!((ratio.low - 0.5).abs() < 1e-12 && (ratio.high - 0.5).abs() < 1e-12);
    }
}
