//! Tables of raw keys and values in one file, changed by whole batches.
//!
//! The engine is redb: a copy-on-write tree, so that a snapshot costs nothing and a crash
//! leaves the last batch that was applied, whole.

// Layer 1: Standard library imports
use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

// Layer 2: Third-party crate imports
use redb::{Builder, Database, Durability, ReadTransaction, ReadableDatabase, WriteTransaction};

// Layer 3: Internal module imports
use crate::storage::disk::disk::DiskFile;
use crate::storage::tables::backend::Backend;
use crate::storage::tables::error::TablesError;
use crate::storage::tables::failure::Failure;
use crate::storage::tables::meta::{self, APPLIED_KEY, UNFINISHED_KEY, definition};
use crate::storage::tables::reader::{self, Entry};
use crate::storage::tables::snapshot::Snapshot;
use crate::storage::tables::table::{RawWrite, Table};

/// The memory that tables use for what was read and what is being written, unless another
/// size is asked for.
pub(crate) const DEFAULT_CACHE_BYTES: usize = 64 << 20;

/// Tables in one file. All that takes `&self` may be used by many threads at once; batches
/// wait for one another, and nobody else does.
pub(crate) struct Tables {
    /// Absent once it is being dropped.
    database: Option<Database>,
    file: Arc<dyn DiskFile>,
    failure: Arc<Failure>,
}

/// What [`Tables::check`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    /// All rows are as they were written.
    Sound,
    /// All rows are as they were written. What the engine notes about free room was not, and
    /// is now.
    Mended,
}

impl Tables {
    /// Opens the tables in a file, or makes them if it is empty. They use about
    /// `cache_bytes` of memory.
    ///
    /// It takes about a millisecond, also after the process was killed.
    ///
    /// # Errors
    ///
    /// When the file is of another program or a newer release, when it is damaged, or the
    /// disk fails.
    pub(crate) fn open(file: impl DiskFile, cache_bytes: usize) -> Result<Self, TablesError> {
        let file: Arc<dyn DiskFile> = Arc::new(file);
        let failure = Arc::new(Failure::default());
        failure.guard(|| meta::prepare(file.as_ref()))?;
        let backend = Backend {
            file: Arc::clone(&file),
            failure: Arc::clone(&failure),
        };
        let mut builder = Builder::new();
        builder.set_cache_size(cache_bytes);
        let database = failure.guard(|| Ok(builder.create_with_backend(backend)?))?;
        let tables = Self {
            database: Some(database),
            file,
            failure,
        };
        tables.guard(|| tables.make_or_check())?;
        Ok(tables)
    }

    fn make_or_check(&self) -> Result<(), TablesError> {
        let reads = self.begin_read()?;
        if !meta::is_new(&reads)? && meta::check_format(&reads)? {
            return Ok(());
        }
        drop(reads);
        self.write(meta::make)
    }

    /// The last batch that was applied, or zero.
    ///
    /// # Errors
    ///
    /// When the disk fails, or what is read is damaged.
    pub(crate) fn applied(&self) -> Result<u64, TablesError> {
        self.snapshot()?.applied()
    }

    /// Applies a batch: all of it is on disk when this returns, or nothing of it is there.
    /// It is quickest when the writes are in order of table and key.
    ///
    /// # Errors
    ///
    /// When a later batch was applied before, when a key is reserved, when the disk fails, or
    /// the file is no longer in its place. If the disk fails, nobody knows whether the batch
    /// was applied, until the tables are opened again.
    pub(crate) fn apply(
        &self,
        seq: u64,
        writes: impl IntoIterator<Item = RawWrite>,
    ) -> Result<(), TablesError> {
        self.guard(|| {
            self.write(|transaction| {
                put_all(transaction, writes)?;
                let mut meta = transaction.open_table(definition(Table::Meta))?;
                let applied = meta::applied(&meta)?;
                if seq < applied {
                    return Err(TablesError::Order { applied, seq });
                }
                meta.insert(APPLIED_KEY, seq.to_be_bytes().as_slice())?;
                Ok(())
            })
        })
    }

