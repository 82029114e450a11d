//! One live actor: takes messages from its mailbox and runs their turns.

// Layer 1: Standard library imports
use std::collections::VecDeque;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

// Layer 2: Third-party crate imports
use tokio::select;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::yield_now;
use tokio::time::sleep;

// Layer 3: Internal module imports
use crate::component::activation::Life;
use crate::component::cell::{Cell, Phase};
use crate::component::deployment::{Counters, Deployment};
use crate::component::effects::answer;
use crate::component::mailbox::{Found, Signal};
use crate::component::supervision::restart::Failure;
use crate::component::turn::{FailedTurn, Place, TurnEnd, TurnFailure, run_turn};
use crate::component::world::World;
use crate::core::delivery::dead_letter::{DeadLetter, DeathCause};
use crate::core::delivery::envelope::Envelope;
use crate::core::delivery::refusal::Refusal;
use crate::core::event::Event;
use crate::core::runtime::errors::{FaultKind, WasmError};
use crate::core::turn::errors::{CallError, HostError};
use crate::core::turn::guest::{Guest, Pace};
use crate::core::turn::recorded::RecordedTurn;

/// How many turns an actor runs before it lets others run. Without it, a flood of messages
/// to one actor would hold its thread.
const TURNS_IN_A_ROW: u32 = 64;

/// One live actor. It is a task, which ends when the actor is passivated or stopped.
pub struct Actor<W: World> {
    pub(crate) world: Arc<W>,
    pub(crate) cell: Arc<Cell>,
    pub(crate) deployment: Arc<Deployment<W::Guest>>,
    pub(crate) life: Option<Life<W::Guest>>,
    /// Its place among the live actors.
    pub(crate) permit: Option<OwnedSemaphorePermit>,
    /// Messages that were drained from the mailbox.
    batch: VecDeque<Envelope>,
    turns_in_a_row: u32,
    /// Among whom it runs.
    pace: Pace,
}

/// Whether the actor goes on, or ends for a reason.
type Course = ControlFlow<Refusal>;

impl<W: World> Actor<W> {
    /// An actor that has no instance yet.
    pub(crate) fn new(
        world: Arc<W>,
        cell: Arc<Cell>,
        deployment: Arc<Deployment<W::Guest>>,
    ) -> Self {
        Self {
            world,
            cell,
            deployment,
            life: None,
            permit: None,
            batch: VecDeque::new(),
            turns_in_a_row: 0,
            pace: Pace::Quick,
        }
    }

    /// Runs until the actor is passivated or stopped, or moves among actors of another
    /// pace.
    pub fn run(mut self) -> impl Future<Output = ()> + Send {
        async move {
            loop {
                let course = self.step().await;
                if let ControlFlow::Break(ending) = course {
                    return self.end(ending).await;
                }
                if self.cell.is_retired() {
                    return;
                }
                let pace = self.pace();
                if pace != self.pace {
                    self.pace = pace;
                    return Arc::clone(&self.world).spawn(pace, self);
                }
            }
        }
    }

    /// Obeys a signal, or handles the messages that there are.
    async fn step(&mut self) -> Course {
        if self.cell.always && self.life.is_none() {
            self.start_always().await?;
        }
        if self.batch.is_empty() {
            let next = self.cell.mailbox.next(&mut self.batch);
            if let Found::Signal(signal) = next.await {
                return self.obey(signal).await;
            }
        }
        while let Some(envelope) = self.batch.pop_front() {
            self.handle(envelope).await?;
            if let Some(signal) = self.cell.mailbox.take_signal() {
                self.obey(signal).await?;
            }
            if self.pace() != self.pace {
                break;
            }
            self.turns_in_a_row += 1;
            if self.turns_in_a_row >= TURNS_IN_A_ROW {
                self.turns_in_a_row = 0;
                yield_now().await;
            }
        }
        Course::Continue(())
    }

