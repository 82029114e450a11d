//! The folder that a system keeps its data in.

// Layer 1: Standard library imports
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::storage::disk::disk::{Disk, DiskFile};
use crate::storage::disk::folder::Folder;
use crate::storage::log::recovery::TABLES_FILE;

/// The file that is locked by whoever uses the folder.
const LOCK: &str = "lock";

/// The file that says what the folder is.
const FORMAT: &str = "format";

/// The version of the format that this release writes, and the only one that it reads.
pub const FORMAT_VERSION: u32 = 1;

const FORMAT_WORDS: &str = "airssys data, format ";

/// A folder with a system's data, for as long as this process uses it. No other process can.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    /// Unlocked when it is dropped, here and by all who opened a file.
    lock: Arc<File>,
}

/// Why a folder cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataFolderError {
    /// The folder, or a file in it, cannot be made, read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Another process uses the folder.
    #[error(
        "{} is in use by another process; stop that one, or choose another folder",
        path.display()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// There is no data in the folder.
    #[error("{} has no data of a system", path.display())]
    NoData {
        /// The folder.
        path: PathBuf,
    },
    /// The folder has files, and is no data folder.
    #[error(
        "{} is no data folder: it has files, but no `{FORMAT}`; choose an empty folder, or \
         one that does not exist",
        path.display()
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// A file that belongs to the data is gone.
    #[error("{} is missing, and the data with it; restore a backup", path.display())]
    Missing {
        /// Which.
        path: PathBuf,
    },
    /// The data is of another release.
    #[error(
        "{} has data of format {found}, and this release reads format {FORMAT_VERSION}; use the \
         release that wrote it",
        path.display()
    )]
    Version {
        /// The folder.
        path: PathBuf,
        /// What its `format` says.
        found: String,
    },
}

impl DataFolder {
    /// Takes a folder for this process, and begins it where there is none, or an empty one.
    ///
    /// # Errors
    ///
    /// When another process uses it, it is no data folder, its format is another one, or it
    /// cannot be written.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, DataFolderError> {
        let path = path.into();
        let folder = Folder::open(&path).map_err(|source| io_error(&path, source))?;
        let names = folder.names().map_err(|source| io_error(&path, source))?;
        // A folder is begun with its tables, which are empty then, and its format last.
        let is_new = names.iter().all(|name| match name.as_str() {
            LOCK => true,
            TABLES_FILE => is_empty(&folder, name),
            _ => false,
        });
        if !is_new && !names.iter().any(|name| name == FORMAT) {
            return Err(DataFolderError::Foreign { path });
        }
        let locked = lock(&path)?;
        if is_new {
            begin(&path, &folder)?;
        }
        check_format(&path)?;
        if !is_new && !names.iter().any(|name| name == TABLES_FILE) {
            return Err(DataFolderError::Missing {
                path: path.join(TABLES_FILE),
            });
        }
        Ok(Self {
            path,
            lock: Arc::new(locked),
        })
    }

    /// Takes a folder that has data.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and when there is no data.
    pub fn open_existing(path: impl Into<PathBuf>) -> Result<Self, DataFolderError> {
        let path = path.into();
        if !path.join(FORMAT).exists() {
            return Err(DataFolderError::NoData { path });
        }
        Self::open(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its files. No other process can use the folder while one of them is open.
    pub(crate) fn disk(&self) -> Result<Folder, DataFolderError> {
        let folder = Folder::open(&self.path);
        let folder = folder.map_err(|source| io_error(&self.path, source))?;
        Ok(folder.locked(Arc::clone(&self.lock)))
    }
}

fn is_empty(folder: &Folder, name: &str) -> bool {
    let file = folder.open(name);
    file.and_then(|file| file.len_bytes())
        .is_ok_and(|bytes| bytes == 0)
}

fn lock(folder: &Path) -> Result<File, DataFolderError> {
    let path = folder.join(LOCK);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = options
        .open(&path)
        .map_err(|source| io_error(&path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse {
            path: folder.into(),
        }),
        Err(TryLockError::Error(source)) => Err(io_error(&path, source)),
    }
}

/// Makes a folder a data folder, when everything else that belongs to it is there.
pub(crate) fn write_format(path: &Path) -> Result<(), DataFolderError> {
    let folder = Folder::open(path).map_err(|source| io_error(path, source))?;
    begin(path, &folder)
}

/// Writes what the folder is, after the tables are in it.
fn begin(path: &Path, folder: &Folder) -> Result<(), DataFolderError> {
    let file = path.join(FORMAT);
    let write = || {
        if folder.open(TABLES_FILE).is_err() {
            folder.create(TABLES_FILE)?.sync()?;
            folder.sync()?;
        }
        let mut options = OpenOptions::new();
        let mut written = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&file)?;
        writeln!(written, "{FORMAT_WORDS}{FORMAT_VERSION}")?;
        written.sync_all()?;
        folder.sync()
    };
    write().map_err(|source: io::Error| io_error(&file, source))
}

