//! Country codes of telephone numbers.

/// Codes of two digits, in the order of their first digit; every other code that begins
/// with 2 to 9 has three digits.
const TWO_DIGITS: [u32; 44] = [
    20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56,
    57, 58, 60, 61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
];
/// Beginnings of codes of three digits.
const THREE_DIGITS: [u32; 22] =
    [21, 22, 23, 24, 25, 26, 28, 29, 35, 37, 38, 42, 50, 59, 67, 68, 69, 80, 85, 87, 88, 96];
const THREE_DIGITS_MORE: [u32; 3] = [97, 99, 83];

/// How many digits the country code takes, if a number begins with one.
pub(super) fn code_length(digits: &[u32]) -> Option<usize> {
    let [first, second, ..] = digits else { return None };
    let two = first * 10 + second;
    match first {
        1 | 7 => Some(1),
        _ if TWO_DIGITS.contains(&two) => Some(2),
        _ if THREE_DIGITS.contains(&two) || THREE_DIGITS_MORE.contains(&two) => Some(3),
        _ => None,
    }
}

/// Whether ten digits can be a number of North America.
pub(super) fn is_nanp(digits: &[u32]) -> bool {
    match digits {
        [area, a, b, exchange, c, d, _, _, _, _] => {
            *area >= 2 && *exchange >= 2 && !(*a == 1 && *b == 1) && !(*c == 1 && *d == 1)
        }
        _ => false,
    }
}
