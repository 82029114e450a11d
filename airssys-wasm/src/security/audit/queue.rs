//! The entries that wait to be written, between those who note them and the thread that
//! writes.

// Layer 1: Standard library imports
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

// Layer 3: Internal module imports
use crate::core::security::audit::{Action, AuditEntry};
use crate::security::audit::error::AuditError;
use crate::security::audit::flood::PERIOD_MS;
use crate::security::audit::mark::Mark;
use crate::security::audit::query::{AuditFound, AuditQuery};
use crate::security::audit::status::AuditStatus;
use crate::security::audit::writer::lost;

/// How many entries may wait. While the disk fails, as many more that were being written.
pub(crate) const QUEUE_ENTRIES: usize = 4_096;

/// How many of them may be uses of capabilities: no guest keeps the log from what operators
/// do.
pub(crate) const QUEUE_USES: usize = 3_072;

/// So many are written at once, though they were to gather longer.
const QUEUE_HASTE: usize = QUEUE_USES / 2;

/// The entries that wait to be written.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// For the thread that writes.
    work: Condvar,
    /// For those who wait for it.
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<AuditEntry>,
    /// How many were taken, in all, and how many of these are on disk.
    noted: u64,
    written: u64,
    /// How many were lost and are not told yet, and when the last was.
    lost: u64,
    lost_at_ms: u64,
    /// How many were lost in all.
    lost_ever: u64,
    /// Since when denials are counted that are no entries yet.
    counting: Option<Instant>,
    /// How often the disk has failed.
    failures: u64,
    failure: Option<String>,
    /// The last entry that is on disk.
    last: Mark,
    sleep: Sleep,
    is_hurried: bool,
    is_closing: bool,
    has_ended: bool,
}

/// What the thread that writes is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Sleep {
    #[default]
    Awake,
    UntilWork,
    UntilTime,
}

/// Entries to be written.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) entries: VecDeque<AuditEntry>,
    /// How many had been noted then.
    noted: u64,
    pub(crate) is_closing: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an entry, or counts it as lost.
    pub(crate) fn push(&self, entry: AuditEntry) {
        let mut state = self.lock();
        let room = match entry.action {
            Action::Use(_) => QUEUE_USES,
            _ => QUEUE_ENTRIES,
        };
        if state.waiting.len() >= room || state.is_closing {
            state.lost = state.lost.saturating_add(entry.count);
            state.lost_ever = state.lost_ever.saturating_add(entry.count);
            state.lost_at_ms = entry.at_ms;
        } else {
            state.waiting.push_back(entry);
            state.noted += 1;
        }
        let wakes = match state.sleep {
            Sleep::Awake => false,
            Sleep::UntilWork => true,
            Sleep::UntilTime => state.waiting.len() == QUEUE_HASTE,
        };
        if wakes {
            state.sleep = Sleep::Awake;
            self.work.notify_one();
        }
    }

    /// Has the thread ask for what was counted, a second from now.
    pub(crate) fn count_begins(&self) {
        let mut state = self.lock();
        state.counting.get_or_insert_with(Instant::now);
        state.sleep = Sleep::Awake;
        self.work.notify_one();
    }

    /// Waits until there is something to do: not before `not_before`, unless somebody waits
    /// for it, or the queue gets full where the disk works. Says whether counted denials may
    /// be due.
    pub(crate) fn next(&self, not_before: Instant) -> bool {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let period = Duration::from_millis(PERIOD_MS);
            let counts_due = state.counting.and_then(|since| since.checked_add(period));
            let is_due = counts_due.is_some_and(|due| due <= now);
            let is_pending = !state.waiting.is_empty() || state.lost > 0;
            let is_urgent = state.is_hurried
                || state.is_closing
                || (state.failure.is_none() && state.waiting.len() >= QUEUE_HASTE);
            if is_urgent || is_due || (is_pending && not_before <= now) {
                state.sleep = Sleep::Awake;
                if is_due {
                    state.counting = None;
                }
                return is_due;
            }
            let work_due = is_pending.then_some(not_before);
            let until = work_due.into_iter().chain(counts_due).min();
            // A counter that is due wakes nobody, but the first entry does.
            state.sleep = match is_pending {
                true => Sleep::UntilTime,
                false => Sleep::UntilWork,
            };
            state = match until {
                None => self
                    .work
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let most = until.saturating_duration_since(now);
                    let waited = self.work.wait_timeout(state, most);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Takes all that waits, with an entry for what was lost.
    pub(crate) fn take(&self) -> Taken {
        let mut state = self.lock();
        // While the disk fails it is counted on, or there would be an entry for each try.
        if state.lost > 0 && (state.failure.is_none() || state.waiting.is_empty()) {
            let mut entry = lost(state.lost_at_ms, state.lost);
            entry.why = "they came faster than the disk takes them".to_owned();
            state.lost = 0;
            state.waiting.push_back(entry);
            state.noted += 1;
        }
        state.is_hurried = false;
        Taken {
            entries: std::mem::take(&mut state.waiting),
            noted: state.noted,
            is_closing: state.is_closing,
        }
    }

    /// All that was taken is on disk.
    pub(crate) fn settle(&self, taken: &Taken, last: Mark) {
        let mut state = self.lock();
        state.written = taken.noted;
        state.last = last;
        state.failure = None;
        self.done.notify_all();
    }

    /// The disk failed: what was not written waits again.
    pub(crate) fn put_back(&self, taken: Taken, last: Mark, error: &AuditError) {
        let mut state = self.lock();
        let later = std::mem::replace(&mut state.waiting, taken.entries);
        state.waiting.extend(later);
        state.last = last;
        state.failure = Some(error.to_string());
        state.failures += 1;
        self.done.notify_all();
    }

    /// Nothing is written any more.
    pub(crate) fn end(&self) {
        self.lock().has_ended = true;
        self.done.notify_all();
    }

    /// Waits until everything that was noted is on disk.
    ///
    /// # Errors
    ///
    /// When the disk fails, or the log was closed before.
    pub(crate) fn flush(&self) -> Result<(), AuditError> {
        let mut state = self.lock();
        let (wanted, failures) = (state.noted, state.failures);
        while state.written < wanted {
            if let Some(failure) = &state.failure
                && state.failures > failures
            {
                return Err(AuditError::Failing(failure.clone()));
            }
            if state.has_ended {
                return Err(AuditError::Closed);
            }
            state.is_hurried = true;
            state.sleep = Sleep::Awake;
            self.work.notify_one();
            state = self
                .done
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// Takes no more entries, and has the thread end when it has written those that wait.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.is_closing = true;
        state.sleep = Sleep::Awake;
        self.work.notify_one();
    }

    /// Finds entries among those that wait, and tells the last entry that is on disk.
    pub(crate) fn find(&self, query: &AuditQuery) -> (AuditFound, Mark) {
        let state = self.lock();
        let mut found = AuditFound::default();
        let last_seq = state.last.seq + state.waiting.len() as u64;
        for (entry, seq) in state.waiting.iter().rev().zip((1..=last_seq).rev()) {
            if !found.take(query, seq, entry) {
                break;
            }
        }
        (found, state.last)
    }

    /// Says what the last entry is that is on disk.
    pub(crate) fn begin_behind(&self, last: Mark) {
        self.lock().last = last;
    }

    pub(crate) fn status(&self) -> AuditStatus {
        let state = self.lock();
        AuditStatus {
            folder: None,
            entries: state.last.seq,
            waiting: state.waiting.len(),
            lost: state.lost_ever,
            failure: state.failure.clone(),
        }
    }
}
