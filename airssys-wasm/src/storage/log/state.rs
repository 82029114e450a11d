//! Where everything is that was committed. One lock guards it.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::storage::commit::Commit;
use crate::core::storage::store::StoreError;
use crate::storage::log::batch::Batch;
use crate::storage::log::overlay::Overlay;
use crate::storage::log::settings::LogSettings;
use crate::storage::log::stats::LogStats;
use crate::storage::log::usage::Usage;
use crate::storage::log::waiters::Waiters;

/// What the log's handles and its threads share.
///
/// Of the numbers here none is greater than the one before it:
/// `appended`, `sealed`, `durable`, `settled`, `checkpointed`.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) settings: LogSettings,
    pub(crate) overlay: Overlay,
    pub(crate) usage: Usage,
    pub(crate) stats: LogStats,
    /// The last commit that was taken.
    pub(crate) appended: u64,
    /// The last commit that is not pending any more.
    pub(crate) sealed: u64,
    /// The last commit that is on disk.
    pub(crate) durable: u64,
    /// The last commit that is in the unapplied layer or older.
    pub(crate) settled: u64,
    /// The last commit that is in the tables.
    pub(crate) checkpointed: u64,
    /// The last frame of the write-ahead log that is settled.
    pub(crate) frame: u64,
    /// The last frame that is in the tables.
    pub(crate) applied: u64,
    /// The last frame that the write-ahead log was told to forget.
    pub(crate) released: u64,
    /// The last commit that somebody waits for to be durable.
    pub(crate) wanted: u64,
    /// The last commit that somebody wants to be in the tables.
    pub(crate) checkpoint_wanted: u64,
    /// Since when the unapplied layer has something.
    pub(crate) unapplied_since: Option<Instant>,
    /// How often a layer was dropped since the tables have it.
    pub(crate) layers_dropped: u64,
    pub(crate) waiters: [Waiters; Event::COUNT],
    pub(crate) committer: Rest,
    pub(crate) checkpointer: Rest,
    pub(crate) closing: Closing,
    /// The threads that have not ended.
    pub(crate) threads: usize,
    pub(crate) checkpointer_ended: bool,
    pub(crate) failure: Option<Arc<str>>,
}

/// What somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A commit is on disk.
    Durable,
    /// There is room for commits.
    Room,
    /// A commit is in the tables.
    Checkpointed,
    /// The log has failed, or its threads have ended.
    Ended,
}

impl Event {
    pub(crate) const ALL: [Self; 4] = [Self::Durable, Self::Room, Self::Checkpointed, Self::Ended];
    const COUNT: usize = Self::ALL.len();
}

/// What a thread does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Rest {
    /// It works, and looks for more when it is done.
    #[default]
    Works,
    /// It sleeps until there is something that it should do.
    Sleeps,
    /// It sleeps, for a time at most.
    Naps,
}

/// How the log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Closing {
    /// It does not.
    #[default]
    No,
    /// When all commits are on disk.
    Flush,
    /// When all commits are in the tables.
    Checkpoint,
}

