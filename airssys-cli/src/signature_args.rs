//! The signature of a component that is handed to a system.

// Layer 1: Standard library imports
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use airssys_wasm::security::signature::detached::{Signature, read_signature, signature_path};
use clap::Args;

// Layer 3: Internal module imports
use crate::failure::Failure;
use crate::input::unreadable;
use crate::signature_advice::not_trusted;

/// Where the signature of a component is.
#[derive(Debug, Args)]
pub(crate) struct SignatureArgs {
    /// The file of its signature [default: the component's name with .sig behind it, if there
    /// is such a file]
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
}

impl SignatureArgs {
    /// Whether a file was named.
    pub(crate) fn is_given(&self) -> bool {
        self.signature.is_some()
    }

    /// Where it is, or would be.
    pub(crate) fn path(&self, component: &Path) -> PathBuf {
        let named = self.signature.clone();
        named.unwrap_or_else(|| signature_path(component))
    }

    /// What is in its file, if there is one. One that was named must be there.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(crate) fn read(&self, component: &Path) -> Result<Option<Vec<u8>>, Failure> {
        let path = self.path(component);
        match read_signature(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound && self.signature.is_none() => {
                Ok(None)
            }
            Err(error) => Err(unreadable(&path.display().to_string(), &error)),
        }
    }

    /// The signature, if there is one, as it is sent to a system.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is none.
    pub(crate) fn to_send(&self, component: &Path) -> Result<Option<String>, Failure> {
        let Some(text) = self.read(component)? else {
            return Ok(None);
        };
        let signature = Signature::parse(&text);
        let signature = signature.map_err(|e| not_trusted(component.display(), &e))?;
        Ok(Some(signature.to_string()))
    }
}

/// Who signed what a system has taken, in words that follow upon others.
pub(crate) fn signed_by(signer: Option<&str>, sent: Option<&String>) -> String {
    match (signer, sent) {
        (Some(signer), _) => format!(", signed by {signer}"),
        (None, None) => String::new(),
        (None, Some(_)) => {
            ", its signature not looked at since that system trusts no key".to_owned()
        }
    }
}
