//! Dividing an amount without losing or making a picodollar.

/// Divides an amount by weights; what does not come out even goes, a picodollar each, to the
/// largest remainders, and among equals to the first. None where there is no weight at all.
///
/// Amount and weights are zero or more.
pub fn by_weight(amount: i128, weights: &[i128]) -> Option<Vec<i128>> {
    let total: i128 = weights.iter().sum();
    if total <= 0 {
        return None;
    }
    // Weights are sums of a month's picodollars and amounts those of a contract: their product
    // may pass 128 bits, so large weights are made smaller alike first.
    let shift = excess_bits(amount, total);
    let weights: Vec<i128> = weights.iter().map(|weight| weight >> shift).collect();
    let total: i128 = weights.iter().sum();
    if total <= 0 {
        return None;
    }
    let mut shares: Vec<i128> = weights.iter().map(|weight| amount * weight / total).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    let remainder = |index: &usize| weights.get(*index).map_or(0, |it| amount * it % total);
    order.sort_by_key(|index| (std::cmp::Reverse(remainder(index)), *index));
    let left = amount - shares.iter().sum::<i128>();
    for index in order.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        if let Some(share) = shares.get_mut(index) {
            *share += 1;
        }
    }
    Some(shares)
}

/// By how many bits weights are too large to be multiplied with the amount.
fn excess_bits(amount: i128, total: i128) -> u32 {
    const BITS_MAX: u32 = 126;
    let bits = |number: i128| 128 - number.leading_zeros();
    (bits(amount) + bits(total)).saturating_sub(BITS_MAX)
}

/// Divides an amount evenly; the first ones get a picodollar more.
pub fn evenly(amount: i128, count: usize) -> Option<Vec<i128>> {
    by_weight(amount, &vec![1; count])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_does_not_come_out_even_goes_to_the_largest_remainders() {
        assert_eq!(evenly(10, 3), Some(vec![4, 3, 3]));
        assert_eq!(by_weight(10, &[1, 1, 2]), Some(vec![3, 2, 5]));
        assert_eq!(by_weight(7, &[0, 3, 0]), Some(vec![0, 7, 0]));
        assert_eq!(by_weight(7, &[0, 0]), None);
        assert_eq!(evenly(7, 0), None);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_made(
            amount in 0..i128::from(i64::MAX),
            weights in proptest::collection::vec(0..(1_i128 << 80), 1..50),
        ) {
            if let Some(shares) = by_weight(amount, &weights) {
                prop_assert_eq!(shares.iter().sum::<i128>(), amount);
                prop_assert!(shares.iter().all(|share| *share >= 0));
            }
        }
    }
}
