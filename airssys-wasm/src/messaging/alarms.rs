//! Messages that actors send later.

// Layer 1: Standard library imports
use std::collections::{BTreeMap, HashMap};

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::delivery::envelope::{Envelope, Letter};
use crate::core::delivery::refusal::{Refusal, Refused};
use crate::messaging::timers::{TimerKey, Timers};

/// The most timers that a system keeps. Each takes about 400 bytes and its payload.
pub const MAX_TIMERS: usize = 1_000_000;

/// The most bytes that the payloads of all timers have together: 256 MiB.
pub const MAX_TIMER_BYTES: usize = 256 << 20;

/// Messages that are sent later, and which of them their actor can still cancel.
#[derive(Debug)]
pub(crate) struct Alarms {
    timers: Timers<Alarm>,
    /// The timers of each actor, by the numbers that it knows them by.
    of_actor: HashMap<ComponentId, BTreeMap<u64, TimerKey>>,
    bytes: usize,
}

#[derive(Debug)]
struct Alarm {
    id: u64,
    envelope: Envelope,
}

impl Default for Alarms {
    fn default() -> Self {
        Self {
            timers: Timers::new(MAX_TIMERS),
            of_actor: HashMap::new(),
            bytes: 0,
        }
    }
}

impl Alarms {
    /// Keeps a message until it is due, or gives it back if there is no room.
    pub(crate) fn insert(
        &mut self,
        id: u64,
        due_ms: u64,
        envelope: Envelope,
    ) -> Result<(), Refused> {
        let owner = envelope.content.from().clone();
        let bytes = payload_bytes(&envelope);
        if self.bytes.saturating_add(bytes) > MAX_TIMER_BYTES {
            return Err(too_many(envelope));
        }
        let inserted = self.timers.insert(due_ms, Alarm { id, envelope });
        let key = inserted.map_err(|full| too_many(full.item.envelope))?;
        self.bytes += bytes;
        self.of_actor.entry(owner).or_default().insert(id, key);
        Ok(())
    }

    /// Forgets a message of an actor, if it is not sent yet.
    pub(crate) fn cancel(&mut self, owner: &ComponentId, id: u64) {
        if let Some(key) = self.forget(owner, id)
            && let Some(alarm) = self.timers.remove(key)
        {
            self.bytes -= payload_bytes(&alarm.envelope);
        }
    }

    /// Takes a message whose time has come, and the timer's id.
    pub(crate) fn pop_due(&mut self, now_ms: u64) -> Option<(u64, Envelope)> {
        let Alarm { id, envelope } = self.timers.pop_due(now_ms)?;
        self.forget(envelope.content.from(), id);
        self.bytes -= payload_bytes(&envelope);
        Some((id, envelope))
    }

    /// When the next message is due.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.timers.next_due()
    }

    /// How many messages of an actor there are.
    pub(crate) fn len_of(&self, owner: &ComponentId) -> usize {
        self.of_actor.get(owner).map_or(0, BTreeMap::len)
    }

    /// How many messages there are.
    pub(crate) fn len(&self) -> usize {
        self.timers.len()
    }

    fn forget(&mut self, owner: &ComponentId, id: u64) -> Option<TimerKey> {
        let own = self.of_actor.get_mut(owner)?;
        let key = own.remove(&id);
        if own.is_empty() {
            self.of_actor.remove(owner);
        }
        key
    }
}

fn too_many(envelope: Envelope) -> Refused {
    Refused {
        envelope: Box::new(envelope),
        reason: Refusal::TooMany,
    }
}

fn payload_bytes(envelope: &Envelope) -> usize {
    match &envelope.content {
        Letter::Message(message) => message.payload().len(),
        Letter::Reply(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::component::message::ComponentMessage;

    fn alarm(owner: &str, bytes: usize) -> Envelope {
        let [from, to] = [owner, "you"].map(|name| ComponentId::new("a", "b", name));
        let payload = vec![0; bytes].into();
        Envelope::tell(ComponentMessage::new(from, to, "late".into(), payload))
    }

    #[test]
    fn the_timers_of_each_actor_are_counted_until_they_are_due_or_cancelled() {
        let mut alarms = Alarms::default();
        let greedy = ComponentId::new("a", "b", "greedy");
        for id in 0..3 {
            alarms.insert(id, id, alarm("greedy", 0)).unwrap();
        }
        alarms.insert(0, 1, alarm("modest", 0)).unwrap();
        assert_eq!(alarms.len_of(&greedy), 3);
        alarms.cancel(&greedy, 2);
        assert_eq!(alarms.len_of(&greedy), 2);
        alarms.pop_due(0).unwrap();
        assert_eq!(alarms.len_of(&greedy), 1);
    }

    #[test]
    fn bytes_are_counted_until_they_are_sent_or_cancelled() {
        let mut alarms = Alarms::default();
        let half = MAX_TIMER_BYTES / 2;
        alarms.insert(1, 10, alarm("me", half)).unwrap();
        alarms.insert(2, 20, alarm("me", half)).unwrap();
        assert!(alarms.insert(3, 30, alarm("me", 1)).is_err());
        alarms.cancel(&ComponentId::new("a", "b", "me"), 2);
        alarms.insert(3, 30, alarm("me", half)).unwrap();
        assert!(alarms.pop_due(10).is_some() && alarms.pop_due(10).is_none());
        alarms.insert(4, 40, alarm("me", half)).unwrap();
        assert_eq!((alarms.len(), alarms.next_due()), (2, Some(30)));
    }
}
