//! The small file that says where the log begins and where it ends.

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};
use serde_json::{from_slice, to_vec};

// Layer 3: Internal module imports
use crate::security::audit::mark::Mark;

/// The longest that the file gets, in bytes.
pub(crate) const MAX_HEAD_BYTES: u64 = 1_024;

/// Where the log begins and ends: without it, nobody could tell that its end was cut off or
/// its oldest file removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    /// What the first kept entry continues: the last one that is not kept any more.
    pub(crate) behind: Mark,
    /// The last entry that is on disk. There may be more when the process was killed.
    pub(crate) last: Mark,
}

impl Head {
    /// Of a log without entries.
    pub(crate) const NEW: Self = Self {
        behind: Mark::BEGINNING,
        last: Mark::BEGINNING,
    };

    /// The number of the first entry that is kept.
    pub(crate) fn first_seq(&self) -> u64 {
        self.behind.seq.saturating_add(1)
    }

    /// What stands in the file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        // Two texts in JSON cannot fail.
        let mut bytes = to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads it in the only way that we write it.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let head: Self = from_slice(bytes).ok()?;
        (head.bytes() == bytes && head.behind.seq <= head.last.seq).then_some(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_back_and_has_one_spelling() {
        let bytes = Head::NEW.bytes();
        assert!(bytes.len() as u64 <= MAX_HEAD_BYTES);
        assert_eq!(Head::parse(&bytes), Some(Head::NEW));
        assert_eq!(Head::parse(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Head::parse(b""), None);
        let spaced = [b" ", &bytes[..]].concat();
        assert_eq!(Head::parse(&spaced), None);
    }
}
