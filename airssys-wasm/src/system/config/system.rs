//! The configuration of a whole system.

// Layer 1: Standard library imports
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

// Layer 3: Internal module imports
use crate::core::limits::{Ceiling, MAX_TOTAL_MEMORY_BYTES};
use crate::core::storage::durability::Durability;
use crate::system::config::component::{ComponentConfig, write_path};
use crate::system::config::group::GroupConfig;
use crate::system::config::security::SecurityConfig;

/// The most components of a system, and the most groups.
pub const MAX_ENTRIES: usize = 1_024;
/// The most actors that may be in memory at once.
pub const MAX_LIVE_ACTORS: usize = 1_000_000;
/// The longest time that stopping may take, in milliseconds: an hour.
pub const MAX_SHUTDOWN_MS: u64 = 3_600_000;
/// The most dead letters that are kept.
pub const MAX_DEAD_LETTERS: usize = 1_000_000;

/// What a system is: its components, its groups, and what they share.
///
/// A builder and the manifest fill the same struct. In a manifest, `[system]` has the
/// plain settings; the name, `[http]`, the components and the groups stand beside it,
/// which is why they are not read here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SystemConfig {
    /// The system's name, 1 to 64 of a-z 0-9 - _. Default: none, and the caller
    /// decides.
    #[serde(skip_deserializing)]
    pub name: Option<String>,
    /// How many actors are in memory at once; beyond that the least recently used
    /// are passivated. From 1 to 1 000 000, default 2 048.
    #[schemars(range(min = 1, max = MAX_LIVE_ACTORS))]
    pub max_live_actors: usize,
    /// What all actors together have in memory: linear memories, tables and state. Each memory
    /// counts as large as it is, however little of it was touched. When an eighth is left, the
    /// least recently used are passivated. At most 1 125 899 906 842 624 (1 PiB), default: half
    /// of what the machine, or its container, has.
    #[schemars(range(max = MAX_TOTAL_MEMORY_BYTES))]
    pub max_memory_bytes: Option<u64>,
    /// What the memory of actors is laid out for. Default `throughput`.
    pub memory: MemoryLayout,
    /// How long actors have to finish when the system stops, in milliseconds. At most
    /// 3 600 000 (an hour), default 10 000.
    #[schemars(range(max = MAX_SHUTDOWN_MS))]
    pub shutdown_ms: u64,
    /// How many dead letters are kept; the oldest of the component that has the most go
    /// first. At most 1 000 000, default 10 000.
    #[schemars(range(max = MAX_DEAD_LETTERS))]
    pub dead_letters: usize,
    /// The folder that durable actors are kept in, made if it does not exist; in a manifest,
    /// relative to its folder. Default: none, and all actors are in memory alone.
    #[serde(serialize_with = "write_path")]
    pub data: Option<PathBuf>,
    /// What components keep that do not say so themselves. Default `strict`; without a
    /// data folder, `none` is all there is.
    pub durability: Durability,
    /// Whether compiled components are kept between runs. Default true.
    pub cache: bool,
    /// The most that any component may be given of each limit. Default: no ceiling.
    pub ceiling: Ceiling,
    /// The HTTP face.
    #[serde(skip_deserializing)]
    pub http: HttpConfig,
    /// Whom to trust, the policy, and what is audited.
    #[serde(skip_deserializing)]
    pub security: SecurityConfig,
    /// The components, at most 1 024, each with a name of its own.
    #[serde(skip_deserializing)]
    #[schemars(length(max = MAX_ENTRIES))]
    pub components: Vec<ComponentConfig>,
    /// The groups, at most 1 024, each with a name of its own.
    #[serde(skip_deserializing)]
    #[schemars(length(max = MAX_ENTRIES))]
    pub groups: Vec<GroupConfig>,
}

impl Default for SystemConfig {
    fn default() -> Self {
        Self {
            name: None,
            max_live_actors: 2_048,
            max_memory_bytes: None,
            memory: MemoryLayout::default(),
            shutdown_ms: 10_000,
            dead_letters: 10_000,
            data: None,
            durability: Durability::default(),
            cache: true,
            ceiling: Ceiling::default(),
            http: HttpConfig::default(),
            security: SecurityConfig::default(),
            components: Vec::new(),
            groups: Vec::new(),
        }
    }
}

impl SystemConfig {
    /// Lowers the limits of components to the ceiling where they are above it. Those that ask
    /// for more are refused by [`check`](Self::check) before.
    pub fn lower_to_ceiling(&mut self) {
        for component in &mut self.components {
            self.ceiling.lower(&mut component.limits);
        }
    }
}

/// What the memory of actors is laid out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MemoryLayout {
    /// Memory is set aside beforehand, so that actors start and run fastest. The
    /// default.
    #[default]
    Throughput,
    /// Memories lie close together, so that the most actors fit; they run a little
    /// slower.
    Density,
    /// Memory is asked for when an actor starts, and nothing is set aside.
    OnDemand,
}

/// The HTTP face of a system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Where it listens: a loopback address and a port; port 0 takes any free one.
    /// Default `127.0.0.1:0`.
    #[serde(deserialize_with = "read_address")]
    pub listen: SocketAddr,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
        }
    }
}

/// The standard library's error does not say what an address looks like.
fn read_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        D::Error::custom("`listen` must be an IP address and a port, such as \"127.0.0.1:8080\"")
    })
}
