//! Why wasmtime stopped, in this crate's words.

// Layer 1: Standard library imports
use std::fmt;
use std::str::Utf8Error;
use std::string::FromUtf8Error;

// Layer 2: Third-party crate imports
use rustc_demangle::demangle;
use wasmtime::component::ResourceTableError;
use wasmtime::{Error, Trap, UnknownImportError, WasmBacktrace};

// Layer 3: Internal module imports
use crate::core::limits::{Limit, LimitExceeded, Limits};
use crate::core::runtime::errors::{ComponentFault, FaultKind, GuestFault, WasmError};
use crate::core::text::cut;
use crate::runtime::config::EngineConfig;
use crate::runtime::host_fn::wasi::denied::WasiDenied;
use crate::runtime::host_fn::wasi::environment::Exited;

/// What wasmtime says when a guest hands over more than its host-call fuel, and when
/// it holds too many handles. Wasmtime has no public types for the two; a test with a
/// real guest fails should the words ever change.
const HOSTCALL_FUEL: &str = "fuel allocated for hostcalls has been exhausted";
const HANDLE_LIMIT: &str = "store handle limit exceeded";

/// What a turn was allowed and had used when it was stopped. Attached to wasmtime's
/// error as context, it lets the conversion say both figures.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopped {
    pub(crate) turn_fuel: u64,
    pub(crate) turn_wall_ms: u64,
    pub(crate) elapsed_ms: u64,
    pub(crate) hostcall_bytes: u64,
    pub(crate) resource_handles: u64,
}

impl Stopped {
    pub(crate) fn new(limits: &Limits, elapsed_ms: u64) -> Self {
        Self {
            turn_fuel: limits.turn_fuel,
            turn_wall_ms: limits.turn_wall_ms,
            elapsed_ms,
            hostcall_bytes: limits.hostcall_bytes,
            resource_handles: limits.resource_handles,
        }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the turn was stopped after {} ms", self.elapsed_ms)
    }
}

impl Default for Stopped {
    /// An error that no turn claims is measured against the default limits.
    fn default() -> Self {
        Self::new(&Limits::default(), 0)
    }
}

/// Tells apart limits, deadlines, faulty components and faulty guests, by what the
/// error carries.
impl From<Error> for WasmError {
    fn from(error: Error) -> Self {
        let stopped = error.downcast_ref().copied().unwrap_or_default();
        if let Some(exceeded) = limit_behind(&error, &stopped) {
            return if exceeded.limit == Limit::TurnWallMs {
                Self::Timeout(exceeded)
            } else {
                Self::ResourceLimitExceeded(exceeded)
            };
        }
        if let Some(unknown) = error.downcast_ref::<UnknownImportError>() {
            let import = format!("{}#{}", unknown.module(), unknown.name());
            return Self::InvalidComponent(ComponentFault::UnknownImport { import });
        }
        Self::RuntimeError(GuestFault {
            kind: kind_of(&error),
            reason: reason_of(&error),
            backtrace: backtrace_of(&error),
        })
    }
}

/// The limit that an error stands for, if it stands for one.
fn limit_behind(error: &Error, stopped: &Stopped) -> Option<LimitExceeded> {
    if let Some(exceeded) = error.downcast_ref::<LimitExceeded>() {
        return Some(*exceeded);
    }
    let stack = EngineConfig::wasm_stack_bytes();
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => {
            return Some(LimitExceeded::beyond(Limit::TurnFuel, stopped.turn_fuel));
        }
        Some(Trap::Interrupt) => {
            return Some(LimitExceeded {
                limit: Limit::TurnWallMs,
                allowed: stopped.turn_wall_ms,
                observed: stopped
                    .elapsed_ms
                    .max(stopped.turn_wall_ms.saturating_add(1)),
            });
        }
        Some(Trap::StackOverflow) => {
            return Some(LimitExceeded::beyond(Limit::WasmStackBytes, stack));
        }
        _ => {}
    }
    if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) || says(error, HANDLE_LIMIT) {
        let allowed = stopped.resource_handles;
        return Some(LimitExceeded::beyond(Limit::ResourceHandles, allowed));
    }
    if says(error, HOSTCALL_FUEL) {
        let allowed = stopped.hostcall_bytes;
        return Some(LimitExceeded::beyond(Limit::HostcallBytes, allowed));
    }
    None
}

fn says(error: &Error, words: &str) -> bool {
    error.chain().any(|cause| cause.to_string().contains(words))
}

fn kind_of(error: &Error) -> FaultKind {
    if error.is::<WasiDenied>() {
        return FaultKind::Denied;
    }
    if error.is::<Exited>() {
        return FaultKind::Exited;
    }
    if error.is::<Utf8Error>() || error.is::<FromUtf8Error>() {
        return FaultKind::MalformedData;
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::UnreachableCodeReached) => FaultKind::Unreachable,
        Some(Trap::MemoryOutOfBounds | Trap::TableOutOfBounds | Trap::HeapMisaligned) => {
            FaultKind::OutOfBounds
        }
        Some(Trap::IndirectCallToNull | Trap::BadSignature | Trap::NullReference) => {
            FaultKind::IndirectCall
        }
        Some(
            Trap::IntegerOverflow | Trap::IntegerDivisionByZero | Trap::BadConversionToInteger,
        ) => FaultKind::Arithmetic,
        Some(
            Trap::InvalidChar
            | Trap::StringOutOfBounds
            | Trap::ListOutOfBounds
            | Trap::InvalidDiscriminant
            | Trap::UnalignedPointer,
        ) => FaultKind::MalformedData,
        Some(_) => FaultKind::Other,
        None => kind_of_message(error),
    }
}

/// Lifting a malformed value fails with words alone.
fn kind_of_message(error: &Error) -> FaultKind {
    let malformed = [
        "out of bounds",
        "beyond end of memory",
        "not aligned",
        "discriminant",
        "utf-8",
    ];
    if malformed.iter().any(|words| says(error, words)) {
        FaultKind::MalformedData
    } else {
        FaultKind::Other
    }
}

/// The innermost reason that is words: not the stack and not our own figures.
fn reason_of(error: &Error) -> String {
    cut(error.root_cause().to_string())
}

fn backtrace_of(error: &Error) -> Vec<String> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else {
        return Vec::new();
    };
    let name = |frame: &wasmtime::FrameInfo| match frame.func_name() {
        Some(name) => cut(format!("{:#}", demangle(name))),
        None => format!("<wasm function {}>", frame.func_index()),
    };
    backtrace.frames().iter().map(name).collect()
}
