//! What one component and its actors may use, and the report of one that wanted more.

// Layer 1: Standard library imports
use std::fmt;

// Layer 2: Third-party crate imports
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;

/// The least memory that a component can be compiled with: what the compiler takes for itself.
pub const MIN_COMPILE_BYTES: u64 = 64 << 20;
/// The most memory that a component may be compiled with.
pub const MAX_COMPILE_BYTES: u64 = 1 << 40;
/// The most bytes of one message, of all that a turn sends, and of all that it writes: a commit
/// with all of it fits a frame of the log.
pub const MAX_TURN_BYTES: u64 = 128 << 20;
/// The most messages that may wait in memory for one actor.
pub const MAX_MAILBOX: u64 = 1_000_000;
/// The most bytes that may wait in memory for one actor.
pub const MAX_MAILBOX_BYTES: u64 = 1 << 40;
/// The most messages that may wait on disk for one actor.
pub const MAX_BACKLOG: u64 = 1_000_000_000;
/// The most bytes that may wait on disk for one actor.
pub const MAX_BACKLOG_BYTES: u64 = 1 << 40;
/// The most bytes that all instances of a component, and of a system, may have in memory.
pub const MAX_TOTAL_MEMORY_BYTES: u64 = 1 << 50;
/// The most actors of a component, and of a system, that may be in memory at once.
pub const MAX_LIVE_ACTORS: u64 = 1_000_000;

/// Makes [`Limits`], [`Ceiling`] and [`Limit`] out of one table.
///
/// A line of it is `field: Variant = default`, and the range that a configuration may choose
/// from where that is not all there is.
macro_rules! limits {
    (
        $(
            $(#[doc = $doc:literal])+
            $field:ident: $limit:ident = $default:expr $(, from $least:tt to $most:ident)?;
        )+
        engine:
        $(
            $(#[doc = $engine_doc:literal])+
            $engine_field:ident: $engine:ident;
        )+
    ) => {
        /// The limits of one component and of each of its actors. All are on by default.
        ///
        /// Sizes are in bytes, times in milliseconds, the rest are counts. A limit of zero
        /// allows nothing; none of them means "unlimited". What each guest or caller sees that
        /// meets one is in `docs/LIMITS.md`.
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
            $(
                $(#[doc = $doc])+
                $(#[schemars(range(min = $least, max = $most))])?
                pub $field: u64,
            )+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default),+ }
            }
        }

        impl Limits {
            /// What a limit is set to; `None` for a setting of the engine.
            pub fn get(&self, limit: Limit) -> Option<u64> {
                match limit {
                    $(Limit::$limit => Some(self.$field),)+
                    $(Limit::$engine => None,)+
                }
            }

            /// Where a limit is set; `None` for a setting of the engine.
            pub fn get_mut(&mut self, limit: Limit) -> Option<&mut u64> {
                match limit {
                    $(Limit::$limit => Some(&mut self.$field),)+
                    $(Limit::$engine => None,)+
                }
            }
        }

        /// The most that components may be given, set by whoever runs the system. No ceiling
        /// is set by default.
        ///
        /// A component that asks for more is refused. A limit that it leaves at its default is
        /// lowered to the ceiling.
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(default, deny_unknown_fields)]
        pub struct Ceiling {
            $(
                #[doc = concat!("The most that [`Limits::", stringify!($field), "`] may be.")]
                $(#[schemars(range(min = $least, max = $most))])?
                pub $field: Option<u64>,
            )+
        }

        impl Ceiling {
            /// The most that a limit may be, if that was said.
            pub fn get(&self, limit: Limit) -> Option<u64> {
                match limit {
                    $(Limit::$limit => self.$field,)+
                    $(Limit::$engine => None,)+
                }
            }
        }

        /// Which limit was met. Each is the field of [`Limits`] of the same name, or a
        /// setting of the engine.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Limit {
            $(
                #[doc = concat!("[`Limits::", stringify!($field), "`].")]
                $limit,
            )+
            $(
                $(#[doc = $engine_doc])+
                $engine,
            )+
        }

        impl Limit {
            /// The limits that a component can have changed, in the order of [`Limits`].
            pub const CONFIGURABLE: &[Self] = &[$(Self::$limit),+];

            /// Those that are settings of the engine.
            pub const ENGINE: &[Self] = &[$(Self::$engine),+];

            /// The limit's name, as it is written in a configuration.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$limit => stringify!($field),)+
                    $(Self::$engine => stringify!($engine_field),)+
                }
            }
        }
    };
}

