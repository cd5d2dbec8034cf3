//! Sums over rollups, kept for the next time they are asked for: a dashboard asks
//! the same every few seconds, while of all it shows only today changes.
//!
//! Each rollup has a version in the file, raised in the transaction that changes its
//! rows. It is read in the transaction of the query, so what is found here is exactly
//! what the query would read.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;

use super::accumulate::Key;

/// More numbers than this are not kept: 16 bytes each, besides their keys.
const NUMBERS_MAX: usize = 1 << 21;
/// One answer with more numbers than this is not kept.
const ANSWER_MAX: usize = NUMBERS_MAX / 16;

/// What was asked, of which version of which rollup.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Asked {
    pub(crate) table: &'static str,
    pub(crate) version: i64,
    pub(crate) sql: String,
    pub(crate) parameters: Vec<String>,
}

/// Keys and numbers, as SQL answered.
pub(crate) type Answer = Vec<(Key, Vec<i128>)>;

/// The latest answers.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<Arc<Asked>, Arc<Answer>>,
    oldest_first: VecDeque<Arc<Asked>>,
    numbers: usize,
}

// === impl Cache ===

impl Cache {
    /// The answer of before.
    pub(crate) fn get(&self, asked: &Asked) -> Option<Arc<Answer>> {
        self.0.lock().answers.get(asked).cloned()
    }

    /// Keeps an answer, in place of the oldest ones when there are too many.
    pub(crate) fn put(&self, asked: Asked, answer: Arc<Answer>) {
        let size = size(&answer);
        if size > ANSWER_MAX {
            return;
        }
        let mut kept = self.0.lock();
        let asked = Arc::new(asked);
        if kept.answers.insert(Arc::clone(&asked), answer).is_some() {
            // Another query was as quick.
            return;
        }
        kept.oldest_first.push_back(asked);
        kept.numbers += size;
        while kept.numbers > NUMBERS_MAX {
            let Some(oldest) = kept.oldest_first.pop_front() else { break };
            if let Some(gone) = kept.answers.remove(&oldest) {
                kept.numbers = kept.numbers.saturating_sub(self::size(&gone));
            }
        }
    }
}

/// How many numbers an answer is counted as: its own, and some for its keys.
fn size(answer: &Answer) -> usize {
    let each = answer.iter().map(|(key, values)| values.len() + 8 * key.dimensions.len());
    64 + each.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(version: i64) -> Asked {
        Asked { table: "t", version, sql: String::new(), parameters: Vec::new() }
    }

    #[test]
    fn only_the_same_version_is_found_again() {
        let cache = Cache::default();
        cache.put(asked(1), Arc::new(vec![(Key::default(), vec![7])]));
        assert_eq!(cache.get(&asked(1)).unwrap()[0].1, [7]);
        assert!(cache.get(&asked(2)).is_none());
    }

    #[test]
    fn the_oldest_answers_make_room() {
        let cache = Cache::default();
        for version in 0..100 {
            cache.put(asked(version), Arc::new(vec![(Key::default(), vec![0; ANSWER_MAX / 2])]));
        }
        assert!(cache.get(&asked(99)).is_some() && cache.get(&asked(0)).is_none());
        let kept = cache.0.lock();
        assert!(kept.numbers <= NUMBERS_MAX && kept.answers.len() == kept.oldest_first.len());
        drop(kept);
        cache.put(asked(200), Arc::new(vec![(Key::default(), vec![0; ANSWER_MAX + 1])]));
        assert!(cache.get(&asked(200)).is_none());
    }
}
