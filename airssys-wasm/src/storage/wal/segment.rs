//! One file of the log, which is written from its beginning to its end.
//!
//! It begins with a header of 48 bytes; all numbers are little-endian, and the sum covers
//! all before it.
//!
//! ```text
//! 0       8         12     16          24       32     40    48
//! | magic | version | zero | first seq | before | salt | sum | frames ... zeros
//! ```

// Layer 2: Third-party crate imports
use twox_hash::XxHash3_64;

// Layer 3: Internal module imports
use crate::storage::disk::disk::{Disk, DiskFile};
use crate::storage::wal::error::WalError;
use crate::storage::wal::frame::{HEAD_BYTES, Head};
use crate::storage::wal::wal::Sizes;

/// The version of the format that is written. Versions up to it are read.
pub(super) const VERSION: u32 = 1;

/// The bytes of a segment before its first frame.
pub(super) const HEADER_BYTES: usize = 48;

const MAGIC: [u8; 8] = *b"airs-log";
const NAME_PREFIX: &str = "log-";

/// The zeros that are written ahead come from here.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// The name of the segment whose first frame has this number.
pub(super) fn name_of(first: u64) -> String {
    format!("{NAME_PREFIX}{first:016x}")
}

/// The number of the first frame of the segment of this name. Nothing if no segment is
/// called so.
pub(super) fn first_of(name: &str) -> Option<u64> {
    let first = u64::from_str_radix(name.strip_prefix(NAME_PREFIX)?, 16).ok()?;
    (name_of(first) == name).then_some(first)
}

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// The number of its first frame.
    pub(super) first: u64,
    /// The number of the last frame of all segments before it.
    pub(super) before: u64,
    /// What the sums of its frames are seeded with. It is random, so that nothing else on
    /// the disk looks like a frame of this segment.
    pub(super) salt: u64,
}

/// What the beginning of a segment holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeaderBytes {
    /// A header.
    Whole(Header),
    /// A header that was not written to its end, or nothing, or one that was damaged.
    Torn,
    /// A header of a newer format.
    Newer(u32),
    /// Something else.
    Foreign,
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.before.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.salt.to_le_bytes());
        let sum = XxHash3_64::oneshot(&bytes[..40]);
        bytes[40..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let header = Self {
            first: u64::from_le_bytes(*bytes[16..].first_chunk()?),
            before: u64::from_le_bytes(*bytes[24..].first_chunk()?),
            salt: u64::from_le_bytes(*bytes[32..].first_chunk()?),
        };
        (header.encode() == *bytes && header.before < header.first).then_some(header)
    }
}

impl HeaderBytes {
    /// Reads what a file begins with. A shorter file is filled up with zeros.
    pub(super) fn decode(bytes: &[u8; HEADER_BYTES]) -> Self {
        if let Some(header) = Header::read(bytes) {
            return Self::Whole(header);
        }
        let version = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
        if bytes.starts_with(&MAGIC) && version > VERSION {
            return Self::Newer(version);
        }
        // What was cut off ends in zeros.
        let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1);
        match bytes.starts_with(&MAGIC[..end.min(MAGIC.len())]) {
            true => Self::Torn,
            false => Self::Foreign,
        }
    }
}

/// The segment that is written to.
#[derive(Debug)]
pub(super) struct Segment<F> {
    pub(super) file: F,
    pub(super) name: String,
    pub(super) salt: u64,
    /// Where the next frame goes.
    pub(super) end: u64,
    /// How long the file is. From `end` on it is zeros.
    pub(super) allocated: u64,
    /// Whether nothing may be written to it any more.
    pub(super) is_closed: bool,
}

impl<F: DiskFile> Segment<F> {
    /// Makes a segment. Its header and its name are on disk when this returns, and not
    /// before is any frame written to it: so a torn header is one that no frame follows.
    pub(super) fn create(disk: &impl Disk<File = F>, header: Header) -> Result<Self, WalError> {
        let name = name_of(header.first);
        let file = disk
            .create(&name)
            .map_err(WalError::disk("create", &name))?;
        file.write_at(0, &header.encode())
            .map_err(WalError::disk("write", &name))?;
        file.sync().map_err(WalError::disk("sync", &name))?;
        disk.sync()
            .map_err(WalError::disk("sync the folder with", &name))?;
        Ok(Self {
            file,
            name,
            salt: header.salt,
            end: HEADER_BYTES as u64,
            allocated: HEADER_BYTES as u64,
            is_closed: false,
        })
    }

