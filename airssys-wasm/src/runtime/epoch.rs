//! The clock that running guests are measured by.

// Layer 1: Standard library imports
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use wasmtime::Engine;

// Layer 3: Internal module imports
use crate::core::ticker::Ticker;

/// Moves the epoch of some engines forward, once per tick, for as long as it lives.
///
/// Guests are compiled to look at their engine's epoch; this is what makes it move.
/// It also counts the ticks, so that a turn's deadline costs a turn no system call.
#[derive(Debug)]
pub(crate) struct EpochClock {
    ticker: Ticker,
    /// The clock's thread ends when this is dropped.
    _running: SyncSender<()>,
}

impl EpochClock {
    /// Starts the clock's thread.
    pub(crate) fn start(engines: Vec<Engine>, tick: Duration) -> io::Result<Self> {
        // A tick of zero would be a thread that never rests.
        let tick = tick.max(Duration::from_micros(100));
        let ticker = Ticker::new(Instant::now(), tick);
        let (running, stopped) = sync_channel(0);
        let counted = ticker.clone();
        thread::Builder::new()
            .name("airssys-epoch".into())
            .spawn(move || run(&engines, &counted, &stopped))?;
        Ok(Self {
            ticker,
            _running: running,
        })
    }

    /// What tells the time in ticks.
    pub(crate) fn ticker(&self) -> &Ticker {
        &self.ticker
    }

    /// The ticks so far.
    #[inline]
    pub(crate) fn now(&self) -> u64 {
        self.ticker.ticks()
    }

    /// The ticks that `milliseconds` take, rounded up so that no turn is stopped early.
    pub(crate) fn ticks_in(&self, milliseconds: u64) -> u64 {
        let tick_us = self.ticker.tick().as_micros() as u64;
        milliseconds
            .saturating_mul(1_000)
            .div_ceil(tick_us)
            .saturating_add(1)
    }

    /// The milliseconds that `ticks` take.
    pub(crate) fn milliseconds_in(&self, ticks: u64) -> u64 {
        ticks.saturating_mul(self.ticker.tick().as_micros() as u64) / 1_000
    }
}

/// Measures one turn after the other against the same deadline.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    clock: Arc<EpochClock>,
    /// What every turn may take, in ticks.
    limit: u64,
    began: u64,
    /// What this turn may take, in ticks.
    allowed: u64,
}

impl Stopwatch {
    pub(crate) fn new(clock: Arc<EpochClock>, limit_ms: u64) -> Self {
        let limit = clock.ticks_in(limit_ms);
        Self {
            limit,
            began: 0,
            allowed: limit,
            clock,
        }
    }

    /// What tells its time.
    pub(crate) fn ticker(&self) -> &Ticker {
        self.clock.ticker()
    }

    /// Begins a turn, which may have less time than others.
    #[inline]
    pub(crate) fn start(&mut self, budget_ms: Option<u64>) {
        self.began = self.clock.now();
        self.allowed = match budget_ms {
            None => self.limit,
            Some(budget_ms) => self.clock.ticks_in(budget_ms).min(self.limit),
        };
    }

    /// How long the turn has taken, as exact as the clock ticks.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        self.clock.milliseconds_in(self.elapsed())
    }

    /// How long the turn may still take.
    pub(crate) fn left_ms(&self) -> u64 {
        let left = self.allowed.saturating_sub(self.elapsed());
        self.clock.milliseconds_in(left)
    }

    /// Whether the turn has met its deadline.
    pub(crate) fn is_overdue(&self) -> bool {
        self.elapsed() >= self.allowed
    }

    fn elapsed(&self) -> u64 {
        self.clock.now().saturating_sub(self.began)
    }
}

/// Counts as many ticks as there were, since a thread that asks to sleep for a tick
/// sleeps longer.
fn run(engines: &[Engine], ticker: &Ticker, stopped: &Receiver<()>) {
    while stopped.recv_timeout(ticker.tick()) == Err(RecvTimeoutError::Timeout) {
        for _ in 0..ticker.advance(Instant::now()) {
            engines.iter().for_each(Engine::increment_epoch);
        }
    }
}
