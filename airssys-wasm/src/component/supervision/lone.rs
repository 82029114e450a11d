//! The restarts of actors that belong to no group.

// Layer 1: Standard library imports
use std::collections::{BTreeSet, HashMap};

// Layer 3: Internal module imports
use crate::component::supervision::intensity::{Intensity, RestartWindow};
use crate::core::component::id::ComponentId;

/// How many lone actors have their restarts counted at once. Beyond it, the one whose
/// last failure is the longest ago is forgotten, and would begin anew with zero.
pub(super) const MAX_FAILING_ACTORS: usize = 10_000;

/// The restarts of each actor that failed within the last window.
///
/// Its size follows from failures, not from the number of actors: who has not failed
/// for a window is not in it.
#[derive(Debug)]
pub(super) struct LoneActors {
    intensity: Intensity,
    max_actors: usize,
    windows: HashMap<ComponentId, RestartWindow>,
    /// The same actors by the time of their last restart, the longest ago first.
    by_last_ms: BTreeSet<(u64, ComponentId)>,
}

impl LoneActors {
    pub(super) fn new(intensity: Intensity, max_actors: usize) -> Self {
        Self {
            intensity,
            max_actors,
            windows: HashMap::new(),
            by_last_ms: BTreeSet::new(),
        }
    }

    /// Counts a restart of the actor, if it is allowed one more. If not, the actor is
    /// forgotten. Takes time logarithmic in the actors counted, and now and then more,
    /// to forget those whose restarts count no more.
    #[must_use]
    pub(super) fn admit(&mut self, actor: &ComponentId, now_ms: u64) -> bool {
        self.forget_old(now_ms);
        let mut window = self.take(actor).unwrap_or_default();
        let admitted = window.admit(self.intensity, now_ms);
        if admitted {
            self.by_last_ms.insert((now_ms, actor.clone()));
            self.windows.insert(actor.clone(), window);
            if self.windows.len() > self.max_actors {
                self.forget_oldest();
            }
        }
        admitted
    }

    /// Forgets the restarts of one actor.
    pub(super) fn forget(&mut self, actor: &ComponentId) {
        self.take(actor);
    }

    /// Forgets the restarts of all actors of a component. Looks at every actor counted.
    pub(super) fn forget_component(&mut self, component: &str) {
        self.windows
            .retain(|actor, _| actor.component() != component);
        self.by_last_ms
            .retain(|(_, actor)| actor.component() != component);
    }

    fn take(&mut self, actor: &ComponentId) -> Option<RestartWindow> {
        let window = self.windows.remove(actor)?;
        if let Some(last_ms) = window.last_ms() {
            self.by_last_ms.remove(&(last_ms, actor.clone()));
        }
        Some(window)
    }

    fn forget_old(&mut self, now_ms: u64) {
        while let Some((last_ms, _)) = self.by_last_ms.first()
            && !self.intensity.counts(*last_ms, now_ms)
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, actor)) = self.by_last_ms.pop_first() {
            self.windows.remove(&actor);
        }
    }
}

impl Default for LoneActors {
    fn default() -> Self {
        Self::new(Intensity::LONE_ACTOR, MAX_FAILING_ACTORS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTENSITY: Intensity = Intensity {
        max_restarts: 1,
        window_ms: 100,
    };

    fn actor(instance: &str) -> ComponentId {
        ComponentId::new("a", "b", instance)
    }

    #[test]
    fn each_actor_is_counted_alone() {
        let mut lone = LoneActors::new(INTENSITY, 10);
        assert!(lone.admit(&actor("x"), 0));
        assert!(lone.admit(&actor("y"), 0));
        assert!(!lone.admit(&actor("x"), 99));
        assert!(!lone.admit(&actor("y"), 99));
        assert!(lone.windows.is_empty() && lone.by_last_ms.is_empty());
    }

    #[test]
    fn who_has_not_failed_for_a_window_is_not_kept() {
        let mut lone = LoneActors::new(INTENSITY, 10);
        assert!(lone.admit(&actor("x"), 0));
        assert!(lone.admit(&actor("y"), 50));
        assert!(lone.admit(&actor("z"), 100));
        assert_eq!((lone.windows.len(), lone.by_last_ms.len()), (2, 2));
        lone.forget_component("a/b");
        assert!(lone.windows.is_empty() && lone.by_last_ms.is_empty());
    }

    #[test]
    fn a_full_table_forgets_who_failed_the_longest_ago() {
        let mut lone = LoneActors::new(INTENSITY, 2);
        assert!(lone.admit(&actor("x"), 0));
        assert!(lone.admit(&actor("y"), 1));
        assert!(lone.admit(&actor("z"), 2));
        assert_eq!((lone.windows.len(), lone.by_last_ms.len()), (2, 2));
        assert!(!lone.admit(&actor("y"), 3));
        assert!(lone.admit(&actor("x"), 4));
    }
}
