//! What is written down: numbers, and what went between two accounts.

use airssys_guest::{HostError, Message, TurnError, storage};

/// What went from one account to another.
#[derive(Default)]
pub(crate) struct Pair {
    /// The number of the last deposit.
    pub(crate) last: u64,
    /// How many arrived, or were sent and need no answer.
    pub(crate) count: u64,
    /// What they were together.
    pub(crate) amount: u64,
}

impl Pair {
    pub(crate) fn read(key: &str) -> Result<Self, HostError> {
        let text = text(key)?.unwrap_or_default();
        let mut numbers = text.split(' ').map(|it| it.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        Ok(Self {
            last: next(),
            count: next(),
            amount: next(),
        })
    }

    pub(crate) fn write(&self, key: &str) -> Result<(), HostError> {
        let Self {
            last,
            count,
            amount,
        } = self;
        storage::set(key, format!("{last} {count} {amount}"))
    }
}

/// The text at `key`.
pub(crate) fn text(key: &str) -> Result<Option<String>, HostError> {
    let stored = storage::get(key)?;
    Ok(stored.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The number at `key`, or 0.
pub(crate) fn number(key: &str) -> Result<u64, HostError> {
    Ok(text(key)?.and_then(|text| text.parse().ok()).unwrap_or(0))
}

pub(crate) fn set(key: &str, number: u64) -> Result<(), HostError> {
    storage::set(key, number.to_string())
}

/// Adds to the number at `key`.
pub(crate) fn add(key: &str, more: u64) -> Result<(), HostError> {
    set(key, number(key)? + more)
}

/// The words of a message, which must be so many.
pub(crate) fn words<const N: usize>(message: &Message) -> Result<[&str; N], TurnError> {
    split(message.text()?)
}

/// The words of a text, which must be so many.
pub(crate) fn split<const N: usize>(text: &str) -> Result<[&str; N], TurnError> {
    let words: Vec<&str> = text.split(' ').collect();
    words
        .try_into()
        .map_err(|_| TurnError::reject(format_args!("`{text}` is not {N} words")))
}

pub(crate) fn parse(word: &str) -> Result<u64, TurnError> {
    word.parse()
        .map_err(|error| TurnError::reject(format_args!("`{word}` is no number: {error}")))
}

/// Who sent a message, which must be an account.
pub(crate) fn sender(message: &Message) -> Result<&str, TurnError> {
    let sender = message.sender.as_deref();
    sender.ok_or_else(|| TurnError::reject("only accounts send this"))
}