fn check_format(path: &Path) -> Result<(), DataFolderError> {
    let file = path.join(FORMAT);
    let bytes = fs::read(&file).map_err(|source| io_error(&file, source))?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_end();
    if text == format!("{FORMAT_WORDS}{FORMAT_VERSION}") {
        return Ok(());
    }
    let found = text.strip_prefix(FORMAT_WORDS).unwrap_or(text);
    Err(DataFolderError::Version {
        path: path.into(),
        found: found.chars().take(40).filter(|c| !c.is_control()).collect(),
    })
}

fn io_error(path: &Path, source: io::Error) -> DataFolderError {
    DataFolderError::Io {
        path: path.into(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[test]
    fn one_process_at_a_time_uses_a_folder() {
        let above = TempDir::new().unwrap();
        let path = above.path().join("data");
        assert!(matches!(
            DataFolder::open_existing(&path),
            Err(DataFolderError::NoData { .. })
        ));
        let first = DataFolder::open(&path).unwrap();
        let second = DataFolder::open(&path).unwrap_err();
        assert!(matches!(second, DataFolderError::InUse { .. }), "{second}");
        drop(first);
        DataFolder::open_existing(&path).unwrap();
    }

    #[test]
    fn what_is_no_data_folder_is_left_alone() {
        let above = TempDir::new().unwrap();
        fs::write(above.path().join("letter.txt"), "dear").unwrap();
        let refused = DataFolder::open(above.path()).unwrap_err();
        assert!(
            matches!(refused, DataFolderError::Foreign { .. }),
            "{refused}"
        );
        let refused = DataFolder::open(above.path().join("letter.txt")).unwrap_err();
        assert!(matches!(refused, DataFolderError::Io { .. }), "{refused}");
        assert_eq!(fs::read_dir(above.path()).unwrap().count(), 1);
    }

    #[test]
    fn data_without_its_tables_is_no_new_data() {
        let above = TempDir::new().unwrap();
        let path = above.path().join("data");
        drop(DataFolder::open(&path).unwrap());
        fs::remove_file(path.join(TABLES_FILE)).unwrap();
        let refused = DataFolder::open(&path).unwrap_err();
        assert!(
            matches!(refused, DataFolderError::Missing { .. }),
            "{refused}"
        );

        // A crash before the folder was begun leaves nothing that is in the way.
        let path = above.path().join("crashed");
        fs::create_dir(&path).unwrap();
        fs::write(path.join(TABLES_FILE), "").unwrap();
        DataFolder::open(&path).unwrap();
    }

    #[test]
    fn another_format_is_refused_with_words() {
        let folder = TempDir::new().unwrap();
        drop(DataFolder::open(folder.path()).unwrap());
        for (text, found) in [
            ("airssys data, format 2\n", "format 2,"),
            ("something else", "format something else,"),
            ("\u{7}\u{0}", "format ,"),
        ] {
            fs::write(folder.path().join(FORMAT), text).unwrap();
            let refused = DataFolder::open(folder.path()).unwrap_err().to_string();
            assert!(refused.contains(found), "{refused}");
            assert!(refused.contains("reads format 1"), "{refused}");
        }
    }
}
