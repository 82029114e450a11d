//! The time of day as numbers.

// Layer 1: Standard library imports
use std::time::{SystemTime, UNIX_EPOCH};

/// One reading of a system's clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since the clock began. Never goes backwards.
    pub clock_ms: u64,
    /// Milliseconds since the Unix epoch.
    pub unix_ms: u64,
}

impl Moment {
    /// What the clock shows at a time, or now if that has passed.
    pub fn clock_ms_at(self, unix_ms: u64) -> u64 {
        let ahead_ms = unix_ms.saturating_sub(self.unix_ms);
        self.clock_ms.saturating_add(ahead_ms)
    }
}

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
