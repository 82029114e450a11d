//! Signatures, and files with keys.

// Layer 1: Standard library imports
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::LazyLock;

// Layer 2: Third-party crate imports
use tempfile::TempDir;

// Layer 3: Internal module imports
use airssys_wasm::security::signature::detached::Signature;
use airssys_wasm::security::signature::public_key::PublicKey;
use airssys_wasm::security::signature::signing_key::SigningKey;
use airssys_wasm::security::signature::trust::{Requirement, Trust, TrustedKey, Verdict};

/// What the key of the corpus has signed.
const SIGNED: &[u8] = b"a component";

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().unwrap());

/// What is in a `.sig` file, and in files of keys.
pub(crate) fn run(bytes: &[u8]) {
    let key = SigningKey::from_seed(&[1; 32]);
    let trust = Trust::new(
        vec![TrustedKey {
            name: "ci".into(),
            public: key.public(),
            not_after: None,
        }],
        Requirement::Required,
    );
    match trust.verify(SIGNED, Some(bytes), 0) {
        Ok(verdict) => {
            assert_eq!(
                verdict,
                Verdict::Verified {
                    signer: "ci".into()
                }
            );
            // Ed25519 has one signature of each key for each text.
            let parsed = Signature::parse(bytes).unwrap();
            assert_eq!(parsed, key.sign(SIGNED));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Ok(signature) = Signature::parse(bytes) {
        let text = signature.to_string();
        assert_eq!(Signature::parse(text.as_bytes()).unwrap(), signature);
    }
    let path = FOLDER.path().join("key");
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    if let Ok(public) = PublicKey::read(&path) {
        assert_eq!(public.to_string().parse(), Ok(public));
    }
    if let Ok(private) = SigningKey::read(&path) {
        assert!(private.sign(SIGNED).is_of(SIGNED));
    }
}
