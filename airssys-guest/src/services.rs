//! Small services that every program needs: log, time, randomness, configuration.

// Layer 1: Standard library imports
use std::panic;
use std::time::{Duration, SystemTime};

// Layer 3: Internal module imports
use crate::bindings::airssys::actor::services as host;
use crate::error::HostError;

pub use host::{ComponentPage, Level};

/// Writes a line to the host's log, marked with this actor's address.
///
/// Over-long lines are cut, and lines beyond the turn's allowance are counted and
/// dropped; logging never fails.
pub fn log(level: Level, text: impl AsRef<str>) {
    host::log(level, text.as_ref());
}

/// From now on logs the text of a panic at level `error` before it traps.
///
/// Without it the operator sees a trap and the functions it happened in, but not
/// the text. Call it in [`Actor::init`](crate::Actor::init).
pub fn log_panics() {
    panic::set_hook(Box::new(|panic| log(Level::Error, panic.to_string())));
}

/// The time of this turn. It does not move during a turn, so that a turn can be
/// replayed. Its precision is a millisecond.
pub fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(host::now_ms())
}

/// `count` random bytes. They come from a generator that the host seeds afresh for
/// each turn and can seed again, so that a turn can be replayed.
///
/// # Errors
/// [`HostError::TooLarge`] when `count` is over the host's limit.
pub fn random_bytes(count: u32) -> Result<Vec<u8>, HostError> {
    host::random_bytes(count)
}

/// The value of a configuration key that the operator set for this component. None as
/// well if the capability `config` was not granted for it.
pub fn config(key: &str) -> Option<String> {
    host::config(key)
}

/// A secret that the operator gave to this component, or `None`. Keep it out of what you
/// send, store and log.
///
/// # Errors
/// [`HostError::Denied`] without the capability `secrets` for this name.
pub fn secret(name: &str) -> Result<Option<String>, HostError> {
    host::secret(name)
}

/// The components that this host runs and this actor may know of, at most `limit`
/// of them, starting after `cursor`, which is the [`ComponentPage::next`] of the
/// page before.
///
/// # Errors
/// [`HostError::TooLarge`] and [`HostError::Invalid`] for a limit out of range. What the
/// capability `directory` is not granted for is not listed.
pub fn list_components(cursor: Option<&str>, limit: u32) -> Result<ComponentPage, HostError> {
    host::list_components(cursor, limit)
}

/// The W3C `traceparent` of the message being handled, if it came with one.
pub fn trace_context() -> Option<String> {
    host::trace_context()
}
