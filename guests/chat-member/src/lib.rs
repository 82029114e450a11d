//! Somebody who talks in rooms of `chat-room`; one actor is one person.
//!
//! | kind | payload | reply |
//! |---|---|---|
//! | `enter` | a room's address | nothing; the room gets `join` |
//! | `say` | `room address\|text` | nothing; the room gets `say`, as a request |
//! | `heard` | `room\|address\|text`, as rooms send it | nothing |
//! | `inbox` | nothing | the last 100 that were heard, one on each line |
//! | `stats` | nothing | `delivered=N failed=M`, of what was said |
//!
//! What is said counts as neither until the room has replied, and as failed after
//! five seconds without a reply.

use std::time::Duration;

use airssys_guest::{Actor, HostError, Message, Reply, TurnError, export, messaging, storage};

use log::Log;

/// That of `chat-room`, by a symbolic link.
mod log;

/// How long the room has for its reply.
const PATIENCE: Duration = Duration::from_secs(5);

const INBOX: Log = Log {
    prefix: "inbox/",
    counter: "messages-heard",
};

struct ChatMember;

impl Actor for ChatMember {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError> {
        match message.kind.as_str() {
            "enter" => messaging::send(message.text()?, "join", messaging::my_address())?,
            "say" => say(&message)?,
            "heard" => {
                INBOX.push(message.text()?)?;
            }
            "inbox" => return inbox(),
            "stats" => return stats(),
            other => {
                return Err(TurnError::reject(format_args!(
                    "unknown kind `{other}`: send `enter`, `say`, `heard`, `inbox` or `stats`"
                )));
            }
        }
        Ok(None)
    }

    fn reply(reply: Reply) -> Result<(), TurnError> {
        let counter = match reply.outcome {
            Ok(_) => "delivered",
            Err(_) => "failed",
        };
        Ok(storage::set(counter, (count(counter)? + 1).to_string())?)
    }
}

export!(ChatMember);

fn say(message: &Message) -> Result<(), TurnError> {
    let (room, text) = message
        .text()?
        .split_once('|')
        .ok_or_else(|| TurnError::reject("the payload is to be `room address|text`"))?;
    messaging::request(room, "say", text, PATIENCE)?;
    Ok(())
}

fn inbox() -> Result<Option<Vec<u8>>, TurnError> {
    let heard: Vec<Vec<u8>> = INBOX.entries()?.into_iter().map(|(_, line)| line).collect();
    Ok(Some(heard.join(&b'\n')))
}

fn stats() -> Result<Option<Vec<u8>>, TurnError> {
    let (delivered, failed) = (count("delivered")?, count("failed")?);
    Ok(Some(
        format!("delivered={delivered} failed={failed}").into_bytes(),
    ))
}

/// The number at `key`.
fn count(key: &str) -> Result<u64, HostError> {
    let stored = storage::get(key)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&stored).parse().unwrap_or(0))
}