    /// The value of one key.
    ///
    /// # Errors
    ///
    /// When the disk fails, or what is read is damaged.
    #[cfg(test)]
    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        self.snapshot()?.get(table, key)
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
        self.snapshot()?.range(table, prefix, after, limit)
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
        self.snapshot()?.visit(table, prefix, after, see)
    }

    /// The tables as they are now, to be read while they change.
    ///
    /// # Errors
    ///
    /// When the tables have failed.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, TablesError> {
        let reads = self.guard(|| self.begin_read())?;
        Ok(Snapshot::new(reads, Arc::clone(&self.failure)))
    }

    /// The length of the file in bytes. The engine doubles it before it needs the room, so
    /// that up to half of it is holes that take up nothing on the disk.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> Result<u64, TablesError> {
        self.guard(|| {
            self.file
                .len_bytes()
                .map_err(|e| TablesError::Failed(e.to_string()))
        })
    }

    /// Reads the whole file and compares all checksums.
    ///
    /// # Errors
    ///
    /// When something is damaged, when snapshots are alive, or the disk fails. Damaged tables
    /// cannot be used any more.
    pub(crate) fn check(&mut self) -> Result<Checked, TablesError> {
        let before = self.applied()?;
        let is_sound = self.exclusively(|database| Ok(database.check_integrity()?))?;
        let after = self.applied()?;
        self.guard(|| {
            // Where the newest rows are damaged, the engine goes back to those before.
            if after != before {
                return Err(TablesError::Damaged(format!(
                    "batch {before} was applied, and only batch {after} is whole"
                )));
            }
            match is_sound {
                true => Ok(Checked::Sound),
                false => Ok(Checked::Mended),
            }
        })
    }

    /// Takes as little room on the disk as it can. It takes about as long as writing all
    /// rows: some seconds for a million.
    ///
    /// # Errors
    ///
    /// When snapshots are alive, or the disk fails.
    pub(crate) fn compact(&mut self) -> Result<(), TablesError> {
        self.exclusively(|database| Ok(database.compact()?))?;
        // What compacting writes lacks the notes that make opening quick after a crash.
        self.guard(|| self.write(|_| Ok(())))
    }

    /// Marks tables without rows as a copy that is not finished.
    pub(crate) fn begin_copy(&self) -> Result<(), TablesError> {
        self.guard(|| {
            let reads = self.begin_read()?;
            for table in Table::ALL {
                let first = reader::range(&reads, table, &[], None, 2)?;
                let is_free = |(key, _): &Entry| meta::check_is_free(table, key).is_ok();
                if first.iter().any(is_free) || reader::applied(&reads)? > 0 {
                    return Err(TablesError::NotEmpty);
                }
            }
            self.write(|transaction| {
                let mut meta = transaction.open_table(definition(Table::Meta))?;
                meta.insert(UNFINISHED_KEY, [].as_slice())?;
                Ok(())
            })
        })
    }

    /// Puts some rows of a copy. What tables know of themselves is not copied.
    pub(crate) fn copy(&self, table: Table, entries: Vec<Entry>) -> Result<(), TablesError> {
        let is_free = |(key, _): &Entry| meta::check_is_free(table, key).is_ok();
        let writes = entries.into_iter().filter(is_free);
        let writes = writes.map(|(key, value)| RawWrite {
            table,
            key,
            value: Some(value),
        });
        self.guard(|| self.write(|transaction| put_all(transaction, writes)))
    }

    /// Marks a copy as finished.
    pub(crate) fn end_copy(&self, applied: u64) -> Result<(), TablesError> {
        self.guard(|| {
            self.write(|transaction| {
                let mut meta = transaction.open_table(definition(Table::Meta))?;
                meta.insert(APPLIED_KEY, applied.to_be_bytes().as_slice())?;
                meta.remove(UNFINISHED_KEY)?;
                Ok(())
            })
        })
    }

    fn guard<T>(&self, run: impl FnOnce() -> Result<T, TablesError>) -> Result<T, TablesError> {
        self.failure.guard(run)
    }

    fn database(&self) -> Result<&Database, TablesError> {
        let closed = || TablesError::Failed("it is closed".into());
        self.database.as_ref().ok_or_else(closed)
    }

    fn begin_read(&self) -> Result<ReadTransaction, TablesError> {
        Ok(self.database()?.begin_read()?)
    }

    /// Runs what nobody may read meanwhile.
    fn exclusively<T>(
        &mut self,
        run: impl FnOnce(&mut Database) -> Result<T, TablesError>,
    ) -> Result<T, TablesError> {
        let closed = || TablesError::Failed("it is closed".into());
        let database = self.database.as_mut().ok_or_else(closed)?;
        self.failure.guard(|| run(database))
    }

    /// Runs one transaction, which is on disk when this returns.
    fn write(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<(), TablesError>,
    ) -> Result<(), TablesError> {
        let mut transaction = self.database()?.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        // Without it, opening after a crash reads the whole file.
        transaction.set_quick_repair(true);
        match change(&transaction) {
            Ok(()) => transaction.commit()?,
            Err(error) => {
                transaction.abort()?;
                return Err(error);
            }
        }
        // A file that was removed takes writes, and loses them when it is closed.
        match self.file.is_in_place() {
            Ok(true) => Ok(()),
            Ok(false) => Err(TablesError::Removed),
            Err(error) => Err(TablesError::Failed(error.to_string())),
        }
    }
}

