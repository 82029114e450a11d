//! What a turn writes, laid over what is committed.

// Layer 1: Standard library imports
use std::iter::Peekable;
use std::ops::Bound;

// Layer 2: Third-party crate imports
use bytes::Bytes;

// Layer 3: Internal module imports
use crate::core::limits::{Limit, Limits};
use crate::core::storage::commit::Growth;
use crate::core::storage::keyspace::Keyspace;
use crate::core::turn::effects::Writes;
use crate::core::turn::errors::HostError;
use crate::core::turn::surroundings::Surroundings;

/// The writes that a turn has recorded so far.
///
/// Every read goes through it, so that a turn sees its own writes, and keeps count
/// of what the actor would take up if the turn succeeded.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    writes: Writes,
    operations: u64,
    written_bytes: u64,
    /// What committing the writes would add to the actor's bytes and keys.
    growth: Growth,
}

/// What writes are laid over and bounded by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) limits: &'a Limits,
    /// What is committed.
    pub(crate) committed: &'a Keyspace,
    /// Who knows what all actors of the component keep together.
    pub(crate) surroundings: &'a dyn Surroundings,
}

/// One page of keys.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeyPage {
    pub(crate) keys: Vec<String>,
    /// Where the next page begins, if there is one.
    pub(crate) next: Option<String>,
}

impl Overlay {
    /// Takes the writes, and is as new.
    #[inline]
    pub(crate) fn take(&mut self) -> Writes {
        // Most turns write nothing, and leave nothing to be cleared.
        if self.operations == 0 {
            return Writes::new();
        }
        std::mem::take(self).writes
    }

    /// The value of `key` as the turn sees it.
    pub(crate) fn get<'a>(&'a self, committed: &'a Keyspace, key: &str) -> Option<&'a Bytes> {
        // Most turns read before they write, and an empty map is quick to ask.
        match self.writes.get(key) {
            Some(own) => own.as_ref(),
            None => committed.get(key),
        }
    }

    pub(crate) fn set(
        &mut self,
        ground: Ground<'_>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), HostError> {
        let allowed = ground.limits.value_bytes;
        HostError::check_size(Limit::ValueBytes, allowed, value.len())?;
        self.write(ground, key, Some(value.into()))
    }

    pub(crate) fn remove(&mut self, ground: Ground<'_>, key: String) -> Result<(), HostError> {
        self.write(ground, key, None)
    }

    fn write(
        &mut self,
        ground: Ground<'_>,
        key: String,
        value: Option<Bytes>,
    ) -> Result<(), HostError> {
        let Ground {
            limits, committed, ..
        } = ground;
        check_key(limits, &key)?;
        let size = |value: &Bytes| (key.len() + value.len()) as i64;
        let before = self.get(committed, &key);
        let grows = value.is_some();
        let (old_bytes, old_keys) = before.map_or((0, 0), |value| (size(value), 1));
        let (new_bytes, new_keys) = value.as_ref().map_or((0, 0), |value| (size(value), 1));

        let operations = self.operations + 1;
        HostError::check_quota(Limit::TurnWrites, limits.turn_writes, operations)?;
        let written = self.written_bytes + new_bytes.max(key.len() as i64) as u64;
        HostError::check_quota(Limit::TurnWriteBytes, limits.turn_write_bytes, written)?;

        let growth = Growth {
            bytes: self.growth.bytes + new_bytes - old_bytes,
            keys: self.growth.keys + new_keys - old_keys,
        };
        // Removing is always allowed: it is the way out for an actor over its quota.
        if grows {
            let bytes = total(committed.bytes(), growth.bytes);
            HostError::check_quota(Limit::StorageBytes, limits.storage_bytes, bytes)?;
            let keys = total(committed.len() as u64, growth.keys);
            HostError::check_quota(Limit::StorageKeys, limits.storage_keys, keys)?;
            if growth.bytes > 0 || growth.keys > 0 {
                ground.surroundings.admit_growth(growth)?;
            }
        }

        self.operations = operations;
        self.written_bytes = written;
        self.growth = growth;
        self.writes.insert(key, value);
        Ok(())
    }

