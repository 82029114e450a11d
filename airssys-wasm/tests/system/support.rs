//! Starting systems, talking to their actors, and waiting for what happens.

// Layer 1: Standard library imports
use std::time::Duration;

// Layer 2: Third-party crate imports
use serde_json::Value;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep, timeout};

// Layer 3: Internal module imports
use airssys_wasm::component::retry::RetryPolicy;
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::component::message::ComponentMessage;
use airssys_wasm::core::event::Event;
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::system::builder::SystemBuilder;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::config::system::MemoryLayout;
use airssys_wasm::system::handle::System;
use airssys_wasm::system::status::{ComponentStatus, Counts};

pub(crate) use crate::asking::{PATIENCE, bytes, id, try_ask, until};

/// A system whose memory is asked for when it is needed, since many run side by side. Its
/// components are trusted: what others may do is tested where it is the subject.
pub(crate) fn builder() -> SystemBuilder {
    System::builder()
        .configure(|system| {
            system.max_live_actors = 512;
            system.memory = MemoryLayout::OnDemand;
        })
        .defaults(|component| component.grants = Capabilities::trusted())
}

/// Where a guest is.
pub(crate) fn guest(name: &str) -> String {
    format!("../guests/bin/{name}.wasm")
}

/// A guest that does the same and is another version: it has one custom section more.
pub(crate) fn marked(name: &str, mark: &str) -> Vec<u8> {
    let mut bytes = bytes(name);
    let text = u8::try_from(mark.len()).expect("a short mark");
    bytes.extend([0, text + 1, text]);
    bytes.extend(mark.as_bytes());
    bytes
}

/// A message from an actor that is not there, so that there can be many senders.
pub(crate) fn from(sender: &str, to: &ComponentId, kind: &str, payload: &str) -> ComponentMessage {
    ComponentMessage::new(id(sender), to.clone(), kind.into(), payload.into())
}

/// A message is tried once.
pub(crate) fn once(config: &mut ComponentConfig) {
    config.retry.attempts = 1;
}

/// A message is tried so often, at once.
pub(crate) fn at_once(attempts: u32) -> RetryPolicy {
    RetryPolicy {
        attempts,
        first_ms: 1,
        factor: 1.0,
        max_ms: 1,
        jitter: 0.0,
    }
}

/// What an actor replies, which must be text.
pub(crate) async fn ask(
    system: &System,
    to: &str,
    kind: &str,
    payload: impl Into<MessagePayload>,
) -> String {
    let reply = try_ask(system, to, kind, payload).await;
    reply.unwrap_or_else(|e| panic!("{to} {kind}: {e}"))
}

/// What an actor replies in JSON to JSON.
pub(crate) async fn ask_json(system: &System, to: &str, kind: &str, payload: Value) -> Value {
    let reply = ask(system, to, kind, payload.to_string()).await;
    serde_json::from_str(&reply).unwrap_or(Value::Null)
}

/// What was counted of a component.
pub(crate) fn counts(system: &System, component: &str) -> Counts {
    component_status(system, component).counts
}

/// What was counted of a component when all that it has accepted is counted. An answer
/// arrives a moment before its message is.
pub(crate) async fn settled(system: &System, component: &str) -> Counts {
    until(component, || is_settled(counts(system, component))).await;
    counts(system, component)
}

/// A component at this moment.
pub(crate) fn component_status(system: &System, component: &str) -> ComponentStatus {
    let status = system.status();
    let found = status
        .components
        .into_iter()
        .find(|it| it.name == component);
    found.unwrap_or_else(|| panic!("no {component}"))
}

/// Everything that went into a mailbox has come out of it again.
pub(crate) fn is_settled(counts: Counts) -> bool {
    counts.accepted == counts.handled + counts.rejected + counts.buried + counts.expired
}

/// Waits for the reply that is wanted to a question that may be asked often.
pub(crate) async fn until_reply(system: &System, to: &str, kind: &str, payload: &str, is: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let reply = ask(system, to, kind, payload).await;
        if reply == is {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{to} {kind} {payload}: {reply:?} is not {is:?}"
        );
        sleep(Duration::from_millis(1)).await;
    }
}

/// The events of a system, from now on.
pub(crate) struct Watch(broadcast::Receiver<Event>);

impl Watch {
    pub(crate) fn new(system: &System) -> Self {
        Self(system.subscribe_events())
    }

    /// Waits for the next event of which this can make something.
    pub(crate) async fn find<T>(&mut self, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        let found = async {
            loop {
                let event = self.0.recv().await.expect("an event");
                if let Some(found) = pick(event) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, found).await.expect("the event")
    }

    /// Waits for this event.
    pub(crate) async fn wait(&mut self, is: impl Fn(&Event) -> bool) -> Event {
        self.find(|event| is(&event).then_some(event)).await
    }

    /// All events that have happened by now.
    pub(crate) fn so_far(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Ok(event) = self.0.try_recv() {
            events.push(event);
        }
        events
    }

    /// Waits until an actor has got an instance.
    pub(crate) async fn activated(&mut self, of: &str) {
        self.wait(|event| matches!(event, Event::Activated { actor, .. } if actor.as_str() == of))
            .await;
    }

    /// Waits until an actor has lost its instance.
    pub(crate) async fn passivated(&mut self, of: &str) {
        self.wait(|event| matches!(event, Event::Passivated { actor } if actor.as_str() == of))
            .await;
    }
}

/// Which actors were activated, by their instances, in order of the address.
pub(crate) fn activations(events: &[Event]) -> Vec<String> {
    let mut actors: Vec<String> = events
        .iter()
        .filter_map(|event| match event {
            Event::Activated { actor, .. } => Some(actor.to_string()),
            _ => None,
        })
        .collect();
    actors.sort();
    actors
}
