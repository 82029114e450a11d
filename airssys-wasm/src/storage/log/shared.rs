//! What the log's handles and its threads share, and how they wake each other.

// Layer 1: Standard library imports
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

// Layer 3: Internal module imports
use crate::core::storage::store::StoreError;
use crate::storage::log::state::{Rest, State};
use crate::storage::tables::tables::Tables;

/// What the log's handles and its threads share.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// As the state says. Most turns commit nothing, and need not lock it.
    has_failed: AtomicBool,
    /// Absent once the log is closed.
    tables: Mutex<Option<Arc<Tables>>>,
    committer: Condvar,
    checkpointer: Condvar,
    /// A thread has ended.
    ended: Condvar,
}

/// One of the log's threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thread {
    Committer,
    Checkpointer,
}

impl Shared {
    pub(crate) fn new(state: State, tables: Tables) -> Self {
        Self {
            state: Mutex::new(state),
            has_failed: AtomicBool::new(false),
            tables: Mutex::new(Some(Arc::new(tables))),
            committer: Condvar::new(),
            checkpointer: Condvar::new(),
            ended: Condvar::new(),
        }
    }

    /// Locks the state. If somebody panicked over it, half a commit may be in it: then the
    /// log has failed.
    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        match self.state.lock() {
            Ok(state) => state,
            Err(poisoned) => self.distrust(poisoned),
        }
    }

    #[cold]
    fn distrust<'a>(&self, poisoned: PoisonError<MutexGuard<'a, State>>) -> MutexGuard<'a, State> {
        let mut state = poisoned.into_inner();
        if state.failure.is_none() {
            state.failure = Some("somebody panicked over the commit log".into());
            self.has_failed.store(true, Ordering::Release);
            self.wake_all_threads(&mut state);
        }
        state
    }

    /// Whether the log has failed.
    #[inline]
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Acquire)
    }

    /// The tables.
    ///
    /// # Errors
    ///
    /// When the log is closed.
    pub(crate) fn tables(&self) -> Result<Arc<Tables>, StoreError> {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.clone().ok_or_else(State::closed)
    }

    /// Closes the tables' file, when nobody reads any more.
    pub(crate) fn close_tables(&self) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        drop(tables.take());
    }

    /// Unlocks, and wakes whichever thread has something to do now.
    #[inline]
    pub(crate) fn unlock(&self, mut state: MutexGuard<'_, State>) {
        let committer = wakes_committer(&mut state);
        let checkpointer = wakes_checkpointer(&mut state);
        drop(state);
        if committer {
            self.committer.notify_one();
        }
        if checkpointer {
            self.checkpointer.notify_one();
        }
    }

    /// Lets a thread sleep until it is woken, or until `until`.
    pub(crate) fn sleep<'a>(
        &self,
        thread: Thread,
        mut state: MutexGuard<'a, State>,
        until: Option<Instant>,
    ) -> MutexGuard<'a, State> {
        let rest = match until {
            None => Rest::Sleeps,
            Some(_) => Rest::Naps,
        };
        *rest_of(thread, &mut state) = rest;
        let mut state = wait(self.condvar(thread), state, until);
        *rest_of(thread, &mut state) = Rest::Works;
        state
    }

    /// The log fails, if it has not yet: nothing is acknowledged any more.
    #[cold]
    pub(crate) fn fail(&self, reason: impl Display) {
        let mut state = self.lock();
        if state.failure.is_none() {
            state.failure = Some(reason.to_string().into());
            self.has_failed.store(true, Ordering::Release);
        }
        self.wake_all(state);
    }

    /// Lets threads and all who wait look again.
    pub(crate) fn wake_all(&self, mut state: MutexGuard<'_, State>) {
        let woken = state.all_waiters();
        self.wake_all_threads(&mut state);
        drop(state);
        for waker in woken {
            waker.wake();
        }
    }

    /// A thread ends.
    pub(crate) fn end_thread(&self) {
        let mut state = self.lock();
        state.threads -= 1;
        self.ended.notify_all();
        self.wake_all(state);
    }

    /// Waits until the threads have ended, or until `until`. Whether they have.
    pub(crate) fn wait_for_end(&self, until: Instant) -> bool {
        let mut state = self.lock();
        while state.threads > 0 && Instant::now() < until {
            state = wait(&self.ended, state, Some(until));
        }
        state.threads == 0
    }

    fn wake_all_threads(&self, state: &mut State) {
        state.committer = Rest::Works;
        state.checkpointer = Rest::Works;
        self.committer.notify_one();
        self.checkpointer.notify_one();
    }

    fn condvar(&self, thread: Thread) -> &Condvar {
        match thread {
            Thread::Committer => &self.committer,
            Thread::Checkpointer => &self.checkpointer,
        }
    }
}

fn wait<'a>(
    condvar: &Condvar,
    state: MutexGuard<'a, State>,
    until: Option<Instant>,
) -> MutexGuard<'a, State> {
    let Some(until) = until else {
        return condvar.wait(state).unwrap_or_else(PoisonError::into_inner);
    };
    let left: Duration = until.saturating_duration_since(Instant::now());
    let waited = condvar.wait_timeout(state, left);
    waited.unwrap_or_else(PoisonError::into_inner).0
}

fn rest_of(thread: Thread, state: &mut State) -> &mut Rest {
    match thread {
        Thread::Committer => &mut state.committer,
        Thread::Checkpointer => &mut state.checkpointer,
    }
}

/// Whether the committer sleeps and should not. It is woken once.
fn wakes_committer(state: &mut State) -> bool {
    let wakes = match state.committer {
        Rest::Works => false,
        // It has to measure the age of what is pending.
        Rest::Sleeps if state.is_pending() => true,
        Rest::Sleeps | Rest::Naps => state.is_write_due() || state.is_release_due(),
    };
    if wakes {
        state.committer = Rest::Works;
    }
    wakes
}

/// Whether the checkpointer sleeps and should not. It is woken once.
fn wakes_checkpointer(state: &mut State) -> bool {
    let wakes = match state.checkpointer {
        Rest::Works => false,
        // It has to measure the age of what is unapplied.
        Rest::Sleeps if state.unapplied_since().is_some() => true,
        Rest::Sleeps | Rest::Naps => state.is_checkpoint_due() || state.is_drained(),
    };
    if wakes {
        state.checkpointer = Rest::Works;
    }
    wakes
}
