//! Sends messages on: now, later, to many, and as requests whose replies it keeps.
//!
//! What a kind takes is told where it is handled. `text` becomes the payload of
//! the message that is sent.

use std::time::Duration;

use airssys_guest::{
    Actor, Correlation, Message, Reply, TimerId, TurnError, export, json, messaging, storage,
};
use serde::Deserialize;

struct Relay;

impl Actor for Relay {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError> {
        match message.kind.as_str() {
            // This actor's own address.
            "address" => return Ok(Some(messaging::my_address().into_bytes())),
            // {"target", "kind", "text"}
            "send" => send(&message)?,
            // As `send`, but the turn fails, so that nothing is sent.
            "send-then-reject" => {
                send(&message)?;
                return Err(TurnError::reject("nothing is to be sent"));
            }
            // {"targets": […], "kind", "text"}
            "broadcast" => {
                let m: Broadcast = json::decode(&message)?;
                let targets: Vec<&str> = m.targets.iter().map(String::as_str).collect();
                messaging::broadcast(&targets, &m.kind, m.text)?;
            }
            // {"target", "kind", "text", "delay_ms"}; replies with the timer's id.
            "later" => {
                let m: Later = json::decode(&message)?;
                let delay = Duration::from_millis(m.delay_ms);
                let timer = messaging::send_after(delay, &m.target, &m.kind, m.text)?;
                return Ok(Some(timer.to_string().into_bytes()));
            }
            // What `later` replied.
            "cancel" => messaging::cancel_timer(TimerId::from(number(&message)?))?,
            // {"target", "kind", "text", "timeout_ms"}; replies with the correlation.
            "request" => {
                let m: Request = json::decode(&message)?;
                let timeout = Duration::from_millis(m.timeout_ms);
                let correlation = messaging::request(&m.target, &m.kind, m.text, timeout)?;
                return Ok(Some(correlation.to_string().into_bytes()));
            }
            // What `request` replied.
            "cancel-request" => {
                messaging::cancel_request(Correlation::from(number(&message)?))?;
            }
            // What `request` replied; replies with what came of it: `ok: …` or
            // `error: …`, or nothing yet.
            "outcome" => return Ok(storage::get(&outcome_key(number(&message)?.into()))?),
            // {"topic", "kind", "text"}
            "publish" => {
                let m: Publish = json::decode(&message)?;
                messaging::publish(&m.topic, &m.kind, m.text)?;
            }
            // A pattern.
            "subscribe" => messaging::subscribe(message.text()?)?,
            "unsubscribe" => messaging::unsubscribe(message.text()?)?,
            // Any text: it is kept, and `notes` replies with all of them as lines.
            "note" => note(&message)?,
            "notes" => return Ok(storage::get("notes")?),
            other => {
                return Err(TurnError::reject(format_args!(
                    "unknown kind `{other}`: send `address`, `send`, `send-then-reject`, \
                     `broadcast`, `later`, `cancel`, `request`, `cancel-request`, `outcome`, \
                     `publish`, `subscribe`, `unsubscribe`, `note` or `notes`"
                )));
            }
        }
        Ok(None)
    }

    fn reply(reply: Reply) -> Result<(), TurnError> {
        let outcome = match &reply.outcome {
            Ok(answer) => {
                let answer = answer.as_deref().unwrap_or_default();
                format!("ok: {}", String::from_utf8_lossy(answer))
            }
            Err(error) => format!("error: {error}"),
        };
        Ok(storage::set(&outcome_key(reply.correlation), outcome)?)
    }
}

export!(Relay);

#[derive(Deserialize)]
struct Send {
    target: String,
    kind: String,
    text: String,
}

#[derive(Deserialize)]
struct Broadcast {
    targets: Vec<String>,
    kind: String,
    text: String,
}

#[derive(Deserialize)]
struct Later {
    target: String,
    kind: String,
    text: String,
    delay_ms: u64,
}

#[derive(Deserialize)]
struct Request {
    target: String,
    kind: String,
    text: String,
    timeout_ms: u64,
}

#[derive(Deserialize)]
struct Publish {
    topic: String,
    kind: String,
    text: String,
}

fn send(message: &Message) -> Result<(), TurnError> {
    let m: Send = json::decode(message)?;
    Ok(messaging::send(&m.target, &m.kind, m.text)?)
}

fn number(message: &Message) -> Result<u64, TurnError> {
    message.text()?.parse().map_err(|error| {
        TurnError::reject(format_args!("the payload is no decimal number: {error}"))
    })
}

fn outcome_key(correlation: Correlation) -> String {
    format!("outcome/{correlation}")
}

fn note(message: &Message) -> Result<(), TurnError> {
    let mut notes = storage::get("notes")?.unwrap_or_default();
    notes.extend_from_slice(&message.payload);
    notes.push(b'\n');
    Ok(storage::set("notes", notes)?)
}
