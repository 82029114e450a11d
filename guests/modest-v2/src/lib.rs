//! The second version of `modest`: it asks for more than the first.
//!
//! It does what it is told to, as `modest` does.

mod args;
mod host;
mod trying;

use airssys_guest::{Actor, Message, TurnError, export, needs};

struct ModestV2;

impl Actor for ModestV2 {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError> {
        trying::handle(&message)
    }
}

export!(ModestV2);

needs! {
    send: ["test/sink"],
    publish: ["news.>"],
}