impl State {
    /// Whether the log works.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match &self.failure {
            None => Ok(()),
            Some(reason) => Err(StoreError::Stopped(reason.to_string())),
        }
    }

    /// Whether the log works, and its threads have not ended.
    pub(crate) fn check_runs(&self) -> Result<(), StoreError> {
        self.check()?;
        match self.threads {
            0 => Err(Self::closed()),
            _ => Ok(()),
        }
    }

    /// What is said when the log was closed.
    pub(crate) fn closed() -> StoreError {
        StoreError::Closed
    }

    /// Takes a commit into the order.
    #[inline]
    pub(crate) fn append(&mut self, commit: Commit) -> Result<u64, StoreError> {
        self.check()?;
        if self.closing != Closing::No {
            return Err(Self::closed());
        }
        self.appended += 1;
        if let Some((actor, growth)) = &commit.growth {
            self.usage.grow(actor.component(), *growth);
        }
        self.overlay.pending.merge(self.appended, commit);
        Ok(self.appended)
    }

    /// Whether there is room for commits.
    pub(crate) fn has_room(&self) -> bool {
        self.overlay.unlogged_bytes() < self.settings.unlogged_bytes
            && self.overlay.unapplied_bytes() < self.settings.unapplied_bytes
    }

    pub(crate) fn waiters(&mut self, event: Event) -> &mut Waiters {
        &mut self.waiters[event as usize]
    }

    /// Whether there are commits that are not in a batch to be written.
    pub(crate) fn is_pending(&self) -> bool {
        self.sealed < self.appended
    }

    /// Whether pending commits should be written now.
    pub(crate) fn is_write_due(&self) -> bool {
        self.is_pending()
            && (self.wanted > self.sealed
                || self.overlay.pending.counts().bytes >= self.settings.batch_bytes
                || self.closing != Closing::No)
    }

    /// Whether the write-ahead log should forget something.
    pub(crate) fn is_release_due(&self) -> bool {
        self.released < self.applied
    }

    /// Whether pending commits leave nothing to be written: what they put they removed.
    fn is_void(&self) -> bool {
        self.overlay.pending.is_void() && self.usage.is_written()
    }

    /// Takes pending commits as durable if they leave nothing to be written and all before
    /// them are settled: the disk without them says the same as the disk with them.
    ///
    /// Their numbers are on disk nowhere. After a restart others may get them, and nothing
    /// that outlived the process can tell them apart: messages that bear them are gone, and
    /// what waits for a number is gone with the process.
    #[must_use]
    pub(crate) fn skip_void(&mut self) -> Vec<Waker> {
        if !self.is_pending() || self.settled < self.sealed || !self.is_void() {
            return Vec::new();
        }
        let pending = std::mem::take(&mut self.overlay.pending);
        self.stats.count_batch(pending.counts());
        self.sealed = self.appended;
        self.settled = self.appended;
        self.catch_up();
        let mut woken = self.set_durable(self.appended);
        woken.extend(self.wake_for_room());
        woken.extend(self.wake_for_checkpoint());
        woken
    }

    /// Begins to write what is pending.
    pub(crate) fn seal(&mut self) -> Arc<Batch> {
        let mut pending = std::mem::take(&mut self.overlay.pending);
        self.usage.write_to(&mut pending);
        self.sealed = self.appended;
        let batch = Arc::new(pending);
        self.overlay.in_flight = Some(batch.clone());
        batch
    }

    /// What is in flight is in the log. Gives back who waits for that.
    #[must_use]
    pub(crate) fn end_write(&mut self, batch: &Batch, frame_bytes: usize) -> Vec<Waker> {
        self.stats.count_batch(batch.counts());
        self.stats.count_sync(frame_bytes);
        self.set_durable(batch.last())
    }

    /// What was in flight begins to settle.
    pub(crate) fn begin_settling(&mut self) {
        if let Some(batch) = self.overlay.in_flight.take() {
            self.overlay.settling = Some(Arc::unwrap_or_clone(batch));
        }
    }

    /// Settles the rows of these actors.
    pub(crate) fn settle(&mut self, actors: &[ComponentId]) {
        let Some(settling) = &mut self.overlay.settling else {
            return;
        };
        for actor in actors {
            if let Some(rows) = settling.take_rows(actor) {
                self.overlay.unapplied.absorb(actor.clone(), rows);
            }
        }
    }

    /// All rows are settled. Gives back who waits for room.
    #[must_use]
    pub(crate) fn end_settling(&mut self) -> Vec<Waker> {
        if let Some(mut settled) = self.overlay.settling.take() {
            let unapplied = &mut self.overlay.unapplied;
            for (component, usage) in settled.take_usage() {
                unapplied.set_usage(component, usage);
            }
            unapplied.extend_to(settled.last(), settled.counts().commits);
            self.frame = settled.last();
            self.settled = settled.last();
            self.unapplied_since.get_or_insert_with(Instant::now);
        }
        self.wake_for_room()
    }

    /// All up to this commit is on disk. Gives back who waits for that.
    fn set_durable(&mut self, seq: u64) -> Vec<Waker> {
        self.durable = seq;
        self.waiters(Event::Durable).reached(seq)
    }

    /// Gives back who waits for room, if there is some.
    #[must_use]
    pub(crate) fn wake_for_room(&mut self) -> Vec<Waker> {
        if self.has_room() {
            self.waiters(Event::Room).reached(u64::MAX)
        } else {
            Vec::new()
        }
    }

    /// Whether there is something that is not in the tables, and is whole.
    fn is_unapplied(&self) -> bool {
        self.applied < self.frame && self.overlay.settling.is_none()
    }

    /// Whether the unapplied layer should be applied, other than for its age.
    pub(crate) fn is_checkpoint_due(&self) -> bool {
        self.is_unapplied()
            && (self.is_checkpoint_wanted()
                || self.overlay.unapplied.counts().bytes >= self.settings.checkpoint_bytes
                || self.closing == Closing::Checkpoint)
    }

    /// Whether somebody wants what is settled to be in the tables.
    fn is_checkpoint_wanted(&self) -> bool {
        (self.checkpointed + 1..=self.settled).contains(&self.checkpoint_wanted)
    }

    /// Since when there is something that may be applied.
    pub(crate) fn unapplied_since(&self) -> Option<Instant> {
        self.unapplied_since.filter(|_| self.is_unapplied())
    }

    /// Begins to apply the unapplied layer.
    pub(crate) fn begin_checkpoint(&mut self) -> Arc<Batch> {
        let batch = Arc::new(std::mem::take(&mut self.overlay.unapplied));
        self.unapplied_since = None;
        self.overlay.applying = Some(batch.clone());
        batch
    }

    /// The tables have the layer that was applied. Gives it back, to be freed.
    pub(crate) fn end_checkpoint(&mut self) -> Option<Arc<Batch>> {
        let applied = self.overlay.applying.take();
        if let Some(batch) = &applied {
            self.applied = batch.last();
            self.checkpointed = batch.last();
        }
        self.layers_dropped += 1;
        self.stats.checkpoints += 1;
        self.catch_up();
        applied
    }

    /// Gives back who waits for commits to be in the tables, and no longer in the log.
    #[must_use]
    pub(crate) fn wake_for_checkpoint(&mut self) -> Vec<Waker> {
        if self.is_release_due() {
            return Vec::new();
        }
        let checkpointed = self.checkpointed;
        self.waiters(Event::Checkpointed).reached(checkpointed)
    }

    /// What left nothing to be written is in the tables when all before it is.
    pub(crate) fn catch_up(&mut self) {
        if self.applied == self.frame {
            self.checkpointed = self.settled;
        }
    }

    /// Whether nothing will come after what is in the tables.
    pub(crate) fn is_drained(&self) -> bool {
        match self.closing {
            Closing::No => false,
            Closing::Flush => true,
            Closing::Checkpoint => self.checkpointed == self.appended,
        }
    }

    /// Takes who waits for anything.
    #[must_use]
    pub(crate) fn all_waiters(&mut self) -> Vec<Waker> {
        let all = self.waiters.iter_mut();
        all.flat_map(|waiters| waiters.reached(u64::MAX)).collect()
    }
}
