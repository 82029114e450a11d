//! When the log writes, and how much it keeps in memory.

// Layer 3: Internal module imports
use crate::core::storage::durability::MAX_DELAY_MS;
use crate::storage::tables::tables::DEFAULT_CACHE_BYTES;
use crate::storage::wal::wal::Sizes;

/// The figures of a log. Bytes are about those of memory, and a commit may exceed a bound
/// once: whoever is under it may append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogSettings {
    /// How long a commit waits for the disk at most while nobody waits for it, in
    /// milliseconds.
    pub(crate) delay_ms: u64,
    /// A batch of so many bytes is written although nobody waits for it.
    pub(crate) batch_bytes: u64,
    /// There is no room for commits while so many bytes wait for the log.
    pub(crate) unlogged_bytes: u64,
    /// So many bytes are applied to the tables at once.
    pub(crate) checkpoint_bytes: u64,
    /// What is older is applied when the disk has nothing else to do, in milliseconds.
    pub(crate) checkpoint_age_ms: u64,
    /// There is no room for commits while so many bytes wait for the tables.
    pub(crate) unapplied_bytes: u64,
    /// How large the files of the write-ahead log are.
    pub(crate) sizes: Sizes,
    /// How much memory the tables use for what they read.
    pub(crate) cache_bytes: usize,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            delay_ms: MAX_DELAY_MS,
            batch_bytes: 4 << 20,
            unlogged_bytes: 32 << 20,
            checkpoint_bytes: 32 << 20,
            checkpoint_age_ms: 1_000,
            unapplied_bytes: 256 << 20,
            sizes: Sizes::default(),
            cache_bytes: DEFAULT_CACHE_BYTES,
        }
    }
}
