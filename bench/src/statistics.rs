//! Medians, and how far values spread around them.

use serde::Serialize;

/// The median and the quartiles around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    /// None of no values.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |share| quantile(&sorted, share);
        Some(Self { low: at(0.25)?, median: at(0.5)?, high: at(0.75)? })
    }
}

/// The value below which that share of the sorted values lies, between two of them in proportion.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 values")]
    let position = share.clamp(0.0, 1.0) * last as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and `last`")]
    let below = position.floor() as usize;
    let low = sorted.get(below)?;
    let high = sorted.get(below + 1).unwrap_or(low);
    Some(low + (high - low) * position.fract())
}

/// What each round cost beyond the baseline's in the same round.
pub(crate) fn beyond(rounds: &[f64], baseline: &[f64]) -> Vec<f64> {
    rounds.iter().zip(baseline).map(|(one, other)| one - other).collect()
}

/// How many times as much as the other, round by round; rounds in which the other cost nothing are left out.
pub(crate) fn ratios(rounds: &[f64], others: &[f64]) -> Vec<f64> {
    let pairs = rounds.iter().zip(others).filter(|(_, other)| **other > 0.0);
    pairs.map(|(one, other)| one / other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_odd_number_is_the_middle_one() {
        let expected = Spread { low: 2.0, median: 3.0, high: 4.0 };
        assert_eq!(Spread::of(&[5.0, 1.0, 4.0, 2.0, 3.0]), Some(expected));
    }

    #[test]
    fn between_two_values_it_is_in_proportion() {
        let expected = Spread { low: 1.75, median: 2.5, high: 3.25 };
        assert_eq!(Spread::of(&[4.0, 3.0, 2.0, 1.0]), Some(expected));
        assert_eq!(Spread::of(&[7.0]), Some(Spread { low: 7.0, median: 7.0, high: 7.0 }));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn one_round_that_was_disturbed_does_not_move_the_median() {
        let quiet = Spread::of(&[10.0, 10.0, 11.0, 11.0, 12.0]).map(|spread| spread.median);
        let disturbed = Spread::of(&[10.0, 10.0, 11.0, 11.0, 12_000.0]).map(|spread| spread.median);
        assert_eq!(quiet, disturbed);
    }

    #[test]
    fn percentiles_reach_from_the_least_to_the_most() {
        let values: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(quantile(&values, 0.0), Some(0.0));
        assert_eq!(quantile(&values, 0.99), Some(99.0));
        assert_eq!(quantile(&values, 1.0), Some(100.0));
        assert_eq!(quantile(&values, 2.0), Some(100.0));
    }

    #[test]
    fn rounds_are_compared_with_the_same_round() {
        assert_eq!(beyond(&[30.0, 50.0], &[20.0, 45.0]), [10.0, 5.0]);
        assert_eq!(ratios(&[10.0, 5.0, 1.0], &[20.0, 10.0, 0.0]), [0.5, 0.5]);
    }
}
