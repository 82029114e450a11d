//! The thread that applies what is in the write-ahead log to the tables.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::storage::store::StoreError;
use crate::storage::codec::error::CodecError;
use crate::storage::log::batch::Batch;
use crate::storage::log::frame::raw_writes;
use crate::storage::log::shared::{Shared, Thread};
use crate::storage::log::state::Rest;
use crate::storage::tables::error::TablesError;
use crate::storage::tables::table::RawWrite;
use crate::storage::tables::tables::Tables;

/// How many times as old as it should become something may get while the committer works.
const PATIENCE: u32 = 3;

/// Why the checkpointer gave up.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum CheckpointerError {
    #[error(transparent)]
    Stopped(#[from] StoreError),
    #[error(transparent)]
    Tables(#[from] TablesError),
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// Applies batches until the log is closed or fails.
///
/// # Errors
///
/// When the disk fails.
pub(crate) fn run(shared: &Shared) -> Result<(), CheckpointerError> {
    let tables = shared.tables()?;
    while let Some(batch) = next_batch(shared) {
        let writes = raw_writes(&batch).collect::<Result<Vec<_>, _>>()?;
        apply(shared, &tables, batch.last(), writes)?;
        drop(batch);
        end_checkpoint(shared);
    }
    Ok(())
}

/// Applies writes in the order of their keys, which is the quickest one.
fn apply(
    shared: &Shared,
    tables: &Tables,
    frame: u64,
    mut writes: Vec<RawWrite>,
) -> Result<(), TablesError> {
    writes.sort_unstable_by(|a, b| (a.table, &a.key).cmp(&(b.table, &b.key)));
    shared.lock().stats.applied_rows += writes.len() as u64;
    tables.apply(frame, writes)
}

fn end_checkpoint(shared: &Shared) {
    let mut state = shared.lock();
    let applied = state.end_checkpoint();
    let mut woken = state.wake_for_room();
    woken.extend(state.wake_for_checkpoint());
    shared.unlock(state);
    // To free a million rows takes a while.
    drop(applied);
    for waker in woken {
        waker.wake();
    }
}

/// Waits until there is something to apply.
fn next_batch(shared: &Shared) -> Option<Arc<Batch>> {
    let mut state = shared.lock();
    loop {
        if state.failure.is_some() {
            return None;
        }
        if state.is_checkpoint_due() {
            return Some(state.begin_checkpoint());
        }
        if state.is_drained() {
            return None;
        }
        let mut nap_ends = None;
        if let Some(since) = state.unapplied_since() {
            let age = Duration::from_millis(state.settings.checkpoint_age_ms);
            let (due, now) = (since.checked_add(age), Instant::now());
            let is_old = due.is_some_and(|due| due <= now);
            // Under load the committer never rests, and the log must not grow for ever.
            let is_overdue = since.elapsed() >= age.saturating_mul(PATIENCE);
            if is_overdue || is_old && state.committer != Rest::Works {
                return Some(state.begin_checkpoint());
            }
            nap_ends = if is_old { now.checked_add(age) } else { due };
        }
        state = shared.sleep(Thread::Checkpointer, state, nap_ends);
    }
}
