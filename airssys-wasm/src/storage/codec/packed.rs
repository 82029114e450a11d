//! Values that are written and read all the time: a byte that names the layout, then the
//! fields alone, in order (postcard). A field that is added needs a new layout.

// Layer 2: Third-party crate imports
use postcard::{take_from_bytes, to_extend};
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::storage::codec::error::CodecError;
use crate::storage::tables::table::Table;

/// The layout of all values of format version 1.
const LAYOUT: u8 = 1;

/// Writes a value.
///
/// # Errors
///
/// None that a row can cause; the encoding could refuse types that rows do not have.
pub(crate) fn encode(value: &impl Serialize) -> Result<Vec<u8>, CodecError> {
    to_extend(value, vec![LAYOUT]).map_err(|e| CodecError::Unwritable(e.to_string()))
}

/// Reads a value that takes up all of `bytes`. Texts and bytes are borrowed from it.
///
/// # Errors
///
/// When the bytes are not such a value, or of a newer layout.
pub(crate) fn decode<'a, T: Deserialize<'a>>(
    table: Table,
    bytes: &'a [u8],
) -> Result<T, CodecError> {
    let fields = match bytes.split_first() {
        Some((&LAYOUT, fields)) => fields,
        Some((&found, _)) if found > LAYOUT => {
            return Err(CodecError::Newer {
                table,
                found,
                known: LAYOUT,
            });
        }
        Some((found, _)) => return Err(CodecError::row(table, format!("no layout {found}"))),
        None => return Err(CodecError::row(table, "it is empty")),
    };
    match take_from_bytes(fields).map_err(|e| CodecError::row(table, e))? {
        (value, []) => Ok(value),
        _ => Err(CodecError::row(table, "something follows the value")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_newer_is_told_from_what_is_broken() {
        let decode = |bytes: &[u8]| decode::<u64>(Table::Timers, bytes);
        assert_eq!(decode(&encode(&5_u64).unwrap()), Ok(5));
        let newer = CodecError::Newer {
            table: Table::Timers,
            found: 2,
            known: 1,
        };
        assert_eq!(decode(&[2, 5]), Err(newer));
        for broken in [&[][..], &[0, 5], &[1], &[1, 5, 5], &[1, 0xff]] {
            assert!(
                matches!(decode(broken), Err(CodecError::Row { .. })),
                "{broken:?}"
            );
        }
    }
}
