//! Rate limits against single cases and a naive model.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000_000;

fn key(name: &str) -> Subject {
    Subject::Key(name.parse().unwrap())
}

fn calls(per_minute: u32) -> RateLimit {
    RateLimit { requests_per_minute: Some(per_minute), tokens_per_minute: None }
}

fn tokens(per_minute: u64) -> RateLimit {
    RateLimit { requests_per_minute: None, tokens_per_minute: Some(per_minute) }
}

#[test]
fn a_whole_minutes_calls_may_come_at_once_and_then_one_by_one() {
    let rates = Rates::default();
    let demands = [(key("a"), calls(60))];
    for _ in 0..60 {
        let _ = rates.admit(5, &demands, 0).unwrap();
    }
    let limited = rates.admit(5, &demands, 0).unwrap_err();
    assert_eq!((limited.limit, limited.retry_after_ns), (Limit::Requests, SECOND));
    assert_eq!(limited.retry_after_s, 1);
    assert!(limited.to_string().contains("key `a` has reached its limit of calls"), "{limited}");
    assert!(rates.admit(4 + SECOND, &demands, 0).is_err(), "a nanosecond early");
    let _ = rates.admit(5 + SECOND, &demands, 0).unwrap();
    assert!(rates.admit(5 + SECOND, &demands, 0).is_err());
}

#[test]
fn what_one_subject_refuses_is_charged_to_none() {
    let rates = Rates::default();
    let both = [(key("wide"), calls(2)), (key("narrow"), calls(1))];
    let _ = rates.admit(0, &both, 0).unwrap();
    for _ in 0..5 {
        assert_eq!(rates.admit(0, &both, 0).unwrap_err().subject, key("narrow"));
    }
    let _ = rates.admit(0, &both[..1], 0).unwrap();
    assert_eq!(rates.admit(0, &both[..1], 0).unwrap_err().retry_after_s, 30);
    assert_eq!(rates.admit(0, &both, 0).unwrap_err().retry_after_s, 60, "the longest wait");
}

#[test]
fn a_call_larger_than_a_minute_goes_when_its_bucket_is_full_and_is_waited_for() {
    let rates = Rates::default();
    let demands = [(key("a"), tokens(100))];
    let _ = rates.admit(0, &demands, 250).unwrap();
    assert_eq!(rates.admit(0, &demands, 100).unwrap_err().retry_after_s, 150);
    assert_eq!(rates.admit(0, &demands, 1).unwrap_err().retry_after_ns, 90_600_000_000);
    assert!(rates.admit(149 * SECOND, &demands, 250).is_err());
    let _ = rates.admit(150 * SECOND, &demands, 250).unwrap();
}

#[test]
fn what_was_not_used_comes_back_and_what_was_used_beyond_is_owed() {
    let rates = Rates::default();
    let demands = [(key("a"), tokens(100))];
    let ticket = rates.admit(0, &demands, 100).unwrap();
    assert!(rates.admit(0, &demands, 40).is_err());
    rates.settle(ticket, 60);
    let ticket = rates.admit(0, &demands, 40).unwrap();
    rates.settle(ticket, 140);
    assert_eq!(rates.admit(0, &demands, 100).unwrap_err().retry_after_s, 120);
}

#[test]
fn more_subjects_than_a_ticket_holds_inline_are_all_corrected() {
    let rates = Rates::default();
    let demands: Vec<_> = (0..20).map(|n| (key(&format!("k{n}")), tokens(10))).collect();
    let ticket = rates.admit(0, &demands, 10).unwrap();
    rates.settle(ticket, 0);
    let _ = rates.admit(0, &demands, 10).unwrap();
    assert!(rates.admit(0, &demands[19..], 1).is_err());
}

#[test]
fn a_subject_that_stands_twice_is_charged_once() {
    let rates = Rates::default();
    let demands = [(key("a"), calls(2)), (key("a"), calls(2))];
    let _ = rates.admit(0, &demands, 0).unwrap();
    let _ = rates.admit(0, &demands, 0).unwrap();
    assert!(rates.admit(0, &demands, 0).is_err());
}

#[test]
fn a_clock_that_steps_back_changes_nothing() {
    let rates = Rates::default();
    let demands = [(key("a"), calls(1))];
    let _ = rates.admit(100 * SECOND, &demands, 0).unwrap();
    assert_eq!(rates.admit(0, &demands, 0).unwrap_err().retry_after_s, 60);
    assert!(rates.admit(159 * SECOND, &demands, 0).is_err());
    let _ = rates.admit(160 * SECOND, &demands, 0).unwrap();
}

#[test]
fn a_limit_that_changes_holds_from_the_next_call_on() {
    let rates = Rates::default();
    let _ = rates.admit(0, &[(key("a"), tokens(100))], 100).unwrap();
    let _ = rates.admit(0, &[(key("a"), tokens(150))], 50).unwrap();
    assert_eq!(rates.admit(0, &[(key("a"), tokens(75))], 75).unwrap_err().retry_after_s, 120);
    let _ = rates.admit(0, &[(key("a"), calls(1))], 1_000).unwrap();
    let _ = rates.admit(0, &[(key("a"), tokens(10))], 10).unwrap();
}

#[test]
fn idle_subjects_are_forgotten_and_others_are_not() {
    let rates = Rates::default();
    let owing = [(key("owing"), tokens(1))];
    let _ = rates.admit(0, &owing, 1_000_000).unwrap();
    for n in 0..20_000_u64 {
        let _ = rates.admit(n * SECOND, &[(key(&format!("k{n}")), calls(1))], 0).unwrap();
        assert!(rates.subjects() <= SUBJECTS_KEPT + 1, "{}", rates.subjects());
    }
    assert!(rates.admit(20_000 * SECOND, &owing, 1).is_err(), "a debt is not forgotten");
}

