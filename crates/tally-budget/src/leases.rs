//! One ceiling shared by several nodes: each holds a lease on a slice of it, so that no call
//! waits for another node and the slices together never pass the ceiling.
//!
//! The [`Lessor`] is kept in one place that all nodes reach now and then; a [`Lessee`] is a
//! node's side and decides alone, until its lease ends. A node that is gone may have spent of
//! its slice what it told nobody: its lease is doubtful, and held whole until the node is back
//! and says what it spent (its journal knows), or until [`DOUBT_MAX`] has passed; only then
//! the slice goes back.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use tally_types::{NodeId, Timestamp};

/// How long a lease lasts unless it is renewed.
pub const TERM: SignedDuration = SignedDuration::from_secs(30);
/// Clocks of two nodes differ by less: a lease ends that much sooner for who holds it, and
/// later for who gave it.
pub const SKEW: SignedDuration = SignedDuration::from_secs(2);
/// How long a node that is gone may take to come back and say what it spent.
pub const DOUBT_MAX: SignedDuration = SignedDuration::from_hours(1);

/// Names one lease of one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub u64);

/// A slice of a ceiling, for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Which lease.
    pub id: LeaseId,
    /// The most that may be used and reserved under it, from its beginning on.
    pub slice: i128,
    /// Until when calls may begin under it.
    pub ends_at: Timestamp,
}

/// What a node says of its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Which lease.
    pub id: LeaseId,
    /// Used by calls that have ended, from its beginning on.
    pub used: i128,
    /// The most that calls under way may still use.
    pub reserved: i128,
}

/// Shares one ceiling out.
#[derive(Debug, Clone)]
pub struct Lessor {
    ceiling: i128,
    /// Used under leases that are over.
    closed: i128,
    leases: BTreeMap<(NodeId, LeaseId), Held>,
    /// Leases whose slice went back before their node said what it spent.
    written_off: BTreeMap<(NodeId, LeaseId), i128>,
    next: u64,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    slice: i128,
    used: i128,
    ends_at: Timestamp,
    doubtful_since: Option<Timestamp>,
}

/// A node's side of a lease.
#[derive(Debug, Clone)]
pub struct Lessee {
    lease: Option<Lease>,
    used: i128,
    reserved: i128,
}

// === impl Lessor ===

impl Lessor {
    /// Nothing is used, nobody holds a lease.
    pub const fn new(ceiling: i128) -> Self {
        Self { ceiling, closed: 0, leases: BTreeMap::new(), written_off: BTreeMap::new(), next: 0 }
    }

    /// What nobody holds and nobody has used.
    pub fn free(&self) -> i128 {
        let held: i128 = self.leases.values().map(|held| held.slice).sum();
        (self.ceiling - self.closed - held).max(0)
    }

    /// Gives a node a lease, or extends the one it reports on, by at most `wanted` and at most
    /// half of what is free, so that the others find some.
    pub fn renew(
        &mut self,
        node: NodeId,
        report: Option<Report>,
        wanted: i128,
        now: Timestamp,
    ) -> Lease {
        self.expire(now);
        let known = report.filter(|report| self.take_report(node, report));
        let id = known.map_or_else(|| self.next_id(), |report| report.id);
        let free = self.free();
        // The last bit is not halved for ever.
        let most = if free <= wanted { free } else { (free / 2).max(wanted.min(free)) };
        let more = wanted.clamp(0, most);
        let ends_at = now.checked_add(TERM).unwrap_or(Timestamp::MAX);
        let held = self.leases.entry((node, id)).or_insert(Held {
            slice: 0,
            used: 0,
            ends_at,
            doubtful_since: None,
        });
        held.slice += more;
        held.ends_at = ends_at;
        held.doubtful_since = None;
        Lease { id, slice: held.slice, ends_at }
    }

    /// A node ends its lease and gives the rest back; nothing may be reserved under it.
    pub fn close(&mut self, node: NodeId, report: Report) {
        if self.take_report(node, &report) && self.leases.remove(&(node, report.id)).is_some() {
            self.closed += report.used;
        }
    }

    /// Leases that were not renewed become doubtful; what is doubtful for too long goes back.
    pub fn expire(&mut self, now: Timestamp) {
        let is_over = |at: Timestamp, after: SignedDuration| {
            at.checked_add(after).is_ok_and(|end| end <= now)
        };
        for held in self.leases.values_mut() {
            if held.doubtful_since.is_none() && is_over(held.ends_at, SKEW) {
                held.doubtful_since = Some(now);
            }
        }
        let lost: Vec<(NodeId, LeaseId)> = self
            .leases
            .iter()
            .filter(|(_, held)| held.doubtful_since.is_some_and(|since| is_over(since, DOUBT_MAX)))
            .map(|(key, _)| *key)
            .collect();
        for key in lost {
            if let Some(held) = self.leases.remove(&key) {
                self.closed += held.used;
                self.written_off.insert(key, held.used);
            }
        }
    }

    /// Takes over what a node says; false when the lease is not (any more) among those held.
    fn take_report(&mut self, node: NodeId, report: &Report) -> bool {
        let key = (node, report.id);
        if let Some(counted) = self.written_off.remove(&key) {
            // Too late to hold it back, but never too late to count it.
            self.closed += report.used - counted;
            return false;
        }
        let Some(held) = self.leases.get_mut(&key) else { return false };
        held.used = report.used;
        if held.doubtful_since.take().is_some() {
            // It says what it needs; the rest of its slice is in doubt no more.
            held.slice = report.used + report.reserved;
        }
        true
    }

    fn next_id(&mut self) -> LeaseId {
        self.next += 1;
        LeaseId(self.next)
    }
}

// === impl Lessee ===

impl Lessee {
    /// A node without a lease yet.
    pub const fn new() -> Self {
        Self { lease: None, used: 0, reserved: 0 }
    }

    /// A node that comes back: its journal knows the lease and what was spent under it.
    pub const fn recovered(lease: Lease, used: i128) -> Self {
        // Its time is taken to be over: nothing begins before it is renewed.
        let ended = Lease { ends_at: Timestamp::MIN, ..lease };
        Self { lease: Some(ended), used, reserved: 0 }
    }

    /// What it says to the lessor.
    pub fn report(&self) -> Option<Report> {
        let lease = self.lease?;
        Some(Report { id: lease.id, used: self.used, reserved: self.reserved })
    }

    /// Takes over a lease. Another one than before begins with nothing used.
    pub fn take(&mut self, lease: Lease) {
        if self.lease.is_none_or(|old| old.id != lease.id) {
            self.used = 0;
            self.reserved = 0;
        }
        self.lease = Some(lease);
    }

    /// Reserves for a call, if the lease lasts and has room.
    pub fn reserve(&mut self, amount: i128, now: Timestamp) -> bool {
        let Some(lease) = self.lease else { return false };
        let lasts = now.checked_add(SKEW).is_ok_and(|later| later < lease.ends_at);
        let fits = self.used + self.reserved + amount <= lease.slice;
        if lasts && fits {
            self.reserved += amount;
        }
        lasts && fits
    }

    /// A call has ended: what it had reserved is free, what it used is not.
    pub fn settle(&mut self, reserved: i128, used: i128) {
        self.reserved = (self.reserved - reserved).max(0);
        self.used += used;
    }
}

impl Default for Lessee {
    fn default() -> Self {
        Self::new()
    }
}
