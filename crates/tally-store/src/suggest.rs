//! "Did you mean": the closest of the words that would have been right.

/// Longer words are data, not typing mistakes; comparing them costs quadratic time.
const WORD_BYTES_MAX: usize = 64;

/// The candidate that `word` is probably meant to be; none when all are far off.
pub(crate) fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    if word.is_empty() || word.len() > WORD_BYTES_MAX {
        return None;
    }
    let plain = |text: &str| text.to_ascii_lowercase().replace('-', "_");
    let wanted = plain(word);
    let allowed = (wanted.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= WORD_BYTES_MAX * 2)
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_likely_words_are_suggested() {
        let words = ["at", "notify", "approval"];
        assert_eq!(closest("att", words).as_deref(), Some("at"));
        assert_eq!(closest("aproval", words).as_deref(), Some("approval"));
        assert_eq!(closest("Notify", words).as_deref(), Some("notify"));
        assert_eq!(closest("colour", words), None);
        assert_eq!(closest("", words), None);
        assert_eq!(closest(&"a".repeat(100_000), words), None);
    }
}