#[test]
fn a_debt_found_after_its_subject_was_forgotten_is_owed_all_the_same() {
    let rates = Rates::default();
    let demands = [(key("long"), tokens(100))];
    let ticket = rates.admit(0, &demands, 10).unwrap();
    let later = 600 * SECOND;
    for n in 0..=SUBJECTS_KEPT {
        let _ = rates.admit(later, &[(key(&format!("k{n}")), calls(1))], 0).unwrap();
    }
    rates.settle(ticket, 110);
    assert_eq!(rates.admit(later, &demands, 100).unwrap_err().retry_after_s, 60);
}

/// One limit as one would write it down: what is free, in units, refilled step by step.
#[derive(Clone, Default)]
struct Naive {
    at: u64,
    owed: [u128; 2],
}

impl Naive {
    fn advance(&mut self, now: u64, limits: [Option<u64>; 2]) {
        if now > self.at {
            for (owed, limit) in self.owed.iter_mut().zip(limits) {
                let refill = u128::from(now - self.at) * u128::from(limit.unwrap_or(0));
                *owed = owed.saturating_sub(refill);
            }
            self.at = now;
        }
    }

    fn fits(&self, limits: [Option<u64>; 2], counts: [u64; 2]) -> bool {
        (0..2).all(|i| {
            let (owed, count) = (self.owed[i], u128::from(counts[i]) * UNITS);
            limits[i].is_none_or(|limit| {
                let room = u128::from(limit) * UNITS;
                counts[i] == 0 || owed + count <= room || owed == 0
            })
        })
    }
}

#[derive(Debug, Clone)]
enum Step {
    Pass(u64),
    Back(u64),
    Call { subjects: u8, tokens: u64 },
    Settle { which: usize, tokens: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..40 * SECOND).prop_map(Step::Pass),
        (0..SECOND).prop_map(Step::Back),
        (1_u8..16, 0_u64..300).prop_map(|(subjects, tokens)| Step::Call { subjects, tokens }),
        (1_u8..16, 0_u64..40).prop_map(|(subjects, tokens)| Step::Call { subjects, tokens }),
        (any::<usize>(), 0_u64..400).prop_map(|(which, tokens)| Step::Settle { which, tokens }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn it_agrees_with_a_naive_model(
        steps in prop::collection::vec(step(), 1..200),
        limits in prop::collection::vec((prop::option::of(1_u32..8), prop::option::of(1_u64..200)), 4),
    ) {
        let rates = Rates::default();
        let mut naive: BTreeMap<usize, Naive> = BTreeMap::new();
        let mut open = Vec::new();
        let (mut now, mut latest) = (3 * SECOND, 0);
        for step in steps {
            match step {
                Step::Pass(ns) => now += ns,
                Step::Back(ns) => now = now.saturating_sub(ns),
                Step::Call { subjects, tokens } => {
                    latest = latest.max(now);
                    let chosen: Vec<usize> =
                        (0..4).filter(|n| subjects & (1 << n) != 0).collect();
                    let demands: Vec<_> = chosen.iter().map(|&n| {
                        let (requests_per_minute, tokens_per_minute) = limits[n];
                        (key(&format!("k{n}")), RateLimit { requests_per_minute, tokens_per_minute })
                    }).collect();
                    let of = |n: usize| [limits[n].0.map(u64::from), limits[n].1];
                    let fits = |naive: &mut BTreeMap<usize, Naive>, now: u64| {
                        chosen.iter().fold(true, |all, &n| {
                            let one = naive.entry(n).or_insert_with(|| Naive { at: now, ..Naive::default() });
                            one.advance(now, of(n));
                            one.fits(of(n), [1, tokens]) && all
                        })
                    };
                    let expected = fits(&mut naive, latest);
                    match rates.admit(now, &demands, tokens) {
                        Ok(ticket) => {
                            prop_assert!(expected);
                            for n in &chosen {
                                let one = naive.get_mut(n).unwrap();
                                for (i, count) in [1, tokens].into_iter().enumerate() {
                                    if of(*n)[i].is_some() {
                                        one.owed[i] += u128::from(count) * UNITS;
                                    }
                                }
                            }
                            open.push((ticket, chosen, tokens));
                        }
                        Err(limited) => {
                            prop_assert!(!expected);
                            // Exact: not a nanosecond early, and then for certain.
                            let mut later = naive.clone();
                            prop_assert!(!fits(&mut later, latest + limited.retry_after_ns - 1));
                            prop_assert!(fits(&mut later, latest + limited.retry_after_ns));
                            prop_assert!(
                                limited.retry_after_s >= 1
                                    && limited.retry_after_s == limited.retry_after_ns.div_ceil(SECOND)
                            );
                        }
                    }
                }
                Step::Settle { which, tokens } => {
                    if open.is_empty() {
                        continue;
                    }
                    let (ticket, chosen, estimated) = open.swap_remove(which % open.len());
                    rates.settle(ticket, tokens);
                    for n in chosen {
                        if limits[n].1.is_some() {
                            let owed = &mut naive.get_mut(&n).unwrap().owed[1];
                            *owed = (*owed + u128::from(tokens) * UNITS)
                                .saturating_sub(u128::from(estimated) * UNITS);
                        }
                    }
                }
            }
        }
    }
}
