//! How often something may happen in a second.

// Layer 1: Standard library imports
use std::num::NonZeroU32;

// Layer 2: Third-party crate imports
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

// Layer 3: Internal module imports
use crate::core::limits::{Limit, LimitExceeded};
use crate::core::ticker::Ticker;
use crate::core::turn::errors::HostError;

/// Admits so much in a second, and a second's worth at once. It reads no clock but the
/// engine's ticks, and costs some nanoseconds.
///
/// What is admitted at once is made up for by what comes after: over any time, no more is
/// admitted than that time's worth and one second's. See [`governor`] for how.
#[derive(Debug)]
pub(crate) struct Rate(Kind);

#[derive(Debug)]
enum Kind {
    Nothing,
    PerSecond(Limiter),
    /// More than the fastest machine does.
    Anything,
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, TickClock, NoOpMiddleware<Nanos>>;

/// The time since a ticker began, as exact as it ticks.
#[derive(Debug, Clone)]
struct TickClock(Ticker);

impl Clock for TickClock {
    type Instant = Nanos;

    #[inline]
    fn now(&self) -> Nanos {
        let tick_ns = self.0.tick().as_nanos() as u64;
        Nanos::new(self.0.ticks().saturating_mul(tick_ns))
    }
}

impl Rate {
    /// So much in a second, by the ticks of `ticker`. More than four thousand million is as
    /// good as no limit.
    pub(crate) fn new(per_second: u64, ticker: &Ticker) -> Self {
        let Ok(per_second) = u32::try_from(per_second) else {
            return Self(Kind::Anything);
        };
        Self(match NonZeroU32::new(per_second) {
            None => Kind::Nothing,
            Some(count) => {
                let clock = TickClock(ticker.clone());
                let quota = Quota::per_second(count);
                Kind::PerSecond(RateLimiter::direct_with_clock(quota, clock))
            }
        })
    }

    /// Admits one, unless there were too many.
    #[inline]
    pub(crate) fn admit(&self) -> bool {
        match &self.0 {
            Kind::Nothing => false,
            Kind::PerSecond(limiter) => limiter.check().is_ok(),
            Kind::Anything => true,
        }
    }

    /// Admits so many together, or none of them and says which limit is met.
    ///
    /// # Errors
    ///
    /// [`QuotaExceeded`](HostError::QuotaExceeded) when there were too many, or these are more
    /// than a second's worth.
    pub(crate) fn check_many(
        &self,
        limit: Limit,
        allowed: u64,
        count: u64,
    ) -> Result<(), HostError> {
        let count = u32::try_from(count).ok().and_then(NonZeroU32::new);
        let is_admitted = match (&self.0, count) {
            (Kind::Nothing, _) | (Kind::PerSecond(_), None) => false,
            (Kind::PerSecond(limiter), Some(count)) => {
                limiter.check_n(count).is_ok_and(|it| it.is_ok())
            }
            (Kind::Anything, _) => true,
        };
        match is_admitted {
            true => Ok(()),
            false => Err(exceeded(limit, allowed)),
        }
    }

    /// Admits one, or says which limit is met.
    ///
    /// # Errors
    ///
    /// [`QuotaExceeded`](HostError::QuotaExceeded) when there were too many.
    #[inline]
    pub(crate) fn check(&self, limit: Limit, allowed: u64) -> Result<(), HostError> {
        match self.admit() {
            true => Ok(()),
            false => Err(exceeded(limit, allowed)),
        }
    }
}

fn exceeded(limit: Limit, allowed: u64) -> HostError {
    HostError::QuotaExceeded(LimitExceeded::beyond(limit, allowed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    /// A ticker that tests move.
    struct Time {
        began: Instant,
        ticker: Ticker,
        ms: u64,
    }

    impl Time {
        fn new() -> Self {
            let began = Instant::now();
            Self {
                began,
                ticker: Ticker::new(began, Duration::from_millis(1)),
                ms: 0,
            }
        }

        fn pass(&mut self, ms: u64) {
            self.ms += ms;
            self.ticker
                .advance(self.began + Duration::from_millis(self.ms));
        }
    }

    fn admitted(rate: &Rate, tried: u64) -> u64 {
        (0..tried).filter(|_| rate.admit()).count() as u64
    }

    #[test]
    fn a_seconds_worth_comes_at_once_and_then_as_time_passes() {
        let mut time = Time::new();
        let rate = Rate::new(10, &time.ticker);
        assert_eq!(admitted(&rate, 11), 10);
        time.pass(99);
        assert!(!rate.admit());
        time.pass(1);
        assert_eq!(admitted(&rate, 2), 1);
        time.pass(60_000);
        assert_eq!(admitted(&rate, 100), 10, "what was not used is not kept");
    }

    #[test]
    fn none_and_more_than_can_be_counted() {
        let time = Time::new();
        assert!(!Rate::new(0, &time.ticker).admit());
        assert_eq!(admitted(&Rate::new(u64::MAX, &time.ticker), 1_000), 1_000);
        let limit = Limit::MessagesPerS;
        let refused = Rate::new(0, &time.ticker).check(limit, 0).unwrap_err();
        let expected = LimitExceeded::beyond(limit, 0);
        assert_eq!(refused, HostError::QuotaExceeded(expected));
    }

    proptest! {
        #[test]
        fn no_time_admits_more_than_its_worth_and_a_second(
            per_second in 1_u64..2_000,
            steps in prop::collection::vec((0_u64..3_000, 0_u64..300), 1..40),
        ) {
            let mut time = Time::new();
            let rate = Rate::new(per_second, &time.ticker);
            let mut total = 0;
            for (ms, tried) in steps {
                time.pass(ms);
                total += admitted(&rate, tried);
                // Rounded up, since the time for one is a whole number of nanoseconds.
                let worth = (time.ms * per_second).div_ceil(1_000) + 1;
                prop_assert!(total <= per_second + worth, "{total} in {} ms", time.ms);
            }
        }
    }
}
