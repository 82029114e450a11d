//! What tables know of themselves.

// Layer 1: Standard library imports
use std::io;

// Layer 2: Third-party crate imports
use redb::{
    ReadTransaction, ReadableTable, TableDefinition, TableError, TableHandle, WriteTransaction,
};

// Layer 3: Internal module imports
use crate::storage::disk::disk::DiskFile;
use crate::storage::tables::error::TablesError;
use crate::storage::tables::table::Table;

/// The version of the format that this release writes. It reads this one and all older.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// The key of the format's version, in 4 bytes.
pub(crate) const FORMAT_KEY: &[u8] = b"format";

/// The key of the number of the last batch that was applied, in 8 bytes.
pub(crate) const APPLIED_KEY: &[u8] = b"applied";

/// The key that is there while a copy goes on.
pub(crate) const UNFINISHED_KEY: &[u8] = b"unfinished";

/// What the engine begins its files with, from its description of the format.
const MAGIC: [u8; 9] = *b"redb\x1A\x0A\xA9\x0D\x0A";

/// The bytes that the engine's header has room in. Rows come after it.
const HEADER_BYTES: u64 = 4096;

/// A file that the engine has only begun is smaller.
const MAX_BEGUN_BYTES: u64 = 16 << 20;

/// The engine's name for a table.
pub(crate) fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}

/// Refuses a write to a key that has a meaning here.
pub(crate) fn check_is_free(table: Table, key: &[u8]) -> Result<(), TablesError> {
    let is_reserved = [FORMAT_KEY, APPLIED_KEY, UNFINISHED_KEY].contains(&key);
    if table == Table::Meta && is_reserved {
        return Err(TablesError::Reserved(key.escape_ascii().to_string()));
    }
    Ok(())
}

/// Looks whether a file is the engine's before it is opened, and empties one that a crash
/// left before anything was in it.
///
/// # Errors
///
/// When the file is of another program, or the disk fails.
pub(crate) fn prepare(file: &dyn DiskFile) -> Result<(), TablesError> {
    let failed = |e: io::Error| TablesError::Failed(e.to_string());
    let bytes = file.len_bytes().map_err(failed)?;
    let mut begin = [0; MAGIC.len()];
    let known = (MAGIC.len() as u64).min(bytes) as usize;
    file.read_at(0, &mut begin[..known]).map_err(failed)?;
    if bytes == 0 || begin == MAGIC {
        return Ok(());
    }
    if is_begun(&begin) && is_blank(file, bytes).map_err(failed)? {
        file.set_len(0).and_then(|()| file.sync()).map_err(failed)?;
        return Ok(());
    }
    Err(TablesError::Foreign(format!(
        "it begins with `{}`",
        begin[..known].escape_ascii()
    )))
}

/// Whether a file's first bytes are what a torn write of the engine's leaves.
fn is_begun(begin: &[u8; MAGIC.len()]) -> bool {
    begin
        .iter()
        .zip(MAGIC)
        .all(|(is, should)| *is == 0 || *is == should)
}

/// Whether nothing was ever written behind the engine's header.
fn is_blank(file: &dyn DiskFile, bytes: u64) -> io::Result<bool> {
    if bytes > MAX_BEGUN_BYTES {
        return Ok(false);
    }
    let mut buffer = vec![0; 64 << 10];
    let mut offset = HEADER_BYTES;
    while offset < bytes {
        let part = (bytes - offset).min(buffer.len() as u64);
        let part = &mut buffer[..part as usize];
        file.read_at(offset, part)?;
        if part.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        offset += part.len() as u64;
    }
    Ok(true)
}

/// Whether the file has no tables at all: it is new.
pub(crate) fn is_new(reads: &ReadTransaction) -> Result<bool, TablesError> {
    let mut names = reads.list_tables()?.map(|table| table.name().to_owned());
    Ok(names.next().is_none() && reads.list_multimap_tables()?.next().is_none())
}

/// Whether all tables are there.
///
/// # Errors
///
/// When the file is of another program, or of a newer release, or half a copy.
pub(crate) fn check_format(reads: &ReadTransaction) -> Result<bool, TablesError> {
    let meta = match reads.open_table(definition(Table::Meta)) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_)) => {
            return Err(TablesError::Foreign("a database of another program".into()));
        }
        Err(error) => return Err(error.into()),
    };
    let found = meta.get(FORMAT_KEY)?;
    let found = found.and_then(|value| value.value().try_into().ok());
    let found = found.map(u32::from_be_bytes);
    match found {
        None | Some(0) => return Err(TablesError::Foreign("it has no version".into())),
        Some(found) if found > FORMAT_VERSION => {
            return Err(TablesError::Newer {
                found,
                known: FORMAT_VERSION,
            });
        }
        Some(_) => {}
    }
    if meta.get(UNFINISHED_KEY)?.is_some() {
        return Err(TablesError::Unfinished);
    }
    let mut is_complete = true;
    for table in Table::ALL {
        match reads.open_table(definition(table)) {
            Ok(_) => {}
            Err(TableError::TableDoesNotExist(_)) => is_complete = false,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(is_complete)
}

/// Makes the tables that are not there, and marks them with this version.
pub(crate) fn make(writes: &WriteTransaction) -> Result<(), TablesError> {
    for table in Table::ALL {
        writes.open_table(definition(table))?;
    }
    let mut meta = writes.open_table(definition(Table::Meta))?;
    meta.insert(FORMAT_KEY, FORMAT_VERSION.to_be_bytes().as_slice())?;
    Ok(())
}

/// The last batch that was applied, from the table `meta`.
pub(crate) fn applied(
    meta: &impl ReadableTable<&'static [u8], &'static [u8]>,
) -> Result<u64, TablesError> {
    let Some(value) = meta.get(APPLIED_KEY)? else {
        return Ok(0);
    };
    let bytes = value.value().try_into();
    let bytes = bytes.map_err(|_| {
        TablesError::Damaged("the number of the last batch is not of 8 bytes".into())
    })?;
    Ok(u64::from_be_bytes(bytes))
}
