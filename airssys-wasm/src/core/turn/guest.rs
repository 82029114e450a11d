//! What an actor needs of the program that it runs.

// Layer 1: Standard library imports
use std::future::Future;

// Layer 3: Internal module imports
use crate::core::delivery::envelope::Letter;
use crate::core::runtime::errors::WasmError;
use crate::core::storage::keyspace::Keyspace;
use crate::core::turn::context::TurnContext;
use crate::core::turn::effects::{Effects, Writes};
use crate::core::turn::recorded::Learnt;
use crate::core::turn::report::TurnReport;

/// How long the turns of a guest tend to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// No longer than others can wait for.
    Quick,
    /// So long that they are better run apart from others.
    Slow,
}

/// A program that handles one message at a time.
///
/// Whatever it does, nothing of it has happened until its effects are committed.
/// After an error other than a refused message its instance is gone, and it must be
/// activated again.
pub trait Guest: Send + 'static {
    /// Makes the instance and lets it begin.
    fn activate(
        &mut self,
        context: TurnContext,
    ) -> impl Future<Output = Result<Effects, WasmError>> + Send;

    /// Handles one message, or the reply to a request.
    fn handle(
        &mut self,
        letter: &Letter,
        context: TurnContext,
    ) -> impl Future<Output = Result<TurnReport, WasmError>> + Send;

    /// Takes over the state of an earlier version.
    fn migrate(
        &mut self,
        from_version: &str,
        context: TurnContext,
    ) -> impl Future<Output = Result<Effects, WasmError>> + Send;

    /// Lets the instance end.
    fn shutdown(
        &mut self,
        context: TurnContext,
    ) -> impl Future<Output = Result<Effects, WasmError>> + Send;

    /// Whether there is an instance.
    fn is_live(&self) -> bool;

    /// How long its turns tend to take.
    fn pace(&self) -> Pace;

    /// Makes writes that were committed visible to the turns that follow.
    fn apply(&mut self, writes: Writes);

    /// What the last turn learnt from its host.
    fn take_learnt(&mut self) -> Learnt;

    /// Ends the instance without telling it, and returns the committed state.
    fn into_keys(self) -> Keyspace;
}
