//! Time that costs next to nothing to read.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The number of ticks since a moment. Whoever moves it on reads a clock; whoever reads it
/// reads a number.
#[derive(Debug, Clone)]
pub struct Ticker {
    began: Instant,
    tick: Duration,
    ticks: Arc<AtomicU64>,
}

impl Ticker {
    /// No ticks yet since `began`, of this length, which is more than nothing.
    pub fn new(began: Instant, tick: Duration) -> Self {
        Self {
            began,
            tick,
            ticks: Arc::default(),
        }
    }

    /// When it began.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// The length of a tick.
    pub fn tick(&self) -> Duration {
        self.tick
    }

    /// The ticks so far, as many as it was moved on.
    #[inline]
    pub fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// Moves on to where it is at `now`, and returns by how many ticks. Only one thread
    /// does so.
    pub fn advance(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.began);
        let due = (elapsed.as_nanos() / self.tick.as_nanos().max(1)) as u64;
        let before = self.ticks.swap(due, Ordering::Relaxed);
        due.saturating_sub(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_whole_ticks_and_never_goes_back() {
        let began = Instant::now();
        let ticker = Ticker::new(began, Duration::from_millis(2));
        let at = |ms| began + Duration::from_millis(ms);
        assert_eq!((ticker.advance(at(1)), ticker.ticks()), (0, 0));
        assert_eq!((ticker.advance(at(7)), ticker.ticks()), (3, 3));
        assert_eq!((ticker.advance(at(8)), ticker.ticks()), (1, 4));
    }
}
