//! What a policy decides about.

// Layer 1: Standard library imports
use std::fmt;
use std::str::FromStr;

// Layer 2: Third-party crate imports
use serde::{Serialize, Serializer};

// Layer 3: Internal module imports
use crate::core::security::capability::{Capability, UnknownCapability};

/// What a policy decides about: each use of a capability, and whether a version of a
/// component may run at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyAction {
    /// A component uses a capability. The resource has the capability's form.
    Use(Capability),
    /// A version of a component is started, deployed, upgraded to or returned to. The
    /// resource is the system, by its name.
    Start,
}

/// The name of [`PolicyAction::Start`].
const START: &str = "start";

impl PolicyAction {
    /// All of them: the capabilities in their order, then the start.
    pub fn all() -> impl Iterator<Item = Self> {
        Capability::ALL
            .into_iter()
            .map(Self::Use)
            .chain([Self::Start])
    }

    /// Its name, in a policy and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Use(capability) => capability.name(),
            Self::Start => START,
        }
    }
}

impl From<Capability> for PolicyAction {
    fn from(capability: Capability) -> Self {
        Self::Use(capability)
    }
}

impl fmt::Display for PolicyAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for PolicyAction {
    type Err = UnknownCapability;

    fn from_str(name: &str) -> Result<Self, UnknownCapability> {
        match name {
            START => Ok(Self::Start),
            _ => name.parse().map(Self::Use),
        }
    }
}

impl Serialize for PolicyAction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_name_of_its_own() {
        for action in PolicyAction::all() {
            assert_eq!(action.name().parse(), Ok(action));
        }
        assert_eq!(PolicyAction::all().count(), Capability::ALL.len() + 1);
        assert!("fly".parse::<PolicyAction>().is_err());
    }
}
