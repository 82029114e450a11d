//! The actor's own keys and values. No other actor can see them, unless it was granted to.
//!
//! Reads see what is committed plus this turn's own writes; the writes take effect
//! when the turn has succeeded. Keys are ordered by their UTF-8 bytes.
//!
//! # Errors
//! Every function may fail with [`HostError::Denied`] when the actor was not
//! granted storage, with [`HostError::Invalid`] for a malformed key, and with
//! [`HostError::TooLarge`] or [`HostError::QuotaExceeded`] at a limit.

// Layer 3: Internal module imports
use crate::bindings::airssys::actor::storage as host;
use crate::error::HostError;

pub use host::{KeyPage, SpaceUsed};

/// The value of `key`, or `None`.
///
/// # Errors
/// See the [module](self).
pub fn get(key: &str) -> Result<Option<Vec<u8>>, HostError> {
    host::get(key)
}

/// The values of `keys`, in their order. Cheaper than as many [`get`]s.
///
/// # Errors
/// See the [module](self).
pub fn get_many(keys: &[&str]) -> Result<Vec<Option<Vec<u8>>>, HostError> {
    host::get_many(keys)
}

/// Sets `key` to `value`.
///
/// # Errors
/// See the [module](self).
pub fn set(key: &str, value: impl AsRef<[u8]>) -> Result<(), HostError> {
    host::set(key, value.as_ref())
}

/// Removes `key`. A key that does not exist is no error.
///
/// # Errors
/// See the [module](self).
pub fn remove(key: &str) -> Result<(), HostError> {
    host::remove(key)
}

/// The keys that begin with `prefix`, at most `limit` of them, starting after
/// `cursor`, which is the [`KeyPage::next`] of the page before.
///
/// # Errors
/// See the [module](self).
pub fn list_keys(prefix: &str, cursor: Option<&str>, limit: u32) -> Result<KeyPage, HostError> {
    host::list_keys(prefix, cursor, limit)
}

/// The value of `key` of another actor, as its last turn left it, or `None`.
///
/// What two calls return may be from before and after one of its turns. Needs the
/// capability `storage` for that actor.
///
/// # Errors
/// [`HostError::Denied`] without the grant, [`HostError::Unavailable`] when that actor is
/// not durable, [`HostError::Invalid`] for a malformed address, and as the
/// [module](self) says.
pub fn get_from(actor: &str, key: &str) -> Result<Option<Vec<u8>>, HostError> {
    host::get_from(actor, key)
}

/// How much storage this actor uses.
///
/// # Errors
/// See the [module](self).
pub fn usage() -> Result<SpaceUsed, HostError> {
    host::usage()
}
