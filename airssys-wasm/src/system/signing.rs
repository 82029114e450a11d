//! The bytes of components, and whether they are trusted.

// Layer 1: Standard library imports
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

// Layer 2: Third-party crate imports
use tokio::task::spawn_blocking;

// Layer 3: Internal module imports
use crate::core::security::audit::Operation;
use crate::security::signature::detached::{read_signature, signature_path};
use crate::security::signature::error::SignatureError;
use crate::security::signature::trust::{Trust, Verdict};
use crate::system::auditing::Deed;
use crate::system::builder::Source;
use crate::system::error::StartError;
use crate::system::node::Node;

/// A component's bytes and what came with them as their signature. Nothing is checked.
///
/// ```
/// use airssys_wasm::system::signing::Binary;
///
/// let unsigned = Binary::from(vec![0, 1, 2]);
/// let signed = unsigned.signed("airssys-signature 1 ed25519:…");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What is in the `.sig` file, if there is one.
    pub signature: Option<Vec<u8>>,
}

impl Binary {
    /// The same bytes with a signature: what is in the `.sig` file.
    #[must_use]
    pub fn signed(mut self, signature: impl Into<Vec<u8>>) -> Self {
        self.signature = Some(signature.into());
        self
    }
}

impl From<Vec<u8>> for Binary {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            signature: None,
        }
    }
}

/// Bytes that may be run as far as their signature goes. Only
/// [`check_signature`](Node::check_signature) makes one, and nothing else is loaded.
pub(crate) struct Checked {
    bytes: Vec<u8>,
    signer: Option<String>,
}

impl Checked {
    /// The bytes, and the name of the trusted key that signed them, if one did.
    pub(crate) fn into_parts(self) -> (Vec<u8>, Option<String>) {
        (self.bytes, self.signer)
    }
}

impl Node {
    /// Checks the signature of a new component, or of a new version of one. All that is to
    /// be loaded comes through here.
    pub(crate) async fn check_signature(
        &self,
        component: &str,
        binary: Binary,
    ) -> Result<Checked, SignatureError> {
        let trust = Arc::clone(&self.trust);
        let now_ms = self.clock.now().unix_ms;
        // A large component takes a while.
        let checked = spawn_blocking(move || check(&trust, binary, now_ms)).await;
        let checked = checked.unwrap_or(Err(SignatureError::BrokenOff));
        let deed = Deed::of(Operation::Signature).on(component);
        let deed = match &checked {
            // Nobody looked at anything.
            Ok(Checked { signer: None, .. }) => return checked,
            Ok(Checked { signer, .. }) => deed.with(signer.as_deref().unwrap_or_default()),
            Err(_) => deed,
        };
        self.audited(deed, checked)
    }
}

fn check(trust: &Trust, binary: Binary, now_ms: u64) -> Result<Checked, SignatureError> {
    let Binary { bytes, signature } = binary;
    let signer = match trust.verify(&bytes, signature.as_deref(), now_ms)? {
        Verdict::Verified { signer } => Some(signer),
        Verdict::Unsigned => None,
    };
    Ok(Checked { bytes, signer })
}

/// Says of keys that are trusted no longer that they are not. What they signed is refused,
/// and whoever operates the system may have forgotten that the time was to come.
pub(crate) fn warn_of_expired(trust: &Trust, now_ms: u64) {
    for (key, not_after) in trust.expired(now_ms) {
        tracing::warn!(
            target: "airssys",
            key,
            %not_after,
            "a key has expired: what it signed is not taken any more"
        );
    }
}

impl Source {
    /// The bytes, and what is found as their signature: what was handed over with them, or
    /// else the file `named`, or else the one beside the component's file.
    pub(crate) async fn read(self, named: Option<PathBuf>) -> Result<Binary, StartError> {
        let reading = spawn_blocking(move || match self {
            Self::Binary(binary) if binary.signature.is_some() => Ok(binary),
            Self::Binary(binary) => Ok(Binary {
                signature: named.as_deref().map(read_named).transpose()?,
                ..binary
            }),
            Self::File(path) => Ok(Binary {
                signature: match &named {
                    Some(named) => Some(read_named(named)?),
                    None => read_beside(&path)?,
                },
                bytes: fs::read(&path).map_err(|source| unreadable(path, source))?,
            }),
        });
        let broken_off = |panicked| StartError::Machine(format!("reading broke off: {panicked}"));
        reading.await.unwrap_or_else(|e| Err(broken_off(e)))
    }
}

fn read_named(path: &Path) -> Result<Vec<u8>, StartError> {
    read_signature(path).map_err(|source| unreadable(path.into(), source))
}

fn read_beside(component: &Path) -> Result<Option<Vec<u8>>, StartError> {
    let path = signature_path(component);
    match read_signature(&path) {
        Ok(signature) => Ok(Some(signature)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, error)),
    }
}

fn unreadable(path: PathBuf, source: io::Error) -> StartError {
    StartError::Io { path, source }
}
