//! Log-scale histograms of durations that merge by addition.
//!
//! Bins per octave: 6, from 0.5 ms to 2²¹ × 0.5 ms (about 17 minutes), 126 bins.
//! A percentile is reported as the geometric middle of its bin, so within that
//! range it is off by at most 2^(1/12), which is 6 %.
//!
//! In the rollups three bins share one `HUGEINT` of 3 × 42 bits, so that a sum
//! over 42 columns adds 126 bins; a bin holds up to 4.4 × 10¹² calls per answer.
//! Retractions subtract; as each group's true counts are never negative, the
//! borrows between neighbouring bins cancel out in every sum that is read.

/// How many bins there are.
pub(crate) const BINS: usize = 126;
/// How many packed columns hold them.
pub(crate) const COLUMNS: usize = BINS / PER_COLUMN;
/// The relative error a percentile can have.
pub const PERCENTILE_ERROR: f64 = 0.06;

const PER_COLUMN: usize = 3;
const BITS: u32 = 42;
const FIRST_US: f64 = 500.0;
const PER_OCTAVE: f64 = 6.0;

/// Counts per bin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Histogram([u64; BINS]);

// === impl Histogram ===

impl Default for Histogram {
    fn default() -> Self {
        Self([0; BINS])
    }
}

impl Histogram {
    /// Adds calls to a bin; bins that do not exist are ignored.
    pub(crate) fn add(&mut self, bin: usize, count: u64) {
        if let Some(slot) = self.0.get_mut(bin) {
            *slot = slot.saturating_add(count);
        }
    }

    /// Adds the sum of one packed column.
    pub(crate) fn add_packed(&mut self, column: usize, packed: i128) {
        let mut rest = packed.unsigned_abs();
        for slot in 0..PER_COLUMN {
            let count = rest & ((1 << BITS) - 1);
            rest >>= BITS;
            self.add(column * PER_COLUMN + slot, u64::try_from(count).unwrap_or(u64::MAX));
        }
    }

    /// Adds all of another.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (bin, count) in other.0.iter().enumerate() {
            self.add(bin, *count);
        }
    }

    /// The value, in milliseconds, that this share of the calls stays within.
    pub(crate) fn percentile_ms(&self, share: f64) -> Option<f64> {
        let total: u64 = self.0.iter().sum();
        if total == 0 {
            return None;
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank within the number of calls"
        )]
        let rank = ((total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let bin = self.0.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        let octaves = (f64::from(u32::try_from(bin).ok()?) + 0.5) / PER_OCTAVE;
        Some(FIRST_US * octaves.exp2() / 1_000.0)
    }
}

/// SQL: the bin of a duration in a column, null where the column is null.
pub(crate) fn bin_sql(column: &str) -> String {
    let last = BINS - 1;
    format!(
        "CASE WHEN {column} IS NULL OR status = 'refused' THEN NULL ELSE \
         least({last}, greatest(0, floor({PER_OCTAVE:.1} * log2(greatest({column}, 1) / {FIRST_US:.1}))))::INTEGER END"
    )
}

/// SQL: what a call adds to its packed column.
pub(crate) fn weight_sql(bin: &str) -> String {
    let [first, second, third] = [0, BITS, 2 * BITS].map(|shift| 1_i128 << shift);
    format!(
        "CASE {bin} % {PER_COLUMN} WHEN 0 THEN {first}::HUGEINT WHEN 1 THEN {second}::HUGEINT ELSE {third}::HUGEINT END"
    )
}

/// SQL: the packed column a bin is in.
pub(crate) fn column_sql(bin: &str) -> String {
    format!("{bin} // {PER_COLUMN}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_columns_decode_to_their_bins() {
        let mut histogram = Histogram::default();
        histogram.add_packed(1, (7 << 84) + (5 << 42) + 3);
        assert_eq!(histogram.0[3..6], [3, 5, 7]);
    }

    #[test]
    fn percentiles_of_nothing_are_unknown() {
        assert_eq!(Histogram::default().percentile_ms(0.5), None);
    }

    #[test]
    fn a_percentile_is_within_the_stated_error() {
        for us in [500.0_f64, 777.0, 12_345.0, 900_000.0, 600_000_000.0] {
            let mut histogram = Histogram::default();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bin")]
            histogram.add((6.0 * (us / 500.0).log2()).floor() as usize, 1);
            let shown = histogram.percentile_ms(0.99).unwrap() * 1_000.0;
            assert!((shown / us - 1.0).abs() <= PERCENTILE_ERROR, "{us} shown as {shown}");
        }
    }
}
