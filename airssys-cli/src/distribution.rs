//! How a figure is spread over many turns.

// Layer 2: Third-party crate imports
use serde::Serialize;

/// The least, some percentiles and the most of some figures, by nearest rank: each is
/// one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Distribution {
    pub(crate) min: u64,
    pub(crate) p50: u64,
    pub(crate) p90: u64,
    pub(crate) p99: u64,
    pub(crate) max: u64,
}

impl Distribution {
    /// The distribution of `figures`, if there are any.
    pub(crate) fn of(mut figures: Vec<u64>) -> Option<Self> {
        figures.sort_unstable();
        Some(Self {
            min: *figures.first()?,
            p50: percentile(&figures, 50)?,
            p90: percentile(&figures, 90)?,
            p99: percentile(&figures, 99)?,
            max: *figures.last()?,
        })
    }

    /// The five, in order.
    pub(crate) fn values(self) -> [u64; 5] {
        [self.min, self.p50, self.p90, self.p99, self.max]
    }
}

/// The smallest of the sorted figures that at least `percent` of them do not exceed.
fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let hundred = Distribution::of((1..=100).rev().collect()).unwrap();
        assert_eq!(hundred.values(), [1, 50, 90, 99, 100]);
        let five = Distribution::of(vec![15, 20, 35, 40, 50]).unwrap();
        assert_eq!(five.values(), [15, 35, 50, 50, 50]);
        let thousand = Distribution::of((0..1_000).collect()).unwrap();
        assert_eq!(thousand.values(), [0, 499, 899, 989, 999]);
    }

    #[test]
    fn one_is_all_of_them_and_none_is_none() {
        assert_eq!(Distribution::of(vec![7]).unwrap().values(), [7; 5]);
        assert_eq!(Distribution::of(vec![]), None);
    }
}
