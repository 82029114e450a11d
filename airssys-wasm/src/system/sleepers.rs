//! Actors that are not live and have messages on disk.

// Layer 1: Standard library imports
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

// Layer 3: Internal module imports
use crate::component::waiting::Waiting;
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
    /// What waits for all of a component, where anything does.
    by_component: HashMap<String, Backlog>,
    /// The one that was looked at last.
    looked_at: Option<ComponentId>,
}

impl Sleepers {
    /// More waits for an actor.
    pub(crate) fn add(&self, actor: ComponentId, waiting: Backlog) {
        let mut asleep = self.lock();
        if !waiting.is_empty() {
            let name = actor.component();
            match asleep.by_component.get_mut(name) {
                Some(sum) => sum.add_all(waiting),
                None => drop(asleep.by_component.insert(name.to_owned(), waiting)),
            }
        }
        asleep.waiting.entry(actor).or_default().add_all(waiting);
    }

    /// An actor does not sleep any more. What waits for it is told to whoever counts it from
    /// now on, while nobody looks.
    pub(crate) fn wake_up(&self, actor: &ComponentId, tell: impl FnOnce(Backlog)) {
        let mut asleep = self.lock();
        let Some(waiting) = asleep.waiting.remove(actor) else {
            return;
        };
        tell(waiting);
        if let Some(sum) = asleep.by_component.get_mut(actor.component()) {
            sum.take_all(waiting);
            if sum.is_empty() {
                asleep.by_component.remove(actor.component());
            }
        }
    }

    /// What waits on disk for all actors of a component, of which this waits for those that are
    /// live. Nobody wakes up while it is added up.
    pub(crate) fn total(&self, component: &str, live: &Waiting) -> Backlog {
        let asleep = self.lock();
        let mut total = live.on_disk();
        if let Some(sum) = asleep.by_component.get(component) {
            total.add_all(*sum);
        }
        total
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
    use crate::component::waiting::Share;
    use proptest::prelude::*;

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
        let mut told = Vec::new();
        assert_eq!(sleepers.waiting(&actor("y")), backlog(4));
        sleepers.wake_up(&actor("y"), |waiting| told.push(waiting));
        assert_eq!(sleepers.waiting(&actor("y")), backlog(0));
        sleepers.wake_up(&actor("y"), |waiting| told.push(waiting));
        assert_eq!(told, [backlog(4)]);
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
                sleepers.wake_up(it, |_waiting| {});
            }
        });
        assert_eq!(
            (sleepers.len(), sleepers.waiting(&other)),
            (100, backlog(0))
        );
    }

    /// More waits for one of the actors, or it wakes up.
    fn steps() -> impl Strategy<Value = Vec<(usize, Option<u64>)>> {
        let more = prop_oneof![3 => (0..5_u64).prop_map(Some), 1 => Just(None)];
        prop::collection::vec((0..4_usize, more), 0..60)
    }

    proptest! {
        #[test]
        fn what_waits_for_all_is_counted_once_while_they_sleep_and_when_they_wake(
            steps in steps(),
        ) {
            let sleepers = Sleepers::default();
            let live = Arc::new(Waiting::new(0));
            let actors = ["a", "b"].map(|name| ["x", "y"].map(|it| ComponentId::new("n", name, it)));
            let actors = actors.as_flattened();
            let (mut awake, mut sums) = (Vec::new(), [0, 0]);
            for (index, step) in steps {
                match step {
                    Some(messages) => {
                        sleepers.add(actors[index].clone(), backlog(messages));
                        sums[index / 2] += messages;
                    }
                    None if index / 2 == 0 => sleepers.wake_up(&actors[index], |waiting| {
                        let mut share = Share::of(Arc::clone(&live));
                        share.leave_on_disk(waiting);
                        awake.push(share);
                    }),
                    None => {}
                }
                let other = Waiting::new(0);
                prop_assert_eq!(sleepers.total("n/a", &live), backlog(sums[0]));
                prop_assert_eq!(sleepers.total("n/b", &other), backlog(sums[1]));
            }
            for actor in actors {
                sleepers.wake_up(actor, |_waiting| {});
            }
            drop(awake);
            prop_assert!(sleepers.lock().by_component.is_empty(), "nothing is left behind");
            prop_assert_eq!(sleepers.total("n/a", &live), backlog(0));
        }
    }
}
