//! WASI's clocks: the turn's time, or the real one.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

// Layer 2: Third-party crate imports
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

// Layer 3: Internal module imports
use crate::runtime::host_fn::wasi::turn::Turn;

/// Tells the time at which the turn began for as long as it lasts. Where `clock` is granted
/// as `precise`, it tells the real time instead.
pub(crate) struct TurnClock {
    turn: Arc<Turn>,
    /// The turn's time when the clock was made, and that moment: what the monotonic clock
    /// counts from, so that a clock which becomes precise does not leap.
    since: (Duration, Instant),
}

impl TurnClock {
    pub(crate) fn new(turn: &Arc<Turn>) -> Self {
        let now = Duration::from_millis(turn.now_ms());
        Self {
            turn: Arc::clone(turn),
            since: (now, Instant::now()),
        }
    }

    fn fixed(&self) -> Duration {
        Duration::from_millis(self.turn.now_ms())
    }

    fn step(&self) -> Duration {
        if self.turn.is_precise() {
            Duration::from_nanos(1)
        } else {
            Duration::from_millis(1)
        }
    }
}

impl HostWallClock for TurnClock {
    fn resolution(&self) -> Duration {
        self.step()
    }

    fn now(&self) -> Duration {
        if self.turn.is_precise() {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            since.unwrap_or_default()
        } else {
            self.fixed()
        }
    }
}

impl HostMonotonicClock for TurnClock {
    fn resolution(&self) -> u64 {
        self.step().as_nanos() as u64
    }

    fn now(&self) -> u64 {
        let (start, moment) = self.since;
        let now = if self.turn.is_precise() {
            start.saturating_add(moment.elapsed())
        } else {
            self.fixed()
        };
        now.as_nanos() as u64
    }
}
