//! A bank account. No failure may make or lose money.
//!
//! | kind | payload | reply |
//! |---|---|---|
//! | `open` | `amount tick_ms`: it begins with this, and a timer ticks if the period is not 0 | nothing |
//! | `transfer` | `id to amount`: rejected unless there is enough; `to` gets a `deposit` | nothing |
//! | `transfer-asking` | as `transfer`, but `to` is asked, and what it does not take comes back | nothing |
//! | `transfer-retrying` | as `transfer`, but each instance first wants it again | nothing |
//! | `transfer-then-…` | as `transfer`, and more: see the module `failing`; then the turn fails | none |
//! | `statement` | nothing | lines: see the module `statement` |
//! | `transfers` | a cursor or nothing | `id times` of what outside ordered, and `next` with a cursor |
//!
//! What an order is named outside is `caller-number`, and a caller's numbers grow. Between
//! two accounts the numbers of deposits grow as well. What does not is counted as disorder.

mod book;
mod failing;
mod ordering;
mod statement;
mod taking;

use airssys_guest::{Actor, Message, Reply, TurnError, export};

use crate::ordering::Order;

struct Account;

impl Actor for Account {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError> {
        match message.kind.as_str() {
            "open" => taking::open(&message)?,
            "transfer" => Order::parse(&message)?.send()?,
            "transfer-asking" => Order::parse(&message)?.ask()?,
            "transfer-retrying" => failing::retry_once(&Order::parse(&message)?)?,
            "deposit" => taking::deposit(&message)?,
            "deposit-asked" => taking::deposit_asked(&message)?,
            "inquire" => taking::inquire(&message)?,
            "settled" => ordering::settled(&message)?,
            "tick" => taking::tick(&message)?,
            "statement" => return Ok(Some(statement::statement()?.into_bytes())),
            "transfers" => return Ok(Some(statement::transfers(&message)?.into_bytes())),
            other => match other.strip_prefix("transfer-then-") {
                Some(how) => failing::fail(&Order::parse(&message)?, how)?,
                None => return Err(TurnError::reject(format_args!("unknown kind `{other}`"))),
            },
        }
        Ok(None)
    }

    fn reply(reply: Reply) -> Result<(), TurnError> {
        ordering::answered(&reply)
    }
}

export!(Account);
