//! The tables that rows lie in.

// Layer 1: Standard library imports
use std::fmt;

/// One table of keys and values, ordered by key. Its name is part of the format on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Table {
    /// What ran each actor, and how many turns it ran.
    Records,
    /// The state of actors, a key each.
    States,
    /// Messages that wait.
    Messages,
    /// Messages that are sent later.
    Timers,
    /// Requests that wait for a reply.
    Requests,
    /// Patterns of topics that actors subscribed to.
    Subscriptions,
    /// Messages that were given up.
    DeadLetters,
    /// What messages from outside were answered.
    Answers,
    /// How much each component keeps.
    Usage,
    /// The version of the format and the last commit that was applied, under
    /// [`FORMAT_KEY`](super::meta::FORMAT_KEY) and [`APPLIED_KEY`](super::meta::APPLIED_KEY).
    /// Other keys are free.
    Meta,
}

impl Table {
    /// All of them.
    pub(crate) const ALL: [Self; 10] = [
        Self::Records,
        Self::States,
        Self::Messages,
        Self::Timers,
        Self::Requests,
        Self::Subscriptions,
        Self::DeadLetters,
        Self::Answers,
        Self::Usage,
        Self::Meta,
    ];

    /// Its name on disk.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::States => "states",
            Self::Messages => "messages",
            Self::Timers => "timers",
            Self::Requests => "requests",
            Self::Subscriptions => "subscriptions",
            Self::DeadLetters => "dead-letters",
            Self::Answers => "answers",
            Self::Usage => "usage",
            Self::Meta => "meta",
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One key of one table, put (`Some`) or removed (`None`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawWrite {
    pub(crate) table: Table,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Option<Vec<u8>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_there_once_and_in_order() {
        assert!(Table::ALL.is_sorted_by(|a, b| a < b && a.name() != b.name()));
        assert_eq!(Table::ALL[Table::Meta as usize], Table::Meta);
        assert_eq!(Table::ALL.len(), Table::Meta as usize + 1);
    }
}
