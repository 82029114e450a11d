//! A component's version, as people tell it from others.

// Layer 1: Standard library imports
use std::fmt;

// Layer 2: Third-party crate imports
use airssys_wasm::core::storage::store::VersionId;
use serde::Deserialize;

// Layer 3: Internal module imports
use crate::text::visible;

/// What every digest begins with.
const ALGORITHM: &str = "sha256:";

/// Digits of a digest that tell versions apart.
const DIGITS_SHOWN: usize = 8;

/// A version, shown as `1.4.0 (3f2a91c4)`, or `(3f2a91c4)` if it has no name: the name is
/// the component's own claim, and two may claim the same.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Version {
    digest: String,
    label: String,
}

impl From<&VersionId> for Version {
    fn from(id: &VersionId) -> Self {
        Self {
            digest: id.digest.to_string(),
            label: id.label.clone(),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digest.strip_prefix(ALGORITHM).unwrap_or(&self.digest);
        let digits = digits.get(..DIGITS_SHOWN).unwrap_or(digits);
        match self.label == self.digest {
            true => write!(f, "({digits})"),
            false => write!(f, "{} ({digits})", visible(&self.label)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_its_name_and_the_beginning_of_its_digest() {
        let digest = "sha256:3f2a91c4aaaaaaaa";
        let shown = |label: &str| {
            let (digest, label) = (digest.to_owned(), label.to_owned());
            Version { digest, label }.to_string()
        };
        assert_eq!(shown("1.4.0"), "1.4.0 (3f2a91c4)");
        assert_eq!(shown(digest), "(3f2a91c4)");
    }
}
