//! Durations as the contract carries them.

// Layer 1: Standard library imports
use std::time::Duration;

/// Whole milliseconds: rounded up, so that a short wait is not none at all, and at
/// most `u32::MAX`, which is 49 days.
pub(crate) fn to_millis(duration: Duration) -> u32 {
    let millis = duration.as_nanos().div_ceil(1_000_000);
    u32::try_from(millis).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_rounded_up_and_bounded() {
        assert_eq!(to_millis(Duration::ZERO), 0);
        assert_eq!(to_millis(Duration::from_micros(1)), 1);
        assert_eq!(to_millis(Duration::from_secs(2)), 2000);
        assert_eq!(to_millis(Duration::MAX), u32::MAX);
    }
}
