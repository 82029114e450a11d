//! Why a component may not do something.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::security::capability::Capability;
use crate::security::policy::denied::DeniedByRule;

/// A use of a capability that was refused, and why.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{capability}` for {resource:?}: {why}")]
pub struct Denial {
    /// The capability.
    pub capability: Capability,
    /// For what.
    pub resource: String,
    /// What stands in the way.
    pub why: Refused,
}

impl Denial {
    /// The same in words for the guest, whom the operator's rules are no business of.
    pub fn for_guest(&self) -> String {
        match self.why {
            Refused::Policy(_) => format!(
                "`{}` for {:?}: not allowed by the policy",
                self.capability, self.resource
            ),
            _ => self.to_string(),
        }
    }
}

/// What stands in the way of a use of a capability.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refused {
    /// No grant has it.
    #[error("not granted")]
    NotGranted,
    /// It was granted, but the component has not said that it needs it.
    #[error("granted, but the component declares its needs and this is none of them")]
    NotNeeded,
    /// The policy does not allow it.
    #[error("{0}")]
    Policy(Arc<DeniedByRule>),
}
