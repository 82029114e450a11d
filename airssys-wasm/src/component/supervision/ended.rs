//! The actors that may not run, each for a reason of its own.

// Layer 1: Standard library imports
use std::collections::{BTreeMap, HashMap};

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::component::supervision::status::{GivenUp, Standing};
use crate::core::component::id::ComponentId;

/// How many actors are remembered that ended by their own failures. Beyond it, the one
/// that ended first is forgotten: the next message starts it anew. If it is as broken
/// as it was, it ends again.
pub(super) const MAX_ENDED_ACTORS: usize = 100_000;

/// How many actors an operator can have stopped at once. Beyond it, stopping is
/// refused, since what an operator said is not forgotten.
pub const MAX_STOPPED_ACTORS: usize = 100_000;

/// An operator has stopped as many actors as can be remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("at most {MAX_STOPPED_ACTORS} actors can be stopped at once; resume some")]
pub struct TooManyStopped;

/// The actors that are ended or given up one by one, not with a group.
#[derive(Debug)]
pub(super) struct EndedActors {
    max_ended: usize,
    max_stopped: usize,
    actors: HashMap<ComponentId, Ended>,
    /// Those that ended by their own failures, the first one first.
    forgettable: BTreeMap<u64, ComponentId>,
    next_order: u64,
}

#[derive(Debug)]
enum Ended {
    GivenUp { at_ms: u64, order: u64 },
    Failed { order: u64 },
    Stopped,
}

impl EndedActors {
    pub(super) fn new(max_ended: usize, max_stopped: usize) -> Self {
        Self {
            max_ended,
            max_stopped,
            actors: HashMap::new(),
            forgettable: BTreeMap::new(),
            next_order: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.actors.is_empty()
    }

    /// Why the actor may not run, if it is in here.
    pub(super) fn standing(&self, actor: &ComponentId) -> Option<Standing> {
        self.actors.get(actor).map(|ended| match ended {
            Ended::GivenUp { .. } => Standing::GivenUp,
            Ended::Failed { .. } | Ended::Stopped => Standing::Ended,
        })
    }

    /// An actor without a group failed too often.
    pub(super) fn give_up(&mut self, actor: &ComponentId, at_ms: u64) {
        let order = self.remember(actor);
        self.actors
            .insert(actor.clone(), Ended::GivenUp { at_ms, order });
    }

    /// An actor failed and is not to start again.
    pub(super) fn fail(&mut self, actor: &ComponentId) {
        let order = self.remember(actor);
        self.actors.insert(actor.clone(), Ended::Failed { order });
    }

    /// An operator stopped an actor.
    pub(super) fn stop(&mut self, actor: &ComponentId) -> Result<(), TooManyStopped> {
        if matches!(self.actors.get(actor), Some(Ended::Stopped)) {
            return Ok(());
        }
        if self.actors.len() - self.forgettable.len() >= self.max_stopped {
            return Err(TooManyStopped);
        }
        self.remove(actor);
        self.actors.insert(actor.clone(), Ended::Stopped);
        Ok(())
    }

    /// Takes the actor out. Says whether it was in.
    pub(super) fn remove(&mut self, actor: &ComponentId) -> bool {
        match self.actors.remove(actor) {
            None => false,
            Some(Ended::Stopped) => true,
            Some(Ended::GivenUp { order, .. } | Ended::Failed { order }) => {
                self.forgettable.remove(&order);
                true
            }
        }
    }

    /// Takes out every actor that is meant, and returns them sorted. Looks at all.
    pub(super) fn remove_where(
        &mut self,
        is_meant: impl Fn(&ComponentId) -> bool,
    ) -> Vec<ComponentId> {
        let mut meant: Vec<ComponentId> = self
            .actors
            .keys()
            .filter(|actor| is_meant(actor))
            .cloned()
            .collect();
        meant.sort_unstable();
        for actor in &meant {
            self.remove(actor);
        }
        meant
    }

    /// Those that failed too often, the first one first.
    pub(super) fn given_up(&self) -> Vec<GivenUp> {
        let given_up = |actor: &ComponentId| match self.actors.get(actor) {
            Some(Ended::GivenUp { at_ms, .. }) => Some(GivenUp {
                actor: actor.clone(),
                at_ms: *at_ms,
            }),
            _ => None,
        };
        self.forgettable.values().filter_map(given_up).collect()
    }

    /// Those that have ended for another reason, sorted.
    pub(super) fn ended(&self) -> Vec<ComponentId> {
        let mut ended: Vec<ComponentId> = self
            .actors
            .iter()
            .filter(|(_, ended)| !matches!(ended, Ended::GivenUp { .. }))
            .map(|(actor, _)| actor.clone())
            .collect();
        ended.sort_unstable();
        ended
    }

    /// Makes room for an actor and gives it its place among the forgettable.
    fn remember(&mut self, actor: &ComponentId) -> u64 {
        self.remove(actor);
        if self.forgettable.len() >= self.max_ended
            && let Some((_, first)) = self.forgettable.pop_first()
        {
            self.actors.remove(&first);
        }
        let order = self.next_order;
        self.next_order += 1;
        self.forgettable.insert(order, actor.clone());
        order
    }
}

impl Default for EndedActors {
    fn default() -> Self {
        Self::new(MAX_ENDED_ACTORS, MAX_STOPPED_ACTORS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(instance: &str) -> ComponentId {
        ComponentId::new("a", "b", instance)
    }

    #[test]
    fn a_full_table_forgets_the_first_that_failed_and_nothing_that_was_stopped() {
        let mut ended = EndedActors::new(2, 1);
        ended.stop(&actor("s")).unwrap();
        ended.fail(&actor("x"));
        ended.give_up(&actor("y"), 7);
        ended.fail(&actor("z"));
        assert_eq!(ended.standing(&actor("s")), Some(Standing::Ended));
        assert_eq!(ended.standing(&actor("x")), None);
        assert_eq!(ended.standing(&actor("y")), Some(Standing::GivenUp));
        assert_eq!(ended.standing(&actor("z")), Some(Standing::Ended));
        assert_eq!(ended.ended(), [actor("s"), actor("z")]);
        assert_eq!(
            ended.given_up(),
            [GivenUp {
                actor: actor("y"),
                at_ms: 7
            }]
        );
    }

    #[test]
    fn stopping_is_refused_beyond_its_maximum() {
        let mut ended = EndedActors::new(2, 1);
        ended.stop(&actor("s")).unwrap();
        ended.stop(&actor("s")).unwrap();
        assert_eq!(ended.stop(&actor("t")), Err(TooManyStopped));
        assert!(ended.remove(&actor("s")));
        ended.fail(&actor("t"));
        ended.stop(&actor("t")).unwrap();
        assert!(ended.forgettable.is_empty());
        assert_eq!(ended.remove_where(|_| true), [actor("t")]);
        assert!(ended.is_empty());
    }
}
