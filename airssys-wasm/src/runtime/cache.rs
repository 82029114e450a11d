//! Compiled components on disk.
//!
//! Compiling takes tens of milliseconds for a small component and seconds for an
//! interpreter; loading what was compiled before takes a tenth of a millisecond. But a
//! compiled component is native code, and loading it is trusting it. So the folder must
//! be private to its owner, and an entry is used only if it is whole, belongs to these
//! very bytes, and was made by an engine like this one. Whatever is not is compiled
//! again.

// Layer 1: Standard library imports
use std::fs::{self, DirBuilder, File, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

// Layer 2: Third-party crate imports
use rustix::fs::{Mode, OFlags};
use rustix::process::geteuid;
use tempfile::NamedTempFile;
use thiserror::Error;
use twox_hash::XxHash3_128;
use wasmtime::Engine;

// Layer 3: Internal module imports
use crate::core::component::digest::Digest;

/// What an entry ends with: the component's digest, a checksum over artefact and
/// digest, and this. At its end, since wasmtime maps the artefact from the beginning of
/// a file, and does not mind what follows.
const MAGIC: &[u8; 8] = b"airssys1";
const DIGEST_BYTES: usize = 32;
const CHECKSUM_BYTES: usize = 16;
const TRAILER_BYTES: usize = DIGEST_BYTES + CHECKSUM_BYTES + MAGIC.len();

/// What the entries of a folder may take up together, unless it is said otherwise.
const DEFAULT_MAX_BYTES: u64 = 1 << 30;

/// A folder of compiled components. Opening it is cheap; several processes may share
/// it.
///
/// ```
/// use airssys_wasm::runtime::cache::CompileCache;
///
/// let home = tempfile::tempdir()?;
/// let cache = CompileCache::open(home.path().join("compiled"))?;
/// assert!(cache.folder().is_dir());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct CompileCache {
    folder: PathBuf,
    max_bytes: u64,
}

/// Why a folder cannot be used as a cache.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CacheError {
    /// It can be neither read nor made.
    #[error("the cache folder {}: {source}", folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It is not a folder.
    #[error("the cache folder {} is no folder", folder.display())]
    NotAFolder {
        /// The path.
        folder: PathBuf,
    },
    /// It belongs to somebody else, who could put code of theirs into it.
    #[error("the cache folder {} belongs to user {owner}, and this is user {user}", folder.display())]
    NotOurs {
        /// The folder.
        folder: PathBuf,
        /// The user id of its owner.
        owner: u32,
        /// The user id of this process.
        user: u32,
    },
    /// Others may read or write it. `chmod 700` mends that, if what is in it is
    /// trusted.
    #[error(
        "the cache folder {} is open to others (mode {mode:03o}); `chmod 700` it, or empty it \
         first if others may have written to it",
        folder.display()
    )]
    NotPrivate {
        /// The folder.
        folder: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

impl CompileCache {
    /// Opens a folder, making it (and what is above it) if it is not there.
    ///
    /// # Errors
    ///
    /// When it is not a folder of this user alone.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, CacheError> {
        let folder = folder.into();
        let io = |source| CacheError::Io {
            folder: folder.clone(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(io)?;
        // Not following a link: whoever made the link may point it elsewhere later.
        let metadata = fs::symlink_metadata(&folder).map_err(io)?;
        check_private(&folder, &metadata)?;
        Ok(Self {
            folder,
            max_bytes: DEFAULT_MAX_BYTES,
        })
    }

    /// Sets what the entries may take up together, in bytes. Default 1 GiB; beyond it
    /// the oldest go.
    #[must_use]
    pub fn with_max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of the artefact that `engine` made of the component with this digest, if
    /// it is there and whole.
    ///
    /// The file itself and not its contents: mapping it is several times quicker than
    /// copying it. It is never written to, only replaced.
    pub(crate) fn get(&self, engine: &Engine, digest: Digest) -> Option<PathBuf> {
        let path = self.entry(engine, digest);
        match check_entry(&path, digest) {
            Ok(()) => Some(path),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "compiling again");
                None
            }
        }
    }

    /// Keeps an artefact. A cache that cannot be written is a slower start, and no
    /// failure.
    pub(crate) fn put(&self, engine: &Engine, digest: Digest, artefact: &[u8]) {
        let path = self.entry(engine, digest);
        if let Err(error) = write_entry(&path, digest, artefact).and_then(|()| self.prune(&path)) {
            tracing::warn!(path = %path.display(), %error, "not cached");
        }
    }

    /// An engine with other settings, of another version or for another processor has
    /// another name for the same component.
    fn entry(&self, engine: &Engine, digest: Digest) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let engine = hasher.finish();
        self.folder
            .join(format!("{}-{engine:016x}.cwasm", digest.to_hex()))
    }

    /// Removes the oldest entries until the rest fits; the newest stays.
    fn prune(&self, newest: &Path) -> io::Result<()> {
        let mut entries: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_file() {
                entries.push((metadata.modified()?, metadata.len(), entry.path()));
            }
        }
        entries.sort();
        let mut total: u64 = entries.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, path) in entries {
            if total <= self.max_bytes {
                break;
            }
            if path != newest {
                fs::remove_file(path)?;
                total -= bytes;
            }
        }
        Ok(())
    }
}

