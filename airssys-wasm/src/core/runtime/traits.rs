//! What an engine offers to an embedder.

// Layer 3: Internal module imports
use crate::core::component::MessagePayload;
use crate::core::component::handle::ComponentHandle;
use crate::core::component::id::ComponentId;
use crate::core::component::message::ComponentMessage;
use crate::core::runtime::errors::WasmError;

/// Loads components and runs their turns, synchronously and by handle.
///
/// This is the face of the engine for programs that call components and have no
/// actors. A turn's writes are committed in memory when it succeeds; there is nobody
/// to deliver messages, so guests that send are told `unavailable`.
pub trait RuntimeEngine {
    /// Compiles a component and gets ready to run it.
    ///
    /// # Errors
    ///
    /// [`InstantiationFailed`](WasmError::InstantiationFailed) when the bytes are no
    /// valid WebAssembly, [`InvalidComponent`](WasmError::InvalidComponent) when they
    /// cannot be run here, and
    /// [`ResourceLimitExceeded`](WasmError::ResourceLimitExceeded) when they are too
    /// many.
    fn load_component(&self, id: &ComponentId, bytes: &[u8]) -> Result<ComponentHandle, WasmError>;

    /// Forgets a component and its state. Unloading twice is no error.
    ///
    /// # Errors
    ///
    /// None today; the signature leaves room for engines whose unloading can fail.
    fn unload_component(&self, handle: &ComponentHandle) -> Result<(), WasmError>;

    /// Runs one turn: the component handles `msg`, and its reply is returned.
    ///
    /// # Errors
    ///
    /// [`ComponentNotFound`](WasmError::ComponentNotFound) for a handle that is not
    /// loaded, [`ExportNotFound`](WasmError::ExportNotFound) for a component that is
    /// no actor, and otherwise how the turn failed.
    fn call_handle_message(
        &self,
        handle: &ComponentHandle,
        msg: &ComponentMessage,
    ) -> Result<Option<MessagePayload>, WasmError>;

    /// Runs one turn in which the component handles the reply to an earlier request:
    /// the payload of `msg`, under the correlation of `msg`.
    ///
    /// # Errors
    ///
    /// As for [`call_handle_message`](Self::call_handle_message).
    fn call_handle_callback(
        &self,
        handle: &ComponentHandle,
        msg: &ComponentMessage,
    ) -> Result<(), WasmError>;
}
