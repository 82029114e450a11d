//! A message to an actor, as it is typed.

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::component::message::MAX_ID_BYTES;
use airssys_wasm::core::limits::Limits;
use clap::Args;

// Layer 3: Internal module imports
use crate::client::Target;
use crate::failure::Failure;
use crate::input::PayloadArgs;

/// The largest payload that is read, in bytes: 64 MiB. How much a component takes is known
/// where it runs.
const MAX_PAYLOAD_BYTES: u64 = 64 << 20;

/// What a message is and carries.
#[derive(Args)]
pub(crate) struct MessageArgs {
    #[command(flatten)]
    pub(crate) payload: PayloadArgs,
    /// What the message is, for the guest to branch on
    #[arg(
        long,
        short,
        value_name = "KIND",
        default_value = "",
        hide_default_value = true
    )]
    #[arg(allow_hyphen_values = true, help_heading = "Message")]
    pub(crate) kind: String,
}

impl MessageArgs {
    /// The kind, and the payload.
    ///
    /// # Errors
    ///
    /// When the payload cannot be read.
    pub(crate) fn read(self) -> Result<(String, Vec<u8>), Failure> {
        let limits = Limits {
            message_bytes: MAX_PAYLOAD_BYTES,
            ..Limits::default()
        };
        Ok((self.kind, self.payload.read(&limits)?))
    }
}

/// The id of a message.
#[derive(Args)]
pub(crate) struct IdArgs {
    /// An id of your choice: a durable actor handles one message with it, however often you
    /// send it, and answers the others as it did the first (for ten minutes at least)
    #[arg(long, value_name = "ID", value_parser = parse_id, help_heading = "Message")]
    pub(crate) id: Option<String>,
}

fn parse_id(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > MAX_ID_BYTES {
        return Err(format!("an id has 1 to {MAX_ID_BYTES} bytes"));
    }
    // It is sent as a header, where blanks at either end do not count.
    if text.chars().any(char::is_control) || text.trim() != text {
        return Err("an id has no control characters, and no blanks at its ends".to_owned());
    }
    Ok(text.to_owned())
}

/// Reads an address.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn parse_actor(text: &str) -> Result<ComponentId, String> {
    text.parse().map_err(|e| format!("{e}"))
}

/// Where to have something done with an actor. An address needs no escapes.
pub(crate) fn actor_target(actor: &ComponentId, what: &str) -> Target {
    Target::new(format!("/v1/actors/{actor}/{what}"))
}
