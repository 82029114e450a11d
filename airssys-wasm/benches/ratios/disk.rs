//! The disk that durable actors are measured on: the one with the target folder.

// Layer 1: Standard library imports
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

// Layer 2: Third-party crate imports
use tempfile::{Builder, TempDir};

// Layer 3: Internal module imports
use crate::measure::Outcome;

/// What is written before each sync.
const WRITE_BYTES: usize = 1_024;

/// How long the file is that is written to, over and over.
const FILE_BYTES: usize = 4 << 20;

/// A folder that is removed when this is dropped.
pub(crate) fn folder() -> Outcome<TempDir> {
    let above = env!("CARGO_TARGET_TMPDIR");
    fs::create_dir_all(above)?;
    Ok(Builder::new().prefix("bench-").tempdir_in(above)?)
}

/// How many bytes this process has had written to disks. The kernel counts whole pages, and
/// one that is written again before it went to the disk only once.
pub(crate) fn written_bytes() -> Outcome<f64> {
    let io = fs::read_to_string("/proc/self/io")?;
    let line = io
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes:"));
    Ok(line.ok_or("no such field")?.trim().parse()?)
}

/// A file that is as long as it will ever be, so that a sync has nothing to note but what was
/// written.
pub(crate) struct SyncedFile {
    file: File,
    at: usize,
}

impl SyncedFile {
    pub(crate) fn new(folder: &Path) -> Outcome<Self> {
        let path = folder.join("synced");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        file.write_all_at(&vec![0; FILE_BYTES], 0)?;
        file.sync_all()?;
        Ok(Self { file, at: 0 })
    }

    /// The time, in nanoseconds, that it takes to have 1 KiB on disk.
    pub(crate) fn sync(&mut self) -> Outcome<f64> {
        let began = Instant::now();
        self.file
            .write_all_at(&[b'x'; WRITE_BYTES], self.at as u64)?;
        self.file.sync_data()?;
        self.at = (self.at + WRITE_BYTES) % FILE_BYTES;
        Ok(began.elapsed().as_nanos() as f64)
    }
}
