//! Numbers what it sends on, and refuses what comes out of order.
//!
//! | kind | payload | reply |
//! |---|---|---|
//! | `next` | a number; rejected unless it is the one after the sender's last | nothing |
//! | `later` | a number; rejected unless it is above the sender's last | nothing |
//! | `flip` | as `later`, but one turn in two panics | nothing |
//! | `trap` | anything: it panics | none |
//! | `forward` | `address kind`: that gets a message with the next number | nothing |
//! | `last` | an address | the last number that it sent, 0 if none |
//! | `count` | nothing | how many numbers were taken |
//!
//! The numbers of a sender count from 1, and so do those that are forwarded to a
//! receiver.

use airssys_guest::{Actor, HostError, Message, TurnError, export, messaging, services, storage};

struct Ledger;

impl Actor for Ledger {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError> {
        match message.kind.as_str() {
            "next" => take(&message, |number, last| number == last + 1)?,
            "later" => take(&message, |number, last| number > last)?,
            "flip" => {
                let toss = services::random_bytes(1)?;
                assert!(toss[0] < 128, "tails");
                take(&message, |number, last| number > last)?;
            }
            "trap" => panic!("the message says so"),
            "forward" => forward(&message)?,
            "last" => return reply(read(&from(message.text()?))?),
            "count" => return reply(read("count")?),
            other => {
                return Err(TurnError::reject(format_args!(
                    "unknown kind `{other}`: send `next`, `later`, `flip`, `trap`, `forward`, \
                     `last` or `count`"
                )));
            }
        }
        Ok(None)
    }
}

export!(Ledger);

/// Writes the message's number down, if it is in order.
fn take(message: &Message, is_in_order: impl Fn(u64, u64) -> bool) -> Result<(), TurnError> {
    let number = message.text()?.parse().map_err(|error| {
        TurnError::reject(format_args!("the payload is no decimal number: {error}"))
    })?;
    let sender = message.sender.as_deref().unwrap_or("outside");
    let last = read(&from(sender))?;
    if !is_in_order(number, last) {
        return Err(TurnError::reject(format_args!(
            "{number} of {sender} comes after {last}"
        )));
    }
    write(&from(sender), number)?;
    Ok(write("count", read("count")? + 1)?)
}

/// Sends the next number on.
fn forward(message: &Message) -> Result<(), TurnError> {
    let (target, kind) = message
        .text()?
        .split_once(' ')
        .ok_or_else(|| TurnError::reject("the payload is to be `address kind`"))?;
    let key = format!("to/{target}");
    let number = read(&key)? + 1;
    write(&key, number)?;
    Ok(messaging::send(target, kind, number.to_string())?)
}

fn from(sender: &str) -> String {
    format!("from/{sender}")
}

fn reply(number: u64) -> Result<Option<Vec<u8>>, TurnError> {
    Ok(Some(number.to_string().into_bytes()))
}

/// The number at `key`, or 0.
fn read(key: &str) -> Result<u64, HostError> {
    let stored = storage::get(key)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&stored).parse().unwrap_or(0))
}

fn write(key: &str, number: u64) -> Result<(), HostError> {
    storage::set(key, number.to_string())
}
