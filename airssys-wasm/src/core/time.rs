//! The time of day as numbers.

// Layer 1: Standard library imports
use std::time::{SystemTime, UNIX_EPOCH};

/// A moment in milliseconds since the Unix epoch. One before 1970 is told as 1970.
pub fn unix_ms(moment: SystemTime) -> u64 {
    let since_epoch = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn it_begins_in_1970() {
        let second = Duration::from_secs(1);
        assert_eq!(unix_ms(UNIX_EPOCH + second), 1_000);
        assert_eq!(unix_ms(UNIX_EPOCH - second), 0);
    }
}
