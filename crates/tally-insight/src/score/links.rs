//! Who does something for whom, and whether that comes back.

use std::collections::{HashMap, HashSet};

/// Links from one person to another, by number.
#[derive(Debug, Default)]
pub(super) struct Links {
    out: HashMap<u32, HashSet<u32>>,
}

// === impl Links ===

impl Links {
    pub(super) fn add(&mut self, from: u32, to: u32) {
        if from != to {
            self.out.entry(from).or_default().insert(to);
        }
    }

    /// Whether one leads to another, directly or through a third: rings of more people are too much work to be a trick.
    pub(super) fn lead(&self, from: u32, to: u32) -> bool {
        let Some(next) = self.out.get(&from) else { return false };
        let goes_on = |third: &u32| self.out.get(third).is_some_and(|last| last.contains(&to));
        next.contains(&to) || next.iter().any(goes_on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_of_two_and_three_come_back() {
        let mut links = Links::default();
        for (from, to) in [(1, 2), (2, 3), (3, 1), (4, 4), (3, 5)] {
            links.add(from, to);
        }
        assert!(links.lead(1, 3) && links.lead(2, 1) && links.lead(1, 2));
        assert!(!links.lead(1, 5) && !links.lead(4, 4) && !links.lead(5, 1));
    }
}
