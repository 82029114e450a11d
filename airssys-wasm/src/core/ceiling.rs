//! What whoever runs a system lets its components have.

// Layer 3: Internal module imports
use crate::core::limits::{Ceiling, Limit, LimitExceeded, Limits};

const GIB: u64 = 1 << 30;

/// What is kept in memory, where the default is meant for a disk.
const KEPT_IN_MEMORY: [(Limit, u64); 2] = [
    (Limit::TotalStorageBytes, GIB),
    (Limit::TotalStorageKeys, 1_000_000),
];

impl Limits {
    /// Lowers to what fits a memory what a component that is not durable leaves at its default,
    /// or what the ceiling has made of that.
    pub fn lower_to_memory(&mut self, ceiling: &Ceiling) {
        let mut default = Self::default();
        ceiling.lower(&mut default);
        for (limit, most) in KEPT_IN_MEMORY {
            if self.get(limit) == default.get(limit)
                && let Some(value) = self.get_mut(limit)
            {
                *value = most.min(*value);
            }
        }
    }
}

impl Ceiling {
    /// Refuses limits that are above the ceiling, unless they are what they are by default.
    ///
    /// # Errors
    ///
    /// With the first of them.
    pub fn check(&self, limits: &Limits) -> Result<(), LimitExceeded> {
        let default = Limits::default();
        let mut asked = Limit::CONFIGURABLE
            .iter()
            .filter(|limit| limits.get(**limit) != default.get(**limit));
        asked.try_for_each(|limit| {
            let observed = limits.get(*limit).unwrap_or_default();
            let allowed = self.get(*limit).unwrap_or(u64::MAX);
            LimitExceeded::check(*limit, allowed, observed)
        })
    }

    /// Lowers to the ceiling what is above it.
    pub fn lower(&self, limits: &mut Limits) {
        for limit in Limit::CONFIGURABLE {
            if let (Some(most), Some(value)) = (self.get(*limit), limits.get_mut(*limit)) {
                *value = most.min(*value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::limits::MAX_MAILBOX;

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_ceiling_lowers_defaults_and_refuses_who_asks_for_more() {
        let ceiling = Ceiling {
            mailbox: Some(100),
            timers: Some(1_000_000),
            ..Ceiling::default()
        };
        let asking = |mailbox| Limits {
            mailbox,
            ..Limits::default()
        };
        let exceeded = ceiling.check(&asking(101)).unwrap_err();
        assert_eq!(exceeded, LimitExceeded::beyond(Limit::Mailbox, 100));
        for (asked, given) in [(1_024, 100), (100, 100), (99, 99)] {
            let mut limits = asking(asked);
            assert_eq!(ceiling.check(&limits), Ok(()));
            ceiling.lower(&mut limits);
            assert_eq!(limits, asking(given), "nothing is raised");
        }
        assert_eq!(Ceiling::default().check(&asking(MAX_MAILBOX)), Ok(()));
    }

    #[test]
    fn what_is_kept_in_memory_is_less_unless_more_was_asked_for() {
        let kept = |asked: Option<u64>, ceiling: Option<u64>| {
            let mut limits = Limits::default();
            limits.total_storage_bytes = asked.unwrap_or(limits.total_storage_bytes);
            let ceiling = Ceiling {
                total_storage_bytes: ceiling,
                ..Ceiling::default()
            };
            ceiling.lower(&mut limits);
            limits.lower_to_memory(&ceiling);
            (limits.total_storage_bytes, limits.total_storage_keys)
        };
        for (asked, ceiling, bytes) in [
            (None, None, GIB),
            (None, Some(10 * GIB), GIB),
            (None, Some(MIB), MIB),
            (Some(2 * GIB), None, 2 * GIB),
            (Some(2 * GIB), Some(10 * GIB), 2 * GIB),
            (Some(5), None, 5),
        ] {
            assert_eq!(kept(asked, ceiling), (bytes, 1_000_000));
        }
    }
}
