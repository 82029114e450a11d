//! The answer to an earlier request.

// Layer 3: Internal module imports
use crate::error::CallError;
use crate::id::Correlation;
use crate::wire;

/// The answer to an earlier [`messaging::request`](crate::messaging::request).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What `request` returned.
    pub correlation: Correlation,
    /// The replier's answer, or why there is none.
    pub outcome: Result<Option<Vec<u8>>, CallError>,
}

impl From<wire::Reply> for Reply {
    fn from(reply: wire::Reply) -> Self {
        Self {
            correlation: reply.correlation.into(),
            outcome: reply.outcome,
        }
    }
}
