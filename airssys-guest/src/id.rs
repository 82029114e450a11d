//! The numbers by which the host and a guest speak of a request and a timer.

// Layer 1: Standard library imports
use std::fmt::{self, Display, Formatter};

/// Ties a request and its reply together.
///
/// It converts from and into `u64`, so that an actor can keep it in storage until
/// the reply arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Correlation(u64);

/// Names a timer of this actor.
///
/// It converts from and into `u64`, so that an actor can keep it in storage until
/// it wants to cancel the timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(u64);

impl From<u64> for Correlation {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl From<Correlation> for u64 {
    fn from(correlation: Correlation) -> Self {
        correlation.0
    }
}

impl Display for Correlation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<u64> for TimerId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl From<TimerId> for u64 {
    fn from(timer: TimerId) -> Self {
        timer.0
    }
}

impl Display for TimerId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
