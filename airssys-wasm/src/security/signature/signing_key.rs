//! The private half of a key, which signs.

// Layer 1: Standard library imports
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

// Layer 2: Third-party crate imports
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use ed25519_dalek::{SECRET_KEY_LENGTH, Signer, SigningKey as DalekKey};
use rand::TryRng;
use rand::rngs::SysRng;
use zeroize::Zeroizing;

// Layer 3: Internal module imports
use crate::security::signature::detached::Signature;
use crate::security::signature::key_error::KeyError;
use crate::security::signature::public_key::PublicKey;
use crate::security::signature::small_file::SmallFile;

/// The largest file of a private key that is read, in bytes.
const MAX_FILE_BYTES: usize = 4 << 10;

/// The permissions of a private key's file: its owner's alone.
const MODE: u32 = 0o600;

/// The permissions that none of the others may have.
const OTHERS: u32 = 0o077;

/// The private half of an ed25519 key. Its memory is wiped when it is dropped, and nothing
/// shows it.
///
/// ```
/// use airssys_wasm::security::signature::signing_key::SigningKey;
///
/// let key = SigningKey::generate()?;
/// let signature = key.sign(b"a component");
/// assert_eq!(signature.key(), key.public());
/// assert!(signature.is_of(b"a component"));
/// assert!(!signature.is_of(b"another"));
/// # Ok::<_, airssys_wasm::security::signature::key_error::KeyError>(())
/// ```
pub struct SigningKey(DalekKey);

impl SigningKey {
    /// A new key, of 32 random bytes of the operating system.
    ///
    /// # Errors
    ///
    /// When the system has no random numbers.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; SECRET_KEY_LENGTH]);
        let filled = SysRng.try_fill_bytes(seed.as_mut());
        filled.map_err(|error| KeyError::NoRandom(error.to_string()))?;
        Ok(Self::from_seed(&seed))
    }

    /// The key that these 32 bytes make, which must be random and secret.
    pub fn from_seed(seed: &[u8; SECRET_KEY_LENGTH]) -> Self {
        Self(DalekKey::from_bytes(seed))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey::of(&self.0.verifying_key())
    }

    /// Signs exactly these bytes. The same bytes get the same signature.
    pub fn sign(&self, bytes: &[u8]) -> Signature {
        Signature::new(self.public(), self.0.sign(bytes))
    }

    /// Reads a private key's file: PKCS#8 in PEM, as [`write_new`](Self::write_new) and
    /// OpenSSL write it.
    ///
    /// # Errors
    ///
    /// When it cannot be read, others than its owner can get at it, or it is none.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::Io {
            path: path.into(),
            source,
        };
        let read = SmallFile::read(path, MAX_FILE_BYTES).map_err(failed)?;
        // Of the file that was read, whatever has its name by now.
        let mode = read.file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
        if mode & OTHERS != 0 {
            let path = path.into();
            return Err(KeyError::TooOpen { path, mode });
        }
        let text = str::from_utf8(&read.bytes).unwrap_or_default();
        match DalekKey::from_pkcs8_pem(text) {
            Ok(key) => Ok(Self(key)),
            // What exactly is wrong with a secret is not told.
            Err(_) => Err(KeyError::NotPrivate(path.into())),
        }
    }

    /// Writes it to a new file that nobody but its owner can read. If that fails, nothing is
    /// left of it.
    ///
    /// # Errors
    ///
    /// When the file is there already, or cannot be written.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(MODE);
        let mut file = options
            .open(path)
            .map_err(|error| KeyError::not_written(path, error))?;
        let written = self
            .to_pem()
            .and_then(|pem| file.write_all(pem.as_bytes()))
            .and_then(|()| file.sync_all());
        written.map_err(|error| {
            // That it could not be written is what matters.
            let _ = fs::remove_file(path);
            KeyError::not_written(path, error)
        })
    }

    /// Without the public half, which OpenSSL would not understand there.
    fn to_pem(&self) -> io::Result<Zeroizing<String>> {
        let pair = KeypairBytes {
            secret_key: self.0.to_bytes(),
            public_key: None,
        };
        pair.to_pkcs8_pem(LineEnding::LF)
            .map_err(|error| io::Error::other(error.to_string()))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::path::PathBuf;
    use tempfile::TempDir;

    /// `openssl genpkey -algorithm ed25519`.
    const OF_OPENSSL: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
        -----END PRIVATE KEY-----\n";
    /// Its public half, from RFC 8032, 7.1, test 1.
    const PUBLIC: &str = "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    fn folder() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ci.key");
        (folder, path)
    }

    fn with_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn no_two_are_the_same_and_nothing_shows_them() {
        let (a, b) = (
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
        );
        assert_ne!(a.public(), b.public());
        assert_eq!(format!("{a:?}"), "SigningKey");
    }

    #[test]
    fn its_file_is_its_owners_and_made_once() {
        let (_folder, path) = folder();
        let key = SigningKey::from_seed(&[1; 32]);
        key.write_new(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        let read = SigningKey::read(&path).unwrap();
        assert_eq!(read.public(), key.public());
        let again = SigningKey::from_seed(&[2; 32]).write_new(&path);
        assert!(matches!(again, Err(KeyError::Exists(_))));
        assert_eq!(SigningKey::read(&path).unwrap().public(), key.public());
    }

    #[test]
    fn it_is_what_others_write_too() {
        let (_folder, path) = folder();
        fs::write(&path, OF_OPENSSL).unwrap();
        with_mode(&path, 0o400);
        let key = SigningKey::read(&path).unwrap();
        assert_eq!(key.public().to_string(), PUBLIC);
        assert_eq!(*key.to_pem().unwrap(), OF_OPENSSL);
    }

    #[test]
    fn one_that_others_can_get_at_is_refused() {
        let (_folder, path) = folder();
        SigningKey::from_seed(&[1; 32]).write_new(&path).unwrap();
        for mode in [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o660, 0o777] {
            with_mode(&path, mode);
            let refused = SigningKey::read(&path).unwrap_err();
            let expected = format!(
                "its mode is {mode:04o}); run `chmod 600 {}`",
                path.display()
            );
            assert!(refused.to_string().contains(&expected), "{refused}");
        }
        with_mode(&path, 0o400);
        SigningKey::read(&path).unwrap();
    }

    #[test]
    fn what_is_no_private_key_is_refused() {
        let (_folder, path) = folder();
        let good = OF_OPENSSL.as_bytes();
        let other = OF_OPENSSL.replace("K2Vw", "K2Vu");
        for content in [
            b"",
            b"\xff\xfe".as_slice(),
            PUBLIC.as_bytes(),
            &good[..good.len() - 2],
            &good[..60],
            other.as_bytes(),
            &vec![b'x'; 10 << 20],
            &[good, good].concat(),
        ] {
            fs::write(&path, content).unwrap();
            with_mode(&path, 0o600);
            let refused = SigningKey::read(&path);
            assert!(matches!(refused, Err(KeyError::NotPrivate(_))));
        }
        let missing = SigningKey::read(&path.with_extension("none"));
        assert!(matches!(missing, Err(KeyError::Io { .. })));
    }
}
