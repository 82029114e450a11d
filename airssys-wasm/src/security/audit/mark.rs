//! One place in the chain.

// Layer 1: Standard library imports
use std::fmt;
use std::str::FromStr;

// Layer 2: Third-party crate imports
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::component::digest::Digest;

/// How many hexadecimal digits a hash has.
pub(crate) const HASH_DIGITS: usize = 64;

/// An entry of the log by its number and its hash, written `12:9f86…`. Whoever knows it
/// knows all entries up to it: none of them can be changed so that the hash stays.
///
/// ```
/// use airssys_wasm::security::audit::mark::Mark;
///
/// let text = format!("12:{}", "0f".repeat(32));
/// assert_eq!(text.parse::<Mark>()?.to_string(), text);
/// # Ok::<(), airssys_wasm::security::audit::mark::InvalidMark>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The number of the entry; the first one is 1, and 0 is what was before it.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
}

impl Mark {
    /// What was before the first entry of all: a hash of nothing but zeros.
    pub const BEGINNING: Self = Self {
        seq: 0,
        hash: Digest::from_bytes([0; 32]),
    };
}

impl Default for Mark {
    fn default() -> Self {
        Self::BEGINNING
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash.to_hex())
    }
}

/// A text that is no mark.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no number, colon and 64 hexadecimal digits, as `airssys audit head` prints them")]
pub struct InvalidMark(pub String);

impl FromStr for Mark {
    type Err = InvalidMark;

    fn from_str(text: &str) -> Result<Self, InvalidMark> {
        let parsed = text.split_once(':').and_then(|(seq, hash)| {
            Some(Self {
                seq: parse_seq(seq.as_bytes())?,
                hash: parse_hash(hash.as_bytes())?,
            })
        });
        parsed.ok_or_else(|| InvalidMark(text.chars().take(100).collect()))
    }
}

impl Serialize for Mark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// Reads a number that is spelled in the only way that we write it.
pub(crate) fn parse_seq(digits: &[u8]) -> Option<u64> {
    let is_spelled = digits.iter().all(u8::is_ascii_digit) && !digits.starts_with(b"0");
    if !is_spelled && digits != b"0" {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
}

/// Reads a hash that is spelled in the only way that we write it.
pub(crate) fn parse_hash(digits: &[u8]) -> Option<Digest> {
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    let mut hash = [0; HASH_DIGITS / 2];
    if pairs.len() != hash.len() {
        return None;
    }
    for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
        *byte = value_of(*high)? << 4 | value_of(*low)?;
    }
    Some(Digest::from_bytes(hash))
}

fn value_of(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_has_one_spelling() {
        let hash = "0123456789abcdef".repeat(4);
        let mark: Mark = format!("7:{hash}").parse().unwrap();
        assert_eq!(mark.to_string(), format!("7:{hash}"));
        assert_eq!(Mark::BEGINNING.to_string().parse(), Ok(Mark::BEGINNING));
        for wrong in [
            String::new(),
            "7".into(),
            format!(":{hash}"),
            format!("07:{hash}"),
            format!("+7:{hash}"),
            format!("7:{}", hash.to_uppercase()),
            format!("7:{}", &hash[1..]),
            format!("7:{hash}0"),
            format!("7:{hash}00"),
            format!("18446744073709551616:{hash}"),
        ] {
            assert!(wrong.parse::<Mark>().is_err(), "{wrong}");
        }
    }
}
