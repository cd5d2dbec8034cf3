//! The naive model: all calls in a list, added up anew for each question.

use std::collections::{BTreeMap, BTreeSet};

use tally_budget::{Definitions, Demand, RolesByName};
use tally_types::{
    BudgetName, Calendar, CalendarUnit, CallId, CounterId, Environment, EventId, PicoUsdSum,
    Source, StageReached, TimeZone, Timestamp, UsageEvent, Weekday, Window,
    spec::{
        BudgetLimit, BudgetScope, BudgetSpec, BudgetStage, Counted, Each, GrantAsk, GrantSpec,
        StageDegrade, StageRole,
    },
};

/// When a run begins.
pub(crate) const START: &str = "2026-03-27T08:00:00Z";

/// What is configured.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) budgets: BTreeMap<BudgetName, BudgetSpec>,
    pub(crate) grants: Vec<GrantSpec>,
}

struct Row {
    event: UsageEvent,
    amount: i128,
    counters: Vec<CounterId>,
}

struct Reserved {
    event: UsageEvent,
    amount: i128,
    at: Timestamp,
    counters: Vec<CounterId>,
}

/// Every call there was.
#[derive(Default)]
pub(crate) struct Naive {
    rows: Vec<Row>,
    reserved: BTreeMap<EventId, Reserved>,
    told: BTreeSet<(CounterId, Timestamp, u32, u32, bool)>,
    /// When counters of their own for each of something were made.
    seen: BTreeMap<CounterId, Timestamp>,
}

pub(crate) fn calendar() -> Calendar {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    Calendar { zone, week_starts: Weekday::Monday, fiscal_year_starts: 1 }
}

/// A budget of some shape: scopes of every width, units, windows, with and without ceiling.
pub(crate) fn budget(shape: u8) -> BudgetSpec {
    let scope = match shape % 6 {
        0 => BudgetScope::default(),
        1 => BudgetScope { team: Some("t1".parse().unwrap()), ..BudgetScope::default() },
        2 => BudgetScope { each: Some(Each::Person), ..BudgetScope::default() },
        3 => BudgetScope { workload: Some("w0".parse().unwrap()), ..BudgetScope::default() },
        4 => BudgetScope { each: Some(Each::Team), ..BudgetScope::default() },
        _ => BudgetScope {
            person: Some("p2".parse().unwrap()),
            environment: Some(Environment::Production),
            ..BudgetScope::default()
        },
    };
    let limit = match shape / 6 % 3 {
        0 => BudgetLimit::Usd(PicoUsdSum::from_pico(3_000)),
        1 => BudgetLimit::Tokens(2_000),
        _ => BudgetLimit::Requests(12),
    };
    let window = match shape / 18 % 3 {
        0 => Window::Calendar(CalendarUnit::Day),
        1 => Window::Calendar(CalendarUnit::Week),
        _ => Window::RollingHours(24),
    };
    let stage = |at| BudgetStage {
        at,
        notify: Vec::new(),
        approval: Vec::new(),
        pending: None,
        degrade: None,
        deny: false,
    };
    let mut stages = vec![BudgetStage { notify: vec![StageRole::Owner], ..stage(70) }];
    match shape / 54 {
        0 => stages.push(BudgetStage { deny: true, ..stage(100) }),
        1 => {
            stages.push(BudgetStage { degrade: Some(StageDegrade::default()), ..stage(80) });
            stages.push(BudgetStage { deny: true, ..stage(120) });
        }
        2 => stages.push(BudgetStage { degrade: Some(StageDegrade::default()), ..stage(100) }),
        _ => {}
    }
    let is_calendar = matches!(window, Window::Calendar(_));
    BudgetSpec {
        owner: "p0".parse().unwrap(),
        scope,
        limit,
        environment_limits: BTreeMap::new(),
        window,
        stages,
        count: Counted::Uncached,
        carry_over: is_calendar && shape.is_multiple_of(5),
        approvers: Vec::new(),
        escalate_after_hours: 24,
        emergency: false,
    }
}

