//! One live actor: takes messages from its mailbox and runs their turns.

// Layer 1: Standard library imports
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread::panicking;

// Layer 2: Third-party crate imports
use tokio::task::yield_now;
use tracing::Instrument;

// Layer 3: Internal module imports
use crate::component::activation::Life;
use crate::component::cell::{Cell, Phase};
use crate::component::deployment::Deployment;
use crate::component::directory::Seat;
use crate::component::mailbox::{Found, Signal};
use crate::component::turn::{FailedTurn, Place, TurnEnd, TurnFailure, run_turn};
use crate::component::world::World;
use crate::core::delivery::dead_letter::DeathCause;
use crate::core::delivery::envelope::Envelope;
use crate::core::delivery::refusal::Refusal;
use crate::core::event::Event;
use crate::core::storage::row::answer_period;
use crate::core::storage::store::Store;
use crate::core::time::Moment;
use crate::core::turn::call::CallOutcome;
use crate::core::turn::guest::{Guest, Pace};

/// How many turns an actor runs before it lets others run. Without it, a flood of messages
/// to one actor would hold its thread.
const TURNS_IN_A_ROW: u32 = 64;

/// How long it runs before it does, in milliseconds.
const MS_IN_A_ROW: u64 = 2;

/// One live actor. It is a task, which ends when the actor is passivated or stopped.
pub struct Actor<W: World> {
    pub(crate) world: Arc<W>,
    pub(crate) cell: Arc<Cell>,
    pub(crate) deployment: Arc<Deployment<W::Guest>>,
    pub(crate) life: Option<Life<W::Guest>>,
    /// Its place among the live actors.
    pub(crate) seat: Option<Seat>,
    /// Whether it is in the order of last use.
    pub(crate) is_listed: bool,
    /// Messages that were drained from the mailbox.
    batch: VecDeque<Envelope>,
    turns_in_a_row: u32,
    /// When it last let others run.
    yielded_ms: u64,
    /// Among whom it runs.
    pace: Pace,
}

