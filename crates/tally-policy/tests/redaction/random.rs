//! Numbers that look random and are the same every time.

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.between(1, 100) <= percent
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.between(0, from.len() as u64 - 1) as usize]
    }

    /// So many characters of an alphabet.
    pub(crate) fn of(&mut self, alphabet: &str, count: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..count).map(|_| letters[self.between(0, letters.len() as u64 - 1) as usize]).collect()
    }

    pub(crate) fn digits(&mut self, count: usize) -> String {
        self.of("0123456789", count)
    }

    pub(crate) fn hex(&mut self, count: usize) -> String {
        self.of("0123456789abcdef", count)
    }

    pub(crate) fn base62(&mut self, count: usize) -> String {
        self.of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", count)
    }

    pub(crate) fn uuid(&mut self) -> String {
        [8, 4, 4, 4, 12].map(|count| self.hex(count)).join("-")
    }

    /// A mask: `#` is a digit, `N` one other than 0, `@` a letter, everything else itself.
    pub(crate) fn mask(&mut self, mask: &str) -> String {
        mask.chars()
            .map(|character| match character {
                '#' => self.digits(1),
                'N' => self.of("123456789", 1),
                '@' => self.of("ABCDEFGHJKLMNPRSTUVWXYZ", 1),
                other => other.to_string(),
            })
            .collect()
    }
}
