//! How much a component's actors keep.

// Layer 1: Standard library imports
use std::sync::atomic::{AtomicI64, Ordering};

// Layer 3: Internal module imports
use crate::core::limits::{Limit, Limits};
use crate::core::storage::commit::Growth;
use crate::core::turn::errors::HostError;

/// The bytes and keys that all actors of a component keep together.
#[derive(Debug, Default)]
pub struct Usage {
    bytes: AtomicI64,
    keys: AtomicI64,
}

impl Usage {
    /// Takes over what a store has counted.
    pub fn of(total: Growth) -> Self {
        Self {
            bytes: AtomicI64::new(total.bytes),
            keys: AtomicI64::new(total.keys),
        }
    }

    /// A turn was committed.
    #[inline]
    pub fn add(&self, growth: Growth) {
        if growth != Growth::default() {
            self.bytes.fetch_add(growth.bytes, Ordering::Relaxed);
            self.keys.fetch_add(growth.keys, Ordering::Relaxed);
        }
    }

    /// Whether a component may keep so much more.
    ///
    /// # Errors
    ///
    /// With the quota that would be exceeded.
    #[inline]
    pub fn admit(&self, limits: &Limits, growth: Growth) -> Result<(), HostError> {
        let bytes = self.bytes().saturating_add_signed(growth.bytes);
        HostError::check_quota(Limit::TotalStorageBytes, limits.total_storage_bytes, bytes)?;
        let keys = self.keys().saturating_add_signed(growth.keys);
        HostError::check_quota(Limit::TotalStorageKeys, limits.total_storage_keys, keys)
    }

    /// Bytes of keys and values.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed).max(0) as u64
    }

    /// Keys.
    pub fn keys(&self) -> u64 {
        self.keys.load(Ordering::Relaxed).max(0) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::limits::LimitExceeded;

    #[test]
    fn all_actors_together_keep_so_much() {
        let limits = Limits {
            total_storage_bytes: 10,
            total_storage_keys: 3,
            ..Limits::default()
        };
        let grow = |bytes, keys| Growth { bytes, keys };
        let usage = Usage::of(grow(6, 2));
        assert_eq!(usage.admit(&limits, grow(4, 1)), Ok(()));
        for (growth, limit, allowed) in [
            (grow(5, 0), Limit::TotalStorageBytes, 10),
            (grow(0, 2), Limit::TotalStorageKeys, 3),
        ] {
            let exceeded = LimitExceeded::beyond(limit, allowed);
            let refused = Err(HostError::QuotaExceeded(exceeded));
            assert_eq!(usage.admit(&limits, growth), refused);
        }
        usage.add(grow(-6, -2));
        assert_eq!(usage.admit(&limits, grow(10, 3)), Ok(()));
    }
}
