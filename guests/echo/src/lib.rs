//! Replies with what it is sent.

use airssys_guest::{Actor, Message, TurnError, export};

struct Echo;

impl Actor for Echo {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError> {
        Ok(Some(message.payload))
    }
}

export!(Echo);
