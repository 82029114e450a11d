//! Calls another actor and waits for the reply.
//!
//! `call` takes `{"target", "kind", "text", "timeout_ms"}` and replies with what the
//! callee replied. When there is no reply it rejects, and its text begins with the
//! error's name. `call-then-reject` fails after the call, which undoes nothing that
//! the callee has done.

use std::time::Duration;

use airssys_guest::{Actor, Message, TurnError, export, json, rpc};
use serde::Deserialize;

struct Caller;

impl Actor for Caller {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError> {
        match message.kind.as_str() {
            "call" => call(&message),
            "call-then-reject" => {
                call(&message)?;
                Err(TurnError::reject("the call succeeded, this turn does not"))
            }
            other => Err(TurnError::reject(format_args!(
                "unknown kind `{other}`: send `call` or `call-then-reject`"
            ))),
        }
    }
}

export!(Caller);

#[derive(Deserialize)]
struct Call {
    target: String,
    kind: String,
    text: String,
    timeout_ms: u64,
}

fn call(message: &Message) -> Result<Option<Vec<u8>>, TurnError> {
    let c: Call = json::decode(message)?;
    let timeout = Duration::from_millis(c.timeout_ms);
    // Not `?`, which would have a timeout tried again.
    rpc::call(&c.target, &c.kind, c.text, timeout).map_err(TurnError::reject)
}
