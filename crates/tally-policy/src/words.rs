//! Words for people who wrote something that does not exist.

/// Words longer than this are data, not typing mistakes.
const WORD_BYTES_MAX: usize = 64;

/// `; did you mean …?`, or else what there is.
pub(crate) fn or_meant(word: &str, known: &[&str]) -> String {
    let allowed = (word.chars().count() / 3).clamp(1, 4);
    let near = known
        .iter()
        .filter(|_| word.len() <= WORD_BYTES_MAX)
        .map(|known| (strsim::damerau_levenshtein(word, known), known))
        .filter(|(distance, _)| *distance <= allowed)
        .min();
    match near {
        Some((_, near)) => format!("; did you mean `{near}`?"),
        None => format!("; there is {}", one_of(known)),
    }
}

/// Words in a row.
pub(crate) fn one_of(words: &[&str]) -> String {
    let all: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    all.join(", ")
}
