//! Numbers in groups: `4111 1111 1111 1111`, `85.07.30-033.28`, `123456789`.

use super::text::{Text, separator};

/// Shorter numbers are nothing that is looked for.
const DIGITS_MIN: usize = 7;
/// No known number has more groups.
const GROUPS_MAX: usize = 10;

/// Digits that stand together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
    /// What stands between it and the next one; 0 for nothing that joins.
    pub(super) joint: u8,
}

/// Groups of digits that are joined by one separator each, from one of them on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Groups {
    groups: [Group; GROUPS_MAX],
    count: usize,
}

// === impl Groups ===

impl Groups {
    /// Reads on from a digit.
    pub(super) fn read(text: &Text<'_>, from: usize) -> Self {
        let mut read = Self { groups: [Group::default(); GROUPS_MAX], count: 0 };
        let mut at = from;
        for place in &mut read.groups {
            let end = end_of_digits(text, at);
            *place = Group { start: at, end, joint: 0 };
            read.count += 1;
            let Some((joint, length)) = text.bytes.get(end..).and_then(separator) else { break };
            if !text.at(end + length).is_ascii_digit() {
                break;
            }
            place.joint = joint;
            at = end + length;
        }
        read
    }

    /// Whether there are too few digits for anything that is looked for: no address, no
    /// brackets of a telephone number, no letters beside it.
    pub(super) fn is_short(&self, text: &Text<'_>) -> bool {
        let groups = self.groups.get(..self.count).unwrap_or_default();
        let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return true };
        let before = text.before(first.start);
        let letter = if before == b' ' { text.at(first.start.wrapping_sub(2)) } else { before };
        let has_letters = letter.is_ascii_alphabetic();
        let is_bracketed = matches!(before, b'+' | b'(') || bracket_follows(text, last.end);
        self.digits() < DIGITS_MIN && first.joint != b'.' && !has_letters && !is_bracketed
    }

    /// How many digits the groups have.
    pub(super) fn digits(&self) -> usize {
        self.groups.iter().take(self.count).map(|group| group.end - group.start).sum()
    }

    pub(super) fn first(&self) -> Group {
        self.groups.first().copied().unwrap_or_default()
    }

    /// The groups of a shape, such as `[4, 4, 4, 4]`, if that is how the number begins and
    /// nothing of it goes on behind.
    pub(super) fn shaped(&self, text: &Text<'_>, shape: &[usize]) -> Option<&[Group]> {
        let groups = self.groups.get(..shape.len()).filter(|_| shape.len() <= self.count)?;
        let fits =
            groups.iter().zip(shape).all(|(group, length)| group.end - group.start == *length);
        (fits && is_whole(text, groups)).then_some(groups)
    }
}

fn bracket_follows(text: &Text<'_>, end: usize) -> bool {
    matches!(text.at(end), b'(' | b')') || text.at(end) == b' ' && text.at(end + 1) == b'('
}

/// Whether no digits are joined to the groups on either side, and no letters.
fn is_whole(text: &Text<'_>, groups: &[Group]) -> bool {
    let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return false };
    let goes_on = matches!(last.joint, b'-' | b'.' | b'/');
    let before = text.before(first.start);
    let is_joined = matches!(before, b'-' | b'.' | b'/' | b',')
        && text.at(first.start.wrapping_sub(2)).is_ascii_alphanumeric();
    let is_path = before == b'/' && last.joint == b'/';
    text.starts_at(first.start) && text.ends_at(last.end) && !goes_on && !is_joined && !is_path
}

/// Whether all groups are joined alike, by one of these.
pub(super) fn joined_by(groups: &[Group], joints: &[u8]) -> bool {
    let mut inner = groups.iter().take(groups.len().saturating_sub(1)).map(|group| group.joint);
    let Some(first) = inner.next() else { return true };
    joints.contains(&first) && inner.all(|joint| joint == first)
}

/// The digits of the groups, as numbers.
pub(super) fn digits(text: &Text<'_>, groups: &[Group]) -> Vec<u32> {
    let bytes =
        groups.iter().flat_map(|group| text.bytes.get(group.start..group.end).unwrap_or_default());
    bytes.map(|byte| u32::from(byte.wrapping_sub(b'0'))).collect()
}

pub(super) fn end_of_digits(text: &Text<'_>, from: usize) -> usize {
    let rest = text.bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
}

/// The digits read as one decimal number; at most 19 of them.
pub(super) fn value(digits: &[u32]) -> u64 {
    digits.iter().fold(0, |sum, digit| sum.wrapping_mul(10).wrapping_add(u64::from(*digit)))
}

/// The check digit of cards and of several countries' numbers.
pub(super) fn passes_luhn(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| if index % 2 == 1 { doubled(*digit) } else { *digit })
        .sum();
    sum.is_multiple_of(10)
}

/// The sum of digits, each times its weight.
pub(super) fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}
