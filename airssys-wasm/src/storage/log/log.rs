//! The commit log.

// Layer 1: Standard library imports
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::storage::commit::Commit;
use crate::core::storage::store::{Committed, StoreError};
use crate::storage::disk::disk::Disk;
use crate::storage::log::error::OpenError;
use crate::storage::log::overlay::Overlay;
use crate::storage::log::recovery::{Opened, Recovered};
use crate::storage::log::settings::LogSettings;
use crate::storage::log::shared::Shared;
use crate::storage::log::state::{Closing, Event, State};
use crate::storage::log::stats::LogStats;
use crate::storage::log::wait::Wait;
use crate::storage::log::{checkpointer, committer};

/// How long a log that is dropped and was not closed waits for the disk, in milliseconds.
const MAX_DROP_MS: u64 = 1_000;

/// The one order of all commits: in memory at once, on disk soon after, and in tables later.
///
/// ```text
/// append -> pending -> write-ahead log -> tables
///           (memory)   (committer)        (checkpointer)
/// ```
///
/// What was appended can be read at once. Clones are the same log. When the last one is
/// dropped, what was appended is written; [`close`](CommitLog::close) tells whether it was.
#[derive(Debug, Clone)]
pub(crate) struct CommitLog {
    owner: Arc<Owner>,
}

/// Proof that a commit has its place in the order.
#[derive(Debug)]
#[must_use = "what it releases never happens"]
pub(crate) struct Appended(u64);

impl Committed for Appended {
    #[inline]
    fn seq(&self) -> u64 {
        self.0
    }
}

#[derive(Debug)]
struct Owner {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl CommitLog {
    /// Opens or begins a log, and starts its two threads. Besides the log, it tells what was
    /// committed before. It costs a pass over what waits, and not over actors' state.
    ///
    /// Whoever opens it keeps other processes away from the folder.
    ///
    /// # Errors
    ///
    /// When the disk fails, or what is on it cannot be read.
    pub(crate) fn open<D: Disk>(
        disk: D,
        settings: LogSettings,
    ) -> Result<(Self, Recovered), OpenError> {
        let mut opened = Opened::open(disk, &settings)?;
        let recovered = opened.recovered()?;
        let frame = opened.unapplied.last().max(opened.applied);
        let mut state = State {
            settings,
            overlay: Overlay {
                unapplied: opened.unapplied,
                ..Overlay::default()
            },
            usage: opened.usage,
            appended: opened.last,
            sealed: opened.last,
            durable: opened.last,
            settled: opened.last,
            checkpointed: opened.applied,
            frame,
            applied: opened.applied,
            released: opened.applied,
            unapplied_since: (frame > opened.applied).then(Instant::now),
            ..State::default()
        };
        state.catch_up();
        let shared = Arc::new(Shared::new(state, opened.tables));
        let owner = Owner {
            shared: shared.clone(),
            threads: Mutex::default(),
        };
        let wal = opened.wal;
        owner.start("airssys-commit", |shared| committer::run(shared, wal))?;
        owner.start("airssys-checkpoint", |shared| {
            let result = checkpointer::run(shared);
            shared.lock().checkpointer_ended = true;
            result
        })?;
        let log = Self {
            owner: Arc::new(owner),
        };
        Ok((log, recovered))
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.owner.shared
    }

    /// Takes a commit into the order. It does not wait: see [`room`](Self::room).
    ///
    /// # Errors
    ///
    /// When the log has failed or is closed.
    #[inline]
    pub(crate) fn append(&self, commit: Commit) -> Result<Appended, StoreError> {
        let shared = self.shared();
        let mut state = shared.lock();
        if commit.is_empty() {
            return state.check().map(|()| Appended(0));
        }
        let appended = state.append(commit);
        shared.unlock(state);
        appended.map(Appended)
    }

    /// Waits until there is room for commits.
    ///
    /// # Errors
    ///
    /// When the log has failed.
    pub(crate) async fn room(&self) -> Result<(), StoreError> {
        Wait::new(
            self.shared(),
            Event::Room,
            0,
            |state: &mut State| match state.check() {
                Ok(()) if !state.has_room() => Poll::Pending,
                checked => Poll::Ready(checked),
            },
        )
        .await
    }

    /// Waits until a commit and all before it are on disk. The committer writes now, and not
    /// later.
    ///
    /// # Errors
    ///
    /// When the log has failed before that.
    pub(crate) async fn durable(&self, seq: u64) -> Result<(), StoreError> {
        let shared = self.shared();
        if self.is_durable(seq) {
            return Ok(());
        }
        Wait::new(shared, Event::Durable, seq, move |state: &mut State| {
            if state.durable >= seq {
                return Poll::Ready(Ok(()));
            }
            state.wanted = state.wanted.max(seq);
            match state.check() {
                Ok(()) => Poll::Pending,
                failed => Poll::Ready(failed),
            }
        })
        .await
    }

