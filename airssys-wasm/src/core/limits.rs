//! What one actor may use, and the report of an actor that wanted more.

// Layer 1: Standard library imports
use std::fmt;

// Layer 2: Third-party crate imports
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// The limits of one component and of each of its actors. All are on by default.
///
/// Sizes are in bytes, times in milliseconds, the rest are counts. A limit of zero
/// allows nothing; none of them means "unlimited".
///
/// ```
/// use airssys_wasm::core::limits::Limits;
///
/// let limits = Limits { memory_bytes: 8 << 20, ..Limits::default() };
/// assert_eq!(limits.turn_wall_ms, 5_000);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The size of the component's binary. Default 64 MiB: the largest guests, whole
    /// interpreters, are about 40 MiB. Checked before the bytes are parsed.
    pub component_bytes: u64,
    /// All linear memories and tables of an instance together; a table element counts
    /// as 8 bytes. Default 64 MiB.
    pub memory_bytes: u64,
    /// Fuel for one turn, and for activation; one unit is about one WebAssembly
    /// instruction. Default 1 000 000 000, about a second of work.
    pub turn_fuel: u64,
    /// How long a turn may take by the clock, waiting for calls included. Default
    /// 5 000 ms. It is checked at every tick of the engine's epoch.
    pub turn_wall_ms: u64,
    /// What a guest may hand to the host in one host call, and in its result. Default
    /// 8 MiB. It bounds what the host allocates before any other limit is looked at.
    pub hostcall_bytes: u64,
    /// Handles to host resources that an instance holds at once. Default 1 024. Only
    /// WASI streams and pollables are resources.
    pub resource_handles: u64,
    /// The payload of a message, received or sent. Default 4 MiB.
    pub message_bytes: u64,
    /// The kind of a message, or a topic. Default 256 bytes.
    pub kind_bytes: u64,
    /// The reply of a turn. Default 4 MiB.
    pub reply_bytes: u64,
    /// Messages, timers, requests and subscriptions that a turn records. Default
    /// 1 024.
    pub turn_sends: u64,
    /// Payload bytes of all messages that a turn records. Default 16 MiB.
    pub turn_send_bytes: u64,
    /// Writes and removals that a turn records. Default 1 024.
    pub turn_writes: u64,
    /// Bytes of all keys and values that a turn records. Default 16 MiB.
    pub turn_write_bytes: u64,
    /// A storage key. Default 512 bytes.
    pub key_bytes: u64,
    /// A storage value. Default 1 MiB.
    pub value_bytes: u64,
    /// All keys and values of an actor. Default 64 MiB.
    pub storage_bytes: u64,
    /// The number of an actor's keys. Default 100 000.
    pub storage_keys: u64,
    /// All keys and values of all actors of the component. Default 64 GiB. Turns that are under
    /// way at once do not see what the others are about to write, and may exceed it by that.
    pub total_storage_bytes: u64,
    /// The number of keys of all actors of the component. Default 100 000 000. As
    /// `total_storage_bytes` it may be exceeded by turns that are under way at once.
    pub total_storage_keys: u64,
    /// Keys asked for in one `get-many`, and listed in one page. Default 1 024.
    pub keys_per_call: u64,
    /// Random bytes asked for in one call. Default 64 KiB.
    pub random_bytes: u64,
    /// Lines that a turn logs; more are counted and dropped. Default 256.
    pub turn_log_lines: u64,
    /// Bytes of one log line; more are cut off. Default 4 KiB.
    pub log_line_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            component_bytes: 64 * MIB,
            memory_bytes: 64 * MIB,
            turn_fuel: 1_000_000_000,
            turn_wall_ms: 5_000,
            hostcall_bytes: 8 * MIB,
            resource_handles: 1_024,
            message_bytes: 4 * MIB,
            kind_bytes: 256,
            reply_bytes: 4 * MIB,
            turn_sends: 1_024,
            turn_send_bytes: 16 * MIB,
            turn_writes: 1_024,
            turn_write_bytes: 16 * MIB,
            key_bytes: 512,
            value_bytes: MIB,
            storage_bytes: 64 * MIB,
            storage_keys: 100_000,
            total_storage_bytes: 64 * 1024 * MIB,
            total_storage_keys: 100_000_000,
            keys_per_call: 1_024,
            random_bytes: 64 * KIB,
            turn_log_lines: 256,
            log_line_bytes: 4 * KIB,
        }
    }
}

