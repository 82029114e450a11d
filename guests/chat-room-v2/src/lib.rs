//! The second version of `chat-room`: it keeps its lines as JSON and with their time,
//! and nothing makes it panic.
//!
//! It takes the same messages and replies with the same, and in addition:
//!
//! | kind | payload | reply |
//! |---|---|---|
//! | `search` | a word | the lines whose text contains it, each `address: text` |
//!
//! `/panic` in place of a text is rejected.

use airssys_guest::{Actor, Failure, Message, TurnError, export};

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
            "say" if message.payload == b"/panic" => Err(TurnError::reject(
                "`/panic` is no text to say: this version does not panic any more",
            )),
            "say" => room::say::<Json>(&message),
            "history" => room::lines_with::<Json>(""),
            "members" => room::members(),
            "search" => room::lines_with::<Json>(message.text()?),
            other => Err(TurnError::reject(format_args!(
                "unknown kind `{other}`: send `join`, `leave`, `say`, `history`, `members` or \
                 `search`"
            ))),
        }
    }

    fn migrate(from_version: &str) -> Result<(), Failure> {
        match from_version.split('.').next() {
            Some("1") => Ok(history::convert::<Plain, Json>()?),
            Some("2") => Ok(()),
            _ => Err(format!(
                "the state is of version {from_version}, and this version knows that of \
                 1.x and 2.x"
            )
            .into()),
        }
    }
}

export!(ChatRoom);
