//! Who asks to do something, as a policy sees it.

/// A component in one of its versions, as a policy sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    /// `namespace/name`.
    pub component: String,
    /// What the version calls itself, or the beginning of its digest.
    pub version: String,
    /// The digest of its bytes, `sha256:…`.
    pub digest: String,
    /// The name of the trusted key that signed it, if one did.
    pub signer: Option<String>,
}

impl Principal {
    /// The part of the name before the slash.
    pub fn namespace(&self) -> &str {
        let (namespace, _) = self.component.split_once('/').unwrap_or_default();
        namespace
    }

    /// The part of the name behind the slash.
    pub fn name(&self) -> &str {
        let (_, name) = self.component.split_once('/').unwrap_or_default();
        name
    }
}
