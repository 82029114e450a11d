//! Actors that are not live and have messages on disk.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::delivery::refusal::Refusal;
use crate::system::node::Node;

/// How many sleepers are looked at in one go.
const MAX_LOOKED_AT: usize = 1_024;

/// Actors that are not live and have messages on disk. There are at most as many as had
/// some when the system started, or could not be activated since.
#[derive(Debug, Default)]
pub(crate) struct Sleepers {
    asleep: Mutex<Asleep>,
}

#[derive(Debug, Default)]
struct Asleep {
    /// How many messages wait for each, as far as is known.
    messages: BTreeMap<ComponentId, u64>,
    /// The one that was looked at last.
    looked_at: Option<ComponentId>,
}

impl Sleepers {
    /// So many more messages wait for an actor.
    pub(crate) fn add(&self, actor: ComponentId, messages: u64) {
        *self.lock().messages.entry(actor).or_default() += messages;
    }

    /// An actor does not sleep any more. Returns how many messages wait for it.
    pub(crate) fn take(&self, actor: &ComponentId) -> u64 {
        self.lock().messages.remove(actor).unwrap_or_default()
    }

    /// How many messages wait for an actor, if it sleeps.
    pub(crate) fn waiting(&self, actor: &ComponentId) -> u64 {
        self.lock().messages.get(actor).copied().unwrap_or_default()
    }

    /// The next sleeper after the one before; after the last comes the first.
    fn next(&self) -> Option<ComponentId> {
        let mut asleep = self.lock();
        let after = match &asleep.looked_at {
            Some(last) => Bound::Excluded(last),
            None => Bound::Unbounded,
        };
        let mut later = asleep.messages.range((after, Bound::Unbounded));
        let next = later.next().or_else(|| asleep.messages.first_key_value());
        let next = next.map(|(actor, _)| actor.clone());
        asleep.looked_at.clone_from(&next);
        next
    }

    fn len(&self) -> usize {
        self.lock().messages.len()
    }

    fn lock(&self) -> MutexGuard<'_, Asleep> {
        self.asleep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// Activates sleepers as far as there is room. One whose component is gone or keeps
    /// nothing any more, or that was stopped, sleeps on.
    pub(crate) fn wake(self: &Arc<Self>) {
        for _ in 0..self.sleepers.len().min(MAX_LOOKED_AT) {
            let Some(actor) = self.sleepers.next() else {
                return;
            };
            if self.is_durable(&actor)
                && let Err(Refusal::NoRoom) = self.directory.find_or_activate(self, &actor)
            {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(name: &str) -> ComponentId {
        ComponentId::new("a", "b", name)
    }

    #[test]
    fn each_has_its_turn_and_those_that_woke_are_gone() {
        let sleepers = Sleepers::default();
        assert_eq!(sleepers.next(), None);
        for name in ["x", "y", "z", "y"] {
            sleepers.add(actor(name), 2);
        }
        assert_eq!(sleepers.next(), Some(actor("x")));
        assert_eq!(
            (sleepers.waiting(&actor("y")), sleepers.take(&actor("y"))),
            (4, 4)
        );
        assert_eq!(
            (sleepers.waiting(&actor("y")), sleepers.take(&actor("y"))),
            (0, 0)
        );
        assert_eq!(sleepers.next(), Some(actor("z")));
        assert_eq!(sleepers.next(), Some(actor("x")), "and round again");
    }
}