/// Puts and removes keys, each table opened once while its writes follow one another.
fn put_all(
    transaction: &WriteTransaction,
    writes: impl IntoIterator<Item = RawWrite>,
) -> Result<(), TablesError> {
    let mut open = None;
    for write in writes {
        meta::check_is_free(write.table, &write.key)?;
        let mut table = match open.take() {
            Some((table, opened)) if table == write.table => opened,
            other => {
                // The engine opens a table once at a time.
                drop(other);
                transaction.open_table(definition(write.table))?
            }
        };
        match write.value {
            Some(value) => table.insert(write.key.as_slice(), value.as_slice())?,
            None => table.remove(write.key.as_slice())?,
        };
        open = Some((write.table, table));
    }
    Ok(())
}

impl Drop for Tables {
    fn drop(&mut self) {
        // Closing writes, and a damaged file may make the engine panic.
        let database = self.database.take();
        if catch_unwind(AssertUnwindSafe(|| drop(database))).is_err() {
            tracing::error!("the tables could not be closed; they are checked when opened");
        }
    }
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables").field("file", &self.file).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::tables::memory_file::MemoryFile;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const CACHE_BYTES: usize = 1 << 20;

    fn open(file: &MemoryFile) -> Result<Tables, TablesError> {
        Tables::open(file.clone(), CACHE_BYTES)
    }

    fn put(table: Table, key: &str, value: &str) -> RawWrite {
        RawWrite {
            table,
            key: key.into(),
            value: Some(value.into()),
        }
    }

    fn remove(table: Table, key: &str) -> RawWrite {
        RawWrite {
            table,
            key: key.into(),
            value: None,
        }
    }

    /// Tables with some thousand rows, of several pages.
    fn filled() -> MemoryFile {
        let file = MemoryFile::default();
        let tables = open(&file).unwrap();
        for seq in 1..=4 {
            let row = |n: u64| put(Table::States, &format!("{seq}/{n:04}"), &"v".repeat(100));
            tables.apply(seq, (0..500).map(row)).unwrap();
        }
        drop(tables);
        file
    }

    fn text_of(page: Vec<Entry>) -> Vec<String> {
        let text = |(key, _): Entry| String::from_utf8(key).unwrap();
        page.into_iter().map(text).collect()
    }

    #[test]
    fn what_was_applied_is_there_after_a_crash_and_after_closing() {
        let file = MemoryFile::default();
        let tables = open(&file).unwrap();
        assert_eq!(tables.applied(), Ok(0));
        let first = [put(Table::States, "a", "1"), put(Table::Timers, "a", "2")];
        tables.apply(3, first).unwrap();
        let crashed = MemoryFile::of(file.content());
        drop(tables);
        for file in [crashed, file] {
            let tables = open(&file).unwrap();
            assert_eq!(tables.applied(), Ok(3));
            assert_eq!(tables.get(Table::States, b"a"), Ok(Some(b"1".to_vec())));
            assert_eq!(tables.get(Table::Timers, b"a"), Ok(Some(b"2".to_vec())));
            assert_eq!(tables.get(Table::Records, b"a"), Ok(None));
            tables.apply(4, [remove(Table::States, "a")]).unwrap();
            assert_eq!(tables.get(Table::States, b"a"), Ok(None));
        }
    }