fn check_private(folder: &Path, metadata: &Metadata) -> Result<(), CacheError> {
    let folder = folder.to_owned();
    if !metadata.is_dir() {
        return Err(CacheError::NotAFolder { folder });
    }
    let (owner, user) = (metadata.uid(), geteuid().as_raw());
    if owner != user {
        return Err(CacheError::NotOurs {
            folder,
            owner,
            user,
        });
    }
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(CacheError::NotPrivate { folder, mode });
    }
    Ok(())
}

fn check_entry(path: &Path, digest: Digest) -> io::Result<()> {
    let mut bytes = Vec::new();
    open_own_file(path)?.read_to_end(&mut bytes)?;
    let wrong = |why| Err(io::Error::new(io::ErrorKind::InvalidData, why));
    let Some(length) = bytes.len().checked_sub(TRAILER_BYTES) else {
        return wrong("the entry is too short");
    };
    let (artefact, trailer) = bytes.split_at(length);
    let (found_digest, rest) = trailer.split_at(DIGEST_BYTES);
    let (found_checksum, magic) = rest.split_at(CHECKSUM_BYTES);
    if magic != MAGIC {
        return wrong("the entry was cut off, or made by another program");
    }
    if found_digest != digest.as_bytes() {
        return wrong("the entry belongs to another component");
    }
    if found_checksum != checksum(artefact, digest) {
        return wrong("the entry is corrupt");
    }
    Ok(())
}

/// Opens a regular file of this user, and follows no link to it.
fn open_own_file(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    let private = metadata.mode() & 0o022 == 0 && metadata.uid() == geteuid().as_raw();
    if !metadata.is_file() || !private {
        let why = "the entry is no file that this user alone can write";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    Ok(file)
}

/// Writes beside the entry and renames, so that nobody ever reads half of one.
fn write_entry(path: &Path, digest: Digest, artefact: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(artefact)?;
    file.write_all(digest.as_bytes())?;
    file.write_all(&checksum(artefact, digest))?;
    file.write_all(MAGIC)?;
    file.persist(path)?;
    Ok(())
}

/// Finds accidents, not attacks: whoever can write into the folder can run code as its
/// owner anyway.
fn checksum(artefact: &[u8], digest: Digest) -> [u8; CHECKSUM_BYTES] {
    let seed = u64::from_le_bytes(std::array::from_fn(|i| digest.as_bytes()[i]));
    XxHash3_128::oneshot_with_seed(seed, artefact).to_le_bytes()
}
