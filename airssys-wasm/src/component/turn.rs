//! The turn: one message, from its handling to its effects.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::component::deployment::{Counters, Deployment, Version};
use crate::component::effects::release_and_answer;
use crate::component::world::World;
use crate::core::delivery::envelope::Envelope;
use crate::core::runtime::errors::{FaultKind, GuestFault, WasmError};
use crate::core::storage::store::{Store, StoreError};
use crate::core::turn::call::CallOutcome;
use crate::core::turn::context::TurnContext;
use crate::core::turn::errors::CallError;
use crate::core::turn::guest::Guest;
use crate::core::turn::recorded::RecordedTurn;
use crate::core::turn::report::{TurnOutcome, TurnReport};

/// Runs one turn, in the order that makes it happen wholly or not at all.
///
/// A guest that fails, or wants the message again, has done nothing, and the message is
/// still to be answered.
pub(crate) async fn run_turn<W: World>(
    at: &Place<'_, W>,
    guest: &mut W::Guest,
    envelope: &mut Envelope,
    context: TurnContext,
) -> Result<TurnEnd, Box<FailedTurn>> {
    // The guest handles the message. What it wants to happen is recorded, and has not
    // happened yet.
    let handled = guest.handle(&envelope.content, context.clone()).await;
    let (outcome, effects) = match handled {
        Ok(report) if !matches!(report.outcome, TurnOutcome::Retry(_)) => {
            at.keep(guest, envelope, &context, &report);
            (report.outcome, report.effects)
        }
        failed => return Err(at.failed(guest, envelope, &context, failed)),
    };

    // Its writes and its end become one commit, also where it rejected the message and
    // wrote nothing: that the message was handled is part of the commit.
    let store = at.world.store();
    let committed = store.commit(envelope.to(), context.turn, &effects.writes);
    let committed = match committed.await {
        Ok(committed) => committed,
        Err(error) => return Err(FailedTurn::new(TurnFailure::NotCommitted(error))),
    };
    let is_changed = !effects.writes.is_empty();
    if is_changed {
        guest.apply(effects.writes);
    }

    // Only now does anything leave the actor.
    let outcome = at.count(outcome);
    release_and_answer(at.world, committed, effects.outgoing, envelope, outcome);
    Ok(if is_changed {
        TurnEnd::Changed
    } else {
        TurnEnd::Unchanged
    })
}

/// Where a turn is run.
pub(crate) struct Place<'a, W: World> {
    pub(crate) world: &'a Arc<W>,
    pub(crate) deployment: &'a Deployment<W::Guest>,
    pub(crate) version: &'a Version<W::Guest>,
}

/// Whether a turn that was committed has changed the actor's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TurnEnd {
    Changed,
    Unchanged,
}

/// A turn that did not happen.
#[derive(Debug)]
pub(crate) struct FailedTurn {
    pub(crate) failure: TurnFailure,
    /// What went into the turn, if it was run.
    pub(crate) turn: Option<Arc<RecordedTurn>>,
}

/// Why a turn did not happen.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum TurnFailure {
    /// The actor could not be started to run it.
    #[error("the actor did not start: {0}")]
    NotStarted(WasmError),
    /// It failed.
    #[error("{0}")]
    Failed(WasmError),
    /// The guest wants the message again.
    #[error("{0}")]
    Retry(String),
    /// It could not be committed.
    #[error(transparent)]
    NotCommitted(StoreError),
}

impl TurnFailure {
    /// There is no instance, although there should be.
    pub(crate) fn gone() -> Self {
        let gone = GuestFault::new(FaultKind::InstanceGone, "");
        Self::NotStarted(WasmError::RuntimeError(gone))
    }
}

impl<W: World> Place<'_, W> {
    /// Counts a turn that was committed, and says what its sender is told.
    #[inline]
    fn count(&self, outcome: TurnOutcome) -> CallOutcome {
        let counters = &self.deployment.counters;
        match outcome {
            TurnOutcome::Replied(reply) => {
                Counters::count(&counters.handled);
                Ok(reply)
            }
            TurnOutcome::Rejected(why) | TurnOutcome::Retry(why) => {
                Counters::count(&counters.rejected);
                Err(CallError::Rejected(why))
            }
        }
    }

    /// Keeps a turn that ran to its end, if one is due.
    #[inline]
    fn keep(
        &self,
        guest: &mut W::Guest,
        envelope: &Envelope,
        context: &TurnContext,
        report: &TurnReport,
    ) {
        let recordings = &self.deployment.recordings;
        if recordings.is_due(context.now_ms) {
            let turn = self.recorded(guest, envelope, context, Ok(report.clone()));
            recordings.keep(turn, context.now_ms);
        }
    }

    fn failed(
        &self,
        guest: &mut W::Guest,
        envelope: &Envelope,
        context: &TurnContext,
        result: Result<TurnReport, WasmError>,
    ) -> Box<FailedTurn> {
        let turn = self.recorded(guest, envelope, context, result.clone());
        let failure = match result {
            Ok(report) => TurnFailure::Retry(report.outcome.into_words()),
            Err(error) => TurnFailure::Failed(error),
        };
        Box::new(FailedTurn {
            failure,
            turn: Some(Arc::new(turn)),
        })
    }

    fn recorded(
        &self,
        guest: &mut W::Guest,
        envelope: &Envelope,
        context: &TurnContext,
        result: Result<TurnReport, WasmError>,
    ) -> RecordedTurn {
        RecordedTurn {
            actor: envelope.to().clone(),
            component: self.version.id.digest,
            letter: envelope.content.clone(),
            context: context.clone(),
            learnt: guest.take_learnt(),
            result,
        }
    }
}

impl FailedTurn {
    /// A turn that was not run, or could not be committed.
    pub(crate) fn new(failure: TurnFailure) -> Box<Self> {
        Box::new(Self {
            failure,
            turn: None,
        })
    }

    /// Whether it was stopped since whoever waits for its answer had given up.
    pub(crate) fn is_abandoned(&self) -> bool {
        let TurnFailure::Failed(WasmError::Timeout(exceeded)) = &self.failure else {
            return false;
        };
        let budget_ms = self.turn.as_ref().and_then(|turn| turn.context.budget_ms);
        budget_ms == Some(exceeded.allowed)
    }
}
