//! JSON in messages and in storage. Needs the feature `json`.

// Layer 1: Standard library imports
use std::error::Error;
use std::fmt::{self, Display, Formatter};

// Layer 2: Third-party crate imports
use serde::Serialize;
use serde::de::DeserializeOwned;

// Layer 3: Internal module imports
use crate::error::{HostError, TurnError};
use crate::message::Message;
use crate::storage;

/// Why a value could not be read or written as JSON.
///
/// Through `?` it becomes a [`TurnError`]: JSON that does not fit is rejected, and
/// a host error is treated as any other.
#[derive(Debug)]
#[non_exhaustive]
pub enum JsonError {
    /// The bytes do not fit the type, or the value has no JSON form.
    Format(serde_json::Error),
    /// The host refused to read or write them.
    Host(HostError),
}

impl Display for JsonError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(error) => write!(f, "JSON: {error}"),
            Self::Host(error) => error.fmt(f),
        }
    }
}

impl Error for JsonError {}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self::Format(error)
    }
}

impl From<HostError> for JsonError {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

impl From<JsonError> for TurnError {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::Host(error) => error.into(),
            JsonError::Format(_) => Self::reject(error),
        }
    }
}

/// Reads a message's payload.
///
/// # Errors
/// [`JsonError::Format`] when the payload does not fit the type, saying where.
pub fn decode<T: DeserializeOwned>(message: &Message) -> Result<T, JsonError> {
    Ok(serde_json::from_slice(&message.payload)?)
}

/// The payload of a message.
///
/// # Errors
/// [`JsonError::Format`] when the value has no JSON form, as a map whose keys are
/// no texts.
pub fn encode(value: &impl Serialize) -> Result<Vec<u8>, JsonError> {
    Ok(serde_json::to_vec(value)?)
}

/// What [`Actor::handle`](crate::Actor::handle) returns to reply with a value.
///
/// # Errors
/// [`TurnError::Reject`] when the value has no JSON form.
pub fn reply(value: &impl Serialize) -> Result<Option<Vec<u8>>, TurnError> {
    Ok(Some(encode(value)?))
}

/// The value of `key` in storage, or `None`.
///
/// # Errors
/// [`JsonError::Format`] when what is stored does not fit the type, and
/// [`JsonError::Host`] as [`storage::get`].
pub fn get<T: DeserializeOwned>(key: &str) -> Result<Option<T>, JsonError> {
    match storage::get(key)? {
        Some(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        None => Ok(None),
    }
}

/// Sets `key` in storage to `value`.
///
/// # Errors
/// [`JsonError::Format`] when the value has no JSON form, and [`JsonError::Host`]
/// as [`storage::set`].
pub fn set(key: &str, value: &impl Serialize) -> Result<(), JsonError> {
    Ok(storage::set(key, encode(value)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() -> Result<(), JsonError> {
        let message = Message::new("", encode(&[Some(1), None])?);
        assert_eq!(message.payload, b"[1,null]");
        assert_eq!(decode::<Vec<Option<i32>>>(&message)?, [Some(1), None]);
        Ok(())
    }

    #[test]
    fn a_payload_that_does_not_fit_is_rejected() {
        assert_eq!(
            decode::<u8>(&Message::new("", "300")).map_err(TurnError::from),
            Err(TurnError::Reject(
                "JSON: invalid value: integer `300`, expected u8 at line 1 column 3".into()
            ))
        );
    }
}
