//! Values that describe themselves (CBOR, RFC 8949): fields and variants are written by name,
//! so that a later release can add some and still read what is there.

// Layer 2: Third-party crate imports
use cbor4ii::core::dec::{Read, Reference};
use cbor4ii::core::utils::SliceReader;
use cbor4ii::serde::{Deserializer, to_vec};
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::storage::codec::error::CodecError;
use crate::storage::tables::table::Table;

/// Writes a value.
///
/// # Errors
///
/// When there is no memory for it.
pub(crate) fn encode(value: &impl Serialize) -> Result<Vec<u8>, CodecError> {
    to_vec(Vec::new(), value).map_err(|e| CodecError::Unwritable(e.to_string()))
}

/// Reads a value that takes up all of `bytes`. Nesting is bounded, and so is what is
/// allocated before bytes for it were seen.
///
/// # Errors
///
/// When the bytes are not such a value.
pub(crate) fn decode<'a, T: Deserialize<'a>>(
    table: Table,
    bytes: &'a [u8],
) -> Result<T, CodecError> {
    let mut deserializer = Deserializer::new(SliceReader::new(bytes));
    let value =
        T::deserialize(&mut deserializer).map_err(|e| CodecError::row(table, e.to_string()))?;
    if is_at_end(deserializer) {
        Ok(value)
    } else {
        Err(CodecError::row(table, "something follows the value"))
    }
}

fn is_at_end(deserializer: Deserializer<SliceReader<'_>>) -> bool {
    let mut rest = deserializer.into_inner();
    match rest.fill(1) {
        Ok(Reference::Long(bytes) | Reference::Short(bytes)) => bytes.is_empty(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Old {
        a: u32,
        b: Option<String>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct New {
        c: Vec<u32>,
        a: u32,
    }

    #[test]
    fn fields_may_come_and_go() {
        let bytes = encode(&New { c: vec![1], a: 2 }).unwrap();
        let old: Old = decode(Table::Answers, &bytes).unwrap();
        assert_eq!(old, Old { a: 2, b: None });
    }

    #[test]
    fn hostile_bytes_are_refused() {
        let deep = [vec![0x81; 100_000], vec![0x00]].concat();
        let long_list = [&b"\xa2acc\x9b"[..], &[0xff; 8]].concat();
        let followed = [encode(&1_u32).unwrap(), vec![0]].concat();
        assert!(decode::<Old>(Table::Answers, &deep).is_err());
        assert!(decode::<New>(Table::Answers, &long_list).is_err());
        assert!(decode::<u32>(Table::Answers, &followed).is_err());
        // Deep where nobody looks.
        let ignored = [&b"\xa2aa\x01az"[..], &deep].concat();
        assert!(decode::<Old>(Table::Answers, &ignored).is_err());
    }
}
