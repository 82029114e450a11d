//! Waiting for the answer to a message from outside.

// Layer 1: Standard library imports
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

// Layer 2: Third-party crate imports
use futures_channel::oneshot;
use tokio::time::timeout;

// Layer 3: Internal module imports
use crate::component::world::World;
use crate::core::component::MessagePayload;
use crate::core::component::message::{ComponentMessage, MAX_ID_BYTES};
use crate::core::delivery::envelope::{Answer, Envelope};
use crate::core::delivery::post::{Admission, Post};
use crate::core::delivery::refusal::Refusal;
use crate::core::storage::durability::Durability;
use crate::core::storage::gated::Gated;
use crate::core::turn::call::CallOutcome;
use crate::core::turn::errors::{CallError, HostError};
use crate::system::error::AskError;
use crate::system::node::Node;

/// How long an ask waits if nothing else is said.
pub const DEFAULT_PATIENCE: Duration = Duration::from_secs(30);

/// Sends a message and waits for the answer.
pub(crate) async fn ask(
    node: &Arc<Node>,
    message: ComponentMessage,
    patience: Duration,
    trace_parent: Option<Arc<str>>,
) -> Result<Option<MessagePayload>, AskError> {
    node.is_open().map_err(AskError::Refused)?;
    let patience_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
    let (answer, mut answered) = oneshot::channel();
    check_id(&message).map_err(AskError::Refused)?;
    let durability = node.durability(message.to());
    let envelope = Envelope {
        answer: Answer::waiting(answer, 0),
        trace_parent,
        deadline_ms: Some(node.clock.now().clock_ms.saturating_add(patience_ms)),
        // Nonzero says that an answer is awaited; which one is known by the channel.
        ..Envelope::tell(message.with_correlation(1))
    };
    node.deliver(envelope, Admission::Asked)
        .map_err(|refused| AskError::Refused(refused.reason))?;
    let outcome = match soon(&mut answered).await {
        Some(outcome) => Ok(outcome),
        None => timeout(patience, answered).await,
    };
    match outcome {
        Ok(Ok(answered)) => {
            let outcome = match durability {
                Durability::Relaxed => answered.among_actors(&mut 0),
                Durability::Strict | Durability::None => {
                    let answer = answered.outside(&node.store).await;
                    answer.inspect_err(|error| node.halt(error))?
                }
            };
            outcome.map_err(|error| not_replied(error, patience_ms))
        }
        Ok(Err(oneshot::Canceled)) => Err(unanswered(node)),
        Err(_elapsed) => Err(AskError::Timeout {
            after_ms: patience_ms,
        }),
    }
}

/// The answer, if it comes as soon as the actor was given the chance to run: in most cases
/// it does, and no timer is needed.
async fn soon(
    answered: &mut oneshot::Receiver<Gated<CallOutcome>>,
) -> Option<Result<Gated<CallOutcome>, oneshot::Canceled>> {
    let mut looks = 0;
    poll_fn(|cx| {
        looks += 1;
        match Pin::new(&mut *answered).poll(cx) {
            Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
            Poll::Pending if looks > 1 => Poll::Ready(None),
            Poll::Pending => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    })
    .await
}

/// Refuses an id that is too long, or none.
pub(crate) fn check_id(message: &ComponentMessage) -> Result<(), Refusal> {
    match message.id() {
        Some(id) if id.is_empty() || id.len() > MAX_ID_BYTES => Err(Refusal::InvalidId),
        _ => Ok(()),
    }
}

/// Nobody is left to answer: not even that it was given up could be committed, or the actor
/// was dropped with the runtime that it ran on.
fn unanswered(node: &Node) -> AskError {
    match node.halted() {
        Some(error) => AskError::Undecided(error.clone()),
        None => AskError::Refused(Refusal::ShuttingDown),
    }
}

fn not_replied(error: CallError, patience_ms: u64) -> AskError {
    match error {
        CallError::Rejected(why) => AskError::Rejected(why),
        CallError::Failed(why) => AskError::Failed(why),
        CallError::Host(HostError::Timeout) => AskError::Timeout {
            after_ms: patience_ms,
        },
        CallError::Host(error) => AskError::Failed(error.to_string()),
    }
}
