//! What a log has done.

// Layer 3: Internal module imports
use crate::storage::log::batch::Counts;

/// What a log has done since it was opened, and what it has yet to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LogStats {
    /// Commits that are on disk, or left nothing to be put there.
    pub(crate) commits: u64,
    /// Batches that these were merged into.
    pub(crate) batches: u64,
    /// Batches that were written, each with one sync.
    pub(crate) syncs: u64,
    /// Rows that were written to the write-ahead log.
    pub(crate) rows: u64,
    /// Writes to a row that was written again before the first was on disk.
    pub(crate) coalesced: u64,
    /// Rows that were put and removed before they were on disk.
    pub(crate) elided: u64,
    /// Bytes of frames that were written to the write-ahead log.
    pub(crate) log_bytes: u64,
    /// Bytes that the files of the write-ahead log take up.
    pub(crate) log_file_bytes: u64,
    /// Rows that were applied to the tables.
    pub(crate) applied_rows: u64,
    /// How often rows were applied to the tables.
    pub(crate) checkpoints: u64,
    /// About how many bytes of memory wait for the log.
    pub(crate) unlogged_bytes: u64,
    /// About how many bytes of memory wait for the tables.
    pub(crate) unapplied_bytes: u64,
}

impl LogStats {
    /// A batch is on disk, or left nothing.
    pub(crate) fn count_batch(&mut self, counts: Counts) {
        self.batches += 1;
        self.commits += counts.commits;
        self.rows += counts.rows;
        self.coalesced += counts.coalesced;
        self.elided += counts.elided;
    }

    /// A batch was written, as so many bytes.
    pub(crate) fn count_sync(&mut self, frame_bytes: usize) {
        self.syncs += 1;
        self.log_bytes += frame_bytes as u64;
    }
}
