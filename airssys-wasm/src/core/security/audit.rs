//! What is written down of who did what and whether it was allowed.

// Layer 1: Standard library imports
use std::fmt;
use std::str::FromStr;

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::core::security::capability::{Capability, UnknownCapability};

/// One thing that is to be written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// What was done, or wanted.
    pub action: Action,
    /// Whether it was.
    pub decision: Decision,
    /// The component that it is about, `namespace/name`; empty if it is about the system.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub component: String,
    /// The actor, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// To whom or to what: an address, a topic, a version, a pattern.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// Why it was decided so, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// How many such things this stands for: one, or as many as were only counted.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: u64,
}

impl AuditEntry {
    /// Something that happened at this time, about the system as a whole.
    pub fn new(at_ms: u64, action: Action, decision: Decision) -> Self {
        Self {
            at_ms,
            action,
            decision,
            component: String::new(),
            actor: None,
            resource: String::new(),
            why: String::new(),
            count: 1,
        }
    }
}

fn one() -> u64 {
    1
}

fn is_one(count: &u64) -> bool {
    *count == 1
}

/// Whether something was allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It was, and was done.
    Allowed,
    /// It was refused.
    Denied,
}

impl Decision {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// A guest used, or wanted to use, a capability.
    Use(Capability),
    /// Something was done to the system by whoever operates it, or by the system itself.
    Operate(Operation),
}

/// What operators do, and what the system decides by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// The system started.
    Start,
    /// The system was stopped.
    Shutdown,
    /// A component was added.
    Deploy,
    /// A component got a new version.
    Upgrade,
    /// A component returned to an earlier version because an operator wanted it.
    Rollback,
    /// A new version failed too often, and the one before came back.
    Revert,
    /// A signature was looked at.
    Signature,
    /// A component was granted something.
    Grant,
    /// Something was taken from a component.
    Revoke,
    /// The policy was replaced.
    Policy,
    /// An actor was stopped.
    StopActor,
    /// An actor, component or group may run again.
    Resume,
    /// A dead letter was sent again.
    RetryLetter,
    /// Dead letters were dropped.
    DropLetter,
    /// The data was copied.
    Backup,
    /// An actor's state was exported.
    Export,
    /// An actor's state was replaced.
    Import,
    /// Entries of the audit log were lost, since they came faster than the disk takes them.
    Lost,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Start,
        Self::Shutdown,
        Self::Deploy,
        Self::Upgrade,
        Self::Rollback,
        Self::Revert,
        Self::Signature,
        Self::Grant,
        Self::Revoke,
        Self::Policy,
        Self::StopActor,
        Self::Resume,
        Self::RetryLetter,
        Self::DropLetter,
        Self::Backup,
        Self::Export,
        Self::Import,
        Self::Lost,
    ];

    /// Its word, which is none of those of the capabilities.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Shutdown => "shutdown",
            Self::Deploy => "deploy",
            Self::Upgrade => "upgrade",
            Self::Rollback => "rollback",
            Self::Revert => "revert",
            Self::Signature => "signature",
            Self::Grant => "grant",
            Self::Revoke => "revoke",
            Self::Policy => "policy",
            Self::StopActor => "stop_actor",
            Self::Resume => "resume",
            Self::RetryLetter => "retry_letter",
            Self::DropLetter => "drop_letter",
            Self::Backup => "backup",
            Self::Export => "export",
            Self::Import => "import",
            Self::Lost => "lost",
        }
    }
}

impl Action {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Use(capability) => capability.name(),
            Self::Operate(operation) => operation.name(),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Action {
    type Err = UnknownCapability;

    fn from_str(name: &str) -> Result<Self, UnknownCapability> {
        let operation = Operation::ALL.into_iter().find(|it| it.name() == name);
        operation.map_or_else(|| name.parse().map(Self::Use), |it| Ok(Self::Operate(it)))
    }
}

impl Serialize for Action {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_actions_have_one_name() {
        let operations = Operation::ALL.map(Action::Operate);
        let uses = Capability::ALL.map(Action::Use);
        for action in operations.into_iter().chain(uses) {
            assert_eq!(action.name().parse(), Ok(action));
        }
    }
}