    async fn obey(&mut self, signal: Signal) -> Course {
        match signal {
            Signal::Stop => return Course::Break(Refusal::Stopped),
            Signal::GiveUp => return Course::Break(Refusal::GivenUp),
            Signal::End => return Course::Break(Refusal::ShuttingDown),
            Signal::Restart => {
                self.restart().await;
                if self.cell.always {
                    self.start_always().await?;
                }
            }
            // An actor without an instance switches when it gets one.
            Signal::Switch => {
                if self.has_instance() {
                    self.start("migrate").await;
                }
            }
            Signal::Start => self.start("start").await,
            Signal::Passivate => {
                if self.batch.is_empty() && self.cell.mailbox.is_idle() {
                    self.put_away().await;
                    self.world.directory().retire(&self.cell);
                }
            }
        }
        Course::Continue(())
    }

    /// Handles one message: as often as its policy allows, and then it is a dead letter.
    async fn handle(&mut self, envelope: Envelope) -> Course {
        let mut attempt = 0;
        let mut envelope = envelope;
        loop {
            attempt += 1;
            let failed = match self.attempt(envelope).await {
                Ok(()) => return Course::Continue(()),
                Err(failed) => failed,
            };
            let kind = failed.envelope.content.kind();
            self.take_note(&failed.failure, kind, attempt);
            let Some(pause) = self.pause_after(&failed.failure, attempt) else {
                self.give_up(*failed, attempt);
                break;
            };
            if let ControlFlow::Break(ending) = self.pause(pause).await {
                let FailedTurn { envelope, turn, .. } = *failed;
                self.bury(envelope, DeathCause::Ended(ending), attempt, turn);
                return Course::Break(ending);
            }
            envelope = failed.envelope;
        }
        if self.cell.always {
            self.start_always().await?;
        }
        Course::Continue(())
    }

    /// Tries to handle a message once.
    async fn attempt(&mut self, envelope: Envelope) -> Result<(), Box<FailedTurn>> {
        let now = self.world.clock().now();
        self.cell.use_at(now.clock_ms);
        let budget_ms = match envelope.deadline_ms {
            Some(deadline_ms) if deadline_ms <= now.clock_ms => {
                self.expire(envelope);
                return Ok(());
            }
            deadline_ms => deadline_ms.map(|deadline_ms| deadline_ms - now.clock_ms),
        };
        if let Err(failure) = self.ensure_live().await {
            return Err(Box::new(FailedTurn {
                envelope,
                failure,
                turn: None,
            }));
        }
        let Some(life) = &mut self.life else {
            return Ok(());
        };
        let mut context = life.next_context(now);
        context.budget_ms = budget_ms;
        context.trace_parent.clone_from(&envelope.trace_parent);
        let place = Place {
            world: &self.world,
            deployment: &self.deployment,
            version: &life.version,
        };
        let counters = &self.deployment.counters;
        match run_turn(&place, &mut life.guest, envelope, context).await? {
            TurnEnd::Handled => Counters::count(&counters.handled),
            TurnEnd::Rejected => Counters::count(&counters.rejected),
        }
        Ok(())
    }

    /// Starts without a message. What fails here is tried again with the next one.
    async fn start(&mut self, kind: &str) {
        if let Err(failure) = self.ensure_live().await {
            self.take_note(&failure, kind, 1);
        }
    }

