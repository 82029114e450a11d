//! What is known of an actor besides its keys, on disk.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::core::component::digest::Digest;
use crate::core::storage::row::ActorStamp;
use crate::core::storage::store::VersionId;

/// A row of `records`, [packed](super::packed). This is format version 1.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RecordRow<'a> {
    turns_below: u64,
    #[serde(borrow)]
    ran_by: Option<VersionRow<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct VersionRow<'a> {
    digest: [u8; 32],
    label: &'a str,
}

impl<'a> From<&'a ActorStamp> for RecordRow<'a> {
    fn from(stamp: &'a ActorStamp) -> Self {
        Self {
            turns_below: stamp.turns_below,
            ran_by: stamp.ran_by.as_deref().map(|version| VersionRow {
                digest: *version.digest.as_bytes(),
                label: &version.label,
            }),
        }
    }
}

impl From<RecordRow<'_>> for ActorStamp {
    fn from(row: RecordRow<'_>) -> Self {
        Self {
            turns_below: row.turns_below,
            ran_by: row.ran_by.map(|version| {
                Arc::new(VersionId {
                    digest: Digest::from_bytes(version.digest),
                    label: version.label.to_owned(),
                })
            }),
        }
    }
}
