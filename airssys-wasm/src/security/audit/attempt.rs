//! A use of a capability that was wanted.

// Layer 1: Standard library imports
use std::fmt::Display;

// Layer 3: Internal module imports
use crate::core::security::audit::{Action, AuditEntry, Decision};
use crate::core::security::capability::Capability;

/// A use of a capability that was wanted, not yet an entry: of a flood of them, most are
/// only counted, and nothing is copied.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// What was wanted.
    pub capability: Capability,
    /// Who wanted it, `namespace/name`.
    pub component: &'a str,
    /// The actor.
    pub actor: &'a str,
    /// To whom or to what.
    pub resource: &'a str,
    /// Why it was decided so.
    pub why: &'a dyn Display,
}

impl Attempt<'_> {
    /// Its entry.
    pub(crate) fn entry(&self, decision: Decision) -> AuditEntry {
        AuditEntry {
            component: self.component.to_owned(),
            actor: (!self.actor.is_empty()).then(|| self.actor.to_owned()),
            resource: self.resource.to_owned(),
            why: self.why.to_string(),
            ..AuditEntry::new(self.at_ms, Action::Use(self.capability), decision)
        }
    }
}