    #[test]
    fn a_batch_is_applied_whole_or_not_at_all() {
        let tables = open(&MemoryFile::default()).unwrap();
        tables.apply(5, [put(Table::States, "a", "1")]).unwrap();
        let reserved = [
            put(Table::States, "a", "2"),
            put(Table::Meta, "applied", "3"),
        ];
        assert_eq!(
            tables.apply(6, reserved),
            Err(TablesError::Reserved("applied".into()))
        );
        assert_eq!(
            tables.apply(4, [put(Table::States, "a", "2")]),
            Err(TablesError::Order { applied: 5, seq: 4 })
        );
        assert_eq!(tables.get(Table::States, b"a"), Ok(Some(b"1".to_vec())));
        assert_eq!(tables.applied(), Ok(5));
        // Neither mistake is a failure.
        tables.apply(6, [put(Table::States, "a", "2")]).unwrap();
    }

    #[test]
    fn a_range_goes_page_by_page_within_its_prefix() {
        let tables = open(&MemoryFile::default()).unwrap();
        let keys = ["a", "b", "b\0", "b1", "b2", "c", "\u{7f}"];
        let rows = keys.map(|key| put(Table::States, key, "v"));
        tables.apply(1, rows).unwrap();
        let page = |prefix: &str, after: Option<&str>, limit| {
            let after = after.map(str::as_bytes);
            let page = tables.range(Table::States, prefix.as_bytes(), after, limit);
            text_of(page.unwrap())
        };
        assert_eq!(page("b", None, 2), ["b", "b\0"]);
        assert_eq!(page("b", Some("b\0"), 9), ["b1", "b2"]);
        assert_eq!(page("b", Some("b2"), 9), Vec::<String>::new());
        assert_eq!(page("b", Some("a"), 1), ["b"]);
        assert_eq!(page("b", Some("x"), 9), Vec::<String>::new());
        assert_eq!(page("", None, 99), keys);
        assert_eq!(page("", None, 0), Vec::<String>::new());
        let beyond = tables.range(Table::States, &[0xff, 0xff], None, 9);
        assert_eq!(beyond, Ok(vec![]));
    }

    #[test]
    fn a_snapshot_stays_as_it_was_and_can_be_copied() {
        let file = filled();
        let mut tables = open(&file).unwrap();
        let meta = put(Table::Meta, "ours", "kept");
        tables.apply(5, [meta]).unwrap();
        let snapshot = tables.snapshot().unwrap();
        tables.apply(6, [remove(Table::States, "1/0000")]).unwrap();

        assert_eq!(snapshot.applied(), Ok(5));
        assert!(snapshot.get(Table::States, b"1/0000").unwrap().is_some());
        assert_eq!(tables.check(), Err(TablesError::Busy));
        assert_eq!(tables.compact(), Err(TablesError::Busy));
        let copied = MemoryFile::default();
        let copy = open(&copied).unwrap();
        snapshot.copy_to(&copy).unwrap();
        drop(copy);

        let copy = open(&copied).unwrap();
        assert_eq!(copy.applied(), Ok(5));
        for table in Table::ALL {
            let all = copy.range(table, &[], None, usize::MAX).unwrap();
            let expected = snapshot.range(table, &[], None, usize::MAX).unwrap();
            assert!(all == expected, "{table}");
        }
        assert_eq!(snapshot.copy_to(&copy), Err(TablesError::NotEmpty));
        drop(snapshot);
        assert_eq!(tables.check(), Ok(Checked::Sound));
    }

    #[test]
    fn half_a_copy_is_refused() {
        let (source, copied) = (filled(), MemoryFile::default());
        let (source, copy) = (open(&source).unwrap(), open(&copied).unwrap());
        let snapshot = source.snapshot().unwrap();
        copied.fail_after(60);
        assert!(matches!(
            snapshot.copy_to(&copy),
            Err(TablesError::Failed(_))
        ));
        drop(copy);
        let crashed = MemoryFile::of(copied.content());
        assert_eq!(open(&crashed).err(), Some(TablesError::Unfinished));
        // The source is none the worse.
        assert_eq!(source.applied(), Ok(4));
    }

