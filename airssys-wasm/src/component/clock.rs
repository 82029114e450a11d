//! The time that actors live by.

// Layer 1: Standard library imports
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

// Layer 2: Third-party crate imports
use tokio::time::Instant;

/// Tells the time, by one reading of the machine's clock for both of its faces.
///
/// It follows the async runtime's clock, so that tests can move it.
#[derive(Debug)]
pub struct Clock {
    began: Instant,
    /// The Unix time, in milliseconds, when this clock showed zero.
    origin_ms: AtomicU64,
}

/// One reading of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since the clock began. Never goes backwards.
    pub clock_ms: u64,
    /// Milliseconds since the Unix epoch.
    pub unix_ms: u64,
}

impl Clock {
    /// A clock that begins now.
    pub fn start() -> Self {
        Self {
            began: Instant::now(),
            origin_ms: AtomicU64::new(unix_ms()),
        }
    }

    /// The time.
    #[inline]
    pub fn now(&self) -> Now {
        let clock_ms = self.began.elapsed().as_millis() as u64;
        Now {
            clock_ms,
            unix_ms: self.origin_ms.load(Ordering::Relaxed) + clock_ms,
        }
    }

    /// When this clock shows `clock_ms`.
    pub fn at(&self, clock_ms: u64) -> Instant {
        self.began + Duration::from_millis(clock_ms)
    }

    /// Follows the system's time where that was set, at once if it is ahead. Where it is
    /// behind, nothing happens: time that actors were told is not taken back.
    pub fn follow_system_time(&self) {
        let elapsed_ms = self.began.elapsed().as_millis() as u64;
        let origin_ms = unix_ms().saturating_sub(elapsed_ms);
        self.origin_ms.fetch_max(origin_ms, Ordering::Relaxed);
    }
}

/// The system's time. A clock before 1970 is told as 1970.
fn unix_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.unwrap_or_default().as_millis() as u64
}
