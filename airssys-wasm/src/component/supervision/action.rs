//! What a supervisor wants done.

// Layer 1: Standard library imports
use std::fmt;
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;

/// What a supervisor wants done, or wants an operator to know.
///
/// Actions are to be carried out in their order. The supervisor's own state has
/// already changed when it returns them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Stop whatever of this is alive, and let it start again.
    Restart(Scope),
    /// Stop whatever of this is alive, and refuse what waits for it.
    Stop(Scope),
    /// This may run again: start what has messages waiting. What is alive goes on
    /// undisturbed.
    Resume(Scope),
    /// A group needed more restarts than it is allowed, which is a failure in the
    /// group that it is a member of. To be logged; what follows from it follows.
    Escalated {
        /// The group that failed.
        group: Arc<str>,
        /// The group that it is a member of.
        parent: Arc<str>,
    },
    /// More restarts were needed than are allowed, and nothing runs until it is
    /// resumed. To be logged; the stop comes before it as an action of its own.
    GaveUp {
        /// The group that is given up with all below it. Absent for an actor that
        /// belongs to no group, which is given up alone.
        group: Option<Arc<str>>,
        /// The actor whose failure was the last straw.
        actor: ComponentId,
        /// When that was, in milliseconds, on the clock that the supervisor is shown.
        at_ms: u64,
    },
}

/// What an action is about.
///
/// It says which actors, not which are alive. Some of them may have been ended one by
/// one; these are not alive, and [`verdict`](super::supervisor::Supervisor::verdict)
/// says before each start whether there may be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One actor.
    Actor(ComponentId),
    /// Members of groups, in the groups' order and none of them twice. Nested groups
    /// are replaced by what is in them.
    Members(Vec<ScopeMember>),
}

/// One entry of a [`Scope`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopeMember {
    /// One actor.
    Actor(ComponentId),
    /// The actors of a component.
    Component {
        /// The component, `namespace/name`.
        component: Arc<str>,
        /// Its actors that are not meant: a group lists them themselves.
        except: Arc<[ComponentId]>,
    },
}

impl Scope {
    /// Whether the actor is meant. Time grows with the number of entries.
    pub fn contains(&self, actor: &ComponentId) -> bool {
        match self {
            Self::Actor(one) => one == actor,
            Self::Members(members) => members.iter().any(|member| member.contains(actor)),
        }
    }
}

impl ScopeMember {
    /// Whether the actor is meant.
    pub fn contains(&self, actor: &ComponentId) -> bool {
        match self {
            Self::Actor(one) => one == actor,
            Self::Component { component, except } => {
                actor.component() == &**component && !except.contains(actor)
            }
        }
    }
}

impl fmt::Display for ScopeMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Actor(actor) => f.write_str(actor.as_str()),
            Self::Component { component, .. } => f.write_str(component),
        }
    }
}
