//! Passes on what it is sent, round a ring of actors.
//!
//! | kind | payload | what it does |
//! |---|---|---|
//! | `pass` | a number | unless it is 0, sends `pass` with one less to the next actor |
//! | `work` | a number | the same with `work`, and writes two keys |
//! | `keep` | anything | keeps it under the key `kept` |
//! | `kept` | nothing | replies with that |
//!
//! The configuration's `ring` says how many actors there are; their instances are called
//! `0`, `1` and so on. Of the two keys that `work` writes, `last` is always the same, and
//! `entry/…` one of a hundred; the values have 100 to 1024 bytes.

use std::sync::OnceLock;

use airssys_guest::{Actor, Config, Failure, Message, TurnError, export, messaging, storage};

/// How many keys there are besides `last`.
const ENTRIES: u64 = 100;

/// The actor that follows this one, where there is a ring. It depends on nothing that
/// changes, so that it does not matter how long the instance lives.
static NEXT: OnceLock<String> = OnceLock::new();

struct Baton;

impl Actor for Baton {
    fn init(config: Config) -> Result<(), Failure> {
        if let Some(ring) = config.get("ring") {
            let next = next(&messaging::my_address(), ring).ok_or("this is no ring's actor")?;
            NEXT.get_or_init(|| next);
        }
        Ok(())
    }

    fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError> {
        match message.kind.as_str() {
            "pass" => pass(&message, number(&message)?)?,
            "work" => {
                let number = number(&message)?;
                storage::set("last", value(number))?;
                storage::set(&format!("entry/{:02}", number % ENTRIES), value(number + 7))?;
                pass(&message, number)?;
            }
            "keep" => storage::set("kept", message.payload)?,
            "kept" => return Ok(storage::get("kept")?),
            other => {
                return Err(TurnError::reject(format_args!(
                    "unknown kind `{other}`: send `pass`, `work`, `keep` or `kept`"
                )));
            }
        }
        Ok(None)
    }
}

export!(Baton);

/// The address after this one in a ring of so many.
fn next(address: &str, ring: &str) -> Option<String> {
    let (component, place) = address.rsplit_once('/')?;
    let (place, ring): (u64, u64) = (place.parse().ok()?, ring.parse().ok()?);
    (place < ring).then(|| format!("{component}/{}", (place + 1) % ring))
}

/// Sends the message on, if it is to go further.
fn pass(message: &Message, number: u64) -> Result<(), TurnError> {
    let Some(less) = number.checked_sub(1) else {
        return Ok(());
    };
    let next = NEXT
        .get()
        .ok_or_else(|| TurnError::reject("the configuration has no `ring`"))?;
    Ok(messaging::send(next, &message.kind, less.to_string())?)
}

fn number(message: &Message) -> Result<u64, TurnError> {
    message.text()?.parse().map_err(|error| {
        TurnError::reject(format_args!("the payload is no decimal number: {error}"))
    })
}

/// 100 to 1024 bytes.
fn value(number: u64) -> Vec<u8> {
    vec![b'v'; 100 + (number % 925 * 37 % 925) as usize]
}
