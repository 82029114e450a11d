//! What the operator hands to a component: values, secrets, variables, folders.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use secrecy::SecretString;

/// What the operator hands to a component. That something is here does not mean that the
/// component may have it: each name has to be granted as well.
///
/// Secrets are wiped from memory when they are dropped, and `Debug` does not show them.
#[derive(Debug, Clone, Default)]
pub struct Provisions {
    /// Configuration, by key.
    pub config: BTreeMap<String, String>,
    /// Secrets, by name.
    pub secrets: BTreeMap<String, SecretString>,
    /// Environment variables that WASI shows, by name.
    pub env: BTreeMap<String, String>,
    /// Folders of the machine, by the path at which WASI shows them.
    pub folders: BTreeMap<String, PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let provisions = Provisions {
            secrets: [("key".to_owned(), SecretString::from("hunter2"))].into(),
            ..Provisions::default()
        };
        assert!(!format!("{provisions:?}").contains("hunter2"));
    }
}