/// A call of one of 4 people in 2 teams, for one of 3 workloads.
pub(crate) fn call(id: EventId, who: u8, time: Timestamp) -> UsageEvent {
    let mut event = UsageEvent::new(id, CallId(id.0), time, Source::Gateway);
    event.person = format!("p{}", who % 4).parse().ok();
    event.team = format!("t{}", who % 2).parse().ok();
    event.workload = (who >> 3 & 3 != 3).then(|| format!("w{}", who >> 3 & 3).parse().unwrap());
    if who & 0x80 != 0 {
        event.environment = Environment::Production;
    }
    event
}

impl World {
    pub(crate) fn definitions(&self) -> Definitions {
        Definitions {
            calendar: calendar(),
            organization: None,
            roles: RolesByName::default(),
            budgets: self.budgets.clone(),
            grants: self.grants.clone(),
        }
    }

    pub(crate) fn name(&self, number: u8) -> BudgetName {
        let names: Vec<&BudgetName> = self.budgets.keys().collect();
        names[usize::from(number) % names.len()].clone()
    }

    fn counters(&self, event: &UsageEvent) -> Vec<CounterId> {
        let holding = self.budgets.iter().filter(|(_, spec)| spec.scope.holds(event, None, &[]));
        holding
            .map(|(name, spec)| CounterId {
                budget: name.clone(),
                each: spec.scope.each.map(|each| match each {
                    Each::Person => event.person.as_ref().unwrap().to_string(),
                    Each::Team => event.team.as_ref().unwrap().to_string(),
                    Each::Workload => event.workload.as_ref().unwrap().to_string(),
                }),
                environment: None,
            })
            .collect()
    }

    fn amount(&self, id: &CounterId, amount: i128) -> i128 {
        match self.budgets[&id.budget].limit {
            BudgetLimit::Requests(_) => 1,
            _ => amount,
        }
    }
}

impl Naive {
    pub(crate) fn reserve(
        &mut self,
        world: &World,
        event: &UsageEvent,
        demand: &Demand,
        now: Timestamp,
    ) {
        let counters = world.counters(event);
        if !counters.is_empty() {
            let amount = i128::from(demand.tokens);
            let reserved = Reserved { event: event.clone(), amount, at: now, counters };
            self.reserved.insert(event.event_id, reserved);
        }
    }

    pub(crate) fn is_reserved(&self, id: EventId) -> bool {
        self.reserved.contains_key(&id)
    }

    pub(crate) fn worst(&self, id: EventId) -> u64 {
        self.reserved.get(&id).map_or(10, |reserved| u64::try_from(reserved.amount).unwrap())
    }

    pub(crate) fn release(&mut self, id: EventId) {
        self.reserved.remove(&id);
    }

    pub(crate) fn expire(&mut self, now: Timestamp) -> usize {
        let before = self.reserved.len();
        let age = |at: Timestamp| now.duration_since(at).as_hours();
        self.reserved.retain(|_, reserved| age(reserved.at) < 12);
        before - self.reserved.len()
    }

    pub(crate) fn commit(&mut self, world: &World, event: &UsageEvent, _now: Timestamp) {
        let reserved = self.reserved.remove(&event.event_id);
        if reserved.is_none() {
            self.see(world, event, event.time);
        }
        let counters = reserved.map_or_else(|| world.counters(event), |it| it.counters);
        let amount = i128::from(event.tokens.output);
        self.rows.push(Row { event: event.clone(), amount, counters });
    }

    /// Settled, reserved and limit, added up from all calls there ever were.
    pub(crate) fn stands(
        &self,
        world: &World,
        id: &CounterId,
        now: Timestamp,
    ) -> (i128, i128, i128) {
        let spec = &world.budgets[&id.budget];
        let (settled, reserved) = self.taken(world, id, spec.window, now);
        let granted = world
            .grants
            .iter()
            .filter(|grant| grant.counter == *id && grant.requested_at <= now && now < grant.until);
        let granted: i128 = granted
            .map(|grant| match grant.ask {
                GrantAsk::Increase(more) => more.amount(),
                GrantAsk::PassStage(_) => 0,
            })
            .sum();
        let carried = self.carried(world, id, spec, now);
        (settled, reserved, spec.limit.amount() + granted + carried)
    }

