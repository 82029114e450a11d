//! Room for what recurses.

/// The stack that one evaluation, or the reading of a policy, gets: 16 MiB of addresses, of
/// which only what is used takes memory.
const STACK_BYTES: usize = 16 << 20;

/// Runs `work` on a stack of its own.
///
/// Cedar recurses into conditions, and looks how much of its thread's stack is left. Host
/// functions run on the stack of a guest, which is smaller and of which Cedar knows nothing:
/// there it would refuse everything, or run over the end. Costs some microseconds.
pub(crate) fn on_own_stack<R>(work: impl FnOnce() -> R) -> R {
    stacker::grow(STACK_BYTES, work)
}
