//! The handle that programs talk to a system with.

// Layer 1: Standard library imports
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

// Layer 2: Third-party crate imports
use tokio::select;
use tokio::sync::broadcast;
use tokio::time::{Instant, timeout};

// Layer 3: Internal module imports
use crate::component::cell::{Cell, Phase};
use crate::component::mailbox::{Mailbox, Signal};
use crate::component::supervision::member::Member;
use crate::component::waiting::Waiting;
use crate::component::world::World;
use crate::core::component::MessagePayload;
use crate::core::component::id::ComponentId;
use crate::core::component::message::ComponentMessage;
use crate::core::component::topic::check_topic;
use crate::core::delivery::refusal::Refusal;
use crate::core::event::Event;
use crate::core::limits::{Limit, LimitExceeded, Limits};
use crate::core::security::audit::Operation;
use crate::core::turn::effects::Content;
use crate::messaging::trace;
use crate::system::asking::{DEFAULT_PATIENCE, ask};
use crate::system::auditing::Deed;
use crate::system::builder::SystemBuilder;
use crate::system::error::{AskError, ControlError, PublishError, SendError};
use crate::system::node::{Node, Owner};
use crate::system::sending::{publish, send};
use crate::system::shutdown::ShutdownReport;
use crate::system::waiting::until;

/// How long [`System::spawn`] waits for an actor to start.
const SPAWN_PATIENCE: Duration = Duration::from_secs(10);

/// A running system of actors. Cloning it is cheap, and all clones talk to the same one.
///
/// When the last clone is dropped, actors end, and what waits for them is lost; see
/// [`shutdown`](Self::shutdown).
///
/// ```
/// use airssys_wasm::system::handle::System;
///
/// # #[tokio::main(flavor = "multi_thread", worker_threads = 1)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::builder()
///     .component("demo/counter", "../guests/bin/counter.wasm")
///     .start()
///     .await?;
///
/// let alice = "demo/counter/alice".parse()?;
/// system.ask(&alice, "add", "2").await?;
/// let sum = system.ask(&alice, "add", "3").await?;
/// assert_eq!(sum.unwrap().as_bytes(), b"5");
///
/// assert!(system.shutdown().await.is_clean());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct System {
    pub(crate) node: Arc<Node>,
    /// What the messages of this handle are part of.
    trace_parent: Option<Arc<str>>,
    _owner: Arc<Owner>,
}

impl System {
    /// Begins to put a system together.
    pub fn builder() -> SystemBuilder {
        SystemBuilder::default()
    }

    pub(crate) fn new(node: Arc<Node>) -> Self {
        let owner = Owner {
            node: Arc::clone(&node),
        };
        Self {
            node,
            trace_parent: None,
            _owner: Arc::new(owner),
        }
    }

    /// The system's name.
    pub fn name(&self) -> &str {
        &self.node.name
    }

    /// A handle whose messages are part of a trace: the W3C `traceparent` travels with them,
    /// and with what actors send on. A malformed one is dropped.
    #[must_use]
    pub fn in_trace(&self, trace_parent: &str) -> Self {
        let is_valid = trace::is_valid(trace_parent);
        Self {
            trace_parent: is_valid.then(|| Arc::from(trace_parent)),
            ..self.clone()
        }
    }

    /// A message from outside, to be sent with [`send_message`](Self::send_message).
    pub fn message(
        &self,
        to: &ComponentId,
        kind: impl Into<String>,
        payload: impl Into<MessagePayload>,
    ) -> ComponentMessage {
        let from = self.node.host.clone();
        ComponentMessage::new(from, to.clone(), kind.into(), payload.into())
    }

    /// Sends a message and waits for the reply, at most 30 seconds.
    ///
    /// # Errors
    ///
    /// When the message was not accepted, the actor rejected it, it failed as often as its
    /// policy allows, or no answer came in time. In the last case it may be handled yet.
    pub async fn ask(
        &self,
        to: &ComponentId,
        kind: impl Into<String>,
        payload: impl Into<MessagePayload>,
    ) -> Result<Option<MessagePayload>, AskError> {
        let message = self.message(to, kind, payload);
        self.ask_within(message, DEFAULT_PATIENCE).await
    }

