//! How an actor failed, and whether it starts again after that.

// Layer 2: Third-party crate imports
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether an actor starts again after a failure.
///
/// This is about an actor's own failures. When a member of its group fails, the
/// group's strategy decides, whatever stands here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Always, also when its start refuses. The default.
    #[default]
    Permanent,
    /// After a crash. A start that refuses ends it.
    Transient,
    /// Never. The first failure ends it.
    Temporary,
}

/// How an actor failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// It trapped or met a limit while it handled a message.
    Crashed,
    /// It was started and said no, or trapped before it had started.
    RefusedToStart,
}

impl Restart {
    /// Whether an actor with this policy starts again after such a failure.
    pub fn restarts_after(self, failure: Failure) -> bool {
        match self {
            Self::Permanent => true,
            Self::Transient => failure == Failure::Crashed,
            Self::Temporary => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_restarts_after_its_failures() {
        for (policy, after_crash, after_refusal) in [
            (Restart::Permanent, true, true),
            (Restart::Transient, true, false),
            (Restart::Temporary, false, false),
        ] {
            assert_eq!(policy.restarts_after(Failure::Crashed), after_crash);
            assert_eq!(
                policy.restarts_after(Failure::RefusedToStart),
                after_refusal
            );
        }
        assert_eq!(Restart::default(), Restart::Permanent);
        assert_eq!(
            serde_json::from_str::<Restart>("\"temporary\"").unwrap(),
            Restart::Temporary
        );
    }
}
