//! Who waits for whom.

// Layer 1: Standard library imports
use std::collections::HashMap;
use std::iter::successors;

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::turn::errors::HostError;

/// Which actors wait, inside a turn, for the reply of another.
///
/// A turn makes one call at a time, so that each actor waits for at most one other and
/// the waits form chains. A chain that closed on itself would never end, and is refused
/// before it arises. There is at most one entry for each actor that is in a turn.
#[derive(Debug, Default)]
pub struct Waits {
    callees: HashMap<ComponentId, ComponentId>,
}

/// A call that would wait for itself.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("deadlock: {callee} waits for {caller}")]
pub struct Deadlock {
    /// Who wanted to call.
    pub caller: ComponentId,
    /// Who was to be called.
    pub callee: ComponentId,
}

impl From<Deadlock> for HostError {
    fn from(_: Deadlock) -> Self {
        Self::Deadlock
    }
}

impl Waits {
    /// Records that `caller` waits for `callee`, in place of whom it waited for before.
    ///
    /// The cost follows the length of the chain of waits that begins with `callee`.
    ///
    /// # Errors
    ///
    /// When `callee` is the caller, or waits for it, be it through others. Nothing is
    /// recorded then.
    pub fn begin(&mut self, caller: &ComponentId, callee: &ComponentId) -> Result<(), Deadlock> {
        let mut chain = successors(Some(callee), |actor| self.callees.get(*actor));
        if chain.any(|actor| actor == caller) {
            return Err(Deadlock {
                caller: caller.clone(),
                callee: callee.clone(),
            });
        }
        self.callees.insert(caller.clone(), callee.clone());
        Ok(())
    }

    /// Records that `caller` waits no longer. Nothing happens if it did not wait.
    pub fn end(&mut self, caller: &ComponentId) {
        self.callees.remove(caller);
    }

    /// Whom an actor waits for.
    pub fn callee_of(&self, caller: &ComponentId) -> Option<&ComponentId> {
        self.callees.get(caller)
    }

    /// How many actors wait.
    pub fn len(&self) -> usize {
        self.callees.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.callees.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ACTORS: usize = 6;

    fn actor(number: usize) -> ComponentId {
        ComponentId::new("test", "caller", number.to_string())
    }

    /// Whether somebody in the model waits for himself, found by walking from everybody
    /// as many steps as there are actors.
    fn has_cycle(model: &[Option<usize>; ACTORS]) -> bool {
        (0..ACTORS).any(|start| (0..ACTORS).try_fold(start, |at, _| model[at]).is_some())
    }

    proptest! {
        /// A wait is refused exactly if it would close a circle.
        #[test]
        fn refuses_circles_and_nothing_else(
            steps in prop::collection::vec((0..ACTORS, prop::option::weighted(0.8, 0..ACTORS)), 0..60),
        ) {
            let mut waits = Waits::default();
            let mut model = [None; ACTORS];
            for (caller, callee) in steps {
                let mut tried = model;
                tried[caller] = callee;
                if let Some(callee) = callee {
                    let done = waits.begin(&actor(caller), &actor(callee));
                    prop_assert_eq!(done.is_err(), has_cycle(&tried));
                } else {
                    waits.end(&actor(caller));
                }
                if !has_cycle(&tried) {
                    model = tried;
                }
                for (number, callee) in model.iter().enumerate() {
                    let expected = callee.map(actor);
                    prop_assert_eq!(waits.callee_of(&actor(number)), expected.as_ref());
                }
                prop_assert_eq!(waits.len(), model.iter().flatten().count());
                prop_assert_eq!(waits.is_empty(), model.iter().flatten().count() == 0);
            }
        }
    }

    #[test]
    fn the_guest_is_told_of_a_deadlock() {
        let mut waits = Waits::default();
        waits.begin(&actor(1), &actor(2)).unwrap();
        waits.begin(&actor(2), &actor(3)).unwrap();
        let refused = waits.begin(&actor(3), &actor(1)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "deadlock: test/caller/1 waits for test/caller/3"
        );
        assert_eq!(HostError::from(refused), HostError::Deadlock);

        waits.end(&actor(2));
        assert_eq!(waits.begin(&actor(3), &actor(1)), Ok(()));
    }
}
