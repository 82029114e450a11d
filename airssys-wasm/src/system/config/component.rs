//! The configuration of one component.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

// Layer 3: Internal module imports
use crate::component::retry::RetryPolicy;
use crate::component::settings::{ActorSettings, RecordingSettings, UpgradeSettings};
use crate::component::supervision::restart::Restart;
use crate::core::limits::Limits;
use crate::core::security::capabilities::Capabilities;
use crate::core::storage::durability::Durability;
use crate::system::component_name::ComponentName;
use crate::system::config::secret_source::SecretSource;

/// The longest time until an idle actor is passivated, in milliseconds: a year.
pub const MAX_IDLE_MS: u64 = 31_536_000_000;
/// The most instances of one component that always run.
pub const MAX_RUN: usize = 1_024;
/// The most versions of a component that are kept.
pub const MAX_KEPT_VERSIONS: usize = 100;

/// One component: which binary it is, and how its actors are treated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComponentConfig {
    /// The component's name, `namespace/name`; the namespace `airssys` is reserved.
    pub name: ComponentName,
    /// The file of the component's binary; in a manifest, relative to its folder.
    /// A manifest must name one; a program may hand over the bytes instead.
    #[serde(default, serialize_with = "write_path")]
    pub source: Option<PathBuf>,
    /// The file of its signature. Default: the source's name with `.sig` behind it, if
    /// there is such a file.
    #[serde(default, serialize_with = "write_path")]
    pub signature: Option<PathBuf>,
    /// What it may do beyond logging and keeping its own state. Default: nothing.
    #[serde(default)]
    pub grants: Capabilities,
    /// What it needs, together with what its binary says it needs: it is not started unless
    /// all of this is granted, and gets nothing else. Default: what the binary says; if that
    /// does not say it, it gets all that is granted.
    #[serde(default)]
    pub needs: Option<Capabilities>,
    /// Texts that the component can ask for by their names, if `grants` has those.
    /// Default: none.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// Where its secrets come from, by their names. Default: none.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretSource>,
    /// Environment variables that WASI shows to it. Default: none.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Folders that WASI shows to it, by the paths at which it sees them. In a manifest,
    /// relative to its folder. Default: none.
    #[serde(default)]
    pub folders: BTreeMap<String, PathBuf>,
    /// What its actors keep when the process or the machine fails. Default: what the system
    /// says.
    #[serde(default)]
    pub durability: Option<Durability>,
    /// How long an actor without messages stays in memory, in milliseconds. From 1 to
    /// 31 536 000 000 (a year), default 300 000.
    #[serde(default = "default_idle_ms")]
    #[schemars(range(min = 1, max = MAX_IDLE_MS))]
    pub idle_ms: u64,
    /// When an actor that ended starts again. Default `permanent`.
    #[serde(default)]
    pub restart: Restart,
    /// The instances that always run, started with the system. At most 1 024,
    /// default: none.
    #[serde(default)]
    #[schemars(length(max = MAX_RUN))]
    pub run: Vec<String>,
    /// How many versions of the component are kept to go back to. From 1 to 100,
    /// default 5.
    #[serde(default = "default_kept_versions")]
    #[schemars(range(min = 1, max = MAX_KEPT_VERSIONS))]
    pub kept_versions: usize,
    /// How a turn that failed is tried again.
    #[serde(default)]
    pub retry: RetryPolicy,
    /// Which turns are recorded, to be tried with a new version.
    #[serde(default)]
    pub recording: RecordingSettings,
    /// When a new version is reverted.
    #[serde(default)]
    pub upgrade: UpgradeSettings,
    /// What the component and each of its actors may use.
    #[serde(default)]
    pub limits: Limits,
}

impl ComponentConfig {
    /// A component with this name and every default.
    pub fn new(name: ComponentName) -> Self {
        Self {
            name,
            source: None,
            signature: None,
            grants: Capabilities::default(),
            needs: None,
            config: BTreeMap::new(),
            secrets: BTreeMap::new(),
            env: BTreeMap::new(),
            folders: BTreeMap::new(),
            durability: None,
            idle_ms: default_idle_ms(),
            restart: Restart::default(),
            run: Vec::new(),
            kept_versions: default_kept_versions(),
            retry: RetryPolicy::default(),
            recording: RecordingSettings::default(),
            upgrade: UpgradeSettings::default(),
            limits: Limits::default(),
        }
    }

    /// How the component's actors are run, in a system where they keep this.
    pub fn actor_settings(&self, durability: Durability) -> ActorSettings {
        ActorSettings {
            durability,
            limits: self.limits.clone(),
            idle_ms: self.idle_ms,
            restart: self.restart,
            retry: self.retry.clone(),
            recording: self.recording,
            upgrade: self.upgrade,
            kept_versions: self.kept_versions,
        }
    }
}

/// A path that is no UTF-8 is written as nearly as it can be, where serde would refuse.
pub(crate) fn write_path<S: Serializer>(
    path: &Option<PathBuf>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let text = path.as_ref().map(|path| path.to_string_lossy());
    text.serialize(serializer)
}

fn default_idle_ms() -> u64 {
    300_000
}

fn default_kept_versions() -> usize {
    5
}
