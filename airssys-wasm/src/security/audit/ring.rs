//! The newest entries of a log that is in memory alone.

// Layer 1: Standard library imports
use std::collections::VecDeque;

// Layer 3: Internal module imports
use crate::core::security::audit::AuditEntry;
use crate::security::audit::query::{AuditFound, AuditQuery};

/// How many entries are kept in memory where there is no folder; the oldest go first.
pub(crate) const RING_ENTRIES: usize = 4_096;

/// The newest entries, and how many there were.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    entries: VecDeque<AuditEntry>,
    last_seq: u64,
}

impl Ring {
    pub(crate) fn push(&mut self, entry: AuditEntry) {
        if self.entries.len() >= RING_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        self.last_seq += 1;
    }

    pub(crate) fn last_seq(&self) -> u64 {
        self.last_seq
    }

    pub(crate) fn find(&self, query: &AuditQuery) -> AuditFound {
        let mut found = AuditFound::default();
        for (entry, seq) in self.entries.iter().rev().zip((1..=self.last_seq).rev()) {
            if !found.take(query, seq, entry) {
                break;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::security::audit::{Action, Decision, Operation};

    #[test]
    fn the_newest_are_kept() {
        let mut ring = Ring::default();
        let action = Action::Operate(Operation::Deploy);
        for at_ms in 1..=5_000 {
            ring.push(AuditEntry::new(at_ms, action, Decision::Allowed));
        }
        let all = ring.find(&AuditQuery {
            limit: usize::MAX,
            ..AuditQuery::default()
        });
        assert_eq!(all.records.len(), RING_ENTRIES);
        assert!(all.records.iter().all(|it| it.seq == it.entry.at_ms));
        assert_eq!((all.records[0].seq, ring.last_seq()), (5_000, 5_000));
    }
}
