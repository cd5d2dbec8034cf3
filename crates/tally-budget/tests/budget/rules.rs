//! The rules of budgets one by one, with the failures of other gateways that they rule out.
use std::sync::Arc;

use crate::support::{World, budget, call};
use jiff::SignedDuration;
use tally_budget::{Ask, Budgets, Checkpoint, Demand, RefusedBy, Used, Verdict};
use tally_types::{
    BudgetState, CallStatus, CounterId, EventId, PicoUsd, Timestamp, UsageEvent, Window,
    spec::{
        BudgetLimit, BudgetSpec, BudgetStage, GrantAsk, GrantSpec, GrantState, Pending, StageRole,
    },
};
use uuid::Uuid;

const NOW: &str = "2026-03-10T10:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn id(name: &str) -> CounterId {
    CounterId { budget: name.parse().unwrap(), each: None, environment: None }
}

/// A budget of 1,000 tokens a month for everybody, with the default stages.
fn tokens(limit: u64) -> BudgetSpec {
    BudgetSpec {
        limit: BudgetLimit::Tokens(limit),
        stages: Vec::new(),
        window: Window::Calendar(tally_types::CalendarUnit::Month),
        carry_over: false,
        ..budget(0)
    }
}

fn stage(at: u32) -> BudgetStage {
    BudgetStage {
        at,
        notify: Vec::new(),
        approval: Vec::new(),
        pending: None,
        degrade: None,
        deny: false,
    }
}

/// Budgets with calls that are counted at once.
struct Bench {
    world: World,
    budgets: Arc<Budgets>,
    now: Timestamp,
    rows: u64,
}

