//! Names that tell nobody who is meant: made up by Tally, others each season.

use sha2::{Digest as _, Sha256};
use tally_store::{Snapshot, is_taken};
use tally_types::PersonName;

const COLOURS: [&str; 32] = [
    "Amber", "Azure", "Brisk", "Bronze", "Calm", "Candid", "Cedar", "Clever", "Coral", "Crimson",
    "Dapper", "Deft", "Ember", "Frosty", "Gentle", "Golden", "Humble", "Indigo", "Ivory", "Jolly",
    "Keen", "Lively", "Mellow", "Misty", "Nimble", "Olive", "Plucky", "Quiet", "Silver", "Sunny",
    "Teal", "Witty",
];
const ANIMALS: [&str; 32] = [
    "Badger", "Beaver", "Bison", "Crane", "Curlew", "Dolphin", "Falcon", "Ferret", "Finch", "Fox",
    "Gecko", "Hare", "Hawk", "Heron", "Ibis", "Jackdaw", "Kestrel", "Lark", "Lemur", "Lynx",
    "Marten", "Newt", "Ocelot", "Osprey", "Otter", "Petrel", "Puffin", "Raven", "Robin", "Stoat",
    "Tern", "Wren",
];
const PROPOSALS: usize = 5;
/// So many are tried for them.
const TRIES_MAX: u32 = 200;

/// Makes pseudonyms of a secret: without it nobody can tell whose one is.
#[derive(Clone)]
pub(crate) struct Pseudonyms {
    secret: [u8; 32],
}

// === impl Pseudonyms ===

impl Pseudonyms {
    pub(crate) const fn new(secret: [u8; 32]) -> Self {
        Self { secret }
    }

    fn digest(&self, what: &str, season: &str, person: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.secret);
        for part in [what, season, person] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hash.finalize().into()
    }

    /// An id of a row of a season; that of the next season is another one.
    pub(crate) fn id(&self, season: &str, person: &PersonName) -> String {
        let digest = self.digest("row", season, person.as_str());
        hex::encode(digest.first_chunk::<8>().unwrap_or(&[0; 8]))
    }

    /// How a person appears in a season who chose no pseudonym of their own.
    pub(crate) fn made_up(&self, season: &str, person: &PersonName) -> String {
        words(&self.digest("name", season, person.as_str()), 10_000)
    }

    /// Pseudonyms that are free.
    pub(crate) fn proposals(&self, snapshot: &Snapshot, person: &PersonName) -> Vec<String> {
        (0..TRIES_MAX)
            .map(|try_| words(&self.digest("proposal", &try_.to_string(), person.as_str()), 100))
            .filter(|proposal| !is_taken(snapshot, proposal, person))
            .take(PROPOSALS)
            .collect()
    }
}

/// `Amber Heron 42`
fn words(digest: &[u8; 32], numbers: u32) -> String {
    let number = |at: usize| {
        let bytes = digest.iter().skip(at * 4).take(4);
        bytes.fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte))
    };
    let pick = |from: &[&'static str; 32], at: usize| {
        from.get(usize::try_from(number(at) % 32).unwrap_or(0)).copied().unwrap_or("Quiet")
    };
    format!("{} {} {}", pick(&COLOURS, 0), pick(&ANIMALS, 1), number(2) % numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_pseudonym_lasts_a_season_and_tells_nothing_without_the_secret() {
        let (one, other) = (Pseudonyms::new([1; 32]), Pseudonyms::new([2; 32]));
        let ada: PersonName = "ada".parse().unwrap();
        let november = one.made_up("2026-11", &ada);
        assert_eq!(november, one.made_up("2026-11", &ada));
        assert_ne!(november, one.made_up("2026-12", &ada));
        assert_ne!(november, other.made_up("2026-11", &ada));
        assert_ne!(one.id("2026-11", &ada), one.id("2026-12", &ada));
        assert_eq!(one.proposals(&Snapshot::default(), &ada).len(), 5);
    }
}
