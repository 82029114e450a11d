//! Host bindings, generated from the guest contract in `wit/`.

// Layer 3: Internal module imports
use crate::core::component::MessagePayload;
use crate::core::component::description::Description;
use crate::core::text::cut;
use crate::core::turn::call::Reply;
use crate::core::turn::errors::{CallError, HostError};
use crate::core::turn::report::TurnOutcome;

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "full-actor",
        imports: { "airssys:actor/rpc.call": async },
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

pub(crate) use generated::airssys::actor::{messaging, rpc, services, storage, types};
pub(crate) use generated::exports::airssys::actor as exports;

/// What `handle-message` returns.
pub(crate) type Handled = Result<Option<Vec<u8>>, types::TurnError>;

impl From<HostError> for types::HostErrorResult {
    fn from(error: HostError) -> Self {
        use HostError as Ours;
        match error {
            Ours::Denied(what) => Self::Denied(what),
            Ours::NotFound => Self::NotFound,
            Ours::MailboxFull => Self::MailboxFull,
            Ours::TooLarge(limit) => Self::TooLarge(limit.to_string()),
            Ours::QuotaExceeded(limit) => Self::QuotaExceeded(limit.to_string()),
            Ours::Timeout => Self::Timeout,
            Ours::Deadlock => Self::Deadlock,
            Ours::Invalid(why) => Self::Invalid(why),
            Ours::Unavailable(why) => Self::Unavailable(why),
        }
    }
}

impl From<CallError> for types::CallErrorResult {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Rejected(why) => Self::Rejected(why),
            CallError::Failed(why) => Self::Failed(why),
            CallError::Host(error) => Self::Host(error.into()),
        }
    }
}

/// Lends a reply to a guest. `limit_text` is the text of its error, which is made of
/// values and so has to be written somewhere first.
pub(crate) fn lend_reply<'a>(reply: &'a Reply, limit_text: &'a str) -> types::Reply<'a> {
    let outcome = match &reply.outcome {
        Ok(payload) => Ok(payload.as_ref().map(MessagePayload::as_bytes)),
        Err(CallError::Rejected(why)) => Err(types::CallErrorParam::Rejected(why)),
        Err(CallError::Failed(why)) => Err(types::CallErrorParam::Failed(why)),
        Err(CallError::Host(error)) => Err(types::CallErrorParam::Host(lend_host_error(
            error, limit_text,
        ))),
    };
    types::Reply {
        correlation: reply.correlation,
        outcome,
    }
}

fn lend_host_error<'a>(error: &'a HostError, limit_text: &'a str) -> types::HostErrorParam<'a> {
    use HostError as Ours;
    use types::HostErrorParam as Theirs;
    match error {
        Ours::Denied(what) => Theirs::Denied(what),
        Ours::NotFound => Theirs::NotFound,
        Ours::MailboxFull => Theirs::MailboxFull,
        Ours::TooLarge(_) => Theirs::TooLarge(limit_text),
        Ours::QuotaExceeded(_) => Theirs::QuotaExceeded(limit_text),
        Ours::Timeout => Theirs::Timeout,
        Ours::Deadlock => Theirs::Deadlock,
        Ours::Invalid(why) => Theirs::Invalid(why),
        Ours::Unavailable(why) => Theirs::Unavailable(why),
    }
}

impl From<Handled> for TurnOutcome {
    fn from(handled: Handled) -> Self {
        match handled {
            Ok(reply) => Self::Replied(reply.map(MessagePayload::from)),
            Err(types::TurnError::Reject(why)) => Self::Rejected(cut(why)),
            Err(types::TurnError::Retry(why)) => Self::Retry(cut(why)),
        }
    }
}

impl From<exports::metadata::Description> for Description {
    fn from(theirs: exports::metadata::Description) -> Self {
        Self {
            name: theirs.name,
            version: theirs.version,
            summary: theirs.summary,
        }
    }
}
