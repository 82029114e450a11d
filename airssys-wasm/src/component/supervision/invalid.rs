//! Why groups cannot be supervised.

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::component::supervision::group::{MAX_GROUPS, MAX_MEMBERS, MAX_RESTARTS};
use crate::component::supervision::member::{InvalidGroupName, Member};

/// What is wrong with the groups that a supervisor was given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidGroups {
    /// There are more than [`MAX_GROUPS`] groups.
    #[error("there are at most {MAX_GROUPS} groups, and not {0}")]
    TooManyGroups(usize),
    /// All groups together have more than [`MAX_MEMBERS`] members.
    #[error("all groups together have at most {MAX_MEMBERS} members, and not {0}")]
    TooManyMembers(usize),
    /// A group has a name that none may have.
    #[error("group {group:?}: {reason}")]
    Name {
        /// The name.
        group: String,
        /// What is wrong with it.
        reason: InvalidGroupName,
    },
    /// Two groups have the same name.
    #[error("two groups are called {group:?}")]
    Duplicate {
        /// The name.
        group: String,
    },
    /// A group has no members.
    #[error("group {group:?} has no members")]
    Empty {
        /// The group.
        group: String,
    },
    /// A group's window has no length, so that no restart would ever count.
    #[error("group {group:?} has a window of 0 ms, in which nothing can be counted")]
    NoWindow {
        /// The group.
        group: String,
    },
    /// A group allows more than [`MAX_RESTARTS`] restarts.
    #[error("group {group:?} allows {max_restarts} restarts; at most {MAX_RESTARTS} are counted")]
    Restarts {
        /// The group.
        group: String,
        /// What it allows.
        max_restarts: u32,
    },
    /// A group lists a group that does not exist.
    #[error("group {group:?} lists the group {member:?}, which does not exist")]
    UnknownGroup {
        /// The group that lists it.
        group: String,
        /// The name that no group has.
        member: String,
    },
    /// Something is listed twice, by two groups or by one.
    #[error("{member} is listed by group {first:?} and again by group {second:?}")]
    ListedTwice {
        /// What is listed.
        member: Member,
        /// The group that lists it first.
        first: String,
        /// The group that lists it again; perhaps the same.
        second: String,
    },
    /// Groups are members of each other in a circle.
    #[error("groups are members of each other in a circle: {}", .groups.join(" in "))]
    Cycle {
        /// The groups, each followed by the one that lists it.
        groups: Vec<String>,
    },
}
