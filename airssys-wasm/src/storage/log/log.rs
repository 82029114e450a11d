//! The commit log.

// Layer 1: Standard library imports
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

// Layer 3: Internal module imports
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
        if commit.is_empty() && !shared.has_failed() {
            return Ok(Appended(0));
        }
        let mut state = shared.lock();
        let appended = state.append(commit);
        shared.unlock(state);
        appended.map(Appended)
    }

    /// Waits until there is room for commits.
    ///
    /// # Errors
    ///
    /// When the log has failed or was closed.
    pub(crate) async fn room(&self) -> Result<(), StoreError> {
        Wait::new(
            self.shared(),
            Event::Room,
            0,
            |state: &mut State| match state.check_runs() {
                Ok(()) if !state.has_room() => Poll::Pending,
                checked => Poll::Ready(checked),
            },
        )
        .await
    }

    /// Takes a commit into the order as soon as there is room.
    ///
    /// # Errors
    ///
    /// When the log has failed or was closed.
    pub(crate) async fn append_when_room(&self, commit: Commit) -> Result<Appended, StoreError> {
        let (mut commit, mut appended) = (Some(commit), 0);
        Wait::new(
            self.shared(),
            Event::Room,
            0,
            |state: &mut State| match state.check_runs() {
                Ok(()) if !state.has_room() => Poll::Pending,
                Ok(()) => {
                    let taken = state.append(commit.take().unwrap_or_default());
                    Poll::Ready(taken.map(|seq| appended = seq))
                }
                failed => Poll::Ready(failed),
            },
        )
        .await?;
        Ok(Appended(appended))
    }

    /// Waits until a commit and all before it are on disk. The committer writes now, and not
    /// later.
    ///
    /// # Errors
    ///
    /// When the log has failed or was closed before that.
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
            match state.check_runs() {
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

    /// The last commit that was taken, or zero.
    pub(crate) fn appended(&self) -> u64 {
        self.shared().lock().appended
    }

    /// Waits until all that was appended is on disk.
    ///
    /// # Errors
    ///
    /// When the log has failed or was closed.
    #[cfg(test)]
    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        self.durable(self.appended()).await
    }

    /// Waits until all that was appended is in the tables, and forgotten by the write-ahead
    /// log.
    ///
    /// # Errors
    ///
    /// When the log has failed or was closed.
    pub(crate) async fn checkpoint(&self) -> Result<(), StoreError> {
        let seq = self.appended();
        self.durable(seq).await?;
        let event = Event::Checkpointed;
        Wait::new(self.shared(), event, seq, move |state: &mut State| {
            if state.checkpointed >= seq && !state.is_release_due() {
                return Poll::Ready(Ok(()));
            }
            state.checkpoint_wanted = state.checkpoint_wanted.max(seq);
            match state.check_runs() {
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

    /// Takes no more commits, puts those that were taken into the tables, ends the threads and
    /// closes the files. Nothing can be read then.
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
        self.shared().close_tables();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::storage::row::{MessageNumber, Row, RowKey};
    use crate::storage::disk::faulty::{Fault, FaultyDisk};
    use crate::storage::log::model::{actor, message};
    use crate::storage::log::recovery::TABLES_FILE;
    use crate::storage::tables::tables::Tables;
    use std::task::{Context, Waker};
    use tokio::task::JoinSet;

    /// Nothing is written unless somebody waits.
    fn patient() -> LogSettings {
        LogSettings {
            delay_ms: u64::MAX,
            checkpoint_age_ms: u64::MAX,
            ..LogSettings::default()
        }
    }

    fn open(disk: &FaultyDisk, settings: LogSettings) -> CommitLog {
        CommitLog::open(disk.clone(), settings).unwrap().0
    }

    fn set(number: usize, bytes: usize) -> Commit {
        let mut commit = Commit::default();
        let row = Row::Value(vec![0; bytes].into());
        commit.put(&actor(0), RowKey::State(format!("k{number}")), row);
        commit
    }

    fn send() -> Commit {
        let mut commit = Commit::default();
        let row = Row::Message(Box::new(message(&actor(1), 1)));
        commit.put(&actor(1), RowKey::Message(MessageNumber::new(0)), row);
        commit
    }

    fn receive(seq: u64) -> Commit {
        let mut commit = Commit::default();
        commit.remove(&actor(1), RowKey::Message(MessageNumber { seq, index: 0 }));
        commit
    }

    fn append(log: &CommitLog, commit: Commit) -> u64 {
        log.append(commit).unwrap().seq()
    }

    #[tokio::test]
    async fn those_who_wait_together_share_a_sync() {
        let log = open(&FaultyDisk::new(1), patient());
        for _ in 0..20 {
            // All have appended before the first one waits.
            let mut waiting = JoinSet::new();
            for task in 0..64 {
                let seq = append(&log, set(task, 10));
                let log = log.clone();
                waiting.spawn(async move { log.durable(seq).await.unwrap() });
            }
            while let Some(done) = waiting.join_next().await {
                done.unwrap();
            }
        }
        let stats = log.stats();
        assert_eq!(stats.commits, 1_280);
        assert!(stats.syncs <= 40, "{} syncs of 1280 commits", stats.syncs);
    }

    #[tokio::test]
    async fn what_leaves_nothing_is_durable_without_the_disk() {
        let disk = FaultyDisk::new(1);
        let log = open(&disk, patient());
        let before = disk.points();
        for round in 1..4 {
            let sent = append(&log, send());
            let received = append(&log, receive(sent));
            log.durable(received).await.unwrap();
            let stats = log.stats();
            assert_eq!((stats.elided, stats.commits), (round, 2 * round));
        }
        log.checkpoint().await.unwrap();
        assert_eq!((log.stats().syncs, disk.points()), (0, before));

        // A message that is on disk is removed there, too.
        let sent = append(&log, send());
        log.flush().await.unwrap();
        append(&log, receive(sent));
        log.flush().await.unwrap();
        assert_eq!((log.stats().syncs, log.stats().rows), (2, 2));
        log.checkpoint().await.unwrap();
        assert_eq!(
            log.stats().applied_rows,
            0,
            "it left nothing for the tables"
        );
    }

    #[tokio::test]
    async fn an_empty_commit_is_none() {
        let log = open(&FaultyDisk::new(1), patient());
        assert_eq!(append(&log, Commit::default()), 0);
        log.durable(0).await.unwrap();
        assert_eq!((log.appended(), log.stats().commits), (0, 0));
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_written_all_the_same() {
        let settings = LogSettings {
            delay_ms: 1,
            ..patient()
        };
        let log = open(&FaultyDisk::new(1), settings);
        let seq = append(&log, set(0, 1));
        // It waits, and does not ask for it.
        let check = move |state: &mut State| match state.durable >= seq {
            true => Poll::Ready(Ok(())),
            false => Poll::Pending,
        };
        let waiting = Wait::new(log.shared(), Event::Durable, seq, check);
        waiting.await.unwrap();
        assert_eq!(log.stats().syncs, 1);
    }

    #[tokio::test]
    async fn there_is_room_again_when_the_disk_has_caught_up() {
        let settings = LogSettings {
            unlogged_bytes: 10_000,
            ..patient()
        };
        let log = open(&FaultyDisk::new(1), settings);
        log.room().await.unwrap();
        append(&log, set(0, 20_000));
        {
            let mut room = Box::pin(log.room());
            let mut context = Context::from_waker(Waker::noop());
            assert!(room.as_mut().poll(&mut context).is_pending());
        }
        let (room, flushed) = tokio::join!(log.room(), log.flush());
        room.and(flushed).unwrap();
    }

    #[tokio::test]
    async fn who_waits_no_longer_is_forgotten() {
        let log = open(&FaultyDisk::new(1), patient());
        {
            let mut waiting = Box::pin(log.failed());
            let mut context = Context::from_waker(Waker::noop());
            assert!(waiting.as_mut().poll(&mut context).is_pending());
            assert!(waiting.as_mut().poll(&mut context).is_pending());
            assert_eq!(log.shared().lock().waiters(Event::Ended).len(), 1);
        }
        assert_eq!(log.shared().lock().waiters(Event::Ended).len(), 0);
    }

    #[tokio::test]
    async fn a_failed_disk_stops_the_log_and_tells_everybody() {
        let disk = FaultyDisk::new(1);
        let log = open(&disk, patient());
        let safe = append(&log, set(0, 1));
        log.durable(safe).await.unwrap();
        disk.fail_at(disk.points() + 1, Fault::Dead);

        let first = append(&log, set(1, 1));
        let second = append(&log, set(2, 1));
        let (first, second, failed) =
            tokio::join!(log.durable(first), log.durable(second), log.failed());
        assert_eq!(first, Err(failed.clone()));
        assert_eq!(second, Err(failed.clone()));
        assert_eq!(log.append(set(3, 1)).unwrap_err(), failed);
        assert_eq!(log.append(Commit::default()).unwrap_err(), failed);
        assert_eq!(log.room().await, Err(failed.clone()));
        assert_eq!(log.load(&actor(0)).unwrap_err(), failed);
        assert_eq!(log.close().await, Err(failed));
        log.durable(safe).await.unwrap();
    }

    #[tokio::test]
    async fn a_panic_over_the_log_stops_it() {
        let log = open(&FaultyDisk::new(1), patient());
        let shared = log.owner.shared.clone();
        let panicked = std::thread::spawn(move || {
            let _state = shared.lock();
            panic!("over the log");
        });
        assert!(panicked.join().is_err());
        let failed = log.failed().await;
        assert!(failed.to_string().contains("panicked"));
        assert_eq!(log.append(set(0, 1)).unwrap_err(), failed);
        assert_eq!(log.close().await, Err(failed));
    }

    #[tokio::test]
    async fn a_closed_log_takes_nothing_and_keeps_everything() {
        let disk = FaultyDisk::new(1);
        let log = open(&disk, patient());
        append(&log, set(0, 1));
        log.close().await.unwrap();
        assert_eq!(log.append(set(1, 1)).unwrap_err(), State::closed());
        assert_eq!(log.failed().await, State::closed());
        assert_eq!(log.stats().checkpoints, 1);
        assert_eq!(log.load(&actor(1)).unwrap_err(), State::closed());
        let log = open(&disk, patient());
        assert_eq!((log.appended(), log.stats().unapplied_bytes), (1, 0));
        assert_eq!(log.load(&actor(0)).unwrap().keys.len(), 1);
    }

    #[tokio::test]
    async fn expired_answers_are_found_and_copies_hold_everything() {
        let disk = FaultyDisk::new(1);
        let log = open(&disk, patient());
        let answer = |period, id: &str| RowKey::Answer(period, id.into());
        let mut commit = Commit::default();
        for (period, id) in [(1, "a"), (1, "b"), (2, "a"), (3, "a")] {
            let row = Row::Answer(Box::new(Ok(None)));
            commit.put(&actor(0), answer(period, id), row);
        }
        append(&log, commit);
        log.checkpoint().await.unwrap();
        let mut commit = Commit::default();
        commit.remove(&actor(0), answer(1, "a"));
        append(&log, commit);
        let expired = |limit| {
            let found = log.expired_answers(3, limit).unwrap();
            found.into_iter().map(|(_, key)| key).collect::<Vec<_>>()
        };
        assert_eq!(expired(9), [answer(1, "b"), answer(2, "a")]);
        assert_eq!(expired(1), [answer(1, "b")]);

        log.checkpoint().await.unwrap();
        let copy = FaultyDisk::new(2);
        let file = copy.create(TABLES_FILE).unwrap();
        copy.sync().unwrap();
        let target = Tables::open(file, 1 << 20).unwrap();
        log.snapshot_to(&target).unwrap();
        drop(target);
        let copied = open(&copy, patient());
        assert_eq!(copied.appended(), log.appended());
        assert_eq!(copied.expired_answers(9, 9).unwrap().len(), 3);
    }
}
