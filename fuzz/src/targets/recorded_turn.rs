//! Rows of the store: dead letters with the turns that were recorded, messages, timers, and all
//! others.

// Layer 3: Internal module imports
use super::data_folder::{DataFolder, row, segment};

/// How many kinds of rows there are.
const TABLES: u8 = 10;

/// A row: one byte for its kind, one for the length of its key, the key and the value.
pub(crate) fn run(bytes: &[u8]) {
    let Some(([table, key_bytes], rest)) = bytes.split_first_chunk() else {
        return;
    };
    let Some((key, value)) = rest.split_at_checked(usize::from(*key_bytes)) else {
        return;
    };
    let payload = row(table % TABLES, key, value);
    let log = segment(1, 0, [(1, payload.as_slice())]);
    DataFolder::new([("log-0000000000000001", log.as_slice())]).recover();
}
