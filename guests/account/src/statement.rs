//! What an account tells of itself.
//!
//! `statement` replies with one line each: `balance`, `ticks` and `disorder` with their
//! numbers; `keys` and `bytes` with what its storage takes; `asking` and `doubt` with the
//! money that was asked to be taken and is not settled; and for each other account `to` and
//! `from` with its address, the number of the last deposit, how many there were, and what
//! they were together.

use airssys_guest::{HostError, Message, TurnError, storage};

use crate::book::{number, text};

/// How many keys are listed at once.
const PAGE: u32 = 1_000;

pub(crate) fn statement() -> Result<String, TurnError> {
    let mut lines = String::new();
    for key in ["balance", "ticks", "disorder"] {
        lines += &format!("{key} {}\n", number(key)?);
    }
    let used = storage::usage()?;
    lines += &format!("keys {}\nbytes {}\n", used.keys, used.bytes);
    for key in ["asking", "doubt"] {
        let mut open = 0;
        each(&format!("{key}/"), |_, value| {
            let amount = value.rsplit(' ').next().and_then(|it| it.parse().ok());
            open += amount.unwrap_or(0_u64);
        })?;
        lines += &format!("{key} {open}\n");
    }
    for key in ["to", "from"] {
        each(&format!("{key}/"), |peer, pair| {
            lines += &format!("{key} {peer} {pair}\n");
        })?;
    }
    Ok(lines)
}

pub(crate) fn transfers(message: &Message) -> Result<String, TurnError> {
    let cursor = message.text()?;
    let cursor = (!cursor.is_empty()).then_some(cursor);
    let page = storage::list_keys("done/", cursor, PAGE)?;
    let mut lines = String::new();
    for key in page.keys {
        lines += &format!("{} {}\n", &key["done/".len()..], number(&key)?);
    }
    if let Some(next) = page.next {
        lines += &format!("next {next}\n");
    }
    Ok(lines)
}

/// Calls `with` for each key that begins with `prefix`, without the prefix.
fn each(prefix: &str, mut with: impl FnMut(&str, &str)) -> Result<(), HostError> {
    let mut cursor = None;
    loop {
        let page = storage::list_keys(prefix, cursor.as_deref(), PAGE)?;
        for key in page.keys {
            with(&key[prefix.len()..], &text(&key)?.unwrap_or_default());
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}
