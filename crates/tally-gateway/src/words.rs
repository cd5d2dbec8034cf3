//! How many words a text has, as tokenizers cut it before they look any closer: a run of
//! letters with the space before it, up to three digits, a run of marks, of line ends, of
//! spaces; ideographs one by one.

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Ideograph,
    Digit,
    Space,
    LineEnd,
    Mark,
}

const DIGITS_MAX: u32 = 3;

/// Words of a text.
pub(crate) fn words(text: &str) -> u64 {
    let mut count = 0;
    let mut run = 0;
    let mut last = None;
    for character in text.chars() {
        let class = class_of(character);
        let joins = last == Some(class)
            && class != Class::Ideograph
            && !(class == Class::Digit && run >= DIGITS_MAX);
        // A single space belongs to the word after it.
        let takes_space = last == Some(Class::Space) && run == 1 && class != Class::LineEnd;
        if joins {
            run += 1;
        } else {
            count += u64::from(!takes_space);
            run = 1;
        }
        last = Some(class);
    }
    count
}

fn class_of(character: char) -> Class {
    match character {
        'a'..='z' | 'A'..='Z' => Class::Letter,
        '0'..='9' => Class::Digit,
        '\n' | '\r' => Class::LineEnd,
        ' ' | '\t' => Class::Space,
        _ if character.is_ascii() => Class::Mark,
        '\u{2E80}'.. => Class::Ideograph,
        _ if character.is_alphabetic() => Class::Letter,
        _ if character.is_whitespace() => Class::Space,
        _ => Class::Mark,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_many_kinds() {
        for (text, expected) in [
            ("", 0),
            ("tokens", 1),
            (" the budget of", 3),
            ("call, and usage.", 5),
            ("1234567", 3),
            ("let x = foo(1);\n    y", 10),
            ("予算は", 3),
            ("Größere Aufträge", 2),
        ] {
            assert_eq!(words(text), expected, "{text:?}");
        }
    }
}
