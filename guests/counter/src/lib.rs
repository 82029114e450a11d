//! Counts, and shows that a failing turn leaves no trace.
//!
//! `get` replies with the count, `add` adds a decimal number and replies with the
//! sum. `add-then-reject`, `add-then-retry` and `add-then-trap` write the sum first
//! and fail then, so that the count stays what it was.

use airssys_guest::{Actor, Message, TurnError, export, storage};

struct Counter;

impl Actor for Counter {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError> {
        let count = match message.kind.as_str() {
            "get" => count()?,
            "add" => add(&message)?,
            "add-then-reject" => {
                let sum = add(&message)?;
                return Err(TurnError::reject(format_args!("{sum} is not to stay")));
            }
            "add-then-retry" => {
                let sum = add(&message)?;
                return Err(TurnError::retry(format_args!("{sum} is not to stay yet")));
            }
            "add-then-trap" => {
                let sum = add(&message)?;
                panic!("{sum} is not to stay");
            }
            other => {
                return Err(TurnError::reject(format_args!(
                    "unknown kind `{other}`: send `get`, `add`, `add-then-reject`, \
                     `add-then-retry` or `add-then-trap`"
                )));
            }
        };
        Ok(Some(count.to_string().into_bytes()))
    }
}

export!(Counter);

/// Adds the number in the message, and returns the sum.
fn add(message: &Message) -> Result<i64, TurnError> {
    let step: i64 = message.text()?.trim().parse().map_err(|error| {
        TurnError::reject(format_args!("the payload is no decimal number: {error}"))
    })?;
    let sum = count()?
        .checked_add(step)
        .ok_or_else(|| TurnError::reject("the count would be too large"))?;
    storage::set("count", sum.to_string())?;
    Ok(sum)
}

fn count() -> Result<i64, TurnError> {
    let Some(stored) = storage::get("count")? else {
        return Ok(0);
    };
    String::from_utf8_lossy(&stored)
        .parse()
        .map_err(|error| TurnError::reject(format_args!("the stored count is broken: {error}")))
}
