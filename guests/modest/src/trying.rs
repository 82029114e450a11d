//! Calling the function of the host that a message names.

use airssys_guest::{Message, TurnError, json};
use serde_json::json;

use crate::host::{self, Refusal};

/// Calls what the kind says, `interface.function`, with the arguments of the payload.
pub(crate) fn handle(message: &Message) -> Result<Option<Vec<u8>>, TurnError> {
    match host::call(&message.kind, json::decode(message)?) {
        Ok(value) => json::reply(&json!({ "ok": value })),
        Err(Refusal::Host(error)) => json::reply(&json!({ "error": error })),
        Err(Refusal::UnknownKind) => Err(TurnError::reject(format_args!(
            "unknown kind `{}`: send `interface.function` as in `storage.get`",
            message.kind
        ))),
    }
}
