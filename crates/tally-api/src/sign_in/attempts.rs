//! How often someone may try to sign in.
//!
//! Failures are counted for a name at an address, for a name anywhere, and for an address
//! whatever the name. Beyond a few free ones each makes the next attempt wait, twice as
//! long each time up to a bound that is short, as whoever knows a name could otherwise
//! lock its owner out. A place where the owner signed in before does not wait for what
//! others do elsewhere.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
};

use parking_lot::Mutex;

/// So many failures of a kind are free.
const FREE_OF_PLACE: u32 = 5;
const FREE_ELSEWHERE: u32 = 50;
/// The longest wait, in seconds: for a name at an address, and for either of them alone.
const WAIT_OF_PLACE_S: u64 = 60;
const WAIT_ELSEWHERE_S: u64 = 10;
/// Failures are forgotten after a quarter of an hour without one.
const MEMORY_NS: u64 = 15 * 60 * SECOND_NS;
const SECOND_NS: u64 = 1_000_000_000;
/// What is remembered at most, of failures and of places.
const ENTRIES_MAX: usize = 20_000;
const NAME_CHARACTERS_MAX: usize = 128;

/// Counts attempts to sign in.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    failures: HashMap<Key, Failures>,
    /// Where someone signed in, and when last.
    known: HashMap<Place, u64>,
}

/// An attempt under way: counted as a failure until it [succeeds](Attempts::succeeded).
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    place: Place,
}

/// A name at an address; without one when the connection's is not known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    name: String,
    peer: Option<IpAddr>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Place(Place),
    Name(String),
    Peer(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last_ns: u64,
}

// === impl Attempts ===

impl Attempts {
    /// Begins an attempt, or tells in how many seconds it may begin. It counts at once,
    /// so that many at the same moment are no way around.
    pub(super) fn begin(
        &self,
        name: &str,
        peer: Option<IpAddr>,
        now_ns: u64,
    ) -> Result<Attempt, u64> {
        let name = name.trim().chars().take(NAME_CHARACTERS_MAX).collect::<String>();
        let place = Place { name: name.to_lowercase(), peer: peer.map(network) };
        let mut seen = self.seen.lock();
        let keys = place.keys();
        let is_known = seen.known.contains_key(&place);
        let asked = keys.iter().filter(|key| !is_known || matches!(key, Key::Place(_)));
        let wait_ns = asked.map(|key| seen.wait_ns(key, now_ns)).max().unwrap_or(0);
        if wait_ns > 0 {
            return Err(wait_ns.div_ceil(SECOND_NS));
        }
        for key in keys {
            seen.count(key, now_ns);
        }
        Ok(Attempt { place })
    }

    /// Forgets the failures of the name, and remembers the place.
    pub(super) fn succeeded(&self, attempt: Attempt, now_ns: u64) {
        let Attempt { place } = attempt;
        let mut seen = self.seen.lock();
        seen.failures.remove(&Key::Name(place.name.clone()));
        seen.failures.remove(&Key::Place(place.clone()));
        // Others at this address stay counted: an own account is no way to try theirs.
        if let Some(peer) = place.peer
            && let Some(failures) = seen.failures.get_mut(&Key::Peer(peer))
        {
            failures.count = failures.count.saturating_sub(1);
        }
        if seen.known.len() >= ENTRIES_MAX {
            drop_least(&mut seen.known, |at| *at);
        }
        seen.known.insert(place, now_ns);
    }
}

// === impl Seen ===

impl Seen {
    fn wait_ns(&self, key: &Key, now_ns: u64) -> u64 {
        let Some(failures) = self.failures.get(key) else { return 0 };
        let since = now_ns.saturating_sub(failures.last_ns);
        let (free, most_s) = key.bounds();
        match failures.count.checked_sub(free) {
            Some(beyond) if since < MEMORY_NS => {
                let wait_s = 1_u64.checked_shl(beyond).unwrap_or(most_s).clamp(1, most_s);
                (wait_s * SECOND_NS).saturating_sub(since)
            }
            _ => 0,
        }
    }

    fn count(&mut self, key: Key, now_ns: u64) {
        if !self.failures.contains_key(&key) && self.failures.len() >= ENTRIES_MAX {
            self.make_room(now_ns);
        }
        let failures = self.failures.entry(key).or_insert(Failures { count: 0, last_ns: now_ns });
        if now_ns.saturating_sub(failures.last_ns) >= MEMORY_NS {
            failures.count = 0;
        }
        *failures = Failures { count: failures.count.saturating_add(1), last_ns: now_ns };
    }

    fn make_room(&mut self, now_ns: u64) {
        self.failures.retain(|_, failures| now_ns.saturating_sub(failures.last_ns) < MEMORY_NS);
        if self.failures.len() >= ENTRIES_MAX {
            // A flood of names: the ones with the fewest failures tell the least.
            drop_least(&mut self.failures, |failures| (failures.count, failures.last_ns));
        }
    }
}

