//! Reading tables as they were at one moment.

// Layer 1: Standard library imports
use std::ops::{Bound, ControlFlow};

// Layer 2: Third-party crate imports
use redb::ReadTransaction;

// Layer 3: Internal module imports
use crate::storage::tables::error::TablesError;
use crate::storage::tables::meta::{self, definition};
use crate::storage::tables::table::Table;

/// A key and its value.
pub(crate) type Entry = (Vec<u8>, Vec<u8>);

/// The last batch that was applied.
pub(crate) fn applied(reads: &ReadTransaction) -> Result<u64, TablesError> {
    meta::applied(&reads.open_table(definition(Table::Meta))?)
}

/// The value of one key.
pub(crate) fn get(
    reads: &ReadTransaction,
    table: Table,
    key: &[u8],
) -> Result<Option<Vec<u8>>, TablesError> {
    let table = reads.open_table(definition(table))?;
    Ok(table.get(key)?.map(|value| value.value().to_vec()))
}

/// Shows all entries after `after` whose key has a prefix, in order, until `see` has seen
/// enough.
pub(crate) fn visit(
    reads: &ReadTransaction,
    table: Table,
    prefix: &[u8],
    after: Option<&[u8]>,
    mut see: impl FnMut(&[u8], &[u8]) -> ControlFlow<()>,
) -> Result<(), TablesError> {
    let end = end_of(prefix);
    let start = match after {
        Some(after) if after >= prefix => Bound::Excluded(after),
        _ => Bound::Included(prefix),
    };
    let end = match &end {
        Some(end) => Bound::Excluded(end.as_slice()),
        None => Bound::Unbounded,
    };
    if is_empty(start, end) {
        return Ok(());
    }
    let table = reads.open_table(definition(table))?;
    for entry in table.range::<&[u8]>((start, end))? {
        let (key, value) = entry?;
        if see(key.value(), value.value()).is_break() {
            break;
        }
    }
    Ok(())
}

/// At most `limit` entries after `after` whose key has a prefix, in order.
pub(crate) fn range(
    reads: &ReadTransaction,
    table: Table,
    prefix: &[u8],
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Vec<Entry>, TablesError> {
    let mut page = Vec::new();
    if limit == 0 {
        return Ok(page);
    }
    visit(reads, table, prefix, after, |key, value| {
        page.push((key.to_vec(), value.to_vec()));
        match page.len() < limit {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    })?;
    Ok(page)
}

/// The first key beyond all that have a prefix, if there is one.
fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

/// The engine refuses ranges that end before they begin.
fn is_empty(start: Bound<&[u8]>, end: Bound<&[u8]>) -> bool {
    match (start, end) {
        (Bound::Excluded(start) | Bound::Included(start), Bound::Excluded(end)) => start >= end,
        _ => false,
    }
}
