//! One actor's committed keys and values, in memory.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::ops::Bound;

// Layer 2: Third-party crate imports
use bytes::Bytes;

// Layer 3: Internal module imports
use crate::core::storage::commit::Growth;
use crate::core::turn::effects::Writes;

/// The committed state of one actor, ordered by key.
///
/// It changes only by [`apply`](Keyspace::apply), with the writes of a turn that
/// succeeded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keyspace {
    entries: BTreeMap<String, Bytes>,
    bytes: u64,
    /// Keys that are counted and not here; see [`fragment`](Self::fragment).
    elsewhere: usize,
}

impl Keyspace {
    /// The part of a keyspace that a turn has seen, which counts as `bytes` and `keys`:
    /// enough to run that turn again.
    pub fn fragment(entries: BTreeMap<String, Bytes>, bytes: u64, keys: u64) -> Self {
        Self {
            bytes,
            elsewhere: (keys as usize).saturating_sub(entries.len()),
            entries,
        }
    }

    /// The keyspace of these entries. It costs a pass over them.
    pub fn from_entries(entries: BTreeMap<String, Bytes>) -> Self {
        let size = |(key, value): (&String, &Bytes)| (key.len() + value.len()) as u64;
        Self {
            bytes: entries.iter().map(size).sum(),
            elsewhere: 0,
            entries,
        }
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Bytes> {
        self.entries.get(key)
    }

    /// All entries from `start` on, in order.
    pub fn range(&self, start: Bound<&str>) -> Range<'_, String, Bytes> {
        self.entries.range::<str, _>((start, Bound::Unbounded))
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.entries.len() + self.elsewhere
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of all keys and values together.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What has to be written to make this keyspace that of `other`.
    pub fn writes_to(&self, other: &Self) -> Writes {
        let removed = self.entries.keys();
        let removed = removed.filter(|key| !other.entries.contains_key(*key));
        let put = other.entries.iter();
        let put = put.filter(|(key, value)| self.get(key) != Some(*value));
        removed
            .map(|key| (key.clone(), None))
            .chain(put.map(|(key, value)| (key.clone(), Some(value.clone()))))
            .collect()
    }

    /// By how much `other` is larger.
    pub fn growth_to(&self, other: &Self) -> Growth {
        Growth {
            bytes: other.bytes as i64 - self.bytes as i64,
            keys: other.len() as i64 - self.len() as i64,
        }
    }

    /// Commits the writes of one turn.
    pub fn apply(&mut self, writes: Writes) {
        for (key, value) in writes {
            let key_bytes = key.len() as u64;
            let before = match value {
                Some(value) => {
                    self.bytes += key_bytes + value.len() as u64;
                    self.entries.insert(key, value)
                }
                None => self.entries.remove(&key),
            };
            if let Some(before) = before {
                self.bytes -= key_bytes + before.len() as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(key: &str, value: Option<&'static str>) -> (String, Option<Bytes>) {
        (
            key.to_owned(),
            value.map(|v| Bytes::from_static(v.as_bytes())),
        )
    }

    #[test]
    fn bytes_follow_the_entries() {
        let mut keys = Keyspace::default();
        keys.apply(Writes::from([
            write("a", Some("123")),
            write("b", Some("")),
        ]));
        assert_eq!((keys.len(), keys.bytes()), (2, 5));

        keys.apply(Writes::from([write("a", Some("1")), write("c", None)]));
        assert_eq!((keys.len(), keys.bytes()), (2, 3));

        keys.apply(Writes::from([write("a", None), write("b", None)]));
        assert_eq!(keys, Keyspace::default());
        assert!(keys.is_empty());
    }
}
