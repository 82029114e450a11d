//! A room where members talk; one actor is one room. This is version 1, and
//! `chat-room-v2` and `chat-room-v3` are what it is upgraded to.
//!
//! | kind | payload | reply |
//! |---|---|---|
//! | `join` | a member's address | nothing |
//! | `leave` | a member's address | nothing |
//! | `say` | a text of one line; who says it is the message's sender | the line's number |
//! | `history` | nothing | the last 100 lines, each `address: text` |
//! | `members` | nothing | their addresses, one on each line |
//!
//! Each member gets `heard` with `room|address|text` for every line, and so does the
//! topic `chat.<instance>.said`. The topic `chat.<instance>.joined` gets `joined` with
//! the address of a new member. In topics a dot of the instance is a `_`.
//!
//! To `/panic` in place of a text the room panics, to show what becomes of it then.

use airssys_guest::{Actor, Config, Failure, Message, TurnError, export, services};

use model::line::{Json, Plain};
use model::{history, room};

/// `chat-room-v2` and `chat-room-v3` have it too, by a symbolic link, and not as a
/// crate: `cargo xtask guests` has to see it among the sources of each.
mod model;

struct ChatRoom;

impl Actor for ChatRoom {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError> {
        match message.kind.as_str() {
            "join" => room::join(&message).map(|()| None),
            "leave" => room::leave(&message).map(|()| None),
            "say" if message.payload == b"/panic" => panic!("somebody said `/panic`"),
            "say" => room::say::<Plain>(&message),
            "history" => room::lines_with::<Plain>(""),
            "members" => room::members(),
            other => Err(TurnError::reject(format_args!(
                "unknown kind `{other}`: send `join`, `leave`, `say`, `history` or `members`"
            ))),
        }
    }

    fn init(_config: Config) -> Result<(), Failure> {
        services::log_panics();
        Ok(())
    }

    /// The way back from version 2. The times of its lines are lost.
    fn migrate(from_version: &str) -> Result<(), Failure> {
        match from_version.split('.').next() {
            Some("1") => Ok(()),
            Some("2") => Ok(history::convert::<Json, Plain>()?),
            _ => Err(format!(
                "the state is of version {from_version}, and this version knows that of \
                 1.x and 2.x"
            )
            .into()),
        }
    }
}

export!(ChatRoom);
