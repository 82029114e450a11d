//! What follows when a turn fails: a pause, a report, and who is to blame.

// Layer 1: Standard library imports
use std::pin::pin;
use std::time::Duration;

// Layer 2: Third-party crate imports
use tokio::select;
use tokio::time::sleep;

// Layer 3: Internal module imports
use crate::component::actor::{Actor, Course};
use crate::component::cell::Phase;
use crate::component::deployment::{Blame, Counters};
use crate::component::mailbox::Signal;
use crate::component::supervision::restart::Failure;
use crate::component::turn::TurnFailure;
use crate::component::world::World;
use crate::core::delivery::refusal::Refusal;
use crate::core::event::Event;
use crate::core::runtime::errors::{FaultKind, WasmError};

impl<W: World> Actor<W> {
    /// How long to wait before a message is tried again, if it is to be. A message that an
    /// instance refused unharmed would be refused again.
    pub(crate) fn pause_after(&self, failure: &TurnFailure, attempt: u32) -> Option<Duration> {
        match failure {
            TurnFailure::Failed(_) if self.has_instance() => None,
            TurnFailure::NotCommitted(_) => None,
            _ => {
                let policy = &self.deployment.settings.retry;
                policy.pause_after(attempt, rand::random())
            }
        }
    }

    /// Waits, and obeys only what ends the actor or gives it another version.
    pub(crate) async fn pause(&mut self, pause: Duration) -> Course {
        self.cell.enter(Phase::Pausing);
        let mut pause = pin!(sleep(pause));
        loop {
            let signal = select! {
                () = &mut pause => {
                    self.settle();
                    return Course::Continue(());
                }
                signal = self.cell.mailbox.next_signal() => signal,
            };
            match signal {
                Signal::Stop | Signal::GiveUp => self.end_unless_resumed()?,
                Signal::End => return Course::Break(Refusal::ShuttingDown),
                // A guest that wants the message again still has its instance.
                Signal::Restart if self.has_instance() => self.restart().await,
                // Otherwise the instance is gone already, the next one is of the current
                // version, and there is a message to be handled.
                Signal::Restart | Signal::Switch | Signal::Start | Signal::Passivate => {}
            }
        }
    }

    /// Counts and reports a failure, and asks the supervisor what follows from it.
    pub(crate) fn take_note(&mut self, failure: &TurnFailure, kind: &str, attempt: u32) {
        self.report(failure, kind, attempt);
        let failure = match failure {
            TurnFailure::NotCommitted(error) => return self.world.halt(error),
            TurnFailure::Retry(_) => return,
            TurnFailure::Failed(_) if self.has_instance() => return,
            // Others have taken it. They are asked to leave when this is tried again.
            failure if failure.lacks_memory() => return,
            TurnFailure::NotStarted(_) => Failure::RefusedToStart,
            TurnFailure::Failed(_) => Failure::Crashed,
        };
        if !self.blame_version() {
            self.world.failed(&self.cell.address, failure);
        }
    }

    /// Counts a failure of the version that runs the actor, if that is new. Says whether it
    /// is: then the actor is not to blame, and no supervisor needs to know.
    pub(crate) fn blame_version(&self) -> bool {
        let now_ms = self.world.clock().now().clock_ms;
        let Some(life) = &self.life else {
            return false;
        };
        match self.deployment.failed(life.version.number, now_ms) {
            Blame::Actor => false,
            Blame::Version => true,
            Blame::TooMuch(failed) => {
                self.world.revert(&self.deployment, failed);
                true
            }
        }
    }

    /// Tells whoever watches about a failure.
    pub(crate) fn report(&self, failure: &TurnFailure, kind: &str, attempt: u32) {
        Counters::count(&self.deployment.counters.failed);
        let actor = &self.cell.address;
        tracing::debug!(target: "airssys", %actor, kind, attempt, error = ?failure.to_string(), "a turn failed");
        if let TurnFailure::Failed(WasmError::RuntimeError(fault)) = failure
            && fault.kind == FaultKind::Denied
        {
            self.world.tell(|| Event::Denied {
                actor: actor.clone(),
                what: fault.reason.clone(),
            });
        }
        self.world.tell(|| Event::TurnFailed {
            actor: actor.clone(),
            kind: kind.to_owned(),
            attempt,
            error: failure.to_string(),
        });
    }
}