/// Drops a tenth at a time, so that a flood does not pay for it with each name.
fn drop_least<K: Clone + Eq + std::hash::Hash, V, O: Ord>(
    map: &mut HashMap<K, V>,
    weight: impl Fn(&V) -> O,
) {
    let mut all: Vec<(O, K)> =
        map.iter().map(|(key, value)| (weight(value), key.clone())).collect();
    all.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    for (_, key) in all.iter().take(ENTRIES_MAX / 10) {
        map.remove(key);
    }
}

// === impl Place, Key ===

impl Place {
    fn keys(&self) -> Vec<Key> {
        let mut keys = vec![Key::Place(self.clone()), Key::Name(self.name.clone())];
        keys.extend(self.peer.map(Key::Peer));
        keys
    }
}

impl Key {
    fn bounds(&self) -> (u32, u64) {
        match self {
            Self::Place(_) => (FREE_OF_PLACE, WAIT_OF_PLACE_S),
            Self::Name(_) | Self::Peer(_) => (FREE_ELSEWHERE, WAIT_ELSEWHERE_S),
        }
    }
}

/// The addresses that one customer of a provider has: of IPv6, the first half.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    fn fail(attempts: &Attempts, name: &str, peer: Option<IpAddr>, times: u32, at_s: u64) {
        for _ in 0..times {
            attempts.begin(name, peer, at_s * SECOND_NS).unwrap();
        }
    }

    #[test]
    fn waits_double_up_to_a_minute_and_a_success_ends_them() {
        let attempts = Attempts::default();
        fail(&attempts, "ada", peer(1), FREE_OF_PLACE, 0);
        let mut now_s = 0;
        for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
            let waits = attempts.begin("Ada ", peer(1), now_s * SECOND_NS).unwrap_err();
            assert_eq!(waits, expected);
            now_s += expected;
            fail(&attempts, "ada", peer(1), 1, now_s);
        }
        now_s += 60;
        let attempt = attempts.begin("ada", peer(1), now_s * SECOND_NS).unwrap();
        attempts.succeeded(attempt, now_s * SECOND_NS);
        fail(&attempts, "ada", peer(1), FREE_OF_PLACE, now_s);
    }

    #[test]
    fn failures_elsewhere_do_not_keep_the_owner_out_where_she_was_before() {
        let attempts = Attempts::default();
        let attempt = attempts.begin("ada", peer(1), 0).unwrap();
        attempts.succeeded(attempt, 0);
        for last in 10..30 {
            for _ in 0..FREE_OF_PLACE {
                let _ = attempts.begin("ada", peer(last), SECOND_NS);
            }
        }
        assert_eq!(attempts.begin("ada", peer(2), SECOND_NS).unwrap_err(), 1);
        attempts.begin("ada", peer(1), SECOND_NS).unwrap();
        attempts.begin("grace", peer(2), SECOND_NS).unwrap();
    }

    #[test]
    fn an_address_that_tries_many_names_waits() {
        let attempts = Attempts::default();
        for number in 0..FREE_ELSEWHERE {
            fail(&attempts, &format!("person-{number}"), peer(1), 1, 0);
        }
        assert_eq!(attempts.begin("ada", peer(1), 0).unwrap_err(), 1);
        attempts.begin("ada", peer(2), 0).unwrap();
        // It never waits longer than this, and is forgotten in time.
        for second in 1..400 {
            let waits = attempts.begin("eve", peer(1), second * SECOND_NS);
            assert!(waits.is_ok() || waits.is_err_and(|wait_s| wait_s <= WAIT_OF_PLACE_S));
        }
        attempts.begin("ada", peer(1), 400 * SECOND_NS + MEMORY_NS).unwrap();
    }

    #[test]
    fn one_customer_with_many_addresses_is_one() {
        let v6 = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        let attempts = Attempts::default();
        for number in 0..FREE_OF_PLACE {
            fail(&attempts, "ada", v6(&format!("2001:db8:1:2::{number}")), 1, 0);
        }
        assert!(attempts.begin("ada", v6("2001:db8:1:2:ffff::1"), 0).is_err());
        attempts.begin("ada", v6("2001:db8:1:3::1"), 0).unwrap();
        fail(&attempts, "grace", v6("::ffff:192.0.2.7"), FREE_OF_PLACE, 0);
        assert!(attempts.begin("grace", peer(7), 0).is_err());
    }

    #[test]
    fn memory_is_bounded_and_keeps_what_matters() {
        let attempts = Attempts::default();
        fail(&attempts, "ada", None, FREE_OF_PLACE, 0);
        for number in 0..ENTRIES_MAX + 100 {
            attempts.begin(&format!("person-{number}"), None, 1).unwrap();
        }
        assert!(attempts.seen.lock().failures.len() <= ENTRIES_MAX);
        assert!(attempts.begin("ada", None, 2).is_err());
    }
}
