//! Actors that are not live and have messages on disk.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::storage::backlog::Backlog;
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
    /// What waits for each, as far as is known.
    waiting: BTreeMap<ComponentId, Backlog>,
    /// The one that was looked at last.
    looked_at: Option<ComponentId>,
}

impl Sleepers {
    /// More waits for an actor.
    pub(crate) fn add(&self, actor: ComponentId, waiting: Backlog) {
        self.lock()
            .waiting
            .entry(actor)
            .or_default()
            .add_all(waiting);
    }

    /// An actor does not sleep any more. Returns what waits for it.
    pub(crate) fn take(&self, actor: &ComponentId) -> Backlog {
        self.lock().waiting.remove(actor).unwrap_or_default()
    }

    /// What waits for an actor, if it sleeps.
    pub(crate) fn waiting(&self, actor: &ComponentId) -> Backlog {
        self.lock().waiting.get(actor).copied().unwrap_or_default()
    }

    /// The next sleeper after the one before; after the last comes the first.
    fn next(&self) -> Option<ComponentId> {
        let mut asleep = self.lock();
        let after = match &asleep.looked_at {
            Some(last) => Bound::Excluded(last),
            None => Bound::Unbounded,
        };
        let mut later = asleep.waiting.range((after, Bound::Unbounded));
        let next = later.next().or_else(|| asleep.waiting.first_key_value());
        let next = next.map(|(actor, _)| actor.clone());
        asleep.looked_at.clone_from(&next);
        next
    }

    /// Has each begin, as far as one may look in one go. Where there is no room for one, there
    /// may be some for those of other components.
    fn wake(&self, mut begin: impl FnMut(&ComponentId)) {
        for _ in 0..self.len().min(MAX_LOOKED_AT) {
            let Some(actor) = self.next() else {
                return;
            };
            begin(&actor);
        }
    }

    fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    fn lock(&self) -> MutexGuard<'_, Asleep> {
        self.asleep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// Activates sleepers as far as there is room. One whose component is gone or keeps
    /// nothing any more, or that was stopped, sleeps on.
    pub(crate) fn wake(self: &Arc<Self>) {
        self.sleepers.wake(|actor| {
            if self.is_durable(actor) {
                // One that may not begin sleeps on.
                drop(self.directory.find_or_activate(self, actor));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(name: &str) -> ComponentId {
        ComponentId::new("a", "b", name)
    }

    fn backlog(messages: u64) -> Backlog {
        Backlog {
            messages,
            bytes: messages * 10,
        }
    }

    #[test]
    fn each_has_its_turn_and_those_that_woke_are_gone() {
        let sleepers = Sleepers::default();
        assert_eq!(sleepers.next(), None);
        for name in ["x", "y", "z", "y"] {
            sleepers.add(actor(name), backlog(2));
        }
        assert_eq!(sleepers.next(), Some(actor("x")));
        assert_eq!(
            (sleepers.waiting(&actor("y")), sleepers.take(&actor("y"))),
            (backlog(4), backlog(4))
        );
        assert_eq!(
            (sleepers.waiting(&actor("y")), sleepers.take(&actor("y"))),
            (backlog(0), backlog(0))
        );
        assert_eq!(sleepers.next(), Some(actor("z")));
        assert_eq!(sleepers.next(), Some(actor("x")), "and round again");
    }

    #[test]
    fn those_that_find_no_room_keep_nobody_else_asleep() {
        let sleepers = Sleepers::default();
        for number in 0..100 {
            sleepers.add(actor(&format!("many-{number}")), backlog(1));
        }
        let other = ComponentId::new("b", "other", "x");
        sleepers.add(other.clone(), backlog(1));
        sleepers.wake(|it| {
            if *it == other {
                sleepers.take(it);
            }
        });
        assert_eq!(
            (sleepers.len(), sleepers.waiting(&other)),
            (100, backlog(0))
        );
    }
}
