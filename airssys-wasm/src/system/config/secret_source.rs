//! Where a secret comes from.

// Layer 1: Standard library imports
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::system::config::component::write_path;

/// Where a secret comes from: `{ env = "API_KEY" }` or `{ file = "api-key.txt" }`. A
/// manifest never has the secret itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SecretSource {
    /// The environment variable of the host that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// The file that has it; in a manifest, relative to its folder. A line end at its end
    /// is no part of it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_path")]
    pub file: Option<PathBuf>,
}
