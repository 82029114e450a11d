//! How many restarts are allowed within how long.

// Layer 1: Standard library imports
use std::collections::VecDeque;

/// How many restarts are allowed within a window of time. One more, and whoever
/// restarts gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Intensity {
    /// The restarts allowed within one window. Zero: the first failure is too much.
    pub max_restarts: u32,
    /// The length of the window in milliseconds. It slides: a restart counts until
    /// it is this old.
    pub window_ms: u64,
}

impl Intensity {
    /// What a group is allowed that says nothing else: 10 restarts in 10 seconds.
    pub const GROUP: Self = Self {
        max_restarts: 10,
        window_ms: 10_000,
    };

    /// What an actor is allowed that belongs to no group: 100 restarts in 10 seconds.
    ///
    /// It is more than for a group, since the failure of one such actor never touches
    /// another: all that a restart costs is that actor's own start. And a durable
    /// actor that gets one bad message after the other is worth restarting, because
    /// the good ones between them are handled.
    pub const LONE_ACTOR: Self = Self {
        max_restarts: 100,
        window_ms: 10_000,
    };

    /// Whether a restart at `at_ms` still counts at `now_ms`.
    pub(super) fn counts(self, at_ms: u64, now_ms: u64) -> bool {
        // A restart that lies ahead, since a clock was set back, counts as new.
        now_ms.saturating_sub(at_ms) < self.window_ms
    }
}

/// The restarts that still count, oldest first; never more than the intensity allows.
#[derive(Debug, Default)]
pub(super) struct RestartWindow {
    at_ms: VecDeque<u64>,
}

impl RestartWindow {
    /// Counts a restart, if the intensity allows one more.
    #[must_use]
    pub(super) fn admit(&mut self, intensity: Intensity, now_ms: u64) -> bool {
        while let Some(oldest) = self.at_ms.front()
            && !intensity.counts(*oldest, now_ms)
        {
            self.at_ms.pop_front();
        }
        let admitted = self.at_ms.len() < intensity.max_restarts as usize;
        if admitted {
            self.at_ms.push_back(now_ms);
        }
        admitted
    }

    /// How many restarts count at `now_ms`.
    pub(super) fn count(&self, intensity: Intensity, now_ms: u64) -> usize {
        let counts = |at_ms: &&u64| intensity.counts(**at_ms, now_ms);
        self.at_ms.iter().filter(counts).count()
    }

    /// When the newest restart was.
    pub(super) fn last_ms(&self) -> Option<u64> {
        self.at_ms.back().copied()
    }

    /// Forgets all restarts.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_window_slides() {
        let intensity = Intensity {
            max_restarts: 2,
            window_ms: 100,
        };
        let mut window = RestartWindow::default();
        assert!(window.admit(intensity, 0));
        assert!(window.admit(intensity, 60));
        assert!(!window.admit(intensity, 99));
        assert_eq!(window.count(intensity, 99), 2);
        // The restart at 0 is 100 ms old and counts no more.
        assert!(window.admit(intensity, 100));
        assert!(!window.admit(intensity, 159));
        assert!(window.admit(intensity, 160));
        assert_eq!(window.last_ms(), Some(160));
        window.clear();
        assert_eq!(window.count(intensity, 160), 0);
    }

    #[test]
    fn none_allowed_means_none() {
        let intensity = Intensity {
            max_restarts: 0,
            window_ms: 1,
        };
        assert!(!RestartWindow::default().admit(intensity, 7));
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_allowed(
            max_restarts in 0u32..5,
            window_ms in 1u64..50,
            gaps in prop::collection::vec(0u64..30, 0..60),
        ) {
            let intensity = Intensity { max_restarts, window_ms };
            let mut window = RestartWindow::default();
            let (mut now_ms, mut admitted) = (0, Vec::<u64>::new());
            for gap in gaps {
                now_ms += gap;
                let recent = admitted.iter().filter(|at| now_ms - **at < window_ms).count();
                let expected = recent < max_restarts as usize;
                prop_assert_eq!(window.admit(intensity, now_ms), expected);
                if expected {
                    admitted.push(now_ms);
                }
                prop_assert_eq!(window.count(intensity, now_ms), recent + usize::from(expected));
                prop_assert!(window.at_ms.len() <= max_restarts as usize);
            }
        }
    }
}
