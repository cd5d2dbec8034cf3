//! Deterministic randomness: everything a reply contains is drawn from a
//! [`Draw`], which is a pure function of the seed, the request's content and how
//! often the credential has sent that content before.

use sha2::{Digest, Sha256};

/// A digest of a request's canonical content.
pub(crate) type ContentHash = [u8; 16];

/// A small generator (SplitMix64): fast, and the same on every platform.
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0..bound`; 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next_u64() % bound }
    }

    /// A number in `low..=high`; `low` when the range is empty.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// True in `numerator` of `denominator` cases.
    pub(crate) fn chance(&mut self, numerator: u64, denominator: u64) -> bool {
        self.below(denominator) < numerator
    }

    /// A number in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        let high_bits = u32::try_from(self.next_u64() >> 32).unwrap_or(0);
        f64::from(high_bits) / (f64::from(u32::MAX) + 1.0)
    }

    /// One element of `items`, or `None` when there is none.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let bound = u64::try_from(items.len()).ok()?;
        items.get(usize::try_from(self.below(bound)).ok()?)
    }

    /// `len` letters and digits, as providers use in their ids.
    pub(crate) fn base62(&mut self, len: usize) -> String {
        const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        (0..len).filter_map(|_| self.pick(ALPHABET)).map(|byte| char::from(*byte)).collect()
    }
}

/// What decides a reply. Independent parts of the reply use separate
/// [`streams`](Draw::stream), so that asking for one never shifts another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw {
    base: u64,
    salt: u64,
}

/// The independent random streams of a reply.
#[derive(Debug, Clone, Copy)]
#[repr(u64)]
pub(crate) enum Stream {
    Ids = 1,
    RequestId,
    Created,
    Fault,
    Shape,
    Text,
    Chunks,
    Cut,
    Tools,
    Jitter,
    Searches,
}

impl Draw {
    pub(crate) fn new(seed: u64, content: &ContentHash, occurrence: u64) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(seed.to_le_bytes());
        hasher.update(content);
        hasher.update(occurrence.to_le_bytes());
        let digest: [u8; 32] = hasher.finalize().into();
        Self { base: word(&digest, 0), salt: word(&digest, 8) }
    }

    /// A fresh generator for one part of the reply.
    pub(crate) fn stream(self, stream: Stream) -> Rng {
        let mut rng = Rng::new(self.base ^ (stream as u64).wrapping_mul(0xA24B_AED4_963E_E407));
        let offset = rng.next_u64();
        Rng::new(offset ^ self.salt)
    }
}

/// The eight bytes at `offset` as a number; missing bytes count as zero.
pub(crate) fn word(bytes: &[u8], offset: usize) -> u64 {
    bytes.iter().skip(offset).take(8).fold(0, |value, byte| (value << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_stable_and_independent() {
        let draw = Draw::new(7, &[1; 16], 0);
        let again = Draw::new(7, &[1; 16], 0);
        assert_eq!(draw.stream(Stream::Ids).base62(24), again.stream(Stream::Ids).base62(24));
        assert_ne!(draw.stream(Stream::Ids).base62(24), draw.stream(Stream::Text).base62(24));
        let next = Draw::new(7, &[1; 16], 1);
        assert_ne!(draw.stream(Stream::Ids).base62(24), next.stream(Stream::Ids).base62(24));
    }

    #[test]
    fn ranges_hold_at_their_edges() {
        let mut rng = Rng::new(1);
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.between(5, 5), 5);
        assert_eq!(rng.between(9, 3), 9);
        assert!(rng.pick::<u8>(&[]).is_none());
        for _ in 0..1_000 {
            assert!((0.0..1.0).contains(&rng.unit()));
            assert!((2..=4).contains(&rng.between(2, 4)));
        }
    }
}
