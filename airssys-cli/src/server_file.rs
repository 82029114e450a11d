//! What a running system leaves in a file, so that commands find it.
//!
//! While a system runs it holds the lock of `<name>.lock`, which ends with its process,
//! however that ends. So whoever has the lock may replace the `<name>.json` of a system
//! that is gone, and nobody else does. The file appears with all of its content at once.

// Layer 1: Standard library imports
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng;
use rand::rngs::SysRng;
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run_folder::{EXTENSION, RunFolder};

/// The largest server file that is read, in bytes.
const MAX_BYTES: u64 = 4_096;

/// What the file of a system says.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ServerFile {
    /// The system's name.
    pub(crate) name: String,
    /// Where it listens.
    pub(crate) url: String,
    /// What every request has to show.
    pub(crate) token: String,
    /// Its process.
    pub(crate) pid: u32,
    /// When it started, in milliseconds since the Unix epoch.
    pub(crate) started_ms: u64,
}

impl ServerFile {
    /// Reads the file of a system. `None` if there is none.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is no server file.
    pub(crate) fn read(path: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut bytes = Vec::new();
        file.take(MAX_BYTES).read_to_end(&mut bytes)?;
        let read: Self = serde_json::from_slice(&bytes)?;
        // The token must not be sent to another machine, whatever stands there.
        match read.address() {
            Some(_) => Ok(Some(read)),
            None => Err(io::Error::new(
                ErrorKind::InvalidData,
                "`url` is not a loopback address",
            )),
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        let address: SocketAddr = self.url.strip_prefix("http://")?.parse().ok()?;
        address.ip().is_loopback().then_some(address)
    }
}

/// The right to be the system of a name, as long as this lives.
#[derive(Debug)]
pub(crate) struct Claim {
    folder: RunFolder,
    name: String,
    _lock: File,
}

impl Claim {
    /// Takes the name, unless a running system has it.
    ///
    /// # Errors
    ///
    /// When one has, or the lock cannot be made.
    pub(crate) fn take(folder: RunFolder, name: &str) -> Result<Self, Failure> {
        let path = folder.file(name, "lock");
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        let lock = opened.map_err(|e| not_written(&path, &e))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                folder,
                name: name.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(already_runs(&folder, name)),
            Err(TryLockError::Error(error)) => Err(not_written(&path, &error)),
        }
    }

    /// Tells everyone of the owner how to talk to the system, until the result is dropped.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(crate) fn publish(self, content: &ServerFile) -> Result<Published, Failure> {
        let path = self.folder.file(&self.name, EXTENSION);
        let draft = self.folder.file(&self.name, "draft");
        let written = write_new(&draft, content).and_then(|()| fs::rename(&draft, &path));
        written.map_err(|e| not_written(&path, &e))?;
        Ok(Published { path, _claim: self })
    }
}

/// The file of a running system, which goes with it.
#[derive(Debug)]
pub(crate) struct Published {
    /// Where it is.
    pub(crate) path: PathBuf,
    _claim: Claim,
}

impl Drop for Published {
    fn drop(&mut self) {
        // If it stays, it is found to be of a system that is gone.
        let _ = fs::remove_file(&self.path);
    }
}

/// A token that nobody can guess: 32 random bytes.
///
/// # Errors
///
/// When the system has no random numbers.
pub(crate) fn new_token() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    let filled = SysRng.try_fill_bytes(&mut bytes);
    filled.map_err(|e| Failure::new(Exit::Internal, "internal", "no random numbers").because(e))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Writes a file that is not there yet. What an earlier process left is removed first;
/// the lock says that it is not being written now.
fn write_new(path: &Path, content: &ServerFile) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(&serde_json::to_vec(content)?)
}

fn already_runs(folder: &RunFolder, name: &str) -> Failure {
    let failure = Failure::new(
        Exit::AlreadyRuns,
        "already-runs",
        format!("the system {name} is running already"),
    )
    .next(format!(
        "talk to it (`airssys ps --system {name}`), end it with Ctrl-C, or start this one under \
         another name with `--name`"
    ));
    match ServerFile::read(&folder.file(name, EXTENSION)) {
        Ok(Some(file)) => failure.because(format!("process {} serves {}", file.pid, file.url)),
        _ => failure.because("another process is about to start it"),
    }
}

fn not_written(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Io, "io", format!("cannot write {}", path.display()))
        .because(error)
        .next("make room and see that the folder is yours")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(url: &str) -> ServerFile {
        ServerFile {
            name: "shop".into(),
            url: url.into(),
            token: "t".into(),
            pid: 1,
            started_ms: 2,
        }
    }

    #[test]
    fn only_loopback_is_talked_to() {
        for url in ["http://127.0.0.1:8080", "http://[::1]:9"] {
            assert!(file(url).address().is_some(), "{url}");
        }
        for url in [
            "http://10.0.0.1:80",
            "http://localhost:80",
            "https://127.0.0.1:80",
            "http://127.0.0.1:80@evil.example",
            "",
        ] {
            assert!(file(url).address().is_none(), "{url}");
        }
    }

    #[test]
    fn tokens_are_long_and_differ() {
        let (a, b) = (new_token().unwrap(), new_token().unwrap());
        assert_eq!((a.len(), b.len()), (43, 43));
        assert_ne!(a, b);
    }
}