    #[test]
    fn compacting_makes_the_file_smaller_and_keeps_the_rows() {
        let file = filled();
        let mut tables = open(&file).unwrap();
        let removed = |n: u64| remove(Table::States, &format!("2/{n:04}"));
        tables.apply(5, (0..500).map(removed)).unwrap();
        let before = tables.bytes().unwrap();
        tables.compact().unwrap();
        assert!(tables.bytes().unwrap() <= before);
        drop(tables);
        let mut tables = open(&MemoryFile::of(file.content())).unwrap();
        assert_eq!(tables.applied(), Ok(5));
        let rows = tables.range(Table::States, &[], None, usize::MAX);
        assert_eq!(rows.unwrap().len(), 1_500);
        assert_eq!(tables.check(), Ok(Checked::Sound));
    }

    #[test]
    fn files_of_others_are_refused_and_left_alone() {
        for content in [
            b"SQLite format 3\0 and so on".to_vec(),
            b"x".to_vec(),
            [vec![0; 8192], vec![1]].concat(),
        ] {
            let file = MemoryFile::of(content.clone());
            let error = open(&file).unwrap_err();
            assert!(matches!(error, TablesError::Foreign(_)), "{error}");
            assert_eq!(file.content(), content);
        }
        let file = MemoryFile::default();
        let backend = Backend {
            file: Arc::new(file.clone()),
            failure: Arc::default(),
        };
        let other = Builder::new().create_with_backend(backend).unwrap();
        let transaction = other.begin_write().unwrap();
        transaction.open_table(definition(Table::Records)).unwrap();
        transaction.commit().unwrap();
        drop(other);
        let error = open(&file).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the file holds no tables of airssys (a database of another program); move it \
             away if it does not belong there, or restore a backup if it did"
        );
    }

    #[test]
    fn a_newer_format_is_refused() {
        let file = MemoryFile::default();
        let tables = open(&file).unwrap();
        tables
            .write(|transaction| {
                let mut meta = transaction.open_table(definition(Table::Meta))?;
                meta.insert(meta::FORMAT_KEY, 2_u32.to_be_bytes().as_slice())?;
                Ok(())
            })
            .unwrap();
        drop(tables);
        assert_eq!(
            open(&file).unwrap_err().to_string(),
            "the file has format version 2, and this release knows versions up to 1; run the \
             newer release that wrote it, or restore a backup that is older"
        );
    }

    #[test]
    fn a_table_that_an_older_release_had_not_is_made() {
        let file = filled();
        let tables = open(&file).unwrap();
        tables
            .write(|transaction| {
                transaction.delete_table(definition(Table::Usage))?;
                Ok(())
            })
            .unwrap();
        drop(tables);
        let tables = open(&file).unwrap();
        assert_eq!(tables.get(Table::Usage, b"a/b"), Ok(None));
        assert_eq!(tables.applied(), Ok(4));
    }

    /// The disk fails at each write and sync in turn.
    #[test]
    fn after_the_disk_failed_nothing_is_done_and_nothing_is_lost() {
        let content = filled().content();
        let mut has_succeeded = false;
        for operations in 0..200 {
            let file = MemoryFile::of(content.clone());
            let tables = open(&file).unwrap();
            file.fail_after(operations);
            let rows = |n: u64| put(Table::States, &format!("5/{n:04}"), "new");
            if tables.apply(5, (0..50).map(rows)).is_ok() {
                has_succeeded = true;
                break;
            }
            // The disk is well again, and nobody knows what is on it.
            file.fail_after(u64::MAX - 1);
            let error = tables.get(Table::States, b"1/0000").unwrap_err();
            assert!(
                error.to_string().contains("can no longer be used"),
                "{error}"
            );
            assert_eq!(tables.apply(6, []), Err(error));
            let crashed = MemoryFile::of(file.content());
            let mut tables = open(&crashed).unwrap();
            let (applied, rows) = (
                tables.applied().unwrap(),
                tables.range(Table::States, b"5/", None, 99).unwrap().len(),
            );
            assert!(
                matches!((applied, rows), (4, 0) | (5, 50)),
                "{applied} {rows}"
            );
            assert_eq!(tables.check(), Ok(Checked::Sound));
        }
        assert!(has_succeeded);
    }

    #[test]
    fn a_crash_while_the_file_is_made_is_no_trouble() {
        let mut has_succeeded = false;
        for operations in 0..200 {
            let file = MemoryFile::default();
            file.fail_after(operations);
            if open(&file).is_ok() {
                has_succeeded = true;
                break;
            }
            let crashed = MemoryFile::of(file.content());
            assert_eq!(open(&crashed).unwrap().applied(), Ok(0), "{operations}");
        }
        assert!(has_succeeded);
    }

    #[test]
    fn a_file_that_was_removed_acknowledges_nothing() {
        let file = filled();
        let tables = open(&file).unwrap();
        file.remove();
        assert_eq!(tables.apply(5, []), Err(TablesError::Removed));
        assert_eq!(tables.applied(), Err(TablesError::Removed));
    }

    fn try_all(file: &MemoryFile) -> Result<Vec<Entry>, TablesError> {
        let mut tables = open(file)?;
        tables.check()?;
        tables.apply(5, [put(Table::States, "9", "new")])?;
        tables.range(Table::States, &[], None, usize::MAX)
    }

    #[test]
    fn a_file_that_was_cut_is_refused() {
        let content = filled().content();
        for part in 1..16 {
            let mut cut = content.clone();
            cut.truncate(content.len() * part / 16);
            assert!(try_all(&MemoryFile::of(cut)).is_err(), "{part}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Damage is an error, or the rows are as they were.
        #[test]
        fn damage_is_found(
            places in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..4),
            is_in_header in any::<bool>(),
        ) {
            let mut content = filled().content();
            let expected = try_all(&MemoryFile::of(content.clone())).unwrap();
            let within = if is_in_header { 320 } else { content.len() };
            for (place, change) in places {
                content[place.index(within)] ^= change;
            }
            if let Ok(rows) = try_all(&MemoryFile::of(content)) {
                prop_assert!(rows == expected);
            }
        }

        #[test]
        fn behaves_like_a_map(
            batches in prop::collection::vec(
                prop::collection::vec(("[ab]{0,3}", prop::option::of("[xy]{0,2}")), 0..8),
                1..8,
            ),
            prefix in "[ab]{0,2}",
            after in prop::option::of("[ab]{0,3}"),
            limit in 0_usize..6,
            is_reopened in any::<bool>(),
        ) {
            let file = MemoryFile::default();
            let (mut tables, mut model) = (open(&file).unwrap(), BTreeMap::new());
            for (seq, batch) in (1..).zip(batches) {
                for (key, value) in &batch {
                    match value {
                        Some(value) => model.insert(key.clone(), value.clone()),
                        None => model.remove(key),
                    };
                }
                let writes = batch.into_iter().map(|(key, value)| RawWrite {
                    table: Table::States,
                    key: key.into(),
                    value: value.map(Into::into),
                });
                tables.apply(seq, writes).unwrap();
                if is_reopened {
                    tables = open(&MemoryFile::of(file.content())).unwrap();
                    prop_assert_eq!(tables.applied(), Ok(seq));
                    break;
                }
            }
            let is_after = |key: &&String| after.as_ref().is_none_or(|after| *key > after);
            let expected: Vec<String> = model
                .keys()
                .filter(|key| key.starts_with(&prefix))
                .filter(is_after)
                .take(limit)
                .cloned()
                .collect();
            let after = after.as_deref().map(str::as_bytes);
            let page = tables.range(Table::States, prefix.as_bytes(), after, limit);
            prop_assert_eq!(text_of(page.unwrap()), expected);
            for key in ["", "a", "ab", "bbb"] {
                let value = tables.get(Table::States, key.as_bytes()).unwrap();
                let expected = model.get(key).map(|value| value.clone().into_bytes());
                prop_assert_eq!(value, expected);
            }
        }
    }
}
