//! The configuration of what a system trusts, permits and writes down.

// Layer 1: Standard library imports
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::system::config::component::write_path;

/// The most keys that may be trusted.
pub const MAX_KEYS: usize = 256;

/// Whom a system trusts, its policy, and what it writes down.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SecurityConfig {
    /// The file of the policy, in Cedar; in a manifest, relative to its folder. Default:
    /// none, and grants alone decide.
    #[serde(serialize_with = "write_path")]
    pub policy: Option<PathBuf>,
    /// Whether only components that a trusted key has signed are taken. Default false: where
    /// a key is trusted, a signature that is there is checked, and none has to be.
    pub require_signed: bool,
    /// The keys whose signatures count, at most 256, each with a name of its own.
    #[schemars(length(max = MAX_KEYS))]
    pub keys: Vec<KeyConfig>,
    /// The audit log.
    pub audit: AuditConfig,
}

/// A key whose signatures count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyConfig {
    /// What the key is called in a policy and in the audit log, 1 to 64 of a-z 0-9 - _.
    pub name: String,
    /// The public key, as `airssys keygen` prints it: `ed25519:` and base64.
    pub public: String,
    /// Until when its signatures count, as RFC 3339: `2027-01-31T00:00:00Z`. Default: for
    /// ever.
    #[serde(default)]
    pub not_after: Option<String>,
}

/// What is written down, and how much of it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// The folder of the log; in a manifest, relative to its folder. Default: `audit` in
    /// the data folder; without one, the newest entries are kept in memory alone.
    #[serde(serialize_with = "write_path")]
    pub folder: Option<PathBuf>,
    /// How large one file of the log gets, in bytes. From 65 536 to 1 073 741 824, default
    /// 16 777 216 (16 MiB).
    #[schemars(range(min = 65_536, max = 1_073_741_824))]
    pub file_bytes: u64,
    /// How many files are kept; the oldest goes first. From 2 to 1 000, default 8.
    #[schemars(range(min = 2, max = 1_000))]
    pub files: u64,
    /// Of uses of capabilities that are allowed, one in so many is written down; 0 is none.
    /// At most 1 000 000 000, default 0. Denials are always written down.
    #[schemars(range(max = 1_000_000_000))]
    pub sample: u64,
    /// How many denials of one component are written down singly in a second; those beyond
    /// are counted in one entry. From 1 to 10 000, default 20.
    #[schemars(range(min = 1, max = 10_000))]
    pub denials_per_s: u32,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self {
            folder: None,
            file_bytes: 16 << 20,
            files: 8,
            sample: 0,
            denials_per_s: 20,
        }
    }
}
