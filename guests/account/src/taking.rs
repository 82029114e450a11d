//! Money that arrives, and time that passes.

use std::time::Duration;

use airssys_guest::{Message, TurnError, messaging, storage};

use crate::book::{Pair, add, number, parse, sender, set, words};

pub(crate) fn open(message: &Message) -> Result<(), TurnError> {
    let [amount, tick_ms] = words(message)?;
    if storage::get("balance")?.is_some() {
        return Err(TurnError::reject("it is open"));
    }
    set("balance", parse(amount)?)?;
    tick_in(parse(tick_ms)?)
}

/// Money that comes whether it is wanted or not.
pub(crate) fn deposit(message: &Message) -> Result<(), TurnError> {
    let [last, amount] = words(message)?;
    take(sender(message)?, parse(last)?, parse(amount)?)
}

/// Money that may be refused, and is if it can be divided by seven.
pub(crate) fn deposit_asked(message: &Message) -> Result<(), TurnError> {
    let [last, amount] = words(message)?;
    let (from, amount) = (sender(message)?, parse(amount)?);
    if amount % 7 == 0 {
        return Err(TurnError::reject("this amount brings bad luck"));
    }
    storage::set(&format!("asked/{from}/{last}"), "")?;
    take(from, parse(last)?, amount)
}

/// Tells whether a deposit that was asked for has arrived.
pub(crate) fn inquire(message: &Message) -> Result<(), TurnError> {
    let (from, last) = (sender(message)?, message.text()?);
    let key = format!("asked/{from}/{last}");
    let how = match storage::get(&key)? {
        Some(_) => "taken",
        None => "not-taken",
    };
    storage::remove(&key)?;
    Ok(messaging::send(from, "settled", format!("{last} {how}"))?)
}

pub(crate) fn tick(message: &Message) -> Result<(), TurnError> {
    add("ticks", 1)?;
    tick_in(parse(message.text()?)?)
}

fn take(from: &str, last: u64, amount: u64) -> Result<(), TurnError> {
    let key = format!("from/{from}");
    let mut pair = Pair::read(&key)?;
    if last <= pair.last {
        add("disorder", 1)?;
    }
    pair.last = last;
    pair.count += 1;
    pair.amount += amount;
    pair.write(&key)?;
    Ok(set("balance", number("balance")? + amount)?)
}

fn tick_in(tick_ms: u64) -> Result<(), TurnError> {
    if tick_ms > 0 {
        let period = Duration::from_millis(tick_ms);
        let myself = messaging::my_address();
        messaging::send_after(period, &myself, "tick", tick_ms.to_string())?;
    }
    Ok(())
}
