//! Calls any host function with any arguments and reports what came of it.
//!
//! The kind is `interface.function`, for example `storage.list-keys`; the payload is
//! a JSON object with the function's arguments, named as in `wit/`. What is missing
//! is empty or zero. Where a text is expected, `{"repeat": "x", "times": 1000000}` is
//! a long one. The reply is `{"ok": …}` or `{"error": "name: detail"}`.
//!
//! With kind `script` the payload is a list of `[kind, arguments]`, which are carried
//! out in one turn; the reply is the list of what came of each.

mod args;
mod host;

use airssys_guest::{Actor, Message, TurnError, export, json};
use serde_json::{Value, json};

use crate::args::Args;
use crate::host::Refusal;

struct Probe;

impl Actor for Probe {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError> {
        if message.kind != "script" {
            let args: Args = json::decode(&message)?;
            return json::reply(&outcome(&message.kind, args)?);
        }
        let script: Vec<(String, Args)> = json::decode(&message)?;
        let outcomes: Vec<Value> = script
            .into_iter()
            .map(|(kind, args)| outcome(&kind, args))
            .collect::<Result<_, _>>()?;
        json::reply(&outcomes)
    }
}

export!(Probe);

fn outcome(kind: &str, args: Args) -> Result<Value, TurnError> {
    match host::call(kind, args) {
        Ok(value) => Ok(json!({ "ok": value })),
        Err(Refusal::Host(error)) => Ok(json!({ "error": error })),
        Err(Refusal::UnknownKind) => Err(TurnError::reject(format_args!(
            "unknown kind `{kind}`: send `script`, or `interface.function` as in `storage.get`"
        ))),
    }
}
