//! How much of an audit log is kept.

/// The smallest size of a file, in bytes: some of the longest lines fit.
const MIN_FILE_BYTES: u64 = 64 << 10;

/// How much of an audit log is kept, and what is put into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSettings {
    /// How large one file gets, in bytes; at least 65 536. Default 16 MiB.
    pub file_bytes: u64,
    /// How many files are kept, at least 2; the oldest goes first. Default 8.
    pub files: usize,
    /// Of uses that are allowed, one in so many is written down; 0, the default, is none.
    pub sample: u64,
    /// How many denials of one component are written down singly in a second, at least 1, as
    /// long as it has not caused a thousand entries in the hour. Default 20.
    pub denials_per_s: u32,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self {
            file_bytes: 16 << 20,
            files: 8,
            sample: 0,
            denials_per_s: 20,
        }
    }
}

impl AuditSettings {
    /// The same, where too small numbers are as small as they may be.
    pub(crate) fn within_bounds(self) -> Self {
        Self {
            file_bytes: self.file_bytes.max(MIN_FILE_BYTES),
            files: self.files.max(2),
            denials_per_s: self.denials_per_s.max(1),
            ..self
        }
    }
}
