//! The state machine against a model that keeps every call and adds up anew each time.
use std::{collections::BTreeMap, sync::Arc};

use crate::support::{Naive, START, World, budget, calendar, call};
use proptest::prelude::*;
use tally_budget::{Ask, Budgets, Checkpoint, Demand, Hold, Verdict};
use tally_types::{
    CounterId, EventId, PicoUsd, Timestamp, UsageEvent,
    spec::{GrantAsk, GrantSpec, GrantState},
};

const STEPS: usize = 240;
const CASES: u32 = 500;
/// Adding everything up anew is dear: every fifth step is compared, and the last.
const COMPARE_EVERY: usize = 5;

#[derive(Debug, Clone)]
enum Step {
    Call { who: u8, worst: u16, degraded: bool },
    Settle { which: u8, percent: u8 },
    Release { which: u8 },
    Import { who: u8, amount: u16, hours_ago: u8 },
    Wait { minutes: u16 },
    Grant { budget: u8, more: u16, hours: u8 },
    Limit { budget: u8, limit: u16 },
    Checkpoint,
    Crash { sent: u8 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (any::<u8>(), 1_u16..400, any::<bool>())
            .prop_map(|(who, worst, degraded)| Step::Call { who, worst, degraded }),
        8 => (any::<u8>(), 0_u8..=100).prop_map(|(which, percent)| Step::Settle { which, percent }),
        2 => any::<u8>().prop_map(|which| Step::Release { which }),
        2 => (any::<u8>(), 1_u16..200, 0_u8..60)
            .prop_map(|(who, amount, hours_ago)| Step::Import { who, amount, hours_ago }),
        3 => (1_u16..900).prop_map(|minutes| Step::Wait { minutes }),
        1 => (any::<u8>(), 1_u16..2_000, 1_u8..48)
            .prop_map(|(budget, more, hours)| Step::Grant { budget, more, hours }),
        1 => (any::<u8>(), 50_u16..6_000).prop_map(|(budget, limit)| Step::Limit { budget, limit }),
        1 => Just(Step::Checkpoint),
        1 => any::<u8>().prop_map(|sent| Step::Crash { sent }),
    ];
    prop::collection::vec(step, STEPS)
}

/// The engine beside the model, with what the journal would hold.
struct Run {
    world: World,
    engine: Arc<Budgets>,
    naive: Naive,
    now: Timestamp,
    open: Vec<(UsageEvent, Hold)>,
    rows: Vec<UsageEvent>,
    saved: BTreeMap<String, tally_budget::SavedCounter>,
    saved_sequence: u64,
    calls: u128,
}

impl Run {
    fn new(shapes: &[u8]) -> Self {
        let now: Timestamp = START.parse().unwrap();
        let mut world = World::default();
        for (number, shape) in shapes.iter().enumerate() {
            world.budgets.insert(format!("b{number}").parse().unwrap(), budget(*shape));
        }
        let engine = Budgets::new(world.definitions(), now);
        let mut run = Self {
            engine,
            naive: Naive::default(),
            world,
            now,
            open: Vec::new(),
            rows: Vec::new(),
            saved: BTreeMap::new(),
            saved_sequence: 0,
            calls: 0,
        };
        run.checkpoint();
        run
    }

