//! Payment cards: an issuer's prefix, a length, Luhn's check digit.

use std::ops::Range;

use super::{
    numbers::{Group, Groups, digits, joined_by, passes_luhn, value},
    text::Text,
};

/// How cards are printed and typed.
const SHAPES: [&[usize]; 11] = [
    &[4, 4, 4, 4],
    &[4, 6, 5],
    &[4, 6, 4],
    &[4, 4, 4, 4, 3],
    &[4, 4, 5],
    &[4, 4, 4, 3],
    &[14],
    &[15],
    &[16],
    &[18],
    &[19],
];

pub(super) fn find(text: &Text<'_>, groups: &Groups) -> Option<Range<usize>> {
    let found = SHAPES.iter().find_map(|shape| {
        groups
            .shaped(text, shape)
            .filter(|groups| joined_by(groups, b" -.") && is_card(text, groups))
    })?;
    Some(found.first()?.start..found.last()?.end)
}

fn is_card(text: &Text<'_>, groups: &[Group]) -> bool {
    let digits = digits(text, groups);
    let is_varied = digits.windows(2).any(|pair| pair.first() != pair.last());
    is_varied && is_issued(&digits) && passes_luhn(&digits)
}

/// Whether an issuer has such numbers, in that length.
fn is_issued(digits: &[u32]) -> bool {
    let Some(first_four) = digits.get(..4).map(value) else { return false };
    let two = first_four / 100;
    match digits.len() {
        14 => matches!(two, 36 | 38 | 39) || (300..=305).contains(&(first_four / 10)),
        15 => matches!(two, 34 | 37),
        16 => {
            matches!(two, 40..=49 | 51..=55 | 62 | 65)
                || matches!(first_four, 2221..=2720 | 3528..=3589 | 6011 | 6440..=6499)
                || is_maestro(first_four)
        }
        18 | 19 => two == 62 || is_maestro(first_four),
        // Old and short ones, only as they are printed.
        13 => is_maestro(first_four),
        _ => false,
    }
}

fn is_maestro(first_four: u64) -> bool {
    matches!(first_four, 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761 | 6762 | 6763)
}
