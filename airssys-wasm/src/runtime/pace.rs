//! How long the turns of a component tend to take.

// Layer 1: Standard library imports
use std::sync::atomic::{AtomicU32, Ordering};

/// How many quick turns in a row it takes until a component that overran counts as
/// quick again.
const TRUST_AFTER: u32 = 256;

/// Whether a component's turns have been quick of late.
///
/// A turn that overran its slice has held up others, once. From then on the component's
/// turns run where they cannot, until it has been quick for a while.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Quick turns still to come before the component is trusted again.
    doubted_for: AtomicU32,
}

impl Pace {
    /// Whether a turn overran lately.
    #[inline]
    pub(crate) fn is_slow(&self) -> bool {
        self.doubted_for.load(Ordering::Relaxed) > 0
    }

    /// A turn has overrun its slice.
    pub(crate) fn overran(&self) {
        self.doubted_for.store(TRUST_AFTER, Ordering::Relaxed);
    }

    /// A turn has ended within its slice. Turns that end at the same time may count as
    /// one, which does no harm.
    #[inline]
    pub(crate) fn was_quick(&self) {
        let left = self.doubted_for.load(Ordering::Relaxed);
        if left > 0 {
            self.doubted_for.store(left - 1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_comes_back_slowly() {
        let pace = Pace::default();
        assert!(!pace.is_slow());
        pace.overran();
        for _ in 1..TRUST_AFTER {
            pace.was_quick();
        }
        assert!(pace.is_slow());
        pace.was_quick();
        assert!(!pace.is_slow());
    }
}
