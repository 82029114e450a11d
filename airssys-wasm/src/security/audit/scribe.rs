//! The thread that writes.

// Layer 1: Standard library imports
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

// Layer 3: Internal module imports
use crate::security::audit::flood::Flood;
use crate::security::audit::queue::Queue;
use crate::security::audit::writer::Writer;

/// How long entries gather behind those that were written, so that the disk, which the
/// store needs too, is asked for few syncs.
const GATHER: Duration = Duration::from_millis(100);

/// How long the first try after a failure waits. Each one waits twice as long as the one
/// before it.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// The longest that a try waits.
const LAST_RETRY: Duration = Duration::from_secs(60);

/// What counts denials, with the clock that it is told.
#[derive(Debug)]
pub(crate) struct Denials {
    flood: Mutex<Flood>,
    began: Instant,
}

impl Denials {
    pub(crate) fn new(flood: Flood) -> Self {
        Self {
            flood: Mutex::new(flood),
            began: Instant::now(),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Flood> {
        self.flood.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time that the flood knows.
    pub(crate) fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }
}

/// Writes what is noted until the log is closed.
pub(crate) struct Scribe {
    pub(crate) queue: Arc<Queue>,
    pub(crate) denials: Arc<Denials>,
    pub(crate) writer: Writer,
}

impl Scribe {
    /// Runs until the log is closed, and writes what is there then.
    pub(crate) fn run(mut self) {
        let mut retry = FIRST_RETRY;
        let mut not_before = Instant::now();
        loop {
            if self.queue.next(not_before) {
                self.tell_counts();
            }
            let mut taken = self.queue.take();
            let is_closing = taken.is_closing;
            let delay = match self.writer.write(&mut taken.entries) {
                Ok(()) => {
                    self.queue.settle(&taken, self.writer.last());
                    retry = FIRST_RETRY;
                    GATHER
                }
                Err(error) => {
                    tracing::error!(target: "airssys", %error, "the audit log cannot be written");
                    self.queue.put_back(taken, self.writer.last(), &error);
                    let delay = retry;
                    retry = LAST_RETRY.min(retry.saturating_mul(2));
                    delay
                }
            };
            if is_closing {
                break;
            }
            let now = Instant::now();
            not_before = now.checked_add(delay).unwrap_or(now);
        }
        // The folder is another one's from here on.
        drop(self.writer);
        self.queue.end();
    }

    /// Notes what was counted and is over.
    fn tell_counts(&self) {
        let mut flood = self.denials.lock();
        let due = flood.due(self.denials.now_ms());
        let is_counting = flood.is_counting();
        drop(flood);
        for entry in due {
            self.queue.push(entry);
        }
        if is_counting {
            self.queue.count_begins();
        }
    }
}