    /// Sends a message and waits for the reply for as long as `patience`. What is not begun
    /// by then is not handled.
    ///
    /// # Errors
    ///
    /// As [`ask`](Self::ask).
    pub async fn ask_within(
        &self,
        message: ComponentMessage,
        patience: Duration,
    ) -> Result<Option<MessagePayload>, AskError> {
        ask(&self.node, message, patience, self.trace_parent.clone()).await
    }

    /// Sends a message that expects no reply. Messages to one actor are handled in the
    /// order in which they were sent.
    ///
    /// One to a durable actor is on disk when this returns, and is handled exactly once,
    /// whatever happens to the process; one to another is handled at most once.
    ///
    /// # Errors
    ///
    /// When it was not accepted; the message is given back. If the store failed, it may have
    /// been accepted all the same: send it again with the same
    /// [id](ComponentMessage::with_id).
    pub async fn send(
        &self,
        to: &ComponentId,
        kind: impl Into<String>,
        payload: impl Into<MessagePayload>,
    ) -> Result<(), SendError> {
        self.send_message(self.message(to, kind, payload)).await
    }

    /// Sends a message that was made before, for example one that was given back.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_message(&self, message: ComponentMessage) -> Result<(), SendError> {
        send(&self.node, message, self.trace_parent.clone()).await
    }

    /// Sends a message, and waits for space where the mailbox is full, or as much waits for all
    /// actors of its component as may.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), but for a full mailbox only if it stays full for as long as
    /// `patience`.
    pub async fn send_when_space(
        &self,
        message: ComponentMessage,
        patience: Duration,
    ) -> Result<(), SendError> {
        let mut refused = match self.send_message(message).await {
            Ok(()) => return Ok(()),
            Err(refused) => refused,
        };
        let began = Instant::now();
        let to = refused.message.to().clone();
        while refused.reason == Refusal::MailboxFull {
            let Some(deployment) = self.node.deployment(&to) else {
                return self.send_message(*refused.message).await;
            };
            let cell = self.node.directory.find(&to);
            // Before it is tried again, so that whatever is freed from now on is noticed.
            let mailbox = cell.as_ref().map(|cell| &cell.mailbox);
            let space = space_for(mailbox, &deployment.waiting);
            refused = match self.send_message(*refused.message).await {
                Ok(()) => return Ok(()),
                Err(refused) => refused,
            };
            let left = patience.saturating_sub(began.elapsed());
            let is_another = !is_same(self.node.directory.find(&to), &cell);
            if refused.reason != Refusal::MailboxFull || (is_another && !left.is_zero()) {
                continue;
            }
            if timeout(left, space).await.is_err() {
                return Err(refused);
            }
        }
        Err(refused)
    }

    /// Sends a message to all actors that subscribed to a topic, and returns how many
    /// there are. For durable ones it is on disk when this returns; for whom too much waits
    /// it becomes a dead letter.
    ///
    /// It is not atomic: to many it is sent some at a time, and who may hear of it is looked at
    /// for each part. If the store fails meanwhile, some have got it.
    ///
    /// # Errors
    ///
    /// When the topic is malformed or longer than 256 bytes, or the system shuts down.
    pub async fn publish(
        &self,
        topic: &str,
        kind: impl Into<String>,
        payload: impl Into<MessagePayload>,
    ) -> Result<usize, PublishError> {
        let allowed = Limits::default().kind_bytes;
        LimitExceeded::check(Limit::KindBytes, allowed, topic.len() as u64)?;
        check_topic(topic)?;
        self.node.is_open().map_err(PublishError::Refused)?;
        let content = Content {
            kind: kind.into(),
            payload: payload.into(),
        };
        publish(&self.node, topic, &content, self.trace_parent.as_ref()).await
    }

    /// Activates an actor without a message, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// When there is no such component, the actor may not run, or it does not start
    /// within 10 seconds.
    pub async fn spawn(&self, actor: &ComponentId) -> Result<(), ControlError> {
        self.node.is_open().map_err(ControlError::Refused)?;
        let found = self.node.directory.find_or_activate(&self.node, actor);
        let cell = found.map_err(ControlError::Refused)?;
        cell.mailbox.signal(Signal::Start);
        let is_ready = || cell.phase() == Phase::Ready || cell.is_retired();
        if until(SPAWN_PATIENCE, is_ready).await && !cell.is_retired() {
            return Ok(());
        }
        Err(ControlError::NotStarted {
            actor: actor.to_string(),
            reason: "see its events for why".into(),
        })
    }

    /// Stops an actor. Messages to it become dead letters until it is
    /// [resumed](Self::resume).
    ///
    /// # Errors
    ///
    /// When there is no such component, or as many actors are stopped as can be.
    pub fn stop(&self, actor: &ComponentId) -> Result<(), ControlError> {
        let found = self.node.existing(actor.component());
        let stopped = found.and_then(|_component| self.node.stop(actor));
        let deed = Deed::of(Operation::StopActor).on_actor(actor);
        self.node.audited(deed, stopped)
    }

    /// Lets an actor, a component or a group run again that was stopped or given up.
    ///
    /// # Errors
    ///
    /// When there is no such group, or it was given up as part of another.
    pub fn resume(&self, target: &Member) -> Result<(), ControlError> {
        let deed = Deed::of(Operation::Resume).with(target);
        self.node.audited(deed, self.node.resume(target))
    }

    /// What happens from now on. A watcher that is too slow is told how many events it
    /// has missed.
    pub fn subscribe_events(&self) -> broadcast::Receiver<Event> {
        self.node.events.subscribe()
    }

    /// Ends the system: takes no more messages from outside, lets actors finish what they
    /// have within the configured time, passivates them, and tells what was left.
    pub async fn shutdown(&self) -> ShutdownReport {
        let patience = Duration::from_millis(self.node.shutdown_ms);
        self.shutdown_within(patience).await
    }

    /// Ends the system as [`shutdown`](Self::shutdown) does, with a time of one's own.
    pub async fn shutdown_within(&self, patience: Duration) -> ShutdownReport {
        self.node.shut_down(patience).await
    }
}

