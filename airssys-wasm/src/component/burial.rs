//! Messages that are not handled any more: given up, or too late.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::component::actor::Actor;
use crate::component::deployment::Counters;
use crate::component::effects::{Answered, Following, release_and_answer};
use crate::component::turn::{FailedTurn, TurnFailure};
use crate::component::world::World;
use crate::core::delivery::dead_letter::{DeadLetter, DeathCause};
use crate::core::delivery::envelope::Envelope;
use crate::core::delivery::refusal::Refusal;
use crate::core::storage::store::{Store, StoreError};
use crate::core::turn::call::CallOutcome;
use crate::core::turn::errors::{CallError, HostError};
use crate::core::turn::recorded::RecordedTurn;

impl<W: World> Actor<W> {
    /// Gives up a message that failed once too often.
    pub(crate) fn give_up(&self, envelope: Envelope, failed: FailedTurn, attempts: u32) {
        let cause = match failed.failure {
            TurnFailure::NotStarted(error) => DeathCause::NotStarted(error),
            TurnFailure::Failed(error) => DeathCause::Failed(error),
            TurnFailure::Retry(why) => DeathCause::RetriesExhausted(why),
            TurnFailure::NotCommitted(_) => DeathCause::Ended(Refusal::ShuttingDown),
        };
        self.bury(envelope, cause, attempts, failed.turn);
    }

    /// Makes a dead letter of a message, and tells whoever waits for its answer.
    pub(crate) fn bury(
        &self,
        mut envelope: Envelope,
        reason: DeathCause,
        attempts: u32,
        turn: Option<Arc<RecordedTurn>>,
    ) {
        Counters::count(&self.deployment.counters.buried);
        let outcome = Err(CallError::Failed(reason.to_string()));
        let mut following = Following::<W>::of(&envelope);
        following.send_and_answer(&self.world, &envelope, Vec::new(), &outcome);
        let letter = DeadLetter {
            letter: envelope.content.clone(),
            trace_parent: envelope.trace_parent.clone(),
            reason,
            attempts,
            turn,
            at_ms: self.world.clock().now().unix_ms,
        };
        let (commit, plan) = following.into_parts();
        let buried = self.world.bury(letter, commit);
        let answered = Answered {
            envelope: &mut envelope,
            outcome,
        };
        self.let_out(buried, plan, answered);
    }

    /// Drops a message whose sender has given up.
    pub(crate) fn expire(&self, envelope: &mut Envelope) {
        Counters::count(&self.deployment.counters.expired);
        self.answer_without_turn(envelope, Err(HostError::Timeout.into()));
    }

    /// Ends a message without a turn.
    pub(crate) fn answer_without_turn(&self, envelope: &mut Envelope, outcome: CallOutcome) {
        let mut following = Following::<W>::of(envelope);
        following.send_and_answer(&self.world, envelope, Vec::new(), &outcome);
        let (commit, plan) = following.into_parts();
        let committed = self.world.store().append(commit);
        self.let_out(committed, plan, Answered { envelope, outcome });
    }

    fn let_out(
        &self,
        committed: Result<<W::Store as Store>::Committed, StoreError>,
        plan: Option<W::Plan>,
        answered: Answered<'_>,
    ) {
        match committed {
            Ok(committed) => {
                release_and_answer(&self.world, &self.cell, committed, plan, answered);
            }
            Err(error) => self.world.halt(&error),
        }
    }
}
