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
//! `entry/…` one of as many as `entries` says; the values have 100 to 1024 bytes.

use std::sync::OnceLock;

use airssys_guest::{Actor, Config, Failure, Message, TurnError, export, messaging, storage};

/// Where this actor stands, if there is a ring. It depends on nothing that changes, so that
/// it does not matter how long the instance lives.
static PLACE: OnceLock<Place> = OnceLock::new();

struct Place {
    /// The address of the next actor.
    next: String,
    /// How many keys there are besides `last`.
    entries: u64,
}

struct Baton;

impl Actor for Baton {
    fn init(config: Config) -> Result<(), Failure> {
        if let Some(ring) = config.get("ring") {
            let place = place(&messaging::my_address(), ring, config.get("entries"));
            let place = place.ok_or("this is no actor of a ring, or its numbers are none")?;
            PLACE.get_or_init(|| place);
        }
        Ok(())
    }

    fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError> {
        match message.kind.as_str() {
            "pass" => pass(&message, here()?)?,
            "work" => {
                let (place, number) = (here()?, number(&message)?);
                let entry = format!("entry/{:02}", number % place.entries);
                storage::set("last", value(number))?;
                storage::set(&entry, value(number + 7))?;
                pass(&message, place)?;
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

/// The place of an actor in a ring of so many.
fn place(address: &str, ring: &str, entries: Option<&str>) -> Option<Place> {
    let (component, place) = address.rsplit_once('/')?;
    let (place, ring): (u64, u64) = (place.parse().ok()?, ring.parse().ok()?);
    let entries = entries.unwrap_or("100").parse().ok()?;
    (place < ring && entries > 0).then(|| Place {
        next: format!("{component}/{}", (place + 1) % ring),
        entries,
    })
}

fn here() -> Result<&'static Place, TurnError> {
    PLACE
        .get()
        .ok_or_else(|| TurnError::reject("the configuration has no `ring`"))
}

/// Sends the message on, if it is to go further.
fn pass(message: &Message, place: &Place) -> Result<(), TurnError> {
    match number(message)?.checked_sub(1) {
        Some(less) => Ok(messaging::send(
            &place.next,
            &message.kind,
            less.to_string(),
        )?),
        None => Ok(()),
    }
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
