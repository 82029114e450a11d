//! Why bytes on disk are no row.

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::storage::tables::table::Table;

/// The most bytes of a key that an error shows.
const MAX_SHOWN_BYTES: usize = 64;

/// Why a row was not read or written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(crate) enum CodecError {
    /// A key is not made as keys of its table are.
    #[error(
        "the key {key} of table `{table}` cannot be read: {reason}; check the data folder \
         with `airssys verify`, or restore a backup"
    )]
    Key {
        table: Table,
        /// The key's bytes, with what cannot be printed escaped.
        key: String,
        reason: String,
    },

    /// A value is not made as values of its table are.
    #[error(
        "a row of table `{table}` cannot be read: {reason}; check the data folder with \
         `airssys verify`, or restore a backup"
    )]
    Row { table: Table, reason: String },

    /// A value is of a layout that this release does not know.
    #[error(
        "a row of table `{table}` has layout {found}, and this release knows only {known}; \
         run the newer release that wrote it"
    )]
    Newer { table: Table, found: u8, known: u8 },

    /// The table has no rows of actors.
    #[error("table `{0}` has no rows of actors")]
    NoRows(Table),

    /// A row could not be made into bytes.
    #[error("a row cannot be written: {0}")]
    Unwritable(String),
}

impl CodecError {
    pub(crate) fn key(table: Table, key: &[u8], reason: impl ToString) -> Self {
        let shown = &key[..key.len().min(MAX_SHOWN_BYTES)];
        let cut = if shown.len() < key.len() { "…" } else { "" };
        Self::Key {
            table,
            key: format!("`{}`{cut}", shown.escape_ascii()),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn row(table: Table, reason: impl ToString) -> Self {
        Self::Row {
            table,
            reason: reason.to_string(),
        }
    }
}
