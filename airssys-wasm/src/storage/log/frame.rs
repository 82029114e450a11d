//! A batch as bytes, as it stands in the write-ahead log.
//!
//! This is format version 1: a byte with the version, then for each row
//!
//! | | |
//! |---|---|
//! | table | one byte, its place among all |
//! | key | its length, then its bytes |
//! | value | zero if the row is removed; else its length and one, then its bytes |
//!
//! Lengths have 7 bits to the byte, the lowest first.

// Layer 1: Standard library imports
use std::borrow::Cow;

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::storage::codec::error::CodecError;
use crate::storage::codec::key::encode_key;
use crate::storage::codec::row::encode_row;
use crate::storage::codec::usage::{encode_component, encode_usage};
use crate::storage::log::batch::Batch;
use crate::storage::tables::table::{RawWrite, Table};

const VERSION: u8 = 1;

/// The most bytes of a number: 64 bits, 7 to the byte.
const MAX_NUMBER_BYTES: u32 = 10;

/// Why bytes are no frame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(crate) enum FrameError {
    #[error(
        "a frame has layout {found}, and this release knows only {VERSION}; run the newer \
         release that wrote it"
    )]
    Newer { found: u8 },
    #[error("a frame is cut off or damaged at byte {offset}; restore a backup")]
    Damaged { offset: usize },
}

/// Writes a batch.
///
/// # Errors
///
/// When a row cannot be written.
pub(crate) fn encode(batch: &Batch) -> Result<Vec<u8>, CodecError> {
    let mut payload = Vec::with_capacity(batch.counts().bytes as usize);
    payload.push(VERSION);
    for (actor, key, row) in batch.rows() {
        let (table, key) = encode_key(actor, key);
        let value = row.map(encode_row).transpose()?;
        put_write(&mut payload, table, &key, value.as_deref());
    }
    for (component, usage) in batch.usage() {
        let (key, value) = (encode_component(component), encode_usage(usage)?);
        put_write(&mut payload, Table::Usage, &key, Some(&value));
    }
    Ok(payload)
}

fn put_write(payload: &mut Vec<u8>, table: Table, key: &[u8], value: Option<&[u8]>) {
    payload.push(table as u8);
    put_number(payload, key.len() as u64);
    payload.extend(key);
    match value {
        None => payload.push(0),
        Some(value) => {
            put_number(payload, value.len() as u64 + 1);
            payload.extend(value);
        }
    }
}

/// A batch as writes to tables, in no order.
pub(crate) fn raw_writes(batch: &Batch) -> impl Iterator<Item = Result<RawWrite, CodecError>> {
    let rows = batch.rows().map(|(actor, key, row)| {
        let (table, key) = encode_key(actor, key);
        let value = row.map(encode_row).transpose()?;
        let value = value.map(Cow::into_owned);
        Ok(RawWrite { table, key, value })
    });
    let usage = batch.usage().map(|(component, usage)| {
        Ok(RawWrite {
            table: Table::Usage,
            key: encode_component(component),
            value: Some(encode_usage(usage)?),
        })
    });
    rows.chain(usage)
}

/// Reads a batch. What is allocated is bounded by the bytes.
///
/// # Errors
///
/// When the bytes are no frame of a version that this release knows.
pub(crate) fn decode(payload: &[u8]) -> Result<Vec<RawWrite>, FrameError> {
    let mut reader = Reader { payload, offset: 0 };
    match reader.byte()? {
        VERSION => {}
        found => return Err(FrameError::Newer { found }),
    }
    let mut writes = Vec::new();
    while reader.offset < payload.len() {
        writes.push(reader.write()?);
    }
    Ok(writes)
}

fn put_number(payload: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        payload.push(number as u8 | 0x80);
        number >>= 7;
    }
    payload.push(number as u8);
}

struct Reader<'a> {
    payload: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    fn write(&mut self) -> Result<RawWrite, FrameError> {
        let place = self.byte()?;
        let table = Table::ALL.get(usize::from(place)).copied();
        let table = table.ok_or_else(|| self.damaged())?;
        let key_bytes = self.number()?;
        let key = self.bytes(key_bytes)?.to_vec();
        let value = match self.number()?.checked_sub(1) {
            None => None,
            Some(value_bytes) => Some(self.bytes(value_bytes)?.to_vec()),
        };
        Ok(RawWrite { table, key, value })
    }

    fn byte(&mut self) -> Result<u8, FrameError> {
        Ok(self.bytes(1)?[0])
    }

    fn number(&mut self) -> Result<u64, FrameError> {
        let mut number = 0;
        for place in 0..MAX_NUMBER_BYTES {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << (7 * place) >> (7 * place) != bits {
                break;
            }
            number |= bits << (7 * place);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.damaged())
    }

    fn bytes(&mut self, bytes: u64) -> Result<&'a [u8], FrameError> {
        let rest = &self.payload[self.offset..];
        let bytes = usize::try_from(bytes)
            .ok()
            .and_then(|bytes| rest.get(..bytes));
        let bytes = bytes.ok_or_else(|| self.damaged())?;
        self.offset += bytes.len();
        Ok(bytes)
    }

    fn damaged(&self) -> FrameError {
        FrameError::Damaged {
            offset: self.offset,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::storage::commit::{Commit, Growth};
    use crate::core::storage::row::{Row, RowKey};
    use crate::storage::log::model::actor;
    use proptest::prelude::*;

    fn example() -> Batch {
        let (mut batch, mut commit) = (Batch::default(), Commit::default());
        commit.put(&actor(0), RowKey::State("k".into()), Row::Value("v".into()));
        commit.remove(&actor(0), RowKey::Timer(1));
        batch.merge(1, commit);
        batch.set_usage("shop/cart".into(), Growth { bytes: 2, keys: 1 });
        batch
    }

    #[test]
    fn it_looks_like_this_on_disk() {
        let payload = encode(&example()).unwrap();
        assert_eq!(
            payload.escape_ascii().to_string(),
            r"\x01\x01\x0eshop/cart/a0\x00k\x02v\x03\x15shop/cart/a0\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x08\tshop/cart\x04\x01\x04\x02"
        );
        let written: Result<Vec<_>, _> = raw_writes(&example()).collect();
        assert_eq!(decode(&payload).unwrap(), written.unwrap());
    }

    #[test]
    fn what_is_cut_off_or_newer_is_refused() {
        let payload = encode(&example()).unwrap();
        let ends: Vec<_> = (0..payload.len())
            .filter(|end| decode(&payload[..*end]).is_ok())
            .collect();
        // After the version and after each row.
        assert_eq!(ends, [1, 19, 43]);
        assert_eq!(decode(&[2, 0]), Err(FrameError::Newer { found: 2 }));
        assert_eq!(decode(&[1, 99, 0]), Err(FrameError::Damaged { offset: 2 }));
        let huge = [&[1, 0], [0xff; 9].as_slice(), &[2]].concat();
        assert!(decode(&huge).is_err(), "a number of more than 64 bits");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_frame_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let small: Vec<u8> = bytes.iter().map(|byte| byte % 12).collect();
            for mut payload in [bytes, small] {
                drop(decode(&payload));
                payload.insert(0, VERSION);
                drop(decode(&payload));
            }
        }

        #[test]
        fn numbers_come_back(number in prop_oneof![0..400_u64, any::<u64>()]) {
            let mut payload = Vec::new();
            put_number(&mut payload, number);
            let mut reader = Reader { payload: &payload, offset: 0 };
            prop_assert_eq!(reader.number(), Ok(number));
            prop_assert_eq!(reader.offset, payload.len());
        }
    }
}