    /// Whether one more payload may be written to it. The first may be, however large.
    pub(super) fn has_room(&self, payload: &[u8], sizes: &Sizes) -> bool {
        let end = self.end + (HEAD_BYTES + payload.len()) as u64;
        !self.is_closed && (self.end == HEADER_BYTES as u64 || end <= sizes.segment_bytes)
    }

    /// Writes a frame. It is on disk when this returns.
    pub(super) fn append(
        &mut self,
        seq: u64,
        payload: &[u8],
        sizes: &Sizes,
    ) -> Result<(), WalError> {
        let head = Head::of(self.salt, seq, payload).encode(self.salt);
        let payload_at = self.end + HEAD_BYTES as u64;
        let end = payload_at + payload.len() as u64;
        self.write(self.end, &head)?;
        self.write(payload_at, payload)?;
        self.write_ahead(end, sizes)?;
        self.file
            .sync()
            .map_err(WalError::disk("sync", &self.name))?;
        // What is written to a file without a name is lost when it is closed.
        let is_in_place = self.file.is_in_place();
        if !is_in_place.map_err(WalError::disk("find", &self.name))? {
            let file = self.name.clone();
            return Err(WalError::Removed { file });
        }
        self.end = end;
        Ok(())
    }

    /// Writes zeros after a frame that goes beyond what is allocated. To overwrite a part of
    /// a file is synced in about two thirds of the time that it takes to make it longer.
    fn write_ahead(&mut self, end: u64, sizes: &Sizes) -> Result<(), WalError> {
        if end <= self.allocated {
            return Ok(());
        }
        let ahead = end.next_multiple_of(sizes.ahead_bytes);
        let ahead = ahead.min(sizes.segment_bytes).max(end);
        let mut at = end;
        while at < ahead {
            let count = (ahead - at).min(ZEROS.len() as u64);
            self.write(at, &ZEROS[..count as usize])?;
            at += count;
        }
        self.allocated = ahead;
        Ok(())
    }

    fn write(&self, at: u64, bytes: &[u8]) -> Result<(), WalError> {
        self.file
            .write_at(at, bytes)
            .map_err(WalError::disk("write", &self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header = Header {
        first: 9,
        before: 4,
        salt: 0x0123_4567_89AB_CDEF,
    };

    #[test]
    fn names_say_where_a_segment_begins_and_sort_like_it() {
        assert_eq!(name_of(1), "log-0000000000000001");
        assert!(name_of(0xFF) < name_of(0x100));
        assert_eq!(first_of(&name_of(u64::MAX)), Some(u64::MAX));
        for other in ["log-1", "log-000000000000000G", "log-000000000000000A", "x"] {
            assert_eq!(first_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_header_is_read_back_and_one_that_was_cut_off_is_torn() {
        let bytes = HEADER.encode();
        assert_eq!(HeaderBytes::decode(&bytes), HeaderBytes::Whole(HEADER));
        for count in 0..HEADER_BYTES {
            let mut torn = [0; HEADER_BYTES];
            torn[..count].copy_from_slice(&bytes[..count]);
            assert_eq!(HeaderBytes::decode(&torn), HeaderBytes::Torn, "{count}");
        }
    }

    #[test]
    fn what_is_no_header_is_told_apart() {
        let with = |at: usize, byte| {
            let mut bytes = HEADER.encode();
            bytes[at] = byte;
            HeaderBytes::decode(&bytes)
        };
        assert_eq!(with(0, b'A'), HeaderBytes::Foreign);
        assert_eq!(with(8, 2), HeaderBytes::Newer(2));
        assert_eq!(with(16, 8), HeaderBytes::Torn);
        assert_eq!(
            HeaderBytes::decode(&[b'x'; HEADER_BYTES]),
            HeaderBytes::Foreign
        );
    }

    #[test]
    fn the_format_is_what_was_released() {
        let hex: String = HEADER.encode().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(
            hex,
            concat!(
                "616972732d6c6f67010000000000000009000000000000000400000000000000",
                "efcdab896745230189f6945c743ace9f"
            )
        );
    }
}
