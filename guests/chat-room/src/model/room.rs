//! Who is in the room, and what is said there.

use airssys_guest::{HostError, Message, TurnError, messaging, storage};

use super::line::{Form, Line};
use super::{address, history};

/// The most members that a room has. A line is one message to each and one to the
/// topic, of which a turn may send 1 024.
const MAX_MEMBERS: u32 = 1_000;

/// What the keys of the members begin with; the rest is the member's address.
const MEMBER: &str = "member/";

/// Keeps the member whose address the message has, and tells the topic
/// `chat.<instance>.joined`. A member who is there already changes nothing.
pub(crate) fn join(message: &Message) -> Result<(), TurnError> {
    let member = message.text()?;
    address::check(member)?;
    let key = format!("{MEMBER}{member}");
    if storage::get(&key)?.is_some() {
        return Ok(());
    }
    if addresses()?.len() >= MAX_MEMBERS as usize {
        return Err(TurnError::reject(format_args!(
            "the room is full: it takes {MAX_MEMBERS} members"
        )));
    }
    storage::set(&key, "")?;
    Ok(messaging::publish(&topic("joined"), "joined", member)?)
}

/// Forgets the member whose address the message has. Who is not there may leave too.
pub(crate) fn leave(message: &Message) -> Result<(), TurnError> {
    Ok(storage::remove(&format!("{MEMBER}{}", message.text()?))?)
}

/// Replies with the members' addresses, one on each line.
pub(crate) fn members() -> Result<Option<Vec<u8>>, TurnError> {
    Ok(Some(addresses()?.join("\n").into_bytes()))
}

/// Keeps what the sender says, tells all members and the topic `chat.<instance>.said`,
/// and replies with the line's number.
pub(crate) fn say<F: Form>(message: &Message) -> Result<Option<Vec<u8>>, TurnError> {
    let speaker = message
        .sender
        .as_deref()
        .ok_or_else(|| TurnError::reject("nobody is named as the sender of the line"))?;
    let line = Line::now(speaker, message.text()?)?;
    let number = history::keep::<F>(&line)?;

    let heard = format!("{}|{speaker}|{}", messaging::my_address(), line.text);
    let members = addresses()?;
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    messaging::broadcast(&members, "heard", &heard)?;
    messaging::publish(&topic("said"), "heard", &heard)?;
    Ok(Some(number.to_string().into_bytes()))
}

/// Replies with the lines whose text contains `word`. The empty word is in every text.
pub(crate) fn lines_with<F: Form>(word: &str) -> Result<Option<Vec<u8>>, TurnError> {
    let lines = history::lines::<F>()?;
    let found: Vec<String> = lines
        .iter()
        .filter(|line| line.text.contains(word))
        .map(Line::to_string)
        .collect();
    Ok(Some(found.join("\n").into_bytes()))
}

fn addresses() -> Result<Vec<String>, HostError> {
    let page = storage::list_keys(MEMBER, None, MAX_MEMBERS)?;
    let address = |key: &String| Some(key.strip_prefix(MEMBER)?.to_owned());
    Ok(page.keys.iter().filter_map(address).collect())
}

/// A topic of this room. A dot in its name would make two words of it.
fn topic(what: &str) -> String {
    let address = messaging::my_address();
    let instance = address.rsplit('/').next().unwrap_or_default();
    format!("chat.{}.{what}", instance.replace('.', "_"))
}
