//! A request that waits for its reply, on disk.

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::core::component::id::InvalidId;
use crate::core::storage::row::StoredRequest;

/// A row of `requests`, [packed](super::packed). This is format version 1.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RequestRow<'a> {
    target: &'a str,
    deadline_unix_ms: u64,
}

impl<'a> From<&'a StoredRequest> for RequestRow<'a> {
    fn from(request: &'a StoredRequest) -> Self {
        Self {
            target: request.target.as_str(),
            deadline_unix_ms: request.deadline_unix_ms,
        }
    }
}

impl TryFrom<RequestRow<'_>> for StoredRequest {
    type Error = InvalidId;

    fn try_from(row: RequestRow<'_>) -> Result<Self, InvalidId> {
        Ok(Self {
            target: row.target.parse()?,
            deadline_unix_ms: row.deadline_unix_ms,
        })
    }
}