/// Waits until there may be space for an actor that there was not when this was called: in its
/// own mailbox, or in what its component may have waiting for all.
fn space_for<'a>(
    mailbox: Option<&'a Mailbox>,
    waiting: &'a Waiting,
) -> impl Future<Output = ()> + Send + 'a {
    // Made at once, and not when they are awaited.
    let (own, freed) = (mailbox.map(Mailbox::space), waiting.freed());
    async move {
        let Some(own) = own else {
            return freed.await;
        };
        select! {
            () = own => {}
            () = freed => {}
        }
    }
}

fn is_same(one: Option<Arc<Cell>>, other: &Option<Arc<Cell>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(&one, other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::queue::Capacity;
    use crate::core::delivery::envelope::Envelope;
    use tokio::task::yield_now;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn mailbox(waiting: &Arc<Waiting>) -> Mailbox {
        let capacity = Capacity {
            messages: 10,
            bytes: u64::MAX,
        };
        Mailbox::new(capacity, Arc::clone(waiting))
    }

    fn large() -> Envelope {
        let [from, to] = ["from", "to"].map(|name| ComponentId::new("a", "b", name));
        let payload = vec![0; 100_000].into();
        Envelope::tell(ComponentMessage::new(from, to, "n".into(), payload))
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_is_told_when_another_mailbox_frees_what_all_share() {
        for is_live in [true, false] {
            let waiting = Arc::new(Waiting::new(1));
            let [own, other] = [mailbox(&waiting), mailbox(&waiting)];
            other.offer(large()).unwrap();
            assert!(!own.has_space(100_000) && own.has_space(1_000));
            let space = || space_for(is_live.then_some(&own), &waiting);
            let waited = timeout(PATIENCE, space()).await;
            assert!(waited.is_err(), "nothing has changed");
            let began = Instant::now();
            let ends = async {
                yield_now().await;
                other.close();
            };
            let (told, ()) = tokio::join!(timeout(PATIENCE, space()), ends);
            assert!(told.is_ok());
            assert_eq!(began.elapsed(), Duration::ZERO);
            assert!(own.has_space(100_000));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_freed_before_it_is_awaited_is_not_missed() {
        let waiting = Arc::new(Waiting::new(1));
        let [own, other] = [mailbox(&waiting), mailbox(&waiting)];
        other.offer(large()).unwrap();
        let space = space_for(Some(&own), &waiting);
        other.close();
        assert!(timeout(PATIENCE, space).await.is_ok());
    }
}
