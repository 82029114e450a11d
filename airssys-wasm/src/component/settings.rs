//! How the actors of one component are run.

// Layer 2: Third-party crate imports
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::component::retry::RetryPolicy;
use crate::component::supervision::restart::Restart;
use crate::core::limits::Limits;
use crate::core::storage::durability::Durability;

/// The longest pause or window, in milliseconds: a day.
pub const MAX_WINDOW_MS: u64 = 86_400_000;

/// The most turns of a component that are kept.
pub const MAX_RECORDED_TURNS: usize = 1_024;

/// The most failures that a new version may be allowed.
pub const MAX_UPGRADE_FAILURES: u32 = 10_000;

/// How the actors of one component are run.
#[derive(Debug, Clone, PartialEq)]
pub struct ActorSettings {
    /// What is kept when the process or the machine fails. Default `none`.
    pub durability: Durability,
    /// What the component and each of its actors may use.
    pub limits: Limits,
    /// How long an actor is left without messages before it is passivated, in
    /// milliseconds. Default 300 000, five minutes.
    pub idle_ms: u64,
    /// Which of its ends are followed by a restart.
    pub restart: Restart,
    /// When a message that failed is tried again.
    pub retry: RetryPolicy,
    /// Which turns are kept.
    pub recording: RecordingSettings,
    /// When a new version is given up.
    pub upgrade: UpgradeSettings,
    /// How many versions can be returned to, the current one among them. Default 5.
    pub kept_versions: usize,
}

impl Default for ActorSettings {
    fn default() -> Self {
        Self {
            durability: Durability::None,
            limits: Limits::default(),
            idle_ms: 300_000,
            restart: Restart::default(),
            retry: RetryPolicy::default(),
            recording: RecordingSettings::default(),
            upgrade: UpgradeSettings::default(),
            kept_versions: 5,
        }
    }
}

/// Which turns are kept, to be run again: by an operator, or by an upgrade that tries
/// itself on them. A dead letter always carries its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RecordingSettings {
    /// How many turns of a component are kept, the newest ones; 0 keeps none. At most
    /// 1 024, default 16.
    #[schemars(range(max = MAX_RECORDED_TURNS))]
    pub turns: usize,
    /// At most one turn is kept in so many milliseconds, so that keeping them costs
    /// next to nothing; 0 keeps every turn. At most 86 400 000 (a day), default 1.
    #[schemars(range(max = MAX_WINDOW_MS))]
    pub every_ms: u64,
}

impl Default for RecordingSettings {
    fn default() -> Self {
        Self {
            turns: 16,
            every_ms: 1,
        }
    }
}

/// When a new version is given up for the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UpgradeSettings {
    /// How many turns and migrations may fail; one more reverts the upgrade. At most
    /// 10 000, default 5.
    #[schemars(range(max = MAX_UPGRADE_FAILURES))]
    pub max_failures: u32,
    /// How long the new version is watched for, in milliseconds. From 1 to 86 400 000
    /// (a day), default 60 000.
    #[schemars(range(min = 1, max = MAX_WINDOW_MS))]
    pub window_ms: u64,
}

impl Default for UpgradeSettings {
    fn default() -> Self {
        Self {
            max_failures: 5,
            window_ms: 60_000,
        }
    }
}
