//! Asks for little, and does what it is told to, whether it asked for that or not.
//!
//! Its kinds and payloads are those of `probe`, but for `script`.

mod args;
mod host;
mod trying;

use airssys_guest::{Actor, Message, TurnError, export, needs};

struct Modest;

impl Actor for Modest {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError> {
        trying::handle(&message)
    }
}

export!(Modest);

needs! {
    send: ["test/sink"],
}
