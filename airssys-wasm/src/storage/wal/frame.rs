//! One frame of the log: a head of 32 bytes, and a payload.
//!
//! ```text
//! 0       4              8     16            24         32
//! | magic | payload bytes | seq | payload sum | head sum | payload
//! ```
//! All numbers are little-endian. Both sums are seeded with the salt of the segment, and
//! the head's covers all before it. So neither the remains of another segment nor a payload
//! that imitates frames is taken for a frame, and a head alone proves that its frame was
//! begun.

// Layer 2: Third-party crate imports
use twox_hash::XxHash3_64;

/// The most bytes that a frame holds: 1 GiB.
pub(crate) const MAX_PAYLOAD_BYTES: usize = 1 << 30;

/// The bytes of a frame before its payload.
pub(super) const HEAD_BYTES: usize = 32;

/// What a frame begins with. Not one of its bytes is zero, so that it is never found in
/// what is allocated ahead.
pub(super) const MAGIC: [u8; 4] = [0xF5, b'A', b'w', b'F'];

/// What precedes a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) payload_bytes: u32,
    pub(super) seq: u64,
    payload_sum: u64,
}

impl Head {
    /// The head of a payload of at most [`MAX_PAYLOAD_BYTES`].
    pub(super) fn of(salt: u64, seq: u64, payload: &[u8]) -> Self {
        Self {
            payload_bytes: payload.len() as u32,
            seq,
            payload_sum: XxHash3_64::oneshot_with_seed(salt, payload),
        }
    }

    pub(super) fn encode(&self, salt: u64) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..8].copy_from_slice(&self.payload_bytes.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.seq.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.payload_sum.to_le_bytes());
        let sum = XxHash3_64::oneshot_with_seed(salt, &bytes[..24]);
        bytes[24..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads a head, or finds that there is none at the beginning of these bytes.
    pub(super) fn decode(salt: u64, bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEAD_BYTES] = bytes.first_chunk()?;
        let head = Self {
            payload_bytes: u32::from_le_bytes(*bytes[4..].first_chunk()?),
            seq: u64::from_le_bytes(*bytes[8..].first_chunk()?),
            payload_sum: u64::from_le_bytes(*bytes[16..].first_chunk()?),
        };
        (head.encode(salt) == *bytes && head.payload_bytes as usize <= MAX_PAYLOAD_BYTES)
            .then_some(head)
    }

    /// Whether this is the payload that the head was made for.
    pub(super) fn is_of(&self, salt: u64, payload: &[u8]) -> bool {
        *self == Self::of(salt, self.seq, payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_back_and_no_bit_of_it_may_differ() {
        let head = Head::of(7, 42, b"payload");
        let bytes = head.encode(7);
        assert_eq!(Head::decode(7, &bytes), Some(head));
        assert_eq!(Head::decode(8, &bytes), None, "of another segment");
        assert_eq!(Head::decode(7, &bytes[..31]), None);
        for bit in 0..HEAD_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Head::decode(7, &flipped), None, "bit {bit}");
        }
        assert!(head.is_of(7, b"payload"));
        assert!(!head.is_of(7, b"payloae"));
    }

    #[test]
    fn the_format_is_what_was_released() {
        let head = Head::of(0x0123_4567_89AB_CDEF, 5, b"abc");
        let hex: String = head
            .encode(0x0123_4567_89AB_CDEF)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(
            hex,
            "f5417746030000000500000000000000a480e1f011c32e4ae8ff27edeb0a132a"
        );
    }
}