    /// Starts an actor that always runs, however long it takes.
    async fn start_always(&mut self) -> Course {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let Err(failure) = self.ensure_live().await else {
                return Course::Continue(());
            };
            self.take_note(&failure, "start", attempt);
            let policy = &self.deployment.settings.retry;
            let pause = policy.pause_after(attempt.min(policy.attempts - 1), rand::random());
            self.pause(pause.unwrap_or_default()).await?;
        }
    }

    /// How long to wait before a message is tried again, if it is to be. A message that an
    /// instance refused unharmed would be refused again.
    fn pause_after(&self, failure: &TurnFailure, attempt: u32) -> Option<Duration> {
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
    async fn pause(&mut self, pause: Duration) -> Course {
        self.cell.enter(Phase::Pausing);
        let mut pause = pin!(sleep(pause));
        loop {
            let signal = select! {
                () = &mut pause => return Course::Continue(()),
                signal = self.cell.mailbox.next_signal() => signal,
            };
            match signal {
                Signal::Stop => return Course::Break(Refusal::Stopped),
                Signal::GiveUp => return Course::Break(Refusal::GivenUp),
                Signal::End => return Course::Break(Refusal::ShuttingDown),
                // The instance is gone already, the next one is of the current version,
                // and there is a message to be handled.
                Signal::Restart | Signal::Switch | Signal::Start | Signal::Passivate => {}
            }
        }
    }

    /// Counts and reports a failure, and asks the supervisor what follows from it.
    fn take_note(&mut self, failure: &TurnFailure, kind: &str, attempt: u32) {
        self.report(failure, kind, attempt);
        let failure = match failure {
            TurnFailure::NotCommitted(error) => return self.world.halt(error),
            TurnFailure::Retry(_) => return,
            TurnFailure::Failed(_) if self.has_instance() => return,
            TurnFailure::NotStarted(_) => Failure::RefusedToStart,
            TurnFailure::Failed(_) => Failure::Crashed,
        };
        let now_ms = self.world.clock().now().clock_ms;
        if let Some(life) = &self.life
            && let Some(failed) = self.deployment.failed(life.version.number, now_ms)
        {
            self.world.revert(&self.deployment, failed);
        }
        self.world.failed(&self.cell.address, failure);
    }

    /// Tells whoever watches about a failure.
    pub(crate) fn report(&self, failure: &TurnFailure, kind: &str, attempt: u32) {
        Counters::count(&self.deployment.counters.failed);
        let actor = &self.cell.address;
        tracing::debug!(target: "airssys", %actor, kind, attempt, error = %failure, "a turn failed");
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

    /// Gives up a message that failed once too often.
    fn give_up(&self, failed: FailedTurn, attempts: u32) {
        let cause = match failed.failure {
            TurnFailure::NotStarted(error) => DeathCause::NotStarted(error),
            TurnFailure::Failed(error) => DeathCause::Failed(error),
            TurnFailure::Retry(why) => DeathCause::RetriesExhausted(why),
            TurnFailure::NotCommitted(_) => DeathCause::Ended(Refusal::ShuttingDown),
        };
        self.bury(failed.envelope, cause, attempts, failed.turn);
    }

    /// Makes a dead letter of a message, and tells whoever waits for its answer.
    fn bury(
        &self,
        mut envelope: Envelope,
        reason: DeathCause,
        attempts: u32,
        turn: Option<Arc<RecordedTurn>>,
    ) {
        Counters::count(&self.deployment.counters.buried);
        let outcome = Err(CallError::Failed(reason.to_string()));
        let letter = DeadLetter {
            letter: envelope.content.clone(),
            trace_parent: envelope.trace_parent.take(),
            reason,
            attempts,
            turn,
            at_ms: self.world.clock().now().unix_ms,
        };
        self.world.bury(letter);
        answer(&self.world, envelope, outcome);
    }

    /// Drops a message whose sender has given up.
    fn expire(&self, envelope: Envelope) {
        Counters::count(&self.deployment.counters.expired);
        answer(&self.world, envelope, Err(HostError::Timeout.into()));
    }

    /// Ends the actor for good. What waits for it becomes dead letters.
    async fn end(&mut self, ending: Refusal) {
        self.put_away().await;
        let left = self.world.directory().remove(&self.cell);
        let batch = std::mem::take(&mut self.batch);
        for envelope in batch.into_iter().chain(left) {
            self.bury(envelope, DeathCause::Ended(ending), 0, None);
        }
        let actor = &self.cell.address;
        self.world.tell(|| Event::Stopped {
            actor: actor.clone(),
        });
    }

    fn has_instance(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.guest.is_live())
    }

    fn pace(&self) -> Pace {
        self.life
            .as_ref()
            .map_or(self.pace, |life| life.guest.pace())
    }
}

impl<W: World> Drop for Actor<W> {
    /// An actor whose task was dropped, or panicked in the host's own code, leaves nothing
    /// behind that others would wait for.
    fn drop(&mut self) {
        if self.cell.is_retired() {
            return;
        }
        let left = self.world.directory().remove(&self.cell);
        let batch = std::mem::take(&mut self.batch);
        for envelope in batch.into_iter().chain(left) {
            self.bury(envelope, DeathCause::Ended(Refusal::ShuttingDown), 0, None);
        }
    }
}