impl Bench {
    fn new(budgets: impl IntoIterator<Item = (&'static str, BudgetSpec)>) -> Self {
        let mut world = World::default();
        let named = budgets.into_iter().map(|(name, spec)| (name.parse().unwrap(), spec));
        world.budgets.extend(named);
        let budgets = Budgets::new(world.definitions(), at(NOW));
        Self { world, budgets, now: at(NOW), rows: 0 }
    }

    fn event(&mut self, amount: u64) -> UsageEvent {
        self.rows += 1;
        let mut event = call(EventId(Uuid::from_u128(u128::from(self.rows))), 0, self.now);
        event.tokens.output = amount;
        event.cost_list_usd = PicoUsd::from_pico(i64::try_from(amount).unwrap()).into();
        event
    }

    fn used(&mut self, amount: u64) {
        let event = self.event(amount);
        self.budgets.commit(self.rows, &event, self.now);
    }

    fn ask(&mut self, worst: u64, is_degraded: bool) -> Verdict {
        let event = self.event(0);
        let demand = Demand { pico_usd: Some(worst.into()), tokens: worst, tokens_all: worst };
        self.budgets.reserve(&Ask { event: &event, demand, is_degraded, now: self.now })
    }

    fn settled(&self, name: &str) -> i128 {
        self.budgets.use_of(&id(name), self.now).unwrap().settled.amount()
    }

    fn configure(&self) {
        self.budgets.configure(self.world.definitions(), self.now);
    }

    fn grant(&mut self, ask: GrantAsk, state: GrantState, hours: i64) {
        self.world.grants.push(GrantSpec {
            counter: id("b"),
            ask,
            until: self.now + SignedDuration::from_hours(hours),
            reason: "because".to_owned(),
            requested_by: None,
            requested_at: self.now,
            emergency: false,
            needs: Vec::new(),
            decisions: Vec::new(),
            escalated_at: None,
            state,
        });
        self.configure();
    }

    fn told(&self) -> Vec<u32> {
        let reached = self.budgets.reached();
        self.budgets.acknowledge(&reached);
        let stages = reached.iter().filter(|it| it.exhausted_at.is_none());
        stages.map(|it| it.stage.at).collect()
    }
}

#[test]
fn regression_03_restoring_counters_multiplies_nothing() {
    let mut bench = Bench::new([("b", tokens(1_000))]);
    bench.used(300);
    let checkpoint = bench.budgets.checkpoint(0).unwrap();
    bench.used(50);
    for _ in 0..3 {
        let again = Budgets::new(bench.world.definitions(), bench.now);
        again.restore(&checkpoint, bench.now);
        // The rows since come again, and some of those before.
        for row in 1..=bench.rows {
            let mut event = call(EventId(Uuid::from_u128(u128::from(row))), 0, bench.now);
            event.tokens.output = if row == 1 { 300 } else { 50 };
            again.commit(row, &event, bench.now);
        }
        bench.budgets = again;
        assert_eq!(bench.settled("b"), 350);
    }
}

#[test]
fn regression_04_a_past_that_is_looked_up_late_is_counted_once() {
    let mut bench = Bench::new([("b", tokens(1_000))]);
    bench.used(10);
    let recount = bench.budgets.recounts(bench.now).remove(0);
    bench.used(20);
    bench.used(40);
    // Whoever keeps all events knows 500 from before, and the rows up to the second.
    let used = Used { each: None, environment: None, time: bench.now, amount: 500 + 10 + 20 };
    bench.budgets.recounted(&recount, 2, &[used], bench.now);
    assert_eq!(bench.settled("b"), 570);
    assert!(bench.budgets.recounts(bench.now).is_empty());
    bench.used(1);
    assert_eq!(bench.settled("b"), 571);
}

#[test]
fn regression_07_a_budget_begins_anew_with_its_window() {
    let mut bench = Bench::new([("b", tokens(1_000))]);
    bench.used(999);
    assert!(matches!(bench.ask(100, false), Verdict::Degrade(_)));
    // The organisation's month ends at midnight in Berlin, in summer time by then.
    bench.now = at("2026-03-31T21:59:59Z");
    assert!(matches!(bench.ask(100, false), Verdict::Degrade(_)));
    bench.now = at("2026-03-31T22:00:00Z");
    assert!(matches!(bench.ask(100, false), Verdict::Allowed(..)));
    assert_eq!(bench.settled("b"), 0);
}

#[test]
fn regression_08_thirty_days_roll_and_a_month_does_not() {
    let rolling = BudgetSpec { window: Window::RollingHours(720), ..tokens(1_000) };
    let mut bench = Bench::new([("month", tokens(1_000)), ("rolling", rolling)]);
    bench.now = at("2026-03-31T12:00:00Z");
    bench.used(400);
    bench.now = at("2026-04-01T12:00:00Z");
    assert_eq!((bench.settled("month"), bench.settled("rolling")), (0, 400));
    bench.now = at("2026-05-01T12:00:00Z");
    assert_eq!(bench.settled("rolling"), 0);
}

#[test]
fn regression_09_each_stage_looks_at_its_own_budget() {
    let small = BudgetSpec { stages: vec![stage_told(70)], ..tokens(100) };
    let mut bench = Bench::new([("large", tokens(10_000)), ("small", small)]);
    bench.used(80);
    let reached = bench.budgets.reached();
    let told: Vec<_> = reached.iter().map(|it| (it.counter.to_string(), it.stage.at)).collect();
    assert_eq!(told, [("small".to_owned(), 70)]);
}

fn stage_told(at: u32) -> BudgetStage {
    BudgetStage { notify: vec![StageRole::Owner], ..stage(at) }
}

#[test]
fn regression_11_a_change_of_configuration_zeroes_nothing() {
    let mut bench = Bench::new([("b", tokens(1_000))]);
    bench.used(400);
    bench.world.budgets.get_mut("b").unwrap().limit = BudgetLimit::Tokens(500);
    bench.configure();
    assert_eq!(bench.settled("b"), 400);
    // Gone, and back again.
    let spec = bench.world.budgets.remove("b").unwrap();
    bench.configure();
    assert!(bench.budgets.use_of(&id("b"), bench.now).is_none());
    bench.world.budgets.insert("b".parse().unwrap(), spec);
    bench.configure();
    assert_eq!(bench.settled("b"), 400);
}

#[test]
fn a_limit_lowered_below_what_is_used_degrades_at_once_and_tells_every_stage() {
    let mut bench = Bench::new([("b", tokens(1_000))]);
    bench.used(600);
    assert!(bench.told().is_empty());
    bench.world.budgets.get_mut("b").unwrap().limit = BudgetLimit::Tokens(500);
    bench.configure();
    assert_eq!(bench.told(), [70, 80, 90, 100]);
    assert!(matches!(bench.ask(1, false), Verdict::Degrade(_)));
    let stands = bench.budgets.use_of(&id("b"), bench.now).unwrap();
    assert_eq!((stands.overage.amount(), stands.state), (100, BudgetState::Degraded));
}

#[test]
fn regression_24_and_25_many_threads_on_one_budget_neither_wait_for_ever_nor_miscount() {
    let bench = Bench::new([("b", tokens(1_000_000)), ("c", tokens(1_000_000))]);
    std::thread::scope(|scope| {
        for thread in 0..8_u128 {
            let budgets = Arc::clone(&bench.budgets);
            let now = bench.now;
            scope.spawn(move || {
                for turn in 0..500 {
                    let event = call(EventId(Uuid::from_u128(thread << 64 | turn)), 0, now);
                    let demand = Demand { pico_usd: Some(9), tokens: 9, tokens_all: 9 };
                    let ask = Ask { event: &event, demand, is_degraded: false, now };
                    assert!(matches!(budgets.reserve(&ask), Verdict::Allowed(..)));
                }
            });
        }
    });
    for stands in bench.budgets.uses(bench.now) {
        assert_eq!(stands.reserved.amount(), 0, "every hold was dropped");
    }
}

#[test]
fn regression_26_budgets_that_do_not_apply_are_not_looked_at() {
    let mut world = World::default();
    for number in 0..10_000 {
        let mut spec = tokens(1_000);
        spec.scope.person = Some(format!("somebody-{number}").parse().unwrap());
        world.budgets.insert(format!("b{number}").parse().unwrap(), spec);
    }
    world.budgets.insert("all".parse().unwrap(), tokens(1_000));
    let budgets = Budgets::new(world.definitions(), at(NOW));
    let event = call(EventId(Uuid::from_u128(1)), 0, at(NOW));
    let applying = budgets.applying(&event, at(NOW));
    assert_eq!(applying.len(), 1);
    assert_eq!(applying[0].counter, id("all"));
}

#[test]
fn a_stage_comes_once_in_a_window_and_again_when_a_grant_has_made_room() {
    let mut bench = Bench::new([("b", tokens(1_000))]);
    bench.used(950);
    assert_eq!(bench.told(), [70, 80, 90]);
    bench.used(1);
    assert!(bench.told().is_empty());
    bench.grant(GrantAsk::Increase(BudgetLimit::Tokens(1_000)), GrantState::Approved, 2);
    assert_eq!(bench.budgets.use_of(&id("b"), bench.now).unwrap().limit.amount(), 2_000);
    assert!(bench.told().is_empty());
    bench.used(500);
    assert_eq!(bench.told(), [70], "of twice the limit");
    // The grant ends by itself: what was used beyond counts again.
    bench.now += SignedDuration::from_hours(3);
    bench.budgets.expire(bench.now);
    assert_eq!(bench.told(), [80, 90, 100]);
}

#[test]
fn a_stage_that_a_reservation_reached_is_not_told_again_by_the_next_settlement() {
    let mut bench = Bench::new([("b", tokens(1_000))]);
    bench.used(950);
    assert_eq!(bench.told(), [70, 80, 90]);
    assert!(matches!(bench.ask(100, false), Verdict::Degrade(_)));
    assert_eq!(bench.told(), [100]);
    bench.used(10);
    assert!(matches!(bench.ask(100, false), Verdict::Degrade(_)));
    bench.used(100);
    assert!(bench.told().is_empty());
}

#[test]
fn an_approval_that_waits_continues_degrades_or_denies_as_declared_and_a_denial_degrades() {
    let asks = |pending| {
        let approval = BudgetStage { approval: vec![StageRole::Finops], pending, ..stage(80) };
        BudgetSpec { stages: vec![approval], ..tokens(1_000) }
    };
    for (pending, expected) in
        [(None, "goes on"), (Some(Pending::Degrade), "less"), (Some(Pending::Deny), "no")]
    {
        let mut bench = Bench::new([("b", asks(pending))]);
        bench.used(850);
        let found = match bench.ask(10, false) {
            Verdict::Allowed(_, standing) => {
                assert_eq!(standing.state, BudgetState::Approval);
                "goes on"
            }
            Verdict::Degrade(_) => "less",
            Verdict::Refused(refused) => {
                assert_eq!(refused.by, RefusedBy::ApprovalWaits);
                "no"
            }
        };
        assert_eq!(found, expected);
    }
    let mut bench = Bench::new([("b", asks(None))]);
    bench.used(850);
    bench.grant(GrantAsk::PassStage(80), GrantState::Denied, 100);
    assert!(matches!(bench.ask(10, false), Verdict::Degrade(_)));
    bench.grant(GrantAsk::PassStage(80), GrantState::Approved, 100);
    bench.world.grants.remove(0);
    bench.configure();
    assert!(matches!(bench.ask(10, false), Verdict::Allowed(..)));
}

#[test]
fn the_strictest_of_several_budgets_wins_and_is_named() {
    let cap = BudgetSpec { stages: vec![BudgetStage { deny: true, ..stage(100) }], ..tokens(500) };
    let mut bench = Bench::new([("a-tight", tokens(100)), ("cap", cap)]);
    match bench.ask(300, false) {
        Verdict::Degrade(less) => assert_eq!(less.binding, id("a-tight")),
        other => panic!("{other:?}"),
    }
    match bench.ask(600, false) {
        Verdict::Refused(refused) => {
            assert_eq!(refused.binding, id("cap"));
            let left = BudgetLimit::Tokens(500);
            assert_eq!(refused.by, RefusedBy::Ceiling { left });
        }
        other => panic!("{other:?}"),
    }
    // Nothing of a refused call is held anywhere.
    assert!(bench.budgets.uses(bench.now).iter().all(|it| it.reserved.amount() == 0));
}

#[test]
fn what_was_refused_counts_nothing_and_what_came_late_counts_in_its_window() {
    let mut bench = Bench::new([("b", tokens(1_000))]);
    let mut event = bench.event(500);
    event.status = CallStatus::Refused;
    bench.budgets.commit(bench.rows, &event, bench.now);
    assert_eq!(bench.settled("b"), 0);
    let mut late = bench.event(700);
    late.time = at("2026-02-20T10:00:00Z");
    bench.budgets.commit(bench.rows, &late, bench.now);
    assert_eq!(bench.settled("b"), 0);
}

#[test]
fn at_this_pace_it_says_when_the_limit_is_reached() {
    let mut bench = Bench::new([("b", tokens(1_000))]);
    bench.used(600);
    let stands = bench.budgets.use_of(&id("b"), bench.now).unwrap();
    let exhausted = stands.exhausted_at.unwrap();
    assert!(at("2026-03-15T00:00:00Z") < exhausted && exhausted < at("2026-03-18T00:00:00Z"));
    bench.budgets.expire(bench.now);
    let warnings: Vec<_> =
        bench.budgets.reached().into_iter().filter(|it| it.exhausted_at.is_some()).collect();
    assert_eq!(warnings.len(), 1);
    bench.budgets.acknowledge(&warnings);
    bench.budgets.expire(bench.now);
    assert!(bench.budgets.reached().iter().all(|it| it.exhausted_at.is_none()), "told once");
}

#[test]
fn what_cannot_be_read_of_a_checkpoint_is_left_out_and_said() {
    let bench = Bench::new([("b", tokens(1_000))]);
    let mut checkpoint: Checkpoint = bench.budgets.checkpoint(0).unwrap();
    checkpoint.counters[0].state = "{\"id\":".to_owned();
    assert_eq!(bench.budgets.restore(&checkpoint, bench.now), 1);
}
