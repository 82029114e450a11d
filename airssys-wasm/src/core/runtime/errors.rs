//! How loading and running a component fails.

// Layer 1: Standard library imports
use std::fmt;

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::limits::LimitExceeded;

/// Why a component could not be loaded, or a turn did not run to its end.
///
/// Every variant but the first two carries what is known as values, so that a caller
/// can decide without reading text.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WasmError {
    /// No component is loaded under this handle. Carries its address.
    #[error("Component not found: {0}")]
    ComponentNotFound(String),

    /// The bytes could not be made into an instance. Carries the engine's reason.
    #[error("Instantiation failed: {0}")]
    InstantiationFailed(String),

    /// The component lacks an interface that was called.
    #[error("Export not found: {0}")]
    ExportNotFound(MissingExport),

    /// The turn took longer than its deadline. Both figures are milliseconds.
    #[error("Timeout: {0}")]
    Timeout(LimitExceeded),

    /// The guest met a limit.
    #[error("Resource limit exceeded: {0}")]
    ResourceLimitExceeded(LimitExceeded),

    /// The bytes are WebAssembly, but no component that can be run here.
    #[error("Invalid component: {0}")]
    InvalidComponent(ComponentFault),

    /// The guest failed while it ran.
    #[error("Runtime error: {0}")]
    RuntimeError(GuestFault),
}

/// An interface that a component does not export.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub struct MissingExport {
    /// The interface that is needed, with its version.
    pub export: String,
    /// Another version of the same interface that the component does export.
    pub found: Option<String>,
}

impl fmt::Display for MissingExport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the component does not export `{}`", self.export)?;
        match &self.found {
            Some(found) => write!(
                f,
                ", but `{found}`; build it against the version that this host speaks"
            ),
            None => Ok(()),
        }
    }
}

/// Why WebAssembly bytes are no component that can be run here.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ComponentFault {
    /// The bytes are a core module.
    #[error(
        "this is a core WebAssembly module, not a component; wrap it with \
         `wasm-tools component new`, or build for a component target such as wasm32-wasip2"
    )]
    CoreModule,

    /// The component imports something that this host has not.
    #[error("it imports `{import}`, which this host does not offer")]
    UnknownImport {
        /// The name of the import.
        import: String,
    },

    /// The component imports another version of something that this host has.
    #[error("it imports `{import}`, of which this host offers version {offered}")]
    ImportVersion {
        /// The name of the import, with its version.
        import: String,
        /// The version that this host offers.
        offered: String,
    },

    /// An import or export has the right name and the wrong type. Carries the
    /// engine's reason.
    #[error("its types do not fit the interface: {0}")]
    WrongType(String),

    /// What it says it needs cannot be read.
    #[error("its section `airssys:needs` {0}")]
    Needs(NeedsFault),
}

/// What is wrong with the section in which a component says what it needs.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NeedsFault {
    /// It is longer than it may be.
    #[error("has {bytes} bytes, and {allowed_bytes} are the most")]
    TooLarge {
        /// How long it may be.
        allowed_bytes: u64,
        /// How long it is.
        bytes: u64,
    },
    /// It has more patterns than it may have.
    #[error("has {patterns} patterns, and {allowed} are the most")]
    TooMany {
        /// How many it may have.
        allowed: usize,
        /// How many it has.
        patterns: usize,
    },
    /// It is no text.
    #[error("is not UTF-8")]
    NotText,
    /// It is no JSON object of patterns by capability. Carries the parser's reason.
    #[error("is no JSON object with a list of patterns for each capability: {0}")]
    NotJson(String),
    /// It has what is no pattern of the capability. Carries which, and why.
    #[error("has what is no pattern: {0}")]
    Pattern(String),
    /// There are several, and they differ.
    #[error("is there twice; a component says once what it needs")]
    Twice,
}