    /// The keys with `prefix` after `cursor`, at most `limit` of them.
    pub(crate) fn list_keys(
        &self,
        committed: &Keyspace,
        prefix: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> KeyPage {
        let start = page_start(prefix, cursor);
        let own = self.writes.range::<str, _>((start, Bound::Unbounded));
        let mut merged = merge(
            committed.range(start).map(|(key, _)| (key, true)),
            own.map(|(key, value)| (key, value.is_some())),
        )
        .take_while(|(key, _)| key.starts_with(prefix))
        .filter_map(|(key, exists)| exists.then_some(key));

        let keys: Vec<String> = merged.by_ref().take(limit).cloned().collect();
        let next = merged.next().and(keys.last().cloned());
        KeyPage { keys, next }
    }

    /// Whether the turn itself has written or removed `key`.
    pub(crate) fn has_written(&self, key: &str) -> bool {
        self.writes.contains_key(key)
    }

    /// Whether the turn itself has removed `key`.
    pub(crate) fn has_removed(&self, key: &str) -> bool {
        matches!(self.writes.get(key), Some(None))
    }

    /// The bytes and keys that the actor takes up as the turn sees it.
    pub(crate) fn usage(&self, committed: &Keyspace) -> (u64, u64) {
        (
            total(committed.bytes(), self.growth.bytes),
            total(committed.len() as u64, self.growth.keys),
        )
    }

    /// By how much the writes make the actor's state larger.
    #[inline]
    pub(crate) fn growth(&self) -> Growth {
        self.growth
    }
}

/// Where the page of keys with `prefix` after `cursor` begins.
pub(crate) fn page_start<'a>(prefix: &'a str, cursor: Option<&'a str>) -> Bound<&'a str> {
    match cursor {
        Some(cursor) if cursor >= prefix => Bound::Excluded(cursor),
        _ => Bound::Included(prefix),
    }
}

/// Refuses a key that is empty or too long.
pub(crate) fn check_key(limits: &Limits, key: &str) -> Result<(), HostError> {
    if key.is_empty() {
        return Err(HostError::Invalid("a key has at least one byte".into()));
    }
    HostError::check_size(Limit::KeyBytes, limits.key_bytes, key.len())
}

fn total(committed: u64, added: i64) -> u64 {
    committed.saturating_add_signed(added)
}

/// Merges two ordered lists of keys; where both have a key, the second counts.
fn merge<'a>(
    committed: impl Iterator<Item = (&'a String, bool)>,
    own: impl Iterator<Item = (&'a String, bool)>,
) -> impl Iterator<Item = (&'a String, bool)> {
    let (mut committed, mut own) = (committed.peekable(), own.peekable());
    std::iter::from_fn(move || next_of_both(&mut committed, &mut own))
}

fn next_of_both<'a>(
    committed: &mut Peekable<impl Iterator<Item = (&'a String, bool)>>,
    own: &mut Peekable<impl Iterator<Item = (&'a String, bool)>>,
) -> Option<(&'a String, bool)> {
    let (Some((theirs, _)), Some((ours, _))) = (committed.peek(), own.peek()) else {
        return own.next().or_else(|| committed.next());
    };
    if theirs < ours {
        return committed.next();
    }
    if theirs == ours {
        committed.next();
    }
    own.next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::turn::surroundings::Alone;
    use std::sync::LazyLock;

    static ALONE: LazyLock<Alone> = LazyLock::new(Alone::default);

    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Debug, Clone)]
    enum Step {
        Set(String, Vec<u8>),
        Remove(String),
        Commit,
        Drop,
    }

    fn key() -> impl Strategy<Value = String> {
        "[ab]{1,3}"
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (key(), prop::collection::vec(any::<u8>(), 0..4)).prop_map(|(k, v)| Step::Set(k, v)),
            2 => key().prop_map(Step::Remove),
            1 => Just(Step::Commit),
            1 => Just(Step::Drop),
        ]
    }