    /// Whether a commit and all before it are on disk, or leave nothing to be written.
    fn is_durable(&self, seq: u64) -> bool {
        let mut state = self.shared().lock();
        if state.durable >= seq {
            return true;
        }
        let woken = state.skip_void();
        let is_durable = state.durable >= seq;
        drop(state);
        for waker in woken {
            waker.wake();
        }
        is_durable
    }

    /// The last commit that what is kept of an actor may be from, if that is not on disk yet,
    /// or zero.
    pub(crate) fn horizon_of(&self, actor: &ComponentId) -> u64 {
        let state = self.shared().lock();
        match state.overlay.is_unlogged(actor) {
            true => state.appended,
            false => 0,
        }
    }

    /// The last commit that was taken, or zero.
    pub(crate) fn appended(&self) -> u64 {
        self.shared().lock().appended
    }

    /// Waits until all that was appended is on disk.
    ///
    /// # Errors
    ///
    /// When the log has failed.
    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        self.durable(self.appended()).await
    }

    /// Waits until all that was appended is in the tables, and forgotten by the write-ahead
    /// log.
    ///
    /// # Errors
    ///
    /// When the log has failed.
    pub(crate) async fn checkpoint(&self) -> Result<(), StoreError> {
        let seq = self.appended();
        self.durable(seq).await?;
        let event = Event::Checkpointed;
        Wait::new(self.shared(), event, seq, move |state: &mut State| {
            if state.checkpointed >= seq && !state.is_release_due() {
                return Poll::Ready(Ok(()));
            }
            state.checkpoint_wanted = state.checkpoint_wanted.max(seq);
            match state.check() {
                Ok(()) => Poll::Pending,
                failed => Poll::Ready(failed),
            }
        })
        .await
    }

    /// Waits until the log fails, and says why. It says the same if the log was closed.
    pub(crate) async fn failed(&self) -> StoreError {
        let ended = Wait::new(
            self.shared(),
            Event::Ended,
            0,
            |state: &mut State| match state.check() {
                Ok(()) if state.threads > 0 => Poll::Pending,
                checked => Poll::Ready(checked),
            },
        );
        match ended.await {
            Ok(()) => State::closed(),
            Err(failed) => failed,
        }
    }

    /// Takes no more commits, puts those that were taken into the tables, and ends the
    /// threads. The files are closed when the last clone is dropped.
    ///
    /// # Errors
    ///
    /// When the log has failed.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        self.owner.begin_closing(Closing::Checkpoint);
        let ended = Wait::new(
            self.shared(),
            Event::Ended,
            0,
            |state: &mut State| match state.threads {
                0 => Poll::Ready(state.check()),
                _ => Poll::Pending,
            },
        );
        let result = ended.await;
        self.owner.join();
        result
    }

    /// What the log has done so far.
    pub(crate) fn stats(&self) -> LogStats {
        let state = self.shared().lock();
        LogStats {
            unlogged_bytes: state.overlay.unlogged_bytes(),
            unapplied_bytes: state.overlay.unapplied_bytes(),
            ..state.stats
        }
    }
}

impl Owner {
    fn start<E: Display>(
        &self,
        name: &str,
        run: impl FnOnce(&Shared) -> Result<(), E> + Send + 'static,
    ) -> Result<(), OpenError> {
        let shared = self.shared.clone();
        self.shared.lock().threads += 1;
        let started = Builder::new().name(name.to_owned()).spawn(move || {
            match catch_unwind(AssertUnwindSafe(|| run(&shared))) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => shared.fail(error),
                Err(_) => shared.fail("a thread of the commit log panicked"),
            }
            shared.end_thread();
        });
        match started {
            Ok(thread) => self.threads().push(thread),
            Err(error) => {
                self.shared.fail(&error);
                self.shared.end_thread();
                return Err(OpenError::Thread(error));
            }
        }
        Ok(())
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin_closing(&self, closing: Closing) {
        let mut state = self.shared.lock();
        state.closing = state.closing.max(closing);
        self.shared.wake_all(state);
    }

    /// Waits for threads that are about to end.
    fn join(&self) {
        let threads = std::mem::take(&mut *self.threads());
        for thread in threads {
            // Whatever a thread panicked over, the log has failed with it.
            drop(thread.join());
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.begin_closing(Closing::Flush);
        let until = Instant::now() + Duration::from_millis(MAX_DROP_MS);
        if self.shared.wait_for_end(until) {
            self.join();
        }
    }
}
