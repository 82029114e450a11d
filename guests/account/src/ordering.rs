//! Money that leaves, and what becomes of it.

use std::time::Duration;

use airssys_guest::{CallError, Message, Reply, TurnError, messaging, storage};

use crate::book::{Pair, add, number, parse, sender, set, split, text, words};

/// How long an account waits for another's answer.
const PATIENCE: Duration = Duration::from_millis(250);

/// A transfer that was ordered outside.
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) to: String,
    pub(crate) amount: u64,
}

impl Order {
    pub(crate) fn parse(message: &Message) -> Result<Self, TurnError> {
        let [id, to, amount] = words(message)?;
        Ok(Self {
            id: id.to_owned(),
            to: to.to_owned(),
            amount: parse(amount)?,
        })
    }

    /// Sends the money: it arrives if this turn happens.
    pub(crate) fn send(&self) -> Result<(), TurnError> {
        let mut pair = self.take()?;
        pair.count += 1;
        pair.amount += self.amount;
        pair.write(&format!("to/{}", self.to))?;
        let deposit = format!("{} {}", pair.last, self.amount);
        Ok(messaging::send(&self.to, "deposit", deposit)?)
    }

    /// Asks the other account to take the money.
    pub(crate) fn ask(&self) -> Result<(), TurnError> {
        let pair = self.take()?;
        pair.write(&format!("to/{}", self.to))?;
        let deposit = format!("{} {}", pair.last, self.amount);
        let asked = messaging::request(&self.to, "deposit-asked", &deposit, PATIENCE)?;
        let open = format!("{} {deposit}", self.to);
        Ok(storage::set(&format!("asking/{asked}"), open)?)
    }

    /// Takes the money from this account, and writes the order down.
    fn take(&self) -> Result<Pair, TurnError> {
        let balance = number("balance")?;
        let left = balance.checked_sub(self.amount).ok_or_else(|| {
            TurnError::reject(format_args!("{} is more than {balance}", self.amount))
        })?;
        set("balance", left)?;
        add(&format!("done/{}", self.id), 1)?;
        let (caller, count) = self.id.rsplit_once('-').unwrap_or(("", "0"));
        let (key, count) = (format!("caller/{caller}"), parse(count)?);
        if count <= number(&key)? {
            add("disorder", 1)?;
        }
        set(&key, count)?;
        let mut pair = Pair::read(&format!("to/{}", self.to))?;
        pair.last += 1;
        Ok(pair)
    }
}

/// The other account has answered, or not.
pub(crate) fn answered(reply: &Reply) -> Result<(), TurnError> {
    let key = format!("asking/{}", reply.correlation);
    let Some(open) = text(&key)? else {
        return Ok(add("disorder", 1)?);
    };
    let [to, last, amount] = split(&open)?;
    storage::remove(&key)?;
    match reply.outcome {
        Ok(_) => arrived(to, parse(amount)?),
        Err(CallError::Rejected(_)) => Ok(add("balance", parse(amount)?)?),
        // Nobody knows whether it arrived. This comes after it, and so does the answer.
        Err(_) => {
            storage::set(&format!("doubt/{to}/{last}"), amount)?;
            Ok(messaging::send(to, "inquire", last)?)
        }
    }
}

/// The other account says whether a deposit that it was asked to take had arrived.
pub(crate) fn settled(message: &Message) -> Result<(), TurnError> {
    let to = sender(message)?;
    let [last, how] = words(message)?;
    let key = format!("doubt/{to}/{last}");
    let amount = number(&key)?;
    storage::remove(&key)?;
    match how {
        "taken" => arrived(to, amount),
        _ => Ok(add("balance", amount)?),
    }
}

fn arrived(to: &str, amount: u64) -> Result<(), TurnError> {
    let key = format!("to/{to}");
    let mut pair = Pair::read(&key)?;
    pair.count += 1;
    pair.amount += amount;
    Ok(pair.write(&key)?)
}