limits! {
    /// The size of the component's binary. Default 64 MiB: the largest guests, whole
    /// interpreters, are about 40 MiB. Checked before the bytes are parsed.
    component_bytes: ComponentBytes = 64 * MIB;
    /// The functions of all core modules of a component. Default 200 000: the largest guest
    /// that is known, CPython, has about 40 000. Counted before anything is compiled.
    component_functions: ComponentFunctions = 200_000;
    /// The body of one function in the component's binary. Default 1 MiB: the main loops of
    /// interpreters have about 200 KiB, and the time to compile a function grows faster than
    /// its size. Looked at before anything is compiled.
    function_bytes: FunctionBytes = MIB;
    /// How long a component may take to compile. Default 60 000 ms: the largest guests take
    /// 20 seconds on a slow machine. The load fails at that time. What compiles ends then if it
    /// is a process, and else when it is done; no more run at once than there are processors.
    compile_ms: CompileMs = 60_000;
    /// What a process that compiles a component may have in memory. From 67 108 864 (64 MiB) to
    /// 1 099 511 627 776 (1 TiB), default 1 GiB: CPython, the largest guest that is known, takes
    /// 0.4 GiB. Where components are compiled without a process of their own, nothing holds it.
    compile_bytes: CompileBytes = GIB, from MIN_COMPILE_BYTES to MAX_COMPILE_BYTES;
    /// All linear memories and tables of an instance together; a table element counts
    /// as 8 bytes. Default 64 MiB: four times what most programs take, and 2 048 such actors
    /// fit a server.
    memory_bytes: MemoryBytes = 64 * MIB;
    /// What all instances of the component have in memory together: linear memories, tables, and
    /// the state of their actors. When an eighth of it is left, the least recently used are
    /// passivated. At most 1 125 899 906 842 624 (1 PiB), which is the default: as much as the
    /// system has.
    total_memory_bytes: TotalMemoryBytes = MAX_TOTAL_MEMORY_BYTES, from 0 to MAX_TOTAL_MEMORY_BYTES;
    /// Actors of the component that are in memory at once; beyond that the least recently
    /// used of them are passivated. From 1 to 1 000 000, default 1 000 000: as many as the
    /// system has room for.
    live_actors: LiveActors = MAX_LIVE_ACTORS, from 1 to MAX_LIVE_ACTORS;
    /// Fuel for one turn, and for activation; one unit is about one WebAssembly
    /// instruction. Default 1 000 000 000, about a second of work.
    turn_fuel: TurnFuel = 1_000_000_000;
    /// How long a turn may take by the clock, waiting for calls included. Default
    /// 5 000 ms: whoever asks seldom waits longer. It is checked at every tick of the engine's
    /// epoch.
    turn_wall_ms: TurnWallMs = 5_000;
    /// How deep calls inside of turns may get: a turn that answers a call, calls another, and
    /// so on. Default 64: each holds an actor and a stack, and no sensible design needs ten.
    call_depth: CallDepth = 64;
    /// What a guest may hand to the host in one host call, and in its result. Default
    /// 8 MiB: twice the largest message. It bounds what the host allocates before any other
    /// limit is looked at.
    hostcall_bytes: HostcallBytes = 8 * MIB;
    /// Handles to host resources that an instance holds at once. Default 1 024, as many as
    /// a process has files open by default. Only WASI has resources.
    resource_handles: ResourceHandles = 1_024;
    /// The payload of a message, received or sent. At most 134 217 728 (128 MiB), default 4 MiB: messages are copied into
    /// and out of guests, and larger things belong into files.
    message_bytes: MessageBytes = 4 * MIB, from 0 to MAX_TURN_BYTES;
    /// The kind of a message, or a topic. Default 256 bytes: a name, and no content.
    kind_bytes: KindBytes = 256;
    /// The reply of a turn. At most 134 217 728 (128 MiB), default 4 MiB, as for a message.
    reply_bytes: ReplyBytes = 4 * MIB, from 0 to MAX_TURN_BYTES;
    /// Messages, timers, requests and subscriptions that a turn records, and, counted apart, those
    /// who hear of what it publishes. Default 1 024: enough to tell a large group, and little enough to be carried out in a
    /// millisecond.
    turn_sends: TurnSends = 1_024;
    /// Payload bytes of all messages that a turn records. At most 134 217 728 (128 MiB), default
    /// 16 MiB: four of the largest.
    turn_send_bytes: TurnSendBytes = 16 * MIB, from 0 to MAX_TURN_BYTES;
    /// What one actor sends, requests, publishes and calls in a second, each receiver of a
    /// broadcast or publication counted. A second's worth may be sent at once. Default 100 000: ten times
    /// what busy actors do, and few enough that one actor leaves the others' mailboxes room.
    messages_per_s: MessagesPerS = 100_000;
    /// Messages that wait in memory for one actor; more are refused, or wait on disk
    /// if the actor is durable. From 1 to 1 000 000, default 1 024: a second's work for an
    /// actor that takes a millisecond for each.
    mailbox: Mailbox = 1_024, from 1 to MAX_MAILBOX;
    /// Bytes of payloads and kinds that wait in memory for one actor. Once there are as many,
    /// more messages are refused, or wait on disk if the actor is durable. From 1 to
    /// 1 099 511 627 776 (1 TiB), default 64 MiB: the size of the actor's own memory.
    mailbox_bytes: MailboxBytes = 64 * MIB, from 1 to MAX_MAILBOX_BYTES;
    /// What waits in memory for all actors of the component, in bytes: payloads, kinds, and some
    /// 200 bytes for each message. Once there is as much, an actor for which 65 536 bytes wait
    /// is sent no more, or it waits on disk if the actor is durable; what waits for one is
    /// counted in steps of as many. Default 1 GiB, a part of the memory.
    total_mailbox_bytes: TotalMailboxBytes = GIB;
    /// How many more messages wait on disk for one durable actor. At most 1 000 000 000,
    /// default 100 000: a minute's work of a busy actor.
    backlog: Backlog = 100_000, from 0 to MAX_BACKLOG;
    /// How many bytes they may have together. At most 1 099 511 627 776 (1 TiB), default
    /// 256 MiB.
    backlog_bytes: BacklogBytes = 256 * MIB, from 0 to MAX_BACKLOG_BYTES;
    /// How many messages wait on disk alone for all actors of the component, those that are not
    /// live included. Default 10 000 000.
    total_backlog: TotalBacklog = 10_000_000;
    /// How many bytes they may have together. Default 16 GiB, a part of a disk.
    total_backlog_bytes: TotalBacklogBytes = 16 * GIB;
    /// Timers that one actor has set and that are not due yet. Default 10 000: each takes
    /// about 400 bytes and its payload, and all actors together have a million.
    timers: Timers = 10_000;
    /// Requests of one actor that wait for their replies. Default 10 000, as for timers.
    requests: Requests = 10_000;
    /// Patterns that one actor has subscribed to. Default 1 000: all actors together have a
    /// million.
    subscriptions: Subscriptions = 1_000;
    /// Writes and removals that a turn records. Default 1 024, as for what it sends.
    turn_writes: TurnWrites = 1_024;
    /// Bytes of all keys and values that a turn records. At most 134 217 728 (128 MiB), default
    /// 16 MiB: what the disk takes in a tenth of a second.
    turn_write_bytes: TurnWriteBytes = 16 * MIB, from 0 to MAX_TURN_BYTES;
    /// A storage key. Default 512 bytes: a name, and no content.
    key_bytes: KeyBytes = 512;
    /// A storage value. Default 1 MiB: a value is read and written whole.
    value_bytes: ValueBytes = MIB;
    /// All keys and values of an actor. Default 64 MiB: they are in memory while it is live.
    storage_bytes: StorageBytes = 64 * MIB;
    /// The number of an actor's keys. Default 100 000: each takes about 100 bytes besides its
    /// content.
    storage_keys: StorageKeys = 100_000;
    /// All keys and values of all actors of the component. Default 64 GiB, a part of a disk; where
    /// the component is not durable 1 GiB, a part of the memory. Turns that are under way at once
    /// do not see what the others are about to write, and may exceed it by that.
    total_storage_bytes: TotalStorageBytes = 64 * GIB;
    /// The number of keys of all actors of the component. Default 100 000 000; where the
    /// component is not durable 1 000 000. As `total_storage_bytes` it may be exceeded by turns
    /// that are under way at once.
    total_storage_keys: TotalStorageKeys = 100_000_000;
    /// What may lie in a folder that the component is handed and writes to, whoever put it there;
    /// each file and folder counts 4 KiB at the least. Default 1 GiB, a part of a disk. What is
    /// written over or removed counts until so much seems to be there; then it is measured.
    folder_bytes: FolderBytes = GIB;
    /// Keys asked for in one `get-many`, and listed in one page. Default 1 024: a page that
    /// the host makes in a fraction of a millisecond.
    keys_per_call: KeysPerCall = 1_024;
    /// Random bytes asked for in one call. Default 64 KiB: more than any key or nonce needs.
    random_bytes: RandomBytes = 64 * KIB;
    /// Lines that a turn logs; more are counted and dropped. Default 256.
    turn_log_lines: TurnLogLines = 256;
    /// Lines that one actor logs in a second; more are counted and dropped. A second's worth
    /// may be logged at once. Default 1 000: more than anybody reads, and 4 MiB of the longest.
    log_lines_per_s: LogLinesPerS = 1_000;
    /// Bytes of one log line; more are cut off. Default 4 KiB, a screen.
    log_line_bytes: LogLineBytes = 4 * KIB;

    engine:
    /// What all instances of a system have in memory together, in bytes.
    max_memory_bytes: MaxMemoryBytes;
    /// The engine's stack for one call into WebAssembly, in bytes.
    wasm_stack_bytes: WasmStackBytes;
    /// The engine's room for one linear memory, in bytes.
    linear_memory_bytes: LinearMemoryBytes;
    /// The engine's room for one table.
    table_elements: TableElements;
    /// The engine's room for instances that are alive at once.
    instances: Instances;
    /// Components that wait to be compiled.
    waiting_compilations: WaitingCompilations;
}

impl Limit {
    /// The limit of this name, if a component can have it changed.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::CONFIGURABLE.iter();
        all.find(|limit| limit.name() == name).copied()
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
        let limits = Limits::default();
        let fields = serde_json::to_value(&limits).unwrap();
        assert_eq!(fields.as_object().unwrap().len(), Limit::CONFIGURABLE.len());
        for limit in Limit::CONFIGURABLE {
            let name = limit.name();
            assert_eq!(fields[name], limits.get(*limit).unwrap(), "{limit}");
            assert_eq!(serde_json::to_value(limit).unwrap(), name);
            assert_eq!(Limit::named(name), Some(*limit));
            let mut changed = limits.clone();
            *changed.get_mut(*limit).unwrap() += 1;
            assert_eq!(changed.get(*limit), limits.get(*limit).map(|it| it + 1));
        }
        assert_eq!(Limit::named(Limit::WasmStackBytes.name()), None);
        assert_eq!(limits.get(Limit::WasmStackBytes), None);
    }
}
