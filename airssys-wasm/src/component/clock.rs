//! The time that actors live by.

// Layer 1: Standard library imports
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

// Layer 2: Third-party crate imports
use tokio::time::Instant;

// Layer 3: Internal module imports
use crate::core::ticker::Ticker;
use crate::core::time::{Moment, unix_ms};

/// Tells the time to actors.
#[derive(Debug)]
pub struct Clock {
    source: Source,
    /// The Unix time, in milliseconds, when this clock showed zero.
    origin_ms: AtomicU64,
}

/// Where the time comes from.
#[derive(Debug)]
enum Source {
    /// The async runtime's clock, which tests can move.
    Runtime(Instant),
    /// A number that a thread moves on: for each turn to read the machine's clock would
    /// cost as much as a tenth of the turn.
    Ticker(Ticker),
}

impl Clock {
    /// A clock that begins now, and follows that of the async runtime.
    pub fn start() -> Self {
        Self::of(Source::Runtime(Instant::now()))
    }

    /// A clock that follows a ticker.
    pub fn ticking(ticker: Ticker) -> Self {
        Self::of(Source::Ticker(ticker))
    }

    fn of(source: Source) -> Self {
        let clock = Self {
            source,
            origin_ms: AtomicU64::new(0),
        };
        clock.follow_system_time();
        clock
    }

    /// The time.
    #[inline]
    pub fn now(&self) -> Moment {
        let clock_ms = match &self.source {
            Source::Runtime(began) => began.elapsed().as_millis() as u64,
            Source::Ticker(ticker) => {
                ticker
                    .ticks()
                    .saturating_mul(ticker.tick().as_micros() as u64)
                    / 1_000
            }
        };
        Moment {
            clock_ms,
            unix_ms: self.origin_ms.load(Ordering::Relaxed) + clock_ms,
        }
    }

    /// When this clock shows `clock_ms`.
    pub fn at(&self, clock_ms: u64) -> Instant {
        self.began() + Duration::from_millis(clock_ms)
    }

    fn began(&self) -> Instant {
        match &self.source {
            Source::Runtime(began) => *began,
            Source::Ticker(ticker) => ticker.began().into(),
        }
    }

    /// Follows the system's time where that was set, at once if it is ahead. Where it is
    /// behind, nothing happens: time that actors were told is not taken back.
    pub fn follow_system_time(&self) {
        let elapsed_ms = self.began().elapsed().as_millis() as u64;
        let origin_ms = unix_ms(SystemTime::now()).saturating_sub(elapsed_ms);
        self.origin_ms.fetch_max(origin_ms, Ordering::Relaxed);
    }
}
