//! The newest of a series of values, each under its number in storage.

use std::ops::RangeInclusive;

use airssys_guest::{HostError, TurnError, storage};

/// How many values a log keeps. One more, and the oldest goes.
pub(crate) const KEPT: u64 = 100;

/// A series of values, numbered from 1, of which the newest [`KEPT`] are in storage.
pub(crate) struct Log {
    /// What the values' keys begin with; the rest is their number.
    pub(crate) prefix: &'static str,
    /// The key of the newest value's number.
    pub(crate) counter: &'static str,
}

impl Log {
    /// Adds a value and returns its number.
    pub(crate) fn push(&self, value: impl AsRef<[u8]>) -> Result<u64, TurnError> {
        let number = self.newest()? + 1;
        self.set(number, value)?;
        storage::set(self.counter, number.to_string())?;
        if let Some(oldest) = number.checked_sub(KEPT) {
            self.remove(oldest)?;
        }
        Ok(number)
    }

    /// All that is kept, oldest first, each with its number.
    pub(crate) fn entries(&self) -> Result<Vec<(u64, Vec<u8>)>, TurnError> {
        let numbers = self.numbers()?;
        let keys: Vec<String> = numbers.clone().map(|number| self.key(number)).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let values = storage::get_many(&keys)?;
        let entry = |(number, value): (u64, Option<Vec<u8>>)| Some((number, value?));
        Ok(numbers.zip(values).filter_map(entry).collect())
    }

    /// Puts a value under a number.
    pub(crate) fn set(&self, number: u64, value: impl AsRef<[u8]>) -> Result<(), HostError> {
        storage::set(&self.key(number), value)
    }

    /// Removes the value of a number, if there is one.
    pub(crate) fn remove(&self, number: u64) -> Result<(), HostError> {
        storage::remove(&self.key(number))
    }

    fn numbers(&self) -> Result<RangeInclusive<u64>, TurnError> {
        let newest = self.newest()?;
        Ok(newest.saturating_sub(KEPT) + 1..=newest)
    }

    /// The number of the newest value, or 0 when there is none.
    fn newest(&self) -> Result<u64, TurnError> {
        let Some(stored) = storage::get(self.counter)? else {
            return Ok(0);
        };
        String::from_utf8_lossy(&stored).parse().map_err(|error| {
            let counter = self.counter;
            TurnError::reject(format_args!("the stored `{counter}` is broken: {error}"))
        })
    }

    fn key(&self, number: u64) -> String {
        format!("{}{number}", self.prefix)
    }
}
