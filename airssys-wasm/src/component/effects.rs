//! What follows from a turn: its commit, and what leaves the actor then.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::component::cell::Cell;
use crate::component::world::World;
use crate::core::component::id::ComponentId;
use crate::core::delivery::envelope::{Answer, Envelope, Letter, ReplyTo};
use crate::core::storage::commit::Commit;
use crate::core::storage::gated::Gated;
use crate::core::storage::row::{Row, RowKey, answer_period};
use crate::core::storage::store::{Committed, Store, StoreError};
use crate::core::turn::call::{CallOutcome, Reply};
use crate::core::turn::effects::Outgoing;

/// What a turn wants to happen outside its actor.
#[derive(Debug)]
pub struct Planned<'a> {
    /// Whose turn it is.
    pub from: &'a ComponentId,
    /// The W3C `traceparent` of the turn.
    pub trace_parent: Option<&'a Arc<str>>,
    /// What it asked for, in order.
    pub outgoing: Vec<Outgoing>,
    /// The answer to a request, for the actor that made it.
    pub reply: Option<ReplyTo>,
}

/// A turn whose commit is taken, and what that allows.
#[derive(Debug, Clone, Copy)]
pub struct Released<'a> {
    /// Whose turn it was.
    pub from: &'a ComponentId,
    /// Its commit, or zero if it had none.
    pub seq: u64,
    /// The last commit that it depends on.
    pub horizon: u64,
}

/// What follows from a turn, as its commit is put together.
pub(crate) struct Following<W: World> {
    pub(crate) commit: Commit,
    plan: Option<W::Plan>,
}

impl<W: World> Following<W> {
    /// The end of a message: if it waits on disk, it does so no longer.
    #[inline]
    pub(crate) fn of(envelope: &Envelope) -> Self {
        let mut commit = Commit::default();
        if let Some(number) = envelope.stored {
            commit.remove(envelope.to(), RowKey::Message(number));
        }
        let plan = None;
        Self { commit, plan }
    }

    /// Nothing yet, of a turn that no message asked for.
    pub(crate) fn of_none() -> Self {
        Self {
            commit: Commit::default(),
            plan: None,
        }
    }

    /// Adds what the turn sends.
    pub(crate) fn send(
        &mut self,
        world: &Arc<W>,
        from: &ComponentId,
        trace_parent: Option<&Arc<str>>,
        outgoing: Vec<Outgoing>,
    ) {
        if !outgoing.is_empty() {
            self.plan(
                world,
                Planned {
                    from,
                    trace_parent,
                    outgoing,
                    reply: None,
                },
            );
        }
    }

    /// Adds what the turn of a message sends, and its answer if that is a turn of another
    /// actor.
    #[inline]
    pub(crate) fn send_and_answer(
        &mut self,
        world: &Arc<W>,
        envelope: &Envelope,
        outgoing: Vec<Outgoing>,
        outcome: &CallOutcome,
    ) {
        let reply = match (&envelope.answer, &envelope.content) {
            (Answer::Callback, Letter::Message(message)) => Some(ReplyTo {
                to: message.from().clone(),
                from: message.to().clone(),
                reply: Reply {
                    correlation: message.correlation(),
                    outcome: outcome.clone(),
                },
            }),
            _ => None,
        };
        if !outgoing.is_empty() || reply.is_some() {
            self.plan(
                world,
                Planned {
                    from: envelope.to(),
                    trace_parent: envelope.trace_parent.as_ref(),
                    outgoing,
                    reply,
                },
            );
        }
    }

    fn plan(&mut self, world: &Arc<W>, planned: Planned<'_>) {
        self.plan = Some(world.plan(planned, &mut self.commit));
    }

    /// Adds that a message with an id was answered, and what.
    pub(crate) fn remember(&mut self, envelope: &Envelope, now_ms: u64, outcome: &CallOutcome) {
        if let Some(id) = envelope.content.id() {
            let key = RowKey::Answer(answer_period(now_ms), Arc::clone(id));
            let answer = Row::Answer(Box::new(outcome.clone()));
            self.commit.put(envelope.to(), key, answer);
        }
    }

    /// Takes the commit into the order, when there is room.
    #[inline]
    pub(crate) async fn commit(
        self,
        world: &Arc<W>,
    ) -> Result<(<W::Store as Store>::Committed, Option<W::Plan>), StoreError> {
        let committed = match self.commit.is_empty() {
            true => world.store().append(self.commit)?,
            false => world.store().append_when_room(self.commit).await?,
        };
        Ok((committed, self.plan))
    }

    /// Splits off what is carried out when somebody else has committed the rest.
    pub(crate) fn into_parts(self) -> (Commit, Option<W::Plan>) {
        (self.commit, self.plan)
    }
}

/// Lets out what a turn sent.
///
/// It consumes the proof that the turn is committed, so there is no way to let anything
/// out before.
pub(crate) fn release<W: World>(
    world: &Arc<W>,
    cell: &Cell,
    committed: <W::Store as Store>::Committed,
    plan: Option<W::Plan>,
) {
    let seq = committed.seq();
    cell.depend_on(seq);
    if let Some(plan) = plan {
        let released = Released {
            from: &cell.address,
            seq,
            horizon: cell.horizon(),
        };
        world.release(plan, released);
    }
}

/// Lets out what the turn of a message sent, and then tells whoever waits for its answer.
/// Should the disk not have the commit yet, the answer is not seen outside until it has.
#[inline]
pub(crate) fn release_and_answer<W: World>(
    world: &Arc<W>,
    cell: &Cell,
    committed: <W::Store as Store>::Committed,
    plan: Option<W::Plan>,
    answered: Answered<'_>,
) {
    release(world, cell, committed, plan);
    if let Answer::Waiting { teller, .. } = std::mem::take(&mut answered.envelope.answer) {
        // Whoever waited may have given up, and does not miss it.
        drop(teller.send(Gated::new(answered.outcome, cell.horizon())));
    }
}

/// A message and what came of it.
pub(crate) struct Answered<'a> {
    pub(crate) envelope: &'a mut Envelope,
    pub(crate) outcome: CallOutcome,
}
