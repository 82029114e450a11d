//! Things that are due at a time.

// Layer 1: Standard library imports
use std::collections::BTreeMap;

// Layer 2: Third-party crate imports
use thiserror::Error;

/// Things that are due at a time, the earliest first.
///
/// Times are milliseconds on whatever clock the caller reads; the table reads none.
/// Each operation costs about the logarithm of the number of things.
#[derive(Debug)]
pub struct Timers<T> {
    waiting: BTreeMap<TimerKey, T>,
    inserted: u64,
    max: usize,
}

/// Names one thing in the table that gave it out. It is never given out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerKey {
    // The order of the fields is the order in which things come out.
    due_ms: u64,
    serial: u64,
}

/// A table that holds as many things as it may, and the thing that it did not take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("at most {max} timers can wait at once")]
pub struct Full<T> {
    /// What was to be inserted.
    pub item: T,
    /// How many things the table holds.
    pub max: usize,
}

impl<T> Timers<T> {
    /// An empty table that holds at most `max` things.
    pub fn new(max: usize) -> Self {
        Self {
            waiting: BTreeMap::new(),
            inserted: 0,
            max,
        }
    }

    /// Adds `item`, due at `due_ms`, which may lie in the past.
    ///
    /// # Errors
    ///
    /// A full table gives the item back.
    pub fn insert(&mut self, due_ms: u64, item: T) -> Result<TimerKey, Full<T>> {
        if self.waiting.len() >= self.max {
            let max = self.max;
            return Err(Full { item, max });
        }
        self.inserted += 1;
        let key = TimerKey {
            due_ms,
            serial: self.inserted,
        };
        self.waiting.insert(key, item);
        Ok(key)
    }

    /// Takes out one thing, whether it is due or not. `None` if it is out already.
    pub fn remove(&mut self, key: TimerKey) -> Option<T> {
        self.waiting.remove(&key)
    }

    /// Takes out the next thing that is due at `now_ms`: the one that is due first, and
    /// of several with one due time the one that was inserted first.
    pub fn pop_due(&mut self, now_ms: u64) -> Option<T> {
        let first = self.waiting.first_entry()?;
        (first.key().due_ms <= now_ms).then(|| first.remove())
    }

    /// When the next thing is due, in milliseconds.
    pub fn next_due(&self) -> Option<u64> {
        self.waiting.first_key_value().map(|(key, _)| key.due_ms)
    }

    /// How many things wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl TimerKey {
    /// When the thing is due, in milliseconds.
    pub fn due_ms(self) -> u64 {
        self.due_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAX: usize = 6;

    #[derive(Debug, Clone)]
    enum Step {
        Insert(u64),
        Remove(usize),
        Pop(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (0_u64..8).prop_map(Step::Insert),
            1 => any::<prop::sample::Index>().prop_map(|i| Step::Remove(i.index(40))),
            2 => (0_u64..9).prop_map(Step::Pop),
        ]
    }

    proptest! {
        /// A list that is searched from end to end behaves the same.
        #[test]
        fn behaves_like_a_searched_list(steps in prop::collection::vec(step(), 0..80)) {
            let mut timers = Timers::new(MAX);
            let mut keys = Vec::new();
            let mut model: Vec<(u64, usize)> = Vec::new();
            for step in steps {
                match step {
                    Step::Insert(due_ms) => {
                        let item = keys.len();
                        match timers.insert(due_ms, item) {
                            Ok(key) => {
                                prop_assert!(model.len() < MAX);
                                prop_assert_eq!(key.due_ms(), due_ms);
                                prop_assert!(!keys.contains(&key));
                                keys.push(key);
                                model.push((due_ms, item));
                            }
                            Err(full) => {
                                prop_assert_eq!(model.len(), MAX);
                                prop_assert_eq!(full, Full { item, max: MAX });
                            }
                        }
                    }
                    Step::Remove(item) => {
                        let Some(key) = keys.get(item) else { continue };
                        let at = model.iter().position(|(_, i)| *i == item);
                        let expected = at.map(|at| model.remove(at).1);
                        prop_assert_eq!(timers.remove(*key), expected);
                    }
                    Step::Pop(now_ms) => {
                        let first = model.iter().min().copied().filter(|(due, _)| *due <= now_ms);
                        model.retain(|entry| Some(*entry) != first);
                        prop_assert_eq!(timers.pop_due(now_ms), first.map(|(_, item)| item));
                    }
                }
                prop_assert_eq!(timers.len(), model.len());
                prop_assert_eq!(timers.is_empty(), model.is_empty());
                prop_assert_eq!(timers.next_due(), model.iter().map(|(due, _)| *due).min());
            }
        }
    }

    #[test]
    fn a_full_table_gives_the_item_back_and_says_why() {
        let mut timers = Timers::new(1);
        timers.insert(5, "first").unwrap();
        let full = timers.insert(1, "second").unwrap_err();
        assert_eq!(full.item, "second");
        assert_eq!(full.to_string(), "at most 1 timers can wait at once");
        assert_eq!(timers.pop_due(u64::MAX), Some("first"));
        assert!(timers.insert(1, "second").is_ok());
    }
}
