//! The interface `types` as it crosses the boundary.
//!
//! The generated bindings build and take apart these types, so names and fields
//! are those of `wit/`; a difference does not compile. The errors are the same on
//! either side. The records are turned into [`crate::Message`] and
//! [`crate::Reply`], which say `None` where the wire says zero or empty.

// Layer 3: Internal module imports
pub(crate) use crate::error::{CallError, HostError, TurnError};

/// The record `message`.
#[derive(Debug)]
pub struct Message {
    pub sender: String,
    pub kind: String,
    pub correlation: u64,
    pub payload: Vec<u8>,
}

/// The record `reply`.
#[derive(Debug)]
pub struct Reply {
    pub correlation: u64,
    pub outcome: Result<Option<Vec<u8>>, CallError>,
}