    fn taken(&self, world: &World, id: &CounterId, window: Window, now: Timestamp) -> (i128, i128) {
        let rows = self.rows.iter().filter(|row| row.counters.contains(id));
        let settled = rows.filter(|row| is_in(window, row.event.time, now));
        let reserved = self.reserved.values().filter(|it| it.counters.contains(id));
        let reserved = reserved.filter(|it| match window {
            Window::RollingHours(_) => true,
            Window::Calendar(_) => is_in(window, it.event.time, now),
        });
        (
            settled.map(|row| world.amount(id, row.amount)).sum(),
            reserved.map(|it| world.amount(id, it.amount)).sum(),
        )
    }

    /// What the period before left over, once the counter has lived through one.
    fn carried(&self, world: &World, id: &CounterId, spec: &BudgetSpec, now: Timestamp) -> i128 {
        let first = self.first_seen(id, spec);
        let (start, _) = spec.window.bounds(now, &calendar()).unwrap();
        if !spec.carry_over || first >= start {
            return 0;
        }
        let before = start - jiff::SignedDuration::from_secs(1);
        let (settled, reserved) = self.taken(world, id, spec.window, before);
        (spec.limit.amount() - settled - reserved).max(0)
    }

    /// What the budgets should say, each asked with everything added up anew.
    pub(crate) fn verdict(
        &mut self,
        world: &World,
        event: &UsageEvent,
        demand: &Demand,
        is_degraded: bool,
        now: Timestamp,
    ) -> &'static str {
        let mut verdict = "allowed";
        self.see(world, event, now);
        for id in world.counters(event) {
            let spec = &world.budgets[&id.budget];
            let (settled, reserved, limit) = self.stands(world, &id, now);
            let after = settled + reserved + world.amount(&id, demand.tokens.into());
            let is_over = |share: u32| after * 100 > limit * i128::from(share);
            let ceiling = spec.stages.iter().find(|stage| stage.deny).map(|stage| stage.at);
            if ceiling.is_some_and(is_over) {
                return "refused";
            }
            let degrades = spec.stages.iter().find(|stage| stage.degrade.is_some());
            let degrades_at = degrades.map_or(100, |stage| stage.at);
            if !is_degraded && is_over(degrades_at) {
                verdict = "degrade";
            }
        }
        verdict
    }

    fn see(&mut self, world: &World, event: &UsageEvent, at: Timestamp) {
        for id in world.counters(event).into_iter().filter(|id| id.each.is_some()) {
            self.seen.entry(id).or_insert(at);
        }
    }

    /// A stage is told once per window and round, until a crash forgets that it was.
    pub(crate) fn told(&mut self, reached: &[StageReached]) {
        for it in reached {
            let is_warning = it.exhausted_at.is_some();
            let told = (it.counter.clone(), it.window_start, it.stage.at, it.round, is_warning);
            assert!(self.told.insert(told), "told twice: {it:?}");
        }
    }

    /// A start knows of the counters that were kept and of those of later rows.
    pub(crate) fn crash(&mut self, world: &World, kept: &BTreeSet<CounterId>) {
        self.told.clear();
        self.seen.retain(|id, _| kept.contains(id));
        let rows = std::mem::take(&mut self.rows);
        for row in &rows {
            self.see(world, &row.event, row.event.time);
        }
        self.rows = rows;
    }

    /// When the counter was made: with its budget, or by its first call.
    fn first_seen(&self, id: &CounterId, spec: &BudgetSpec) -> Timestamp {
        if spec.scope.each.is_none() {
            return START.parse().unwrap();
        }
        self.seen.get(id).copied().unwrap_or(Timestamp::MAX)
    }
}

fn is_in(window: Window, time: Timestamp, now: Timestamp) -> bool {
    match window {
        Window::Calendar(_) => {
            let (start, end) = window.bounds(now, &calendar()).unwrap();
            (start..end).contains(&time)
        }
        Window::RollingHours(hours) => {
            let step = |time: Timestamp| time.as_second().div_euclid(i64::from(hours) * 60);
            let start = now - jiff::SignedDuration::from_hours(hours.into());
            step(time) >= step(start)
        }
    }
}