/// Which limit was met. Each is the field of [`Limits`] of the same name, or a
/// setting of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::component_bytes`].
    ComponentBytes,
    /// [`Limits::memory_bytes`].
    MemoryBytes,
    /// [`Limits::turn_fuel`].
    TurnFuel,
    /// [`Limits::turn_wall_ms`].
    TurnWallMs,
    /// [`Limits::hostcall_bytes`].
    HostcallBytes,
    /// [`Limits::resource_handles`].
    ResourceHandles,
    /// [`Limits::message_bytes`].
    MessageBytes,
    /// [`Limits::kind_bytes`].
    KindBytes,
    /// [`Limits::reply_bytes`].
    ReplyBytes,
    /// [`Limits::turn_sends`].
    TurnSends,
    /// [`Limits::turn_send_bytes`].
    TurnSendBytes,
    /// [`Limits::turn_writes`].
    TurnWrites,
    /// [`Limits::turn_write_bytes`].
    TurnWriteBytes,
    /// [`Limits::key_bytes`].
    KeyBytes,
    /// [`Limits::value_bytes`].
    ValueBytes,
    /// [`Limits::storage_bytes`].
    StorageBytes,
    /// [`Limits::storage_keys`].
    StorageKeys,
    /// [`Limits::total_storage_bytes`].
    TotalStorageBytes,
    /// [`Limits::total_storage_keys`].
    TotalStorageKeys,
    /// [`Limits::keys_per_call`].
    KeysPerCall,
    /// [`Limits::random_bytes`].
    RandomBytes,
    /// The engine's stack for one call into WebAssembly, in bytes.
    WasmStackBytes,
    /// The engine's room for one linear memory, in bytes.
    LinearMemoryBytes,
    /// The engine's room for one table.
    TableElements,
    /// The engine's room for instances that are alive at once.
    Instances,
}

impl Limit {
    /// The limit's name, as it is written in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::ComponentBytes => "component_bytes",
            Self::MemoryBytes => "memory_bytes",
            Self::TurnFuel => "turn_fuel",
            Self::TurnWallMs => "turn_wall_ms",
            Self::HostcallBytes => "hostcall_bytes",
            Self::ResourceHandles => "resource_handles",
            Self::MessageBytes => "message_bytes",
            Self::KindBytes => "kind_bytes",
            Self::ReplyBytes => "reply_bytes",
            Self::TurnSends => "turn_sends",
            Self::TurnSendBytes => "turn_send_bytes",
            Self::TurnWrites => "turn_writes",
            Self::TurnWriteBytes => "turn_write_bytes",
            Self::KeyBytes => "key_bytes",
            Self::ValueBytes => "value_bytes",
            Self::StorageBytes => "storage_bytes",
            Self::StorageKeys => "storage_keys",
            Self::TotalStorageBytes => "total_storage_bytes",
            Self::TotalStorageKeys => "total_storage_keys",
            Self::KeysPerCall => "keys_per_call",
            Self::RandomBytes => "random_bytes",
            Self::WasmStackBytes => "wasm_stack_bytes",
            Self::LinearMemoryBytes => "linear_memory_bytes",
            Self::TableElements => "table_elements",
            Self::Instances => "instances",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A limit that was met: which, what it allows, and what was wanted.
///
/// `observed` is what was asked for or used up. Where the engine stops a guest
/// without measuring by how much it went over, it is the smallest amount that is
/// known to have been wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{limit} allows {allowed}, and {observed} was wanted")]
pub struct LimitExceeded {
    /// The limit.
    pub limit: Limit,
    /// What it allows.
    pub allowed: u64,
    /// What was asked for or used up.
    pub observed: u64,
}

impl LimitExceeded {
    /// Refuses `observed` if it is more than `allowed`.
    ///
    /// # Errors
    ///
    /// When it is more, with both.
    pub fn check(limit: Limit, allowed: u64, observed: u64) -> Result<(), Self> {
        if observed > allowed {
            return Err(Self {
                limit,
                allowed,
                observed,
            });
        }
        Ok(())
    }

    /// A limit that the engine enforces without measuring: at least one more than
    /// allowed was wanted.
    pub fn beyond(limit: Limit, allowed: u64) -> Self {
        Self {
            limit,
            allowed,
            observed: allowed.saturating_add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_limit_is_allowed() {
        assert!(LimitExceeded::check(Limit::KeyBytes, 5, 5).is_ok());
        let exceeded = LimitExceeded::check(Limit::KeyBytes, 5, 6).unwrap_err();
        assert_eq!(exceeded, LimitExceeded::beyond(Limit::KeyBytes, 5));
        assert_eq!(exceeded.to_string(), "key_bytes allows 5, and 6 was wanted");
    }

    #[test]
    fn each_field_is_a_limit_under_its_own_name() {
        let limits = serde_json::to_value(Limits::default()).unwrap();
        for limit in [
            Limit::ComponentBytes,
            Limit::MemoryBytes,
            Limit::TurnFuel,
            Limit::TurnWallMs,
            Limit::HostcallBytes,
            Limit::ResourceHandles,
            Limit::MessageBytes,
            Limit::KindBytes,
            Limit::ReplyBytes,
            Limit::TurnSends,
            Limit::TurnSendBytes,
            Limit::TurnWrites,
            Limit::TurnWriteBytes,
            Limit::KeyBytes,
            Limit::ValueBytes,
            Limit::StorageBytes,
            Limit::StorageKeys,
            Limit::TotalStorageBytes,
            Limit::TotalStorageKeys,
            Limit::KeysPerCall,
            Limit::RandomBytes,
        ] {
            assert!(limits.get(limit.name()).is_some(), "{limit}");
            assert_eq!(serde_json::to_value(limit).unwrap(), limit.name());
        }
    }
}
