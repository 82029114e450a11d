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
    let mut payload = vec![VERSION];
    for write in raw_writes(batch) {
        let RawWrite { table, key, value } = write?;
        payload.push(table as u8);
        put_number(&mut payload, key.len() as u64);
        payload.extend(key);
        match value {
            None => payload.push(0),
            Some(value) => {
                put_number(&mut payload, value.len() as u64 + 1);
                payload.extend(value);
            }
        }
    }
    Ok(payload)
}

/// A batch as writes to tables, in no order.
pub(crate) fn raw_writes(batch: &Batch) -> impl Iterator<Item = Result<RawWrite, CodecError>> {
    let rows = batch.rows().map(|(actor, key, row)| {
        let (table, key) = encode_key(actor, key);
        let value = row.map(encode_row).transpose()?;
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
