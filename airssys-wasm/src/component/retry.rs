//! When a message that failed is tried again.

// Layer 1: Standard library imports
use std::time::Duration;

// Layer 2: Third-party crate imports
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::component::settings::MAX_WINDOW_MS;

/// The most attempts at one message.
pub const MAX_ATTEMPTS: u32 = 100;

/// How often a message is tried, and how long its actor pauses in between.
///
/// The pause before attempt *n* + 1 is `first_ms` · `factor`^(*n* − 1), at most `max_ms`,
/// and then up to `jitter` of it more or less, so that actors which failed together do
/// not come back together. While an actor pauses, the messages behind wait: their order
/// is a promise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryPolicy {
    /// How often a message is tried in all; then it is a dead letter. From 1 to 100,
    /// default 3.
    #[schemars(range(min = 1, max = MAX_ATTEMPTS))]
    pub attempts: u32,
    /// The first pause, in milliseconds. At most `max_ms`, default 50.
    #[schemars(range(max = MAX_WINDOW_MS))]
    pub first_ms: u64,
    /// What each pause is multiplied with. From 1 to 10, default 2.
    #[schemars(range(min = 1, max = 10))]
    pub factor: f64,
    /// The longest pause, in milliseconds. At most 86 400 000 (a day), default 5 000.
    #[schemars(range(max = MAX_WINDOW_MS))]
    pub max_ms: u64,
    /// Which part of a pause is left to chance. From 0 to 1, default 0.2.
    #[schemars(range(min = 0, max = 1))]
    pub jitter: f64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            first_ms: 50,
            factor: 2.0,
            max_ms: 5_000,
            jitter: 0.2,
        }
    }
}

impl RetryPolicy {
    /// The pause after `attempts` failed attempts, or none if there is to be no other.
    /// `chance` is a random number from 0 to 1.
    pub fn pause_after(&self, attempts: u32, chance: f64) -> Option<Duration> {
        if attempts >= self.attempts {
            return None;
        }
        let grown = self.first_ms as f64 * self.factor.powi(attempts.saturating_sub(1) as i32);
        let bounded = grown.min(self.max_ms as f64);
        let swing = self.jitter * (2.0 * chance - 1.0);
        let pause_ms = (bounded * (1.0 + swing)).clamp(0.0, self.max_ms as f64);
        Some(Duration::from_micros((pause_ms * 1_000.0) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pauses_grow_to_a_bound_and_end() {
        let policy = RetryPolicy {
            attempts: 5,
            first_ms: 100,
            factor: 3.0,
            max_ms: 500,
            jitter: 0.0,
        };
        let pauses: Vec<_> = (1..=5).map(|n| policy.pause_after(n, 0.5)).collect();
        let ms = |ms| Some(Duration::from_millis(ms));
        assert_eq!(pauses, [ms(100), ms(300), ms(500), ms(500), None]);
    }

    proptest! {
        #[test]
        fn no_pause_is_longer_than_allowed(
            attempts in 1_u32..100, tried in 0_u32..200, first_ms in 0_u64..100_000,
            factor in 1.0_f64..10.0, max_ms in 0_u64..100_000, jitter in 0.0_f64..1.0,
            chance in 0.0_f64..1.0,
        ) {
            let policy = RetryPolicy { attempts, first_ms, factor, max_ms, jitter };
            match policy.pause_after(tried, chance) {
                Some(pause) => {
                    prop_assert!(tried < attempts);
                    prop_assert!(pause <= Duration::from_millis(max_ms));
                }
                None => prop_assert!(tried >= attempts),
            }
        }
    }
}
