//! A folder of the file system.

// Layer 1: Standard library imports
#[cfg(not(target_os = "linux"))]
use std::fs::Metadata;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
#[cfg(not(target_os = "linux"))]
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

// Layer 2: Third-party crate imports
#[cfg(target_os = "linux")]
use rustix::fs::{AtFlags, CWD, Statx, StatxFlags, makedev, statx};

// Layer 3: Internal module imports
use crate::storage::disk::disk::{Disk, DiskFile};

/// What a folder that is made lets others do: nothing.
const FOLDER_MODE: u32 = 0o700;

/// What a file that is made lets others do: nothing.
const FILE_MODE: u32 = 0o600;

/// A folder of the file system. What it makes is for its owner alone.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    lock: Option<Arc<File>>,
}

/// An open file of a [`Folder`].
#[derive(Debug)]
pub struct FolderFile {
    file: File,
    path: PathBuf,
    identity: Identity,
    /// Whoever has a file open has the folder.
    _lock: Option<Arc<File>>,
}

/// What tells files apart, whatever they are called. No other file has it while one is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Folder {
    /// Opens a folder, and makes it and those above it where there are none.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or is no folder.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        make(&path)?;
        Ok(Self { path, lock: None })
    }

    /// The same with a lock that is kept until the folder and all files that were opened in
    /// it are dropped.
    #[must_use]
    pub fn locked(self, lock: Arc<File>) -> Self {
        Self {
            lock: Some(lock),
            ..self
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn file(&self, name: &str, options: &OpenOptions) -> io::Result<FolderFile> {
        let path = self.path.join(name);
        let file = options.open(&path)?;
        let identity = Identity::of_open(&file)?;
        Ok(FolderFile {
            file,
            path,
            identity,
            _lock: self.lock.clone(),
        })
    }
}

// Whoever asks for the times of a file, as `File::metadata` does, has the next write note a
// new time, and its sync take half as long again. So only what is needed is asked for.
#[cfg(target_os = "linux")]
impl Identity {
    fn of_open(file: &File) -> io::Result<Self> {
        let found = statx(file, "", AtFlags::EMPTY_PATH, StatxFlags::INO)?;
        Ok(Self::of(&found))
    }

    fn of_path(path: &Path) -> io::Result<Self> {
        let found = statx(CWD, path, AtFlags::empty(), StatxFlags::INO)?;
        Ok(Self::of(&found))
    }

    fn of(found: &Statx) -> Self {
        Self {
            device: makedev(found.stx_dev_major, found.stx_dev_minor),
            inode: found.stx_ino,
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Identity {
    fn of_open(file: &File) -> io::Result<Self> {
        Ok(Self::of(&file.metadata()?))
    }

    fn of_path(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&fs::metadata(path)?))
    }

    fn of(found: &Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
        }
    }
}

#[cfg(target_os = "linux")]
fn len_of(file: &File) -> io::Result<u64> {
    Ok(statx(file, "", AtFlags::EMPTY_PATH, StatxFlags::SIZE)?.stx_size)
}

#[cfg(not(target_os = "linux"))]
fn len_of(file: &File) -> io::Result<u64> {
    Ok(file.metadata()?.len())
}

/// Makes a folder so that it is there after a crash: each one that is new is synced in the
/// one above it.
fn make(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => return Err(io::ErrorKind::NotADirectory.into()),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) => {}
    }
    let above = match path.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    };
    make(above)?;
    match DirBuilder::new().mode(FOLDER_MODE).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    File::open(above)?.sync_all()
}

impl Disk for Folder {
    type File = FolderFile;

    fn open(&self, name: &str) -> io::Result<FolderFile> {
        self.file(name, OpenOptions::new().read(true).write(true))
    }

    fn create(&self, name: &str) -> io::Result<FolderFile> {
        // A new file, and not the old one emptied: whoever has that open can tell.
        match self.remove(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        self.file(name, options.mode(FILE_MODE))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            // The store gives no file a name that is not text: such a one is not its own.
            if let (true, Ok(name)) = (
                entry.file_type()?.is_file(),
                entry.file_name().into_string(),
            ) {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

impl DiskFile for FolderFile {
    fn len_bytes(&self) -> io::Result<u64> {
        len_of(&self.file)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        // Without the times of the file, but with its length.
        self.file.sync_data()
    }

    fn is_in_place(&self) -> io::Result<bool> {
        match Identity::of_path(&self.path) {
            Ok(there) => Ok(there == self.identity),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn files_hold_what_was_written_and_are_for_their_owner_alone() {
        let base = tempfile::tempdir().unwrap();
        let folder = Folder::open(base.path().join("a/b")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(folder.path()), 0o700);

        let file = folder.create("one").unwrap();
        assert_eq!(mode(&folder.path().join("one")), 0o600);
        file.write_at(3, b"abc").unwrap();
        file.set_len(8).unwrap();
        file.sync().unwrap();
        folder.sync().unwrap();
        let mut all = [1; 8];
        folder.open("one").unwrap().read_at(0, &mut all).unwrap();
        assert_eq!(&all, b"\0\0\0abc\0\0");
        assert_eq!(file.len_bytes().unwrap(), 8);
        let beyond = file.read_at(1, &mut all).unwrap_err();
        assert_eq!(beyond.kind(), io::ErrorKind::UnexpectedEof);

        folder.create("another").unwrap();
        fs::create_dir(folder.path().join("folder")).unwrap();
        assert_eq!(folder.names().unwrap(), ["another", "one"]);
        folder.remove("one").unwrap();
        assert_eq!(folder.names().unwrap(), ["another"]);
        let missing = folder.open("one").unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_file_that_was_removed_or_replaced_is_not_in_place() {
        let base = tempfile::tempdir().unwrap();
        let folder = Folder::open(base.path()).unwrap();
        let first = folder.create("log").unwrap();
        assert!(first.is_in_place().unwrap());
        let second = folder.create("log").unwrap();
        assert_eq!(
            (first.is_in_place().unwrap(), second.is_in_place().unwrap()),
            (false, true)
        );
        fs::rename(folder.path().join("log"), folder.path().join("gone")).unwrap();
        assert!(!second.is_in_place().unwrap());
    }

    #[test]
    fn a_file_is_no_folder() {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("file"), "").unwrap();
        let error = Folder::open(base.path().join("file")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
    }
}
