//! Tables as they were at one moment, while others go on.

// Layer 1: Standard library imports
use std::ops::ControlFlow;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use redb::ReadTransaction;

// Layer 3: Internal module imports
use crate::storage::tables::error::TablesError;
use crate::storage::tables::failure::Failure;
use crate::storage::tables::reader::{self, Entry};
use crate::storage::tables::table::Table;
use crate::storage::tables::tables::Tables;

/// The most bytes of keys and values that one transaction of a copy writes.
const MAX_COPIED_BYTES: usize = 8 << 20;

/// Tables as they were. What is changed meanwhile takes up room in the file until the
/// snapshot is dropped, so that it is not kept for long.
pub(crate) struct Snapshot {
    reads: ReadTransaction,
    failure: Arc<Failure>,
}

impl Snapshot {
    pub(crate) fn new(reads: ReadTransaction, failure: Arc<Failure>) -> Self {
        Self { reads, failure }
    }

    /// The last batch that had been applied, or zero.
    ///
    /// # Errors
    ///
    /// When the disk fails, or what is read is damaged.
    pub(crate) fn applied(&self) -> Result<u64, TablesError> {
        self.failure.guard(|| reader::applied(&self.reads))
    }

    /// The value of one key.
    ///
    /// # Errors
    ///
    /// When the disk fails, or what is read is damaged.
    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        self.failure.guard(|| reader::get(&self.reads, table, key))
    }

    /// At most `limit` entries after `after` whose key has a prefix, in order.
    ///
    /// # Errors
    ///
    /// When the disk fails, or what is read is damaged.
    #[cfg(test)]
    pub(crate) fn range(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, TablesError> {
        self.failure
            .guard(|| reader::range(&self.reads, table, prefix, after, limit))
    }

    /// Shows all entries after `after` whose key has a prefix, in order, until `see` has
    /// seen enough. Nothing is copied.
    ///
    /// # Errors
    ///
    /// When the disk fails, or what is read is damaged.
    pub(crate) fn visit(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        see: impl FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), TablesError> {
        self.failure
            .guard(|| reader::visit(&self.reads, table, prefix, after, see))
    }

    /// Copies everything to new tables, in transactions of some megabytes. Until the last of
    /// them, the copy is marked as unfinished, and is not opened again.
    ///
    /// # Errors
    ///
    /// When there are rows in `target`, or either file fails.
    pub(crate) fn copy_to(&self, target: &Tables) -> Result<(), TablesError> {
        target.begin_copy()?;
        for table in Table::ALL {
            let mut after = None;
            loop {
                let page = self.page(table, after.as_deref())?;
                let Some((last, _)) = page.last() else {
                    break;
                };
                after = Some(last.clone());
                target.copy(table, page)?;
            }
        }
        target.end_copy(self.applied()?)
    }

    /// The next entries of a table: one at least, if there is one, and not many more bytes
    /// than a transaction of a copy takes.
    fn page(&self, table: Table, after: Option<&[u8]>) -> Result<Vec<Entry>, TablesError> {
        let (mut page, mut bytes) = (Vec::new(), 0);
        self.visit(table, &[], after, |key, value| {
            bytes += key.len() + value.len();
            page.push((key.to_vec(), value.to_vec()));
            match bytes < MAX_COPIED_BYTES {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        })?;
        Ok(page)
    }
}