    proptest! {
        /// A plain map that is copied at each commit behaves the same.
        #[test]
        fn behaves_like_a_copied_map(
            steps in prop::collection::vec(step(), 0..60),
            prefix in "[ab]{0,2}",
            page in 1_usize..4,
        ) {
            let limits = Limits { storage_bytes: 24, storage_keys: 6, ..Limits::default() };
            let (mut committed, mut overlay) = (Keyspace::default(), Overlay::default());
            let (mut model_committed, mut model) = (BTreeMap::new(), BTreeMap::new());
            for step in steps {
                match step {
                    Step::Set(key, value) => {
                        let mut tried = model.clone();
                        tried.insert(key.clone(), value.clone());
                        let fits = size(&tried) <= 24 && tried.len() <= 6;
                        let done = overlay.set(ground(&limits, &committed), key, value);
                        prop_assert_eq!(done.is_ok(), fits);
                        if fits { model = tried; }
                    }
                    Step::Remove(key) => {
                        model.remove(&key);
                        overlay.remove(ground(&limits, &committed), key).unwrap();
                    }
                    Step::Commit => {
                        committed.apply(overlay.take());
                        model_committed = model.clone();
                    }
                    Step::Drop => {
                        overlay.take();
                        model = model_committed.clone();
                    }
                }
                let usage = (size(&model), model.len() as u64);
                prop_assert_eq!(overlay.usage(&committed), usage);
                for key in ["a", "b", "ab", "aaa"] {
                    let seen = overlay.get(&committed, key).map(|v| v.to_vec());
                    prop_assert_eq!(seen, model.get(key).cloned());
                }
                let expected: Vec<String> =
                    model.keys().filter(|k| k.starts_with(&prefix)).cloned().collect();
                prop_assert_eq!(all_pages(&overlay, &committed, &prefix, page), expected);
            }
        }
    }

    fn ground<'a>(limits: &'a Limits, committed: &'a Keyspace) -> Ground<'a> {
        Ground {
            limits,
            committed,
            surroundings: &*ALONE,
        }
    }

    fn size(map: &BTreeMap<String, Vec<u8>>) -> u64 {
        map.iter().map(|(k, v)| (k.len() + v.len()) as u64).sum()
    }

    fn all_pages(
        overlay: &Overlay,
        committed: &Keyspace,
        prefix: &str,
        page: usize,
    ) -> Vec<String> {
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let listed = overlay.list_keys(committed, prefix, cursor.as_deref(), page);
            assert!(listed.keys.len() <= page);
            all.extend(listed.keys);
            match listed.next {
                Some(next) => cursor = Some(next),
                None => return all,
            }
        }
    }

    #[test]
    fn limits_of_a_turn_and_of_a_key() {
        let limits = Limits {
            key_bytes: 3,
            value_bytes: 4,
            turn_writes: 2,
            turn_write_bytes: 7,
            ..Limits::default()
        };
        let committed = Keyspace::default();
        let mut overlay = Overlay::default();
        let mut set = |key: &str, bytes| {
            overlay
                .set(ground(&limits, &committed), key.to_owned(), vec![0; bytes])
                .map_err(|e| e.to_string())
        };
        let error = |text: &str| Err(text.to_owned());
        assert_eq!(set("", 1), error("invalid: a key has at least one byte"));
        assert_eq!(
            set("abcd", 1),
            error("too large: key_bytes allows 3, and 4 was wanted")
        );
        assert_eq!(
            set("a", 5),
            error("too large: value_bytes allows 4, and 5 was wanted")
        );
        assert_eq!(set("a", 4), Ok(()));
        assert_eq!(
            set("a", 4),
            error("quota exceeded: turn_write_bytes allows 7, and 10 was wanted")
        );
        assert_eq!(set("a", 0), Ok(()));
        assert_eq!(
            set("a", 0),
            error("quota exceeded: turn_writes allows 2, and 3 was wanted")
        );
    }

    #[test]
    fn limits_of_an_actor() {
        let limits = Limits {
            storage_bytes: 10,
            storage_keys: 2,
            ..Limits::default()
        };
        let committed = Keyspace::default();
        let set = |overlay: &mut Overlay, key: &str, bytes| {
            let set = overlay.set(ground(&limits, &committed), key.to_owned(), vec![0; bytes]);
            set.map_err(|e| e.to_string())
        };
        let error = |text: &str| Err(text.to_owned());
        let overlay = &mut Overlay::default();
        assert_eq!(set(overlay, "a", 1), Ok(()));
        assert_eq!(
            set(overlay, "b", 8),
            error("quota exceeded: storage_bytes allows 10, and 11 was wanted")
        );
        assert_eq!(set(overlay, "b", 7), Ok(()));
        assert_eq!(
            set(overlay, "b", 1),
            Ok(()),
            "what it was before does not count"
        );
        assert_eq!(
            set(overlay, "c", 0),
            error("quota exceeded: storage_keys allows 2, and 3 was wanted")
        );
    }
}