/// Whether the actor goes on, or ends for a reason.
pub(crate) type Course = ControlFlow<Refusal>;

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
            seat: None,
            is_listed: false,
            batch: VecDeque::new(),
            turns_in_a_row: 0,
            yielded_ms: 0,
            pace: Pace::Quick,
        }
    }

    /// Runs until the actor is passivated or stopped, or moves among actors of another
    /// pace.
    pub async fn run(mut self) {
        loop {
            if let ControlFlow::Break(ending) = self.step().await {
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

    /// Obeys a signal, or handles the messages that there are.
    async fn step(&mut self) -> Course {
        if let Some(signal) = self.cell.mailbox.take_signal() {
            return self.obey(signal).await;
        }
        if self.cell.always && !self.has_instance() {
            self.start_always().await?;
        }
        if self.batch.is_empty() {
            match self.cell.mailbox.next(&mut self.batch).await {
                Found::Signal(signal) => return self.obey(signal).await,
                Found::OnDisk => {
                    self.take_up().await;
                    self.catch_up();
                    return Course::Continue(());
                }
                Found::Messages => {}
            }
            self.yielded_ms = self.world.clock().now().clock_ms;
        }
        // Its program tells among whom it is to run.
        self.take_up().await;
        while self.pace() == self.pace
            && let Some(envelope) = self.batch.pop_front()
        {
            self.handle(envelope).await?;
            if let Some(signal) = self.cell.mailbox.take_signal() {
                self.obey(signal).await?;
            }
            self.give_way().await;
        }
        self.make_way().await
    }

    /// Leaves when it has done what there was, if others of its component wait for room.
    /// Else each of them would wait until somebody was found idle.
    async fn make_way(&mut self) -> Course {
        if self.cell.always || self.deployment.room.waiting() == 0 {
            return Course::Continue(());
        }
        self.obey(Signal::Passivate).await
    }

    /// Lets others run, if this actor has run for a while.
    async fn give_way(&mut self) {
        let now_ms = self.world.clock().now().clock_ms;
        self.turns_in_a_row += 1;
        let ran_ms = now_ms.saturating_sub(self.yielded_ms);
        if self.turns_in_a_row >= TURNS_IN_A_ROW || ran_ms >= MS_IN_A_ROW {
            self.turns_in_a_row = 0;
            self.yielded_ms = now_ms;
            yield_now().await;
        }
    }

    async fn obey(&mut self, signal: Signal) -> Course {
        match signal {
            Signal::Stop | Signal::GiveUp => return self.end_unless_resumed(),
            Signal::End => return Course::Break(Refusal::ShuttingDown),
            Signal::Restart => self.restart().await,
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

    /// What an actor does that was stopped or given up, and perhaps resumed since.
    pub(crate) fn end_unless_resumed(&self) -> Course {
        let standing = self.world.standing(&self.cell.address);
        standing
            .refusal()
            .map_or(Course::Continue(()), Course::Break)
    }

    /// Handles one message: as often as its policy allows, and then it is a dead letter.
    async fn handle(&mut self, envelope: Envelope) -> Course {
        let mut envelope = envelope;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let failed = match self.attempt(&mut envelope).await {
                Ok(()) => return Course::Continue(()),
                Err(failed) => failed,
            };
            self.settle();
            let kind = envelope.content.kind();
            if failed.is_abandoned() {
                // No fault of the actor's: whoever asked might have waited longer. Else an
                // impatient caller could have it given up.
                self.report(&failed.failure, kind, attempt);
                self.blame_version();
                self.expire(&mut envelope);
                return Course::Continue(());
            }
            self.take_note(&failed.failure, kind, attempt);
            let Some(pause) = self.pause_after(&failed.failure, attempt) else {
                self.give_up(envelope, *failed, attempt);
                return Course::Continue(());
            };
            let course = self.pause(pause).await;
            if let Course::Break(ending) = course {
                if !is_kept(&envelope, ending) {
                    self.give_up(envelope, *failed, attempt);
                }
                return course;
            }
        }
    }

    /// Tries to handle a message once.
    async fn attempt(&mut self, envelope: &mut Envelope) -> Result<(), Box<FailedTurn>> {
        self.ensure_live().await.map_err(FailedTurn::new)?;
        // Read only now, since to start may take its time.
        let now = self.world.clock().now();
        self.cell.use_at(now.clock_ms);
        let budget_ms = match envelope.deadline_ms {
            Some(deadline_ms) if deadline_ms <= now.clock_ms => {
                self.expire(envelope);
                return Ok(());
            }
            deadline_ms => deadline_ms.map(|deadline_ms| deadline_ms - now.clock_ms),
        };
        if let Some(outcome) = self.answered_before(envelope, now)? {
            self.answer_without_turn(envelope, outcome);
            return Ok(());
        }
        let Some(life) = &mut self.life else {
            return Err(FailedTurn::new(TurnFailure::gone()));
        };
        let mut context = life.next_context(now);
        context.budget_ms = budget_ms;
        context.call_depth = envelope.answer.depth();
        context.trace_parent.clone_from(&envelope.trace_parent);
        let place = Place {
            world: &self.world,
            cell: &self.cell,
            deployment: &self.deployment,
        };
        let span = tracing::debug_span!(
            target: "airssys",
            "turn",
            actor = self.cell.address.as_str(),
            kind = envelope.content.kind(),
            turn = context.turn,
            trace_parent = context.trace_parent.as_deref(),
        );
        self.cell.depend_on(envelope.horizon);
        let turn = run_turn(&place, life, envelope, context);
        let ended = if span.is_disabled() {
            turn.await
        } else {
            turn.instrument(span).await
        };
        if ended? == TurnEnd::Changed {
            life.has_written();
        }
        Ok(())
    }

    /// What a message with the id of this one was answered, if there was one lately.
    fn answered_before(
        &self,
        envelope: &Envelope,
        now: Moment,
    ) -> Result<Option<CallOutcome>, Box<FailedTurn>> {
        let Some(id) = envelope.content.id() else {
            return Ok(None);
        };
        if !self.deployment.settings.durability.is_durable() {
            return Ok(None);
        }
        let period = answer_period(now.unix_ms);
        let periods = [period, period.saturating_sub(1)];
        let answer = self.world.store().answer(&self.cell.address, periods, id);
        answer.map_err(|error| FailedTurn::new(TurnFailure::NotCommitted(error)))
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

    /// Ends the actor for good. What waits for it becomes dead letters.
    async fn end(&mut self, ending: Refusal) {
        self.put_away().await;
        self.bury_waiting(ending);
        let actor = &self.cell.address;
        self.world.tell(|| Event::Stopped {
            actor: actor.clone(),
        });
    }

    /// Takes the actor out of the directory. What waits for it becomes dead letters.
    fn bury_waiting(&mut self, ending: Refusal) {
        let left = self.world.directory().remove(&self.cell);
        let batch = std::mem::take(&mut self.batch);
        for envelope in batch.into_iter().chain(left) {
            if !is_kept(&envelope, ending) {
                self.bury(envelope, DeathCause::Ended(ending), 0, None);
            }
        }
        if self.deployment.settings.durability.is_durable() && ending != Refusal::ShuttingDown {
            self.bury_on_disk(ending);
        }
        self.cell.mailbox.forget_on_disk();
    }

    /// Shows others whether it has an instance.
    pub(crate) fn settle(&self) {
        if self.has_instance() {
            self.cell.enter(Phase::Ready);
        } else {
            self.cell.enter(Phase::Resting);
            self.cell.run_by(0);
        }
    }

    pub(crate) fn has_instance(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.guest.is_live())
    }

    fn pace(&self) -> Pace {
        self.life
            .as_ref()
            .map_or(self.pace, |life| life.guest.pace())
    }
}

/// Whether a message outlives its actor's end: what is on disk is handled after the next
/// start.
fn is_kept(envelope: &Envelope, ending: Refusal) -> bool {
    envelope.stored.is_some() && ending == Refusal::ShuttingDown
}

impl<W: World> Drop for Actor<W> {
    /// An actor whose task was dropped, or panicked in the host's own code, leaves nothing
    /// behind that others would wait for.
    fn drop(&mut self) {
        if self.cell.is_retired() {
            return;
        }
        if panicking() {
            let waiting = self.cell.mailbox.on_disk();
            self.world.wake_later(&self.cell.address, waiting);
        } else {
            // Tasks are dropped when their runtime ends, and nobody runs another.
            self.world.directory().close();
        }
        self.bury_waiting(Refusal::ShuttingDown);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::mailbox::Signal;
    use crate::component::retry::RetryPolicy;
    use crate::component::settings::{ActorSettings, UpgradeSettings};
    use crate::component::simulation::world::{SimulatedWorld, actor};
    use crate::component::supervision::status::Standing;
    use crate::core::storage::backlog::Backlog;
    use crate::core::turn::errors::CallError;
    use std::time::Duration;
    use tokio::time::Instant;

    fn steady() -> ActorSettings {
        ActorSettings {
            retry: RetryPolicy {
                attempts: 3,
                first_ms: 1_000,
                factor: 2.0,
                max_ms: 10_000,
                jitter: 0.0,
            },
            ..ActorSettings::default()
        }
    }

    fn reply(outcome: CallOutcome) -> String {
        let payload = outcome.unwrap().unwrap_or_default();
        String::from_utf8(payload.as_bytes().to_vec()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_is_tried_as_its_policy_says_while_those_behind_wait() {
        let world = SimulatedWorld::new(steady());
        world.script.fail("shaky", 2);
        world.send("a", "shaky", "1").unwrap();
        world.send("a", "echo", "2").unwrap();
        let began = Instant::now();
        assert_eq!(reply(world.ask("a", "echo", "3").await), "3");
        assert_eq!(began.elapsed().as_secs(), 1 + 2, "two pauses");
        let expected = [
            "a: init v1",
            "a: shaky 1",
            "a: init v1",
            "a: shaky 1",
            "a: init v1",
            "a: shaky 1",
            "a: echo 2",
            "a: echo 3",
        ];
        assert_eq!(world.script.log(), expected);
        assert_eq!(world.failures.lock().unwrap().len(), 2);
        assert_eq!(world.dead(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_too_often_is_a_dead_letter_with_its_turn() {
        let world = SimulatedWorld::new(steady());
        for kind in ["trap", "retry"] {
            let error = world.ask("a", kind, "x").await.unwrap_err();
            assert!(matches!(error, CallError::Failed(_)), "{error}");
        }
        assert_eq!(world.dead(), [("trap".into(), 3), ("retry".into(), 3)]);
        let dead = world.dead.lock().unwrap();
        assert!(matches!(dead[0].reason, DeathCause::Failed(_)));
        assert!(matches!(dead[1].reason, DeathCause::RetriesExhausted(_)));
        assert!(dead.iter().all(|letter| letter.turn.is_some()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_rejected_is_not_tried_again_and_changes_nothing() {
        let world = SimulatedWorld::new(steady());
        let rejected = world.ask("a", "reject", "x").await;
        assert_eq!(rejected, Err(CallError::Rejected("no".into())));
        assert_eq!(world.script.log(), ["a: init v1", "a: reject x"]);
        assert!(world.failures.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_actor_is_passivated_and_comes_back_where_it_was() {
        let world = SimulatedWorld::new(steady());
        world.ask("a", "write", "kept").await.unwrap();
        let cell = world.directory().find(&actor("a")).unwrap();
        cell.mailbox.signal(Signal::Passivate);
        while world.directory().find(&actor("a")).is_some() {
            yield_now().await;
        }
        assert!(cell.is_retired());
        world.ask("a", "echo", "back").await.unwrap();
        let expected = [
            "a: init v1",
            "a: write kept",
            "a: shutdown v1",
            "a: init v1",
            "a: echo back",
        ];
        assert_eq!(world.script.log(), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn one_more_than_there_is_room_for_takes_the_place_of_the_oldest() {
        let world = SimulatedWorld::with_room(steady(), 2);
        for name in ["a", "b", "a", "c"] {
            world.ask(name, "echo", "x").await.unwrap();
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        let live = |name| world.directory().find(&actor(name)).is_some();
        assert!(live("a") && live("c") && !live("b"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_actor_switches_between_two_turns_and_keeps_its_queue() {
        let world = SimulatedWorld::new(steady());
        world.send("a", "echo", "1").unwrap();
        world.ask("a", "echo", "2").await.unwrap();
        world.send("a", "echo", "3").unwrap();
        world.switch_to("v2");
        world.send("a", "echo", "4").unwrap();
        world.ask("a", "echo", "5").await.unwrap();
        let log = world.script.log();
        let echoes: Vec<_> = log.iter().filter(|line| line.contains("echo")).collect();
        assert_eq!(echoes.len(), 5);
        assert!(echoes.is_sorted());
        let switch = ["a: shutdown v1", "a: init v2", "a: migrate v1→v2"];
        assert!(log.windows(3).any(|lines| lines == switch), "{log:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_version_that_fails_too_often_is_reverted_and_its_message_handled() {
        let settings = ActorSettings {
            upgrade: UpgradeSettings {
                max_failures: 1,
                window_ms: 60_000,
            },
            ..steady()
        };
        let world = SimulatedWorld::new(settings);
        world.ask("a", "echo", "1").await.unwrap();
        world.script.fail("migrate", 2);
        world.switch_to("v2");
        assert_eq!(reply(world.ask("a", "echo", "2").await), "2");
        assert_eq!(world.deployment.current().id.label, "v1");
        assert_eq!(world.dead(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn back_at_its_version_an_actor_needs_no_migration_unless_it_has_written() {
        let world = SimulatedWorld::new(steady());
        for (kind, migrations) in [("echo", 1), ("write", 2)] {
            let actor = kind;
            world.ask(actor, "write", "1").await.unwrap();
            world.switch_to("v2");
            world.ask(actor, kind, "2").await.unwrap();
            world.switch_to("v1");
            world.ask(actor, "echo", "3").await.unwrap();
            let log = world.script.log();
            let is_own = |line: &&String| line.starts_with(&format!("{actor}: migrate"));
            assert_eq!(log.iter().filter(is_own).count(), migrations, "{log:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_an_actor_that_ends_becomes_dead_letters() {
        let world = SimulatedWorld::new(steady());
        world.send("a", "trap", "1").unwrap();
        world.send("a", "echo", "2").unwrap();
        let waiting = world.ask("a", "echo", "3");
        let cell = world.directory().find(&actor("a")).unwrap();
        let ending = async {
            yield_now().await;
            world.bar("a", Standing::GivenUp);
            cell.mailbox.signal(Signal::GiveUp);
        };
        let (outcome, ()) = tokio::join!(waiting, ending);
        assert!(matches!(outcome, Err(CallError::Failed(_))), "{outcome:?}");
        assert_eq!(world.dead().len(), 3);
        assert_eq!(world.send("a", "echo", "4"), Err(Refusal::GivenUp));
    }

    #[tokio::test(start_paused = true)]
    async fn what_waited_for_an_actor_that_ended_is_not_counted_any_more() {
        let world = SimulatedWorld::new(steady());
        let waiting = &world.deployment.waiting;
        let payload = "x".repeat(100_000);
        for kind in ["trap", "echo"] {
            world.send("a", kind, &payload).unwrap();
        }
        // It is held on to, as some do for a while.
        let cell = world.directory().find(&actor("a")).unwrap();
        let on_disk = Backlog {
            messages: 5,
            bytes: 50,
        };
        cell.mailbox.expect_on_disk(on_disk);
        assert_eq!((waiting.in_memory(), waiting.on_disk()), (3 << 16, on_disk));
        world.bar("a", Standing::Ended);
        cell.mailbox.signal(Signal::Stop);
        while !cell.is_retired() {
            yield_now().await;
        }
        let nothing = Backlog::default();
        assert_eq!((waiting.in_memory(), waiting.on_disk()), (0, nothing));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_leaves_a_turn_that_was_not_committed() {
        let world = SimulatedWorld::new(steady());
        world
            .store
            .fails_at
            .store(2, std::sync::atomic::Ordering::Relaxed);
        let outcome = world.ask("a", "send", "secret").await;
        assert!(matches!(outcome, Err(CallError::Failed(_))), "{outcome:?}");
        assert!(world.halted.lock().unwrap().is_some());
        let log = world.script.log();
        assert!(
            !log.iter().any(|line| line.contains("echo secret")),
            "{log:?}"
        );
    }
}
