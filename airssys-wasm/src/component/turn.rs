//! The turn: one message, from its handling to its effects.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::component::activation::Life;
use crate::component::cell::Cell;
use crate::component::deployment::{Counters, Deployment};
use crate::component::effects::{Answered, Following, release_and_answer};
use crate::component::world::World;
use crate::core::delivery::envelope::Envelope;
use crate::core::limits::{Limit, LimitExceeded};
use crate::core::runtime::errors::{FaultKind, GuestFault, WasmError};
use crate::core::storage::store::StoreError;
use crate::core::turn::call::CallOutcome;
use crate::core::turn::context::TurnContext;
use crate::core::turn::effects::Effects;
use crate::core::turn::guest::Guest;
use crate::core::turn::recorded::RecordedTurn;
use crate::core::turn::report::{TurnOutcome, TurnReport};

/// Runs one turn, in the order that makes it happen wholly or not at all.
///
/// A guest that fails, or wants the message again, has done nothing, and the message is
/// still to be answered.
pub(crate) async fn run_turn<W: World>(
    at: &Place<'_, W>,
    life: &mut Life<W::Guest>,
    envelope: &mut Envelope,
    context: TurnContext,
) -> Result<TurnEnd, Box<FailedTurn>> {
    // The guest handles the message. What it wants to happen is recorded, and has not
    // happened yet.
    let handled = life.guest.handle(&envelope.content, context.clone()).await;
    let (outcome, effects) = match handled {
        Ok(report) if !matches!(report.outcome, TurnOutcome::Retry(_)) => {
            at.keep(life, envelope, &context, &report);
            (report.outcome.into_answer(), report.effects)
        }
        failed => return Err(at.failed(life, envelope, &context, failed)),
    };

    // Everything that follows from it becomes one commit: that the message was handled,
    // also where it was rejected, what the guest wrote and what it sends, and its answer.
    let mut following = Following::of(envelope);
    if at.deployment.settings.durability.is_durable() {
        life.keep(&mut following.commit, envelope.to(), &effects);
        following.remember(envelope, context.now_ms, &outcome);
    }
    let Effects {
        writes,
        outgoing,
        growth,
    } = effects;
    following.send_and_answer(at.world, envelope, outgoing, &outcome);
    let (committed, plan) = match following.commit(at.world).await {
        Ok(committed) => committed,
        Err(error) => return Err(FailedTurn::new(TurnFailure::NotCommitted(error))),
    };
    let is_changed = !writes.is_empty();
    if is_changed {
        life.guest.apply(writes);
        at.deployment.usage.add(growth);
    }

    // Only now does anything leave the actor.
    at.count(&outcome);
    release_and_answer(
        at.world,
        at.cell,
        committed,
        plan,
        Answered { envelope, outcome },
    );
    Ok(if is_changed {
        TurnEnd::Changed
    } else {
        TurnEnd::Unchanged
    })
}

/// Where a turn is run.
pub(crate) struct Place<'a, W: World> {
    pub(crate) world: &'a Arc<W>,
    pub(crate) cell: &'a Cell,
    pub(crate) deployment: &'a Deployment<W::Guest>,
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

    /// Whether there was no memory left of what others have as well.
    pub(crate) fn lacks_memory(&self) -> bool {
        let (Self::NotStarted(error) | Self::Failed(error)) = self else {
            return false;
        };
        matches!(
            error,
            WasmError::ResourceLimitExceeded(LimitExceeded {
                limit: Limit::TotalMemoryBytes | Limit::MaxMemoryBytes,
                ..
            })
        )
    }
}

impl<W: World> Place<'_, W> {
    /// Counts a turn that was committed.
    #[inline]
    fn count(&self, outcome: &CallOutcome) {
        let counters = &self.deployment.counters;
        match outcome {
            Ok(_) => Counters::count(&counters.handled),
            Err(_) => Counters::count(&counters.rejected),
        }
    }

    /// Keeps a turn that ran to its end, if one is due.
    #[inline]
    fn keep(
        &self,
        life: &mut Life<W::Guest>,
        envelope: &Envelope,
        context: &TurnContext,
        report: &TurnReport,
    ) {
        let recordings = &self.deployment.recordings;
        if recordings.is_due(context.now_ms) {
            let turn = self.recorded(life, envelope, context, Ok(report.clone()));
            recordings.keep(turn, context.now_ms);
        }
    }

    fn failed(
        &self,
        life: &mut Life<W::Guest>,
        envelope: &Envelope,
        context: &TurnContext,
        result: Result<TurnReport, WasmError>,
    ) -> Box<FailedTurn> {
        let turn = self.recorded(life, envelope, context, result.clone());
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
        life: &mut Life<W::Guest>,
        envelope: &Envelope,
        context: &TurnContext,
        result: Result<TurnReport, WasmError>,
    ) -> RecordedTurn {
        RecordedTurn {
            actor: envelope.to().clone(),
            component: life.version.id.digest,
            letter: envelope.content.clone(),
            context: context.clone(),
            learnt: life.guest.take_learnt(),
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