    fn event(&mut self, who: u8) -> UsageEvent {
        self.calls += 1;
        call(EventId(uuid::Uuid::from_u128(self.calls)), who, self.now)
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Call { who, worst, degraded } => self.call(who, worst, degraded),
            Step::Settle { which, percent } => self.settle(which, percent),
            Step::Release { which } => {
                if !self.open.is_empty() {
                    let (event, hold) = self.open.remove(usize::from(which) % self.open.len());
                    drop(hold);
                    self.naive.release(event.event_id);
                }
            }
            Step::Import { who, amount, hours_ago } => {
                let mut event = self.event(who);
                let ago = jiff::SignedDuration::from_hours(hours_ago.into());
                event.time = event.time.checked_sub(ago).unwrap();
                self.commit(with_use(event, amount.into()));
            }
            Step::Wait { minutes } => {
                self.now += jiff::SignedDuration::from_mins(minutes.into());
                assert_eq!(self.engine.expire(self.now), self.naive.expire(self.now));
                self.open.retain(|(event, _)| self.naive.is_reserved(event.event_id));
            }
            Step::Grant { budget, more, hours } => self.grant(budget, more, hours),
            Step::Limit { budget, limit } => {
                let name = self.world.name(budget);
                let spec = self.world.budgets.get_mut(&name).unwrap();
                spec.limit = spec.limit.with_amount(limit.into());
                self.engine.configure(self.world.definitions(), self.now);
            }
            Step::Checkpoint => self.checkpoint(),
            Step::Crash { sent } => self.crash(sent),
        }
    }

    fn call(&mut self, who: u8, worst: u16, is_degraded: bool) {
        let event = self.event(who);
        let demand = demand(worst.into());
        let expected = self.naive.verdict(&self.world, &event, &demand, is_degraded, self.now);
        let ask = Ask { event: &event, demand, is_degraded, now: self.now };
        match self.engine.reserve(&ask) {
            Verdict::Allowed(hold, _) => {
                assert_eq!(expected, "allowed", "{event:?} {worst}");
                self.naive.reserve(&self.world, &event, &demand, self.now);
                self.open.push((event, hold));
            }
            Verdict::Degrade(_) => assert_eq!(expected, "degrade", "{event:?} {worst}"),
            Verdict::Refused(_) => assert_eq!(expected, "refused", "{event:?} {worst}"),
        }
    }

    fn settle(&mut self, which: u8, percent: u8) {
        if self.open.is_empty() {
            return;
        }
        let (event, hold) = self.open.remove(usize::from(which) % self.open.len());
        let worst = self.naive.worst(event.event_id);
        hold.hand_over();
        self.commit(with_use(event, worst * u64::from(percent) / 100));
    }

    fn commit(&mut self, event: UsageEvent) {
        self.naive.commit(&self.world, &event, self.now);
        self.rows.push(event);
        let sequence = self.rows.len() as u64;
        self.engine.commit(sequence, &self.rows[self.rows.len() - 1], self.now);
    }

    fn grant(&mut self, budget: u8, more: u16, hours: u8) {
        let name = self.world.name(budget);
        let unit = self.world.budgets[&name].limit;
        self.world.grants.push(GrantSpec {
            counter: CounterId { budget: name, each: None, environment: None },
            ask: GrantAsk::Increase(unit.with_amount(more.into())),
            until: self.now + jiff::SignedDuration::from_hours(hours.into()),
            reason: "more".to_owned(),
            requested_by: None,
            requested_at: self.now,
            emergency: false,
            needs: Vec::new(),
            decisions: Vec::new(),
            escalated_at: None,
            state: GrantState::Approved,
        });
        self.engine.configure(self.world.definitions(), self.now);
    }

    fn checkpoint(&mut self) {
        if let Some(checkpoint) = self.engine.checkpoint(self.saved_sequence) {
            self.saved_sequence = checkpoint.sequence;
            for counter in checkpoint.counters {
                self.saved.insert(counter.id.clone(), counter);
            }
        }
    }

    /// Every call under way ends: one in two was sent, and is settled at its worst.
    fn crash(&mut self, sent: u8) {
        let engine = Budgets::new(self.world.definitions(), self.now);
        let counters = self.saved.values().cloned().collect();
        let checkpoint = Checkpoint { sequence: self.saved_sequence, counters };
        assert_eq!(engine.restore(&checkpoint, self.now), 0);
        let old = std::mem::replace(&mut self.engine, engine);
        for (number, (event, hold)) in std::mem::take(&mut self.open).into_iter().enumerate() {
            let worst = self.naive.worst(event.event_id);
            drop(hold);
            if sent >> (number % 8) & 1 == 1 {
                let event = with_use(event, worst);
                self.naive.commit(&self.world, &event, self.now);
                self.rows.push(event);
            } else {
                self.naive.release(event.event_id);
            }
        }
        drop(old);
        let kept = self.saved.keys().map(|id| serde_json::from_str(id).unwrap()).collect();
        self.naive.crash(&self.world, &kept);
        for (number, event) in self.rows.iter().enumerate() {
            self.engine.commit(number as u64 + 1, event, self.now);
        }
    }

    fn check(&mut self) {
        for stands in self.engine.uses(self.now) {
            let (settled, reserved, limit) =
                self.naive.stands(&self.world, &stands.counter, self.now);
            assert_eq!(stands.settled.amount(), settled, "settled of {}", stands.counter);
            assert_eq!(stands.reserved.amount(), reserved, "reserved of {}", stands.counter);
            assert_eq!(stands.limit.amount(), limit, "limit of {}", stands.counter);
        }
        // Told in their order, and each once.
        let reached = self.engine.reached();
        self.engine.acknowledge(&reached);
        self.naive.told(&reached);
    }
}

fn demand(amount: u64) -> Demand {
    Demand { pico_usd: Some(amount.into()), tokens: amount, tokens_all: amount }
}

fn with_use(mut event: UsageEvent, amount: u64) -> UsageEvent {
    event.tokens.output = amount;
    event.cost_list_usd = Some(PicoUsd::from_pico(i64::try_from(amount).unwrap()));
    event
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: CASES,
        max_shrink_iters: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// 500 companies of 240 steps each: 120,000 steps.
    #[test]
    fn it_agrees_with_a_model_that_adds_up_anew(
        shapes in prop::collection::vec(any::<u8>(), 1..7),
        steps in steps(),
    ) {
        let mut run = Run::new(&shapes);
        for (number, step) in steps.iter().enumerate() {
            run.step(step);
            if number % COMPARE_EVERY == 0 || number + 1 == STEPS {
                run.check();
            }
        }
        // No reservation lasts for ever, and no budget stays blocked.
        run.now += jiff::SignedDuration::from_hours(13);
        run.engine.expire(run.now);
        for stands in run.engine.uses(run.now) {
            prop_assert_eq!(stands.reserved.amount(), 0);
        }
    }
}

#[test]
fn the_calendar_of_the_model_has_a_missing_hour() {
    let day = tally_types::Window::Calendar(tally_types::CalendarUnit::Day);
    let (start, end) = day.bounds("2026-03-29T10:00:00Z".parse().unwrap(), &calendar()).unwrap();
    assert_eq!(end.duration_since(start).as_hours(), 23);
}
