//! What leaves an actor when its turn is committed.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::component::world::World;
use crate::core::component::id::ComponentId;
use crate::core::delivery::envelope::{Answer, Envelope, Letter, ReplyTo};
use crate::core::storage::store::Store;
use crate::core::turn::call::{CallOutcome, Reply};
use crate::core::turn::effects::Outgoing;

/// Messages, timers and subscriptions of a committed turn, to be carried out.
#[derive(Debug)]
pub struct Released {
    /// Whose turn it was.
    pub from: ComponentId,
    /// What it asked for, in order.
    pub outgoing: Vec<Outgoing>,
    /// The W3C `traceparent` of the turn.
    pub trace_parent: Option<Arc<str>>,
}

/// Lets out what a turn sent.
///
/// It consumes the proof that the turn is committed, so there is no way to let anything
/// out before.
pub(crate) fn release<W: World>(
    world: &Arc<W>,
    _committed: <W::Store as Store>::Committed,
    released: Released,
) {
    if !released.outgoing.is_empty() {
        world.release(released);
    }
}

/// Lets out what the turn of a message sent, and then its answer.
#[inline]
pub(crate) fn release_and_answer<W: World>(
    world: &Arc<W>,
    committed: <W::Store as Store>::Committed,
    outgoing: Vec<Outgoing>,
    envelope: &mut Envelope,
    outcome: CallOutcome,
) {
    if outgoing.is_empty() {
        drop(committed);
    } else {
        let released = Released {
            from: envelope.to().clone(),
            outgoing,
            trace_parent: envelope.trace_parent.clone(),
        };
        release(world, committed, released);
    }
    answer(world, envelope, outcome);
}

/// Answers a message, if anybody asked for an answer and has none yet.
#[inline]
pub(crate) fn answer<W: World>(world: &Arc<W>, envelope: &mut Envelope, outcome: CallOutcome) {
    match (std::mem::take(&mut envelope.answer), &envelope.content) {
        // Whoever waited may have given up, and does not miss it.
        (Answer::Waiting(waiting), _) => drop(waiting.send(outcome)),
        (Answer::Callback, Letter::Message(message)) => {
            let reply = ReplyTo {
                to: message.from().clone(),
                from: message.to().clone(),
                reply: Reply {
                    correlation: message.correlation(),
                    outcome,
                },
            };
            world.answer(reply, envelope.trace_parent.clone());
        }
        (Answer::Callback, Letter::Reply(_)) | (Answer::Nobody, _) => {}
    }
}
