//! Several nodes on one ceiling, in simulated time: calls, crashes, partitions, skewed clocks.
use jiff::SignedDuration;
use tally_budget::leases::{DOUBT_MAX, Lease, Lessee, Lessor, SKEW};
use tally_types::{NodeId, Timestamp};
use uuid::Uuid;

const CEILING: i128 = 100_000;
const NODES: usize = 4;
const STEPS: usize = 30_000;
const SEEDS: u64 = 8;

struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % bound
    }
}

struct Node {
    id: NodeId,
    lessee: Option<Lessee>,
    /// What its journal would hold: the lease, and what was spent under it.
    kept: Option<(Lease, i128)>,
    open: Vec<i128>,
    /// Everything it ever spent, told or not.
    spent: i128,
    clock_off: SignedDuration,
    cut_off_since: Option<Timestamp>,
    down_since: Option<Timestamp>,
}

struct World {
    chance: Chance,
    lessor: Lessor,
    nodes: Vec<Node>,
    now: Timestamp,
    refused_undue: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut chance = Chance(seed);
        let nodes = (0..NODES)
            .map(|number| Node {
                id: NodeId(Uuid::from_u128(number as u128 + 1)),
                lessee: Some(Lessee::new()),
                kept: None,
                open: Vec::new(),
                spent: 0,
                clock_off: SignedDuration::from_millis(chance.below(1_800) as i64 - 900),
                cut_off_since: None,
                down_since: None,
            })
            .collect();
        let now = "2026-03-01T00:00:00Z".parse().unwrap();
        Self { chance, lessor: Lessor::new(CEILING), nodes, now, refused_undue: 0 }
    }

    fn step(&mut self) {
        let number = self.chance.below(NODES as u64) as usize;
        match self.chance.below(100) {
            0..55 => self.call(number),
            55..85 => self.settle(number),
            85..90 => self.now += SignedDuration::from_millis(self.chance.below(4_000) as i64),
            90..92 => self.now += SignedDuration::from_secs(self.chance.below(60) as i64),
            92..94 => {
                let is_cut_off = self.chance.below(2) == 0;
                self.nodes[number].cut_off_since = is_cut_off.then_some(self.now);
            }
            94..95 => self.crash(number),
            95..98 => self.come_back(number),
            _ => self.lessor.expire(self.now),
        }
        // Within the time that doubt lasts every node comes back.
        for number in 0..NODES {
            let node = &self.nodes[number];
            let is_late =
                |since: Timestamp| since + DOUBT_MAX < self.now + SignedDuration::from_mins(20);
            if node.down_since.is_some_and(is_late) {
                self.come_back(number);
            } else if node.cut_off_since.map_or(node.lessee.is_some(), is_late) {
                self.keep_alive(number);
            }
        }
        let out: i128 =
            self.nodes.iter().map(|node| node.spent + node.open.iter().sum::<i128>()).sum();
        assert!(out <= CEILING, "settled + reserved is {out}");
    }

    fn call(&mut self, number: usize) {
        let worst = 1 + i128::from(self.chance.below(400));
        let node = &mut self.nodes[number];
        let Some(lessee) = &mut node.lessee else { return };
        let clock = self.now + node.clock_off;
        if !lessee.reserve(worst, clock) {
            if node.cut_off_since.is_some() {
                return;
            }
            let lease = self.lessor.renew(node.id, lessee.report(), 4 * worst, self.now);
            lessee.take(lease);
            node.kept = Some((lease, lessee.report().unwrap().used));
            if !lessee.reserve(worst, clock) {
                self.refused_undue += u64::from(self.lessor.free() > 2 * worst);
                return;
            }
        }
        node.open.push(worst);
    }

    fn settle(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        let Some(lessee) = &mut node.lessee else { return };
        let Some(worst) = node.open.pop() else { return };
        let used = worst * i128::from(self.chance.below(101)) / 100;
        lessee.settle(worst, used);
        node.spent += used;
        let kept = node.kept.as_mut().unwrap();
        kept.1 = lessee.report().unwrap().used;
    }

    /// `kill -9`: what was under way is settled at its worst when the node is back.
    fn crash(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        if node.lessee.take().is_some() {
            node.down_since = Some(self.now);
        }
    }

    fn come_back(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        if node.down_since.take().is_none() {
            return;
        }
        let under_way: i128 = node.open.drain(..).sum();
        node.spent += under_way;
        node.lessee = Some(match &mut node.kept {
            Some((lease, used)) => {
                *used += under_way;
                Lessee::recovered(*lease, *used)
            }
            None => Lessee::new(),
        });
        self.keep_alive(number);
    }

    /// A node that reaches the lessor renews its lease now and then, calls or none.
    fn keep_alive(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        node.cut_off_since = None;
        if let Some(lessee) = &mut node.lessee {
            let lease = self.lessor.renew(node.id, lessee.report(), 0, self.now);
            lessee.take(lease);
            node.kept = Some((lease, lessee.report().unwrap().used));
        }
    }
}

#[test]
fn regression_02_nodes_together_never_pass_a_ceiling_and_none_is_blocked_for_ever() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        for number in 0..NODES {
            world.come_back(number);
            while !world.nodes[number].open.is_empty() {
                world.settle(number);
            }
            let node = &mut world.nodes[number];
            let report = node.lessee.as_ref().and_then(Lessee::report);
            if let Some(report) = report {
                world.lessor.close(node.id, report);
            }
        }
        let spent: i128 = world.nodes.iter().map(|node| node.spent).sum();
        assert_eq!(world.lessor.free(), CEILING - spent, "seed {seed}: all that is left is free");
        assert!(spent * 100 >= CEILING * 95, "seed {seed}: {spent} of {CEILING} was used");
        assert_eq!(world.refused_undue, 0, "seed {seed}: refused although there was room");
    }
}

#[test]
fn a_node_that_stays_away_gives_its_slice_back_and_is_counted_when_it_returns() {
    let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let [one, two] = [1, 2].map(|number| NodeId(Uuid::from_u128(number)));
    let mut lessor = Lessor::new(1_000);
    let lease = lessor.renew(one, None, 400, now);
    assert_eq!(lease.slice, 400);
    let soon = now + SignedDuration::from_mins(1);
    assert_eq!(lessor.renew(two, None, 1_000, soon).slice, 600, "a doubtful slice is held");
    let late = soon + DOUBT_MAX + SKEW;
    lessor.expire(late);
    lessor.expire(late + DOUBT_MAX);
    let again = lessor.renew(two, None, 1_000, late + DOUBT_MAX);
    assert!(again.slice >= 400, "{again:?}");
    let told = tally_budget::leases::Report { id: lease.id, used: 300, reserved: 0 };
    lessor.close(one, told);
    assert_eq!(lessor.free(), (1_000 - again.slice - 300).max(0));
}
