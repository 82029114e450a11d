//! The third version of `chat-room`, which is broken: it starts, takes over the state
//! of the others and does everything that the second does, but every `say` traps.
//!
//! Only its own work shows that, so it is for showing how an upgrade is tried and
//! called off, or undone.

use airssys_guest::{Actor, Config, Failure, Message, TurnError, export, services};

use model::line::{Json, Plain};
use model::{history, room};

/// That of `chat-room`, by a symbolic link.
mod model;

struct ChatRoom;

impl Actor for ChatRoom {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError> {
        match message.kind.as_str() {
            "join" => room::join(&message).map(|()| None),
            "leave" => room::leave(&message).map(|()| None),
            "say" => {
                let said = room::say::<Json>(&message);
                panic!("this version is broken: {said:?} is not to be the reply")
            }
            "history" => room::lines_with::<Json>(""),
            "members" => room::members(),
            "search" => room::lines_with::<Json>(message.text()?),
            other => Err(TurnError::reject(format_args!(
                "unknown kind `{other}`: send `join`, `leave`, `say`, `history`, `members` or \
                 `search`"
            ))),
        }
    }

    fn init(_config: Config) -> Result<(), Failure> {
        services::log_panics();
        Ok(())
    }

    fn migrate(from_version: &str) -> Result<(), Failure> {
        match from_version.split('.').next() {
            Some("1") => Ok(history::convert::<Plain, Json>()?),
            Some("2" | "3") => Ok(()),
            _ => Err(format!(
                "the state is of version {from_version}, and this version knows that of \
                 1.x, 2.x and 3.x"
            )
            .into()),
        }
    }
}

export!(ChatRoom);
