//! Calls that wait for their reply inside the turn.
//!
//! A component that uses nothing of this module runs on a cheaper path, because no
//! other host function can suspend it. Where the reply may as well come later,
//! prefer [`messaging::request`](crate::messaging::request).

// Layer 1: Standard library imports
use std::time::Duration;

// Layer 3: Internal module imports
use crate::bindings::airssys::actor::rpc as host;
use crate::duration::to_millis;
use crate::error::CallError;

/// Sends a message and waits for the reply, at most `timeout` (in whole
/// milliseconds, rounded up) and never beyond the deadline of this turn.
///
/// The callee's turn is its own: when it has succeeded it stays so, even if this
/// turn fails later.
///
/// # Errors
/// [`CallError::Rejected`] when the callee rejects the message,
/// [`CallError::Failed`] when it fails, and [`CallError::Host`] when the call
/// cannot be carried out: among others `Timeout`, `Denied`, and `Deadlock` when the
/// callee waits for this very turn.
pub fn call(
    target: &str,
    kind: &str,
    payload: impl AsRef<[u8]>,
    timeout: Duration,
) -> Result<Option<Vec<u8>>, CallError> {
    host::call(target, kind, payload.as_ref(), to_millis(timeout))
}
