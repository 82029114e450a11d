//! The clock that running guests are measured by.

// Layer 1: Standard library imports
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use wasmtime::Engine;

/// Moves the epoch of some engines forward, once per tick, for as long as it lives.
///
/// Guests are compiled to look at their engine's epoch; this is what makes it move.
/// It also counts the ticks, so that a turn's deadline costs a turn no system call.
#[derive(Debug)]
pub(crate) struct EpochClock {
    tick: Duration,
    ticks: Arc<AtomicU64>,
    /// The clock's thread ends when this is dropped.
    _running: SyncSender<()>,
}

impl EpochClock {
    /// Starts the clock's thread.
    pub(crate) fn start(engines: Vec<Engine>, tick: Duration) -> io::Result<Self> {
        // A tick of zero would be a thread that never rests.
        let tick = tick.max(Duration::from_micros(100));
        let ticks = Arc::new(AtomicU64::new(0));
        let (running, stopped) = sync_channel(0);
        let counted = Arc::clone(&ticks);
        thread::Builder::new()
            .name("airssys-epoch".into())
            .spawn(move || run(&engines, tick, &counted, &stopped))?;
        Ok(Self {
            tick,
            ticks,
            _running: running,
        })
    }

    /// The ticks so far.
    #[inline]
    pub(crate) fn now(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// The ticks that `milliseconds` take, rounded up so that no turn is stopped early.
    pub(crate) fn ticks_in(&self, milliseconds: u64) -> u64 {
        let tick_us = self.tick.as_micros() as u64;
        milliseconds
            .saturating_mul(1_000)
            .div_ceil(tick_us)
            .saturating_add(1)
    }

    /// The milliseconds that `ticks` take.
    pub(crate) fn milliseconds_in(&self, ticks: u64) -> u64 {
        ticks.saturating_mul(self.tick.as_micros() as u64) / 1_000
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

    /// Begins a turn, which may have less time than others.
    #[inline]
    pub(crate) fn start(&mut self, budget_ms: Option<u64>) {
        self.began = self.clock.now();
        self.allowed = match budget_ms {
            None => self.limit,
            Some(budget_ms) => self.clock.ticks_in(budget_ms).min(self.limit),
        };
    }

    /// How many ticks a turn may take.
    #[inline]
    pub(crate) fn allowed(&self) -> u64 {
        self.allowed
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
fn run(engines: &[Engine], tick: Duration, ticks: &AtomicU64, stopped: &Receiver<()>) {
    let began = Instant::now();
    while stopped.recv_timeout(tick) == Err(RecvTimeoutError::Timeout) {
        let due = (began.elapsed().as_nanos() / tick.as_nanos()) as u64;
        for _ in ticks.load(Ordering::Relaxed)..due {
            engines.iter().for_each(Engine::increment_epoch);
        }
        ticks.store(due, Ordering::Relaxed);
    }
}
