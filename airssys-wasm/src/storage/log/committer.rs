//! The thread that writes commits to the write-ahead log, as many at once as there are.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::storage::codec::error::CodecError;
use crate::storage::disk::disk::Disk;
use crate::storage::log::batch::Batch;
use crate::storage::log::frame::encode;
use crate::storage::log::shared::{Shared, Thread};
use crate::storage::log::state::Closing;
use crate::storage::wal::error::WalError;
use crate::storage::wal::wal::Wal;

/// How many actors' rows settle while the log is locked.
const SETTLED_AT_ONCE: usize = 64;

/// Why the committer gave up.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum CommitterError {
    #[error(transparent)]
    Wal(#[from] WalError),
    #[error(transparent)]
    Codec(#[from] CodecError),
}

enum Job {
    /// Write this batch.
    Write(Arc<Batch>),
    /// Forget frames up to this one.
    Release(u64),
}

/// Writes and forgets until the log is closed or fails.
///
/// # Errors
///
/// When the disk fails. Nothing that was in flight is known to be on disk then.
pub(crate) fn run<D: Disk>(shared: &Shared, mut wal: Wal<D>) -> Result<(), CommitterError> {
    while let Some(job) = next_job(shared) {
        match job {
            Job::Write(batch) => {
                let payload = encode(&batch)?;
                wal.append(batch.last(), &payload)?;
                settle(shared, batch, payload.len());
            }
            Job::Release(frame) => {
                wal.release(frame)?;
                end_release(shared, frame);
            }
        }
        shared.lock().stats.log_file_bytes = wal.bytes();
    }
    Ok(())
}

/// Waits until there is something to do.
fn next_job(shared: &Shared) -> Option<Job> {
    let mut state = shared.lock();
    let mut nap_ends: Option<Instant> = None;
    loop {
        if state.failure.is_some() {
            return None;
        }
        if state.is_release_due() {
            return Some(Job::Release(state.applied));
        }
        let is_old = nap_ends.is_some_and(|end| Instant::now() >= end);
        if state.is_write_due() || (is_old && state.is_pending()) {
            let woken = state.skip_void();
            if state.is_pending() {
                return Some(Job::Write(state.seal()));
            }
            shared.unlock(state);
            wake(woken);
            nap_ends = None;
            state = shared.lock();
            continue;
        }
        if state.closing != Closing::No && state.checkpointer_ended {
            return None;
        }
        if state.is_pending() {
            let delay = Duration::from_millis(state.settings.delay_ms);
            nap_ends = nap_ends.or_else(|| Instant::now().checked_add(delay));
        } else {
            nap_ends = None;
        }
        state = shared.sleep(Thread::Committer, state, nap_ends);
    }
}

/// Tells everybody that a batch is on disk, and moves it to the unapplied layer, bit by
/// bit, so that nobody waits long for the lock.
fn settle(shared: &Shared, batch: Arc<Batch>, frame_bytes: usize) {
    let mut state = shared.lock();
    let woken = state.end_write(&batch, frame_bytes);
    shared.unlock(state);
    wake(woken);

    let actors: Vec<ComponentId> = batch.actors().cloned().collect();
    // The overlay owns the batch alone from here on.
    drop(batch);
    shared.lock().begin_settling();
    for actors in actors.chunks(SETTLED_AT_ONCE) {
        shared.lock().settle(actors);
    }
    let mut state = shared.lock();
    let woken = state.end_settling();
    shared.unlock(state);
    wake(woken);
}

fn end_release(shared: &Shared, frame: u64) {
    let mut state = shared.lock();
    state.released = frame;
    let woken = state.wake_for_checkpoint();
    shared.unlock(state);
    wake(woken);
}

fn wake(wakers: Vec<Waker>) {
    for waker in wakers {
        waker.wake();
    }
}