/// A guest that failed while it ran.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub struct GuestFault {
    /// What sort of failure.
    pub kind: FaultKind,
    /// The engine's or the guest's words for it.
    pub reason: String,
    /// The guest's stack when it trapped, innermost function first. Functions
    /// without a name appear as `<wasm function N>`.
    pub backtrace: Vec<String>,
}

impl GuestFault {
    /// A failure without a stack.
    pub fn new(kind: FaultKind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            backtrace: Vec::new(),
        }
    }
}

impl fmt::Display for GuestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        // Of a trap the engine says what the kind has said already.
        if !self.reason.is_empty() && !self.reason.starts_with("wasm trap: ") {
            write!(f, ": {}", self.reason)?;
        }
        match self.culprit() {
            Some(function) => write!(f, " (in {function})"),
            None => Ok(()),
        }
    }
}

impl GuestFault {
    /// The innermost function that is not a language's way of giving up.
    fn culprit(&self) -> Option<&String> {
        let machinery = ["__rustc::", "core::", "std::", "abort"];
        let is_machinery = |name: &&String| machinery.iter().any(|m| name.starts_with(m));
        let own = self.backtrace.iter().find(|name| !is_machinery(name));
        own.or(self.backtrace.first())
    }
}

/// The sorts of failure that no limit accounts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// It executed `unreachable`: a panic or an abort, in most languages.
    #[error("the guest gave up (`unreachable`)")]
    Unreachable,
    /// It read or wrote outside its memory or its tables.
    #[error("the guest accessed memory or a table out of bounds")]
    OutOfBounds,
    /// It called through a table entry that is empty or of another type.
    #[error("the guest made an invalid indirect call")]
    IndirectCall,
    /// An integer division by zero, overflow, or conversion out of range.
    #[error("the guest did invalid arithmetic")]
    Arithmetic,
    /// It handed over a string, list or variant that is malformed.
    #[error("the guest passed malformed data")]
    MalformedData,
    /// It used something that it was not granted, in an interface that cannot say so.
    #[error("the guest used what it was not granted")]
    Denied,
    /// It ended itself, by a function of its language that ends programs.
    #[error("the guest ended itself")]
    Exited,
    /// It rejected the message.
    #[error("the guest rejected the message")]
    Rejected,
    /// It asked for the message to be tried again.
    #[error("the guest asked for a retry")]
    RetryRequested,
    /// The instance failed in an earlier turn, or its turn was abandoned, and it is
    /// gone.
    #[error("the instance is gone")]
    InstanceGone,
    /// Anything else.
    #[error("the guest failed")]
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::limits::Limit;

    #[test]
    fn errors_say_what_and_what_next() {
        let missing = |found: Option<&str>| {
            WasmError::ExportNotFound(MissingExport {
                export: "airssys:actor/handler@0.1.0".into(),
                found: found.map(str::to_owned),
            })
            .to_string()
        };
        assert_eq!(
            missing(None),
            "Export not found: the component does not export `airssys:actor/handler@0.1.0`"
        );
        assert_eq!(
            missing(Some("airssys:actor/handler@0.2.0")),
            "Export not found: the component does not export `airssys:actor/handler@0.1.0`, \
             but `airssys:actor/handler@0.2.0`; build it against the version that this host speaks"
        );
        assert_eq!(
            WasmError::Timeout(LimitExceeded::beyond(Limit::TurnWallMs, 50)).to_string(),
            "Timeout: turn_wall_ms allows 50, and 51 was wanted"
        );
    }

    #[test]
    fn a_fault_names_the_function_that_gave_up() {
        let mut fault = GuestFault::new(FaultKind::Unreachable, "");
        assert_eq!(fault.to_string(), "the guest gave up (`unreachable`)");
        fault.reason = "boom".into();
        fault.backtrace = ["__rustc::rust_panic", "counter::add", "main"]
            .map(String::from)
            .to_vec();
        assert_eq!(
            fault.to_string(),
            "the guest gave up (`unreachable`): boom (in counter::add)"
        );
    }
}
